"""The words for suppressions and consents that pages share. Data only."""

from typing import Final

REASONS: Final = {
    "unsubscribed": "the person unsubscribed",
    "stopped": "the person asked for no more messages",
    "complained": "the person complained about a message",
    "bounced": "the address does not take messages",
    "manual": "entered by hand",
    "imported": "on a list that was imported",
}
WISHES: Final = frozenset({"unsubscribed", "stopped", "complained"})
CHANNELS: Final = {"email": "e-mails", "text": "texts", "call": "calls"}
