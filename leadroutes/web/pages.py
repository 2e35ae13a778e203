"""Turns values into pages: the templates with their words for moments, phones and states; our style and our script.

Reads no database and decides nothing.
"""

import hashlib
import re
from collections.abc import Mapping
from datetime import datetime
from importlib.resources import files
from urllib.parse import quote, urlsplit

import phonenumbers
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from leadroutes.clock import Clock
from leadroutes.domain.campaign import zone_named

_TYPES = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}
_ASSETS = {file.name: file.read_bytes() for file in files(__package__).joinpath("static").iterdir()}
_VERSION = hashlib.sha256(b"".join(_ASSETS[name] for name in sorted(_ASSETS))).hexdigest()[:12]


class Pages:
    """All pages of a service that people reach under one public address."""

    def __init__(self, public_url: str, clock: Clock) -> None:
        self.public_url = public_url
        self.prefix = urlsplit(public_url).path.rstrip("/")
        self.is_secure = public_url.startswith("https:")
        self._templates = Environment(
            loader=PackageLoader("leadroutes.web"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.globals.update(prefix=self.prefix, version=_VERSION, user=None)
        self._templates.filters.update(moment=lambda at, zone: moment(at, zone, clock.now()))
        self._templates.filters.update(phone=phone, tel=tel, mailto=mailto)

    def answer(
        self, template: str, status: int = 200, headers: Mapping[str, str] | None = None, **values: object
    ) -> HTMLResponse:
        """The page that a template makes of the values."""
        text = self._templates.get_template(template).render(values)
        return HTMLResponse(text, status, headers=headers)

    def refuse(
        self, status: int, title: str, explanation: str, headers: Mapping[str, str] | None = None
    ) -> HTMLResponse:
        """A page that says what is wrong."""
        return self.answer("problem.html", status, headers, title=title, explanation=explanation)

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
    cached = {"cache-control": "public, max-age=31536000, immutable"}
    return Response(_ASSETS[name], headers=cached, media_type=_TYPES[name.rpartition(".")[2]])


# ------------------------------------------------------------------------------------------------------- words


def moment(at: datetime, timezone: str | None, now: datetime) -> Markup:
    """`Nov 24, 2:32 PM MST`, as the reader's clock shows it; with the year when it is not this one."""
    zone = zone_named(timezone)
    local = at.astimezone(zone)
    year = "" if local.year == now.astimezone(zone).year else f"{local.year}, "
    text = f"{local:%b} {local.day}, {year}{local.hour % 12 or 12}:{local:%M %p %Z}"
    return Markup('<time datetime="{}">{}</time>').format(local.isoformat(timespec="seconds"), text)


def phone(text: str) -> str:
    """`+13035550199` as `(303) 555-0199`; what is not a number stays as it is."""
    try:
        number = phonenumbers.parse(text, "US")
    except phonenumbers.NumberParseException:
        return text
    form = phonenumbers.PhoneNumberFormat
    return phonenumbers.format_number(number, form.NATIONAL if number.country_code == 1 else form.INTERNATIONAL)


def tel(text: str) -> str:
    """What a telephone dials: digits, with the country where it is known."""
    try:
        number = phonenumbers.parse(text, "US")
    except phonenumbers.NumberParseException:
        return re.sub(r"[^\d+]", "", text)
    dialled = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return f"{dialled};ext={number.extension}" if number.extension else dialled


def mailto(address: str) -> str:
    """An address as it may stand in a mailto: link."""
    return quote(address, safe="@")
