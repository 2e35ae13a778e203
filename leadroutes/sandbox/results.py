"""Answers that have been worked out lately: a transaction looks here, and never waits for what somebody wrote.

It ends where an answer is missing, and is begun again once that has been worked out.
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
    """The answers of one work, `most` of them. What cannot be worked out is remembered as that."""

    def __init__(self, work: SandboxFunction[Input, Output], *, most: int) -> None:
        self._work = work
        self._most = most
        self._answers: OrderedDict[Hashable, Output | ComputationFailed] = OrderedDict()

    def find(self, asked: Input) -> Output | ComputationFailed:
        """KeyError: it has to be worked out first."""
        key = _key(asked)
        answer = self._answers[key]
        self._answers.move_to_end(key)
        return answer

    def first(self, wanted: Mapping[int, Sequence[Input]]) -> ComputationNeeded:
        """To be raised: what each owner's texts have to be worked out for before the work is begun again."""
        return ComputationNeeded({owner: partial(self.compute, owner, asked) for owner, asked in wanted.items()})

    async def compute(self, owner: int, wanted: Sequence[Input]) -> None:
        """Have it worked out. Unavailable: not now."""
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
