"""Cache of recent sandbox results: a transaction reads it and never waits for work on untrusted text.

If a result is missing, the transaction is rolled back, and is run again once the result has been computed.
"""

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import Hashable, Mapping, Sequence
from functools import partial
from itertools import islice
from typing import Final, Generic, TypeVar

from leadroutes.errors import ComputationNeeded
from leadroutes.sandbox.processes import run_sandboxed
from leadroutes.sandbox.work import ComputationFailed, SandboxFunction

PIECES_PER_REQUEST: Final = 50  # pieces of an owner that are asked for at a time, so that others of theirs find room

Input = TypeVar("Input", bound=Hashable)
Output = TypeVar("Output")


class ComputedCache(Generic[Input, Output]):
    """The latest `most` results of one function, failures included."""

    def __init__(self, work: SandboxFunction[Input, Output], *, most: int) -> None:
        self._work = work
        self._most = most
        self._answers: OrderedDict[Hashable, Output | ComputationFailed] = OrderedDict()

    def find(self, asked: Input) -> Output | ComputationFailed:
        """Returns a result. Raises KeyError if it has to be computed first."""
        key = _key(asked)
        answer = self._answers[key]
        self._answers.move_to_end(key)
        return answer

    def first(self, wanted: Mapping[int, Sequence[Input]]) -> ComputationNeeded:
        """Returns the exception to raise: it computes what is missing, by owner, before the transaction runs again."""
        return ComputationNeeded({owner: partial(self.compute, owner, asked) for owner, asked in wanted.items()})

    async def compute(self, owner: int, wanted: Sequence[Input]) -> None:
        """Computes the results and stores them. Raises Unavailable if that is not possible now."""
        left = iter(dict.fromkeys(wanted))
        while some := list(islice(left, PIECES_PER_REQUEST)):
            answers = await asyncio.gather(
                *(run_sandboxed(self._work, asked, owner=owner) for asked in some), return_exceptions=True
            )
            for asked, answer in zip(some, answers, strict=True):
                if isinstance(answer, BaseException) and not isinstance(answer, ComputationFailed):
                    raise answer
                self._keep(_key(asked), answer)

    def _keep(self, key: Hashable, answer: Output | ComputationFailed) -> None:
        self._answers[key] = answer
        self._answers.move_to_end(key)
        while len(self._answers) > self._most:
            self._answers.popitem(last=False)


def _key(asked: Hashable) -> Hashable:
    """A long text is known by its digest."""
    return hashlib.sha256(asked.encode("utf-8", "surrogatepass")).digest() if isinstance(asked, str) else asked
