"""The link in every mail to a contact that stops the mails of campaigns: its token is signed, and names the address.

The address is named by its digest, so that the link works for as long as the mail exists, whatever becomes of the
contact meanwhile.
"""

from base64 import b64decode, b64encode

from itsdangerous import BadData, URLSafeSerializer

from leadroutes.domain.unsubscribe import UnsubscribeLink


def unsubscribe_token(secret: str, link: UnsubscribeLink) -> str:
    """A token that never ends."""
    digest = b64encode(link.digest).decode("ascii") if link.digest is not None else None
    named = [link.owner_id, link.contact_id]
    token: str = _serializer(secret).dumps(named if digest is None else [*named, link.message_id, digest])
    return token


def read_unsubscribe_token(secret: str, token: str) -> UnsubscribeLink | None:
    """The link, or None for a token that this installation did not make."""
    try:
        owner_id, contact_id, *further = _serializer(secret).loads(token)
        if not further:
            return UnsubscribeLink(owner_id, contact_id)
        message_id, digest = further
        return UnsubscribeLink(owner_id, contact_id, message_id, b64decode(digest))
    except (BadData, TypeError, ValueError):
        return None


def _serializer(secret: str) -> URLSafeSerializer:
    return URLSafeSerializer(secret, salt="unsubscribe")
