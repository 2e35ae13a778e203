"""Words that pages share: how long someone has to wait, and what a message of the timeline was about."""

from typing import get_args

import pytest

from leadroutes.domain.model import MessageKind
from leadroutes.web.pages.outbox import TITLES
from leadroutes.web.plain_words import minutes_in_words
from leadroutes.web.timeline import MESSAGES


@pytest.mark.parametrize(
    ("seconds", "words"), [(1, "1 minute"), (60, "1 minute"), (61, "2 minutes"), (900, "15 minutes")]
)
def test_a_wait_is_said_in_minutes(seconds: int, words: str) -> None:
    assert minutes_in_words(seconds) == words


def test_every_kind_of_message_has_words_in_the_outbox_and_on_the_timeline() -> None:
    kinds = set(get_args(MessageKind))
    assert kinds - set(TITLES) == set()
    assert kinds - set(MESSAGES) == {"campaign"}, "which says what it is by its subject"
