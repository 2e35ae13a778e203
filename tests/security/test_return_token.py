"""The addresses to which mail comes back: short, in any letter case, and made by this installation alone."""

import re

import pytest

from leadroutes.security.return_token import ReturnAddress, read_return_address

SECRET = "the secret of the tests"
ADDRESSES = [
    ReturnAddress("bounce", 1, 1),
    ReturnAddress("reply", 1, 1),
    ReturnAddress("bounce", 127, 128),
    ReturnAddress("reply", 16_383, 16_384),
    ReturnAddress("bounce", 2**31, 2**40),
    ReturnAddress("reply", 2**49 - 1, 2**49 - 1),
]


@pytest.mark.parametrize("address", ADDRESSES, ids=str)
def test_what_an_address_names_is_read_again(address: ReturnAddress) -> None:
    local_part = address.local_part(SECRET)
    assert read_return_address(SECRET, local_part) == address
    assert read_return_address(SECRET, local_part.upper()) == address
    assert re.fullmatch(r"(bounce|reply)\+[a-z2-7]{16,40}", local_part)
    assert local_part == address.local_part(SECRET)


def test_an_address_counts_for_its_purpose_and_this_installation_alone() -> None:
    bounce, reply = (ReturnAddress(purpose, 1, 7).local_part(SECRET) for purpose in ("bounce", "reply"))
    assert bounce.partition("+")[2] != reply.partition("+")[2]
    assert read_return_address(SECRET, f"reply+{bounce.partition('+')[2]}") is None
    assert read_return_address("another secret", bounce) is None


@pytest.mark.parametrize("address", ADDRESSES, ids=str)
def test_an_address_with_another_letter_is_not_ours(address: ReturnAddress) -> None:
    local_part = address.local_part(SECRET)
    begin = local_part.index("+") + 1
    for position in range(begin, len(local_part)):
        other = "a" if local_part[position] != "a" else "b"
        assert read_return_address(SECRET, local_part[:position] + other + local_part[position + 1 :]) is None
    assert read_return_address(SECRET, local_part[:-1]) is None
    assert read_return_address(SECRET, f"{local_part}a") is None


@pytest.mark.parametrize(
    "local_part",
    [
        "",
        "bounce",
        "bounce+",
        "bounce+a",
        *(f"bounce+{letter * length}" for letter in "a7" for length in (16, 17, 40, 41)),
        *(f"reply+{letter * 20}" for letter in ("1", "\u00e9", "\u017f", "\u212a", " ")),
        "other+" + "a" * 20,
        "bounce " + "a" * 20,
        "bounce+aaaaaaaaaaaaaaaaaaaa\n",
    ],
)
def test_what_is_not_an_address_of_ours(local_part: str) -> None:
    assert read_return_address(SECRET, local_part) is None


def test_numbers_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="do not fit"):
        ReturnAddress("bounce", 2**62, 2**62).local_part(SECRET)
