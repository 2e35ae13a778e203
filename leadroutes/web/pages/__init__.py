"""All pages below /app, in the order of the navigation. A new page is a declaration in one of these files, and here."""

from leadroutes.web.page import Page
from leadroutes.web.pages.access import ACCESS_PAGES
from leadroutes.web.pages.alerts import ALERTS
from leadroutes.web.pages.arrivals import ARRIVAL_PAGES
from leadroutes.web.pages.audit import AUDIT_PAGES
from leadroutes.web.pages.availability import AVAILABILITY
from leadroutes.web.pages.board import BOARD
from leadroutes.web.pages.body_trial import BODY_TRIAL
from leadroutes.web.pages.campaign_windows import WINDOW_PAGES
from leadroutes.web.pages.campaigns import CAMPAIGN_PAGES
from leadroutes.web.pages.contact import CONTACT
from leadroutes.web.pages.contacts import CONTACTS, NEW_CONTACT
from leadroutes.web.pages.imports import IMPORT_PAGES
from leadroutes.web.pages.inbox import INBOX
from leadroutes.web.pages.lead import LEAD
from leadroutes.web.pages.leads import LEADS, NEW_LEAD, TASKS
from leadroutes.web.pages.listing_agents import LISTING_AGENTS_PAGE
from leadroutes.web.pages.me import ME
from leadroutes.web.pages.outbox import OUTBOX
from leadroutes.web.pages.passed_over import PASSED_OVER
from leadroutes.web.pages.people import PEOPLE_PAGES
from leadroutes.web.pages.phone_numbers import PHONE_NUMBERS
from leadroutes.web.pages.reports import REPORTS
from leadroutes.web.pages.routes import ROUTE_PAGES
from leadroutes.web.pages.rule_findings import CHECK
from leadroutes.web.pages.rule_trials import TRY
from leadroutes.web.pages.rule_versions import RULE_VERSION_PAGES
from leadroutes.web.pages.security import SECURITY
from leadroutes.web.pages.settings import SETTINGS
from leadroutes.web.pages.sources import SOURCE_PAGES
from leadroutes.web.pages.suppressions import SUPPRESSIONS
from leadroutes.web.pages.team_lead import TEAM_LEAD_PAGE
from leadroutes.web.pages.teams import TEAM_PAGES
from leadroutes.web.pages.templates import TEMPLATE_PAGES
from leadroutes.web.pages.webhooks import WEBHOOK_PAGES
from leadroutes.web.pages.welcome import WELCOME

# A path of its own comes before one with an id in the same place.
PAGES: tuple[Page, ...] = (
    WELCOME,
    INBOX,
    TEAM_LEAD_PAGE,
    LEADS,
    NEW_LEAD,
    LEAD,
    TASKS,
    AVAILABILITY,
    PASSED_OVER,
    BOARD,
    *ARRIVAL_PAGES,
    OUTBOX,
    BODY_TRIAL,
    *SOURCE_PAGES,
    *IMPORT_PAGES,
    *WEBHOOK_PAGES,
    LISTING_AGENTS_PAGE,
    *ROUTE_PAGES,
    *TEAM_PAGES,
    *CAMPAIGN_PAGES,
    *WINDOW_PAGES,
    *TEMPLATE_PAGES,
    *RULE_VERSION_PAGES,
    CHECK,
    TRY,
    CONTACTS,
    NEW_CONTACT,
    CONTACT,
    REPORTS,
    *PEOPLE_PAGES,
    SETTINGS,
    PHONE_NUMBERS,
    SUPPRESSIONS,
    *AUDIT_PAGES,
    ME,
    ALERTS,
    SECURITY,
    *ACCESS_PAGES,
)
