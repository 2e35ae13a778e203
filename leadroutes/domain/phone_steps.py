"""What follows from what is heard in a call to an agent: a key, silence, the end of a connection. Pure.

A call is a row of steps, numbered from 0. Each is asked for with what led to it; the answer names the next one.
"""

from typing import Literal, get_args

from msgspec import Struct

MOST_STEPS = 30  # of one call; after that no person is pressing keys any more

After = Literal["start", "silence", "question", "details", "connection"]
"""What led to a step: the call was answered, no key was pressed, or a key after what was said; a connection ended."""

Act = Literal["ask", "ask at last", "claim", "decline", "ask again", "repeat details", "end"]


class PhoneStep(Struct, frozen=True, kw_only=True):
    """One step of a call, as its address says."""

    number: int = 0
    after: After = "start"

    @classmethod
    def of(cls, number: str | None, after: str | None) -> "PhoneStep | None":
        """Returns the step that an address names; None where it names none."""
        if number is None and after is None:
            return cls()
        if number is None or not (number.isascii() and number.isdigit() and len(number) <= 3) or not int(number):
            return None
        known = next((each for each in get_args(After) if each == after and each != "start"), None)
        return cls(number=int(number), after=known) if known is not None else None

    def next(self, after: After) -> "PhoneStep":
        """Returns the step that follows this one."""
        return PhoneStep(number=self.number + 1, after=after)


def act_of(step: PhoneStep, digits: str) -> Act:
    """Returns what is done at a step, given the key that was pressed."""
    if step.number > MOST_STEPS:
        return "end"
    match step.after, digits:
        case "start", _:
            return "ask"
        case "silence", _:
            return "ask at last"
        case "question", "1":
            return "claim"
        case "question", "2":
            return "decline"
        case "question", "3":
            return "ask"
        case "question", _:
            return "ask again"
        case "connection", _:
            return "repeat details"
        case "details", "3":
            return "repeat details"
    return "end"
