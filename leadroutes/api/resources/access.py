"""Who sees what, in SQL: each rule once. $1 is the caller, `t` the row.

Sub-selects are inside ARRAY(...), so that PostgreSQL computes them once per statement and can use its indexes.
"""

# ruff: noqa: S608 -- what is put into SQL text are names from declarations; values are bound


def teammates(user: str, *, sharing: bool) -> str:
    """Returns SQL of the ids of those who share a team with `user`; `sharing`: who share contacts through one.

    The views in the schema define both.
    """
    return f"SELECT tm.teammate_id FROM {'sharing_teammates' if sharing else 'teammates'} tm WHERE tm.user_id = {user}"


def broker_with(switch: str) -> str:
    """Returns SQL of the id of the caller's broker while this switch of the sub-account is on, else null."""
    return f"(SELECT s.owner_id FROM sub_accounts s WHERE s.user_id = $1 AND s.{switch})"


def may_create(switch: str) -> str:
    """Returns SQL: whether the caller has no broker, or one who allows records of the caller's own."""
    return f"NOT EXISTS (SELECT FROM sub_accounts s WHERE s.user_id = $1 AND NOT s.{switch})"


MY_TEAMS = "ARRAY(SELECT m.team_id FROM team_members m WHERE m.user_id = $1 AND m.request_status = 'Accepted')"

# Owners whose contacts the caller changes: the caller and sharing teammates. Of SHARERS, with the broker, the caller
# sees the contacts.
COLLEAGUES = f"ARRAY(SELECT $1::bigint UNION ALL {teammates('$1', sharing=True)})"
SHARING_OWNERS = (
    f"SELECT x.owner_id FROM ({teammates('$1', sharing=True)}) x (owner_id)"
    " UNION ALL SELECT s.owner_id FROM sub_accounts s WHERE s.user_id = $1 AND s.is_contact_ownership_enabled"
)
SHARERS = f"ARRAY(SELECT $1::bigint UNION ALL {SHARING_OWNERS})"
ASSIGNED_CONTACTS = "ARRAY(SELECT a.id FROM contacts a WHERE a.assigned_user_id = $1)"

SEES_CONTACT = f"(t.owner_id = ANY ({SHARERS}) OR t.assigned_user_id = $1)"
CHANGES_CONTACT = f"(t.owner_id = ANY ({COLLEAGUES}) OR t.assigned_user_id = $1)"

# The same for a row that belongs to a contact.
SEES_CONTACT_OF = f"(t.owner_id = ANY ({SHARERS}) OR t.contact_id = ANY ({ASSIGNED_CONTACTS}))"
CHANGES_CONTACT_OF = f"(t.owner_id = ANY ({COLLEAGUES}) OR t.contact_id = ANY ({ASSIGNED_CONTACTS}))"

OWN_OR_TEAMMATE_OF_OWNER = f"{{value}} = $2 OR {{value}} IN ({teammates('$2', sharing=False)})"

# What a search compares with the pattern of a word.
CONTACT_WORDS = (
    "search_words(t.owner_id, ARRAY[t.first_name, t.last_name, t.company], ARRAY[t.email, t.secondary_email],"
    " ARRAY[t.mobile_phone, t.home_phone, t.office_phone], t.tags) @@ {pattern}"
)
