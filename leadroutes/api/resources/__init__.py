"""All resources of the API. A new one is a declaration in one of these files and an entry in this list."""

from leadroutes.api.resource import Resource
from leadroutes.api.resources.activities import ACTIVITIES
from leadroutes.api.resources.alerts import ALERT_RESOURCES
from leadroutes.api.resources.audit import AUDIT
from leadroutes.api.resources.availability import AVAILABILITY_RESOURCES
from leadroutes.api.resources.campaigns import CAMPAIGN_RESOURCES
from leadroutes.api.resources.consents import CONSENTS
from leadroutes.api.resources.contact_attributes import CONTACT_ATTRIBUTES
from leadroutes.api.resources.contacts import CONTACT_RESOURCES
from leadroutes.api.resources.delegates import DELEGATES
from leadroutes.api.resources.handovers import HANDOVERS
from leadroutes.api.resources.imports import IMPORTS
from leadroutes.api.resources.intake import INTAKE_RESOURCES
from leadroutes.api.resources.leads import LEAD_RESOURCES
from leadroutes.api.resources.listing_agents import LISTING_AGENTS
from leadroutes.api.resources.messages import MESSAGES
from leadroutes.api.resources.people import PEOPLE
from leadroutes.api.resources.phone_numbers import PHONE_NUMBERS
from leadroutes.api.resources.routing import ROUTING
from leadroutes.api.resources.sign_ins import SIGN_IN_RESOURCES
from leadroutes.api.resources.signatures import SIGNATURES
from leadroutes.api.resources.suppressions import SUPPRESSIONS
from leadroutes.api.resources.templates import TEMPLATE_RESOURCES
from leadroutes.api.resources.webhooks import WEBHOOK_RESOURCES

RESOURCES: tuple[Resource, ...] = (
    *PEOPLE,
    *ROUTING,
    LISTING_AGENTS,
    *LEAD_RESOURCES,
    HANDOVERS,
    *CONTACT_ATTRIBUTES,
    *CONTACT_RESOURCES,
    *ACTIVITIES,
    *CAMPAIGN_RESOURCES,
    *TEMPLATE_RESOURCES,
    SIGNATURES,
    *INTAKE_RESOURCES,
    IMPORTS,
    MESSAGES,
    SUPPRESSIONS,
    CONSENTS,
    PHONE_NUMBERS,
    *WEBHOOK_RESOURCES,
    *SIGN_IN_RESOURCES,
    *ALERT_RESOURCES,
    *AVAILABILITY_RESOURCES,
    DELEGATES,
    AUDIT,
)

BY_PATH = {resource.path: resource for resource in RESOURCES}
