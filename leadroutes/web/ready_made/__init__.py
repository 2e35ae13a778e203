"""Ready-made campaigns: steps and templates to begin with, one file each, in the order of their names."""

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any

import msgspec
from msgspec import Struct

from leadroutes.domain.campaign import COMMUNICATIONS

TEMPLATE_TYPES = {"Email Contact": "Email", "Text Contact": "Text", "Call Contact": "Phone"}


class ReadyStep(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A step as the API takes it, and the template of one that writes."""

    type: str
    timing_type: str = ""  # "": as the fields that are given say
    delay_by_seconds: int | None = None
    delay_by_days: int | None = None
    dispatch_time: str | None = None
    recurrence: str | None = None
    trigger_type: int = 1
    is_stopped_on_text_reply: bool = False
    description: str | None = None
    template: str = ""  # its name
    subject: str | None = None
    body: str = ""

    @property
    def action(self) -> dict[str, Any]:
        """What the API takes, but for the id of the template."""
        timing = "Delay by Minutes" if self.delay_by_seconds is not None else "Delay by Day and Time"
        fields = {name: getattr(self, name) for name in self.__struct_fields__}
        unused = {"template", "subject", "body", "timing_type"}
        given = {name: value for name, value in fields.items() if name not in unused and value is not None}
        return {**given, "timing_type": self.timing_type or timing}

    @property
    def template_fields(self) -> dict[str, Any] | None:
        """What the API takes of its template, but for the folder; None for a task."""
        if self.type not in COMMUNICATIONS:
            return None
        return {
            "description": self.template,
            "template_type": TEMPLATE_TYPES[self.type],
            "subject": self.subject,
            "body": self.body.strip(),
        }


class ReadyCampaign(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A campaign to begin with. `key` is the name of its file."""

    key: str
    name: str
    about: str
    steps: tuple[ReadyStep, ...]


@cache
def ready_campaigns() -> dict[str, ReadyCampaign]:
    """Returns all of them by their keys, in order."""
    found = [each for each in files(__package__).iterdir() if each.name.endswith(".toml")]
    found.sort(key=lambda each: each.name)
    read = (_read(each.name, each.read_text(encoding="utf-8")) for each in found)
    return {each.key: each for each in read}


def _read(name: str, text: str) -> ReadyCampaign:
    key = name.removesuffix(".toml").partition("-")[2]
    return msgspec.convert({**tomllib.loads(text), "key": key}, ReadyCampaign)
