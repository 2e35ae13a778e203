"""Hints for the viewer of the demonstration: how to send a lead, open a claim page and sign in.

Returns lines of text; what is to be copied is alone on its line and fits into 80 columns.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from leadroutes.demo.agents import Mailboxes
from leadroutes.demo.board import Line
from leadroutes.demo.script import PASSWORD


@dataclass(frozen=True, slots=True)
class DemoHints:
    """The hints of one demonstration."""

    url: str
    key: str  # of /intake/{key}
    owner: str  # e-mail addresses
    agent: str
    mailboxes: Mailboxes
    addresses: Mapping[str, str]  # e-mail by the name as it is shown

    def lines(self, leads: Sequence[Line]) -> list[str]:
        """Returns all hints, the address and the logins last."""
        return [
            "Send it a lead:",
            f"  curl -d 'name=Mia&phone=3035550199&type=Buyer' {self.url.removeprefix('http://')}/intake/{self.key}",
            *self.claiming(leads),
            *self.signing_in(),
        ]

    def claiming(self, leads: Sequence[Line]) -> list[str]:
        """Returns an agent's claim link to the newest lead on offer; an empty list if there is none."""
        for lead in reversed(leads):
            for who in (who for who, state in lead.offers if state == "notified" and not lead.is_settled):
                if link := self.mailboxes.find_link(self.addresses.get(who, ""), lead.name.split()[0]):
                    return [f"Open this first: {who}'s claim link for {lead.name}", f"  {link}"]
        return []

    def signing_in(self) -> list[str]:
        """Returns the address and the logins."""
        return [
            f"Sign in at {self.url} with the password {PASSWORD} as",
            f"  {self.agent}, an agent; the others have that password too",
            f"  {self.owner}, the owner; click on Board first, then on Check",
            "  (what in the rules is hardly meant) and on a route: Try on the last 90 days",
        ]
