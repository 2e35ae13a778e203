"""Kinds, sources, prices, listing numbers, truth and times in normal form."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadroutes.domain.normalize import (
    is_true,
    lead_type_named_by,
    mentions_rent,
    normal_mls_id,
    normal_price,
    normal_source,
    normal_time,
)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        *((word, "Buyer") for word in ("buy", "Buyer", "BUYERS", "buying", "purchase", "purchasing")),
        *((word, "Seller") for word in ("sell", "Seller", "sellers", "selling")),
        *(
            (word, "Renter")
            for word in ("rent", "renter", "Renters", "renting", "rental", "tenant", "lease", "leasing")
        ),
        ("First-time buyer", "Buyer"),
        ("buy_a_home", "Buyer"),
        ("I am buying; my brother is a buyer too", "Buyer"),
        ("buyer and seller", None),
        ("both", None),
        ("Buyer/Renter", None),
        ("Investor", None),
        ("bestseller", None),
        ("current", None),
        ("??", None),
        ("", None),
        (None, None),
    ],
)
def test_a_kind_is_the_one_that_the_words_name(text: str | None, kind: str | None) -> None:
    assert lead_type_named_by(text) == kind


@pytest.mark.parametrize(
    ("status", "is_to_let"),
    [
        ("For Rent", True),
        ("for_rent", True),
        ("ForRent", True),
        ("RENTAL", True),
        ("For Sale", False),
        ("Current", False),
        ("", False),
        (None, False),
    ],
)
def test_a_status_tells_of_rent(status: str | None, is_to_let: bool) -> None:
    assert mentions_rent(status) is is_to_let


@pytest.mark.parametrize(
    ("typed", "source"),
    [
        *((name, "Zillow") for name in ("zillow", "Zillow.com", "ZILLOW PREMIER AGENT", "Zillow Rentals")),
        *((name, "Realtor.com") for name in ("realtor", "REALTOR.COM", "move.com")),
        *((name, "Homes.com") for name in ("Homes", "homes.com")),
        *((name, "Trulia") for name in ("trulia", "www.trulia.com")),
        *((name, "Facebook") for name in ("facebook", "FB", "Instagram", "ig")),
        *((name, "Google") for name in ("google", "Google  Ads", "AdWords")),
        *((name, "Website") for name in ("website", "Web Site", "web")),
        ("https://www.zillow.com/", "Zillow"),
        ("http://realtor.com", "Realtor.com"),
        ("HTTPS://Homes.com/", "Homes.com"),
        ("https://zillow.com/homes", "https://zillow.com/homes"),
        ("https://www.example.com/", "https://www.example.com/"),
        ("homes.example.com", "homes.example.com"),
        ("Past  Client", "Past Client"),
        ("facebook.com", "facebook.com"),
        ("none", None),
        (" ", None),
        (None, None),
    ],
)
def test_a_source_is_as_given_but_known_ones_are_spelt_our_way(typed: str | None, source: str | None) -> None:
    assert normal_source(typed) == source


@pytest.mark.parametrize(
    ("typed", "price"),
    [
        ("748000", 748_000),
        ("$912,500", 912_500),
        ("$2,350/mo", 2_350),
        ("2350 monthly", 2_350),
        ("412000.00", 412_000),
        ("1,234,567.89", 1_234_567),
        ("$600k - $750k", 750_000),
        ("$600K_-_$750K", 750_000),
        ("500-750k", 750_000),
        ("750k-500", 750_000),
        ("1.2m", 1_200_000),
        ("$1.25 M", 1_250_000),
        ("1.5 million", 1_500_000),
        ("2M+", 2_000_000),
        ("under $500,000 or 3 rooms", 500_000),
        ("1.250.000", 1_250_000),
        ("0", None),
        ("$0.00", None),
        ("0.99", None),
        ("-1", None),
        ("call for price", None),
        ("TBD", None),
        ("n/a", None),
        ("12345678901234567890", None),
        ("", None),
        (None, None),
    ],
)
def test_a_price_is_the_largest_number_in_whole_dollars(typed: str | None, price: int | None) -> None:
    assert normal_price(typed) == price


@given(st.text(st.sampled_from("0123456789.,kKmM $-/")))
def test_a_price_is_positive_whatever_is_typed(typed: str) -> None:
    price = normal_price(typed)
    assert price is None or price > 0


@pytest.mark.parametrize(
    ("typed", "mls_id"),
    [
        ("7315508", "7315508"),
        (" U8231177 ", "U8231177"),
        ("00123", "00123"),
        ("0", None),
        ("0000", None),
        ("None", None),
        ("", None),
        (None, None),
    ],
)
def test_a_listing_number_is_text_and_not_only_zeros(typed: str | None, mls_id: str | None) -> None:
    assert normal_mls_id(typed) == mls_id


def test_truth_has_four_words() -> None:
    assert all(is_true(word) for word in ("true", "TRUE", "1", "yes", " Y "))
    assert not any(is_true(word) for word in ("false", "0", "no", "on", "2", "t", "", None))


@pytest.mark.parametrize(
    ("typed", "moment"),
    [
        ("2026-11-14T18:22:07Z", "2026-11-14T18:22:07"),
        ("2026-11-14T18:22:07.999Z", "2026-11-14T18:22:07"),
        ("2026-11-14T18:22:07,5z", "2026-11-14T18:22:07"),
        ("2026-11-16T09:41:55-05:00", "2026-11-16T14:41:55"),
        ("2026-11-16T19:52:30+0000", "2026-11-16T19:52:30"),
        ("2026-11-17T01:00:00+05:30", "2026-11-16T19:30:00"),
        ("2026-11-16T19-05", None),
        ("2026-11-16T19:00-05", "2026-11-17T00:00:00"),
        ("2026-11-16 19:52:30", "2026-11-16T19:52:30"),
        ("2026-11-16T19:52", "2026-11-16T19:52:00"),
        ("20261116T195230Z", "2026-11-16T19:52:30"),
        ("2026-11-16", "2026-11-16T00:00:00"),
        ("1794858750", "2026-11-16T19:52:30"),
        ("1794858750123", "2026-11-16T19:52:30"),
        ("179485875", None),
        ("17948587501", None),
        ("11/20/2026", None),
        ("20/11/2026 10:00", None),
        ("Nov 20, 2026", None),
        ("2026-13-01T00:00:00Z", None),
        ("2026-02-30T00:00:00Z", None),
        ("2026-11-14T25:00:00Z", None),
        ("0001-01-01T00:00:00+14:00", None),
        ("9999-12-31T23:59:59-14:00", None),
        ("yesterday", None),
        ("-", None),
        ("", None),
        (None, None),
    ],
)
def test_a_time_is_iso_or_unix_in_utc(typed: str | None, moment: str | None) -> None:
    expected = datetime.fromisoformat(moment).replace(tzinfo=UTC) if moment else None
    assert normal_time(typed) == expected


@given(st.datetimes(timezones=st.just(UTC)))
def test_a_time_survives_being_written(moment: datetime) -> None:
    assert normal_time(moment.isoformat()) == moment.replace(microsecond=0)
