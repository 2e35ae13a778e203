"""Steps of campaigns that are sent on conditions: asks the database for what they ask for; the domain decides."""

from datetime import timedelta

from leadroutes.channels.envelope import DeliveryError
from leadroutes.domain.condition_fields import CUSTOM, STEP_FIELDS
from leadroutes.domain.conditions import conditions_in
from leadroutes.domain.message import OutgoingMessage
from leadroutes.domain.step_facts import UNREADABLE, step_facts, why_skipped
from leadroutes.store.facts import load_step_state
from leadroutes.store.messages import DeliveryOutcome
from leadroutes.store.postgres import Database

READ_WITHIN = timedelta(seconds=1)  # a text that has come in, as a rule
BEING_READ = "a text of the contact is being read"


class BeingReadError(DeliveryError):
    """A text of the contact is being read."""

    def __init__(self) -> None:
        super().__init__(BEING_READ)


async def why_step_is_skipped(database: Database, message: OutgoingMessage) -> str | None:
    """Returns why a message of a campaign is not to be sent now, by the conditions of its step; None: it is."""
    if message.kind != "campaign" or message.conditions is None:
        return None
    conditions = conditions_in(message.conditions, STEP_FIELDS)
    if conditions is None:
        return UNREADABLE
    with_custom = any(key.startswith(CUSTOM) for key in conditions.keys)
    state = await load_step_state(database, message.owner_id, message.id, with_custom=with_custom)
    if state is None:
        return None  # the contact is gone, and so is the message
    return why_skipped(conditions, step_facts(conditions.keys, state, database.clock.now()))


def wait_for_reading(message: OutgoingMessage) -> DeliveryOutcome | None:
    """Returns that a message waits: a text of the contact has come in that may stop the campaign. None: none has."""
    return until_read() if message.status.has_unread_text else None


def until_read() -> DeliveryOutcome:
    """Returns the outcome of a message that waits for that."""
    return DeliveryOutcome(state="queued", reason=f"waits: {BEING_READ}", is_counted=False, delay=READ_WITHIN)
