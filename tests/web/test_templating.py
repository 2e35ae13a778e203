"""The templates show what Jinja's own environment would show, only sooner."""

from typing import Any

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import Environment, StrictUndefined, UndefinedError
from markupsafe import Markup, escape

from leadroutes.web.rendering import phone, tel
from leadroutes.web.templating import PageTemplates

OURS = PageTemplates()
JINJAS = Environment(autoescape=True, undefined=StrictUndefined)


class Person:
    name = "Mia <Lund>"

    def __html__(self) -> str:
        return "<b>Mia</b>"


VALUES = st.one_of(
    st.text("ab&<>'\" é\0", max_size=8), st.text(max_size=8).map(Markup), st.integers(), st.booleans(), st.none(),
    st.floats(allow_nan=False), st.lists(st.text("<&a", max_size=2), max_size=2), st.builds(Person),
)  # fmt: skip


SOURCES = ("{{ it }}", "{{ it ~ '<' }}", "{% macro m(a) %}<i>{{ a }}</i>{% endmacro %}{{ m(it) }}{{ m(m(it)) }}")


@given(VALUES)
def test_a_value_is_escaped_as_by_jinja(value: object) -> None:
    assert PageTemplates.shown(value) == escape(value)
    for source in SOURCES:
        assert OURS.from_string(source).render(it=value) == JINJAS.from_string(source).render(it=value)


RECORDS: list[Any] = [{"name": "<Mia>"}, {"items": 1, "get": 2, "name": {"name": 3}}, {}, Person(), "text", None, [1]]


@pytest.mark.parametrize("record", RECORDS)
@pytest.mark.parametrize("source", ["{{ it.name }}", "{{ it.items }}", "{{ it.get('name') }}", "{{ it.name.name }}"])
def test_a_record_is_read_as_by_jinja(record: object, source: str) -> None:
    assert _shown(OURS, source, record) == _shown(JINJAS, source, record)


def _shown(environment: Environment, source: str, record: object) -> str:
    try:
        return environment.from_string(source).render(it=record).split(" at 0x")[0]
    except UndefinedError as error:
        return str(error)


def test_most_values_of_a_page_take_the_short_way() -> None:
    """Should Jinja compile values otherwise one day, pages would be right, but slow."""
    assert "environment.shown(" in OURS.compile("{{ it }}", raw=True)


@given(st.from_regex(r"\+1[0-9]{10}|\+1[2-9][0-9]{2}[2-9][0-9]{6}|\+?[0-9]{1,15}", fullmatch=True))
def test_a_number_is_shown_as_by_the_library(number: str) -> None:
    for ours, form in ((phone, phonenumbers.PhoneNumberFormat.NATIONAL), (tel, phonenumbers.PhoneNumberFormat.E164)):
        if (said := _by_the_library(number, form)) is not None:
            assert ours(number) == said


def _by_the_library(text: str, form: int) -> str | None:
    """What the library says of a number of the United States and its neighbours; None for any other."""
    try:
        number = phonenumbers.parse(text, "US")
    except phonenumbers.NumberParseException:
        return None
    return phonenumbers.format_number(number, form) if number.country_code == 1 else None
