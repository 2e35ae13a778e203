"""Every function that reads text of strangers, as a call that takes one text; and what keeps such functions busy."""

import contextlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

from authlib.oauth2.rfc6749.util import extract_basic_authorization
from starlette.datastructures import URL, QueryParams
from starlette.requests import Request as Asked

from leadroutes import web
from leadroutes.api import asgi, auth, bodies, brackets, call, oauth_calls, query
from leadroutes.api.call import Request
from leadroutes.api.reads import id_in
from leadroutes.api.resources import RESOURCES
from leadroutes.api.values import quoted
from leadroutes.domain import delivery_status, identity, normalize, places, redirect_uris, stop_words, text
from leadroutes.domain.recurrence import read_rule
from leadroutes.errors import Problem
from leadroutes.ingest.replay import moment_of
from leadroutes.intake import (
    adf,
    authentication,
    csv_import,
    decoding,
    flat,
    forms,
    forwarded,
    html,
    labels,
    mail,
    mail_date,
    markup,
    mime,
    passing_on,
    reply_text,
    returned_mail,
    text_search,
)
from leadroutes.intake.formats import BY_NAME
from leadroutes.intake.reading import read
from leadroutes.intake.results import Refused
from leadroutes.oauth import scopes
from leadroutes.observability import logs
from leadroutes.sandbox.tasks import templates
from leadroutes.sandbox.tasks.liquid import Unrenderable, breaks_lines, check_template, is_markup
from leadroutes.security.rate_limits import network_of
from leadroutes.security.return_token import read_return_address
from leadroutes.security.unsubscribe_token import read_unsubscribe_token
from leadroutes.web import cookies, headers, sessions

REFUSALS = (Problem, Refused, Unrenderable, ValueError, KeyError, OverflowError)
LEADS = next(each for each in RESOURCES if each.path == "/leads")
CONTACTS = next(each for each in RESOURCES if each.path == "/contacts")


@dataclass(frozen=True)
class Reader:
    """`frames`: what surrounds its text, beside nothing at all; `units`: what it is made of, beside COMMON."""

    name: str
    call: Callable[[str], object]
    frames: tuple[tuple[str, str], ...] = ()
    units: tuple[str, ...] = ()
    size: int = 25_000  # characters, of which four times as many must take about four times as long


COMMON = (" ", "a", "0", ".", "@", "\\", '"', "a ", "a.", "\n")
ADDRESS = ("%41", "%", "&", "=", "[", "[]", "a[a]=1&", "a=1&", "+", "/", ":", "$in")
HEADER = (",", ";", "=", "\t", "a=a;", 'a="a";', ' ;"', "a,", '\\"', "é")
MARKUP = ("<", ">", "<a", "<a ", "<a>", "</a>", "<!--", "<!", "&", "&amp;", "&#", "'", '<a b="', "]]>", "--", "\r")
WORDS = (
    ",",
    "-",
    "+",
    "(",
    "1,",
    "a,",
    "-a",
    "\u0315\u0301",
    "\u0301\u0315",
    "\u0f73",
    "\uff9e\u0315",
    "é",
    "\u00a0",
    "\ud800",
    "A.",
    "x",
    "or",
    "Z",
)
JSON = ("[", "{", "{}", "[],", '"a",', '{"a":', "1,", "\\u", "\\ud800", "e", "-", "null,")
MAIL = (
    "\r\n",
    " \n",
    "a:",
    "A: b\n",
    ": ",
    "=?",
    "=?a?q?a?=",
    "=?a?q?",
    "--",
    "> ",
    "\t",
    ";",
    "begin ",
    "Name: x\n",
    "Name:\n",
)


def ignoring(reader: Callable[..., object]) -> Callable[[str], object]:
    """The same; what it refuses has been read as well."""

    def read_it(text_: str) -> object:
        with contextlib.suppress(*REFUSALS):
            return reader(text_)
        return None

    return read_it


def of_bytes(reader: Callable[[bytes], object]) -> Callable[[str], object]:
    return ignoring(lambda text_: reader(text_.encode("utf-8", "surrogatepass")))


def asked(name: str, text_: str) -> Asked:
    """A request with this header, as pages get it."""
    scope = {
        "type": "http",
        "path": "/",
        "query_string": b"",
        "headers": [(name.encode(), text_.encode("latin-1", "replace"))],
    }
    return Asked({**scope, "scheme": "http", "server": ("x", 80), "method": "GET"})


def requested(text_: str) -> object:
    """The whole of a request as the API takes it apart."""
    path, _, query_ = text_.encode("ascii", "replace").partition(b"?")
    scope = {"type": "http", "method": "GET", "path": "/", "raw_path": path, "query_string": query_, "headers": []}
    return asgi._request(scope, partial(print))


def fields_of(content_type: str, text_: str) -> object:
    request = Request("POST", (), "/", "", {"content-type": [content_type]}, partial(print))
    return bodies.fields_of(request, text_.encode("utf-8", "surrogatepass"), is_new=True)


def taken(kind: Any, text_: str) -> object:
    """By a field of this kind: as a body's value, as a filter's, and in the sentence that refuses it."""
    for reader in (kind.take, kind.read, quoted):
        ignoring(reader)(text_)
    return None


def logged(text_: str) -> object:
    line = logs._cut_fields(None, "", {"event": text_, "path": text_, "exception": text_})
    return logs.without_people(logs.without_secrets(f"{text_} {line}"))


HEADERS = [
    Reader("Authorization: Bearer", lambda text_: auth.bearer_token([text_]), (("Bearer ", ""), ("Bearer a", "x"))),
    Reader("Authorization: Basic", authentication.basic_of, (("Basic ", ""), ("Basic YTo", "x"))),
    Reader(
        "Authorization of an application",
        lambda text_: extract_basic_authorization({"Authorization": text_}),
        (("Basic ", ""), ("Basic YTo", "x")),
    ),
    Reader(
        "Cookie", lambda text_: cookies.cookie_of([text_], "leadroutes"), (('leadroutes="', '"'), ("leadroutes=", ""))
    ),
    Reader("Accept", call._accepts_json, (("application/json", "x"), ("application/json;q=0", "x"))),
    Reader("If-None-Match", lambda text_: asgi._is_known(b'W/"1-a"', [text_]), (('W/"', ""), ('W/"', '"'))),
    Reader(
        "Content-Type",
        lambda text_: bodies.decode_body(b"{}", text_),
        (("application/json;", ""), ("application/json; charset", ""), ("application/json;charset=", '"')),
    ),
    Reader("Content-Type at a door", forms.content_type_of, (("a/b;", ""), ("a/b; a*0=", ""))),
    Reader("Host", lambda text_: URL(scope=asked("host", text_).scope), (("[", "]"), ("[a:", "x"))),
    Reader(
        "Origin",
        lambda text_: headers.is_cross_site(asked("origin", text_), "https://x"),
        (("https://", ""), ("http://[", "]")),
    ),
    Reader("an address of a client", network_of, ((":", ""), ("1", ":"))),
]
ADDRESSES = [
    Reader("a path with its query", requested, (("/", "?"), ("/a?", ""))),
    Reader("which pages own a path", web.owns, (("/oauth2", "x"), ("/oauth2/authorize", "x"))),
    Reader("an id in a path", id_in, (("0", "x"),)),
    Reader("percent-decoding", brackets.decode, (("%C3", ""),)),
    Reader("brackets", brackets.parse, (("a[", "]=1"), ("a", "]"))),
    Reader(
        "filters",
        lambda text_: query.list_query(CONTACTS, text_),
        (("first_name=", ""), ("id[$in][]=", ""), ("$limit=", "x")),
    ),
    Reader("$select", lambda text_: query.selection(LEADS, text_), (("$select[]=", ""),)),
    Reader("the query of a page", lambda text_: QueryParams(text_.encode("ascii", "replace")).get("next")),
    Reader("where to go after signing in", sessions.own_path, (("/", ""), ("//[", ""))),
    Reader(
        "a redirect address",
        lambda text_: redirect_uris.is_registered(text_, ["http://127.0.0.1/a"]),
        (("http://127.0.0.1:", "x"),),
    ),
    Reader(
        "a redirect address to register",
        lambda text_: redirect_uris.check_redirect_uris([text_]),
        (("https://", ""), ("https://[", "")),
    ),
    Reader("an unsubscribe link", lambda text_: read_unsubscribe_token("a secret", text_), (("W", ".x"),)),
]
BODIES = [
    Reader(
        "a JSON body",
        partial(fields_of, "application/json"),
        (("[", ""), ('{"a":"', '"}'), ('{"a":', "}"), ('{"a":1', "}")),
    ),
    Reader("a form body", partial(fields_of, "application/x-www-form-urlencoded"), (("a=", ""), ("a[", "]=1"))),
    Reader("an OAuth form", of_bytes(oauth_calls._read_form), (("code=", ""),)),
    Reader("an OAuth body", of_bytes(oauth_calls._read_json), (('{"code":"', '"}'), ("[", ""))),
    Reader("scopes", scopes.named),
    Reader("JSON at a door", decoding.parse_json, (("[", ""), ('{"a":"', '"}'), ('{"a":', "}"), ('{"a":1', "}"))),
    Reader("bytes as text", of_bytes(decoding.decode)),
    Reader("bytes as UTF-7", of_bytes(lambda data: decoding.decode(data, "utf-7"))),
    Reader("a name of a charset", lambda text_: decoding.decode(b"a", text_)),
    Reader("an urlencoded form at a door", of_bytes(forms.urlencoded_pairs), (("a=", ""),)),
    Reader(
        "a form of several parts",
        of_bytes(lambda data: forms.multipart_pairs(data, "multipart/form-data; boundary=a")),
        (
            ("--a\r\n", ""),
            ('--a\r\nContent-Disposition: form-data; name="', '"\r\n\r\nb\r\n--a--'),
            ("--a\r\n\r\n", "--a"),
        ),
        ("\r\n--a", "\r\n", "a:"),
    ),
    Reader("a name of a field", flat.plain_key),
    Reader(
        "CSV",
        of_bytes(lambda data: list(csv_import.read_csv(data))),
        (("name,email\n", ""), ('name\n"', "")),
        (",", '"', '",', "\n\n"),
    ),
    *(
        Reader(
            f"a body for {name}",
            of_bytes(lambda data, name=name: read(data, {}, format=name)),
            (('{"a":"', '"}'), ("a=", "")),
        )
        for name in BY_NAME
    ),
    *(
        Reader(
            f"a {name} of a lead",
            of_bytes(
                lambda data, name=name: read(
                    json.dumps({"email": "a@b.co", name: data.decode("utf-8", "replace")}).encode(), {}, format="zapier"
                )
            ),
        )
        for name in ("phone", "name", "email", "address", "price", "message", "date", "zipcode", "mls_id", "lead_type")
    ),
]
FIELDS = [
    *(
        Reader(f"a field of {type(each.kind).__name__}", partial(taken, each.kind), (("1", "x"), ("-", "")))
        for each in {type(each.kind): each for resource in RESOURCES for each in resource.fields}.values()
    ),
    Reader(
        "a recurrence",
        read_rule,
        (("RRULE:FREQ=DAILY;", ""), ("FREQ=WEEKLY;BYDAY=", ""), ("FREQ=DAILY;INTERVAL=1", "x")),
        ("MO,", "1,", ";", "BYDAY=MO;"),
    ),
    Reader("a span of time", lambda text_: moment_of(text_, datetime(2026, 1, 1, tzinfo=UTC)), (("1", "x"),)),
]
TEXTS = [
    Reader("one line", text.one_line),
    Reader("a message", text.message_text),
    Reader("accents", text.without_accents),
    Reader("a name", identity.normal_name),
    Reader("a full name", identity.split_name, (("Mr ", ""), ("a, ", "")), ("Mr ", "and ", "& ")),
    Reader(
        "an e-mail address",
        identity.normal_email,
        (("a@", ""), ("a@b.", "@"), ("<", ">"), ("mailto:", "?")),
        ("<", ";", "a@", "@a."),
    ),
    Reader("a phone", identity.normal_phone, (("303", "x"), ("3035550142 ", "x")), ("ext", "1 x ", "/")),
    Reader("a zipcode", identity.normal_zipcode),
    Reader("a zipcode to compare", identity.comparable_zipcode),
    Reader("a state", places.normal_state),
    Reader(
        "an address of a house",
        lambda text_: places.Place(text_).normal(),
        (("1 A St, B, A", "x"), ("1 A St, B, A", " 80016")),
    ),
    Reader("a price", normalize.normal_price, (("1", "x"), ("$", "k")), ("111,", "111.", ".1")),
    Reader("a moment", normalize.normal_time, (("2026-01-01T00:00:00.", "x"), ("1234567890.", "x"))),
    Reader("a source", normalize.normal_source, (("http://www.", ""),)),
    Reader("a kind of lead", normalize.lead_type_named_by),
    Reader("a status of a listing", normalize.mentions_rent, units=("rent", "cur", "parent")),
    Reader(
        "a date of a mail",
        partial(mail_date.mail_date, needs_zone=False),
        (("Tue, 17 Nov 2026 13:22:14", "x"), ("(", ")")),
    ),
]
# What is cut is read differently from what is whole, so both lengths are such as to be cut.
LOGS = [
    Reader(
        "a log line",
        logged,
        (("/intake/", ""), ("a://", "@"), ("a@", ""), ("bearer ", ""), ("DETAIL: ", "")),
        ("a@", "://", "+1", "é"),
        size=2 * logs.MAX_TRACEBACK_LENGTH,
    ),
]
REPORT = "Content-Type: multipart/report; boundary=b\n\n--b\nContent-Type: message/delivery-status\n\n"
LETTERS = [
    Reader(
        "a mail",
        of_bytes(mail.read_mail_content),
        (
            ("A: ", ""),
            ("A: b\n\n", ""),
            ("Content-Type: a/b; ", ""),
            ("Content-Type: multipart/mixed; boundary=b\n\n", "--b"),
            ('Content-Disposition: attachment; filename="', '"\n\n'),
            ("From: ", "\n\n"),
            ("Date: ", "\n\n"),
        ),
    ),
    Reader(
        "a mail as a lead",
        of_bytes(lambda data: read(data, {}, format="email")),
        (("A: b\n\n", ""), ("A: b\nContent-Type: text/html\n\n", ""), ("A: b\n\nName: ", "\nEmail: a@b.co\n")),
    ),
    Reader(
        "parts of a mail",
        of_bytes(lambda data: list(mime.open_mail(data).leaves())),
        (("Content-Type: multipart/mixed; boundary=b\n\n", ""),),
        ("--b\n", "\n--b\n\n", "--b--\n"),
    ),
    Reader(
        "labels",
        labels.labelled_draft,
        (("Email: a@b.co\nName: ", ""), ("Message: ", "")),
        ("Address:\n", "Message:\n"),
    ),
    Reader(
        "a forwarded mail",
        forwarded.inner_text,
        ((" -- forwarded message", "x"), ("--", "x"), ("-- forwarded message --\n", "")),
    ),
    Reader("a forwarded page", forwarded.inner_page, (("-- forwarded message", "x"), ("--", "x")), ("&nbsp;",)),
    Reader(
        "a mail that came back",
        of_bytes(lambda data: returned_mail.read_returned_mail(data, has_sender=True, find_failures=lambda _: False)),
        (("A: b\n\n", ""), ("Subject: ", "\n\n"), ("Content-Type: multipart/report; boundary=b\n\n--b\n\n", "--b")),
    ),
    Reader(
        "the parts of a report",
        of_bytes(lambda data: returned_mail.read_returned_mail(data, has_sender=False, find_failures=lambda _: False)),
        (
            (f"{REPORT}Action: failed\nStatus: ", "\n"),
            (f"{REPORT}Diagnostic-Code: ", "\n"),
            (f"{REPORT}A: b\n", "\n\n"),
        ),
        ("5.1.", "Status: 5.1.1\n\n", "bounce+", "bounce+aaaaaaaaaaaaaaaaaaaa@"),
    ),
    Reader(
        "an answer without its quote",
        reply_text.own_words,
        (("On ", " wrote:\n"), ("From: ", "\nSent: x"), ("sent from my ", "x")),
        ("wrote ", "On wrote:\n", "> a\n", "--", "_"),
    ),
    Reader(
        "a mail to be passed on", of_bytes(passing_on.taken_apart), (("Content-Type: ", "\n\n"), ("From: ", "\n\n"))
    ),
    Reader("a word of stopping", stop_words.read_wish, (("", "stop texting me"), ("not ", ""))),
    Reader("an address for what comes back", lambda text_: read_return_address("a secret", text_), (("bounce+", ""),)),
    Reader("a status code", delivery_status.status_code, (("", "5.1.1"), ("5.", ".1")), ("5.1.", "5.0.0 ")),
    Reader("header lines of a forwarded mail", forwarded.inner_headers, (("From: ", ""), ("From: a\n", ""))),
    Reader(
        "texts of an arrival",
        of_bytes(lambda data: list(text_search.texts_in(data, {}))),
        (("A: b\n\n", ""), ("=?a?q?", "?=")),
    ),
]
PAGES = [
    Reader("the text of a page", html.page_text, (("<p ", ">"), ("<script>", ""), ("<pre>", ""))),
    Reader("meta tags", lambda text_: list(html.meta_tags(text_)), (("<meta ", ">"), ('<meta name="', '">'))),
    Reader("markup", markup.read_markup, (("<a ", ">"), ("<![cdata[", "]]>"))),
    Reader(
        "ADF",
        lambda text_: adf.read_adf(text_, None),
        (("<adf><prospect><customer>", ""), ('<adf><prospect a="', '">')),
    ),
    Reader("the encoding of ADF", of_bytes(adf.declared_encoding), (("<?xml ", ""), ('<?xml encoding="', "x"))),
    Reader("whether a template is HTML", is_markup),
    Reader("whether HTML has lines", breaks_lines),
    Reader("a template", check_template, (("{{ ", " }}"), ("{% if ", " %}"), ("{{", ""), ("{%", "")), size=1_000),
    Reader("a template as HTML", templates._html_of),
]

GROUPS: dict[str, tuple[list[Reader], tuple[str, ...]]] = {
    "headers": (HEADERS, HEADER),
    "addresses": (ADDRESSES, ADDRESS),
    "bodies": (BODIES, (*JSON, "&", "%41")),
    "fields": (FIELDS, (",", "-", ";", "T", ":")),
    "texts": ([replace(each, size=5_000) for each in TEXTS], WORDS),  # a field's, read character by character
    "logs": (LOGS, WORDS),
    "letters": ([replace(each, size=min(each.size, 12_000)) for each in LETTERS], MAIL),
    "pages": ([replace(each, size=min(each.size, 12_000)) for each in PAGES], MARKUP),
}


def cases(reader: Reader, units: tuple[str, ...]) -> Iterator[tuple[str, str, str]]:
    """(start, unit, end): one thing over and over, alone and inside of what this reader looks for."""
    for start, end in (("", ""), *reader.frames):
        for unit in dict.fromkeys((*COMMON, *units, *reader.units)):
            yield start, unit, end
