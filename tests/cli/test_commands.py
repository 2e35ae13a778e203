"""The command line as a person meets it: what is printed, what is stored, and with which code a command ends."""

import asyncio
import hashlib
import re
import subprocess
import sys
from pathlib import Path

import argon2
import asyncpg
import pytest

from tests.support.commands import Run, ask, last_line
from tests.support.databases import with_database

EXAMPLES = Path(__file__).parents[2] / "examples"
GREEK = "Καλημέρα κόσμε"


# -------------------------------------------------------------------------------------------------------- people


def test_a_user_is_added_with_a_password(run: Run, database_url: str) -> None:
    run("user", "add", "Alice@Example.com", "--first-name", "Alice", "--last-name", "Town", "--phone", "(303) 555-0100",
        "--timezone", "America/Denver", "--admin", "--broker", "--password-stdin", stdin=f"{GREEK}\n")  # fmt: skip

    async def load() -> asyncpg.Record:
        connection = await asyncpg.connect(database_url)
        row = await connection.fetchrow("SELECT * FROM users")
        await connection.close()
        assert row is not None
        return row

    user = asyncio.run(load())
    assert (user["email"], user["username"]) == ("alice@example.com", "alice@example.com")
    assert (user["phone"], user["timezone"], user["timezone_offset"]) == ("+13035550100", "America/Denver", -7)
    assert (user["is_admin"], user["is_broker"]) == (True, True)
    assert argon2.PasswordHasher().verify(user["password_hash"], GREEK)


def test_a_user_without_a_password_cannot_sign_in(run: Run, database_url: str) -> None:
    run("user", "add", "alice@example.com")

    assert ask(database_url, "SELECT password_hash FROM users") is None


def test_a_password_can_be_set_later_and_ends_all_sessions(run: Run, database_url: str) -> None:
    run("user", "add", "alice@example.com")
    ask(database_url, "INSERT INTO sessions VALUES ('x', (SELECT id FROM users), now(), now())")
    run("user", "password", "ALICE@example.com", stdin="a new password\n")

    assert argon2.PasswordHasher().verify(ask(database_url, "SELECT password_hash FROM users"), "a new password")
    assert ask(database_url, "SELECT count(*) FROM sessions") == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["bob"], ["email", "'bob'", "alice@example.com"]),
        (["bob@example.com", "--timezone", "Denver"], ["timezone", "'Denver'", "America/Denver"]),
        (["bob@example.com", "--phone", "555"], ["phone", "'555'", "area code"]),
        (["ALICE@example.com"], ["alice@example.com", "in use"]),
    ],
)
def test_a_user_who_cannot_be_added_is_refused_with_a_reason(run: Run, arguments: list[str], words: list[str]) -> None:
    run("user", "add", "alice@example.com")
    result = run("user", "add", *arguments, code=1)

    assert all(word in result.stderr for word in words), result.stderr


def test_a_password_that_is_too_short_is_refused_without_being_shown(run: Run) -> None:
    result = run("user", "add", "alice@example.com", "--password-stdin", stdin="secret7\n", code=1)

    assert "7 characters" in result.stderr
    assert "secret7" not in result.output


def test_users_are_listed(run: Run) -> None:
    run("user", "add", "alice@example.com", "--first-name", "Alice")

    assert "alice@example.com" in run("user", "list").stdout


# -------------------------------------------------------------------------------------------------------- secrets


def test_a_token_is_alone_on_the_last_line_and_only_its_hash_is_stored(run: Run, database_url: str) -> None:
    run("user", "add", "alice@example.com")
    token = last_line(run("token", "issue", "alice@example.com"))

    assert len(token) == 40
    assert ask(database_url, "SELECT token_hash FROM access_tokens") == hashlib.sha256(token.encode()).digest()
    assert ask(database_url, "SELECT scope FROM access_tokens") == ["read", "write"]
    assert token not in run("token", "list").output


def test_a_token_may_only_read(run: Run, database_url: str) -> None:
    run("user", "add", "alice@example.com")
    run("token", "issue", "alice@example.com", "--scope", "read")

    assert ask(database_url, "SELECT scope FROM access_tokens") == ["read"]


@pytest.mark.parametrize("by_id", [True, False])
def test_a_token_is_revoked_by_its_id_or_by_itself(run: Run, database_url: str, by_id: bool) -> None:
    run("user", "add", "alice@example.com")
    token = last_line(run("token", "issue", "alice@example.com"))
    run("token", "revoke", "1" if by_id else token)

    assert ask(database_url, "SELECT revoked_at FROM access_tokens") is not None
    assert "No valid token" in run("token", "revoke", "1", code=1).stderr


def test_a_token_has_a_name_that_the_list_shows(run: Run, database_url: str) -> None:
    run("user", "add", "alice@example.com")
    run("token", "issue", "alice@example.com", "--name", "Zapier")
    ask(database_url, "UPDATE access_tokens SET last_used_at = '2026-02-03T04:05:06Z' RETURNING id")

    listed = run("token", "list").output
    assert "Zapier" in listed
    assert "2026-02-03 04:05:06Z" in listed
    for name in ("x" * 201, "a\nb"):
        assert "name: " in run("token", "issue", "alice@example.com", "--name", name, code=1).stderr


@pytest.mark.parametrize("scope", ["admin", "", "read admin"])
def test_a_scope_that_does_not_exist_is_refused(run: Run, scope: str) -> None:
    run("user", "add", "alice@example.com")

    assert "expected read, write" in run("token", "issue", "alice@example.com", "--scope", scope, code=1).stderr


def test_a_token_needs_a_user_who_exists(run: Run) -> None:
    assert "dave@example.com" in run("token", "issue", "dave@example.com", code=1).stderr


def test_an_intake_key_names_a_lead_source_that_may_be_new(run: Run, database_url: str) -> None:
    run("user", "add", "alice@example.com")
    known = run("intake-key", "issue", "alice@example.com", "--lead-source", "zillow")
    run("intake-key", "issue", "alice@example.com", "--lead-source", "Été", "--contact-source", "Fair")
    run("intake-key", "issue", "alice@example.com", "--lead-source", "Été", "--contact-source", "FAIR")

    key = last_line(known)
    digest = hashlib.sha256(key.encode()).digest()
    assert ask(database_url, "SELECT lead_source_id FROM intake_keys WHERE key_hash = $1", digest) == 1
    assert ask(database_url, "SELECT count(*) FROM lead_sources WHERE owner_id IS NOT NULL") == 1
    assert ask(database_url, "SELECT count(*) FROM contact_sources") == 1
    assert "https://leads.example.com/intake/" in known.stdout


def test_an_intake_key_of_an_unknown_format_is_refused(run: Run) -> None:
    run("user", "add", "alice@example.com")
    arguments = ("intake-key", "issue", "alice@example.com", "--lead-source", "Zillow", "--format", "zilow")
    result = run(*arguments, code=1)

    assert all(word in result.stderr for word in ("format", "'zilow'", "zillow-rentals"))


def test_intake_keys_are_listed_until_they_are_revoked(run: Run) -> None:
    run("user", "add", "alice@example.com")
    key = last_line(run("intake-key", "issue", "alice@example.com", "--lead-source", "Zillow", "--format", "adf"))

    listed = run("intake-key", "list").output
    assert "Zillow" in listed
    assert key not in listed
    run("intake-key", "revoke", key)
    assert "Zillow" not in run("intake-key", "list").output
    run("intake-key", "revoke", key, code=1)


def test_an_application_gets_a_secret_unless_it_cannot_keep_one(run: Run, database_url: str) -> None:
    run("user", "add", "alice@example.com")
    uri = ("--redirect-uri", "https://app.example/cb")
    confidential = run("app", "add", "Dialer", "--owner", "alice@example.com", *uri)
    public = run("app", "add", "Phone app", "--owner", "alice@example.com", *uri, "--public")

    secret = last_line(confidential).removeprefix("client_secret ")
    secret_hash = ask(database_url, "SELECT secret_hash FROM applications WHERE name = 'Dialer'")
    assert secret_hash == hashlib.sha256(secret.encode()).digest()
    assert last_line(public).startswith("client_id ")
    run("app", "remove", last_line(public).removeprefix("client_id "))
    assert ask(database_url, "SELECT count(*) FROM applications") == 1
    assert "Dialer" in run("app", "list").output


def test_an_application_is_the_only_administrators_unless_said_otherwise(run: Run, database_url: str) -> None:
    uri = ("--redirect-uri", "https://app.example/cb")
    assert "--owner" in run("app", "add", "Dialer", *uri, code=1).output
    run("user", "add", "alice@example.com", "--admin")
    run("user", "add", "bob@example.com")
    printed = run("app", "add", "Dialer", *uri, "--redirect-uri", "http://127.0.0.1/cb").stdout.split()

    assert printed[::2] == ["client_id", "client_secret"]
    owner = "SELECT email FROM applications JOIN users ON users.id = user_id"
    assert ask(database_url, owner) == "alice@example.com"
    for wrong in ("/cb", "https://app.example/cb#here", "javascript:alert(1)"):
        assert "redirect_uri" in run("app", "add", "Dialer", "--redirect-uri", wrong, code=1).output
    run("user", "add", "carol@example.com", "--admin")
    assert "--owner" in run("app", "add", "Dialer", *uri, code=1).output


# ------------------------------------------------------------------------------------------------- bringing in


def test_a_brokerage_is_loaded_and_reported(run: Run) -> None:
    file = str(EXAMPLES / "brokerage.json")
    first = run("load", file, "--owner", "rosalind.vale@example.com").stdout
    again = run("load", file, "--owner", "rosalind.vale@example.com").stdout

    assert numbers(first, "lead routes") == [10, 10]
    assert numbers(again, "lead routes") == [10, 0]


def numbers(table: str, name: str) -> list[int]:
    [line] = [line for line in table.splitlines() if line.strip().startswith(name)]
    return [int(word) for word in line.split() if word.isdigit()]


def test_a_wrong_file_is_reported_with_the_place(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "brokerage.json"
    file.write_text('{"brokerage": {"owner": "alice"}, "teams": [{"name": "A", "order_method": "Fast"}]}')

    errors = run("load", str(file), "--owner", "alice@example.com", code=1).stderr

    assert "teams[0].order_method: 'Fast' was given" in errors


def test_an_import_ends_well_unless_it_is_strict(run: Run, tmp_path: Path) -> None:
    run("user", "add", "alice@example.com")
    file = tmp_path / "leads.csv"
    file.write_text("received_at,email\n2026-08-01,mia@example.com\n2026-08-01,\n")

    lax = run("import", str(file), "--owner", "alice@example.com", "--dry-run")
    strict = run("import", str(file), "--owner", "alice@example.com", "--strict", code=1)

    assert last_line(lax) == "2 rows: 1 would be imported, 0 were in already, 1 rejected"
    assert "line 3 (row 2): no_contact" in strict.stdout


def test_imported_leads_are_alerted_over_the_channels_that_there_are(
    run: Run, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Agents who are alerted by text only are alerted by e-mail where no text can be sent, as in the service."""
    monkeypatch.setenv("LEADROUTES_SMTP_URL", "smtp://127.0.0.1:9")
    run("load", str(EXAMPLES / "brokerage.json"), "--owner", "rosalind.vale@example.com")
    ask(database_url, "UPDATE team_member_distribution_options SET has_email_alert = false, has_text_alert = true,"
        " has_call_alert = false, assign_automatically = false")  # fmt: skip
    file = tmp_path / "leads.csv"
    file.write_text("lead_source,type,email\nZillow,Buyer,mia@example.com\n")
    now = ask(database_url, "SELECT now()").isoformat()
    output = run("import", str(file), "--owner", "rosalind.vale@example.com", "--route", "--received-at", now).stdout

    assert "1 of them routed" in output
    channels = "SELECT array_agg(DISTINCT channel) FROM messages WHERE kind = 'offer'"
    assert ask(database_url, channels) == ["email", "text"], "the text stays in the outbox"


def test_a_file_that_is_not_there_is_a_wrong_argument(run: Run) -> None:
    run("import", "/nowhere.csv", "--owner", "alice@example.com", code=2)


# ------------------------------------------------------------------------------------------------ house-keeping


def test_the_doctor_ends_with_1_when_something_does_not_hold(run: Run, database_url: str) -> None:
    run("user", "add", "alice@example.com")
    assert "checks hold" in run("doctor").stdout
    ask(database_url, "INSERT INTO arrivals (owner_id, received_at, headers, body, status)"
        " SELECT id, now(), '{}', '', 'rejected' FROM users RETURNING id")  # fmt: skip

    assert "This does not hold" in run("doctor", code=1).stderr


def test_settings_are_shown_without_secrets(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEADROUTES_SMTP_URL", "smtp://user:hunter22@mail.example.com")
    monkeypatch.setenv("LEADROUTES_SECRET", "sesame, open now!")
    shown = run("settings").output

    assert "mail.example.com" in shown
    assert "hunter22" not in shown
    assert "sesame" not in shown
    assert "(set)" in shown


def test_what_is_hardly_meant_is_said_by_the_doctor_whose_verdict_it_does_not_change(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEADROUTES_SMTP_URL", "smtp://mail.example.com")
    output = run("doctor").stdout

    assert "checks hold" in output
    assert "Warning: LEADROUTES_MAIL_FROM: 'leads@localhost' was given" in output


def test_every_wrong_setting_is_reported_by_any_command(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEADROUTES_MAIL_FROM", "nonsense")
    monkeypatch.setenv("LEADROUTES_GRAPH_URL", "graph")
    for command in (("serve",), ("worker",), ("user", "list"), ("settings",), ("migrate",), ("top", "--once")):
        errors = run(*command, code=1).stderr
        assert "LEADROUTES_MAIL_FROM: 'nonsense' was given; expected an address such as leads@example.com" in errors
        assert "LEADROUTES_GRAPH_URL: '…' was given" in errors


def test_a_setting_that_cannot_be_read_is_named(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEADROUTES_TIME_SCALE", "fast")

    assert "LEADROUTES_TIME_SCALE: 'fast' was given" in run("doctor", code=1).stderr


def test_a_database_that_is_away_is_reported_in_one_line(run: Run) -> None:
    result = run("user", "list", code=1, url="postgresql://postgres:hunter22@127.0.0.1:9/nothing")

    assert "PostgreSQL cannot be reached" in result.stderr
    assert "hunter22" not in result.stderr


def test_an_empty_database_is_set_up_by_the_first_command(run: Run, database_url: str) -> None:
    ask(database_url, 'CREATE DATABASE "empty_one"')
    empty = with_database(database_url, "empty_one")
    try:
        run("user", "add", "alice@example.com", url=empty)
        assert ask(empty, "SELECT count(*) FROM users") == 1
        assert "up to date" in run("migrate", url=empty).stdout
    finally:
        ask(database_url, 'DROP DATABASE "empty_one" WITH (FORCE)')


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("UPDATE migrations SET name = '0001_lead_routes' WHERE name = '0001_initial'", "of a version before 0.1.0"),
        ("INSERT INTO migrations VALUES ('9999_remove_future')", "9999_remove_future"),
    ],
)
def test_a_schema_of_another_age_is_not_touched(run: Run, database_url: str, change: str, words: str) -> None:
    ask(database_url, change)

    assert words in run("user", "list", code=1).stderr


def test_a_newer_schema_that_was_only_added_to_is_served_with_a_warning(run: Run, database_url: str) -> None:
    ask(database_url, "INSERT INTO migrations VALUES ('9999_future')")

    assert "9999_future" in run("user", "list").stderr


@pytest.mark.parametrize("command", ["", "user", "serve", "import", "intake-key issue", "demo", "doctor"])
def test_every_command_explains_itself(run: Run, command: str) -> None:
    assert "Usage" in run(*command.split(), "--help").output


def test_the_package_runs_as_a_module() -> None:
    done = subprocess.run([sys.executable, "-m", "leadroutes", "--version"], capture_output=True, text=True, check=True)

    assert done.stdout.startswith("leadroutes ")


def test_the_keys_for_notifications_are_made_once_and_replaced_when_asked(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEADROUTES_SECRET", "a secret of the tests")
    first, again = run("push", "keys"), run("push", "keys")
    key = last_line(first)
    assert re.fullmatch(r"[\w-]{87}", key)
    assert last_line(again) == key
    assert "Push services may ask https://leads.example.com about" in first.stdout
    monkeypatch.setenv("LEADROUTES_MAIL_FROM", "leads@brokerage.example")
    new = run("push", "keys", "--new")
    assert last_line(new) != key
    assert "Push services may ask mailto:leads@brokerage.example about" in new.stdout
    monkeypatch.setenv("LEADROUTES_SECRET", "another secret of the tests")
    lost = run("push", "keys", code=1)
    assert "another LEADROUTES_SECRET" in " ".join(lost.stderr.split())
