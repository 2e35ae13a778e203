"""Templates among which the contacts of a campaign's step are divided: which of them a contact gets. Pure."""

import hashlib
from collections.abc import Sequence
from itertools import accumulate

from leadroutes.domain.model import CampaignAction


def arm_of(campaign_id: int, contact_id: int, shares: Sequence[int]) -> int:
    """Returns the place of a contact's arm: the same in all steps of a campaign that divide contacts alike."""
    digest = hashlib.sha256(f"{campaign_id}.{contact_id}".encode()).digest()
    place = int.from_bytes(digest[:8]) * sum(shares) >> 64
    return next(number for number, end in enumerate(accumulate(shares)) if place < end)


def template_for(action: CampaignAction, campaign_id: int, contact_id: int) -> int | None:
    """Returns the template that a step has for a contact."""
    if not action.variants:
        return action.template_id
    return action.variants[arm_of(campaign_id, contact_id, [each.share for each in action.variants])].template_id
