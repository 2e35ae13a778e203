"""docs/webhooks.md says what is so: its code receives and verifies what is sent, its tables name what there is."""

import re
from pathlib import Path
from typing import Any

import pytest

from leadroutes.domain.webhooks import EVENTS, TEST_EVENT
from leadroutes.settings.values import span_seconds
from tests.support.hooks import SETTINGS, Hooks
from tests.support.receiver import Receiver

PAGE = (Path(__file__).parents[2] / "docs" / "webhooks.md").read_text(encoding="utf-8")


@pytest.fixture
def read_webhook() -> Any:
    [code] = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    names: dict[str, Any] = {}
    exec(code, names)
    return names["read_webhook"]


async def test_its_code_reads_what_is_sent(hooks: Hooks, receiver: Receiver, read_webhook: Any) -> None:
    webhook_id = await hooks.add(receiver.url, "lead.arrived")
    await hooks.brokerage.ask(name="Zoë Lund")
    await hooks.deliver_due()

    [message] = receiver.messages
    assert read_webhook(hooks.secrets[webhook_id], message.headers, message.body) == message.json
    for headers, body, complaint in (
        (message.headers, message.body + b" ", "the signature is wrong"),
        (message.headers | {"webhook-id": "msg_0"}, message.body, "the signature is wrong"),
        (message.headers | {"webhook-timestamp": "1700000000"}, message.body, "too old"),
    ):
        with pytest.raises(ValueError, match=complaint):
            read_webhook(hooks.secrets[webhook_id], headers, body)


def test_its_table_names_every_event() -> None:
    rows = re.findall(r"^\| `([a-z]+\.[a-z]+)` \|", PAGE, re.MULTILINE)

    assert rows == [*EVENTS, TEST_EVENT]


def test_it_names_the_spans_between_tries() -> None:
    words = re.search(r"is repeated after (.*?), each up to", PAGE, re.DOTALL)
    assert words is not None
    found = [f"{number}{unit[0]}" for number, unit in re.findall(r"(\d+)\s+(s|min|h)\b", words[1])]

    assert span_seconds(",".join(found)) == span_seconds(SETTINGS.webhook_tries)
