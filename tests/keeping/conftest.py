"""Alice's brokerage with a claimed lead, a touch and a message that was sent."""

from tests.engine.conftest import brokerage
from tests.worker.conftest import mailbox, post, settings

__all__ = ["brokerage", "mailbox", "post", "settings"]
