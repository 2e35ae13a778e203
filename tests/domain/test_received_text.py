"""What texts say: to stop, to start, to claim and to pass. Each entry of the tables is a text that someone may send."""

from collections.abc import Callable
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from leadroutes.domain.received_text import (
    OfferReply,
    OpenOffer,
    claimed_line,
    dashed,
    help_line,
    only_open,
    read_reply,
    read_wish,
    yours_line,
)
from leadroutes.domain.stop_words import may_mean_stop, stop_words

CLAIM, PASS = True, False


@pytest.mark.parametrize(
    ("body", "is_claim", "number"),
    [
        ("3", CLAIM, 3),
        ("3Y", CLAIM, 3),
        ("3y", CLAIM, 3),
        ("3 Y", CLAIM, 3),
        ("claim 3", CLAIM, 3),
        ("Claim #3", CLAIM, 3),
        ("CLAIM3!", CLAIM, 3),
        (" #3. ", CLAIM, 3),
        ("3!!", CLAIM, 3),
        ("3\n", CLAIM, 3),
        ("c 12", CLAIM, 12),
        ("12c", CLAIM, 12),
        ("99", CLAIM, 99),
        ("３", CLAIM, 3),  # full width
        ("3\ufe0f\u20e3", CLAIM, 3),  # the key of a phone, as an emoji
        ("\u200e3", CLAIM, 3),  # a mark of direction that some keyboards write
        ("3N", PASS, 3),
        ("3 n", PASS, 3),
        ("pass 3", PASS, 3),
        ("Pass #3", PASS, 3),
        ("no 3", PASS, 3),
        ("No. 3", PASS, 3),
        ("3 no", PASS, 3),
        ("n3", PASS, 3),
        ("Y", CLAIM, None),
        ("y.", CLAIM, None),
        ("C", CLAIM, None),
        ("claim", CLAIM, None),
        ("Claim!", CLAIM, None),
        ("N", PASS, None),
        ("no", PASS, None),
        ("NO.", PASS, None),
        ("pass", PASS, None),
        ("Pass!", PASS, None),
    ],
)
def test_a_reply_is_read_in_all_its_spellings(body: str, is_claim: bool, number: int | None) -> None:
    assert read_reply(body) == OfferReply(is_claim, number)


@pytest.mark.parametrize(
    "body",
    [
        *("YES", "yes", "yes 3", "3 yes", "3yes", "START", "STOP", "START 3", "UNSTOP", "HELP", "ok", "sure"),
        *("0", "00", "03", "100", "3.5.1.2", "333", "-3", "3-", "3,4", "3 4 5", "3 and 4", "3?", "claim 3?", "¾"),
        *("claim pass", "y3n", "no claim 3", "claim 3 no", "yn", "ny", "nope", "yep", "yeah", "cc", "pass on 3"),
        *("", " ", ".", "#", "!!!", "\n", "claim the lead", "I claim 3", "three", "none", "nothing", "passing", "Ⅲ"),
        *("Liked “New lead: Mia”", "👍", "3️⃣4️⃣5️⃣", "٣", "三", "да", "nein", "3" * 10_000, "y" * 10_000),
    ],
)
def test_nothing_else_is_a_reply(body: str) -> None:
    assert read_reply(body) is None


@pytest.mark.parametrize("message", sorted(stop_words().stop_messages))
@pytest.mark.parametrize(
    "spell", [str, str.upper, str.title, "{}.".format, "  {}!!\n".format, '"{}"'.format, "{} 🛑".format]
)
def test_a_word_of_stopping_counts_as_the_whole_message(message: str, spell: Callable[[str], str]) -> None:
    assert read_wish(spell(message)) == "stop"


@pytest.mark.parametrize("sentence", sorted(stop_words().sentences))
def test_a_sentence_counts_anywhere_in_a_short_text(sentence: str) -> None:
    assert read_wish(sentence.capitalize()) == "stop"
    assert read_wish(f"Hi, this is Mia, {sentence} please. Thanks!") == "stop"
    assert read_wish(f"Could you {sentence.upper()} - I have a house") == "stop"
    assert read_wish(f"{sentence} {'x' * 160}") is None


@pytest.mark.parametrize(
    "body",
    [
        *("STOP", "Stop.", "stop", "STOPALL", "Opt-out", "OPT OUT", "opt_out", "ＳＴＯＰ", "¡STOP!"),
        *("Stop texting me!", "please stop texting", "STOP MESSAGING ME", "Take me off your list.", "remove my number"),
        *("I’m not interested, stop texting me", "Not now. Take me off your list!", "no, never. stop sending these"),
        *("Don't text me again", "Don’t text me anymore", "dont contact me", "Do not text me any more, thanks"),
        "This is not Mia - stop texting me",
        "never text me again",
    ],
)
def test_a_wish_to_stop_is_understood(body: str) -> None:
    assert read_wish(body) == "stop"


@pytest.mark.parametrize(
    "body",
    [
        *(
            "Please don't stop texting me",
            "Don’t stop sending these!",
            "do not stop messaging",
            "never stop texting me",
        ),
        *(
            "I did not say stop texting me",
            "I dont want you to take me off the list",
            "please do not remove me from it",
        ),
    ],
)
def test_a_negation_before_a_sentence_leaves_it_to_a_person(body: str) -> None:
    assert read_wish(body) is None
    assert may_mean_stop(body)


@pytest.mark.parametrize(
    "body",
    [
        *("Can you stop by at five?", "The bus stop is right there", "when does it end?", "I quit my job", "The end"),
        *("cancel the showing", "remove the sign please", "Is that a non-stop flight", "yes", "YES", "start", "help"),
        *("I'd like to see it", "", " ", "🏡", "Привет", "停止", "توقف", "no", "info", "text me", "call me"),
    ],
)
def test_other_texts_do_not_stop(body: str) -> None:
    assert read_wish(body) != "stop"


@pytest.mark.parametrize(
    ("body", "wish"),
    [
        *((body, "start") for body in ("START", "start", "Start!", " unstop ", "UNSTOP.")),
        *((body, "help") for body in ("HELP", "help?", "Help!")),
        *((body, None) for body in ("YES", "yes", "start over", "restart", "when do you start", "info", "helpful")),
    ],
)
def test_start_and_help_count_as_the_whole_message(body: str, wish: str | None) -> None:
    assert read_wish(body) == wish


@pytest.mark.parametrize(
    ("opt_out_type", "wish"), [("STOP", "stop"), ("stop", "stop"), ("START", "start"), ("HELP", "help"), ("", None)]
)
def test_what_the_provider_understood_counts(opt_out_type: str, wish: str | None) -> None:
    assert read_wish("arrêt", opt_out_type) == wish


@pytest.mark.parametrize(
    ("body", "may"),
    [
        ("Could you stop by?", True),
        ("I am not interested", True),
        ("wrong number", True),
        ("This is spam", True),
        ("stop texting me " + "and another thing " * 20, True),
        ("Sounds good, see you at five", False),
        ("", False),
        ("x" * 10_000, False),
        ("nonstop", False),
    ],
)
def test_what_may_be_a_wish_to_stop_is_noticed(body: str, may: bool) -> None:
    assert may_mean_stop(body) is may


@pytest.mark.parametrize("body", ["a" * 100_000, "stop " * 20_000, "don't " * 20_000, "\0", "\ud83d", "\u202estop"])
def test_no_text_takes_long_or_breaks_the_reading(body: str) -> None:
    assert read_reply(body) is None
    assert read_wish(body) in (None, "stop")
    assert may_mean_stop(body) in (True, False)


def offers(*numbers: int) -> list[OpenOffer]:
    return [OpenOffer(owner_id=1, lead_id=n, offer_id=n, user_id=2, number=n) for n in numbers]


def test_a_word_alone_needs_exactly_one_open_offer() -> None:
    assert only_open(offers(3), has_unnumbered=False) == offers(3)[0]
    assert only_open(offers(3), has_unnumbered=True) is None
    assert only_open(offers(3, 4), has_unnumbered=False) is None
    assert only_open([], has_unnumbered=False) is None


def test_help_names_the_numbers_that_are_open() -> None:
    assert help_line([]) == "No lead is open for you at the moment."
    assert help_line(offers(7)) == "Reply 7 to claim the lead, 7N to pass."
    assert help_line(offers(8, 3)) == "Open: 3, 8. Reply a number to claim that lead, with N to pass: 3N."
    assert len(help_line(offers(*range(1, 100)))) < 160


@pytest.mark.parametrize(
    ("known", "line"),
    [
        (
            ("Mia Lund", "+13035550199", "mia@example.com", "12 Grape St."),
            "Yours: Mia Lund, 303-555-0199, mia@example.com, 12 Grape St.",
        ),
        (("Mia Lund", "(303) 555-0199", None, "12 Grape St"), "Yours: Mia Lund, 303-555-0199, 12 Grape St."),
        ((None, "+442079460000", None, None), "Yours: +442079460000."),
        ((None, None, None, None), "Yours."),
    ],
)
def test_the_winner_reads_who_the_person_is(known: tuple[str | None, ...], line: str) -> None:
    assert yours_line(*known) == line


def test_the_loser_reads_when_by_the_own_clock() -> None:
    at, denver = datetime(2026, 11, 14, 17, 3, tzinfo=UTC), ZoneInfo("America/Denver")
    assert claimed_line("Ben", at, at, denver) == "Ben claimed it at 10:03."
    assert claimed_line("Ben", at, datetime(2026, 11, 15, 6, 59, tzinfo=UTC), denver) == "Ben claimed it at 10:03."
    assert (
        claimed_line("Ben", at, datetime(2026, 11, 15, 7, 0, tzinfo=UTC), denver)
        == "Ben claimed it on Nov 14 at 10:03."
    )


@pytest.mark.parametrize(
    ("phone", "shown"), [("+13035550199", "303-555-0199"), ("+4930123456", "+4930123456"), (None, None), ("", "")]
)
def test_an_american_phone_is_written_as_people_write_it(phone: str | None, shown: str | None) -> None:
    assert dashed(phone) == shown
