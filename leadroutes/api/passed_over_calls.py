"""What has passed the caller by, and why. Reads only."""

from datetime import timedelta

from leadroutes.api.call import Call, Response
from leadroutes.api.lead_calls import encoded
from leadroutes.api.query import requested_page
from leadroutes.domain.passed_over import outcome_in_words, reason_in_words
from leadroutes.store import statement
from leadroutes.store.passed_over import list_passed_over

SHOWN_FOR = timedelta(days=30)
MOST_COUNTED = 1000
MOST_READ = 100_000  # of 30 days, however far the page is behind the first


async def passed_over(call: Call) -> Response:
    """GET /passed-over: leads of the last 30 days that went to a team of the caller, and past the caller.

    `total` stops at 1000, unless the page is behind that.
    """
    limit, skip = requested_page(call.request.query)
    call.require_json_accepted()
    database, user_id = call.context.database, call.caller.user_id
    zone = await database.fetchval(*statement("find_timezone").bind(user_id=user_id)) or "UTC"
    most = min(max(skip + limit, MOST_COUNTED), MOST_READ)
    rows = await list_passed_over(database, user_id, database.clock.now() - SHOWN_FOR, most)
    data = [
        {
            "id": row.id,
            "team_id": row.team_id,
            "at": row.lead.at,
            "source": row.source,
            "type": row.type,
            "city": row.city,
            "reason": reason_in_words(row.lead, zone),
            "outcome": outcome_in_words(row.lead),
        }
        for row in rows[skip : skip + limit]
    ]
    return Response(200, encoded({"total": len(rows), "limit": limit, "skip": skip, "data": data}))
