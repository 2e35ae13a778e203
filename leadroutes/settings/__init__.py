"""Every setting: its name in the environment, its default and one line of help. Read once, from the environment only.

A setting may also be given as NAME_FILE, a file that holds the value, as containers hand out secrets.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal

from leadroutes.errors import Misconfigured
from leadroutes.settings import values as values
from leadroutes.settings.certificates import server_context

MOST_DAYS = 36_500  # that something is stored
LEAST_SIZE, MOST_SIZE = 1_000, 500_000_000  # bytes of a body; the database takes no value of more than a gigabyte
MOST_WAIT = 3_600  # seconds
MOST_CONNECTIONS = 1_000  # of one process
MOST_STATEMENTS = 1_000_000  # that one connection keeps prepared
LONGEST_TOKEN = 315_360_000  # seconds: ten years
MOST_TEXTS = 1_000  # a second
MOST_TEXTS_OF_A_DAY = 1_000_000_000
MOST_MAILS = 1_000_000  # an hour
SLOWEST, FASTEST = 0.01, 10_000.0  # how fast the domain's clock runs


def _setting(
    name: str,
    default: Any,
    parse: Callable[[str], Any],
    explanation: str,
    hides: Literal["nothing", "password", "all"] = "nothing",
) -> Any:
    """A setting; `hides` says how much of a value is never shown."""
    return field(default=default, metadata={"name": name, "parse": parse, "help": explanation, "hides": hides})


_days = values.whole(1, MOST_DAYS, "number of days")
_size = values.whole(LEAST_SIZE, MOST_SIZE, "number of bytes")
_seconds = values.decimal(0.01, MOST_WAIT, "number of seconds")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The values in force."""

    database_url: str | None = _setting(
        "DATABASE_URL", None, values.database_url,
        "PostgreSQL 15 or newer to use; without it an embedded server is started", "password",
    )  # fmt: skip
    data: Path = _setting(
        "LEADROUTES_DATA", Path(".leadroutes"), Path, "directory of the embedded server and of the generated secret"
    )
    public_url: str = _setting(
        "LEADROUTES_PUBLIC_URL", "http://127.0.0.1:8080", values.public_url,
        "address under which people reach this service; claim links begin with it", "password",
    )  # fmt: skip
    smtp_url: str | None = _setting(
        "LEADROUTES_SMTP_URL", None, values.smtp_url,
        "smtp://user:password@host:port (STARTTLS when offered) or smtps://…; without it mails stay in the outbox",
        "password",
    )  # fmt: skip
    mail_from: str = _setting(
        "LEADROUTES_MAIL_FROM", "leads@localhost", values.sender,
        "address that mails come from, alone or with a name: Lead Routes <leads@example.com>",
    )  # fmt: skip
    time_scale: float = _setting(
        "LEADROUTES_TIME_SCALE", 1.0, values.decimal(SLOWEST, FASTEST),
        "how many times faster the domain's clock runs; for demonstrations",
    )  # fmt: skip
    clock_start: datetime | None = _setting(
        "LEADROUTES_CLOCK_START", None, values.moment,
        "where the domain's clock begins in a new database, such as 2027-03-13T09:00:00-07:00; for tests and"
        " demonstrations, only together with LEADROUTES_TIME_SCALE",
    )  # fmt: skip
    secret: str | None = _setting(
        "LEADROUTES_SECRET", None, values.secret,
        "key for signatures and stored secrets, of at least 16 characters; without it one is generated in"
        " LEADROUTES_DATA", "all",
    )  # fmt: skip
    pool_size: int = _setting(
        "LEADROUTES_POOL_SIZE", 10, values.whole(1, MOST_CONNECTIONS), "database connections of one process"
    )
    statement_cache: int | None = _setting(
        "LEADROUTES_STATEMENT_CACHE", None, values.whole(0, MOST_STATEMENTS),
        "prepared statements that a connection keeps; else 100, or 0 where DATABASE_URL names a pooler (see the next)",
    )  # fmt: skip
    listen_url: str | None = _setting(
        "LEADROUTES_DATABASE_LISTEN_URL", None, values.database_url,
        "PostgreSQL without the pooler that DATABASE_URL names, for LISTEN and the message queue", "password",
    )  # fmt: skip
    intake_limit: int = _setting(
        "LEADROUTES_INTAKE_LIMIT", 1_048_576, _size, "largest body at /intake over HTTP, in bytes"
    )
    mail_limit: int = _setting("LEADROUTES_MAIL_LIMIT", 10_485_760, _size, "largest mail at /intake, in bytes")
    intake_per_key: str | None = _setting(
        "LEADROUTES_INTAKE_PER_KEY", "1200/minute", values.rate_or_off,
        "most leads that one intake key has routed at once; further ones are stored and routed later, in their turn, as"
        " many in each span; `off`: no limit; counted by each process",
    )  # fmt: skip
    intake_bytes_per_key: str | None = _setting(
        "LEADROUTES_INTAKE_BYTES_PER_KEY", "2000000000/day", values.rate_or_off,
        "most bytes that are taken with one intake key from senders who prove nothing (beyond: 429); `off`: no limit;"
        " counted by each process",
    )  # fmt: skip
    mail_domain: str | None = _setting(
        "LEADROUTES_MAIL_DOMAIN", None, values.domain,
        "leads may be mailed to <intake key>@ this domain; reports about mails and answers to them come there, too",
    )  # fmt: skip
    mail_listen: str | None = _setting(
        "LEADROUTES_MAIL_LISTEN", None, values.host_and_port,
        "host:port where mail to LEADROUTES_MAIL_DOMAIN is taken in by SMTP or LMTP; without it no mail is",
    )  # fmt: skip
    mail_certificate: Path | None = _setting(
        "LEADROUTES_MAIL_CERTIFICATE", None, Path,
        "PEM file of the certificate (chain) for STARTTLS; without it none is offered",
    )  # fmt: skip
    mail_certificate_key: Path | None = _setting(
        "LEADROUTES_MAIL_CERTIFICATE_KEY", None, Path,
        "PEM file of that certificate's private key, if it is not in the same file",
    )  # fmt: skip
    graph_url: str = _setting(
        "LEADROUTES_GRAPH_URL", "https://graph.facebook.com/v24.0", values.web_url("https://graph.facebook.com/v24.0"),
        "Facebook's Graph API, which is asked for the leads that its webhooks only name", "password",
    )  # fmt: skip
    twilio_url: str = _setting(
        "LEADROUTES_TWILIO_URL", "https://api.twilio.com/2010-04-01", values.provider_url,
        "API of Twilio's shape that texts and calls go through, up to what comes before /Accounts; an address without"
        " a path gets Twilio's", "password",
    )  # fmt: skip
    twilio_account: str | None = _setting(
        "LEADROUTES_TWILIO_ACCOUNT", None, values.provider_id("AC0123456789abcdef0123456789abcdef"),
        "id of the account there; without it texts and calls stay in the outbox",
    )  # fmt: skip
    twilio_token: str | None = _setting(
        "LEADROUTES_TWILIO_TOKEN", None, values.bearer,
        "the account's token, by which requests of the provider are checked, and ours signed unless there is a key",
        "all",
    )  # fmt: skip
    twilio_key: str | None = _setting(
        "LEADROUTES_TWILIO_KEY", None, values.provider_id("SK0123456789abcdef0123456789abcdef"),
        "id of a key that requests are made with instead of the token",
    )  # fmt: skip
    twilio_key_secret: str | None = _setting(
        "LEADROUTES_TWILIO_KEY_SECRET", None, values.bearer, "the secret of that key", "all"
    )
    twilio_from: str | None = _setting(
        "LEADROUTES_TWILIO_FROM", None, values.phone_number,
        "number of the account that texts and calls come from, such as +13035550100",
    )  # fmt: skip
    twilio_messaging_service: str | None = _setting(
        "LEADROUTES_TWILIO_MESSAGING_SERVICE", None, values.provider_id("MG0123456789abcdef0123456789abcdef"),
        "messaging service that texts are sent by in place of a number",
    )  # fmt: skip
    twilio_answers_stop: bool = _setting(
        "LEADROUTES_TWILIO_ANSWERS_STOP", True, values.truth,
        "whether the provider itself answers STOP, START and HELP, so that this service does not",
    )  # fmt: skip
    twilio_signing_keys: str | None = _setting(
        "LEADROUTES_TWILIO_SIGNING_KEYS", None, values.signing_keys,
        "keys by which the provider signs with HMAC_SHA256, as ID:SECRET, several with commas between them", "all",
    )  # fmt: skip
    calls_per_second: float = _setting(
        "LEADROUTES_CALLS_PER_SECOND", 1.0, values.decimal(0.01, MOST_TEXTS),
        "most calls that are placed in a second, by all processes together; a new account at Twilio allows one",
    )  # fmt: skip
    texts_per_second: float = _setting(
        "LEADROUTES_TEXTS_PER_SECOND", 1.0, values.decimal(0.01, MOST_TEXTS),
        "most texts that leave one number in a second, by all processes together; alerts go before campaigns",
    )  # fmt: skip
    texts_per_day: int | None = _setting(
        "LEADROUTES_TEXTS_PER_DAY", None, values.whole(1, MOST_TEXTS_OF_A_DAY),
        "most texts in a day of Pacific time, by which American carriers count; beyond it campaigns wait for the next"
        " day, and alerts do not; without it no limit",
    )  # fmt: skip
    quiet_hours: str = _setting(
        "LEADROUTES_QUIET_HOURS", "strict", values.word("strict", "law"),
        "when texts of campaigns go and calls are connected, by the contact's clock: `law` is the lawful hours;"
        " `strict` allows besides only Monday to Friday 9–20, Saturday 10–17, no Sundays, no federal holidays",
    )  # fmt: skip
    texts_per_contact_per_day: int = _setting(
        "LEADROUTES_TEXTS_PER_CONTACT_PER_DAY", 3, values.whole(1, MOST_TEXTS),
        "most texts of campaigns to one contact in 24 hours; some states allow fewer",
    )  # fmt: skip
    mails_per_hour: int | None = _setting(
        "LEADROUTES_MAILS_PER_HOUR", None, values.whole(1, MOST_MAILS),
        "most mails of campaigns in the name of one user in an hour of real time; the rest waits in order; without it"
        " no limit",
    )  # fmt: skip
    warm_up_days: int = _setting(
        "LEADROUTES_WARM_UP_DAYS", 0, values.whole(0, 365, "number of days"),
        "days, from a user's first campaign mail on, over which the limit of mails in an hour grows evenly to its full"
        " height",
    )  # fmt: skip
    push_services: str | None = _setting(
        "LEADROUTES_PUSH_SERVICES", None, values.origins,
        "further push services that browsers may name, beside those of Google, Mozilla, Apple and Microsoft: hosts or"
        " addresses with commas, such as push.example.com,http://127.0.0.1:9000; only those given with http:// or a"
        " loopback address are reached in that way",
    )  # fmt: skip
    webhooks_to_private: str | None = _setting(
        "LEADROUTES_WEBHOOKS_TO_PRIVATE", None, values.networks_or_on,
        "whether addresses that users type, such as those of webhooks, may lead inside: `on`, or networks such as"
        " 10.0.0.0/8,192.168.1.7/32; http is allowed there, too; without it they may not",
    )  # fmt: skip
    webhook_tries: str = _setting(
        "LEADROUTES_WEBHOOK_TRIES", "5s,5m,30m,2h,5h,10h,14h,20h", values.spans,
        "how long after each failed try the next one of a webhook's delivery follows (s, m, h); the first try is at"
        " once, and after the last one the delivery is given up",
    )  # fmt: skip
    admin_second_factor: bool = _setting(
        "LEADROUTES_ADMIN_SECOND_FACTOR", False, values.truth,
        "whether administrators need a second factor to sign in; who has none is asked to add one",
    )  # fmt: skip
    token_life: int = _setting(
        "LEADROUTES_TOKEN_LIFE", 776_000, values.whole(1, LONGEST_TOKEN),
        "seconds that an access token lasts which an application was given",
    )  # fmt: skip
    rate_per_token: str | None = _setting(
        "LEADROUTES_RATE_PER_TOKEN", None, values.rate,
        "most calls of one access token, such as 600/minute; counted by each process for itself; without it no limit",
    )  # fmt: skip
    rate_per_address: str | None = _setting(
        "LEADROUTES_RATE_PER_ADDRESS", None, values.rate,
        "most calls from one address (IPv6: one network of 64 bits), such as 1200/minute, with a token or without one",
    )  # fmt: skip
    body_timeout: float = _setting(
        "LEADROUTES_BODY_TIMEOUT", 30.0, _seconds,
        "seconds within which a request's head and then its body have to arrive, and an answer to be taken",
    )  # fmt: skip
    stop_delay: float = _setting(
        "LEADROUTES_STOP_DELAY", 0.0, values.decimal(0, MOST_WAIT, "number of seconds"),
        "seconds that `serve` still answers after SIGTERM while /readyz says no, for a load balancer to notice",
    )  # fmt: skip
    log_json: bool = _setting("LEADROUTES_LOG_JSON", False, values.truth, "log lines as JSON objects instead of text")
    log_leads: bool = _setting(
        "LEADROUTES_LOG_LEADS", True, values.truth,
        "a log line for all that happens to a lead, with its owner and number",
    )  # fmt: skip
    metrics: bool = _setting(
        "LEADROUTES_METRICS", False, values.truth,
        "whether /metrics answers Prometheus; it names no one, but says how much goes on",
    )  # fmt: skip
    metrics_token: str | None = _setting(
        "LEADROUTES_METRICS_TOKEN", None, values.bearer,
        "bearer token that /metrics asks for; without it anyone may read there", "all",
    )  # fmt: skip
    worker_listen: str | None = _setting(
        "LEADROUTES_WORKER_LISTEN", None, values.host_and_port,
        "host:port where `leadroutes worker` answers /healthz and /metrics; without it nowhere",
    )  # fmt: skip
    otlp_endpoint: str | None = _setting(
        "OTEL_EXPORTER_OTLP_ENDPOINT", None, values.web_url("http://127.0.0.1:4318"),
        "where OpenTelemetry traces go, if leadroutes[otel] is installed; its other variables count, too", "password",
    )  # fmt: skip
    open_for: int = _setting(
        "LEADROUTES_OPEN_FOR", 30, _days, "days for which a claimed lead counts as open, against caps of agents"
    )
    keep_arrivals: int | None = _setting(
        "LEADROUTES_KEEP_ARRIVALS", None, _days,
        "days after which the bodies and headers of arrivals are removed; without it never",
    )  # fmt: skip
    keep_messages: int | None = _setting(
        "LEADROUTES_KEEP_MESSAGES", None, _days, "days after which the words of messages are removed; without it never"
    )
    keep_audit: int = _setting("LEADROUTES_KEEP_AUDIT", 730, _days, "days that the audit of what people did is stored")
    keep_claim_links: int = _setting(
        "LEADROUTES_KEEP_CLAIM_LINKS", 90, _days, "days that the claim link in an alert leads anywhere"
    )
    keep_rule_sets: int = _setting(
        "LEADROUTES_KEEP_RULE_SETS", 30, _days, "days that past rule sets are stored by which no lead was decided"
    )
    keep_versions: int = _setting(
        "LEADROUTES_KEEP_VERSIONS", 730, _days, "days that versions of the rules are stored, to compare and restore"
    )
    keep_imports: int = _setting(
        "LEADROUTES_KEEP_IMPORTS", 7, _days, "days that the file of an import is stored; its result stays"
    )
    keep_queue_log: int = _setting(
        "LEADROUTES_KEEP_QUEUE_LOG", 7, _days, "days that the message queue's own log and statistics are stored"
    )

    @property
    def open_span(self) -> timedelta:
        """How old a lead may be that counts as open."""
        return timedelta(days=self.open_for)

    @classmethod
    def load(cls, environ: Mapping[str, str] | None = None) -> "Settings":
        """Read them, and look at what they name. Misconfigured lists every one that cannot be, with the mend."""
        environ = os.environ if environ is None else environ
        found, faults = {}, []
        for each in fields(cls):
            try:
                text = _given(each.metadata["name"], environ)
                if text is not None:
                    found[each.name] = _parsed(each.metadata, text)
            except Misconfigured as fault:
                faults.append(fault.message)
        settings = cls(**found)
        if faults := faults or faults_of(settings):
            raise Misconfigured("\n".join(faults))
        return settings


def _given(name: str, environ: Mapping[str, str]) -> str | None:
    path = environ.get(name + "_FILE")
    if not path:
        return environ.get(name) or None
    if environ.get(name):
        raise Misconfigured(f"{name} and {name}_FILE are both set; expected one of them")
    try:
        text = Path(path).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise Misconfigured(f"{name}_FILE: {path} cannot be read ({error.strerror})") from error
    except ValueError as error:
        raise Misconfigured(f"{name}_FILE: {path} cannot be read; expected a text in UTF-8") from error
    if not text:
        raise Misconfigured(f"{name}_FILE: {path} is empty; expected a file that holds the value")
    return text


def _parsed(metadata: Mapping[str, Any], text: str) -> Any:
    try:
        return metadata["parse"](text)
    except ValueError as error:
        given = f"a value of {len(text)} characters" if metadata["hides"] == "all" else repr(_shown(metadata, text))
        raise Misconfigured(f"{metadata['name']}: {given} was given; {error}") from error


def _shown(metadata: Mapping[str, Any], text: str) -> str:
    match metadata["hides"]:
        case "all":
            return "(set)"
        case "password":
            return values.shortened(values.without_password(text))
    return values.shortened(text)


# ------------------------------------------------------------------------------------- what the values mean together


def faults_of(settings: Settings) -> list[str]:
    """Settings that need each other, files that are not there, a directory that cannot be written: a sentence each."""
    return [fault for find in _FAULTS if (fault := find(settings)) is not None]


def _listening_fault(settings: Settings) -> str | None:
    if settings.listen_url is None or settings.database_url is not None:
        return None
    return "LEADROUTES_DATABASE_LISTEN_URL is set; expected DATABASE_URL, which names the pooler, with it"


def _mail_fault(settings: Settings) -> str | None:
    if settings.mail_listen is None or settings.mail_domain is not None:
        return None
    return "LEADROUTES_MAIL_LISTEN is set; expected LEADROUTES_MAIL_DOMAIN, the domain that mail is taken for, with it"


def _certificate_fault(settings: Settings) -> str | None:
    certificate, key = settings.mail_certificate, settings.mail_certificate_key
    if certificate is None:
        lone = "LEADROUTES_MAIL_CERTIFICATE_KEY is set; expected LEADROUTES_MAIL_CERTIFICATE, whose key it is, with it"
        return None if key is None else lone
    try:
        server_context(certificate, key)
    except Misconfigured as fault:
        return fault.message
    return None


def _data_fault(settings: Settings) -> str | None:
    """Of the embedded server's directory; whose it is, the server itself looks at."""
    if settings.database_url is not None:
        return None
    expected = f"LEADROUTES_DATA: '{settings.data}' was given; expected a directory that can be written"
    try:
        place = settings.data.absolute()
        if (place / "postgres" / "PG_VERSION").exists():
            return None
        while not place.exists():
            place = place.parent
        if not place.is_dir():
            return f"{expected} ({place} is not a directory)"
    except OSError as error:
        return f"{expected} ({error.strerror})"
    return None if os.access(place, os.W_OK | os.X_OK) else f"{expected} (this user may not write in {place})"


def _clock_fault(settings: Settings) -> str | None:
    if settings.clock_start is None or settings.time_scale != 1:
        return None
    return (
        "LEADROUTES_CLOCK_START is set; expected LEADROUTES_TIME_SCALE, other than 1, with it: the clock of a real"
        " brokerage begins now"
    )


def _warm_up_fault(settings: Settings) -> str | None:
    if not settings.warm_up_days or settings.mails_per_hour is not None:
        return None
    return "LEADROUTES_WARM_UP_DAYS is set; expected LEADROUTES_MAILS_PER_HOUR, the limit that grows, with it"


def _provider_fault(settings: Settings) -> str | None:
    """Of the credentials for texts and calls, which are all needed together."""
    given = {
        each.metadata["name"].removeprefix("LEADROUTES_TWILIO_"): getattr(settings, each.name)
        for each in fields(Settings)
        if each.name.startswith("twilio_")
    }
    found = {name for name, value in given.items() if isinstance(value, str)} - {"URL"}
    for name, needed, why in _PROVIDER_NEEDS:
        if name in found and not found & set(needed):
            expected = " or ".join(f"LEADROUTES_TWILIO_{each}" for each in needed)
            return f"LEADROUTES_TWILIO_{name} is set; expected {expected}, {why}, with it"
    return None


_PROVIDER_NEEDS = (
    *((name, ("ACCOUNT",), "the account that it belongs to") for name in ("TOKEN", "KEY", "FROM", "MESSAGING_SERVICE")),
    ("SIGNING_KEYS", ("ACCOUNT",), "the account that they belong to"),
    ("KEY", ("KEY_SECRET",), "its secret"),
    ("KEY_SECRET", ("KEY",), "whose secret it is"),
    ("ACCOUNT", ("TOKEN", "KEY"), "with which requests are made"),
    ("ACCOUNT", ("TOKEN", "SIGNING_KEYS"), "by which the provider's requests are checked"),
    ("ACCOUNT", ("FROM", "MESSAGING_SERVICE"), "which texts come from"),
)


_FAULTS = (
    _listening_fault, _mail_fault, _certificate_fault, _data_fault, _clock_fault, _warm_up_fault, _provider_fault,
)  # fmt: skip


# ------------------------------------------------------------------------------------------------- how they are shown


def in_force(settings: Settings) -> list[tuple[str, str | bool | None, str]]:
    """(name, value as it may be shown, help) of every setting; a value is None where there is none."""
    rows = []
    for each in fields(settings):
        value = getattr(settings, each.name)
        shown = value if value is None or isinstance(value, bool) else _shown(each.metadata, str(value))
        rows.append((each.metadata["name"], shown, each.metadata["help"]))
    return rows


def described() -> list[tuple[str, str, str]]:
    """(name, default, help) of every setting, in the order in which they are declared."""
    return [
        (each.metadata["name"], "" if each.default is None else str(each.default), each.metadata["help"])
        for each in fields(Settings)
    ]
