"""Lists of suppressions, as CSV: one is sent, and what became of its rows is answered; one is answered."""

import io
from typing import Final

import msgspec

from leadroutes.api.audit import act_of_call
from leadroutes.api.bodies import read_limited
from leadroutes.api.call import Call, Response
from leadroutes.errors import Conflict, Invalid
from leadroutes.operations.csv_export import export_of
from leadroutes.operations.suppression_lists import import_list

LARGEST: Final = 5 * 1_048_576
MOST_REFUSED: Final = 100  # that are answered with their lines
MOST_EXPORTED: Final = 100_000  # rows of an answer, which is made in memory
FILE: Final = {"description": "a CSV file with headings: `value` or `email`; `channel`, `reason`, `at` if known"}
_NO_FILES: Final = ("application/json", "application/x-www-form-urlencoded", "multipart/form-data")


async def import_file(call: Call) -> Response:
    """POST /suppressions/import: adds the rows of a file. 200 with {added, known, lifted, refused, faults}.

    `known`: in force before, or twice in the file; `lifted`: no longer in force where they come from; `faults` are the
    first rows that were refused, as {line, reason}. Raises Invalid for a file without a column of addresses.
    """
    data = await read_limited(call.request, LARGEST, call.context.settings.body_timeout)
    media_type = (call.request.header("content-type") or "").partition(";")[0].strip().lower()
    if media_type in _NO_FILES:
        raise Invalid(f"Content-Type: {media_type} was given; expected text/csv, and the file itself as the body")
    call.require_json_accepted()
    owner_id = call.caller.user_id
    report = await import_list(
        call.context.database, data, owner_id, call.caller.person_id, act_of_call(call, owner_id)
    )
    if report.fault is not None:
        raise Invalid(report.fault)
    return Response(
        200,
        msgspec.json.encode(
            {
                "added": report.added,
                "known": report.known,
                "lifted": report.lifted,
                "refused": len(report.refused),
                "faults": [{"line": line, "reason": why} for line, why in report.refused[:MOST_REFUSED]],
            }
        ),
    )


async def export_file(call: Call) -> Response:
    """GET /suppressions/export: all of the caller's account, also those that were lifted, as an import reads them.

    Raises Conflict for a list that is too long for an answer.
    """
    owner_id = call.caller.user_id
    number = await call.context.database.fetchval(
        "SELECT count(*) FROM (SELECT FROM suppressions WHERE owner_id = $1 AND value IS NOT NULL LIMIT $2) s",
        owner_id,
        MOST_EXPORTED + 1,
    )
    if number > MOST_EXPORTED:
        raise Conflict(
            f"The list has more than {MOST_EXPORTED} rows; `leadroutes suppressions export` writes it, and the page"
            " of the settings"
        )
    file = io.StringIO()
    await export_of(call.context.database, "suppressions", owner_id, file)
    headers = (
        (b"content-disposition", b'attachment; filename="suppressions.csv"'),
        (b"x-content-type-options", b"nosniff"),
    )
    return Response(200, file.getvalue().encode(), b"text/csv; charset=utf-8", headers)
