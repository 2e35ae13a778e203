"""The members of a team: who is in the line-up, in which order, alerted how; who is invited."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, Final

from leadroutes.api.resources.sign_ins import is_mailed
from leadroutes.domain.arrangement import Groups, grouped, joined, moved_down, moved_up, placed
from leadroutes.domain.identity import normal_email
from leadroutes.engine.attendance import who_is_away
from leadroutes.errors import Conflict, Invalid, NotFound
from leadroutes.web.forms import read_id, require_id
from leadroutes.web.local_time import local_value, read_local
from leadroutes.web.page import Act, Done, Inverse, Stale, Visit, change
from leadroutes.web.pages.route_words import compared, read_button
from leadroutes.web.sent import Sent

MOST_MEMBERS: Final = 1000
PER_PAGE: Final = 32
NOT_MAILED: Final = (
    "Mail is not set up here, so no link is sent: whoever has an account finds the invitation on their home page, and"
    " everyone else needs an account first."
)
MOST_INVITED: Final = 50  # addresses in one form
MOST_KNOWN: Final = 50  # people to invite by a button; who sees more of them types the address
MOST_MINUTES: Final = 10_080  # a week
MOST_WEIGHT: Final = 1_000
OPTIONS: Final = "/team-member-distribution-options"
ALERTS: Final = (("has_email_alert", "e-mail"), ("has_text_alert", "text message"), ("has_call_alert", "call"))
CAPS: Final = (
    ("max_open_leads", "Open leads at most"),
    ("max_leads_per_day", "Leads a day at most"),
    ("max_leads_per_week", "Leads a week at most"),
)
MOST_LEADS: Final = 100_000
LABELS: Final = {
    "assign_automatically": "Gets the lead without claiming it",
    "mins_until_lead_offer": "Minutes",
    "weight": "Share of the leads",
    **{name: f"Alert by {word}" for name, word in ALERTS},
    "is_paused": "Paused in this team",
    "paused_until": "Paused until",
    **dict(CAPS),
    "has_night_calls": "Is called at night, too",
}
TOGETHER: Final = frozenset({"Rank"})  # methods under which equal ranks are notified together
BY_MINUTES: Final = frozenset({"Time"})
WITH_WEIGHTS: Final = frozenset({"Round Robin", "Least Loaded", "Longest Idle"})
WITH_TURNS: Final = frozenset({"Round Robin"})
WEIGHT_HINTS: Final = {
    "Round Robin": "2 is twice as many turns as 1. With 0 the member is first only if no one else is there.",
    "Least Loaded": "2 is twice as many open leads as 1. With 0 the member is first only if no one else is there.",
    "Longest Idle": "With 0 the member is first only if no one else is there; above 0 it makes no difference.",
}
ORDER_HINTS: Final = {
    "Rank": "Members of one number are offered a lead together.",
    "Time": "In the order of their minutes.",
    "Round Robin": "The order decides between members whose turn it is equally.",
    "Simultaneous": "All are offered a lead at once; the order makes no difference to that.",
    "Least Loaded": "The order decides between members who have as many leads and have waited as long.",
    "Longest Idle": "The order decides between members who never had a lead.",
}

# ----------------------------------------------------------------------------------------------------- what is shown


@dataclass(frozen=True, slots=True)
class Stretch:
    """As many members of a long list as a page shows, and the links to the other stretches of the list."""

    first: int  # its place in the list, from 0
    members: Sequence[Mapping[str, Any]]
    links: Sequence[tuple[int, str]]  # of each stretch: its first member, its places in words; none for a short list

    @classmethod
    def of(cls, members: Sequence[Mapping[str, Any]], near: int | None) -> "Stretch":
        """Returns the stretch in which this user is; the first one where the user is in none."""
        ids = [each["member"]["user"]["id"] for each in members]
        first = ids.index(near) // PER_PAGE * PER_PAGE if near in ids else 0
        starts = range(0, len(members), PER_PAGE) if len(members) > PER_PAGE else ()
        links = [(ids[at], f"{at + 1} to {min(at + PER_PAGE, len(members))}") for at in starts]
        return cls(first, members[first : first + PER_PAGE], links)


async def load_line_up(visit: Visit, team: Mapping[str, Any]) -> Mapping[str, Any]:
    members = await visit.api.records("/team-members", {"team_id": visit.id}, most=MOST_MEMBERS)
    by_user = {each["user"]["id"]: each for each in members if each["request_status"] == "Accepted"}
    options = {each["user_id"]: each for each in await _options(visit, team["order_method"])}
    groups = _groups([each for each in options.values() if each["user_id"] in by_user], team["order_method"])
    near = read_id(visit.sent.on if visit.sent.do else visit.query.get("member") or visit.query.get("near"))
    line_up = [
        {
            "member": by_user[user_id],
            "option": options[user_id],
            "is_first": number == 0 and place == 0,
            "is_last": number == len(groups) - 1 and place == len(group) - 1,
            "place": number + 1,
            "joins": number > 0 and place == 0,
            "is_joined": place > 0,
        }
        for number, group in enumerate(groups)
        for place, user_id in enumerate(group)
    ]
    others = [{"member": each} for user_id, each in by_user.items() if user_id not in options]
    return {
        "line_up": Stretch.of(line_up, near),
        "others": Stretch.of(others, near),
        "shown_option": _shown_option(visit, by_user, options),
        "shown_other": _shown_other(visit, others),
        "invited": [each for each in members if each["request_status"] != "Accepted"],
        "known": await _others_known(visit, members),
        "is_mailed": is_mailed(visit.settings),
        "not_mailed": NOT_MAILED,
        "has_order": team["order_method"] not in BY_MINUTES,
        "has_groups": team["order_method"] in TOGETHER,
        "has_weights": team["order_method"] in WITH_WEIGHTS,
        "weight_hint": WEIGHT_HINTS.get(team["order_method"], ""),
        "order_hint": ORDER_HINTS[team["order_method"]],
        "alerts_of": lambda option: listed([word for name, word in ALERTS if option[name]]),
        "alerts": ALERTS,
        "name_of": name_of,
        "turns": await _turns(visit, has_turns=team["order_method"] in WITH_TURNS),
        "away": await who_is_away(visit.database, visit.engine.rule_sets, visit.viewer.owner_id, visit.id),
        "caps": CAPS,
        "local_value": partial(local_value, timezone=visit.viewer.timezone),
    }


def _shown_option(visit: Visit, members: Mapping[Any, Any], options: Mapping[int, Any]) -> Mapping[str, Any] | None:
    """The member whose options are shown: the one of the link, or of the form that was refused."""
    user_id = read_id(visit.sent.on if visit.sent.do == "option" else visit.query.get("member"))
    if user_id is None or user_id not in members or user_id not in options:
        return None
    return {"member": members[user_id], "option": options[user_id]}


def _shown_other(visit: Visit, others: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """The member outside of the line-up whom the link names, and who may be removed."""
    user_id = read_id(visit.query.get("member"))
    found = [each["member"] for each in others if each["member"]["user"]["id"] == user_id != visit.viewer.owner_id]
    return found[0] if found else None


def _at_member(visit: Visit, user_id: int) -> str:
    """Returns where on the page the member is shown."""
    return f"/teams/{visit.id}?near={user_id}#member-{user_id}"


def listed(words: list[str]) -> str:
    """Returns `a, b and c`."""
    return " and ".join(part for part in (", ".join(words[:-1]), *words[-1:]) if part)


def name_of(member: Mapping[str, Any]) -> str:
    user = member["user"]
    name = " ".join(part for part in (user["first_name"], user["last_name"]) if part)
    return name or user["email"] or "Someone who was invited"


async def _options(visit: Visit, order_method: str) -> list[dict[str, Any]]:
    """The distribution options of the team, in the order of the line-up."""
    options = await visit.api.records(OPTIONS, {"team_id": visit.id}, most=MOST_MEMBERS)
    if order_method in BY_MINUTES:
        return sorted(options, key=lambda each: (each["mins_until_lead_offer"], each["id"]))
    return sorted(options, key=lambda each: (each["rank"] is None, each["rank"] or 0, each["id"]))


def _groups(options: list[dict[str, Any]], order_method: str) -> Groups:
    if order_method in TOGETHER:
        return grouped((each["rank"], each["user_id"]) for each in options)
    return [[each["user_id"]] for each in options]


async def _turns(visit: Visit, *, has_turns: bool) -> Mapping[int, str]:
    """What each member had in the last 30 days: `8 offers, 3 turns and 1 lead`."""
    report = await visit.api.find("/reports/fairness")
    nouns = ("offer", "turn", "lead") if has_turns else ("offer", "lead")
    return {
        row["agent_id"]: listed([_counted(row[f"{noun}s"], noun) for noun in nouns])
        for row in (report["data"] if report else ())
        if row["team_id"] == visit.id
    }


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


# --------------------------------------------------------------------------------------------------------- the order


async def move(visit: Visit, sent: Sent) -> Done:
    """Up, down, or together with the member above."""
    moves: dict[str, Callable[[Groups, int], Groups]] = {"up": moved_up, "down": moved_down, "join": joined}
    word, user_id = read_button(sent, tuple(moves))
    return await _order(visit, user_id, moves[word])


async def drop(visit: Visit, sent: Sent) -> Done:
    """To the place in the list where it was dragged."""
    place = sent.number("place")
    if place is None or place < 0:
        raise Invalid(f"place: {sent.get('place')[:40]!r} was given; expected the place in the list, from 0.")
    return await _order(visit, _on(sent), lambda groups, user_id: placed(groups, user_id, place))


async def _order(visit: Visit, user_id: int, arrange: Callable[[Groups, int], Groups]) -> Done:
    team = await visit.api.get(f"/teams/{visit.id}")
    options = await _options(visit, team["order_method"])
    before = grouped((each["rank"], each["user_id"]) for each in options)
    try:
        after = arrange(_groups(options, team["order_method"]), user_id)
    except ValueError:
        raise Conflict("This member is not in the line-up any more.") from None
    path = f"/teams/{visit.id}/members/order"
    await visit.api.post(path, {"line_up": after, "instead_of": before})
    undo = Inverse("POST", path, {"line_up": before, "instead_of": after})
    return Done(_at_member(visit, user_id), "The order is changed.", undo)


# ------------------------------------------------------------------------------------------------- one in the line-up


async def line_up(visit: Visit, sent: Sent) -> Done:
    """Put a member at the end of the line-up, alerted by e-mail."""
    user_id = _on(sent)
    body = {"team_id": visit.id, "user_id": user_id, "assign_automatically": False, "has_email_alert": True}
    made = await visit.api.post(OPTIONS, body)
    undo = Inverse("DELETE", f"{OPTIONS}/{made['id']}")
    return Done(_at_member(visit, user_id), "The member is in the line-up, alerted by e-mail.", undo)


async def leave_out(visit: Visit, sent: Sent) -> Done:
    """Take a member out of the line-up. The member stays in the team."""
    option = await _option(visit, sent)
    await visit.api.delete(f"{OPTIONS}/{option['id']}")
    undo = Inverse("POST", OPTIONS, {name: value for name, value in option.items() if name != "id"})
    return Done("", "The member is offered no leads of this team any more.", undo)


async def set_option(visit: Visit, sent: Sent) -> Done:
    """How offers reach one member."""
    body: dict[str, Any] = {
        name: sent.is_checked(name) for name in ("assign_automatically", "has_night_calls", *dict(ALERTS))
    }
    errors = {}
    numbers = (("mins_until_lead_offer", 0, MOST_MINUTES), ("weight", 0, MOST_WEIGHT))
    for name, least, most in (*numbers, *((name, 0, MOST_LEADS) for name, _ in CAPS)):
        text = sent.get(name).strip()
        if not text:
            if name in sent and name.startswith("max_"):
                body[name] = None
            continue
        if text.isascii() and text.isdigit() and least <= int(text[:9]) <= most:
            body[name] = int(text)
        else:
            errors[name] = f"Give a whole number from {least} to {most:,}."
    option = await _option(visit, sent)
    body |= _pause(visit, sent, option["paused_until"], errors)
    if errors:
        raise Invalid.fields(errors)
    try:
        await change(visit, f"{OPTIONS}/{option['id']}", body, sent.get("seen"))
    except Stale as stale:
        raise compared(stale, body, LABELS) from None
    return Done(_at_member(visit, option["user_id"]), "Saved. It applies to leads that come in from now on.")


def _pause(visit: Visit, sent: Sent, stored: str | None, errors: dict[str, str]) -> dict[str, Any]:
    """A moment counts only where the box is checked."""
    text, is_paused = sent.get("paused_until").strip(), sent.is_checked("is_paused")
    until = read_local(text, visit.viewer.timezone, stored) if text and is_paused else None
    if text and is_paused and until is None:
        errors["paused_until"] = "Say the date and the time, such as 2026-12-12 09:30, or leave it empty."
    elif until is not None and datetime.fromisoformat(until) <= visit.now:
        errors["paused_until"] = "Choose a moment that is still to come."
    return {"is_paused": is_paused, "paused_until": until}


async def _option(visit: Visit, sent: Sent) -> dict[str, Any]:
    found = await visit.api.records(OPTIONS, {"team_id": visit.id, "user_id": _on(sent)}, most=1)
    if not found:
        raise NotFound.record(sent.on)
    return found[0]


# -------------------------------------------------------------------------------------------------------- membership


async def _others_known(visit: Visit, members: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Returns the users that the viewer sees and that are not in the team, such as those who were invited as people."""
    users = await visit.api.records("/users", {"$sort[id]": 1}, most=MOST_KNOWN + 1)
    here = {each["user"][name] for each in members for name in ("id", "email")}
    is_new = [each for each in users if each.get("is_active") is not False and each["email"]]
    is_new = [each for each in is_new if each["id"] not in here and each["email"] not in here]
    return is_new if len(users) <= MOST_KNOWN else []


async def invite(visit: Visit, sent: Sent) -> Done:
    """Invite by e-mail: one address or several."""
    addresses = list(dict.fromkeys(sent.get("email").replace(",", " ").replace(";", " ").split()))
    wrong = [each for each in addresses if normal_email(each) is None]
    if not addresses:
        raise Invalid.fields({"email": "Give an e-mail address."})
    if wrong:
        raise Invalid.fields({"email": f"“{wrong[0][:100]}” is not an e-mail address such as bob@example.com."})
    if len(addresses) > MOST_INVITED:
        raise Invalid.fields({"email": f"{len(addresses)} addresses were given; {MOST_INVITED} at once is the most."})
    again = []
    for address in addresses:
        try:
            await visit.api.post("/team-members", {"team_id": visit.id, "email": address})
        except Conflict:
            again.append(address)
    return Done("", _invited(len(addresses) - len(again), again, is_sent=is_mailed(visit.settings)))


def _invited(count: int, again: list[str], *, is_sent: bool) -> str:
    sentences = []
    if count and is_sent:
        sentences.append("One invitation is on its way." if count == 1 else f"{count} invitations are on their way.")
    elif count:
        sentences.append("One person is invited." if count == 1 else f"{count} people are invited.")
        sentences.append(NOT_MAILED)
    if again:
        sentences.append(f"Invited before, or a member: {', '.join(again)}.")
    return " ".join(sentences)


async def invite_again(visit: Visit, sent: Sent) -> Done:
    """Invite someone who has declined."""
    member = await _member(visit, sent)
    user = member["user"]
    named = {"email": user["email"]} if user["id"] is None else {"user_id": user["id"]}
    await visit.api.post("/team-members", {"team_id": visit.id, **named})
    return Done("", "The invitation is on its way again." if is_mailed(visit.settings) else f"Invited. {NOT_MAILED}")


async def remove_member(visit: Visit, sent: Sent) -> Done:
    """Remove a member, or take an invitation back."""
    member = await _member(visit, sent)
    await visit.api.delete(f"/team-members/{member['id']}")
    is_member = member["request_status"] == "Accepted"
    return Done("", f"{name_of(member)} has left the team." if is_member else "The invitation is taken back.")


async def _member(visit: Visit, sent: Sent) -> dict[str, Any]:
    """The member that a form is about, if it is one of this team."""
    found: dict[str, Any] = await visit.api.get(f"/team-members/{_on(sent)}", {"team_id": visit.id})
    return found


def _on(sent: Sent) -> int:
    return require_id("on", sent.on, "the id of a member")


LINE_UP_ACTS: Mapping[str, Act] = {
    "move": move,
    "drop": drop,
    "line-up": line_up,
    "leave-out": leave_out,
    "option": set_option,
    "invite": invite,
    "invite-again": invite_again,
    "remove-member": remove_member,
}
