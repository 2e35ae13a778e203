"""Users' templates: what they may use, what they may not, and that none of them can grow or take long."""

import time
from datetime import UTC, datetime

import pytest

from leadroutes.sandbox.tasks.liquid import Unrenderable, breaks_lines, check_template, is_markup, render

MIA = {"first_name": "Mia", "contact": {"first_name": "Mia"}, "now": datetime(2026, 11, 24, tzinfo=UTC)}


@pytest.mark.parametrize(
    ("template", "words"),
    [
        ("Hi {{first_name}}, hi {{ contact.first_name | upcase }}", "Hi Mia, hi MIA"),
        ("[{{ unknown }}{{ unknown.at.all }}]", "[]"),
        ("{{ unknown | default: 'friend' }}", "friend"),
        ("{% if first_name == 'Mia' %}yes{% else %}no{% endif %}", "yes"),
        ("{% for i in (1..3) %}{{ i }}{% endfor %}", "123"),
        ("{% raw %}{{ first_name }}{% endraw %}", "{{ first_name }}"),
        ("{{ 'now' | date: '%Y-%m-%d' }}", "2026-11-24"),
        ("{{ contact.keys }}{{ contact.__class__ }}{{ first_name.upper }}", ""),
        ("no placeholders at all: 5 < 6", "no placeholders at all: 5 < 6"),
    ],
)
def test_a_template_is_filled_in(template: str, words: str) -> None:
    assert check_template(template) is None
    assert render(template, MIA) == words


NAMELESS = {
    "first_name": None, "last_name": "", "street_address": None, "city": None, "state": "CO", "zipcode": None,
    "contact": {"first_name": None}, "property": {"street_address": "", "city": "Denver"}, "gap": " ",
}  # fmt: skip


@pytest.mark.parametrize(
    ("template", "words"),
    [
        ("Hi {{first_name}},", "Hi,"),
        ("Hi  {{ contact.first_name }}!", "Hi!"),
        ("Dear {{first_name}} {{last_name}}, hello", "Dear, hello"),
        ("Hi {% echo first_name %},", "Hi,"),
        ("Hi {{ first_name | upcase }},", "Hi,"),
        ("Hi {{ first_name | default: 'there' }},", "Hi there,"),
        ("Hi {{ unknown.at.all }},", "Hi,"),
        ("{% capture hi %}Hi {{first_name}}{% endcapture %}[{{ hi }}]", "[Hi]"),
        ("Hi {{first_name}}you {{first_name}}{{state}}", "Hi you CO"),
        ("{{first_name}}, are you still looking?", "Are you still looking?"),
        ("Hello.\n{{first_name}}, are you?", "Hello.\nAre you?"),
        ("So, {{first_name}}, are you?", "So, are you?"),
        ("a{{gap}}b {{ '' }}c", "a b c"),
        ("Thank you for asking about {{street_address}}.", "Thank you for asking about the property."),
        ("{{ property.street_address }} is yours. {{ street_address }}!", "The property is yours. The property!"),
        ("About {{ property.street_address }} in {{ property.city }}", "About the property in Denver"),
        ("Homes in {{city}}, {{zipcode}}?", "Homes in the area?"),
        ("{{street_address}}, {{city}}, {{state}} {{zipcode}}", "The property, CO"),
        ("{% if street_address %}yes{% else %}no{% endif %}", "no"),
        ("{{ street_address | default: 'your search' }}", "your search"),
    ],
)
def test_what_is_not_known_leaves_no_gap(template: str, words: str) -> None:
    assert check_template(template) is None
    assert render(template, NAMELESS) == words


@pytest.mark.parametrize(
    ("template", "words"),
    [
        ("<p>Hi {{first_name}},</p>", "<p>Hi,</p>"),
        ("<p>Hi <b>{{first_name}}</b>,</p>", "<p>Hi<b></b>,</p>"),
        ("<p>Hi&nbsp;{{first_name}},</p>", "<p>Hi,</p>"),
        ("<p>{{first_name}}, are you?</p>", "<p>Are you?</p>"),
        ("<p>About <i>{{street_address}}</i>.</p>", "<p>About <i>the property</i>.</p>"),
    ],
)
def test_what_is_not_known_leaves_no_gap_in_markup(template: str, words: str) -> None:
    assert render(template, NAMELESS, markup=True) == words


def test_many_unknown_values_count_as_little_as_none() -> None:
    """What is written again because of them is not counted towards the size of what may be written."""
    words = render("{% for i in (1..200) %}" + "word {{first_name}} " * 100 + "{% endfor %}", NAMELESS)
    assert words == "word " * 200 * 100


def test_values_are_escaped_in_markup_and_the_markup_stays() -> None:
    evil = {"first_name": "<script>&"}

    assert render("<p>{{ first_name }}</p>", evil, markup=True) == "<p>&lt;script&gt;&amp;</p>"
    assert render("<p>{{ first_name | newline_to_br }}</p>", evil, markup=True) == "<p>&lt;script&gt;&amp;</p>"
    assert render("{{ '<b>' | append: first_name }}", evil, markup=True) == "<b>&lt;script&gt;&amp;"
    assert render("{{ first_name }}", evil) == "<script>&"


@pytest.mark.parametrize(
    ("body", "markup"),
    [("<p>Hello</p>", True), ("Hello<br>there", True), ("<!DOCTYPE html>", True), ("5 < 6 and <3", False), ("", False)],
)
def test_a_body_that_is_markup_is_distinguished_from_text(body: str, *, markup: bool) -> None:
    assert is_markup(body) is markup


@pytest.mark.parametrize(
    ("body", "breaks"),
    [("<p>Hello</p>", True), ("Hello<br>there", True), ("Hello\n<b>there</b>", False), ("<a\nhref='x'>y</a>\n", False)],
)
def test_a_body_that_is_only_bold_here_and_there_keeps_its_lines(body: str, *, breaks: bool) -> None:
    assert breaks_lines(body) is breaks


@pytest.mark.parametrize(
    ("template", "fault"),
    [
        ("{{ first_name", "expected '}}'"),
        ("one\n{% if %}", "line 2"),
        ("{% include 'x' %}", "unexpected tag 'include'"),
        ("{% render '/etc/passwd' %}", "unexpected tag 'render'"),
        ("{% nonsense %}", "unexpected tag 'nonsense'"),
        ("{{ a | safe }}", "unknown filter: safe"),
        ("{{ a | base64_decode }}", "unknown filter: base64_decode"),
        ("x" * 200_001, "200000 are the limit"),
        ("{{ a" + "[a" * 3000 + "]" * 3000 + "}}", "nested too deeply"),
        ("{% if a %}" * 100 + "{% endif %}" * 100, "nesting limit"),
    ],
)
def test_a_template_that_cannot_be_used_is_explained_to_its_author(template: str, fault: str) -> None:
    sentence = check_template(template)

    assert sentence is not None
    assert fault in sentence
    with pytest.raises(Unrenderable):
        render(template, MIA)


@pytest.mark.parametrize(
    "template",
    [
        "{% for i in (1..100000000) %}x{% endfor %}",
        "{% for i in (1..50) %}{% for j in (1..50) %}x{% endfor %}{% endfor %}",
        "{% for i in (1..200) %}x{% endfor %}" * 5000,
        "{% capture a %}{{a}}{{a}}x{% endcapture %}" * 60,
        "{{ 'aa'" + " | replace: 'a', 'aaaa'" * 20 + " }}",
        "{{ 'aaaaaaaaaa'" + " | split: '' | join: 'bbbbbbbbbb'" * 8 + " }}",
        "{% assign x = 'xxxxxxxxxx' %}" + "{% assign x = x | append: x %}" * 40 + "{{ x }}",
        "{% assign x = 999999 %}" + "{% assign x = x | times: x %}" * 40 + "{{ x }}",
        "{{ (1..100000000) | join }}",
        "{{ 5 | divided_by: 0 }}",
        "{{ '9999999999999999999999' | date: '%Y' }}",
    ],
    ids=range(11),
)
def test_what_would_grow_without_end_is_stopped_at_once(template: str) -> None:
    began = time.process_time()

    with pytest.raises(Unrenderable):
        render(template, MIA)

    assert time.process_time() - began < 5


@pytest.mark.parametrize(
    "template",
    [
        "{{" * 50_000,
        "}}" + "{{" * 50_000,
        "{%" * 50_000,
        "{{" + " " * 100_000 + "}}",
        "{% " + " " * 100_000 + "%}",
        ("{{" + " " * 99 + "}}") * 1900,
        "{% raw %}" * 20_000,
        "{% if " + "a and " * 30_000 + "a %}x{% endif %}",
    ],
    ids=range(8),
)
def test_what_would_keep_the_lexer_busy_is_refused_at_once(template: str) -> None:
    """Some of these took the lexer's regular expressions minutes."""
    began = time.process_time()

    assert check_template(template) is not None
    assert time.process_time() - began < 5


RANGES = (
    "{% for a in R reversed %}x{% endfor %}",
    "{% assign x = R %}{% for a in x reversed %}x{% endfor %}",
    "{% if R contains 'x' %}y{% endif %}",
    "{% unless R contains 'x' %}y{% endunless %}",
    "{% if a %}{% elsif R contains 'x' %}y{% endif %}",
    "{% if 1 == 2 or R contains 'x' %}y{% endif %}",
    "{% case R %}{% when 1 %}x{% endcase %}",
    "{% case 5 %}{% when R %}x{% endcase %}",
    "{% cycle R, 2 %}",
    "{{ R }}",
    "{{ 'x' | append: R }}",
    "{% echo R | join %}",
    "{% liquid assign x = R %}",
    "{% ifchanged %}{{ R }}{% endifchanged %}",
    "{% for a in (1..3) %}{% capture z %}{{ R | first }}{% endcapture %}{% endfor %}",
    "{% for a in (R..3) %}{% endfor %}",
)


@pytest.mark.parametrize("template", RANGES)
def test_a_range_is_never_long_wherever_it_is(template: str) -> None:
    """Some of what is done with one makes a list of all of it."""
    assert "a range is longer than" in (check_template(template.replace("R", "(1..10001)")) or "")
    with pytest.raises(Unrenderable, match="a range is longer than"):
        render(template.replace("R", "(1..n)"), {"n": 10**9})


def test_a_range_that_a_template_may_need_is_counted_backwards_too() -> None:
    assert render("{% for a in (1..5) reversed %}{{ a }}{% endfor %}", {}) == "54321"
    assert render("{% for a in (1..10000) limit: 3 %}{{ a }}{% endfor %}", {}) == "123"
