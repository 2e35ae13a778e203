"""Every setting: its name in the environment, its default and one line of help. Read once, from the environment only.

A setting may also be given as NAME_FILE, a file that holds the value, as containers hand out secrets.
"""

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import limits

from leadroutes.errors import Misconfigured

MOST_DAYS = 36_500  # that something is kept


def _setting(name: str, default: Any, parse: Callable[[str], Any], explanation: str) -> Any:
    return field(default=default, metadata={"name": name, "parse": parse, "help": explanation})


def _positive(text: str) -> float:
    value = float(text)
    if value <= 0:
        raise ValueError("expected a number above 0")
    return value


def _count(text: str) -> int:
    value = int(text)
    if value < 1:
        raise ValueError("expected a whole number above 0")
    return value


def _not_negative(text: str) -> float:
    value = float(text)
    if not 0 <= value < float("inf"):
        raise ValueError("expected a number that is not negative")
    return value


def _whole(text: str) -> int:
    value = int(text)
    if value < 0:
        raise ValueError("expected a whole number that is not negative")
    return value


def _truth(text: str) -> bool:
    if text.lower() not in ("1", "0", "true", "false", "yes", "no", "on", "off"):
        raise ValueError("expected on or off")
    return text.lower() in ("1", "true", "yes", "on")


def _days(text: str) -> int:
    value = int(text)
    if not 1 <= value <= MOST_DAYS:
        raise ValueError(f"expected a number of days from 1 to {MOST_DAYS}")
    return value


def _domain(text: str) -> str:
    domain = text.strip().lower().rstrip(".")
    if not re.fullmatch(r"[a-z0-9]([a-z0-9.-]{0,250}[a-z0-9])?", domain):
        raise ValueError("expected a domain such as leads.example.com")
    return domain


def _host_and_port(text: str) -> str:
    host, _, port = text.rpartition(":")
    if not (host and port.isascii() and port.isdigit() and int(port) <= 65_535):
        raise ValueError("expected host:port, such as 0.0.0.0:25")
    return text


def _rate(text: str) -> str:
    try:
        limits.parse(text)
    except ValueError:
        raise ValueError("expected a number and a span, such as 600/minute") from None
    return text


def _rate_or_off(text: str) -> str | None:
    return None if text.strip().lower() == "off" else _rate(text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The values in force."""

    database_url: str | None = _setting(
        "DATABASE_URL", None, str, "PostgreSQL 15 or newer to use; without it an embedded server is started"
    )
    data: Path = _setting(
        "LEADROUTES_DATA", Path(".leadroutes"), Path, "directory of the embedded server and of the generated secret"
    )
    public_url: str = _setting(
        "LEADROUTES_PUBLIC_URL", "http://127.0.0.1:8080", lambda text: text.rstrip("/"),
        "address under which people reach this service; claim links begin with it",
    )  # fmt: skip
    smtp_url: str | None = _setting(
        "LEADROUTES_SMTP_URL", None, str,
        "smtp://user:password@host:port (STARTTLS when offered) or smtps://…; without it mails stay in the outbox",
    )  # fmt: skip
    mail_from: str = _setting(
        "LEADROUTES_MAIL_FROM", "leads@localhost", str, "address that mails come from"
    )
    time_scale: float = _setting(
        "LEADROUTES_TIME_SCALE", 1.0, _positive, "how many times faster the domain's clock runs; for demonstrations"
    )
    secret: str | None = _setting(
        "LEADROUTES_SECRET", None, str,
        "key for signatures and stored secrets; without it one is generated in LEADROUTES_DATA",
    )  # fmt: skip
    pool_size: int = _setting(
        "LEADROUTES_POOL_SIZE", 10, _count, "database connections of one process"
    )
    statement_cache: int | None = _setting(
        "LEADROUTES_STATEMENT_CACHE", None, _whole,
        "prepared statements that a connection keeps; else 100, or 0 where DATABASE_URL names a pooler (see the next)",
    )  # fmt: skip
    listen_url: str | None = _setting(
        "LEADROUTES_DATABASE_LISTEN_URL", None, str,
        "PostgreSQL without the pooler that DATABASE_URL names, for LISTEN and the message queue",
    )  # fmt: skip
    intake_limit: int = _setting(
        "LEADROUTES_INTAKE_LIMIT", 1_048_576, _count, "largest body at /intake over HTTP, in bytes"
    )
    mail_limit: int = _setting(
        "LEADROUTES_MAIL_LIMIT", 10_485_760, _count, "largest mail at /intake, in bytes"
    )
    intake_per_key: str | None = _setting(
        "LEADROUTES_INTAKE_PER_KEY", "1200/minute", _rate_or_off,
        "most leads that one intake key has routed at once; further ones are stored and routed later, in their turn, as"
        " many in each span; `off`: no limit; counted by each process",
    )  # fmt: skip
    intake_bytes_per_key: str | None = _setting(
        "LEADROUTES_INTAKE_BYTES_PER_KEY", "2000000000/day", _rate_or_off,
        "most bytes that are taken with one intake key from senders who prove nothing (beyond: 429); `off`: no limit;"
        " counted by each process",
    )  # fmt: skip
    mail_domain: str | None = _setting(
        "LEADROUTES_MAIL_DOMAIN", None, _domain, "leads may be mailed to <intake key>@ this domain"
    )
    mail_listen: str | None = _setting(
        "LEADROUTES_MAIL_LISTEN", None, _host_and_port,
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
        "LEADROUTES_GRAPH_URL", "https://graph.facebook.com/v24.0", lambda text: text.rstrip("/"),
        "Facebook's Graph API, which is asked for the leads that its webhooks only name",
    )  # fmt: skip
    token_life: int = _setting(
        "LEADROUTES_TOKEN_LIFE", 776_000, _count, "seconds that an access token lasts which an application was given"
    )
    rate_per_token: str | None = _setting(
        "LEADROUTES_RATE_PER_TOKEN", None, _rate,
        "most calls of one access token, such as 600/minute; counted by each process for itself; without it no limit",
    )  # fmt: skip
    rate_per_address: str | None = _setting(
        "LEADROUTES_RATE_PER_ADDRESS", None, _rate,
        "most calls from one address (IPv6: one network of 64 bits), such as 1200/minute, with a token or without one",
    )  # fmt: skip
    body_timeout: float = _setting(
        "LEADROUTES_BODY_TIMEOUT", 30.0, _positive,
        "seconds within which a request's head and then its body have to arrive, and an answer to be taken",
    )  # fmt: skip
    stop_delay: float = _setting(
        "LEADROUTES_STOP_DELAY", 0.0, _not_negative,
        "seconds that `serve` still answers after SIGTERM while /readyz says no, for a load balancer to notice",
    )  # fmt: skip
    log_json: bool = _setting(
        "LEADROUTES_LOG_JSON", False, _truth, "log lines as JSON objects instead of text"
    )
    log_leads: bool = _setting(
        "LEADROUTES_LOG_LEADS", True, _truth, "a log line for all that happens to a lead, with its owner and number"
    )
    metrics: bool = _setting(
        "LEADROUTES_METRICS", False, _truth,
        "whether /metrics answers Prometheus; it names nobody, but says how much goes on",
    )  # fmt: skip
    metrics_token: str | None = _setting(
        "LEADROUTES_METRICS_TOKEN", None, str, "bearer token that /metrics asks for; without it anybody may read there"
    )
    worker_listen: str | None = _setting(
        "LEADROUTES_WORKER_LISTEN", None, _host_and_port,
        "host:port where `leadroutes worker` answers /healthz and /metrics; without it nowhere",
    )  # fmt: skip
    otlp_endpoint: str | None = _setting(
        "OTEL_EXPORTER_OTLP_ENDPOINT", None, str,
        "where OpenTelemetry traces go, if leadroutes[otel] is installed; its other variables count, too",
    )  # fmt: skip
    keep_arrivals: int | None = _setting(
        "LEADROUTES_KEEP_ARRIVALS", None, _days,
        "days after which the bodies and headers of arrivals are removed; without it never",
    )  # fmt: skip
    keep_messages: int | None = _setting(
        "LEADROUTES_KEEP_MESSAGES", None, _days, "days after which the words of messages are removed; without it never"
    )
    keep_claim_links: int = _setting(
        "LEADROUTES_KEEP_CLAIM_LINKS", 90, _days, "days that the claim link in an alert leads anywhere"
    )
    keep_rule_sets: int = _setting(
        "LEADROUTES_KEEP_RULE_SETS", 30, _days, "days that past rule sets are kept by which no lead was decided"
    )
    keep_queue_log: int = _setting(
        "LEADROUTES_KEEP_QUEUE_LOG", 7, _days, "days that the message queue's own log and statistics are kept"
    )

    @classmethod
    def load(cls, environ: Mapping[str, str] | None = None) -> "Settings":
        """Read them; a value that cannot be read raises Misconfigured, naming the setting."""
        environ = os.environ if environ is None else environ
        values = {}
        for each in fields(cls):
            text = _given(each.metadata["name"], environ)
            if text is not None:
                values[each.name] = _parsed(each.metadata, text)
        return cls(**values)


def _given(name: str, environ: Mapping[str, str]) -> str | None:
    if path := environ.get(name + "_FILE"):
        try:
            return Path(path).read_text(encoding="utf-8").strip()
        except OSError as error:
            raise Misconfigured(f"{name}_FILE: {path} cannot be read ({error.strerror})") from error
    return environ.get(name) or None


def _parsed(metadata: Mapping[str, Any], text: str) -> Any:
    try:
        return metadata["parse"](text)
    except ValueError as error:
        raise Misconfigured(f"{metadata['name']}: {text!r} was given; {error}") from error


def described() -> list[tuple[str, str, str]]:
    """(name, default, help) of every setting, in the order in which they are declared."""
    return [
        (each.metadata["name"], "" if each.default is None else str(each.default), each.metadata["help"])
        for each in fields(Settings)
    ]
