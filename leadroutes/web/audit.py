"""What is done on a page leaves the same in the audit as the call of the API that does it. Nothing is written here."""

from leadroutes.domain.audit_row import AuditRow


def row_of_page(owner_id: int, user_id: int, resource: str, record_id: int | None) -> AuditRow:
    """Returns the act of a user on an account; `resource` is the path of the API's call."""
    return AuditRow(owner_id=owner_id, user_id=user_id, method="POST", resource=resource, record_id=record_id)
