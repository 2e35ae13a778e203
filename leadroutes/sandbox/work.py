"""A kind of work on what others wrote, as those name it who want it done, and what is said where it cannot be done.

The function is named, not imported: only the process that does the work loads it.
"""

from dataclasses import dataclass
from typing import Generic, TypeVar

Input = TypeVar("Input")
Output = TypeVar("Output")


@dataclass(frozen=True, slots=True)
class SandboxFunction(Generic[Input, Output]):
    """`function` is `module:name` of this package: it takes one `asked` and returns one `answer`, both msgspec types.

    `seconds` of the processor are the limit for one piece, whatever it consists of.
    """

    function: str
    asked: type[Input]
    answer: type[Output]
    seconds: float


class ComputationFailed(Exception):  # noqa: N818 -- named for what the text is
    """It cannot be worked out within its limits. `reason` continues a sentence: `takes longer than 0.5 seconds`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
