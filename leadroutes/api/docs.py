"""The description as a page for people, from the same declarations. No script, no foreign address, one style sheet."""

import hashlib
from base64 import b64encode
from functools import cache
from html import escape

from leadroutes.api.call import Answer, Call
from leadroutes.api.openapi import ABOUT, document
from leadroutes.api.operations import OPERATIONS, Operation
from leadroutes.api.resource import Field, Resource, Write
from leadroutes.api.resources import RESOURCES

STYLE = """
:root { color-scheme: light dark; --line: #8884; --soft: #8881; --accent: #0a6; }
body { font: 16px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 64rem; padding: 2rem 1rem 6rem; }
h2 { border-top: 1px solid var(--line); margin-top: 3rem; padding-top: 1.5rem; }
code, td:first-child { font-family: ui-monospace, monospace; font-size: .9em; }
nav ul { columns: 16rem; list-style: none; padding: 0; }
a { color: inherit; text-decoration-color: var(--accent); text-underline-offset: .2em; }
table { border-collapse: collapse; margin: 1rem 0; width: 100%; }
th, td { border-bottom: 1px solid var(--line); padding: .35rem .6rem .35rem 0; text-align: left; vertical-align: top; }
th { font-weight: 600; }
dl { background: var(--soft); border-radius: .5rem; margin: 1rem 0; padding: .75rem 1rem; }
dt { font-family: ui-monospace, monospace; font-size: .9em; font-weight: 600; }
dd { margin: 0 0 .5rem; }
"""
_STYLE_HASH = b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
_HEADERS = (
    (
        b"content-security-policy",
        f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; base-uri 'none'; form-action 'none';"
        " frame-ancestors 'none'".encode(),
    ),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
)


async def show_page(_call: Call) -> Answer:
    """GET /docs."""
    return Answer(200, page(), b"text/html; charset=utf-8", _HEADERS)


async def show_document(_call: Call) -> Answer:
    """GET /openapi.json."""
    return Answer(200, document())


@cache
def page() -> bytes:
    """The whole page."""
    calls = [each for each in OPERATIONS if each.resource is None]
    sections = "".join(_section(resource) for resource in RESOURCES)
    links = "".join(f'<li><a href="#{_anchor(each.path)}">{escape(each.path)}</a></li>' for each in RESOURCES)
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Lead Routes API</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{STYLE}</style></head><body><h1>Lead Routes API</h1><p>{_worded(ABOUT)}</p>"
        '<p>The same as OpenAPI 3.1: <a href="/openapi.json">/openapi.json</a></p>'
        f'<nav><ul>{links}<li><a href="#others">Other calls</a></li></ul></nav>{sections}'
        f'<h2 id="others">Other calls</h2>{_calls(calls)}</body></html>'
    ).encode()


def _section(resource: Resource) -> str:
    calls = [each for each in OPERATIONS if each.resource is resource]
    rows = "".join(_row(each) for each in resource.fields)
    return (
        f'<h2 id="{_anchor(resource.path)}">{escape(resource.path)}</h2><p>{_worded(resource.page_about)}</p>'
        f"{_calls(calls)}<table><thead><tr><th>Field</th><th>Type</th><th>Written</th><th>About</th></tr></thead>"
        f"<tbody>{rows}</tbody></table><p>Filters and order: "
        + ", ".join(f"<code>{escape(name)}</code>" for name in resource.filters)
        + "</p>"
    )


def _calls(operations: list[Operation]) -> str:
    rows = "".join(f"<dt>{each.method} {escape(each.path)}</dt><dd>{escape(each.about)}</dd>" for each in operations)
    return f"<dl>{rows}</dl>"


def _row(each: Field) -> str:
    key = f" → {each.answer_key}" if each.answer_key not in ("", each.name) else ""
    cells = (f"{each.name}{key}", _type(each), _written(each), each.note)
    return "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in cells) + "</tr>"


def _type(each: Field) -> str:
    if each.refers is not None:
        return f"id → {each.refers.to}"
    if each.shows is not None and each.write is Write.NEVER:
        return "computed"
    return each.kind.expected


def _written(each: Field) -> str:
    words = {Write.NEVER: "", Write.ONCE: "on POST", Write.LATER: "on PATCH", Write.ALWAYS: "yes"}[each.write]
    value = str(each.default).lower() if isinstance(each.default, bool) else each.default
    default = f", default {value}" if value is not None else ""
    return f"{words}{', required' if each.required else ''}{default}"


def _worded(text: str) -> str:
    """Escaped, with `code` in backticks."""
    parts = escape(text).split("`")
    return "".join(f"<code>{part}</code>" if place % 2 else part for place, part in enumerate(parts))


def _anchor(path: str) -> str:
    return path.strip("/").replace("/:id/", "-")


DESCRIPTION = (
    Operation(method="GET", path="/openapi.json", run=show_document, is_public=True, shows="other",
              about="The API as OpenAPI 3.1"),
    Operation(method="GET", path="/docs", run=show_page, is_public=True, shows="other",
              about="The API as a page for people"),
)  # fmt: skip
