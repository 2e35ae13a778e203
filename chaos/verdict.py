"""Checks whether anything was lost or done twice: answers to senders and mails received, against the database.

Each check returns sentences, one for each breach; an empty list means that it holds.
"""

import asyncio
import re
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from chaos import drips, fairness
from chaos.brokerage import SECOND_STEPS, STEPS, TEXT_STEPS, Brokerage
from chaos.drips import ON_ITS_WAY, ON_ITS_WAY_WHERE_BUSY, DomainClock, Leeway, Stop, Written
from chaos.hostile import ATTACKS, Seen
from chaos.load import Record, phone_of
from chaos.outside import Kind, Taken, World
from chaos.postgres import Server
from chaos.sink import Mail

_SECRET = re.compile(r"(?<=/claim/)[\w-]+")  # which is not stored with the text
_HONEST_STEPS = (*STEPS, *SECOND_STEPS, *TEXT_STEPS)
_STEP = re.compile(r"(.+), ([A-Z]\d+)x")  # the subject of a mail or the words of a text: which step, and whose lead


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that is left after a run."""

    postgres: Server
    database: str
    record: Record
    mails: Sequence[Mail]
    world: World  # the provider and the receiver of webhooks
    brokerage: Brokerage
    seen: Sequence[Seen] | None = None  # what the hostile ones were answered, in a run with them
    idle: float = 1.0  # which part of the machine no one used before the run
    stalls: Sequence[tuple[float, float]] = ()  # from when to when a worker was stopped, in real time

    async def ask(self, sql: str, *values: Any) -> list[Any]:
        return await self.postgres.ask(sql, *values, database=self.database)

    def taken_of(self, kind: Kind) -> list[Taken]:
        """Returns what they have taken by now: a text that waits for its hours may leave during the verdict."""
        return [each for each in self.world.notes() if each.kind == kind]

    @property
    def leeway(self) -> Leeway:
        """Returns what may have been on its way: on a machine that is slow or busy all takes longer."""
        is_quick = fairness.is_quick(self.record, self.idle)
        return Leeway(ON_ITS_WAY if is_quick else ON_ITS_WAY_WHERE_BUSY, self.stalls)

    async def clock(self) -> DomainClock:
        """Returns the clock that the service went by."""
        [row] = await self.ask(
            "SELECT extract(epoch FROM real_anchor)::float AS real, domain_anchor, scale FROM domain_clock"
        )
        return DomainClock(row["real"], row["domain_anchor"], row["scale"])

    def written(self) -> list[Written]:
        """Returns what campaigns have given to mail server and provider, refused or not."""
        seen = [("email", mail.subject, mail.at) for mail in self.mails]
        seen += [("text", text.said, text.at) for text in self.taken_of("text")]
        found = []
        for channel, words, at in seen:
            if words.startswith(_HONEST_STEPS) and (step := _STEP.fullmatch(words)):
                found.append(Written(step[2], channel, step[1], at))
        return found

    def stops(self) -> list[Stop]:
        """Returns what ends campaigns for someone: what was done by mail or by the owner, and answers by text."""
        names = {phone_of(name): name for name in self.record.leads}
        texts = [
            Stop(names[each.to], f"text: {each.said}", each.said_at, each.at, "text" if each.said == "STOP" else None)
            for each in self.taken_of("answer")
        ]
        return [*self.record.stops, *texts]


Check = Callable[[Evidence], Awaitable[list[str]]]


async def answers_were_right(evidence: Evidence) -> list[str]:
    """Every answer was what was asked for, or 503."""
    return list(evidence.record.faults)


async def leads_are_there_once(evidence: Evidence) -> list[str]:
    """Every lead that was answered 2xx is there exactly once, under the id that was answered; none is there twice."""
    rows = await evidence.ask(
        "SELECT mls_id, array_agg(id) AS ids FROM leads WHERE owner_id = $1 AND source_id = $2 GROUP BY mls_id",
        *_honest(evidence),
    )
    stored = {row["mls_id"]: set(row["ids"]) for row in rows}
    breaches = [f"the lead {name} is there {len(ids)} times: {ids}" for name, ids in stored.items() if len(ids) != 1]
    for sent in evidence.record.leads.values():
        there = stored.get(sent.vendor_id, set())
        if sent.lead_ids and sent.lead_ids != there:
            breaches.append(f"the lead {sent.vendor_id} was answered as {sent.lead_ids}, and is there as {there}")
    strangers = stored.keys() - evidence.record.leads.keys()
    return breaches + [f"no one sent the lead {name}" for name in strangers]


async def all_were_taken(evidence: Evidence) -> list[str]:
    """Every sender was answered in the end."""
    return [f"{sent.vendor_id} was never taken" for sent in evidence.record.leads.values() if not sent.lead_ids]


async def leads_have_one_claim(evidence: Evidence) -> list[str]:
    """No lead has two claims; of concurrent claimants exactly one got 200, and has the lead."""
    rows = await evidence.ask("SELECT lead_id, user_id FROM claims")
    claims = {row["lead_id"]: row["user_id"] for row in rows}
    breaches = [f"a lead has {len(rows) - len(claims)} claims too many"] if len(rows) != len(claims) else []
    record = evidence.record
    for lead_id, winners in record.claimed.items():
        others = winners - record.assigned.get(lead_id, set())
        if len(others) > 1:
            breaches.append(f"{sorted(others)} all got 200 for the lead {lead_id}")
        if lead_id not in record.assigned and {claims.get(lead_id)} != winners:
            breaches.append(f"{winners} got 200 for the lead {lead_id}; {claims.get(lead_id)} has it")
    return breaches + [
        f"the lead {lead_id} was assigned, but {claims.get(lead_id)} has it"
        for lead_id in record.assigned_for_certain
        if claims.get(lead_id) not in record.assigned[lead_id]
    ]


async def what_was_declined_stays_declined(evidence: Evidence) -> list[str]:
    """An offer that was answered as declined is declined, unless the owner assigned the lead to that agent."""
    rows = await evidence.ask(
        "SELECT id, lead_id, state FROM offers WHERE id = ANY($1) AND state <> 'declined'",
        list(evidence.record.declined),
    )
    return [
        f"the offer {row['id']} was declined, and is {row['state']}"
        for row in rows
        if row["lead_id"] not in evidence.record.assigned
    ]


async def contacts_were_notified_once(evidence: Evidence) -> list[str]:
    """No contact has the same mail or text more often than a campaign sent it."""
    rows = await evidence.ask(
        "SELECT c.email, t.description AS step, c.first_name, count(*) FROM contact_communications cc"
        " JOIN contacts c USING (owner_id) JOIN templates t ON t.id = cc.template_id"
        " WHERE c.id = cc.contact_id GROUP BY 1, 2, 3"
    )
    meant = {(row["email"], f"{row['step']}, {row['first_name']}"): row["count"] for row in rows}
    emails = {subject: email for email, subject in meant}
    had = Counter(_key(mail) for mail in evidence.mails if mail.has_arrived)
    texts = [each for each in evidence.taken_of("text") if each.has_arrived]
    had += Counter((emails.get(each.said, each.to), each.said) for each in texts)
    return [
        f"{to} has {words!r} {count} times, and was meant to have it {meant.get((to, words), 0)} times"
        for (to, words), count in had.items()
        if words.startswith(_HONEST_STEPS) and count > meant.get((to, words), 0)
    ]


async def no_one_was_written_to_after_a_stop(evidence: Evidence) -> list[str]:
    """What was acknowledged before a message was given away keeps it back."""
    rows = await evidence.ask(
        "SELECT c.first_name, t.description AS step, max(r.created_at) AS begun FROM contact_communications cc"
        " JOIN contacts c ON c.owner_id = cc.owner_id AND c.id = cc.contact_id"
        " JOIN templates t ON t.owner_id = cc.owner_id AND t.id = cc.template_id"
        " JOIN campaign_contacts r ON r.owner_id = cc.owner_id AND r.id = cc.campaign_contact_id"
        r" WHERE c.first_name ~ '^[A-Z]\d+x$' GROUP BY 1, 2"
    )
    begun = {(row["first_name"].removesuffix("x"), row["step"]): row["begun"] for row in rows}
    return drips.written_after_a_stop(
        evidence.written(), evidence.stops(), begun, await evidence.clock(), evidence.leeway
    )


async def texts_were_lawful(evidence: Evidence) -> list[str]:
    """No text of a campaign goes outside the lawful hours of the contact's place."""
    return drips.outside_the_law(evidence.written(), await evidence.clock(), evidence.leeway)


async def windows_were_open(evidence: Evidence) -> list[str]:
    """No message of a campaign goes outside the campaign's window."""
    steps = (*STEPS, *TEXT_STEPS)
    return drips.outside_the_window(evidence.written(), steps, await evidence.clock(), evidence.leeway)


async def mails_have_arrived(evidence: Evidence) -> list[str]:
    """What is noted as sent is in the mailbox; what is noted as failed was refused, or no mail could be made of it.

    Of the answers that are passed on no subject is noted.
    """
    rows = await evidence.ask(
        "SELECT address, subject, state, count(*) FROM messages WHERE channel = 'email' AND kind <> 'replied'"
        " AND (state = 'sent' OR (state = 'failed' AND attempts < 8 AND subject IS NOT NULL)) GROUP BY 1, 2, 3"
    )
    taken = Counter(_key(mail) for mail in evidence.mails if mail.fate == "taken")
    refused = Counter(_key(mail) for mail in evidence.mails if mail.fate == "refused for good")
    breaches = []
    for row in rows:
        seen = taken if row["state"] == "sent" else refused
        if seen[row["address"], row["subject"]] < row["count"]:
            breaches.append(
                f"{row['count']} mails {row['subject']!r} to {row['address']} are noted as {row['state']};"
                f" the mail server saw {seen[row['address'], row['subject']]}"
            )
    return breaches


async def texts_have_arrived(evidence: Evidence) -> list[str]:
    """What is noted as sent by text was taken by the provider.

    Of a text whose process died before it was stored, a report alone says that it was sent: its words are not known.
    """
    rows = await evidence.ask(
        "SELECT address, text_body, count(*) FROM messages WHERE channel = 'text' AND state = 'sent'"
        " AND text_body IS NOT NULL GROUP BY 1, 2"
    )
    taken = Counter((each.to, _SECRET.sub("…", each.said)) for each in evidence.taken_of("text") if each.has_arrived)
    return [
        f"{row['count']} texts {row['text_body']!r} to {row['address']} are noted as sent;"
        f" the provider took {taken[row['address'], row['text_body']]}"
        for row in rows
        if taken[row["address"], row["text_body"]] < row["count"]
    ]


async def events_were_delivered(evidence: Evidence) -> list[str]:
    """Each arrival and each claim was sent to the webhook; what is noted as delivered was taken."""
    owner_id = evidence.brokerage.owner_id
    rows = await evidence.ask(
        "SELECT 'msg_' || replace(message_id::text, '-', '') AS id, type, state FROM webhook_deliveries"
    )
    taken = {each.to for each in evidence.taken_of("webhook") if each.has_arrived}
    breaches = [
        f"{row['type']} {row['id']} is noted as {row['state']}; taken: {row['id'] in taken}"
        for row in rows
        if row["state"] != "delivered" or row["id"] not in taken
    ]
    missing = await evidence.ask(
        "SELECT l.id, t.type FROM leads l CROSS JOIN (VALUES ('lead.arrived'), ('lead.claimed')) AS t (type)"
        " WHERE l.owner_id = $1 AND NOT EXISTS (SELECT FROM webhook_deliveries d WHERE d.owner_id = l.owner_id"
        " AND d.lead_id = l.id AND d.type = t.type) AND (t.type = 'lead.arrived' OR EXISTS ("
        " SELECT FROM claims k WHERE k.owner_id = l.owner_id AND k.lead_id = l.id AND k.via <> 'Assigned'))",
        owner_id,
    )
    return breaches + [f"there was no {row['type']} of the lead {row['id']}" for row in missing]


LOOKS = 20  # half a second apart
WITHOUT_OUTCOME = (
    "SELECT id, kind, state, reason, contact_id FROM messages WHERE state = 'sending'"
    " OR (state <> 'sent' AND reason IS NULL) OR (state = 'unknown' AND contact_id IS NULL)"
)


async def messages_have_an_outcome(evidence: Evidence) -> list[str]:
    """Every message was sent, or gives the reason why not. One that is to be tried again has a reason and a job.

    Where steps wait for their windows, some may be on their way at any moment: those that stay so are a breach.
    """
    rows = await evidence.ask(WITHOUT_OUTCOME)
    for _ in range(LOOKS):
        if not rows:
            break
        await asyncio.sleep(0.5)
        known = {row["id"] for row in rows}
        rows = [row for row in await evidence.ask(WITHOUT_OUTCOME) if row["id"] in known]
    return [f"the message {row['id']} ({row['kind']}) is {row['state']}: {row['reason']}" for row in rows]


async def someone_was_alerted(evidence: Evidence) -> list[str]:
    """For every lead someone was notified, or the reason why not is stored."""
    rows = await evidence.ask(
        "SELECT id FROM leads WHERE NOT EXISTS (SELECT FROM messages m WHERE m.owner_id = leads.owner_id"
        " AND m.lead_id = leads.id AND m.kind IN ('offer', 'won'))"
    )
    return [f"no one was notified of the lead {row['id']}" for row in rows]


async def the_ledger_adds_up(evidence: Evidence) -> list[str]:
    """As many leads were received as were taken, and each is in exactly one place."""
    [row] = await evidence.ask(
        "SELECT count(*) AS leads, count(k.user_id) AS claimed,"
        " count(*) FILTER (WHERE k.user_id IS NULL AND unclaimed_at IS NOT NULL) AS unclaimed"
        " FROM leads l LEFT JOIN claims k ON k.owner_id = l.owner_id AND k.lead_id = l.id"
        " WHERE l.owner_id = $1 AND l.source_id = $2",
        *_honest(evidence),
    )
    taken = sum(1 for sent in evidence.record.leads.values() if sent.lead_ids)
    if row["leads"] != row["claimed"] + row["unclaimed"]:
        return [f"{row['leads']} leads have settled: {row['claimed']} are claimed, {row['unclaimed']} unclaimed"]
    return [] if row["leads"] == taken else [f"{taken} leads were taken, {row['leads']} are there"]


# ------------------------------------------------------------------------------------ beside hostile ones


async def others_were_answered(evidence: Evidence) -> list[str]:
    """In the first phase nothing but hostile requests can be the reason of an answer that failed."""
    return fairness.others_were_refused(evidence.record)


async def others_did_not_wait(evidence: Evidence) -> list[str]:
    """In a run with hostile ones, requests of others are as quick as is promised."""
    return [] if evidence.seen is None else fairness.others_waited_too_long(evidence.record)


async def hostile_ones_were_answered_rightly(evidence: Evidence) -> list[str]:
    """Each attack was made, and got one of the answers that are right for it."""
    if evidence.seen is None:
        return []
    made = {each.attack for each in evidence.seen}
    missing = [f"the attack was not made: {each.name}" for each in ATTACKS if each.name not in made]
    return fairness.wrongly_answered(evidence.seen, evidence.record.killed_from) + missing


async def hostile_ones_found_nothing(evidence: Evidence) -> list[str]:
    """No answer to them is 500 or holds what others said."""
    return fairness.faulty_answers(evidence.seen or ())


async def headers_are_ours(evidence: Evidence) -> list[str]:
    """No header of any mail was written by what someone typed."""
    return fairness.headers_of_others(evidence.mails)


CHECKS: Mapping[str, Check] = {
    "every answer was one that may be given": answers_were_right,
    "every lead that was answered 2xx is there exactly once": leads_are_there_once,
    "every sender was answered in the end": all_were_taken,
    "one claim a lead, and one winner is notified": leads_have_one_claim,
    "what was declined stays declined": what_was_declined_stays_declined,
    "no contact was sent the same message twice": contacts_were_notified_once,
    "no one was written to after a stop that was acknowledged": no_one_was_written_to_after_a_stop,
    "no text of a campaign came outside the lawful hours of the contact's place": texts_were_lawful,
    "no message of a campaign came outside its window": windows_were_open,
    "what is noted as sent has arrived, as failed was refused": mails_have_arrived,
    "what is noted as sent by text was taken by the provider": texts_have_arrived,
    "every arrival and claim was sent to the webhook": events_were_delivered,
    "every message went out or says why not": messages_have_an_outcome,
    "of every lead someone was notified": someone_was_alerted,
    "all leads have settled and the ledger adds up": the_ledger_adds_up,
    "before anything is killed, no honest request is answered 5xx, beside hostile ones either": others_were_answered,
    "beside hostile ones, 99 of 100 honest requests are answered within a second": others_did_not_wait,
    "every hostile request gets an answer that is right for it": hostile_ones_were_answered_rightly,
    "no hostile request is answered 500, or with anything of others": hostile_ones_found_nothing,
    "no header of a mail comes from what someone typed": headers_are_ours,
}


async def judge(evidence: Evidence) -> dict[str, list[str]]:
    """Returns the breaches of each check, by its sentence."""
    return {sentence: await check(evidence) for sentence, check in CHECKS.items()}


def _honest(evidence: Evidence) -> tuple[int, int]:
    """Returns owner and lead source of all leads that honest senders have sent."""
    return evidence.brokerage.owner_id, evidence.brokerage.lead_source_id


def _key(mail: Mail) -> tuple[str, str]:
    return mail.to, mail.subject
