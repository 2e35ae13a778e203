"""How somebody who watches the demonstration takes part: a lead to send, a claim page to open, where to sign in.

Lines of text; what is to be copied stands alone on its line and is short enough for 80 columns.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from leadroutes.demo.agents import Mailboxes
from leadroutes.demo.board import Line
from leadroutes.demo.script import PASSWORD


@dataclass(frozen=True, slots=True)
class DemoHints:
    """Of one demonstration."""

    url: str
    key: str  # of /intake/{key}
    owner: str  # e-mail addresses
    agent: str
    mailboxes: Mailboxes
    addresses: Mapping[str, str]  # e-mail by the name as it is shown

    def lines(self, leads: Sequence[Line]) -> list[str]:
        """All of them, the address and the logins last."""
        return [
            "Send it a lead:",
            f"  curl -d 'name=Mia&phone=3035550199&type=Buyer' {self.url.removeprefix('http://')}/intake/{self.key}",
            *self.claiming(leads),
            *self.signing_in(),
        ]

    def claiming(self, leads: Sequence[Line]) -> list[str]:
        """The claim link in somebody's mail about the newest lead that is on offer; nothing where none is."""
        for lead in reversed(leads):
            for who in (who for who, state in lead.offers if state == "told" and not lead.is_settled):
                if link := self.mailboxes.find_link(self.addresses.get(who, ""), lead.name.split()[0]):
                    return [f"Open this first: {who}'s claim link for {lead.name}", f"  {link}"]
        return []

    def signing_in(self) -> list[str]:
        """The address and who there is."""
        return [
            f"Sign in at {self.url} with the password {PASSWORD} as",
            f"  {self.owner}, the owner",
            f"  {self.agent}, an agent; the others have that password too",
        ]
