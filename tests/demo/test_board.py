"""The board and the hints of the demonstration with leads that its script does not have: those of whoever watches."""

from dataclasses import replace

from leadroutes.demo.agents import Mailboxes
from leadroutes.demo.board import load_board
from leadroutes.demo.invitation import DemoHints
from tests.support.town import Town


async def test_a_lead_without_a_name_ends_no_demonstration(town: Town) -> None:
    """A curl line with a phone alone makes one."""
    await town.lead("alice", await town.contact("alice", first_name=None, last_name=None))
    [line] = await load_board(town.database, town.users["alice"])
    on_offer = replace(line, offers=(("Imani Osterhaus", "notified"),), is_settled=False)
    hints = DemoHints(
        url="http://127.0.0.1:8080", key="k", owner="", agent="", mailboxes=Mailboxes(),
        addresses={"Imani Osterhaus": "imani@example.com"},
    )  # fmt: skip

    assert line.name == "(no name)"
    assert hints.claiming([on_offer]) == []
