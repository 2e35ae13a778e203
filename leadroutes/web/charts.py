"""Charts as SVG, made of numbers alone: bars, lines, and the heat map of a week. Pure.

Lengths across are percentages, so that a chart fits a phone and a desk with letters of the same size. There is no
style in them, only classes and attributes, as the pages allow no other.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import isfinite

from markupsafe import Markup

Number = float | int | None
Words = Callable[[float], str]

WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
HOURS = 24
LEVELS = 5  # shades of a heat map beside "none"

ROW = 46  # height of a bar with its label
LINE = 18  # height of one more line of words
LETTERS = 32  # that a line has on the narrowest phone
PLOT_TOP, PLOT_HEIGHT = 34, 136
CELL, CELLS_LEFT = 24, 11.0


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar. `words` are its value as it is read; `far`: a second, paler value behind it; `target`: a mark on it."""

    label: str
    value: Number
    words: str = ""
    before: Number = None
    far: Number = None
    target: Number = None


@dataclass(frozen=True, slots=True)
class Series:
    """One line; a missing value is a gap. `kind`: "", "second" or "before"."""

    label: str
    values: Sequence[Number]
    kind: str = ""


def bars(name: str, title: str, about: str, each: Sequence[Bar]) -> Markup:
    """Returns horizontal bars below one another. `name` makes ids that no other chart of the page has."""
    numbers = [_known(number) for bar in each for number in (bar.value, bar.before, bar.far, bar.target)]
    most = max((number for number in numbers if number is not None), default=0.0)
    more = LINE if any(len(bar.label) + len(bar.words) >= LETTERS for bar in each) else 0
    rows = (_bar(bar, number * (ROW + more), more, most) for number, bar in enumerate(each))
    return _chart(name, title, about, max(len(each), 1) * (ROW + more), rows if each else iter((_nothing(24),)))


def _bar(bar: Bar, top: int, more: int, most: float) -> Markup:
    """With its label and its value in one line, or in two of which the second is `more` below the first."""
    label = bar.label if len(bar.label) <= LETTERS else bar.label[: LETTERS - 1] + "…"
    first, top = top + 13, top + more
    pieces = [
        Markup("<title>{}: {}</title>").format(bar.label, bar.words or "nothing"),
        Markup('<text x="0" y="{}">{}</text>').format(first, label),
        Markup('<text class="value" x="{}" y="{}" text-anchor="{}">{}</text>').format(
            *(("0", top + 13, "start") if more else ("100%", top + 13, "end")), bar.words or "–"
        ),
        Markup('<rect class="track" x="0" y="{}" width="100%" height="10" rx="3"/>').format(top + 20),
    ]
    for kind, value, y, height in (("far", bar.far, 20, 10), ("", bar.value, 20, 10), ("before", bar.before, 33, 5)):
        known = _known(value)
        if known:
            pieces.append(
                Markup('<rect class="{}" x="0" y="{}" width="{}" height="{}" rx="2"/>').format(
                    f"mark {kind}".strip(), top + y, _percent(known, most), height
                )
            )
    target = _known(bar.target)
    if target is not None:
        at = _percent(target, most)
        pieces.append(
            Markup('<line class="target" x1="{}" x2="{}" y1="{}" y2="{}"/>').format(at, at, top + 16, top + 34)
        )
    return Markup("<g>{}</g>").format(Markup("").join(pieces))


def lines(name: str, title: str, about: str, labels: Sequence[str], each: Sequence[Series], words: Words) -> Markup:
    """Returns lines over the same places; `labels` name the places, `words` says a number of the scale."""
    known = [number for line in each for value in line.values if (number := _known(value)) is not None]
    most = max(known, default=0.0)
    height = PLOT_TOP + PLOT_HEIGHT + 24
    if not labels or not known:
        return _chart(name, title, about, 48, iter((_nothing(28),)))
    return _chart(name, title, about, height, _plot(labels, each, most, words))


def _plot(labels: Sequence[str], each: Sequence[Series], most: float, words: Words) -> Iterator[Markup]:
    bottom = PLOT_TOP + PLOT_HEIGHT
    for number, line in enumerate(each):
        x = f"{100 * number / len(each):.2f}%"
        yield Markup(
            '<svg x="{}" y="0" width="20" height="20"><line class="{}" x1="0" x2="16" y1="9" y2="9"/></svg>'
        ).format(x, f"line {line.kind}".strip())
        yield Markup('<svg x="{}" y="0" overflow="visible"><text x="22" y="13">{}</text></svg>').format(x, line.label)
    for part in (0, 0.5, 1) if most else (0,):
        y = bottom - PLOT_HEIGHT * part
        yield Markup('<line class="axis" x1="0" x2="100%" y1="{}" y2="{}"/>').format(_short(y), _short(y))
        yield Markup('<text x="0" y="{}">{}</text>').format(_short(y - 3), words(most * part))
    for line in sorted(each, key=lambda one: one.kind != "before"):
        yield from _line(line, len(labels), most)
    places = sorted({0, (len(labels) - 1) // 2, len(labels) - 1})
    for number, place in enumerate(places):
        anchor = "start" if number == 0 else "end" if number == len(places) - 1 else "middle"
        yield Markup('<text x="{}" y="{}" text-anchor="{}">{}</text>').format(
            _across(place, len(labels)), bottom + 18, anchor, labels[place]
        )


def _line(line: Series, places: int, most: float) -> Iterator[Markup]:
    """A path for each stretch without a gap; a value between two gaps is a dot."""
    kind = f"line {line.kind}".strip()
    paths = []
    for stretch in _stretches(line.values):
        if len(stretch) == 1:
            place, value = stretch[0]
            yield Markup('<circle class="{}" cx="{}" cy="{}" r="3"/>').format(
                f"dot {line.kind}".strip(),
                _across(place, places),
                _short(PLOT_TOP + PLOT_HEIGHT * (1 - _part(value, most))),
            )
        else:
            points = (
                f"{100 * place / (places - 1):.2f},{100 * (1 - _part(value, most)):.2f}" for place, value in stretch
            )
            paths.append(Markup('<polyline class="{}" points="{}"/>').format(kind, " ".join(points)))
    if paths:
        yield Markup(
            '<svg x="0" y="{}" width="100%" height="{}" viewBox="0 0 100 100" preserveAspectRatio="none"'
            ' overflow="visible">{}</svg>'
        ).format(PLOT_TOP, PLOT_HEIGHT, Markup("").join(paths))


def _stretches(values: Sequence[Number]) -> list[list[tuple[int, float]]]:
    found: list[list[tuple[int, float]]] = [[]]
    for place, value in enumerate(values):
        number = _known(value)
        if number is None:
            found.append([])
        else:
            found[-1].append((place, number))
    return [stretch for stretch in found if stretch]


def heat_map(name: str, title: str, about: str, week: Sequence[Sequence[int]], words: Words) -> Markup:
    """Returns the hours of a week as shades: seven rows, Monday first, of 24 numbers each."""
    most = max((number for day in week for number in day), default=0)
    return _chart(name, title, about, len(WEEKDAYS) * CELL + 22, _cells(week, most, words))


def _cells(week: Sequence[Sequence[int]], most: int, words: Words) -> Iterator[Markup]:
    width = (100 - CELLS_LEFT) / HOURS
    for row, (weekday, day) in enumerate(zip(WEEKDAYS, week, strict=True)):
        yield Markup('<text x="0" y="{}">{}</text>').format(row * CELL + 16, weekday)
        for hour, number in enumerate(day):
            yield Markup(
                '<rect class="level-{}" x="{:.2f}%" y="{}" width="{:.2f}%" height="{}" rx="2"><title>{}</title></rect>'
            ).format(
                _level(number, most), CELLS_LEFT + hour * width, row * CELL, width * 0.92, CELL - 2,
                f"{weekday} {hour}:00, {words(number)}",
            )  # fmt: skip
    for hour in range(0, HOURS, 6):
        yield Markup('<text x="{:.2f}%" y="{}">{}:00</text>').format(
            CELLS_LEFT + hour * width, len(WEEKDAYS) * CELL + 14, hour
        )


def _level(number: int, most: int) -> int:
    """Returns 0 for nothing, else 1 to LEVELS."""
    return 0 if number <= 0 or most <= 0 else min(LEVELS, 1 + (number * LEVELS - 1) // most)


# ------------------------------------------------------------------------------------------------------- all of them


def _chart(name: str, title: str, about: str, height: int, pieces: Iterator[Markup]) -> Markup:
    return Markup(
        '<svg class="chart" role="img" aria-labelledby="{0}-title {0}-about" width="100%" height="{1}">'
        '<title id="{0}-title">{2}</title><desc id="{0}-about">{3}</desc>{4}</svg>'
    ).format(name, height, title, about, Markup("").join(pieces))


def _nothing(y: int) -> Markup:
    return Markup('<text x="0" y="{}">Nothing to show in this period</text>').format(y)


def _known(value: Number) -> float | None:
    """Returns a number that can be drawn; None for a missing one."""
    return max(float(value), 0.0) if value is not None and isfinite(value) else None


def _part(value: float, most: float) -> float:
    return value / most if most > 0 else 0.0


def _percent(value: float, most: float) -> str:
    return f"{max(100 * _part(value, most), 0.5 if value else 0):.2f}%"


def _across(place: int, places: int) -> str:
    return f"{100 * place / (places - 1):.2f}%" if places > 1 else "50.00%"


def _short(number: float) -> str:
    return f"{number:.1f}".removesuffix(".0")
