"""Charts: whatever the numbers are, they are SVG that can be read, fits, and has no style."""

import math
import re
from xml.etree import ElementTree as ET

import pytest
from markupsafe import Markup

from leadroutes.web.charts import Bar, Series, bars, heat_map, lines

NUMBERS = {
    "nothing": [],
    "one": [7],
    "zeros": [0, 0, 0],
    "gaps": [None, 3, None, 4, 5, None],
    "very large": [10**15, 1, 10**308],
    "none of them": [None, None],
    "no numbers": [math.inf, math.nan, 2],
    "negative": [-5, 5],
}


def read(chart: Markup) -> ET.Element:
    """The chart as XML; every length across is within it."""
    made = ET.fromstring(str(chart).replace("&nbsp;", " "))
    names = {name for each in made.iter() for name in each.attrib}
    assert "style" not in names
    lengths = " ".join(each.get(name, "") for each in made.iter() for name in ("width", "x", "y", "points", "height"))
    assert not re.search("nan|inf|e", lengths)
    for share in re.findall(r'(?:width|x|x1|x2|cx)="(-?[\d.]+)%"', chart):
        assert 0 <= float(share) <= 100
    return made


@pytest.mark.parametrize("name", NUMBERS)
def test_bars_of_any_numbers_can_be_drawn(name: str) -> None:
    made = read(bars("b", "Time", "How long", [Bar(f"row {n}", n, str(n), n, n, n) for n in NUMBERS[name]]))

    assert made.find("title").text == "Time"
    assert made.find("desc").text == "How long"
    assert made.get("role") == "img"
    assert len(made.findall("g")) == len(NUMBERS[name])


@pytest.mark.parametrize("name", NUMBERS)
def test_lines_of_any_numbers_can_be_drawn(name: str) -> None:
    values = NUMBERS[name]
    chart = lines(
        "l", "Time", "How long", [str(n) for n in range(len(values))], [Series("now", values)], lambda v: f"{v:.0f}"
    )

    made = read(chart)
    points = " ".join(each.get("points", "") for each in made.iter("polyline"))
    assert all(0 <= float(number) <= 100 for number in re.findall(r"-?[\d.]+", points))


@pytest.mark.parametrize("number", [0, 1, 10**15])
def test_a_week_of_any_numbers_can_be_drawn(number: int) -> None:
    week = [[0] * 24 for _ in range(7)]
    week[2][14] = number
    made = read(heat_map("h", "Load", "When", week, lambda n: f"{n:.0f} leads"))

    cells = list(made.iter("rect"))
    assert len(cells) == 168
    levels = [each.get("class") for each in cells]
    assert levels.count("level-0") == (168 if number == 0 else 167)
    assert levels[2 * 24 + 14] == ("level-0" if number == 0 else "level-5")
    assert cells[2 * 24 + 14].find("title").text == f"Wed 14:00, {number} leads"


def test_a_label_and_a_value_that_do_not_share_a_line_have_two() -> None:
    def places(label: str) -> list[str]:
        chart = bars("b", "Time", "How long", [Bar("Bob", 1, "1 min"), Bar(label, 2, "11 min, 9 of 10: 11 min")])
        return re.findall(r'<text (?:class="value" )?x="[\d%]+" y="(\d+)"', chart)

    assert places("Carol") == ["13", "13", "59", "59"]
    assert places("Gwendolyn Price-Abara") == ["13", "31", "77", "95"]
    assert "Llanfairpwllgwyngyllgogerychwyr…" in bars("b", "", "", [Bar("Llanfairpwllgwyngyllgogerychwyrndrobwll", 1)])


def test_the_longest_bar_fills_the_row_and_the_others_are_in_proportion() -> None:
    chart = bars("b", "Leads", "How many", [Bar("Bob", 50), Bar("Carol", 200)])
    assert re.findall(r'class="mark" x="0" y="\d+" width="([\d.]+)%"', chart) == ["25.00", "100.00"]


def test_a_gap_divides_a_line_and_a_single_value_is_a_dot() -> None:
    chart = lines("l", "Time", "How long", list("abcdef"), [Series("now", [1, 2, None, 3, None, 4])], str)
    assert chart.count("<polyline") == 1
    assert chart.count("<circle") == 2


def test_the_only_value_of_a_line_is_in_the_middle() -> None:
    assert 'cx="50.00%"' in lines("l", "Time", "How long", ["a"], [Series("now", [4])], str)


def test_names_are_text_and_long_ones_are_cut_where_they_are_drawn_only() -> None:
    name = "<script>alert(1)</script> & Sons Real Estate of Denver"
    chart = bars("b", name, name, [Bar(name, 1, name)])

    assert "<script" not in chart
    made = read(chart)
    assert made.find("title").text == name
    assert made.find("g/title").text == f"{name}: {name}"
    assert made.find("g/text").text.endswith("…")


def test_shades_grow_with_the_numbers() -> None:
    week = [list(range(24)) for _ in range(7)]
    levels = [int(each) for each in re.findall(r'class="level-(\d)"', heat_map("h", "a", "b", week, str))[:24]]
    assert levels == sorted(levels)
    assert set(levels) == {0, 1, 2, 3, 4, 5}
