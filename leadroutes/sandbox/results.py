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

from leadroutes.errors import WorkFirst
from leadroutes.sandbox.processes import work_out
from leadroutes.sandbox.work import Unworkable, Work

TOGETHER: Final = 50  # pieces of an owner that are asked for at a time, so that others of theirs find room

Asked = TypeVar("Asked", bound=Hashable)
Answer = TypeVar("Answer")


class Known(Generic[Asked, Answer]):
    """The answers of one work, `most` of them. What cannot be worked out is remembered as that."""

    def __init__(self, work: Work[Asked, Answer], *, most: int) -> None:
        self._work = work
        self._most = most
        self._answers: OrderedDict[Hashable, Answer | Unworkable] = OrderedDict()

    def find(self, asked: Asked) -> Answer | Unworkable:
        """KeyError: it has to be worked out first."""
        key = _key(asked)
        answer = self._answers[key]
        self._answers.move_to_end(key)
        return answer

    def first(self, wanted: Mapping[int, Sequence[Asked]]) -> WorkFirst:
        """To be raised: what each owner's texts have to be worked out for before the work is begun again."""
        return WorkFirst({owner: partial(self.learn, owner, asked) for owner, asked in wanted.items()})

    async def learn(self, owner: int, wanted: Sequence[Asked]) -> None:
        """Have it worked out. Unavailable: not now."""
        left = iter(dict.fromkeys(wanted))
        while some := list(islice(left, TOGETHER)):
            answers = await asyncio.gather(
                *(work_out(self._work, asked, owner=owner) for asked in some), return_exceptions=True
            )
            for asked, answer in zip(some, answers, strict=True):
                if isinstance(answer, BaseException) and not isinstance(answer, Unworkable):
                    raise answer
                self._keep(_key(asked), answer)

    def _keep(self, key: Hashable, answer: Answer | Unworkable) -> None:
        self._answers[key] = answer
        self._answers.move_to_end(key)
        while len(self._answers) > self._most:
            self._answers.popitem(last=False)


def _key(asked: Hashable) -> Hashable:
    """A long text is known by its digest."""
    return hashlib.sha256(asked.encode("utf-8", "surrogatepass")).digest() if isinstance(asked, str) else asked
