"""Turns the entries of a timeline into sentences for people. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

CHANNELS = {"email": "e-mail", "text": "text", "call": "call", "webhook": "webhook", "push": "notification"}
YOU, ANSWERED = "you", "answered"
MESSAGES = {  # what the user was, but for an answer
    "offer": "alerted about the lead",
    "reoffer": "alerted again about the lead",
    "won": "notified that the lead is theirs",
    "claimed": "notified who has the lead",
    "unclaimed": "notified that no one claimed the lead",
    "replied": "notified of the answer",
    "call_due": "asked to call",
    "answer": ANSWERED,
    "untold": "notified that alerts have failed",
    "junk": "notified that the lead is junk",
    "given_back": "notified that the lead was given back",
    "handover": "asked whether the lead may be passed on",
    "handover_declined": "notified that the lead was not passed on",
}
STATES = {"queued": "waiting", "sending": "on the way", "sent": "sent", "failed": "failed", "suppressed": "not sent",
          "unknown": "uncertain"}  # fmt: skip
WAITS = "it waits "  # of a message of a campaign that is held
VIAS = {"Email": "by the link in an e-mail", "Text": "by text", "Phone": "by phone", "Assigned": "by assignment",
        "Auto": "automatically", "None": ""}  # fmt: skip


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """One entry: when, a sentence, words that belong to it, and the icon beside it."""

    key: str
    at: str
    sentence: str
    words: str = ""
    icon: str = "info"
    is_warning: bool = False


def in_words(entries: Sequence[Mapping[str, Any]], people: Mapping[int, str], reader_id: int) -> list[TimelineEntry]:
    """Returns the entries as sentences; `people` are names by user, and the reader is "you"."""

    def who(user_id: int | None, otherwise: str = "someone") -> str:
        if user_id == reader_id:
            return YOU
        return people.get(user_id, otherwise) if user_id is not None else otherwise

    return [_in_words(each, each.get("detail") or {}, who) for each in entries]


def _in_words(entry: Mapping[str, Any], detail: Mapping[str, Any], who: Any) -> TimelineEntry:
    user, by = entry.get("user_id"), entry.get("by_user_id")
    by_whom = f" by {who(by)}" if by is not None and by != user else ""
    said = detail.get("note") or ""
    match entry["kind"]:
        case "arrived":
            source = f" from {detail['source']}" if detail.get("source") else ""
            entered = f", entered by {who(by)}" if by is not None else ""
            sentence, icon, said = f"the lead came in{source}{entered}", "inbox", detail.get("text") or ""
        case "touched":
            sentence, icon, said = "the person asked again", "inbox", detail.get("text") or detail.get("message") or ""
        case "offered":
            reason = f" ({detail['reason']})" if detail.get("reason") else ""
            sentence, icon = f"offered to {who(user)}: {detail.get('state', '')}{reason}", "bell"
        case "claimed":
            how = VIAS.get(str(detail.get("via")), "")
            sentence, icon = f"claimed by {who(user)}{' ' + how if how else ''}", "circle-check"
        case "assigned":
            sentence, icon = f"assigned to {who(user)}{by_whom}", "users-round"
        case "junk":
            sentence, icon = f"{who(by)} said that it is junk: {detail.get('reason')}", "triangle-alert"
        case "junk undone":
            sentence, icon = f"{who(by)} said that it is not junk after all", "undo-2"
        case "closed" | "reopened":
            sentence, icon = f"{'closed' if entry['kind'] == 'closed' else 'opened again'} by {who(by)}", "list-checks"
        case "message":
            return _message(entry, detail, who)
        case "note":
            sentence, icon, said = f"note by {who(by)}", "file-text", detail.get("description") or ""
        case "conversation":
            sentence, icon, said = f"{who(by)} talked with the contact", "phone", detail.get("description") or ""
        case "event" if detail.get("type") == "email_received":
            sentence, icon, said = "the contact answered by e-mail", "mail", detail.get("description") or ""
        case "event" if detail.get("source") == "text":
            sentence, icon, said = "text from the contact", "message-square", detail.get("description") or ""
        case "event":
            sentence, icon = f"{detail.get('type') or 'something'} was recorded", "info"
            said = detail.get("description") or ""
        case "task":
            is_done = detail.get("status") == "complete"
            sentence, icon = f"task {'done' if is_done else 'for ' + who(user)}", "list-checks"
            said = detail.get("description") or ""
        case "campaign started" | "campaign stopped":
            ended = f" by {who(by)}" if by is not None else ""
            ended += f" ({detail['reason']})" if detail.get("reason") else ""
            sentence, icon = f"{entry['kind']}: {detail.get('campaign')}{ended}", "megaphone"
        case kind:
            sentence, icon = f"{kind}{': ' + who(user) if user is not None else ''}{by_whom}", "history"
            said = said or detail.get("reason") or ""
    return TimelineEntry(entry["key"], entry["at"], sentence[:1].upper() + sentence[1:], said, icon)


def _message(entry: Mapping[str, Any], detail: Mapping[str, Any], who: Any) -> TimelineEntry:
    channel, state = CHANNELS.get(detail["channel"], detail["channel"]), STATES.get(detail["state"], detail["state"])
    why = detail.get("reason") or ""
    if why.startswith(WAITS):
        state, why = STATES["queued"], why.removeprefix(WAITS)
    if detail["channel"] == "call" and detail["kind"] == "campaign":
        sentence, words, state = "call to the contact", "", "asked for" if detail["state"] == "sent" else state
    elif detail.get("contact_id") is not None:
        sentence = f"{channel} to the contact: {detail.get('subject') or ''}".rstrip(": ")
        words = detail.get("text") or ""
    else:
        name, done = who(entry.get("user_id"), "the owner"), MESSAGES.get(detail["kind"], "notified")
        was = "" if done == ANSWERED else "were " if name == YOU else "was "
        sentence = f"{name} {was}{done} by {channel}"
        words = ""
    reason = f" ({why})" if why else ""
    shown = f"{sentence}, {state}{reason}"
    is_warning = detail["state"] in ("failed", "unknown")
    return TimelineEntry(entry["key"], entry["at"], shown[:1].upper() + shown[1:], words, "mail", is_warning)
