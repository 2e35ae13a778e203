"""The script of the demonstration: which leads arrive where and when, and what agents do about them.

Data only. A lead that no one acts on lapses, or goes to the member who takes leads automatically.
"""

from dataclasses import dataclass
from typing import Literal

OWNER = "rosalind.vale"
AGENT = "imani.osterhaus"
PASSWORD = "welcome-home"  # noqa: S105 -- of every user of the demonstration, and shown on the screen
TIME_SCALE = 60.0
PAUSED = "yesenia.delrio"  # until the next morning; first in line of Denver Metro, and passed over

# What the owner tries on the leads once all have settled.
DRAFT = {"rules": 1, "teams": [{"name": "First Response", "order_method": "Round Robin"}]}
DRAFT_IN_WORDS = "if First Response took turns"

How = Literal["link", "text", "phone", "notification", "api", "decline"]
"""By the link of a mail, a text with the reply number, a key in a call, a tap on a notification; or signed in."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """A file of examples/leads that comes in through the key of a lead source, so many seconds after the start."""

    after: float
    source: str
    file: str


@dataclass(frozen=True, slots=True)
class Act:
    """An agent's action on the lead of the person with this first name, `after` seconds from the notification."""

    first_name: str
    username: str
    how: How
    after: float


ARRIVALS = (
    Arrival(0.0, "Zillow", "zillow-buyer.json"),
    Arrival(0.3, "Realtor.com", "realtor-buyer-tampa.json"),
    Arrival(0.6, "Website", "website-form.form"),
    Arrival(0.9, "Homes.com", "portal-metadata-email.eml"),
    Arrival(1.2, "Facebook", "facebook-denver.json"),
    Arrival(1.5, "Zillow", "zillow-buyer-late.json"),
    Arrival(1.8, "Google", "google-seller.json"),
    Arrival(2.1, "Realtor.com", "realtor-buyer-elsewhere.json"),
    Arrival(2.4, "Zillow", "zillow-seller.json"),
    Arrival(2.7, "Zillow", "zillow-buyer-again.json"),
    Arrival(3.0, "Trulia", "trulia-buyer.json"),
    Arrival(3.3, "Realtor.com", "followupboss-seller.json"),
    Arrival(3.6, "Realtor.com", "realtor-buyer-denver.json"),
    Arrival(3.9, "Website", "liondesk-v1-submission.json"),
    Arrival(4.2, "Google", "google-buyer.json"),
    Arrival(4.5, "Homes.com", "followupboss-event.json"),
    Arrival(4.8, "Zillow", "portal-metadata-relay-email.eml"),
    Arrival(5.1, "Trulia", "trulia-renter.json"),
    Arrival(5.4, "Homes.com", "homes-renter-tampa.json"),
    Arrival(5.7, "Facebook", "zapier-flat.json"),
    Arrival(6.0, "Zillow", "zillow-buyer-unclaimed.json"),
    Arrival(6.3, "Other", "no-lead.json"),
)

ACTS = (
    Act("Priya", "imani.osterhaus", "link", 2.0),
    Act("Desmond", "ray.castellucci", "link", 3.0),
    Act("Siobhán", "simone.achebe", "link", 1.0),
    Act("Rutger", "hank.lindgren", "decline", 1.0),
    Act("Rutger", "imani.osterhaus", "api", 1.5),
    Act("Oskar", "dmitri.salcedo", "text", 1.0),
    Act("Freya", "rosalind.vale", "link", 4.0),
    Act("Gideon", "beatriz.oconnell", "phone", 2.5),
    Act("Amadou", "noor.fairweather", "api", 1.0),
    Act("Ingrid", "gwendolyn.price", "notification", 1.0),
    Act("Kwabena", "rosalind.vale", "link", 5.0),
    Act("Darnell", "rosalind.vale", "api", 3.0),
)

# Comes when all others have settled and the clock runs at its usual pace, as a form of a website would send it.
LATE_LEAD = {
    "name": "Nadia Kessler",
    "email": "nadia.kessler@example.org",
    "phone": "720-555-0182",
    "type": "Buyer",
    "zip": "80205",
    "message": "Is the bungalow on Gaylord Street still for sale? I could see it this week.",
}
