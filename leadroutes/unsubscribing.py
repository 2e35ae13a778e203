"""The link in every mail to a contact that stops his campaigns' mails: its token names him and is signed."""

from itsdangerous import BadData, URLSafeSerializer


def unsubscribe_token(secret: str, owner_id: int, contact_id: int) -> str:
    """A token that never ends, for one contact of one owner."""
    token: str = _serializer(secret).dumps([owner_id, contact_id])
    return token


def read_unsubscribe_token(secret: str, token: str) -> tuple[int, int] | None:
    """(owner_id, contact_id), or None for a token that we did not make."""
    try:
        owner_id, contact_id = _serializer(secret).loads(token)
    except (BadData, TypeError, ValueError):
        return None
    return owner_id, contact_id


def _serializer(secret: str) -> URLSafeSerializer:
    return URLSafeSerializer(secret, salt="unsubscribe")
