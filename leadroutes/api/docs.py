"""The description of the API as a page, from the same declarations. No script, no external address, one style sheet.

The style sheet is part of the page: that of the other pages and what only this one needs.
"""

import hashlib
from base64 import b64encode
from functools import lru_cache
from html import escape
from importlib.resources import files
from urllib.parse import urlsplit

from leadroutes.api.call import Call, Response
from leadroutes.api.openapi import ABOUT, document
from leadroutes.api.operations import OPERATIONS, Operation
from leadroutes.api.resource import Field, Resource, Write
from leadroutes.api.resources import RESOURCES

_STATIC = files("leadroutes").joinpath("web", "static")
OWN_STYLE = """
/* Of the description of the API alone. */
section { margin-top: 3rem; border-top: 1px solid var(--line); }
h2 { overflow-wrap: anywhere; }
pre { border: 1px solid var(--line); background: var(--card); }
nav ul { columns: 15rem; margin: .75rem 0; padding: 0; list-style: none; }
nav li { break-inside: avoid; }
.calls, .scroll { border: 1px solid var(--line); border-radius: 14px; background: var(--card); }
.calls { display: block; padding: .75rem 1.125rem; }
.calls dt { color: inherit; font: 600 .9375rem/1.5 ui-monospace, Menlo, Consolas, monospace; overflow-wrap: anywhere; }
.calls dd { margin: 0 0 .5rem; color: var(--faint); }
.scroll { margin: 1rem 0; overflow-x: auto; }
table { width: 100%; min-width: 40rem; border-collapse: collapse; font-size: .9375rem; }
th, td { padding: .5rem .75rem; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; }
tr:last-child > td { border-bottom: 0; }
td:first-child { font-family: ui-monospace, Menlo, Consolas, monospace; }
"""
STYLE = _STATIC.joinpath("pages.css").read_text(encoding="utf-8") + OWN_STYLE
_ICON = _STATIC.joinpath("icon.svg").read_text(encoding="utf-8").strip()
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


async def show_page(call: Call) -> Response:
    """GET /docs."""
    return Response(200, page(call.context.settings.public_url), b"text/html; charset=utf-8", _HEADERS)


async def show_document(call: Call) -> Response:
    """GET /openapi.json."""
    return Response(200, document(call.context.settings.public_url))


@lru_cache(maxsize=4)
def page(public_url: str) -> bytes:
    """Returns the page of a service with this address."""
    others = [each for each in OPERATIONS if each.resource is None]
    sections = "".join(_section(resource, public_url) for resource in RESOURCES)
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Lead Routes API</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        f'<style>{STYLE}</style></head><body class="wide">{_header(urlsplit(public_url).path)}'
        f'<main id="main"><h1>Lead Routes API</h1><p>{_with_code(ABOUT)}</p>'
        f"{_first_call(public_url)}{_contents()}{sections}"
        f'<section aria-labelledby="others"><h2 id="others">Other calls</h2>{_calls(others)}</section>'
        "</main></body></html>"
    ).encode()


def _header(prefix: str) -> str:
    icon = _ICON.replace("<svg ", '<svg width="26" height="26" aria-hidden="true" ', 1)
    return (
        '<header><a class="skip" href="#main">Skip to the content</a>'
        f'<a class="brand" href="{prefix}/">{icon} Lead Routes</a><a href="{prefix}/app/me/tokens">Tokens</a>'
        f'<a href="{prefix}/openapi.json">OpenAPI 3.1</a></header>'
    )


def _first_call(public_url: str) -> str:
    tokens = f'<a class="touch" href="{urlsplit(public_url).path}/app/me/tokens">Tokens</a>'
    return (
        f"<p>Every call needs an access token: your own from the page {tokens}, or one that an application was given."
        " With it in <code>TOKEN</code>, this shows whose it is:</p>" + _example(public_url, "/me")
    )


def _contents() -> str:
    links = "".join(
        f'<li><a class="touch" href="#{_anchor(each.path)}">{escape(each.path)}</a></li>' for each in RESOURCES
    )
    others = '<li><a class="touch" href="#others">Other calls</a></li>'
    return f'<nav aria-label="Resources"><ul>{links}{others}</ul></nav>'


def _section(resource: Resource, public_url: str) -> str:
    calls = [each for each in OPERATIONS if each.resource is resource]
    rows = "".join(_row(each) for each in resource.fields)
    anchor, path = _anchor(resource.path), escape(resource.path)
    return (
        f'<section aria-labelledby="{anchor}"><h2 id="{anchor}">{path}</h2><p>{_with_code(resource.page_about)}</p>'
        f"{_example(public_url, resource.path.replace(':id', '1') + '?$limit=2')}{_calls(calls)}"
        f'<div class="scroll" role="region" aria-label="Fields of {path}" tabindex="0"><table>'
        "<thead><tr><th>Field</th><th>Type</th><th>Written</th><th>About</th></tr></thead>"
        f"<tbody>{rows}</tbody></table></div><p>Filters and order: "
        + ", ".join(f"<code>{escape(name)}</code>" for name in resource.filters)
        + "</p></section>"
    )


def _example(public_url: str, target: str) -> str:
    """Returns a call that can be copied into a shell."""
    call = f"curl -H \"Authorization: Bearer $TOKEN\" '{public_url}{target}'"
    return f"<pre><code>{escape(call, quote=False)}</code></pre>"


def _calls(operations: list[Operation]) -> str:
    rows = "".join(f"<dt>{each.method} {escape(each.path)}</dt><dd>{escape(each.about)}</dd>" for each in operations)
    return f'<dl class="calls">{rows}</dl>'


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


def _with_code(text: str) -> str:
    """Returns the escaped text, with `code` in backticks."""
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
