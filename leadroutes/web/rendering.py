"""Turns values into pages: the templates with their words for moments, phones and states; our style and our script.

Reads no database and decides nothing.
"""

import gzip
import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from functools import lru_cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from urllib.parse import quote, urlsplit

import msgspec
import phonenumbers
from jinja2 import pass_context
from jinja2.runtime import Context
from markupsafe import Markup, escape
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from leadroutes.clock import Clock
from leadroutes.domain.campaign import zone_named
from leadroutes.domain.moments import wall_clock
from leadroutes.domain.preview import format_price
from leadroutes.web.page import digest
from leadroutes.web.templating import PageTemplates

_TYPES = {
    "css": "text/css", "js": "text/javascript", "svg": "image/svg+xml", "png": "image/png",
    "webmanifest": "application/manifest+json",
}  # fmt: skip


def _read_assets(directory: Traversable, prefix: str = "") -> Iterator[tuple[str, bytes]]:
    for each in directory.iterdir():
        if each.is_dir():
            yield from _read_assets(each, f"{prefix}{each.name}/")
        elif each.name.rpartition(".")[2] in _TYPES:
            yield prefix + each.name, each.read_bytes()


_ASSETS = dict(_read_assets(files(__package__).joinpath("static")))
_PACKED = {name: gzip.compress(content, mtime=0) for name, content in _ASSETS.items() if not name.endswith(".png")}
_NOW = "moment_of_page"
_FOR_ALL = frozenset({"prefix", "asset_version", "seconds_until", _NOW})
_VERSION = hashlib.sha256(b"".join(_ASSETS[name] for name in sorted(_ASSETS))).hexdigest()[:12]


class Pages:
    """All pages of a service that people reach under one public address."""

    def __init__(self, public_url: str, clock: Clock) -> None:
        self.public_url = public_url
        self.prefix = urlsplit(public_url).path.rstrip("/")
        self.is_secure = public_url.startswith("https:")
        self._templates = PageTemplates()
        self._templates.globals.update(prefix=self.prefix, asset_version=_VERSION, user=None)
        self._templates.filters.update(
            moment=pass_context(lambda context, at, zone: moment(read_moment(at), zone, self._now(context))),
            ago=pass_context(lambda context, at: ago(read_moment(at), self._now(context))),
            listed=listed,
            phone=phone, tel=tel, mailto=mailto, count=count, span=span, capital=capital, price=format_price,
            digest=digest,
        )  # fmt: skip
        self._templates.globals.update(seconds_until=lambda at: clock.real_seconds_until(read_moment(at)))
        self._clock = clock

    def answer(
        self, template: str, status: int = 200, headers: Mapping[str, str] | None = None, **values: object
    ) -> HTMLResponse:
        """The page that a template makes of the values."""
        text = self._templates.get_template(template).render(self._with_parts(values))
        return HTMLResponse(text, status, headers=headers)

    def answer_part(self, template: str, part: str, **values: object) -> HTMLResponse:
        """One block of a template alone, as the page would show it."""
        made = self._templates.get_template(template)
        text = "".join(made.blocks[part](made.new_context(self._with_parts(values))))
        return HTMLResponse(text)

    def _with_parts(self, values: Mapping[str, object]) -> dict[str, object]:
        """The values with the macros of all pages; these see the values, too."""
        if hidden := _FOR_ALL & values.keys():
            raise TypeError(
                f"{', '.join(sorted(hidden))}: a page has a value of a name that the frame of all pages uses"
            )
        known = {**values, _NOW: self._clock.now()}
        parts = self._templates.get_template("parts.html").make_module(known) if "page" in values else None
        return {**known, "parts": parts}

    def _now(self, context: Context) -> datetime:
        """The moment of the page; of macros that do not see its values, this one."""
        found: datetime | None = context.get(_NOW)
        return found or self._clock.now()

    def refuse(
        self, status: int, title: str, explanation: str, headers: Mapping[str, str] | None = None
    ) -> HTMLResponse:
        """A page that says what is wrong."""
        return self.answer("problem.html", status, headers, title=title, explanation=explanation)

    def ask_to_try_again(self, is_looking: bool) -> HTMLResponse:
        """The service or its database is away for the moment. Whoever was looking is shown the page by itself later."""
        return self.answer("not_now.html", 503, {"retry-after": "2"}, is_looking=is_looking)

    async def show_manifest(self, _request: Request) -> Response:
        """What a phone needs to install the pages like an application."""
        manifest = {
            "name": "Lead Routes",
            "short_name": "Lead Routes",
            "start_url": f"{self.prefix}/app",
            "scope": f"{self.prefix}/",
            "display": "standalone",
            "background_color": "#f4f5f3",
            "theme_color": "#0b6b4f",
            "icons": [
                {"src": f"{self.prefix}/assets/icon.svg?{_VERSION}", "sizes": "any", "type": "image/svg+xml"},
                {"src": f"{self.prefix}/assets/icon-192.png?{_VERSION}", "sizes": "192x192", "type": "image/png"},
                {"src": f"{self.prefix}/assets/icon-512.png?{_VERSION}", "sizes": "512x512", "type": "image/png"},
            ],
            "shortcuts": [{"name": "Inbox", "url": f"{self.prefix}/app"}],
        }
        return Response(msgspec.json.encode(manifest), media_type="application/manifest+json")

    async def show_worker(self, _request: Request) -> Response:
        """The script that says that there is no connection; it may do so for all pages below /app."""
        headers = {"cache-control": "no-cache", "service-worker-allowed": f"{self.prefix}/app"}
        return Response(_ASSETS["sw.js"], headers=headers, media_type="text/javascript")

    async def show_offline(self, _request: Request) -> Response:
        """What that script shows. It has nothing of anyone's account."""
        return self.answer("offline.html")

    def refuse_cross_site(self) -> HTMLResponse:
        """Another site's page sent one of our forms."""
        return self.refuse(403, "That came from another site", "Open the page itself and press its button there.")

    def go_to(self, path: str) -> RedirectResponse:
        """Redirect to another page of the service, read afresh."""
        return RedirectResponse(self.prefix + path, 303)


def show_asset(request: Request) -> Response:
    """A static file; its address changes with its content, so that browsers may cache it."""
    name = request.path_params["name"]
    if name not in _ASSETS:
        return Response(status_code=404)
    headers = {"cache-control": "public, max-age=31536000, immutable", "vary": "accept-encoding"}
    content = _ASSETS[name]
    if name in _PACKED and "gzip" in request.headers.get("accept-encoding", ""):
        content, headers["content-encoding"] = _PACKED[name], "gzip"
    return Response(content, headers=headers, media_type=_TYPES[name.rpartition(".")[2]])


# ------------------------------------------------------------------------------------------------------- words


def moment(at: datetime, timezone: str | None, now: datetime) -> Markup:
    """`Nov 24, 2:32 PM MST`, as the reader's clock shows it; with the year when it is not this one."""
    return _moment(at, timezone, wall_clock(now, zone_named(timezone)).year)


@lru_cache(maxsize=4096)  # an open page reads itself anew, and shows most of its moments again
def _moment(at: datetime, timezone: str | None, this_year: int) -> Markup:
    local = wall_clock(at, zone_named(timezone))
    year = "" if local.year == this_year else f"{local.year}, "
    return _time(local, f"{local:%b} {local.day}, {year}{local.hour % 12 or 12}:{local:%M %p %Z}")


def phone(text: str) -> str:
    """`+13035550199` as `(303) 555-0199`; what is not a number stays as it is."""
    if american := _AMERICAN.fullmatch(text):
        return "({}) {}-{}".format(*american.groups())
    try:
        number = phonenumbers.parse(text, "US")
    except phonenumbers.NumberParseException:
        return text
    form = phonenumbers.PhoneNumberFormat
    return phonenumbers.format_number(number, form.NATIONAL if number.country_code == 1 else form.INTERNATIONAL)


def tel(text: str) -> str:
    """What a telephone dials: digits, with the country where it is known."""
    if _AMERICAN.fullmatch(text):
        return text
    try:
        number = phonenumbers.parse(text, "US")
    except phonenumbers.NumberParseException:
        return re.sub(r"[^\d+]", "", text)
    dialled = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return f"{dialled};ext={number.extension}" if number.extension else dialled


# As nearly all numbers are stored. The library would say the same, but takes as long as ten lines of a list.
_AMERICAN = re.compile(r"\+1([2-9][0-9]{2})([0-9]{3})([0-9]{4})")


def mailto(address: str) -> str:
    """An address as it may stand in a mailto: link."""
    return quote(address, safe="@")


def read_moment(given: datetime | str) -> datetime:
    """A moment; the API writes them as text."""
    return given if isinstance(given, datetime) else datetime.fromisoformat(given)


def ago(at: datetime, now: datetime) -> Markup:
    """`5 min ago`, for lists that are looked at while they are young; with the exact moment in the element."""
    gone = max(now - at, timedelta())
    return _time(at, "just now" if gone < timedelta(minutes=1) else f"{span(gone.total_seconds())} ago")


def _time(at: datetime, text: str) -> Markup:
    """The element. Put together as text: `Markup.format` takes longer than all else here, for each row of a list."""
    return Markup(f'<time datetime="{at.isoformat(timespec="seconds")}">{escape(text)}</time>')  # noqa: S704 -- escaped


def span(seconds: float | None) -> str:
    """`35 s`, `4 min`, `2 h 5 min`, `3 days`; a dash where it is not known."""
    if seconds is None:
        return "–"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min"
    if whole < 2 * 86_400:
        hours, minutes = whole // 3600, whole // 60 % 60
        return f"{hours} h {minutes} min" if minutes and hours < 10 else f"{hours} h"
    return f"{whole // 86_400} days"


def listed(values: Iterable[str | None]) -> str:
    """`Zillow, Buyer, Denver`: what there is of these values."""
    return ", ".join(filter(None, values))


def count(number: int, most: int = 1_000) -> str:
    """`1,000+` where there are more than a page counts."""
    return f"{most:,}+" if number > most else f"{number:,}"


def capital(text: str) -> str:
    """`no agent for MLS 7` as `No agent for MLS 7`; Jinja's own `capitalize` makes the rest small."""
    return text[:1].upper() + text[1:]
