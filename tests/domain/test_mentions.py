"""How addresses are found in what others wrote, as a table."""

import re

import pytest

from leadroutes.domain.mentions import mention_pattern

MIA = [("email", "mia+leads@lund.example"), ("phone", "+13035550101"), ("phone", "+442079460018")]


@pytest.mark.parametrize(
    "text",
    [
        "write to mia+leads@lund.example, please",
        "email=mia%2bleads%40lund.example&x=1",
        "3035550101",
        "+1 (303) 555-0101",
        "13035550101.",
        "303 - 555 - 0101",
        "phone=%28303%29+555-0101",
        "phone=%2b13035550101",
        "phone=303%20555%200101&x=1",
        "+44 20 7946 0018",
    ],
)
def test_what_names_a_person(text: str) -> None:
    assert re.search(mention_pattern(MIA) or "", text)


@pytest.mark.parametrize(
    "text",
    [
        "mia@lund.example",
        "mia+leads@lundxexample",
        "23035550101",
        "30355501012",
        "303 555 01 - and then - 01",
        "2079460018",
        "",
    ],
)
def test_what_names_no_one(text: str) -> None:
    assert not re.search(mention_pattern(MIA) or "", text)


def test_who_has_no_address_cannot_be_found() -> None:
    assert mention_pattern([]) is None
