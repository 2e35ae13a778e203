"""Settings are read once, at the start: what cannot be is refused with its name, its value and what was expected."""

import os
import subprocess
from dataclasses import fields
from pathlib import Path

import pytest

from leadroutes.errors import Misconfigured
from leadroutes.security.secret_key import load_secret_key
from leadroutes.settings import Settings, in_force
from leadroutes.settings.values import without_password
from leadroutes.settings.warnings import warnings_of, warnings_of_names

DATABASE = {"DATABASE_URL": "postgresql://leads@127.0.0.1/leads"}

# name -> (a value that cannot be, what the refusal says of it, …)
BAD = {
    "DATABASE_URL": [
        ("mysql://alice@host/leads", "mysql://", "postgresql://user:password@host:port/database"),
        ("postgresql://alice@host:port/leads", "host:port", "postgresql://"),
        ("postgresql://alice@host:99999/leads", "99999", "postgresql://"),
        ("postgresql://one:1,two:x/leads", "…", "postgresql://"),
        ("postgresql:///leads?host=/tmp&port=x", "postgresql://", "postgresql://user"),
        ("postgresql://alice:pa#ss@host/leads", "…@host", "%23"),
        ("postgresql://alice@host/leads?sslmode=maybe", "@host", "verify-full"),
    ],
    "LEADROUTES_DATABASE_LISTEN_URL": [
        ("localhost:5432", "localhost:5432", "postgresql://"),
        ("postgresql://alice@host/leads", "is set", "DATABASE_URL"),
    ],
    "LEADROUTES_DATA": [("/dev/null/data", "/dev/null/data", "directory that can be written")],
    "LEADROUTES_PUBLIC_URL": [
        (bad, bad[:8], "https://leads.example.com")
        for bad in (
            "leads.example.com", "ftp://leads.example.com", "https://", "https:///leads", "https://leads.example.com?a=1",
            "https://leads.example.com/?", "https://leads.example.com/#top", "https://leads.example.com:0",
            "https://leads.example.com:x", "https://leads.example.com:", "https://le ads.example.com", "https://[::1",
            "https://bücher.example", "https://leads..example.com", "https://999.1.1.1", "https://leads.example.com//a",
            "https://leads.example.com/a/../b", "https://leads.example.com/<b>", "https://leads.example.com/a b",
        )
    ],
    "LEADROUTES_SMTP_URL": [
        ("mail.example.com:587", "mail.example.com:587", "smtp://user:password@host:port"),
        ("http://mail.example.com", "mail.example.com", "smtps://"),
        ("smtp://mail.example.com:port", "smtp://", "smtp://user"),
        ("smtp://mail.example.com:0", "mail.example.com:0", "smtp://user"),
        ("smtp://mail.example.com:70000", "smtp://", "smtp://user"),
        ("smtp://", "smtp://", "smtp://user"),
        ("smtp://alice@mail.example.com", "@mail.example.com", "a password where there is a user"),
        ("smtp://:hunter22@mail.example.com", "@mail.example.com", "a password where there is a user"),
        ("smtp://alice:hun/ter22@mail.example.com", "alice:…@mail.example.com", "%2F"),
        ("smtp://alice:hun?ter22@mail.example.com", "alice:…@mail.example.com", "%3F"),
        ("smtp://mail.example.com/inbox", "mail.example.com/inbox", "smtp://user"),
        ("smtp://mail..example.com", "smtp://", "smtp://user"),
    ],
    "LEADROUTES_MAIL_FROM": [
        (bad, bad[:5], "Lead Routes <leads@example.com>")
        for bad in (
            "nonsense", "leads@", "@example.com", "Leads <nonsense>", "Leads <leads@example.com", "leads@exa mple.com",
            "leads@example.com>", "a@b.example, c@d.example", "Leads <<leads@example.com>>",
            '"Leads <leads@example.com>', "Leads\n<leads@example.com>", "leads@example..com",
        )
    ],
    "LEADROUTES_TIME_SCALE": [(bad, bad, "0.01 to 10000") for bad in ("fast", "0", "-1", "nan", "inf", "1e9", "0.001")],
    "LEADROUTES_SECRET": [("hunter22", "8 characters", "at least 16"), ("hunter22" + 12 * " ", "20 characters", "16")],
    "LEADROUTES_POOL_SIZE": [(bad, bad, "from 1 to 1000") for bad in ("0", "ten", "1.5", "5000")],
    "LEADROUTES_STATEMENT_CACHE": [(bad, bad, "from 0 to") for bad in ("-1", "all", "9999999999")],
    "LEADROUTES_INTAKE_LIMIT": [(bad, bad, "number of bytes from 1000") for bad in ("0", "1MB", "1", "99999999999")],
    "LEADROUTES_MAIL_LIMIT": [(bad, bad, "number of bytes from 1000") for bad in ("0", "10M", "999", "99999999999")],
    "LEADROUTES_INTAKE_PER_KEY": [
        (bad, bad, "600/minute, or off") for bad in ("many", "0/minute", "1/minute;2/hour", "5/century", "-5/minute")
    ],
    "LEADROUTES_INTAKE_BYTES_PER_KEY": [(bad, bad, "or off") for bad in ("1GB/day", "0/day", "1000")],
    "LEADROUTES_MAIL_DOMAIN": [(bad, bad, "leads.example.com") for bad in ("leads@example.com", "a b", "a..b", "-")],
    "LEADROUTES_MAIL_LISTEN": [
        *((bad, bad, "host:port") for bad in ("25", "host:", "host:99999", ":25", "a..b:25", "a b:25", "[::g]:25")),
        ("127.0.0.1:25", "is set", "LEADROUTES_MAIL_DOMAIN"),
    ],
    "LEADROUTES_MAIL_CERTIFICATE": [
        ("/nowhere.pem", "/nowhere.pem", "PEM file that can be read (No such file or directory)"),
        ("/", "'/'", "Is a directory"),
        (__file__, __file__, "certificate in PEM with its private key"),
    ],
    "LEADROUTES_MAIL_CERTIFICATE_KEY": [("/nowhere.key", "is set", "LEADROUTES_MAIL_CERTIFICATE")],
    "LEADROUTES_GRAPH_URL": [
        (bad, bad[:5], "https://graph.facebook.com")
        for bad in ("graph.facebook.com", "https://", "https://graph.facebook.com/?a=b", "ftp://graph.facebook.com")
    ],
    "LEADROUTES_PUSH_SERVICES": [
        (bad, bad[:5], "push.example.com,http://127.0.0.1:9000")
        for bad in ("https://", "push.example.com/path", "ftp://push.example.com", "a.example,", "u:p@push.example.com")
    ],
    "LEADROUTES_TWILIO_URL": [
        (bad, bad[:5], "https://api.twilio.com/2010-04-01")
        for bad in ("api.twilio.com", "ftp://api.twilio.com", "https://", "https://api.twilio.com/?a=b")
    ],
    "LEADROUTES_TWILIO_ACCOUNT": [
        ("AC 1", "AC 1", "AC0123456789abcdef"),
        ("AC1/../2", "AC1/", "AC0123456789abcdef"),
        ("AC1", "is set", "LEADROUTES_TWILIO_TOKEN or LEADROUTES_TWILIO_KEY"),
    ],
    "LEADROUTES_TWILIO_TOKEN": [
        ("hunter22 hunter22", "17 characters", "ASCII"),
        ("hunter22", "is set", "LEADROUTES_TWILIO_ACCOUNT"),
    ],
    "LEADROUTES_TWILIO_KEY": [("SK 1", "SK 1", "SK0123456789abcdef"), ("SK1", "is set", "LEADROUTES_TWILIO_ACCOUNT")],
    "LEADROUTES_TWILIO_KEY_SECRET": [("hunter22", "is set", "LEADROUTES_TWILIO_KEY")],
    "LEADROUTES_TWILIO_FROM": [
        *((bad, bad, "+13035550100") for bad in ("303-555-0100", "3035550100", "+0", "+1303555010012345", "Leads")),
        ("+13035550100", "is set", "LEADROUTES_TWILIO_ACCOUNT"),
    ],
    "LEADROUTES_TWILIO_MESSAGING_SERVICE": [
        ("MG 1", "MG 1", "MG0123456789abcdef"),
        ("MG1", "is set", "LEADROUTES_TWILIO_ACCOUNT"),
    ],
    "LEADROUTES_TWILIO_ANSWERS_STOP": [("maybe", "maybe", "on or off")],
    "LEADROUTES_TWILIO_SIGNING_KEYS": [
        *(
            (bad, f"{len(bad)} characters", "ID:SECRET")
            for bad in ("hunter22", "key:", ":hunter22", "a b:hunter22", "a:1,")
        ),
        ("key1:hunter22", "is set", "LEADROUTES_TWILIO_ACCOUNT"),
    ],
    "LEADROUTES_CALLS_PER_SECOND": [(bad, bad, "from 0.01 to 1000") for bad in ("0", "-1", "fast", "nan", "5000")],
    "LEADROUTES_TEXTS_PER_SECOND": [(bad, bad, "from 0.01 to 1000") for bad in ("0", "-1", "fast", "nan", "5000")],
    "LEADROUTES_TEXTS_PER_DAY": [(bad, bad, "from 1 to") for bad in ("0", "-1", "many", "1.5", "1" * 20)],
    "LEADROUTES_QUIET_HOURS": [(bad, bad, "strict or law") for bad in ("off", "1", "strict, law")],
    "LEADROUTES_TEXTS_PER_CONTACT_PER_DAY": [(bad, bad, "from 1 to 1000") for bad in ("0", "-1", "many", "1.5")],
    "LEADROUTES_MAILS_PER_HOUR": [(bad, bad, "from 1 to 1000000") for bad in ("0", "-1", "many", "1.5")],
    "LEADROUTES_WARM_UP_DAYS": [(bad, bad, "from 0 to 365") for bad in ("-1", "366", "a week")],
    "LEADROUTES_CLOCK_START": [
        (bad, bad, "a moment with its offset")
        for bad in ("soon", "2027-03-13", "2027-03-13T09:00", "1999-01-01T00:00Z")
    ],
    "LEADROUTES_TOKEN_LIFE": [(bad, bad, "from 1 to") for bad in ("0", "a day", "9999999999999")],
    "LEADROUTES_RATE_PER_TOKEN": [(bad, bad, "600/minute") for bad in ("many", "0/minute", "off")],
    "LEADROUTES_RATE_PER_ADDRESS": [(bad, bad, "600/minute") for bad in ("many", "0/minute", "600/minute, 5/second")],
    "LEADROUTES_BODY_TIMEOUT": [(bad, bad, "from 0.01 to 3600") for bad in ("0", "nan", "inf", "soon", "1e9")],
    "LEADROUTES_STOP_DELAY": [(bad, bad, "from 0 to 3600") for bad in ("-1", "nan", "inf", "later", "1e9")],
    "LEADROUTES_LOG_JSON": [("maybe", "maybe", "on or off")],
    "LEADROUTES_LOG_LEADS": [("2", "2", "on or off")],
    "LEADROUTES_WEBHOOKS_TO_PRIVATE": [
        (bad, bad, "10.0.0.0/8") for bad in ("yes", "10.0.0.0/8;::1", "10.0.0.1/8", "example.com", "10.0.0.0/40")
    ],
    "LEADROUTES_WEBHOOK_TRIES": [
        (bad, bad, "5s,5m,2h") for bad in ("5", "5 seconds", "5s,,5m", "-5s", "5s 5m", "9999999s", "1d")
    ],
    "LEADROUTES_ADMIN_SECOND_FACTOR": [("maybe", "maybe", "on or off")],
    "LEADROUTES_METRICS": [("prometheus", "prometheus", "on or off")],
    "LEADROUTES_METRICS_TOKEN": [
        ("hunter22 hunter22", "17 characters", "ASCII"),
        ("hünter22", "8 characters", "ASCII"),
    ],
    "LEADROUTES_WORKER_LISTEN": [(bad, bad, "host:port") for bad in ("9100", "host:http", "a..b:9100")],
    "OTEL_EXPORTER_OTLP_ENDPOINT": [
        ("collector.example.com:4318", "collector.example.com:4318", "http://"),
        ("grpc://a:1", "a:1", "http://"),
    ],
    "LEADROUTES_KEEP_ARRIVALS": [(bad, bad, "from 1 to 36500") for bad in ("0", "week", "40000", "-3", "1.5")],
    "LEADROUTES_KEEP_MESSAGES": [("0", "0", "number of days")],
    "LEADROUTES_OPEN_FOR": [("always", "always", "number of days")],
    "LEADROUTES_KEEP_AUDIT": [("never", "never", "number of days")],
    "LEADROUTES_KEEP_CLAIM_LINKS": [("never", "never", "number of days")],
    "LEADROUTES_KEEP_RULE_SETS": [("-1", "-1", "number of days")],
    "LEADROUTES_KEEP_VERSIONS": [("two years", "two years", "number of days")],
    "LEADROUTES_KEEP_IMPORTS": [("a week", "a week", "number of days")],
    "LEADROUTES_KEEP_QUEUE_LOG": [("1d", "1d", "number of days")],
}  # fmt: skip


def test_every_setting_has_a_value_that_it_cannot_have() -> None:
    assert set(BAD) == {each.metadata["name"] for each in fields(Settings)}


@pytest.mark.parametrize(("name", "case"), [(name, case) for name, cases in BAD.items() for case in cases])
@pytest.mark.parametrize("from_file", [False, True])
def test_what_cannot_be_is_refused_with_the_mend(
    name: str, case: tuple[str, str, str], from_file: bool, tmp_path: Path
) -> None:
    value, shown, expected = case
    if from_file and value != value.strip():
        pytest.skip("a file's outer blanks do not count")
    (tmp_path / "value").write_text(value, encoding="utf-8")
    given = {f"{name}_FILE": str(tmp_path / "value")} if from_file else {name: value}
    alone = {"DATABASE_URL", "LEADROUTES_DATA", "LEADROUTES_DATABASE_LISTEN_URL"}
    with pytest.raises(Misconfigured) as refused:
        Settings.load(given if name in alone else DATABASE | given)
    message = str(refused.value)
    assert message.startswith((f"{name}: ", f"{name} is set; ")), message
    assert "\n" not in message
    assert shown in message
    assert expected in message.partition("expected")[2]
    assert "hunter22" not in message
    assert "hun" not in message
    assert "ter22" not in message
    assert "pa#ss" not in message


def test_all_faults_are_reported_at_once() -> None:
    wrong = ("LEADROUTES_TIME_SCALE", "LEADROUTES_SMTP_URL", "LEADROUTES_SECRET")
    with pytest.raises(Misconfigured) as refused:
        Settings.load(DATABASE | dict.fromkeys(wrong, "x"))
    names = [line.partition(":")[0] for line in str(refused.value).splitlines()]
    assert names == ["LEADROUTES_SMTP_URL", "LEADROUTES_TIME_SCALE", "LEADROUTES_SECRET"]


def test_a_value_of_any_length_is_refused_in_one_short_line() -> None:
    with pytest.raises(Misconfigured) as refused:
        Settings.load(DATABASE | {"LEADROUTES_MAIL_FROM": "x" * 100_000})
    assert len(str(refused.value)) < 500


@pytest.mark.parametrize("content", [None, b"", b" \n", b"\xff\xfe"])
def test_a_file_that_holds_no_value_is_refused(content: bytes | None, tmp_path: Path) -> None:
    path = tmp_path / "secret"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(Misconfigured, match=f"LEADROUTES_SECRET_FILE: {path} "):
        Settings.load(DATABASE | {"LEADROUTES_SECRET_FILE": str(path)})


def test_a_setting_that_is_given_twice_is_refused(tmp_path: Path) -> None:
    """No one knows which of them is meant."""
    path = tmp_path / "secret"
    path.write_text("the secret of the file", encoding="utf-8")
    given = {"LEADROUTES_SECRET": "the secret of the environment", "LEADROUTES_SECRET_FILE": str(path)}
    with pytest.raises(Misconfigured, match="LEADROUTES_SECRET and LEADROUTES_SECRET_FILE are both set"):
        Settings.load(DATABASE | given)


GOOD = [
    ("LEADROUTES_MAIL_FROM", "Lead Routes <leads@example.com>", "mail_from", "Lead Routes <leads@example.com>"),
    ("LEADROUTES_MAIL_FROM", '"Vale, Inc." <leads@example.com>', "mail_from", '"Vale, Inc." <leads@example.com>'),
    ("LEADROUTES_MAIL_FROM", "leads@localhost", "mail_from", "leads@localhost"),
    ("LEADROUTES_TWILIO_URL", "https://api.example.com", "twilio_url", "https://api.example.com/2010-04-01"),
    ("LEADROUTES_TWILIO_URL", "https://a.example/api/laml/2010-04-01/", "twilio_url",
     "https://a.example/api/laml/2010-04-01"),
    ("LEADROUTES_TWILIO_URL", "https://a.example/v2/texml", "twilio_url", "https://a.example/v2/texml"),
    ("LEADROUTES_CALLS_PER_SECOND", "5", "calls_per_second", 5.0),
    ("LEADROUTES_TEXTS_PER_SECOND", "0.5", "texts_per_second", 0.5),
    ("LEADROUTES_TEXTS_PER_DAY", "2000", "texts_per_day", 2000),
    ("LEADROUTES_QUIET_HOURS", "LAW", "quiet_hours", "law"),
    ("LEADROUTES_MAILS_PER_HOUR", "200", "mails_per_hour", 200),
    ("LEADROUTES_PUBLIC_URL", "HTTPS://Leads.Example.com/", "public_url", "https://leads.example.com"),
    ("LEADROUTES_PUBLIC_URL", "https://leads.example.com:443/leads", "public_url", "https://leads.example.com/leads"),
    ("LEADROUTES_PUBLIC_URL", "http://leads.example.com:80", "public_url", "http://leads.example.com"),
    ("LEADROUTES_PUBLIC_URL", "http://leads.example.com:443", "public_url", "http://leads.example.com:443"),
    ("LEADROUTES_PUBLIC_URL", "http://[::1]:8080", "public_url", "http://[::1]:8080"),
    ("LEADROUTES_PUBLIC_URL", "https://example.com/leads/", "public_url", "https://example.com/leads"),
    ("LEADROUTES_SMTP_URL", "smtp://mail_server:25", "smtp_url", "smtp://mail_server:25"),
    ("LEADROUTES_SMTP_URL", "smtps://bob@example.com:p%40ss@mail.example.com", "smtp_url",
     "smtps://bob@example.com:p%40ss@mail.example.com"),
    ("DATABASE_URL", "postgres://a:b@one:5432,two:5433/db?sslmode=require", "database_url",
     "postgres://a:b@one:5432,two:5433/db?sslmode=require"),
    ("DATABASE_URL", "postgresql://postgres@/db?host=/tmp/x", "database_url", "postgresql://postgres@/db?host=/tmp/x"),
    ("LEADROUTES_MAIL_LISTEN", "[::]:25", "mail_listen", "[::]:25"),
    ("LEADROUTES_WORKER_LISTEN", "::1:9100", "worker_listen", "::1:9100"),
    ("LEADROUTES_INTAKE_PER_KEY", "OFF", "intake_per_key", None),
    ("LEADROUTES_WEBHOOKS_TO_PRIVATE", "ON", "webhooks_to_private", "on"),
    ("LEADROUTES_WEBHOOKS_TO_PRIVATE", "off", "webhooks_to_private", None),
    ("LEADROUTES_WEBHOOKS_TO_PRIVATE", "10.0.0.0/8, ::1, 192.168.1.7", "webhooks_to_private",
     "10.0.0.0/8,::1/128,192.168.1.7/32"),
    ("LEADROUTES_WEBHOOK_TRIES", "5s, 0.5m ,2h", "webhook_tries", "5s,0.5m,2h"),
    ("LEADROUTES_STOP_DELAY", "0", "stop_delay", 0.0),
]  # fmt: skip


@pytest.mark.parametrize(("name", "given", "field", "value"), GOOD)
def test_what_can_be_is_taken(name: str, given: str, field: str, value: object) -> None:
    needed = {"LEADROUTES_MAIL_DOMAIN": "leads.example.com"} | DATABASE
    assert getattr(Settings.load(needed | {name: given}), field) == value


def test_without_any_setting_the_defaults_are_good(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert Settings.load({}) == Settings()
    assert list(tmp_path.iterdir()) == [], "reading settings makes nothing"


# -------------------------------------------------------------------------------------------------------- files


def pem(directory: Path, *, encrypted: bool = False) -> tuple[Path, Path]:
    certificate, key = directory / "cert.pem", directory / "key.pem"
    protection = ["-passout", "pass:hunter22"] if encrypted else ["-nodes"]
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-subj", "/CN=x",
         "-keyout", str(key), "-out", str(certificate), *protection],
        check=True, capture_output=True,
    )  # fmt: skip
    return certificate, key


def test_a_certificate_is_loaded_at_the_start(tmp_path: Path) -> None:
    certificate, key = pem(tmp_path)
    given = DATABASE | {"LEADROUTES_MAIL_CERTIFICATE": str(certificate)}
    assert Settings.load(given | {"LEADROUTES_MAIL_CERTIFICATE_KEY": str(key)}).mail_certificate == certificate
    (tmp_path / "other").mkdir()
    _, foreign = pem(tmp_path / "other")
    for wrong in ({}, {"LEADROUTES_MAIL_CERTIFICATE_KEY": str(foreign)}):
        with pytest.raises(Misconfigured, match=r"LEADROUTES_MAIL_CERTIFICATE: .*expected a certificate in PEM"):
            Settings.load(given | wrong)
    with pytest.raises(Misconfigured, match="LEADROUTES_MAIL_CERTIFICATE_KEY: '/nowhere'"):
        Settings.load(given | {"LEADROUTES_MAIL_CERTIFICATE_KEY": "/nowhere"})


def test_a_key_with_a_password_is_refused_and_no_terminal_is_asked(tmp_path: Path) -> None:
    certificate, key = pem(tmp_path, encrypted=True)
    given = {"LEADROUTES_MAIL_CERTIFICATE": str(certificate), "LEADROUTES_MAIL_CERTIFICATE_KEY": str(key)}
    with pytest.raises(Misconfigured, match="which is not encrypted"):
        Settings.load(DATABASE | given)


def test_a_directory_in_which_nothing_can_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Misconfigured, match=r"LEADROUTES_DATA: .*file is not a directory"):
        Settings.load({"LEADROUTES_DATA": str(tmp_path / "file" / "data")})
    assert Settings.load(DATABASE | {"LEADROUTES_DATA": str(tmp_path / "file")}).data == tmp_path / "file"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_directory_of_someone_else_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(Misconfigured, match="this user may not write in"):
        Settings.load({"LEADROUTES_DATA": str(tmp_path / "data")})


def test_without_a_place_for_the_generated_secret_there_is_none(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Misconfigured, match=r"LEADROUTES_DATA: .*, or LEADROUTES_SECRET"):
        load_secret_key(Settings(data=tmp_path / "file"))


# --------------------------------------------------------------------------------------------- shown and warned of


def test_what_is_in_force_is_shown_without_secrets() -> None:
    settings = Settings(
        database_url="postgresql://alice:hunter22@db/leads?password=hunter22",
        listen_url="postgresql://alice:hun/ter22@db/leads",
        smtp_url="smtp://alice:hun@ter22@mail.example.com",
        secret="hunter22hunter22",
        metrics_token="hunter22",
        twilio_url="https://alice:hunter22@texts.example.com",
        twilio_token="hunter22",
        twilio_key_secret="hunter22",
        twilio_signing_keys="key:hunter22",
        otlp_endpoint="https://alice:hunter22@collector.example.com",
    )
    rows = {name: value for name, value, _ in in_force(settings)}
    assert not [value for value in rows.values() if isinstance(value, str) and ("hun" in value or "ter22" in value)]
    assert rows["DATABASE_URL"] == "postgresql://alice:…@db/leads…"
    assert rows["LEADROUTES_SMTP_URL"] == "smtp://alice:…@mail.example.com"
    assert rows["LEADROUTES_SECRET"] == rows["LEADROUTES_METRICS_TOKEN"] == "(set)"
    assert rows["LEADROUTES_MAIL_DOMAIN"] is None
    assert rows["LEADROUTES_LOG_LEADS"] is True


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("smtp://alice:hunter22", "smtp://…"),
        ("alice:hunter22@host", "…"),
        ("hunter22", "…"),
        ("smtp://hunter22@host", "smtp://…@host"),
        ("postgresql:///leads?host=/tmp&password=hunter22", "postgresql:///leads…"),
        ("https://leads.example.com/a", "https://leads.example.com/a"),
        ("smtp://[::1]:25", "smtp://[::1]:25"),
    ],
)
def test_a_password_is_not_shown_however_wrong_the_rest_is(given: str, shown: str) -> None:
    assert without_password(given) == shown


REAL = {
    "smtp_url": "smtps://a:b@mail.example.com",
    "public_url": "https://leads.example.com",
    "mail_from": "a@b.example",
}


@pytest.mark.parametrize(
    ("changes", "names"),
    [
        ({}, []),
        ({"public_url": "http://127.0.0.1:8080"}, ["LEADROUTES_PUBLIC_URL"]),
        ({"public_url": "https://localhost"}, ["LEADROUTES_PUBLIC_URL"]),
        ({"public_url": "http://[::1]:80"}, ["LEADROUTES_PUBLIC_URL"]),
        ({"public_url": "http://leads.example.com"}, ["LEADROUTES_PUBLIC_URL"]),
        ({"mail_from": "Leads <leads@localhost>"}, ["LEADROUTES_MAIL_FROM"]),
        ({"time_scale": 60.0}, ["LEADROUTES_TIME_SCALE"]),
        ({"public_url": "http://127.0.0.1:8080", "smtp_url": "smtp://localhost:25", "mail_from": "a@localhost"}, []),
        ({"public_url": "http://127.0.0.1:8080", "smtp_url": "smtp://127.0.0.2"}, []),
        ({"public_url": "http://127.0.0.1:8080", "smtp_url": None}, []),
        ({"public_url": "http://127.0.0.1:8080", "smtp_url": None, "twilio_account": "AC1"}, ["LEADROUTES_PUBLIC_URL"]),
        ({"smtp_url": None, "twilio_account": "AC1"}, []),
        (
            {
                "public_url": "http://127.0.0.1:8080",
                "smtp_url": None,
                "twilio_account": "AC1",
                "twilio_url": "http://127.0.0.1:1",
            },
            [],
        ),
    ],
)
def test_what_is_hardly_meant_is_warned_of(changes: dict[str, object], names: list[str]) -> None:
    warnings = warnings_of(Settings(**REAL | changes))
    assert [warning.partition(":")[0] for warning in warnings] == names
    assert all("set " in warning or "unset" in warning for warning in warnings)


# -------------------------------------------------------------------------------------- the provider of texts and calls

PROVIDER = {
    "LEADROUTES_TWILIO_ACCOUNT": "AC1", "LEADROUTES_TWILIO_TOKEN": "token", "LEADROUTES_TWILIO_FROM": "+13035550100",
}  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, None),
        ({"FROM": "", "MESSAGING_SERVICE": "MG1"}, None),
        ({"MESSAGING_SERVICE": "MG1"}, None),
        ({"KEY": "SK1", "KEY_SECRET": "x"}, None),
        ({"TOKEN": "", "KEY": "SK1", "KEY_SECRET": "x", "SIGNING_KEYS": "key:secret"}, None),
        ({"FROM": ""}, "LEADROUTES_TWILIO_ACCOUNT is set; expected LEADROUTES_TWILIO_FROM or"),
        ({"TOKEN": ""}, "LEADROUTES_TWILIO_ACCOUNT is set; expected LEADROUTES_TWILIO_TOKEN or LEADROUTES_TWILIO_KEY"),
        (
            {"TOKEN": "", "KEY": "SK1", "KEY_SECRET": "x"},
            "LEADROUTES_TWILIO_ACCOUNT is set; expected LEADROUTES_TWILIO_TOKEN",
        ),
        ({"KEY": "SK1"}, "LEADROUTES_TWILIO_KEY is set; expected LEADROUTES_TWILIO_KEY_SECRET"),
        ({"KEY_SECRET": "x"}, "LEADROUTES_TWILIO_KEY_SECRET is set; expected LEADROUTES_TWILIO_KEY"),
    ],
)
def test_credentials_are_whole_or_refused(changes: dict[str, str], expected: str | None) -> None:
    environ = DATABASE | PROVIDER | {f"LEADROUTES_TWILIO_{name}": value for name, value in changes.items()}
    if expected is None:
        assert Settings.load(environ).twilio_account == "AC1"
        return
    with pytest.raises(Misconfigured) as refused:
        Settings.load(environ)
    assert str(refused.value).startswith(expected)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (
            {"LEADROUTES_CLOCK_START": "2027-03-13T09:00:00-07:00"},
            "LEADROUTES_CLOCK_START is set; expected LEADROUTES_TIME",
        ),
        ({"LEADROUTES_WARM_UP_DAYS": "7"}, "LEADROUTES_WARM_UP_DAYS is set; expected LEADROUTES_MAILS_PER_HOUR"),
    ],
)
def test_what_counts_only_together_is_refused_alone(given: dict[str, str], expected: str) -> None:
    with pytest.raises(Misconfigured) as refused:
        Settings.load(DATABASE | given)
    assert str(refused.value).startswith(expected)
    other = {"LEADROUTES_TIME_SCALE": "60", "LEADROUTES_MAILS_PER_HOUR": "100"}
    assert Settings.load(DATABASE | given | other)


@pytest.mark.parametrize(
    ("given", "setting"),
    [
        ("LEADROUTES_SMPT_URL", "LEADROUTES_SMTP_URL"),
        ("LEADROUTES_PUBLICURL", "LEADROUTES_PUBLIC_URL"),
        ("LEADROUTES_SECRETS_FILE", "LEADROUTES_SECRET_FILE"),
        ("LEADROUTES_TWILIO_MESSAGE_SERVICE", "LEADROUTES_TWILIO_MESSAGING_SERVICE"),
    ],
)
def test_a_name_that_is_nearly_one_of_a_setting_is_a_warning(given: str, setting: str) -> None:
    """Mails would stay in the outbox without a word."""
    [warning] = warnings_of_names({given: "a secret word"})
    assert (given in warning, setting in warning, "word" in warning) == (True, True, False)


def test_names_of_others_are_none() -> None:
    """Such as those by which Kubernetes tells every container of a service that is called leadroutes."""
    others = ("LEADROUTES_PORT", "LEADROUTES_SERVICE_HOST", "LEADROUTES_PORT_8080_TCP_ADDR", "LEADROUTES_TEST_POSTFIX")
    known = ("LEADROUTES_SMTP_URL", "LEADROUTES_SMTP_URL_FILE", "DATABASE_URLS")
    assert warnings_of_names(dict.fromkeys((*others, *known), "x")) == []
