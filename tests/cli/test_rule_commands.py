"""The commands about rules: what check and try print, and with which code they end."""

import json
from pathlib import Path

import pytest

from tests.support.commands import Run, ask, last_line

OWNER = ("--owner", "alice@example.com")
ROUTE_TO_NO_ONE = """
WITH c AS (INSERT INTO campaigns (owner_id, name, name_key, created_at, modified_at)
           SELECT id, 'Follow-up', 'follow-up', now(), now() FROM users RETURNING owner_id, id),
     s AS (INSERT INTO contact_sources (owner_id, name) SELECT id, 'Zillow' FROM users RETURNING id),
     t AS (INSERT INTO teams (owner_id, name) SELECT id, 'North Side' FROM users RETURNING id)
INSERT INTO lead_routes (owner_id, campaign_id, lead_source_id, contact_source_id, team_id, distribution_target,
                         team_selection_method)
SELECT c.owner_id, c.id, 1, s.id, t.id, 'Team Rollout', 'Specific Team' FROM c, s, t
"""


def test_check_ends_with_1_for_an_error(run: Run, database_url: str) -> None:
    run("user", "add", "alice@example.com")
    assert last_line(run("check", *OWNER)) == "Rule set 1: no errors, no warnings"

    ask(database_url, ROUTE_TO_NO_ONE)
    result = run("check", *OWNER, code=1)

    assert "error    nobody_to_offer_to: The team North Side has no accepted member" in result.stdout
    assert "1 error, 1 warning" in last_line(result)
    run("check", "--owner", "dave@example.com", code=1)


CALL_ON_SUNDAYS = """
INSERT INTO campaign_actions (owner_id, campaign_id, type, timing_type, delay_by_seconds, send_window)
SELECT owner_id, id, 'Call Contact', 'Delay by Minutes', 0, '{"weekly_hours": {"sunday": [["12:00", "18:00"]]}}'
FROM campaigns
"""


def test_check_goes_by_the_quiet_hours_that_are_set(
    run: Run, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("user", "add", "alice@example.com")
    ask(database_url, ROUTE_TO_NO_ONE)
    ask(database_url, CALL_ON_SUNDAYS)

    assert "step_never_sent" in run("check", *OWNER, code=1).stdout
    monkeypatch.setenv("LEADROUTES_QUIET_HOURS", "law")
    assert "step_never_sent" not in run("check", *OWNER, code=1).stdout


def test_a_draft_is_tried(run: Run, tmp_path: Path) -> None:
    run("user", "add", "alice@example.com")
    draft = tmp_path / "draft.yaml"
    draft.write_text("rules: 1\nteams:\n  - name: North Side\n", encoding="utf-8")

    assert "0 leads have another first member" in run("try", str(draft), *OWNER).stdout
    assert json.loads(last_line(run("try", str(draft), *OWNER, "--since", "7d", "--json")))["totals"]["leads"] == 0
    assert "--since: 'soon' was given" in run("try", str(draft), *OWNER, "--since", "soon", code=1).stderr
    draft.write_text("rules: 1\nteams:\n  - name: North Side\n    colour: red\n", encoding="utf-8")
    assert "line 4" in run("try", str(draft), *OWNER, code=1).stderr
