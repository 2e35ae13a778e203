"""What has passed the viewer by, and why."""

from collections.abc import Mapping
from typing import Any

from leadroutes.web.forms import require_id
from leadroutes.web.page import MenuItem, Page, Visit

PAGE = 50


async def load_passed_over(visit: Visit) -> Mapping[str, Any]:
    skip = require_id("skip", visit.query["skip"]) if visit.query.get("skip") else 0
    answer = await visit.api.get("/passed-over", {"$limit": PAGE + 1, "$skip": skip})
    shown = answer["data"][:PAGE]
    teams = await visit.api.by_id("/teams", [row["team_id"] for row in shown], ("name",))
    return {
        "rows": shown,
        "next_skip": skip + PAGE if len(answer["data"]) > PAGE else None,
        "team_names": {team_id: team["name"] for team_id, team in teams.items()},
    }


PASSED_OVER = Page(
    path="/passed-over",
    title="Passed over",
    about="leads of the last 30 days that went to a team of yours and not to you, and why: who was faster, or why you"
    " were not asked",
    template="pages/passed_over.html",
    load=load_passed_over,
    place=MenuItem("My leads", "Passed over", "history"),
    parts=("rows",),
    is_personal=True,
)
