"""How leads come from each vendor: what to do there, step by step, as pages and the API show it. Data only.

In a step {address} is the address of an intake key, {mail_address} its mailbox, {key} the key, {host} this service.
"""

from html import escape
from typing import Final

from msgspec import Struct

DOCUMENT: Final = "docs/lead-sources.md"


class Vendor(Struct, frozen=True, kw_only=True):
    """A vendor of leads. `secrets` are the names that an intake key of `format` needs, with what each is."""

    name: str
    title: str
    lead_source: str
    format: str | None
    steps: tuple[str, ...]
    secrets: dict[str, str] = {}
    has_snippet: bool = False
    document: str


VENDORS: Final = (
    Vendor(
        name="zillow",
        title="Zillow Tech Connect",
        lead_source="Zillow",
        format="zillow-techconnect",
        secrets={
            "basic_user": "a user name of your choice",
            "basic_password": "a password of your choice",
            "topic_arn": "the ARN of the Amazon SNS topic, from Zillow",
        },
        steps=(
            "In Zillow Premier Agent, open Settings, then Tech Connect, and ask for a custom integration.",
            "Choose a user name and a password, and make an intake key with them and the topic's ARN.",
            "Give Zillow the address {address}, with USER:PASSWORD@ before the host name.",
            "Zillow asks to confirm the subscription; that is answered without your help.",
        ),
        document=f"{DOCUMENT}#zillow-tech-connect",
    ),
    Vendor(
        name="realtor",
        title="Realtor.com",
        lead_source="Realtor.com",
        format="realtor-push",
        secrets={"x_api_key": "a key of your choice, of 20 characters or more"},
        steps=(
            "Choose a key, and make an intake key with it.",
            "Write to Realtor.com's support, or to your representative, and ask for JSON push of your leads.",
            "Give them the address {address} and the key; it comes in the header x-api-key.",
        ),
        document=f"{DOCUMENT}#realtorcom",
    ),
    Vendor(
        name="facebook",
        title="Facebook and Instagram lead ads",
        lead_source="Facebook",
        format="facebook",
        secrets={
            "app_secret": "the secret of your app, in its basic settings",
            "verify_token": "a word of your choice",
            "access_token": "a token of the page that may read its leads",
        },
        steps=(
            "In Meta for Developers, open your app and add the product Webhooks.",
            "Subscribe to the object Page with the callback {address} and your verify token.",
            "Choose the field leadgen, and connect the page that runs the ads.",
            "Send a test lead with Meta's Lead Ads Testing Tool.",
        ),
        document=f"{DOCUMENT}#facebook-and-instagram-lead-ads",
    ),
    Vendor(
        name="google",
        title="Google Ads lead forms",
        lead_source="Google",
        format="google",
        secrets={"google_key": "a key of your choice"},
        steps=(
            "Choose a key, and make an intake key with it.",
            "In Google Ads, open the lead form and its export options, and choose Webhook integration.",
            "Enter the address {address} and the same key.",
            "Press Send test data: it arrives as a test and starts nothing.",
        ),
        document=f"{DOCUMENT}#google-ads-lead-forms",
    ),
    Vendor(
        name="website",
        title="Your own website",
        lead_source="Website",
        format="website",
        steps=(
            "Copy the form into a page of your website.",
            "Change its fields as you like: names such as first_name, email, phone and message are understood.",
            "Everyone can read the address in the page; a key of a website proves nothing, and needs no secret.",
        ),
        has_snippet=True,
        document=f"{DOCUMENT}#your-own-website",
    ),
    Vendor(
        name="email",
        title="E-mail",
        lead_source="Other",
        format="email",
        steps=(
            "The installation has to receive mail: LEADROUTES_MAIL_LISTEN and LEADROUTES_MAIL_DOMAIN.",
            "Enter {mail_address} at the portal as the address for new leads,",
            "or forward such mails to it from your own mailbox by a rule.",
        ),
        document=f"{DOCUMENT}#mails-of-portals",
    ),
    Vendor(
        name="zapier",
        title="Zapier and other tools",
        lead_source="Other",
        format="zapier",
        secrets={"x_intake_key": "a key of your choice"},
        steps=(
            "In the zap, add the action Webhooks by Zapier, then POST.",
            "Enter the address {address} and the payload type json.",
            "Name the data first_name, last_name, email, phone, message, zipcode, price.",
            "Add the header X-Intake-Key with your key.",
        ),
        document=f"{DOCUMENT}#zapier-make-and-everything-that-can-post-json",
    ),
)

_SNIPPET = """<form action="{address}" method="post" id="lead-form">
  <p><label>First name <input name="first_name" autocomplete="given-name" required></label></p>
  <p><label>Last name <input name="last_name" autocomplete="family-name"></label></p>
  <p><label>E-mail <input name="email" type="email" autocomplete="email" required></label></p>
  <p><label>Phone <input name="phone" type="tel" autocomplete="tel"></label></p>
  <p><label>Message <textarea name="message" rows="4"></textarea></label></p>
  <p><button>Send</button> <span role="status"></span></p>
</form>
<script>
document.getElementById("lead-form").addEventListener("submit", async (event) => {{
  event.preventDefault();
  const form = event.target, status = form.querySelector("[role=status]");
  try {{
    const response = await fetch(form.action, {{ method: "POST", body: new URLSearchParams(new FormData(form)) }});
    if (!response.ok) throw new Error(response.status);
    form.reset();
    status.textContent = "Thank you. We will be in touch.";
  }} catch {{
    status.textContent = "That did not work. Please try again.";
  }}
}});
</script>
"""


def website_snippet(address: str) -> str:
    """Returns a form that sends leads to this address; without JavaScript the browser posts it by itself."""
    return _SNIPPET.format(address=escape(address, quote=True))
