"""Lead forms of Facebook and Google: standard fields, and questions that an advertiser asks on top.

Answers to questions go into the message; some tell the kind of lead or the price.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from leadroutes.domain.inquiry import LeadType
from leadroutes.domain.normalize import lead_type_named_by, words_of
from leadroutes.domain.places import Place
from leadroutes.domain.text import field_text, one_line
from leadroutes.intake.consents import given_consents
from leadroutes.intake.draft import Draft
from leadroutes.intake.flat import is_message_name

StandardField = Literal["full", "first", "last", "email", "phone", "street", "city", "state", "zipcode", "nothing"]

_TEST_VALUE = re.compile(r"\s*<test lead:", re.IGNORECASE)
_KIND_WORDS: Final = frozenset({"buy", "sell", "rent", "looking", "type", "interested", "role"})
_PRICE_WORDS: Final = frozenset({"budget", "price"})


@dataclass(frozen=True, slots=True)
class FormAnswer:
    """One field of a lead form: the key that standard fields are known by, the name that people read, the values."""

    key: str
    name: str
    values: tuple[str, ...]


def form_draft(answers: Sequence[FormAnswer], standard: dict[str, StandardField]) -> Draft:
    """Returns the draft that a lead form makes; `standard` says which keys (in order of precedence) are which part."""
    real = [_without_test_values(answer) for answer in answers]
    known: dict[str, str] = {}
    for answer in real:
        if answer.key in standard and (value := _first(answer, standard[answer.key])):
            known.setdefault(answer.key, value)
    parts: dict[StandardField, str] = {}
    for key, part in standard.items():
        if key in known:
            parts.setdefault(part, known[key])
    asked = [answer for answer in real if answer.key not in standard and answer.values]
    return Draft(
        first=parts.get("first"),
        last=parts.get("last"),
        full=parts.get("full"),
        email=parts.get("email"),
        phone=parts.get("phone"),
        type=_kind(asked),
        message="\n".join(_line(answer) for answer in asked),
        places=(Place(parts.get("street"), parts.get("city"), parts.get("state"), parts.get("zipcode")),),
        prices=[_with_blanks(answer) for answer in _asking(asked, _PRICE_WORDS)],
        consents=given_consents((answer.name, ", ".join(answer.values)) for answer in asked),
        test="true" if any(_TEST_VALUE.match(value) for answer in answers for value in answer.values) else None,
    )


def _without_test_values(answer: FormAnswer) -> FormAnswer:
    values = tuple(value for value in answer.values if not _TEST_VALUE.match(value) and one_line(value))
    return FormAnswer(answer.key, answer.name, values)


def _first(answer: FormAnswer, part: StandardField) -> str | None:
    says_something = one_line if part in {"first", "last", "full"} else field_text
    return next((value for value in answer.values if says_something(value)), None)


def _line(answer: FormAnswer) -> str:
    text = ", ".join(answer.values)
    return text if not answer.name or is_message_name(answer.name) else f"{answer.name}: {text}"


def _kind(asked: Sequence[FormAnswer]) -> LeadType | None:
    kinds = (lead_type_named_by(_with_blanks(answer)) for answer in _asking(asked, _KIND_WORDS))
    return next((kind for kind in kinds if kind), None)


def _asking(asked: Sequence[FormAnswer], words: frozenset[str]) -> list[FormAnswer]:
    return [answer for answer in asked if not is_message_name(answer.name) and words & set(words_of(answer.name))]


def _with_blanks(answer: FormAnswer) -> str:
    return ", ".join(answer.values).replace("_", " ")
