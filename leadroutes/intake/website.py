"""The form of the brokerage's own site, as a browser posts it.

The address that it is posted to is the secret, so nothing is checked here.
"""

from leadroutes.intake.body import Body
from leadroutes.intake.flat import flat_draft, flat_json, gather, persons_pairs
from leadroutes.intake.results import Refused, Result


def recognises(incoming: Body) -> bool:
    """Whether a body is a form, or a body of no known type that reads like one (`a=1&b=2`)."""
    if incoming.is_form:
        return True
    head = incoming.body[:200].strip()
    looks_like_form = b"=" in head and not any(mark in head for mark in b" \t\r\n<{")
    return incoming.media_type in {"", "text/plain"} and looks_like_form


def read(incoming: Body) -> list[Result]:
    """Returns one lead from a form (or from flat JSON, where a site posts that)."""
    if not incoming.is_form and incoming.body.lstrip()[:1] in {b"{", b"["}:
        return flat_json(incoming.json, incoming.default_source)
    pairs = persons_pairs(incoming.form)
    fields = gather(pairs)
    if not fields:
        raise Refused("malformed", "The form has no field with a value.")
    return [flat_draft(fields, incoming.default_source, pairs=pairs).normalize()]
