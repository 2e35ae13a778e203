"""GET /campaigns/:id/results: what came of the messages to the caller's contacts, by step and template."""

# ruff: noqa: S608 -- what is put into SQL text are names from declarations; values are bound

from typing import Any

import msgspec

from leadroutes.api.call import Call, Response
from leadroutes.api.reads import id_in
from leadroutes.api.resources import BY_PATH
from leadroutes.domain.step_results import CampaignResults, in_words, results_of
from leadroutes.errors import NotFound
from leadroutes.store.step_results import load_step_results, load_steps

_SEES_CAMPAIGN = f"SELECT t.id FROM campaigns t WHERE t.id = $2 AND ({BY_PATH['/campaigns'].visible})"
UNEVEN = (
    "The messages are not divided as the shares say. Were shares changed while it ran, or is one template not sent"
    " as often, as it cannot be filled in? Differences may come from that."
)


async def show_results(call: Call) -> Response:
    """Raises NotFound for a campaign that the caller does not see."""
    campaign_id = id_in(call.ids[0])
    database, caller_id = call.context.database, call.caller.user_id
    if await database.fetchval(_SEES_CAMPAIGN, caller_id, campaign_id) is None:
        raise NotFound.record(call.ids[0])
    call.require_json_accepted()
    steps = await load_steps(database, campaign_id)
    results = results_of(steps, await load_step_results(database, caller_id, campaign_id))
    return Response(200, msgspec.json.encode({"campaign_id": campaign_id, **answer(results)}))


def answer(results: CampaignResults) -> dict[str, Any]:
    """Returns what is answered: the arms as `data`, comparisons with their words, and warnings."""
    sent = {(each.action_id, each.template_id): each.sent for each in results.arms}
    return {
        "data": results.arms,
        "comparisons": [
            {
                **msgspec.structs.asdict(each),
                "text": in_words(
                    each, sent[each.action_id, each.template_id], sent[each.action_id, each.against_template_id]
                ),
            }
            for each in results.comparisons
        ],
        "warnings": [
            {"action_id": action_id, "code": "split_not_as_planned", "message": UNEVEN} for action_id in results.uneven
        ],
    }
