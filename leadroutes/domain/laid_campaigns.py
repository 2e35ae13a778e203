"""The campaigns of a document laid over those that are there, with their steps. Pure."""

from typing import Any

from leadroutes.domain.campaign import wrong_recurrence
from leadroutes.domain.campaign_steps import MOST_ACTIONS, settle_step
from leadroutes.domain.condition_fields import STEP_FIELDS
from leadroutes.domain.faults import refusal
from leadroutes.domain.laying import LaidEntry, LaidRecords
from leadroutes.domain.recurrence import read_rule
from leadroutes.domain.rule_document import RuleDocument
from leadroutes.domain.rule_fields import CAMPAIGN, MEMBER, STEP
from leadroutes.domain.rule_records import Names, Record, Records
from leadroutes.domain.stops import DEFAULT_STOPS


class LaidCampaigns(LaidRecords):
    """The part of a laying that is about campaigns."""

    def __init__(self, document: RuleDocument, records: Records, names: Names, owner_id: int, *, prune: bool) -> None:
        super().__init__(document, records, names, owner_id, prune=prune)
        self._senders = self._possible_senders()

    def _possible_senders(self) -> set[int]:
        """Returns in whose name steps may go: the owner, members who have accepted, and whom they name already."""
        steps = {each["assigned_user_id"] for each in self.records[STEP.name].values()}
        members = self.records[MEMBER.name].values()
        accepted = {each["user_id"] for each in members if each["request_status"] == "Accepted"}
        return {self._owner_id} | accepted | (steps - {None})

    def _campaigns(self, given: list[dict[str, Any]]) -> None:
        """By name, whose letter case does not count. None is removed; only steps are, with `prune`."""
        known = {each["name"].casefold(): record_id for record_id, each in self.records[CAMPAIGN.name].items()}
        entries = []
        for place, each in enumerate(given):
            at = f"campaigns[{place}]"
            if (name := each.get("name")) is None:
                self._refuse(f"{at}.name", f"{at}.name is required")
                continue
            if name.casefold() not in known:
                known[name.casefold()] = self._new_id()
                self._spellings["campaigns"].add(known[name.casefold()], name)
            entries.append(LaidEntry(each, at, known[name.casefold()]))
        self._refuse_twice(entries, CAMPAIGN)
        for entry in entries:
            before = self.records[CAMPAIGN.name].get(entry.id)
            campaign = self.records[CAMPAIGN.name][entry.id] = self._over(CAMPAIGN, before, entry)
            if before is None and "stops_on" not in entry.given:
                campaign["stops_on"] = list(DEFAULT_STOPS)
            if "actions" in entry.given:
                self._steps(entry)

    def _steps(self, campaign: LaidEntry) -> None:
        """Steps have no names: those that are said as they are stay, then each is the next one of its type."""
        steps = self.records[STEP.name]
        waiting = [each for _, each in sorted(steps.items()) if each["campaign_id"] == campaign.id]
        given = campaign.given["actions"]
        if len(given) > MOST_ACTIONS:
            expected = f"at most {MOST_ACTIONS} steps"
            self._refuse(f"{campaign.at}.actions", refusal(f"{campaign.at}.actions", len(given), expected))
        read = [
            (each | self._step_references(each, at), at)
            for each, at in ((each, f"{campaign.at}.actions[{place}]") for place, each in enumerate(given))
        ]
        found: dict[str, Record] = {}
        for is_as_it_was in (True, False):
            for said, at in read:
                if at not in found and (like := self._step_like(said, at, waiting, is_as_it_was=is_as_it_was)):
                    found[at] = like
                    waiting.remove(like)
        for said, at in read:
            before = found.get(at)
            entry = LaidEntry(said, at, before["id"] if before is not None else self._new_id())
            step = self._step(campaign.id, entry, before)
            if step != before:
                self._check_step(entry, step, before)
            steps[entry.id] = step
        for each in waiting if self._prune else ():
            del steps[each["id"]]

    def _step_references(self, given: dict[str, Any], at: str) -> dict[str, Any]:
        """Returns ids by the fields of the model, for what a step of the document names."""
        found: dict[str, Any] = {}
        if "template" in given:
            found["template_id"] = self._reference("templates", given["template"], f"{at}.template")
        if "assigned_user" in given:
            user_id = self._reference("people", given["assigned_user"], f"{at}.assigned_user")
            if user_id is not None and user_id not in self._senders:
                expected = "the e-mail of a member who has accepted, or yours"
                self._refuse(f"{at}.assigned_user", refusal(f"{at}.assigned_user", given["assigned_user"], expected))
            found["assigned_user_id"] = user_id
        if given.get("variants") is not None:
            places = (f"{at}.variants[{place}].template" for place in range(len(given["variants"])))
            found["variants"] = [
                {"template_id": self._reference("templates", each["template"], place), "share": each["share"]}
                for each, place in zip(given["variants"], places, strict=True)
            ]
        return found

    def _step_like(self, said: dict[str, Any], at: str, steps: list[Record], *, is_as_it_was: bool) -> Record | None:
        """Returns the first step that the entry would not change, or else the first one of its type."""
        for each in steps:
            type_ = said.get("type", each["type"])
            if type_ != each["type"]:
                continue
            if not is_as_it_was or self._step(each["campaign_id"], LaidEntry(said, at, each["id"]), each) == each:
                return each
        return None

    def _step(self, campaign_id: int, entry: LaidEntry, before: Record | None) -> Record:
        step = self._over(STEP, before, entry, apart={"campaign_id": campaign_id})
        step["trigger_type"] = step["trigger_type"] or 1
        step["is_stopped_on_text_reply"] = bool(step["is_stopped_on_text_reply"])
        return step

    def _check_step(self, entry: LaidEntry, step: Record, before: Record | None) -> None:
        for name, message in settle_step(step).items():
            path = f"{entry.at}.{name.removesuffix('_id')}"
            self._refuse(path, message.replace(name, path, 1))
        templates = [each["template_id"] for each in step["variants"] or ()]
        if len(set(templates)) < len(templates):
            path = f"{entry.at}.variants"
            self._refuse(path, f"{path}: a template was given a second time")
        recurrence = step["recurrence"]
        if recurrence is not None and (before is None or before["recurrence"] != recurrence):
            path = f"{entry.at}.recurrence"
            if read_rule(recurrence) is None:
                self._refuse(path, wrong_recurrence(recurrence).errors["recurrence"].replace("recurrence", path, 1))
        self._check_custom_fields(entry, step, before, STEP_FIELDS)
