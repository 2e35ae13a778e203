"""What the hostile account sends: an ordinary user of the same service, with a token, a password and own records.

One entry is one attack. What it may store without harm to others is bounded by `most`.
"""

import asyncio
from functools import partial
from typing import Any, Final
from urllib.parse import urlencode

import msgspec

from chaos.attacks import HEADERS_IN_A_WORD, READ, STORED, Attack, Hand, Interrupted, Sends
from chaos.attacks_of_stranger import FORM, MAIL, half_open_tags, too_many_leads
from chaos.wire import Answer

SOURCE: Final = 7  # "Website" of the sources that every account has
RULES: Final = 20  # recurring actions of one campaign
LARGE_RECORDS: Final = 18  # of a megabyte each: more than fits into one page
MANY_AT_ONCE: Final = 8
FEW: Final = 6  # times for what is large, or takes long
_RULE: Final = "FREQ=MONTHLY;INTERVAL=2;BYMONTH={};BYSETPOS=1;BYDAY=MO,TU,WE,TH,FR,SA,SU;BYHOUR=" + ",".join(
    map(str, range(24))
)
_FILTERS: Final = "{% capture x %}" + "a" * 19_900 + "{% endcapture %}" + "{{x|squish|size}}" * 10_000


async def _kept(hand: Hand, what: str, path: str, /, **fields: Any) -> int:
    """The id of a record that is made once in a run."""
    if what not in hand.memory:
        hand.memory[what] = (await hand.make(path, **fields))["id"]
    number: int = hand.memory[what]
    return number


async def _template(hand: Hand, right: frozenset[int] | None = None, /, **fields: str) -> Answer | None:
    folder = await _kept(hand, "folder", "/template-folders", name="All")
    given = {"template_folder_id": folder, "template_type": "Email", "subject": "Hello", "body": "Hello"} | fields
    return await hand.ask("POST", "/templates", given, right=right)


def _mailed(**fields: str) -> Sends:
    """A campaign with one mail, whose template is this, is started for two contacts; the mails are due at once."""

    async def sends(hand: Hand) -> None:
        answer = await _template(hand, **fields)
        if answer is None or answer.status not in STORED:
            return
        letter = msgspec.json.decode(answer.body)["id"]
        campaign = (await hand.make("/campaigns", name=f"Hostile {next(hand.numbers)}"))["id"]
        timing = {"timing_type": "Delay by Minutes", "delay_by_seconds": 0}
        await hand.make(f"/campaigns/{campaign}/actions", type="Email Contact", template_id=letter, **timing)
        for _ in range(2):
            contact = (await hand.make("/contacts", **hand.person(last_name=HEADERS_IN_A_WORD)))["id"]
            await hand.make(f"/campaigns/{campaign}/contacts", contact_id=contact)

    return sends


async def _recurring(hand: Hand) -> None:
    """A route that starts a campaign of rules that never come from today on; then leads for it."""
    if "rules" not in hand.memory:
        campaign = await _kept(hand, "campaign", "/campaigns", name="Never comes")
        for number in range(RULES):
            rule = _RULE.format((12, 1)[number % 2])  # one of the two never comes, counted from the present month
            task = {"type": "Agent Task - No Reminder", "timing_type": "Recurring", "recurrence": rule}
            await hand.ask("POST", f"/campaigns/{campaign}/actions", task, right=frozenset({201, 400}))
        source = await _kept(hand, "source", "/contact-sources", name="Web")
        route = {"campaign_id": campaign, "lead_source_id": SOURCE, "contact_source_id": source}
        await hand.make("/lead-routes", **route, distribution_target="Myself")
        hand.memory["rules"] = True
    await asyncio.gather(*(hand.to_form(hand.person()) for _ in range(2)))


async def _rule_without_end(hand: Hand) -> None:
    campaign = await _kept(hand, "rules without end", "/campaigns", name="Has no end")
    for rule in (
        "FREQ=SECONDLY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=YEARLY;INTERVAL=99999999999",
    ):
        task = {"type": "Agent Task - No Reminder", "timing_type": "Recurring", "recurrence": rule}
        await hand.ask("POST", f"/campaigns/{campaign}/actions", task)


async def _nested_page(hand: Hand) -> None:
    """A lead with HTML of 40,000 open elements is claimed, and its page is looked at in a browser."""
    if "page" not in hand.memory:
        contact = (await hand.make("/contacts", **hand.person()))["id"]
        lead = (await hand.make("/leads", contact_id=contact, html_body="<div>" * 40_000))["id"]
        await hand.make(f"/leads/{lead}/claim")
        listed = await hand.ask("GET", f"/leads/{lead}/offers", right=frozenset({200}))
        if listed is None or listed.status != 200:
            raise Interrupted
        hand.memory["page"] = f"/app/offers/{msgspec.json.decode(listed.body)['data'][0]['id']}"
    form = urlencode({"email": hand.target.email, "password": hand.target.password}).encode()
    entered = await hand.ask("POST", "/sign-in", form, FORM, right=frozenset({303, 429}))
    if entered is not None and entered.status == 303:
        cookies = [each.partition(";")[0] for each in entered.headers["set-cookie"].split("\n")]
        await hand.ask("GET", hand.memory["page"], headers={"Cookie": "; ".join(cookies)}, right=frozenset({200}))


async def _large_records(hand: Hand) -> None:
    while hand.memory.setdefault("large", 0) < LARGE_RECORDS:
        hand.memory["large"] += 1
        await _template(hand, frozenset({201}), template_type="Direct Mail Letter", body="a" * 1_000_000)
    await hand.ask("GET", "/templates?$limit=1000")


def _filtered(conditions: int, field: str, at_once: int = 1) -> Sends:
    path = "/leads?" + "&".join(f"$or[{number}][{field}][$nin][]={number}" for number in range(conditions))

    async def sends(hand: Hand) -> None:
        await asyncio.gather(*(hand.ask("GET", path) for _ in range(at_once)))

    return sends


def _tried_out(body: Any) -> Sends:
    async def sends(hand: Hand) -> None:
        key = await _kept(hand, "key", "/intake-keys", lead_source_id=SOURCE)
        await hand.ask("POST", f"/intake-keys/{key}/trials", body(), MAIL)

    return sends


async def _by_number(hand: Hand) -> None:
    """Records with small numbers are of others: they were there before this account had any."""
    number = hand.dice.randrange(1, 3)
    for path in ("leads", "contacts", "campaigns", "lead-routes", "teams", "templates"):
        method = hand.dice.choice(("GET", "DELETE"))
        await hand.ask(method, f"/{path}/{number}")
    await hand.ask("POST", f"/leads/{number}/claim", {})
    await hand.ask("PATCH", f"/contacts/{number}", {"assigned_user_id": hand.target.user_id})


async def _everybody(hand: Hand) -> None:
    """One user after the other is invited, for the name, e-mail and phone, and the invitation is taken back."""
    team = await _kept(hand, "team", "/teams", name="Catalogue")
    for number in hand.target.others:
        answer = await hand.ask("POST", "/team-members", {"team_id": team, "user_id": number})
        if answer is not None and answer.status == 201:
            made = msgspec.json.decode(answer.body)
            await hand.ask("DELETE", f"/team-members/{made['id']}")


def _account(name: str, right: set[int] | frozenset[int], sends: Sends, most: int = 40) -> Attack:
    return Attack(name=name, who="account", right=frozenset(right), sends=sends, most=most)


SAVED: Final = frozenset({200, 201, 400})  # or refused with a reason

ATTACKS: Final = (
    # -- texts that take long to work out
    _account("a template that filters a long text 10,000 times", SAVED, _mailed(body=_FILTERS), FEW),
    _account(
        "a template with a range of a thousand million",
        SAVED,
        _mailed(body="{% for a in (1..1000000000) reversed %}x{% endfor %}"),
        FEW,
    ),
    _account(
        "a template of loops in loops",
        SAVED,
        _mailed(body="{% for a in (1..9999) %}{% for b in (1..9999) %}{{a}}{% endfor %}{% endfor %}"),
        FEW,
    ),
    _account("a template whose HTML cannot be read", SAVED, _mailed(body="<p>Hello</p><![ if odd ]>"), FEW),
    _account("a template of 39,000 open elements", SAVED, _mailed(body="<div>" * 39_000), FEW),
    _account(
        "headers of a mail in the subject of a template", SAVED, _mailed(subject=f"Hello {HEADERS_IN_A_WORD}"), FEW
    ),
    _account(
        "a subject that becomes very long", SAVED, _mailed(subject="{% for a in (1..200) %}aaaaaaaaaa{% endfor %}"), FEW
    ),
    _account("recurring rules that never come, at a route", READ, _recurring),
    _account("rules without end", SAVED, _rule_without_end, FEW),
    _account("the page of a lead whose HTML is nested 40,000 deep", STORED, _nested_page),
    _account("a trial of a mail of 3 MB of half-open tags", READ, _tried_out(partial(half_open_tags, 3_000_000)), FEW),
    _account("a trial of a mail with 10,100 leads", READ, _tried_out(too_many_leads), FEW),
    # -- lists and pages
    _account("a list with 300 conditions", {200, 400}, _filtered(300, "city")),
    _account(
        "a list with 50 conditions on a masked field, many at once",
        {200, 400},
        _filtered(50, "street_address", MANY_AT_ONCE),
    ),
    _account("a list with 300 conditions on a masked field", {200, 400}, _filtered(300, "street_address")),
    _account("pages of records of a megabyte", {200, 400}, _large_records),
    # -- values
    _account(
        "a number with a huge exponent, as a field",
        {400},
        lambda hand: hand.ask("POST", "/hotnesses", b'{"name": "x", "rank": 1e99999999999999999999}'),
    ),
    _account(
        "half of a character in a field",
        SAVED,
        lambda hand: hand.ask("POST", "/contacts", b'{"first_name": "\\ud800", "last_name": "\\u0000"}'),
    ),
    _account("a body that is nested 100,000 deep", {400}, lambda hand: hand.ask("POST", "/contacts", b"[" * 100_000)),
    _account(
        "an id of 15,000 zeros, with a token",
        {400, 404},
        lambda hand: hand.ask("PATCH", f"/hotnesses/{'0' * 15_000}1", {"name": "x"}),
    ),
    _account(
        "an own name that writes headers",
        {200, 400},
        lambda hand: hand.ask("PATCH", "/me", {"first_name": HEADERS_IN_A_WORD}),
    ),
    # -- what belongs to others
    _account("records of others by their numbers", {404, 405}, _by_number),
    _account("everybody by number", {201, 204, 200, 400, 409, 429}, _everybody),
)
