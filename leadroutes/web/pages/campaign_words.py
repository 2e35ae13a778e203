"""What pages say of a campaign in words: what stops it, and what a change of a step changes. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

STOPS: Final = {
    "reply": "The contact answers, by text or by e-mail",
    "conversation": "Someone has talked with the contact",
    "claim": "Someone has the lead",
    "appointment": "An appointment is made with the contact",
}
"""The boxes of the form."""

_WHEN: Final = {
    "reply": "when the contact answers",
    "conversation": "when someone has talked with the contact",
    "claim": "when someone has the lead",
    "appointment": "when an appointment is made",
}


def stops_in_words(campaign: Mapping[str, Any]) -> str:
    """Returns what ends a campaign for a contact, and whether it waits, as sentences."""
    stops: Sequence[str] = campaign["stops_on"] or ()
    named = [words for name, words in _WHEN.items() if name in stops]
    if named:
        sentence = f"It stops for a contact {_listed(named)}."
    else:
        sentence = (
            "It goes on whatever the contact does, but for texts that are set to stop when the contact answers one."
        )
    waits = " It waits until someone has the lead." if campaign["pause_on_offer"] else ""
    return f"{sentence}{waits} A contact who opts out is never written to."


def _listed(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])}, or {words[-1]}"


def change_in_words(changes: Mapping[str, int]) -> str:
    """Returns what a change of a step would change, as a sentence; `changes` is the answer of a dry run."""
    contacts, messages, tasks = (changes[name] for name in ("contacts", "messages", "tasks"))
    if not contacts:
        return "This changes nothing for anyone who is in the campaign now."
    what = [_counted(number, noun) for number, noun in ((messages, "message"), (tasks, "task")) if number]
    about = "about " if changes.get("is_estimate") else ""
    return f"This changes {about}{' and '.join(what)} for {about}{_counted(contacts, 'contact')} in the campaign now."


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
