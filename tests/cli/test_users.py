"""`leadroutes user …` and `setup-link`, as whoever runs the server meets them."""

import hashlib

import pytest

from tests.support.commands import Run, ask, last_line


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


# ----------------------------------------------------------------------------------------------- what lets people in


def is_link(database_url: str, link: str, purpose: str) -> bool:
    address, _, token = link.rpartition("/")
    assert address == "https://leads.example.com/passwords"
    sql = "SELECT purpose = $2 AND used_at IS NULL FROM password_links WHERE token_hash = $1"
    return bool(ask(database_url, sql, hashlib.sha256(token.encode()).digest(), purpose))


def test_an_invited_user_gets_a_link_that_is_printed(run: Run, database_url: str, people: dict[str, int]) -> None:
    printed = run("user", "invite", "gail@example.com", "--first-name", "Gail", "--timezone", "America/Denver")
    assert is_link(database_url, last_line(printed), "invitation")
    row = ask(database_url, "SELECT concat_ws(' ', first_name, timezone) FROM users WHERE email = 'gail@example.com'")
    assert row == "Gail America/Denver"
    assert "can be sent again" in run("user", "invite", "gail@example.com", code=1).output
    assert "expected a name like" in run("user", "invite", "x@example.com", "--timezone", "Mars", code=1).output


def test_whoever_has_forgotten_the_password_gets_a_link(run: Run, database_url: str, people: dict[str, int]) -> None:
    assert is_link(database_url, last_line(run("user", "password-link", "bob@example.com")), "reset")
    assert "No user has the e-mail" in run("user", "password-link", "x@example.com", code=1).output


def test_sessions_end_and_second_factors_are_removed(run: Run, database_url: str, people: dict[str, int]) -> None:
    add = "INSERT INTO sessions (token_hash, user_id, expires_at) VALUES ('x', $1, now() + interval '1 day')"
    ask(database_url, add, people["bob"])
    assert "Sessions ended: 1" in run("user", "sign-out", "bob@example.com").output
    assert "There is no second factor" in run("user", "remove-second-factor", "bob@example.com", code=1).output
    add = "INSERT INTO second_factors (user_id, secret, confirmed_at) VALUES ($1, 'sealed', now())"
    ask(database_url, add, people["bob"])
    assert "Removed" in run("user", "remove-second-factor", "bob@example.com").output
    assert ask(database_url, "SELECT count(*) FROM second_factors") == 0


def test_a_link_for_the_first_start_is_printed_while_there_is_no_user(run: Run, database_url: str) -> None:
    assert last_line(run("setup-link")).startswith("https://leads.example.com/setup/")
    run("user", "add", "alice@example.com", "--admin")
    assert "there are users already" in run("setup-link", code=1).output
