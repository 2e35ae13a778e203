"""The API's law, field by field, and the declarations held against it: whoever changes one has to change both.

A line is a field: its type; R required, W written always, W1 on POST alone, WP on PATCH alone, null where it may be,
=default, F where queries may name it, `as` the key of its answer, hidden where it is never answered.
"""

import re

import pytest

from leadroutes.api.resource import Field, Write
from leadroutes.api.resources import BY_PATH, RESOURCES
from leadroutes.api.values import Choice, EmailText, Id, Integer, Text, Texts

LAW = """
/users LGCP
    id: id; F
    first_name: text(255); W null F
    last_name: text(255); W null F
    email: email(255); R W F
    username: text(255); W null F
    timezone_offset: int; F
    created_at: moment; F
    modified_at: moment; F
    timezone: text(200); W F
    phone: text(45); W null F
    system_phone: text(45); null F
    profile_picture: text(1000); WP null
    password: text(255); W null hidden
    is_active: bool; WP
    is_admin: bool; WP
    is_broker: bool; WP
    postal_address: long; WP null hidden
    successor_user_id: id; WP null hidden
/sub-accounts LGCPD
    id: id; F
    user_id: id → /users; R W1 F
    user: nested; null
    user_can_see_broker_hotnesses: bool; W =False F
    is_lead_sources_enabled: bool; W =False F
    is_custom_fields_enabled: bool; W =False F
    is_contact_ownership_enabled: bool; W =False F
    is_contact_activity_settings_enabled: bool; W =False F
    is_lead_status_enabled: bool; W =False F
    is_contact_types_enabled: bool; W =False F
    user_can_create_own_hotnesses: bool; W =True F
    is_lead_sources_new_enabled: bool; W =True F
    is_custom_fields_new_enabled: bool; W =True F
    is_contact_ownership_new_enabled: bool; W =True F
    is_contact_activity_settings_new_enabled: bool; W =True F
    is_lead_status_new_enabled: bool; W =True F
    is_contact_types_new_enabled: bool; W =True F
    access_token: text(40); null
/teams LGCPUD
    id: id; F
    user_id: id; F
    name: text(255); R W F
    is_contact_resource_sharing_enabled: bool; W =False F
    order_method: one of Rank, Time, Round Robin; W =Rank F
    mins_until_next_alert: int 0..; W =0 F
    distribution_zipcodes: texts(45); W null
    offer_mode: one of Cumulative, Exclusive; W =Cumulative F
/team-members LGCPD
    id: id; F
    request_status: one of Accepted, Pending, Declined; WP F
    team_id: id → /teams; R W1 F as team
    user_id: id; W1 F as user
    email: email(255); W1 null hidden
    is_sharing_accepted: bool
/team-member-distribution-options LGCPUD
    id: id; F
    team_id: id → /teams; R W F
    user_id: id; R W F
    rank: int; W null F
    mins_until_lead_offer: int 0..; W =0 F
    assign_automatically: bool; R W F
    has_call_alert: bool; W =False F
    has_text_alert: bool; W =False F
    has_email_alert: bool; W =False F
    weight: int 1..; W =1 F
/lead-sources LGCPUD
    id: id; F
    name: text(200); R W F
/contact-sources LGCPUD
    id: id; F
    name: text(200); R W F
    user_id: id; F
/lead-routes LGCPUD
    id: id; F
    team_id: id → /teams; W null F as team
    campaign_id: id → /campaigns; R W F as campaign
    lead_source_id: id → /lead-sources; R W F as lead_source
    contact_source_id: id → /contact-sources; R W F as contact_source
    distribution_target: one of Myself, Team Rollout; R W F
    team_selection_method: one of None, Specific Team, Zipcode; W null F
    filter: text(45); W null F
    is_active: bool; W =True F
    priority: int; W =0 F
    campaign_start: one of Arrival, Claim; W =Arrival F
/leads LGCP
    id: id; F
    owner_user_id: id; F
    contact_id: id → /contacts; R W1 F
    source_id: id → /lead-sources; W null F
    claimed_by_user_id: id; null F
    claimed_at: moment; null F
    claimed_via: one of None, Email, Text, Phone, Assigned, Auto; W1 =None F
    time_to_claim: int; null F
    text_body: long; W null
    html_body: long; W null
    mls_id: text(45)/number; W null F
    listing_status: text(45); W null F
    listing_price: text(45)/number; W null F
    street_address: text(200); W null F
    address_1: long; null F
    city: text(200); W null F
    state: text(200); W null F
    zipcode: text(45)/number; W null F
    type: text(45); W null F
    created_at: moment; F
    modified_at: moment; F
    distribute: bool; W1 =True hidden
/leads/:id/offers LG
    id: id; F
    lead_id: id; F as lead
    user_id: id; F as user
    team_id: id; null F as team
    notify_at: moment; F
    rank: int; null F
    assign_automatically: bool; F
    has_call_alert: bool; F
    has_text_alert: bool; F
    has_email_alert: bool; F
    state: one of scheduled, notified, declined, expired, skipped, withdrawn, won, lost; F
/lead-offers LG
    id: id; F
    lead_id: id; F as lead
    user_id: id; F as user
    team_id: id; null F as team
    notify_at: moment; F
    rank: int; null F
    assign_automatically: bool; F
    has_call_alert: bool; F
    has_text_alert: bool; F
    has_email_alert: bool; F
    state: one of scheduled, notified, declined, expired, skipped, withdrawn, won, lost; F
/hotnesses LGCPUD
    id: id; F
    rank: int; W null F
    user_id: id; F
    name: text(45); R W F
    color: text(7); W null F
/custom-fields LGCPUD
    id: id; F
    user_id: id; F
    data_type: one of Text, Number, Date, Dollar Amt; R W F
    name: text(255); R W F
    rank: int; W =99999 F
/tags LGCPU
    id: id; F
    content: text(255); R W F
/contacts LGCPUD
    id: id; F
    owner_user_id: id; F
    assigned_user_id: id → /users; W null F
    first_name: text(255); W null F
    last_name: text(255); W null F
    email: email(255); W null F
    secondary_email: email(255); W null F
    mobile_phone: text(255)/number; W null F
    home_phone: text(45)/number; W null F
    office_phone: text(45)/number; W null F
    fax: text(45)/number; W null F
    company: text(45); W null F
    birthday: text(45); W null F
    anniversary: text(45); W null F
    spouse_name: text(45); W null F
    spouse_email: email(45); W null F
    spouse_phone: text(45)/number; W null F
    spouse_birthday: text(45)/number; W null F
    tags: text(508); W null F
    hotness_id: id → /hotnesses; W null F
    source_id: id → /contact-sources; W null F
    created_at: moment; W F
    modified_at: moment; W F
    custom_fields: nested; W null
    addresses: nested; null
    email_suppression: nested; null
/contacts/:id/addresses LGCPUD
    id: id; F
    type: one of Home, Main Office, Branch Office, Second Home, Investment, Mailing; W null F
    street_address_1: text(45); W null F
    street_address_2: text(45); W null F
    zip: text(45)/number; W null F
    city: text(200); W null F
    state: text(200); W null F
    created_at: moment; F
    modified_at: moment; F
/tasks LGCPUD
    id: id; F
    owner_user_id: id; F
    contact_id: id → /contacts; W null F
    action_type: one of None, Email Contact, Call Contact, Text Contact, Agent Task - Email Reminder, Agent Task -
        Call Reminder, Agent Task - Text Reminder, Agent Task - No Reminder, BombBomb Video Email, Direct Mail:
        Letter, Direct Mail: Postcard, Agent Task - Direct Mail: Letter (Manual), Agent Task - Direct Mail: Postcard
        (Manual); R W F
    reminder_type: one of None, Email Contact, Call Contact, Text Contact, Agent Task - Email Reminder, Agent Task -
        Call Reminder, Agent Task - Text Reminder, Agent Task - No Reminder, BombBomb Video Email, Direct Mail:
        Letter, Direct Mail: Postcard, Agent Task - Direct Mail: Letter (Manual), Agent Task - Direct Mail: Postcard
        (Manual); F
    assigned_user_id: id → /users; W null F
    due_at: moment; W null F
    description: text(2000); R W F
    status: one of complete, incomplete, deleted; R W F
    notes: text(2000); W null F
    created_at: moment; F
    modified_at: moment; F
/events LGCPUD
    id: id; F
    user_id: id; F
    contact_id: id → /contacts; R W1 F
    source: one of web, disposition, api; F
    type: text(45); R W F
    description: text(2000); W null F
    site_domain: text(100); W null F
    dialer_session_id: id; null F
    property: nested; null
    created_at: moment; W F
    modified_at: moment; W F
/events/:id/properties LGCPUD
    id: id; F
    api_event_id: id; F
    contact_id: id; F
    mls: text(45)/number; W null F
    url: text(200); W null F
    address: text(200); W null F
    city: text(200); W null F
    state: text(200); W null F
    zip: text(200)/number; W null F
    beds: int; W null F
    full_baths: int; W null F
    half_baths: int; W null F
    listing_days_on_market: int; W null F
    year_built: int; W null F
    type: text(45); W null F
    listing_status: text(45); W null F
    square_feet: text(45)/number; W null F
    listing_price: decimaltext; W null F
    estimated_value: decimaltext; W null F
    last_sold_price: decimaltext; W null F
    last_sold_at: moment; W null F
    listed_at: moment; W null F
    latitude: number; W null F
    longitude: number; W null F
    images: text(255); W null F
/campaigns LGCPUD
    id: id; F
    name: text(255); R W F
    created_at: moment; F
    modified_at: moment; F
    is_broker_sharing_on: bool; W =False F
    is_default: bool; F
    is_shared_by_broker: bool; null
/campaigns/:id/actions LGCPUD
    id: id; F
    campaign_id: id
    type: one of Email Contact, Call Contact, Text Contact, Agent Task - Email Reminder, Agent Task - Call Reminder,
        Agent Task - Text Reminder, Agent Task - No Reminder; R W F
    assigned_user_id: id → /users; W null F
    template_id: id → /templates; W null F
    timing_type: one of Delay by Day and Time, Delay by Minutes, Exact Date and Time, Recurring; R W F
    delay_by_days: int 0..; W null
    dispatch_time: timeofday; W null
    delay_by_seconds: int 0..; W null
    dispatch_datetime: moment; W null
    recurrence: text(1000); W null
    trigger_type: int 1..2; W =1 F
    is_stopped_on_text_reply: bool; W =False
/campaigns/:id/contacts LGCD
    id: id; F
    campaign_id: id; F
    contact_id: id → /contacts; R W1 F
    created_at: moment; F
/contact-communications LGP
    id: id; F
    contact_id: id; F
    campaign_id: id; null F
    campaign_name: long; null
    type: one of Email Contact, Call Contact, Text Contact; F
    is_stopped_on_text_reply: bool; F
    template_subject: long; null
    template_name: long; null
    template_folder_name: long; null
    is_active: bool; W F
    send_at: moment; F
    completed_at: moment; null F
    send_from_user_id: id; F
    completing_user_id: id; null F
    reason: long; null
/template-folders LGCPUD
    id: id; F
    user_id: id; F
    name: text(200); R W F
    description: text(200); W null F
    original_template_folder_id: id; null F
    counts: nested; null
/templates LGCPUD
    id: id; F
    user_id: id; F
    template_folder_id: id → /template-folders; R W F
    body: long; W null
    subject: text(1000); W null F
    description: text(200); W null F
    file_id: int; W null F
    created_at: moment; F
    modified_at: moment; F
    template_type: one of Email, Text, Phone, Direct Mail Letter, Direct Mail Postcard; R W F
/intake-keys LGCPD
    id: id; F
    lead_source_id: id → /lead-sources; R W F
    contact_source_id: id → /contact-sources; W null F
    format: one of zillow-techconnect, facebook, google, realtor-push, followupboss, liondesk-v1, email,
        zillow-rentals, website, zapier, adf; W1 null F
    secrets: namedtexts; W1 null hidden
    is_private: bool; W F
    created_at: moment; F
    last_used_at: moment; null F
/arrivals LG
    id: id; F
    received_at: moment; F
    intake_key_id: id; null F
    lead_source_id: id; null F
    format: long; null F
    status: one of accepted, touch, test, update, pending, rejected; F
    reason: long; null F
    lead_id: id; null F
/messages LG
    id: id; F
    channel: one of email, text, call, webhook; F
    kind: long; F
    state: one of queued, sending, sent, failed, suppressed, unknown; F
    reason: long; null F
    lead_id: id; null F
    contact_id: id; null F
    user_id: id; null F
    address: long; null F
    created_at: moment; F
    sent_at: moment; null F
/suppressions LGCD
    id: id; F
    owner_user_id: id; F
    channel: one of email, text, call; R W1 F
    value: email(255); R W1 F
    reason: one of unsubscribed, stopped, bounced, complained, manual, imported; W1 =manual F
    at: moment; W1 F
    source_message_id: id; null F
    by_user_id: id; null F
"""

WRITTEN = {Write.NEVER: "", Write.ONCE: "W1", Write.LATER: "WP", Write.ALWAYS: "W"}
LARGEST = 2**31 - 1


def _parsed() -> dict[str, list[str]]:
    """By path: the methods, then a line for each field; what is indented deeper goes on with its line."""
    law: dict[str, list[str]] = {}
    for line in re.sub(r"\n {8}", " ", LAW).strip().splitlines():
        if line.startswith("/"):
            path, methods = line.split()
            law[path] = [methods]
        else:
            law[path].append(line.strip())
    return law


BY_LAW = _parsed()


@pytest.mark.parametrize("path", BY_LAW)
def test_a_resource_is_declared_as_the_law_has_it(path: str) -> None:
    resource = BY_PATH[path]

    assert resource.methods == BY_LAW[path][0]
    assert [_line(each) for each in resource.fields] == BY_LAW[path][1:]


def test_there_is_a_law_for_every_resource() -> None:
    assert sorted(BY_LAW) == sorted(resource.path for resource in RESOURCES)


def _line(each: Field) -> str:
    key = "hidden" if not each.answer_key else f"as {each.answer_key}" if each.answer_key != each.name else ""
    marks = (
        "R" if each.required else "",
        WRITTEN[each.write],
        "null" if each.nullable else "",
        f"={each.default}" if each.default is not None else "",
        "F" if each.filterable else "",
        key,
    )
    told = " ".join(mark for mark in marks if mark)
    return f"{each.name}: {_type(each)}" + (f"; {told}" if told else "")


def _type(each: Field) -> str:
    if each.refers:
        return f"id → {each.refers.to}"
    match each.kind:
        case Id():
            return "id"
        case Integer(least, most):
            bounds = f" {least}..{'' if most == LARGEST else most}"
            return "int" if (least, most) == (-LARGEST - 1, LARGEST) else f"int{bounds}"
        case EmailText(limit):
            return f"email({limit})"
        case Text(limit, takes_number):
            return (f"text({limit})" if limit else "long") + ("/number" if takes_number else "")
        case Choice(words):
            return f"one of {', '.join(words)}"
        case Texts(limit):
            return f"texts({limit})"
    return type(each.kind).__name__.lower()
