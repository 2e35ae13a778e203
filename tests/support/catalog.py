"""One record of every resource, made through the API: what the tests that walk the declarations walk over."""

from dataclasses import dataclass, field
from typing import Any

from leadroutes.api.resource import Resource
from leadroutes.api.resources import RESOURCES
from leadroutes.engine.second_factors import trust_browser
from leadroutes.store.sessions import add_session
from leadroutes.store.sign_ins import Whereabouts
from tests.support.api import ask
from tests.support.town import Town


@dataclass
class Catalog:
    """`records` and `bodies` by the resource's path; `urls` are the collections."""

    town: Town
    records: dict[str, dict[str, Any]] = field(default_factory=dict)
    bodies: dict[str, dict[str, Any]] = field(default_factory=dict)
    urls: dict[str, str] = field(default_factory=dict)

    @classmethod
    async def build(cls, town: Town) -> "Catalog":
        """Alice owns everything, and is made a broker and an administrator for it."""
        promote = "UPDATE users SET is_broker = true, is_admin = true WHERE id = $1"
        await town.database.execute(promote, town.users["alice"])
        catalog = cls(town)
        for path, body in BODIES:
            await catalog.add(path, body)
        await catalog._arrive()
        await catalog._send_file()
        await catalog._ask_for_handover()
        await catalog._sign_in()
        await catalog._get_number()
        await catalog._deliver()
        await catalog._change_rules()
        for resource in RESOURCES:
            if resource.path not in catalog.records:
                await catalog._look_up(resource.path)
        return catalog

    async def add(self, path: str, body: dict[str, Any]) -> None:
        filled = {name: self._filled(value) for name, value in body.items()}
        self.urls[path] = url = self.collection(path)
        reply = await ask(self.town, "alice", "POST", url, json=filled)
        assert reply.status == 201, (path, filled, reply.body)
        self.records[path], self.bodies[path] = reply.json, filled
        if path == "/delegates":  # an invitation does not show whose it is
            await self.town.database.execute("UPDATE delegates SET accepted_at = created_at")
            self.records[path] = (await ask(self.town, "alice", "GET", f"{url}/{reply.json['id']}")).json
        if path == "/team-members":  # an invitation shows nothing of Bob, and is not found by Bob's id
            await ask(self.town, "bob", "PATCH", f"{url}/{reply.json['id']}", json={"request_status": "Accepted"})
            self.records[path] = (await ask(self.town, "alice", "GET", f"{url}/{reply.json['id']}")).json

    def collection(self, path: str) -> str:
        """The URL of a collection: a parent's :id is that of the record that is known."""
        if ":id" not in path:
            return path
        parent, _, rest = path.partition("/:id/")
        return f"{parent}/{self.records[parent]['id']}/{rest}"

    def url(self, resource: Resource) -> str:
        return f"{self.urls[resource.path]}/{self.records[resource.path]['id']}"

    def _filled(self, value: Any) -> Any:
        """'@/teams' means the id of the team, '@bob' for Bob's."""
        if isinstance(value, str) and value.startswith("@/"):
            return self.records[value[1:]]["id"]
        if isinstance(value, str) and value.startswith("@"):
            return self.town.users[value[1:]]
        return value

    async def _arrive(self) -> None:
        key = self.records["/intake-keys"]["key"]
        body = {"first_name": "Tom", "email": "tom@example.com", "message": "Is it still there?"}
        reply = await ask(self.town, None, "POST", f"/intake/{key}", json=body)
        assert reply.status == 201, reply.body

    async def _send_file(self) -> None:
        """An import, with a report as a check would make it."""
        file = b"received_at,email\n2026-08-01,tom@example.com\n"
        reply = await ask(self.town, "alice", "POST", "/imports", body=file, headers={"Content-Type": "text/csv"})
        assert reply.status == 201, reply.body
        await self.town.database.execute("UPDATE import_files SET report = 'import_row'")

    async def _ask_for_handover(self) -> None:
        """As a row: the lead is not claimed, and no colleague sees it."""
        alice = self.town.users["alice"]
        await self.town.insert(
            "handovers", owner_id=alice, lead_id=self.records["/leads"]["id"], from_user_id=alice, to_user_id=alice,
            note="n", state="asked", created_at=self.town.now,
        )  # fmt: skip

    async def _get_number(self) -> None:
        """As a row: there is no provider whose number it could be."""
        await self.town.insert(
            "phone_numbers", owner_id=self.town.users["alice"], number="+13035550111",
            intake_key_id=self.records["/intake-keys"]["id"], created_at=self.town.now,
        )  # fmt: skip

    async def _sign_in(self) -> None:
        """Alice, in a browser that is trusted."""
        alice, origin = self.town.users["alice"], Whereabouts("Firefox on Windows", "203.0.113.7")
        await add_session(self.town.database, alice, origin)
        await trust_browser(self.town.database, alice, origin)

    async def _deliver(self) -> None:
        """A test to the webhook, with a try."""
        alice, webhook_id = self.town.users["alice"], self.records["/webhooks"]["id"]
        await self.town.insert(
            "webhook_deliveries", owner_id=alice, webhook_id=webhook_id, type="webhook.test", at=self.town.now,
            data="{}", state="failed", reason="the receiver answered 500", tried=1, lead_id=1, contact_id=1,
            tries='[{"at": "2026-01-17T17:00:00.000Z", "status": 500, "milliseconds": 3, "answer": "", "error": null}]',
        )  # fmt: skip

    async def _change_rules(self) -> None:
        """A version, which the records before have made, and a trial of rules."""
        versions = (await ask(self.town, "alice", "GET", "/rules/versions")).json["data"]
        self.records["/rules/versions"] = {"id": versions[0]["number"]}
        trial = await ask(self.town, "alice", "POST", "/rules/trials", json={"draft": {"rules": 1}})
        assert trial.status == 202, trial.body
        self.records["/rules/trials"] = trial.json

    async def _look_up(self, path: str) -> None:
        """What the service made itself."""
        self.urls[path] = url = self.collection(path)
        reply = await ask(self.town, "alice", "GET", f"{url}?$limit=1")
        assert reply.status == 200, (path, reply.body)
        assert reply.json["total"] > 0, path
        self.records[path] = reply.json["data"][0]


POINT = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"  # of RFC 8291
BODIES: tuple[tuple[str, dict[str, Any]], ...] = (
    ("/users", {"email": "new@example.com", "first_name": "New", "phone": "6045550177", "password": "long enough"}),
    ("/user-invitations", {"email": "gail@example.com", "first_name": "Gail", "last_name": "Town",
                           "phone": "6045550178", "timezone": "America/Denver", "is_admin": False}),
    ("/push-subscriptions", {"endpoint": "https://fcm.googleapis.com/fcm/send/alice", "browser": "Chrome on Android",
                             "keys": {"p256dh": POINT, "auth": "BTBZMqHH6r4Tts7J_aSIgg"}}),
    ("/teams", {"name": "South Side", "order_method": "Time", "distribution_zipcodes": ["98112"]}),
    ("/team-members", {"team_id": "@/teams", "user_id": "@bob"}),
    ("/team-member-distribution-options", {"team_id": "@/teams", "user_id": "@alice", "assign_automatically": False,
                                           "has_email_alert": True, "mins_until_lead_offer": 5}),
    ("/sub-accounts", {"user_id": "@carol"}),
    ("/lead-sources", {"name": "Yard sign"}),
    ("/contact-sources", {"name": "Yard sign"}),
    ("/hotnesses", {"name": "Hot", "rank": 1, "color": "#ff0000"}),
    ("/custom-fields", {"name": "Kids", "data_type": "Text", "rank": 3}),
    ("/tags", {"content": "Landlord"}),
    ("/template-folders", {"name": "Buyers", "description": "For buyers"}),
    ("/templates", {"template_folder_id": "@/template-folders", "template_type": "Email", "subject": "Hello",
                    "body": "How is the hunt?", "description": "Email 1", "file_id": 7}),
    ("/signatures", {"name": "Short", "text_body": "Alice Town", "html_body": "<b>Alice Town</b>", "is_default": True}),
    ("/campaigns", {"name": "Buyer drip"}),
    ("/campaigns/:id/actions", {"type": "Email Contact", "template_id": "@/templates", "assigned_user_id": "@alice",
                                "timing_type": "Delay by Minutes", "delay_by_seconds": 600}),
    ("/lead-routes", {"team_id": "@/teams", "campaign_id": "@/campaigns", "lead_source_id": "@/lead-sources",
                      "contact_source_id": "@/contact-sources", "distribution_target": "Team Rollout",
                      "team_selection_method": "Specific Team", "filter": "Buyer", "priority": 3}),
    ("/listing-agents", {"mls_id": "SEA 2000", "user_id": "@bob"}),
    ("/contacts", {"first_name": "Mia", "last_name": "Lund", "email": "Mia@example.com", "tags": "Buyer",
                   "secondary_email": "m@example.com", "mobile_phone": 6045550100, "home_phone": "604 555 0101",
                   "office_phone": "1", "fax": "2", "company": "Lund", "birthday": "1955-10-28", "anniversary": "x",
                   "spouse_name": "Ola", "spouse_email": "Ola@example.com", "spouse_phone": 3, "spouse_birthday": 4,
                   "hotness_id": "@/hotnesses", "source_id": "@/contact-sources", "assigned_user_id": "@alice"}),
    ("/contacts/:id/addresses", {"type": "Home", "street_address_1": "1080 West 1st Ave", "street_address_2": "B",
                                 "zip": "V6J 4Z3", "city": "Vancouver", "state": "British Columbia"}),
    ("/tasks", {"contact_id": "@/contacts", "action_type": "Call Contact", "description": "Call back",
                "status": "incomplete", "due_at": "2026-01-17T17:00:00.000Z", "notes": "n",
                "assigned_user_id": "@alice"}),
    ("/events", {"contact_id": "@/contacts", "type": "property_viewed", "site_domain": "homes.example",
                 "description": "d"}),
    ("/events/:id/properties", {"mls": 2000, "url": "u", "address": "a", "city": "Seattle", "state": "WA",
                                "zip": 98112, "beds": 3, "full_baths": 1, "half_baths": 1, "year_built": 1999,
                                "listing_days_on_market": 4, "type": "House", "listing_status": "For Sale",
                                "square_feet": 900, "listing_price": "100500.90", "estimated_value": 5,
                                "last_sold_price": "1", "last_sold_at": "2018-01-16", "listed_at": "2018-01-16",
                                "latitude": 47.5, "longitude": "-122.25", "images": "i"}),
    ("/leads", {"contact_id": "@/contacts", "source_id": "@/lead-sources", "text_body": "Is it still for sale?",
                "mls_id": 2000, "listing_status": "For Sale", "listing_price": "1000000", "city": "Seattle",
                "street_address": "171 Shore Blvd E", "state": "WA", "zipcode": 98112, "type": "buyer"}),
    ("/delegates", {"user_id": "@/users", "role": "Team Lead", "team_id": "@/teams"}),
    ("/suppressions", {"channel": "email", "value": "mia@example.com", "reason": "manual",
                       "at": "2026-01-17T17:00:00.000Z"}),
    ("/time-off", {"starts_at": "2026-12-24T17:00:00.000Z", "ends_at": "2026-12-27T17:00:00.000Z", "note": "Skiing"}),
    ("/consents", {"contact_id": "@/contacts", "channel": "text", "how": "website form",
                   "words": "I agree to receive texts", "at": "2026-01-17T17:00:00.000Z", "ip": "203.0.113.7"}),
    ("/webhooks", {"url": "https://example.com/leads", "events": ["lead.arrived", "lead.claimed"],
                   "format": "standard"}),
    ("/intake-keys", {"lead_source_id": "@/lead-sources", "contact_source_id": "@/contact-sources",
                      "format": "zapier"}),
)  # fmt: skip
