"""What came of a campaign's messages, in words: a row for each step and template, and what differences mean."""

from collections.abc import Mapping, Sequence
from typing import Any

from leadroutes.web.page import Visit
from leadroutes.web.pages.campaign_steps import KINDS, timeline, when


async def load_results(visit: Visit, steps: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Returns the rows of steps of which something was sent, comparisons and warnings, each with the step in words."""
    found = await visit.api.get(f"/campaigns/{visit.id}/results")
    named = {each["id"]: step_in_words(each) for each in steps}
    tried = {each["action_id"] for each in found["comparisons"]}
    order = [each["id"] for _, section in timeline(steps) for each in section]
    arms = [each for each in found["data"] if each["sent"] or each["action_id"] in tried]
    arms.sort(key=lambda each: order.index(each["action_id"]) if each["action_id"] in named else len(order))
    ids = {each["template_id"] for each in arms if each["template_id"]}
    templates = await visit.api.by_id("/templates", sorted(ids), ("description",))
    return {
        "arms": [{**each, "step": named.get(each["action_id"], "a step"), "words": _words(each, templates)}
                 for each in arms],
        "comparisons": [{**each, "step": named.get(each["action_id"], "a step"), "words": _words(each, templates)}
                        for each in found["comparisons"]],
        "warnings": [{**each, "step": named.get(each["action_id"], "a step")} for each in found["warnings"]],
    }  # fmt: skip


def step_in_words(step: Mapping[str, Any]) -> str:
    """Returns `E-mail to the contact, after 5 minutes`."""
    moment = when(step) or "at an exact moment"
    return f"{KINDS[step['type']][0]}, {moment}"


def _words(arm: Mapping[str, Any], templates: Mapping[int, Mapping[str, Any]]) -> str:
    template = templates.get(arm["template_id"])
    return (template["description"] if template else None) or "a template without a name"


def in_percent(rate: Mapping[str, float]) -> str:
    """Returns `12.0 % (9.9 to 14.4)`."""
    share, low, high = (f"{100 * rate[name]:.1f}" for name in ("share", "low", "high"))
    return f"{share} % ({low} to {high})"
