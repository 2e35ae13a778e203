"""One record of every resource, made through the API: what the tests that walk the declarations walk over."""

from dataclasses import dataclass, field
from typing import Any

from leadroutes.api.resource import Resource
from leadroutes.api.resources import RESOURCES
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

    async def _look_up(self, path: str) -> None:
        """What the service made itself."""
        self.urls[path] = url = self.collection(path)
        reply = await ask(self.town, "alice", "GET", f"{url}?$limit=1")
        assert reply.status == 200, (path, reply.body)
        assert reply.json["total"] > 0, path
        self.records[path] = reply.json["data"][0]


BODIES: tuple[tuple[str, dict[str, Any]], ...] = (
    ("/users", {"email": "new@example.com", "first_name": "New", "phone": "6045550177", "password": "long enough"}),
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
    ("/campaigns", {"name": "Buyer drip"}),
    ("/campaigns/:id/actions", {"type": "Email Contact", "template_id": "@/templates", "assigned_user_id": "@alice",
                                "timing_type": "Delay by Minutes", "delay_by_seconds": 600}),
    ("/lead-routes", {"team_id": "@/teams", "campaign_id": "@/campaigns", "lead_source_id": "@/lead-sources",
                      "contact_source_id": "@/contact-sources", "distribution_target": "Team Rollout",
                      "team_selection_method": "Specific Team", "filter": "Buyer", "priority": 3}),
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
    ("/suppressions", {"channel": "email", "value": "mia@example.com", "reason": "manual",
                       "at": "2026-01-17T17:00:00.000Z"}),
    ("/intake-keys", {"lead_source_id": "@/lead-sources", "contact_source_id": "@/contact-sources",
                      "format": "zapier"}),
)  # fmt: skip
