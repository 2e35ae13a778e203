"""One's own account: details, signatures, picture, e-mail and password."""

from collections.abc import Mapping
from typing import Any

from leadroutes.channels import configured_channels
from leadroutes.errors import Invalid, TooLarge
from leadroutes.web.forms import read_id
from leadroutes.web.page import Done, Inverse, Page, Stale, Visit, change, digest
from leadroutes.web.plain_words import in_plain_words
from leadroutes.web.sent import Sent
from leadroutes.web.zones import zone_choices

MOST_SIGNATURES = 100
DETAILS = ("first_name", "last_name", "phone", "timezone", "postal_address")
LARGEST_PICTURE = 512 * 1024  # bytes, as the API takes it
LARGEST_FORM = 8 * 1024 * 1024  # so that a picture that is too large is refused in words
PICTURES = ("image/png", "image/jpeg", "image/webp")
NO_PICTURE = "Choose a picture: PNG, JPEG or WebP, of 512 kB at most."


async def load_me(visit: Visit) -> Mapping[str, Any]:
    me = await visit.api.get("/me")
    picture = me["profile_picture"] or ""
    return {
        "me": me,
        # Nothing is loaded from elsewhere, and only what was uploaded here has a known form.
        "picture": picture if picture.startswith(f"{visit.settings.public_url}/pictures/") else "",
        "details": _details(me),
        "zones": zone_choices(me["timezone"]),
        "has_mail": "email" in configured_channels(visit.settings),
        "signatures": await visit.api.records("/signatures", most=MOST_SIGNATURES),
    }


def _details(me: Mapping[str, Any]) -> dict[str, Any]:
    return {name: me[name] for name in DETAILS}


async def _change(visit: Visit, body: Mapping[str, Any]) -> None:
    """Raises Invalid in the words of a page."""
    try:
        await visit.api.patch("/me", body)
    except Invalid as problem:
        raise Invalid.fields(in_plain_words(problem.errors)) if problem.errors else problem from None


async def save_details(visit: Visit, sent: Sent) -> Done:
    before = _details(await visit.api.get("/me"))
    if sent.get("seen") and sent.get("seen") != digest(before):
        raise Stale(before)
    await _change(visit, {name: sent.text(name) for name in DETAILS})
    return Done("", "Saved.")


def _read_signature(sent: Sent) -> dict[str, Any]:
    errors = {}
    if sent.text("name") is None:
        errors["name"] = "Give the signature a name; only you see it."
    if sent.text("text_body") is None and sent.text("html_body") is None:
        errors["text_body"] = "Write how your mails end."
    if errors:
        raise Invalid.fields(errors)
    bodies = {name: sent.text(name) for name in ("name", "text_body", "html_body")}
    return bodies | {"is_default": sent.is_checked("is_default")}


async def add_signature(visit: Visit, sent: Sent) -> Done:
    made = await visit.api.post("/signatures", _read_signature(sent))
    undo = Inverse("DELETE", f"/signatures/{made['id']}")
    return Done("/me#signatures", "The signature is added.", None if made["is_default"] else undo)


async def change_signature(visit: Visit, sent: Sent) -> Done:
    await change(visit, _signature(sent), _read_signature(sent), sent.get("seen"))
    return Done("/me#signatures", "The signature is changed. Mails that have not left yet get the new one.")


async def remove_signature(visit: Visit, sent: Sent) -> Done:
    await visit.api.delete(_signature(sent))
    return Done("/me#signatures", "The signature is removed.")


def _signature(sent: Sent) -> str:
    number = read_id(sent.on)
    if number is None:
        raise Invalid(f"on: {sent.on[:40]!r} was given; expected the id of a signature.")
    return f"/signatures/{number}"


async def set_picture(visit: Visit, sent: Sent) -> Done:
    picture = sent.files.get("picture")
    if picture is None or not picture.content or picture.content_type not in PICTURES:
        raise Invalid.fields({"picture": NO_PICTURE})
    headers = {"content-type": [picture.content_type], "accept": ["application/json"]}
    try:
        await visit.api.send("PUT", "/me/picture", picture.content, None, headers)
    except (Invalid, TooLarge):
        raise Invalid.fields({"picture": NO_PICTURE}) from None
    return Done("", "That is your picture now.")


async def remove_picture(visit: Visit, _sent: Sent) -> Done:
    await visit.api.delete("/me/picture")
    return Done("", "Your picture is removed.")


async def change_email(visit: Visit, sent: Sent) -> Done:
    email = sent.get("email").strip()
    await _change(visit, {"email": email, "current_password": sent.get("current_password")})
    return Done("", f"A mail with a link is on its way to {email}. Your e-mail changes when you open it.")


async def change_password(visit: Visit, sent: Sent) -> Done:
    """Signs out everywhere but here; tokens and trusted browsers end, too."""
    if sent.get("password") != sent.get("again"):
        raise Invalid.fields({"again": "The two passwords are not the same."})
    if not sent.get("password"):
        raise Invalid.fields({"password": "A password has 8 to 255 characters."})
    await _change(visit, {"password": sent.get("password"), "current_password": sent.get("current_password")})
    return Done("", "The password is changed. Other browsers are signed out, and your tokens have ended.")


ME = Page(
    path="/me",
    title="Your account",
    about="your name, phone, time zone, postal address, signatures and picture; to change your e-mail, which a link"
    " confirms, and your password, which signs you out everywhere else",
    template="pages/me.html",
    load=load_me,
    acts={
        "details": save_details,
        "add-signature": add_signature,
        "change-signature": change_signature,
        "remove-signature": remove_signature,
        "picture": set_picture,
        "no_picture": remove_picture,
        "email": change_email,
        "password": change_password,
    },
    largest=LARGEST_FORM,
    is_personal=True,
)
