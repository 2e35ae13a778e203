"""All resources of the API. A new one is a declaration in one of these files and an entry in this list."""

from leadroutes.api.resource import Resource
from leadroutes.api.resources.activities import ACTIVITIES
from leadroutes.api.resources.campaigns import CAMPAIGN_RESOURCES
from leadroutes.api.resources.contact_attributes import CONTACT_ATTRIBUTES
from leadroutes.api.resources.contacts import CONTACT_RESOURCES
from leadroutes.api.resources.intake import INTAKE_RESOURCES
from leadroutes.api.resources.leads import LEAD_RESOURCES
from leadroutes.api.resources.messages import MESSAGES
from leadroutes.api.resources.people import PEOPLE
from leadroutes.api.resources.routing import ROUTING
from leadroutes.api.resources.suppressions import SUPPRESSIONS
from leadroutes.api.resources.templates import TEMPLATE_RESOURCES

RESOURCES: tuple[Resource, ...] = (
    *PEOPLE,
    *ROUTING,
    *LEAD_RESOURCES,
    *CONTACT_ATTRIBUTES,
    *CONTACT_RESOURCES,
    *ACTIVITIES,
    *CAMPAIGN_RESOURCES,
    *TEMPLATE_RESOURCES,
    *INTAKE_RESOURCES,
    MESSAGES,
    SUPPRESSIONS,
)

BY_PATH = {resource.path: resource for resource in RESOURCES}
