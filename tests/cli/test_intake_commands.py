"""Commands about lead sources: read a body, keep a vendor's secrets, read arrivals again, bring out what is in."""

import csv
import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from leadroutes.security.vault import Vault
from leadroutes.settings import Settings
from tests.support.commands import Run, ask, last_line
from tests.support.samples import SAMPLES, Sample, samples

HISTORY = SAMPLES / "history.csv"


def reading(run: Run, body: Path, *options: str, code: int = 0) -> Any:
    return json.loads(run("read", str(body), *options, code=code, url="postgresql://nowhere.invalid/x").stdout)


# ------------------------------------------------------------------------------------------------------------ read


@pytest.mark.parametrize("each", samples(), ids=lambda each: each.name)
@pytest.mark.parametrize("is_named", [True, False], ids=["named", "recognised"])
def test_every_sample_is_read_without_a_database(run: Run, tmp_path: Path, each: Sample, is_named: bool) -> None:
    entry = next(e for e in json.loads((SAMPLES / "index.json").read_text()) if e["name"] == each.name)
    options = ["--secrets", str(SAMPLES / "test-secrets.json")]
    if "headers" in entry:
        options += ["--headers", str(SAMPLES / entry["headers"])]
    if is_named:
        options += ["--format", each.format]
    if each.graph:
        graph = tmp_path / "graph.json"
        graph.write_text(json.dumps(each.graph))
        options += ["--graph", str(graph)]

    assert reading(run, SAMPLES / entry["body"], *options) == each.expected


def test_a_refusal_ends_with_1_and_is_explained(run: Run, tmp_path: Path) -> None:
    body = tmp_path / "body"
    body.write_bytes(b'{"first_name": "Mia"}')
    result = run("read", str(body), "--format", "zapier", code=1)

    assert json.loads(result.stdout) == {"rejected": True, "why": "no_contact"}
    assert "neither a phone number nor a mail address" in result.stderr


def test_a_wrong_secret_comes_before_anything_else(run: Run, tmp_path: Path) -> None:
    body, headers, secrets = tmp_path / "body", tmp_path / "headers", tmp_path / "secrets"
    body.write_bytes(b"{ nothing")
    headers.write_text("X-Intake-Key: guessed\n")
    secrets.write_text('{"zapier": {"x_intake_key": "s"}, "note": "text"}')
    options = ("--headers", str(headers), "--secrets", str(secrets), "--format", "zapier")

    assert reading(run, body, *options, code=1)["why"] == "bad_secret"
    headers.write_text("x-intake-key: s\n")
    assert reading(run, body, *options, code=1)["why"] == "malformed"


def test_a_lead_that_is_only_named_is_pending(run: Run) -> None:
    read = reading(run, SAMPLES / "facebook-leadgen.json")

    assert read["leads"] == []
    assert read["pending"] == [{"vendor_id": "418200000000417", "why": "not_fetched"}]
    alone = reading(run, SAMPLES / "facebook-leadgen.json", "--graph", str(SAMPLES / "facebook-graph-reply.json"))
    assert alone["vendor_id"] == "418200000000417"


def test_too_large_a_file_is_not_read_to_its_end(run: Run, tmp_path: Path) -> None:
    body = tmp_path / "body"
    with body.open("wb") as file:
        file.truncate(50_000_000_000)

    assert reading(run, body, code=1)["why"] == "too_large"


@pytest.mark.parametrize("option", ["--secrets", "--graph"])
def test_a_file_that_is_not_an_object_is_named(run: Run, tmp_path: Path, option: str) -> None:
    other = tmp_path / "other.json"
    other.write_text("[]")
    result = run("read", str(SAMPLES / "adf.xml"), option, str(other), code=1)

    assert "other.json: expected a JSON object" in result.stderr


def test_an_unknown_format_is_named(run: Run) -> None:
    assert "'telex'" in run("read", str(SAMPLES / "adf.xml"), "--format", "telex", code=1).stderr


# --------------------------------------------------------------------------------------------------------- secrets


def test_a_key_keeps_the_secrets_of_its_vendor_and_shows_none(run: Run, database_url: str) -> None:
    run("user", "add", "alice@example.com")
    issue = ("intake-key", "issue", "alice@example.com", "--lead-source", "Google")
    key = last_line(run(*issue, "--format", "google", "--secret", "google_key=very-secret"))
    listed = run("intake-key", "list").stdout

    assert len(key) == 40
    assert "very-secret" not in listed
    assert b"very-secret" not in ask(database_url, "SELECT secrets FROM intake_keys")
    for arguments, word in (
        (["--secret", "google_key=x"], "need a format"),
        (["--format", "google", "--secret", "google_key"], "NAME=VALUE"),
        (["--format", "google", "--secret", "key=x"], "google_key"),
        (["--format", "adf", "--secret", "key=x"], "has no secrets"),
    ):
        assert word in run(*issue, *arguments, code=1).stderr
    assert ask(database_url, "SELECT count(*) FROM intake_keys") == 1


def test_secrets_come_from_standard_input_or_a_file(run: Run, database_url: str, tmp_path: Path) -> None:
    run("user", "add", "alice@example.com")
    issue = ("intake-key", "issue", "alice@example.com", "--lead-source", "Zillow", "--format", "zillow-techconnect")
    pairs = "basic_user=zillow\nbasic_password=a = b # c\n\ntopic_arn=arn:aws:sns:us-east-1:1:leads\n"
    file = tmp_path / "secrets.txt"
    file.write_text(pairs)
    for key in (
        last_line(run(*issue, "--secret-stdin", stdin=pairs)),
        last_line(run(*issue, "--secret-file", str(file))),
        last_line(run(*issue, "--secret-stdin", "--secret-file", str(file), stdin="")),
    ):
        sealed = ask(database_url, f"SELECT secrets FROM intake_keys WHERE key_hash = sha256('{key}')")
        assert Vault.of(Settings()).unseal(sealed) == {
            "basic_user": "zillow", "basic_password": "a = b # c", "topic_arn": "arn:aws:sns:us-east-1:1:leads",
        }  # fmt: skip
    errors = run("intake-key", "secret", "1", "--secret-stdin", stdin="a secret word", code=1).stderr
    assert "NAME=VALUE" in errors
    assert "a secret word" not in errors
    assert "process list" in run("intake-key", "secret", "1", "--secret", "x=y", code=1).stderr


def test_a_key_or_a_token_itself_is_read_from_standard_input(run: Run, database_url: str) -> None:
    run("user", "add", "alice@example.com")
    key = last_line(run("intake-key", "issue", "alice@example.com", "--lead-source", "Google", "--format", "google"))
    token = last_line(run("token", "issue", "alice@example.com"))
    run("intake-key", "revoke", "-", stdin=f"{key}\n")
    run("token", "revoke", "-", stdin=f"{token}\n")
    assert ask(database_url, "SELECT count(*) FROM intake_keys WHERE revoked_at IS NOT NULL") == 1
    assert ask(database_url, "SELECT count(*) FROM access_tokens WHERE revoked_at IS NOT NULL") == 1


def test_secrets_can_be_replaced_and_removed(run: Run, database_url: str) -> None:
    run("user", "add", "alice@example.com")
    key = last_line(run("intake-key", "issue", "alice@example.com", "--lead-source", "Google", "--format", "google"))
    assert ask(database_url, "SELECT secrets FROM intake_keys") is None
    run("intake-key", "secret", key, "--secret", "google_key=new")
    assert ask(database_url, "SELECT secrets FROM intake_keys") is not None
    assert "expected, for google" in run("intake-key", "secret", "1", "--secret", "x=y", code=1).stderr
    run("intake-key", "secret", "1")
    assert ask(database_url, "SELECT secrets FROM intake_keys") is None
    assert "leadroutes intake-key list" in run("intake-key", "secret", "999", code=1).stderr


def test_whether_a_key_is_private_is_said_by_its_format_or_by_hand(run: Run, database_url: str) -> None:
    run("user", "add", "alice@example.com")
    issue = ("intake-key", "issue", "alice@example.com", "--lead-source", "Website")
    sql = "SELECT is_known_to_its_sender_alone(k) FROM intake_keys k ORDER BY id DESC LIMIT 1"
    for arguments, is_private in (
        ([], False),
        (["--format", "website"], False),
        (["--format", "adf"], True),
        (["--private"], True),
        (["--format", "email", "--no-private"], False),
    ):
        run(*issue, *arguments)
        assert ask(database_url, sql) is is_private, arguments
    assert "is private" in run("intake-key", "list").stdout
    assert "private now" in run("intake-key", "change", "5", "--private").stdout
    assert ask(database_url, sql) is True
    assert "public now" in run("intake-key", "change", "5", "--no-private").stdout
    assert ask(database_url, sql) is False
    assert "leadroutes intake-key list" in run("intake-key", "change", "999", "--private", code=1).stderr
    run("intake-key", "change", "5", code=2)


# ---------------------------------------------------------------------------------------------------- read it again


def test_arrivals_are_read_again(run: Run, database_url: str) -> None:
    run("user", "add", "alice@example.com")
    run("intake-key", "issue", "alice@example.com", "--lead-source", "Zillow")
    ask(
        database_url,
        "INSERT INTO arrivals (owner_id, intake_key_id, lead_source_id, received_at, headers, body, status, reason)"
        ' SELECT owner_id, id, lead_source_id, now(), \'{"Content-Type": "application/json"}\','
        " convert_to('{\"email\": \"mia@example.com\"}', 'UTF8'), 'rejected', 'malformed: x' FROM intake_keys",
    )
    assert "--rejected" in run("replay-arrivals", code=1).stderr
    assert "--since" in run("replay-arrivals", "--rejected", "--since", "soon", code=1).stderr
    output = run("replay-arrivals", "--rejected", "--pending", "--since", "24h", "--owner", "alice@example.com").stdout

    assert "accepted" in output
    assert ask(database_url, "SELECT status FROM arrivals") == "accepted"
    assert ask(database_url, "SELECT count(*) FROM leads") == 1


def test_a_file_of_secrets_is_read_as_windows_and_people_write_it(run: Run, database_url: str, tmp_path: Path) -> None:
    run("user", "add", "alice@example.com")
    file = tmp_path / "secrets"
    file.write_bytes(b"\xef\xbb\xbfapp_secret = s3cret \r\n")
    issue = ("intake-key", "issue", "alice@example.com", "--lead-source", "Facebook", "--format", "facebook")
    run(*issue, "--secret-file", str(file))

    sealed = ask(database_url, "SELECT secrets FROM intake_keys")
    assert Vault.of(Settings()).unseal(sealed) == {"app_secret": "s3cret"}


def test_a_file_of_secrets_in_another_character_set_is_named_and_not_shown(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "secrets"
    file.write_bytes(b"app_secret=gr\xfcn")
    errors = run("intake-key", "secret", "1", "--secret-file", str(file), code=1).stderr
    assert (str(file) in errors.replace("\n", ""), "UTF-8" in errors, "gr" in errors) == (True, True, False)


# ------------------------------------------------------------------------------------------------------ in and out


def test_nothing_is_imported_whose_report_cannot_be_written(run: Run, database_url: str, tmp_path: Path) -> None:
    """Who was joined to whom is reported once: a second import of the file joins no one."""
    run("user", "add", "alice@example.com")
    report = tmp_path / "missing" / "report.csv"
    errors = run("import", str(HISTORY), "--owner", "alice@example.com", "--report", str(report), code=1).stderr
    assert str(report) in errors.replace("\n", "")
    assert ask(database_url, "SELECT count(*) FROM leads") == 0


def test_what_was_wrong_with_an_import_can_be_mended_and_imported_again(
    run: Run, database_url: str, tmp_path: Path
) -> None:
    run("user", "add", "alice@example.com")
    report = tmp_path / "report.csv"
    load = ("import", str(HISTORY), "--owner", "alice@example.com", "--report", str(report))
    run(*load)
    leads, contacts = (ask(database_url, f"SELECT count(*) FROM {table}") for table in ("leads", "contacts"))
    expected = json.loads((SAMPLES / "history.expected.json").read_text())
    rows = list(csv.reader(StringIO(report.read_text(encoding="utf-8"))))

    reported = {(int(row[0]), int(row[1])) for row in rows[1:] if row[2]}
    assert reported == {(each["row"], each["line"]) for each in expected["errors"] + expected["warnings"]}
    joined = {(int(row[0]), row[4]) for row in rows[1:] if row[4]}
    assert joined == {(each["row"], f"row {each['first_row']}") for each in expected["repeats"]}
    assert all(row[2] or row[4] for row in rows[1:])

    unmended = run("import", str(report), "--owner", "alice@example.com").stdout
    assert ask(database_url, "SELECT count(*) FROM leads") == leads, unmended

    mended_report = tmp_path / "mended.csv"
    header = rows[0]
    for row in rows[1:]:
        if "phone" in row[2]:
            row[header.index("phone")] = "(303) 555-0142"
    with mended_report.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)
    mended = run("import", str(mended_report), "--owner", "alice@example.com").stdout
    assert "of them mended" in mended
    assert ask(database_url, "SELECT count(*) FROM leads") == leads
    assert ask(database_url, "SELECT count(*) FROM contacts WHERE mobile_phone = '+13035550142'") >= 1
    assert ask(database_url, "SELECT count(*) FROM contacts") == contacts
    assert "of them mended" not in run("import", str(mended_report), "--owner", "alice@example.com").stdout
    run("doctor")


HEADER = "received_at,lead_source,first_name,email,phone,message\n"


def test_a_row_that_was_refused_comes_in_once_it_is_mended(run: Run, database_url: str, tmp_path: Path) -> None:
    run("user", "add", "alice@example.com")
    file, report = tmp_path / "leads.csv", tmp_path / "report.csv"
    file.write_text(f'{HEADER}soon,Zillow,=Mia,mia@example.com,,"=1+1, ""really"""\n2026-08-01,Zillow,Noa\n')
    run("import", str(file), "--owner", "alice@example.com", "--report", str(report), "--strict", code=1)
    text = report.read_text()
    assert "'=Mia" in text
    assert "'=1+1" in text
    assert "2,3,wrong_columns,,2026-08-01,Zillow,Noa\n" in text
    report.write_text(text.replace("soon", "2026-08-01T10:00:00Z"))
    again = run("import", str(report), "--owner", "alice@example.com").stdout

    assert "1 imported" in again
    assert ask(database_url, "SELECT first_name FROM contacts") == "=Mia"
    assert ask(database_url, "SELECT text_body FROM leads") == '=1+1, "really"'


def test_an_import_that_was_broken_off_goes_on_where_it_was(run: Run, database_url: str, tmp_path: Path) -> None:
    run("user", "add", "alice@example.com")
    head = tmp_path / "head.csv"
    head.write_bytes(b"\n".join(HISTORY.read_bytes().split(b"\n")[:700]))
    run("import", str(head), "--owner", "alice@example.com")
    first = ask(database_url, "SELECT count(*) FROM leads")
    output = run("import", str(HISTORY), "--owner", "alice@example.com").stdout
    total = ask(database_url, "SELECT count(*) FROM leads")

    assert 0 < first < total
    assert f"{total - first} imported, {first} were in already" in output


def exported(run: Run, what: str) -> list[dict[str, str]]:
    return list(csv.DictReader(StringIO(run("export", what, "--owner", "alice@example.com").stdout)))


def test_exports_defuse_formulas_and_leave_phones_alone(run: Run, database_url: str, tmp_path: Path) -> None:
    run("user", "add", "alice@example.com")
    run("user", "add", "dave@example.com")
    assert exported(run, "leads") == exported(run, "contacts") == []
    file = tmp_path / "leads.csv"
    file.write_text(f'{HEADER}2026-08-01T10:00:00Z,Zillow,=HYPERLINK("x"),mia@example.com,3035550142,"@a\n-b"\n')
    file.write_text(file.read_text().replace('=HYPERLINK("x")', '"=HYPERLINK(""x"")"'))
    run("import", str(file), "--owner", "alice@example.com")
    [lead], [contact] = exported(run, "leads"), exported(run, "contacts")

    assert run("export", "leads", "--owner", "alice@example.com").stderr.strip() == "1 lead"
    assert lead["first_name"] == contact["first_name"] == '\'=HYPERLINK("x")'
    assert (lead["phone"], contact["mobile_phone"]) == ("+13035550142", "+13035550142")
    assert (lead["message"], lead["fate"], lead["lead_source"]) == ("'@a\n-b", "imported", "Zillow")
    assert lead["received_at"] == "2026-08-01T10:00:00Z"


def test_what_goes_out_comes_in_again(run: Run, database_url: str, tmp_path: Path) -> None:
    run("user", "add", "alice@example.com")
    run("user", "add", "dave@example.com")
    run("import", str(HISTORY), "--owner", "alice@example.com")
    file = tmp_path / "out.csv"
    assert "leads" in run("export", "leads", "--owner", "alice@example.com", "--to", str(file)).stderr
    run("import", str(file), "--owner", "dave@example.com", "--strict")
    counts = "SELECT count(*) FROM {} t JOIN users u ON u.id = owner_id WHERE u.email = '{}@example.com'"

    for table in ("leads", "contacts"):
        of_alice, of_dave = (ask(database_url, counts.format(table, name)) for name in ("alice", "dave"))
        assert of_alice == of_dave > 0
