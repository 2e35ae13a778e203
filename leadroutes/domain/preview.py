"""What is shown of a lead before it is claimed: first name, town, type, price; no phone, no e-mail, no last name.

Alerts and pages both use it, so that neither shows more than the other.
"""

from dataclasses import dataclass

from leadroutes.domain.text import one_line


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """The masked form of a lead."""

    first_name: str
    town: str | None
    type: str | None
    price: str | None

    def __str__(self) -> str:
        """Returns one line, as for a subject: `Jane, in Denver, Buyer, $450,000`."""
        town = f"in {self.town}" if self.town else None
        return ", ".join(part for part in (self.first_name, town, self.type, self.price) if part)


def preview(first_name: str | None, town: str | None, kind: str | None, price: str | None) -> Preview:
    """Returns the preview of a lead and its contact; each value is reduced to one line."""
    return Preview(
        first_name=one_line(first_name) or "Someone",
        town=one_line(town),
        type=one_line(kind),
        price=format_price(one_line(price)),
    )


def format_price(text: str | None) -> str | None:
    """Returns `450000` as `$450,000`; a price that is not a plain number is unchanged."""
    if text and text.isascii() and text.isdigit() and len(text) <= 15:
        return f"${int(text):,}"
    return text or None
