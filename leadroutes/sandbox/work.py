"""The name of a function that runs in the sandbox, and the error if it fails.

The function is named, not imported: only the child process loads it.
"""

from dataclasses import dataclass
from typing import Generic, TypeVar

Input = TypeVar("Input")
Output = TypeVar("Output")


@dataclass(frozen=True, slots=True)
class SandboxFunction(Generic[Input, Output]):
    """`function` is `module:name` of this package: it takes one `asked` and returns one `answer`, both msgspec types.

    `seconds`: the CPU time limit of one piece.
    """

    function: str
    asked: type[Input]
    answer: type[Output]
    seconds: float


class ComputationFailed(Exception):  # noqa: N818 -- named for what the text is
    """It cannot be computed within the limits. `reason` continues a sentence: `takes longer than 0.5 seconds`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
