"""`leadroutes user change`, `close`, `open` and `password`, as whoever runs the server meets them."""

import hashlib

import pytest

from tests.support.commands import Run, ask


@pytest.fixture
def people(run: Run, database_url: str) -> dict[str, int]:
    run("user", "add", "alice@example.com", "--admin", "--first-name", "Alice")
    run("user", "add", "bob@example.com", "--phone", "303-555-0142")
    sql = "SELECT id FROM users WHERE email = $1"
    return {name: ask(database_url, sql, f"{name}@example.com") for name in ("alice", "bob")}


def token_works(database_url: str, token: str) -> bool:
    digest = hashlib.sha256(token.encode()).digest()
    return bool(ask(database_url, "SELECT revoked_at IS NULL FROM access_tokens WHERE token_hash = $1", digest))


def test_what_is_given_changes_and_the_rest_stays(run: Run, database_url: str, people: dict[str, int]) -> None:
    run("user", "change", "bob@example.com", "--email", "rob@example.com", "--timezone", "America/Denver", "--broker")
    row = ask(
        database_url,
        "SELECT concat_ws(' ', email, phone, timezone, timezone_offset, is_broker, is_admin) FROM users WHERE id = $1",
        people["bob"],
    )
    assert row == "rob@example.com +13035550142 America/Denver -7 t f"
    run("user", "change", "rob@example.com", "--no-broker", "--phone", "")
    assert ask(database_url, "SELECT phone IS NULL AND NOT is_broker FROM users WHERE id = $1", people["bob"])


def test_what_cannot_be_is_refused_in_one_line(run: Run, people: dict[str, int]) -> None:
    assert "expected a name like America/Denver" in run(
        "user", "change", "bob@example.com", "--timezone", "Mars", code=1
    ).output.replace("\n", " ")
    assert "in use" in run("user", "change", "bob@example.com", "--email", "alice@example.com", code=1).output
    assert "last active administrator" in run("user", "close", "alice@example.com", code=1).output
    assert "No user has the e-mail" in run("user", "change", "x@example.com", "--phone", "", code=1).output
    assert "say what" in run("user", "change", "bob@example.com", code=1).output


def test_a_closed_account_is_listed_as_such_and_can_be_opened_again(
    run: Run, database_url: str, people: dict[str, int]
) -> None:
    token = run("token", "issue", "bob@example.com").output.split()[-1]
    assert "Closed" in run("user", "close", "bob@example.com").output
    assert not token_works(database_url, token)
    assert ask(database_url, "SELECT is_active FROM users WHERE id = $1", people["bob"]) is False
    [line] = [line for line in run("user", "list").output.splitlines() if "bob@example.com" in line]
    assert line.split()[-1] == "no"
    run("token", "issue", "bob@example.com", code=1)
    run("user", "open", "bob@example.com")
    run("token", "issue", "bob@example.com")


def test_closing_says_whose_contacts_have_to_be_assigned_anew(
    run: Run, database_url: str, people: dict[str, int]
) -> None:
    ask(
        database_url,
        "INSERT INTO contacts (owner_id, assigned_user_id, created_at, modified_at) VALUES ($1, $2, now(), now())",
        people["alice"],
        people["bob"],
    )
    [line] = [line for line in run("user", "close", "bob@example.com").output.splitlines() if "alice@" in line]
    assert line.split() == ["alice@example.com", "1", "0"]


def test_an_account_with_keys_needs_a_successor(run: Run, database_url: str, people: dict[str, int]) -> None:
    run("intake-key", "issue", "bob@example.com", "--lead-source", "Zillow")
    assert "1 intake keys" in run("user", "close", "bob@example.com", code=1).output
    run("user", "close", "bob@example.com", "--successor", "alice@example.com")
    assert ask(database_url, "SELECT owner_id FROM intake_keys") == people["alice"]


def test_a_new_password_ends_tokens(run: Run, database_url: str, people: dict[str, int]) -> None:
    token = run("token", "issue", "bob@example.com").output.split()[-1]
    run("user", "password", "bob@example.com", stdin="another good one\n")
    assert not token_works(database_url, token)
