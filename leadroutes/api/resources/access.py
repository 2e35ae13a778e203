"""Who sees what, in SQL: the words of the contract, each once. $1 is the caller, `t` the row that is asked about.

Sub-selects stand in ARRAY(...), so that PostgreSQL computes them once for a statement and can use its indexes.
"""

# ruff: noqa: S608 -- what is put into SQL text are names from declarations; values are bound


def teammates(user: str, *, sharing: bool) -> str:
    """The ids of those who share a team with `user`; `sharing`: who share contacts with `user` through one.

    What these words mean, the views of the schema say.
    """
    return f"SELECT tm.teammate_id FROM {'sharing_teammates' if sharing else 'teammates'} tm WHERE tm.user_id = {user}"


def broker_with(switch: str) -> str:
    """The id of the caller's broker, while this switch of the sub-account is on; null without one."""
    return f"(SELECT s.owner_id FROM sub_accounts s WHERE s.user_id = $1 AND s.{switch})"


def may_create(switch: str) -> str:
    """Whether the caller's broker, if there is one, lets him make own ones."""
    return f"NOT EXISTS (SELECT FROM sub_accounts s WHERE s.user_id = $1 AND NOT s.{switch})"


MY_TEAMS = "ARRAY(SELECT m.team_id FROM team_members m WHERE m.user_id = $1 AND m.request_status = 'Accepted')"

# Whose contacts the caller changes: his own and those of sharing teammates. Sees: those of his broker as well.
COLLEAGUES = f"ARRAY(SELECT $1::bigint UNION ALL {teammates('$1', sharing=True)})"
SHARERS = (
    f"ARRAY(SELECT $1::bigint UNION ALL {teammates('$1', sharing=True)}"
    " UNION ALL SELECT s.owner_id FROM sub_accounts s WHERE s.user_id = $1 AND s.is_contact_ownership_enabled)"
)
ASSIGNED_CONTACTS = "ARRAY(SELECT a.id FROM contacts a WHERE a.assigned_user_id = $1)"

SEES_CONTACT = f"(t.owner_id = ANY ({SHARERS}) OR t.assigned_user_id = $1)"
CHANGES_CONTACT = f"(t.owner_id = ANY ({COLLEAGUES}) OR t.assigned_user_id = $1)"

# The same for a row that hangs on a contact.
SEES_CONTACT_OF = f"(t.owner_id = ANY ({SHARERS}) OR t.contact_id = ANY ({ASSIGNED_CONTACTS}))"
CHANGES_CONTACT_OF = f"(t.owner_id = ANY ({COLLEAGUES}) OR t.contact_id = ANY ({ASSIGNED_CONTACTS}))"

OWN_OR_TEAMMATE_OF_OWNER = f"{{value}} = $2 OR {{value}} IN ({teammates('$2', sharing=False)})"
