"""Users' templates: Liquid in a sandbox, with limits on everything that a template could make large or slow.

It reads no file, no database and no clock; unknown variables are empty, and what is empty leaves no gap in the words.
"""

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from functools import lru_cache, wraps
from io import StringIO
from typing import Any, TextIO

from liquid import BoundTemplate, Environment, RenderContext, Undefined
from liquid.builtin.content import ContentNode, Literal
from liquid.builtin.expressions import FilteredExpression, Path
from liquid.builtin.expressions.primitive import IntegerLiteral, RangeLiteral
from liquid.builtin.output import Output, OutputNode
from liquid.builtin.tags.echo_tag import EchoNode, EchoTag
from liquid.exceptions import FilterArgumentError, LiquidError, ResourceLimitError
from liquid.expression import Expression
from liquid.filter import with_context
from liquid.output import LimitedStringIO
from liquid.stringify import to_liquid_string

from leadroutes.cache import short_cache
from leadroutes.domain.template import MAX_TEMPLATE_CHARACTERS

LARGEST_VALUE = 20_000  # characters that may go into or come out of a filter
LARGEST_NUMBER = 10**15
LONGEST_LIST = 200
LONGEST_RANGE = 10_000

FEW = 20
BLANKS = re.compile(r"\{[{%]-?\s{100}|\{%-?\s{0,99}(?:\w{100}|(?:\w{1,99}|#)\s{100})")
VERBATIM = re.compile(r"\{%-?\s*(?:raw|doc)\b")
TAGS = frozenset(
    {
        "if", "unless", "case", "for", "break", "continue", "assign", "capture", "comment", "#", "cycle", "increment",
        "decrement", "echo", "liquid", "ifchanged", "doc",
    }
)  # fmt: skip
FILTERS = frozenset(
    {
        "abs", "append", "at_least", "at_most", "capitalize", "ceil", "compact", "concat", "date", "default",
        "divided_by", "downcase", "escape", "escape_once", "first", "floor", "join", "last", "lstrip", "minus",
        "modulo", "newline_to_br", "plus", "prepend", "remove", "remove_first", "remove_last", "replace",
        "replace_first", "replace_last", "reverse", "round", "rstrip", "size", "slice", "sort", "sort_natural", "split",
        "squish", "strip", "strip_html", "strip_newlines", "times", "truncate", "truncatewords", "uniq", "upcase",
        "url_encode",
    }
)  # fmt: skip
MARKUP = re.compile(
    r"<(?:!doctype|/?(?:html|body|head|table|div|p|br|span|a|h[1-6]|ul|ol|li|b|strong|i|em|img)\b)", re.IGNORECASE
)

PLACES = {"street_address": "the property", "city": "the area"}
"""Words for a place that is not known."""
PARTS_OF_A_PLACE = frozenset({*PLACES, "state", "zipcode"})
LOOKED_BACK_AT = 200  # characters
_TAGS = re.compile(r"(?:<[^<>]*+>)*+")

LINES = re.compile(r"<(?:!doctype|/?(?:html|body|table|div|p|br|h[1-6]|ul|ol|li)\b)", re.IGNORECASE)


class Unrenderable(Exception):  # noqa: N818 -- named for what the template is
    """The template cannot be rendered; the message says why, for the person who wrote it."""


def check_template(text: str) -> str | None:
    """Returns what is wrong with a template, as a sentence for its author; None if it parses without unknown names."""
    try:
        _parsed(text, autoescape=False)
    except Unrenderable as error:
        return str(error)
    return None


def names_in(text: str) -> list[str]:
    """Returns the names that a template uses and does not make itself, such as `contact.email`, in alphabetical order.

    Raises Unrenderable.
    """
    template = _parsed(text, autoescape=False)
    try:
        segments = template.global_variable_segments()
    except Exception as error:  # whatever a user's template does, it is the template that fails
        raise Unrenderable(_sentence(error)) from error
    return sorted(".".join(each for each in found if isinstance(each, str)) for found in segments)


def is_markup(text: str) -> bool:
    """Whether a template's body is HTML already rather than plain text."""
    return MARKUP.search(text) is not None


def breaks_lines(text: str) -> bool:
    """Whether the HTML of a body makes its own lines; otherwise those that its author typed count."""
    return LINES.search(text) is not None


def render(text: str, variables: Mapping[str, object], *, markup: bool = False) -> str:
    """Returns the template with its variables filled in, HTML-escaped if `markup`. Raises Unrenderable."""
    template = _parsed(text, autoescape=markup)
    try:
        return template.render(**variables)
    except Exception as error:  # whatever a user's template does, it is the template that fails
        raise Unrenderable(_sentence(error)) from error


@short_cache(entries=64, longest=50_000)  # a parsed template takes some ten times its text
def _parsed(text: str, *, autoescape: bool) -> BoundTemplate:
    if len(text) > MAX_TEMPLATE_CHARACTERS:
        raise Unrenderable(f"The template has {len(text)} characters; {MAX_TEMPLATE_CHARACTERS} are the limit")
    if fault := _slow(text):
        raise Unrenderable(fault)
    try:
        template = _sandbox(autoescape=autoescape).from_string(text)
        unknown = sorted(set(template.filter_names()) - FILTERS)
        _limit_ranges(template)
    except Exception as error:  # the parser's own depth and its regular expressions are a template's reach, too
        raise Unrenderable(_sentence(error)) from error
    if unknown:
        raise Unrenderable(f"The template uses an unknown filter: {unknown[0][:100]}")
    return template


def _limit_ranges(template: BoundTemplate) -> None:
    """Replaces each `(1..9)` by a range with a limit; a literal range that is too long is refused here.

    The parser creates ranges by name, so the parsed nodes are changed.
    """
    context = RenderContext(template)
    nodes = list(template.nodes)
    expressions: list[Expression] = []
    while nodes:
        node = nodes.pop()
        nodes.extend(node.children(context))
        expressions.extend(node.expressions())
    while expressions:
        expression = expressions.pop()
        expressions.extend(expression.children())
        if type(expression) is RangeLiteral:
            expression.__class__ = _Range
            if isinstance(expression.start, IntegerLiteral) and isinstance(expression.stop, IntegerLiteral):
                expression.evaluate(context)


class _Range(RangeLiteral):
    """A range that is never longer than a template may need: some of what is done with it makes a list of all of it."""

    __slots__ = ()

    def _make_range(self, start: Any, stop: Any) -> range:
        made = super()._make_range(start, stop)
        # Its length may be more than a C integer holds.
        if made and made[-1] - made[0] >= LONGEST_RANGE:
            raise ResourceLimitError(f"a range is longer than {LONGEST_RANGE}", token=self.token)
        return made


def _slow(text: str) -> str | None:
    """What would take the lexer's regular expressions quadratic time: they look for an end from every beginning."""
    for begin, end in (("{{", "}}"), ("{%", "%}")):
        if text.count(begin, text.rfind(end) + 1) > FEW:
            return f"The template cannot be processed: expected '{end}', found end of file"
    if BLANKS.search(text):
        return "The template cannot be processed: a placeholder or tag begins with too many blanks or letters"
    if len(VERBATIM.findall(text)) > FEW:
        return f"The template cannot be processed: more than {FEW} raw or doc blocks"
    return None


@lru_cache(maxsize=2)
def _sandbox(*, autoescape: bool) -> Environment:
    sandbox = _Sandbox(autoescape=autoescape, undefined=Undefined)
    inner = {"content", "output", "illegal"}  # what a template consists of besides tags
    sandbox.tags = {name: tag for name, tag in sandbox.tags.items() if name in TAGS or name in inner}
    sandbox.tags |= {tag.name: tag(sandbox) for tag in (_Content, _Output, _Echo)}
    sandbox.filters = {name: _guarded(name, sandbox.filters[name]) for name in FILTERS}
    return sandbox


def _write(value: object, expression: object, context: RenderContext, buffer: TextIO) -> int:
    """Write a value. One that is not known takes the blank before it along; a place has a word for itself."""
    text = to_liquid_string(value, context.autoescape)
    left = expression.left if isinstance(expression, FilteredExpression) else expression
    if text or not isinstance(left, Path) or not isinstance(buffer, LimitedStringIO):
        return _write_text(text, buffer)
    before = _written(buffer)
    changed = _without_value(before, str(left.path[-1]))
    same = next((n for n, (old, new) in enumerate(zip(before, changed, strict=False)) if old != new), len(changed))
    same = min(same, len(before))
    buffer.seek(buffer.tell() - len(before) + same)
    buffer.truncate()
    count = buffer.write(changed[same:])
    if len(changed) <= len(before):
        vars(buffer)["left_out"] = buffer.tell(), " " if changed != before else ""
    return count


def _write_text(text: str, buffer: TextIO) -> int:
    """Write what is known. Behind a value that is not, no two words become one, and no comma is left without words."""
    if not text or not isinstance(buffer, LimitedStringIO):
        return buffer.write(text)
    at, gap = vars(buffer).get("left_out", (None, ""))
    if at != buffer.tell():
        return buffer.write(text)
    if _TAGS.sub("", text, count=1)[:1].isalnum():
        return buffer.write(gap + text)
    if text[0] == ",":
        before = _written(buffer)
        if _is_beginning(_split_tags(before)[0]):
            text = text[1:].lstrip(" \t")
            text = text[:1].upper() + text[1:]
        elif before.endswith(","):
            text = text[1:]
    return buffer.write(text)


def _written(buffer: StringIO) -> str:
    """The end of what has been written so far."""
    at = buffer.tell()
    buffer.seek(max(0, at - LOOKED_BACK_AT))
    return buffer.read()


def _without_value(before: str, name: str) -> str:
    """What has been written, and what follows it where the value of that name is not known.

    `Hi ` stays `Hi`, `about ` becomes `about the property`, and `Denver, ` stays `Denver`.
    """
    words, tags = _split_tags(before)
    bare = _without_blanks(words)
    if name in PARTS_OF_A_PLACE and bare.endswith(","):
        return bare[:-1] + tags
    if name not in PLACES:
        return bare + tags
    word = PLACES[name]
    return before + (word.capitalize() if _is_beginning(words) else word)


def _split_tags(text: str) -> tuple[str, str]:
    """The text, and the tags that it ends with."""
    words = text
    while words.endswith(">") and (start := words.rfind("<")) >= 0 and ">" not in words[start:-1]:
        words = words[:start]
    return words, text[len(words) :]


def _without_blanks(text: str) -> str:
    while (bare := text.rstrip(" \t\u00a0")).endswith("&nbsp;"):
        text = bare.removesuffix("&nbsp;")
    return bare


def _is_beginning(text: str) -> bool:
    """Whether what follows begins a sentence or a line."""
    words = text.rstrip()
    blanks = text[len(words) :]
    return not words or "\n" in blanks or (words[-1] in ".!?" and bool(blanks))


class _ContentNode(ContentNode):
    __slots__ = ()

    def render_to_output(self, _: RenderContext, buffer: TextIO) -> int:
        return _write_text(self.text, buffer)


class _Content(Literal):
    node_class = _ContentNode


class _OutputNode(OutputNode):
    __slots__ = ()

    def render_to_output(self, context: RenderContext, buffer: TextIO) -> int:
        return _write(self.expression.evaluate(context), self.expression, context, buffer)


class _Output(Output):
    node_class = _OutputNode


class _EchoNode(EchoNode):
    __slots__ = ()

    def render_to_output(self, context: RenderContext, buffer: TextIO) -> int:
        return _write(self.expression.evaluate(context), self.expression, context, buffer)


class _Echo(EchoTag):
    node_class = _EchoNode


class _Sandbox(Environment):
    output_stream_limit = 200_000  # bytes
    loop_iteration_limit = LONGEST_LIST
    local_namespace_limit = 200_000
    context_depth_limit = 20
    block_nesting_limit = 20


def _guarded(name: str, work: Callable[..., Any]) -> Callable[..., Any]:
    """A filter that takes in and gives out nothing large, so that no chain of filters can grow."""

    @wraps(work)
    def filtered(value: object, *args: Any, context: RenderContext, **named: Any) -> object:
        if getattr(work, "with_environment", False):
            named["environment"] = context.env
        if name == "date" and value in ("now", "today"):
            value = context.resolve("now", token=None)
        for each in (value, *args):
            _admit(name, each)
        _admit_product(name, value, args)
        result = work(value, *args, **named)
        _admit(name, result)
        return result

    filtered.__dict__.pop("with_environment", None)  # we hand it over ourselves
    return with_context(filtered)


def _admit(name: str, value: object) -> None:
    match value:
        case None | bool() | Undefined() | date() | datetime():
            return
        case str() if len(value) <= LARGEST_VALUE:
            return
        case int() | float() if abs(value) <= LARGEST_NUMBER:
            return
        case list() | tuple() if len(value) <= LONGEST_LIST:
            for each in value:
                _admit(name, each)
            return
        case Mapping() if name in ("default", "size"):
            return
        case str() | list() | tuple() | int() | float():
            raise ResourceLimitError(f"the filter {name} was given, or would make, something too large", token=None)
        case _:
            raise FilterArgumentError(f"the filter {name} does not take this value", token=None)


def _admit_product(name: str, value: object, args: tuple[Any, ...]) -> None:
    """These two multiply the sizes of what they are given."""
    if name == "replace" and len(args) > 1:
        old, new = str(args[0]), str(args[1])
        grown = (str(value).count(old)) * len(new)
    elif name == "join" and isinstance(value, (list, tuple)):
        grown = len(value) * len(str(args[0]) if args else " ") + sum(len(str(each)) for each in value)
    else:
        return
    if grown > LARGEST_VALUE:
        raise ResourceLimitError(f"the filter {name} would make something too large", token=None)


def _sentence(error: Exception) -> str:
    if isinstance(error, MemoryError):
        return "The template cannot be processed: it takes too much memory"
    if not isinstance(error, LiquidError):
        return f"The template cannot be processed ({type(error).__name__})"
    message = str(error.message or type(error).__name__)
    cause = error.__cause__
    if isinstance(cause, RecursionError):
        message = "nested too deeply"
    token = error.token
    if token is None or token.start_index < 0:
        return f"The template cannot be processed: {message[:300]}"
    line = token.source.count("\n", 0, token.start_index) + 1
    return f"The template cannot be processed: line {line}: {message[:300]}"
