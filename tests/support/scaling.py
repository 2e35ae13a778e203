"""How the time of a reader or a pattern grows with its input: hostile texts, and a measure without a number of seconds.

The simplest quadratic pattern is timed first, on this machine, in this process; everything is compared with it.
"""

import ast
import gc
import importlib
import itertools
import math
import pkgutil
import re
import signal
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from re import _constants as code  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

import leadroutes
from leadroutes.store.embedded import bundled_programs

SMALL = 3_000  # characters
FACTOR = 4
GUARD = 500  # times the floor that a single call may take; the slowest of the package take about 50
ROUNDS = 5  # in which what seems to grow too fast is measured again, the short text beside the long one
DOUBT = 6  # times the time for FACTOR times the text: linear is 4, quadratic 16; beyond this a longer text decides
MOST = 9  # times the time that is certainly more than linear
DEFAULT = ("search", "fullmatch", "sub")  # of a pattern that other modules may use
SEARCHES = ("search", "match", "fullmatch", "sub", "findall", "finditer", "split")


class TooLongError(Exception):
    """One call took far longer than anything linear does."""


def seconds_of(call: Callable[[], object], times: int = 1, guard: float = 5) -> float:
    """The least CPU time of several calls in this thread, without the collector of garbage.

    Raises TooLongError beyond `guard` seconds, also inside a pattern.
    """

    def stop(*_: object) -> None:
        raise TooLongError

    before = signal.signal(signal.SIGVTALRM, stop)
    taken = []
    gc.disable()
    try:
        for _ in range(times):
            signal.setitimer(signal.ITIMER_VIRTUAL, guard)
            begun = time.thread_time()
            call()
            taken.append(time.thread_time() - begun)
    finally:
        gc.enable()
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
    return min(taken)


def is_linear(call: Callable[[Any], object], make: Callable[[int], Any], size: int, floor: float) -> bool:
    """Whether a text of FACTOR times the size takes about FACTOR times as long.

    A call that takes less than `floor` for `size` characters is not examined further: nothing quadratic is so fast.
    """
    for _ in range(2):  # a machine that stops for seconds in the midst of a call is not a fault of the reader
        try:
            growth = _growth(call, make, size, floor)
            if growth >= DOUBT:  # of more text what is quadratic is more, and new memory for the longer one is not
                growth = _growth(call, make, size * FACTOR, floor)
        except TooLongError:
            continue
        return growth < MOST
    return False


def _growth(call: Callable[[Any], object], make: Callable[[int], Any], size: int, floor: float) -> float:
    """How many times as long a text of FACTOR times the size takes; 0 where the short one takes less than `floor`.

    Noise only adds to a time, so the least of several counts, for both texts; they are measured in turn, because
    a machine may become slower or faster for a while.
    """
    short_text, long_text = make(size), make(size * FACTOR)
    guard = GUARD * floor
    short = seconds_of(lambda: call(short_text), 1, guard)
    if short < floor:
        return 0
    short = min(short, seconds_of(lambda: call(short_text), 1, guard))  # the first call also had to get its memory
    long = math.inf
    for _ in range(ROUNDS):
        short = min(short, seconds_of(lambda: call(short_text), 1, guard))
        long = min(long, seconds_of(lambda: call(long_text), 1, guard))
        if long < DOUBT * short:
            break
    return long / short


def fastest_quadratic(size: int) -> float:
    """CPU seconds of a pattern that starts again at every character, which C does as fast as it can."""
    pattern, text = re.compile("a+b"), "a" * size
    return seconds_of(lambda: pattern.search(text), times=10)


# ------------------------------------------------------------------------------------------------------- patterns


@dataclass(frozen=True)
class Used:
    """A pattern, where it is, and by which methods it is searched with."""

    place: str
    pattern: re.Pattern[Any]
    methods: tuple[str, ...]


def modules() -> list[Any]:
    """All of the package."""
    bundled_programs()  # so that the wheel's PostgreSQL is imported without its warning
    names = [each.name for each in pkgutil.walk_packages(leadroutes.__path__, "leadroutes.")]
    return [importlib.import_module(name) for name in names if not name.endswith("__main__")]


def _tree(module: Any) -> ast.Module:
    return ast.parse(Path(module.__file__).read_text(encoding="utf-8"))


def patterns() -> list[Used]:
    """Every compiled pattern of the package and every literal one that a function compiles as it runs."""
    found = {}
    trees = {module.__name__: _tree(module) for module in modules()}
    methods = _methods(trees)
    for module in modules():
        for name, pattern in _reachable(vars(module)):
            called = tuple(sorted(methods.get((module.__name__, name), ()))) or DEFAULT
            found.setdefault(id(pattern), Used(f"{module.__name__}.{name}", pattern, called))
    for name, tree in trees.items():
        for line, method, pattern in _literals(tree):
            found[name, line, method] = Used(f"{name}:{line}", pattern, (method,))
    return list(found.values())


def _reachable(values: dict[str, Any]) -> Iterator[tuple[str, re.Pattern[Any]]]:
    for name, value in values.items():
        for inner in _inside(value, set()):
            yield name, inner


def _inside(value: Any, seen: set[int]) -> Iterator[re.Pattern[Any]]:
    """In a collection, a class or an object of the package, however deep."""
    if isinstance(value, re.Pattern):
        yield value
    if isinstance(value, re.Pattern | str | bytes | int) or id(value) in seen:
        return
    seen.add(id(value))
    inner: Any = ()
    if isinstance(value, dict):
        inner = itertools.chain(value, value.values())
    elif isinstance(value, tuple | list | set | frozenset):
        inner = value
    elif getattr(value if isinstance(value, type) else type(value), "__module__", "").startswith("leadroutes"):
        slots = getattr(type(value), "__slots__", ())
        inner = [*getattr(value, "__dict__", {}).values(), *(getattr(value, name, None) for name in slots)]
    for each in inner:
        yield from _inside(each, seen)


def _methods(trees: dict[str, ast.Module]) -> dict[tuple[str, str], set[str]]:
    """By the module and name of a private pattern: the methods that are called on it or taken from it."""
    found: dict[tuple[str, str], set[str]] = {}
    for module, tree in trees.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and node.attr in SEARCHES:
                match node.value:
                    case ast.Name(id=name) | ast.Attribute(attr=name) if name.startswith("_"):
                        found.setdefault((module, name), set()).add(node.attr)
    return found


def _literals(tree: ast.AST) -> Iterator[tuple[int, str, re.Pattern[Any]]]:
    """Of calls like re.sub("…", …): line, method, pattern."""
    for node in _calls_of_re(tree):
        if node.func.attr != "compile" and isinstance(node.args[0], ast.Constant):
            flags = {
                inner.attr
                for each in (*node.args[1:], *(given.value for given in node.keywords))
                for inner in ast.walk(each)
                if isinstance(inner, ast.Attribute) and inner.attr.isupper()
            }
            yield node.lineno, node.func.attr, re.compile(node.args[0].value, sum(int(getattr(re, f)) for f in flags))


def _calls_of_re(tree: ast.AST) -> Iterator[Any]:
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id="re"), attr=name)) if name != "escape":
                yield node


def unknown_patterns() -> list[str]:
    """Where a function compiles or uses a pattern that is not written there: `module:line`."""
    found = []
    for module in modules():
        tree = _tree(module)
        inside = {inner for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
                  for inner in ast.walk(node)}  # fmt: skip
        for node in _calls_of_re(tree):
            is_literal = isinstance(node.args[0], ast.Constant)
            if node in inside and (node.func.attr == "compile" or not is_literal):
                found.append(f"{module.__name__}: {ast.unparse(node.args[0])}")
    return found


# --------------------------------------------------------------------------------------------------- hostile texts

OTHERS = " \n-a0.@/"
LONGEST_PREFIX = 40


def texts_for(pattern: re.Pattern[Any]) -> list[tuple[str, str, str]]:
    """(start, unit, end) of texts that are made to keep this pattern busy: of its own alphabet, and nearly matching."""
    tree = parser.parse(pattern.pattern, pattern.flags & ~re.DEBUG)
    alphabet = list(dict.fromkeys([*_alphabet(tree), *OTHERS]))[:24]
    found = {("", each, end): None for each in alphabet for end in ("", "\x01")}
    pairs = itertools.permutations(alphabet[:9], 2)
    found |= {("", first + second, "\x01"): None for first, second in pairs}
    for start, units in _repeats(list(tree), ""):
        for unit in dict.fromkeys([*units, *alphabet[:6]]):
            for end in ("\x01", "", *(units[:1] and units[-1:])):
                found[start[-LONGEST_PREFIX:], unit, end] = None
        found |= {("", start[-LONGEST_PREFIX:] + each, ""): None for each in alphabet[:4] if start}
    return list(found)


def _alphabet(tree: Any) -> Iterator[str]:
    """A character for each that the pattern names, and one for each class."""
    for operation, argument in tree:
        match operation:
            case code.LITERAL | code.NOT_LITERAL:
                yield chr(argument)
            case code.IN:
                yield from _members(argument)
            case code.BRANCH:
                for each in argument[1]:
                    yield from _alphabet(each)
            case code.SUBPATTERN:
                yield from _alphabet(argument[3])
            case code.MAX_REPEAT | code.MIN_REPEAT | code.POSSESSIVE_REPEAT:
                yield from _alphabet(argument[2])
            case code.ASSERT | code.ASSERT_NOT:
                yield from _alphabet(argument[1])
            case code.ATOMIC_GROUP:
                yield from _alphabet(argument)


CATEGORIES = {
    code.CATEGORY_DIGIT: "0", code.CATEGORY_SPACE: " ", code.CATEGORY_WORD: "a",
    code.CATEGORY_NOT_DIGIT: "a", code.CATEGORY_NOT_SPACE: "a", code.CATEGORY_NOT_WORD: "-",
}  # fmt: skip


def _members(argument: Any) -> Iterator[str]:
    if argument[0][0] is code.NEGATE:
        excluded = set(_members(argument[1:]))
        yield next(each for each in "a -0.x" if each not in excluded)
        yield from excluded
        return
    for operation, value in argument:
        match operation:
            case code.LITERAL:
                yield chr(value)
            case code.RANGE:
                yield chr(value[0])
            case code.CATEGORY:
                yield CATEGORIES[value]


def _repeats(nodes: list[Any], before: str) -> Iterator[tuple[str, list[str]]]:
    """Each repetition without end: a text that leads to it, and texts that it takes once."""
    for operation, argument in nodes:
        match operation:
            case code.MAX_REPEAT | code.MIN_REPEAT | code.POSSESSIVE_REPEAT:
                least, most, inner = argument
                if most is code.MAXREPEAT or most > 1_000:
                    yield before, [*_alphabet(inner), _example(inner)]
                yield from _repeats(list(inner), before)
                before += _example(inner) * max(least, most is code.MAXREPEAT)
                continue
            case code.SUBPATTERN:
                yield from _repeats(list(argument[3]), before)
            case code.ATOMIC_GROUP:
                yield from _repeats(list(argument), before)
            case code.BRANCH:
                for each in argument[1]:
                    yield from _repeats(list(each), before)
        before += _example([(operation, argument)])


def _example(nodes: Any) -> str:
    """A short text that matches, as far as can be known without looking back."""
    text = ""
    for operation, argument in nodes:
        match operation:
            case code.LITERAL:
                text += chr(argument)
            case code.NOT_LITERAL:
                text += "a" if chr(argument) != "a" else "b"
            case code.ANY:
                text += "a"
            case code.IN:
                text += next(_members(argument), "")
            case code.BRANCH:
                text += _example(argument[1][0])
            case code.SUBPATTERN:
                text += _example(argument[3])
            case code.ATOMIC_GROUP:
                text += _example(argument)
            case code.MAX_REPEAT | code.MIN_REPEAT | code.POSSESSIVE_REPEAT:
                text += _example(argument[2]) * max(argument[0], 1 if argument[1] is code.MAXREPEAT else 0)
    return text


def text_of(start: str, unit: str, end: str, size: int) -> str:
    return start + unit * (size // len(unit)) + end


def slow_texts(used: Used, floor: float, size: int = SMALL) -> Iterator[str]:
    """The texts that this pattern takes more than linear time for, at most one for each method."""
    is_bytes = isinstance(used.pattern.pattern, bytes)
    for method in used.methods:
        for start, unit, end in texts_for(used.pattern):
            if not unit:
                continue

            def make(length: int, parts: tuple[str, str, str] = (start, unit, end)) -> Any:
                text = text_of(*parts, length)
                return text.encode("latin-1", "replace") if is_bytes else text

            if not is_linear(_searching(used.pattern, method), make, size, floor):
                yield f"{used.place} .{method}: {start!r} + {unit!r} * n + {end!r}"
                break


def _searching(pattern: re.Pattern[Any], method: str) -> Callable[[Any], object]:
    if method == "sub":
        return lambda text: pattern.sub(text[:0], text)
    if method == "finditer":
        return lambda text: deque(pattern.finditer(text), maxlen=0)
    return getattr(pattern, method)  # type: ignore[no-any-return]
