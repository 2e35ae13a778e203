"""The audit: who changed what on an account, when. Each act is written in the transaction of the change itself.

What is an act, and which of its values may be stored, is decided elsewhere.
"""

import msgspec

from leadroutes.domain.audit_row import AuditRow
from leadroutes.store import statement
from leadroutes.store.postgres import Transaction
from leadroutes.store.rule_versions import CHANGES_RULES, sign_versions

LONGEST_LABEL = 200

_ENCODER = msgspec.json.Encoder(enc_hook=str)


def note_act(
    transaction: Transaction, act: AuditRow | None, *, owner_id: int | None = None, record_id: int | None = None
) -> None:
    """Has an act written together with the others of this transaction, as the last thing before its commit.

    None writes nothing. `owner_id` and `record_id`: where they are known only in this transaction.
    """
    if act is None:
        return
    if act.resource.startswith(CHANGES_RULES):
        sign_versions(transaction, act.user_id)
    sql, *values = statement("insert_audit_entries").bind(
        owner_ids=act.owner_id if owner_id is None else owner_id,
        moments=transaction.now,
        user_ids=act.user_id,
        application_ids=act.application_id,
        methods=act.method,
        resources=act.resource,
        record_ids=act.record_id if record_id is None else record_id,
        labels=act.label and act.label[:LONGEST_LABEL],
        changes=_ENCODER.encode(act.changes).decode(),
        are_about_users=act.is_about_user,
    )
    transaction.last_rows.setdefault(sql, []).append(values)
