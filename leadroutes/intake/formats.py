"""Every format that can be read, in the order in which a body of no named format is tried.

A declaration list: a new format is one file and one entry here.
"""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Any, Final

from leadroutes.intake import (
    adf,
    facebook,
    followupboss,
    google,
    liondesk_v1,
    mail,
    realtor_push,
    website,
    zapier,
    zillow_rentals,
    zillow_techconnect,
)
from leadroutes.intake.body import Body
from leadroutes.intake.results import Reading, Result

HTTP_LIMIT: Final = 1_048_576
MAIL_LIMIT: Final = 10 * 1_048_576


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """A format of intake. `check` and `read` raise Refused; `recognises` is asked only where no format was named.

    `secrets` names the vendor's section of the secrets, `needs` the keys without which a sender is refused, `may_have`
    others, `proof` where a sender puts them. `answer` makes the body that the vendor expects back, from the reading and
    the lead's id; without it the router's own answer is given.
    """

    name: str
    about: str
    recognises: Callable[[Body], bool]
    read: Callable[[Body], Iterable[Result]]
    secrets: str | None = None
    needs: tuple[str, ...] = ()
    may_have: tuple[str, ...] = ()
    proof: str = "none here: the address or the mailbox is the secret"
    check: Callable[[Body], None] | None = None
    default_source: str = "Other"
    marks: Callable[[Body], dict[str, str]] | None = None
    answer: Callable[[Reading, int | None], dict[str, Any]] | None = None
    limit: int = HTTP_LIMIT


FORMATS: Final = (
    Format(
        name="zillow-techconnect",
        about="Zillow Tech Connect through Amazon SNS",
        recognises=zillow_techconnect.recognises,
        read=zillow_techconnect.read,
        secrets="zillow",
        needs=("basic_user", "basic_password", "topic_arn"),
        proof="Basic auth (basic_user, basic_password) and the SNS signature of topic_arn",
        check=zillow_techconnect.check,
        default_source="Zillow",
    ),
    Format(
        name="facebook",
        about="Facebook and Instagram lead ads, by webhook and Graph API",
        recognises=facebook.recognises,
        read=facebook.read,
        secrets="facebook",
        needs=("app_secret",),
        may_have=("verify_token", "access_token"),
        proof="X-Hub-Signature-256, made with app_secret",
        check=facebook.check,
        default_source="Facebook",
        answer=facebook.answer,
    ),
    Format(
        name="google",
        about="Google Ads lead form webhook",
        recognises=google.recognises,
        read=google.read,
        secrets="google",
        needs=("google_key",),
        proof="google_key in the body",
        check=google.check,
        default_source="Google",
    ),
    Format(
        name="realtor-push",
        about="Realtor.com JSON push",
        recognises=realtor_push.recognises,
        read=realtor_push.read,
        secrets="realtor",
        needs=("x_api_key",),
        proof="x-api-key (x_api_key)",
        check=realtor_push.check,
        default_source="Realtor.com",
        marks=realtor_push.marks,
        answer=realtor_push.answer,
    ),
    Format(
        name="followupboss",
        about="Follow Up Boss events, as IDX sites send them",
        recognises=followupboss.recognises,
        read=followupboss.read,
        secrets="followupboss",
        needs=("api_key",),
        proof="Basic auth, api_key and an empty password",
        check=followupboss.check,
    ),
    Format(
        name="liondesk-v1",
        about="LionDesk's old partner API: NewSubmission and Echo",
        recognises=liondesk_v1.recognises,
        read=liondesk_v1.read,
        secrets="liondesk_v1",
        needs=("api_key", "user_key"),
        proof="Basic auth, api_key and an empty password; X-LionDesk-Id (user_key)",
        check=liondesk_v1.check,
        marks=liondesk_v1.marks,
        answer=liondesk_v1.answer,
    ),
    Format(
        name="email",
        about="mails: ADF, lead metadata tags, labels; forwarded ones too",
        recognises=mail.recognises,
        read=mail.read,
        limit=MAIL_LIMIT,
    ),
    Format(
        name="zillow-rentals",
        about="Zillow Rentals form post",
        recognises=zillow_rentals.recognises,
        read=zillow_rentals.read,
        secrets="zillow_rentals",
        needs=("x_intake_key",),
        proof="X-Intake-Key (x_intake_key)",
        check=zillow_rentals.check,
        default_source="Zillow",
    ),
    Format(
        name="website",
        about="the form of the brokerage's own site, urlencoded or multipart",
        recognises=website.recognises,
        read=website.read,
        default_source="Website",
    ),
    Format(
        name="zapier",
        about="flat JSON or a form under names of one's own",
        recognises=zapier.recognises,
        read=zapier.read,
        secrets="zapier",
        needs=("x_intake_key",),
        proof="X-Intake-Key (x_intake_key)",
        check=zapier.check,
    ),
    Format(
        name="adf",
        about="ADF XML",
        recognises=adf.recognises,
        read=adf.read,
    ),
)

BY_NAME: Final = {format_.name: format_ for format_ in FORMATS}


def why_not_secrets(format_name: str | None, names: Collection[str]) -> str | None:
    """Returns why an intake key of this format cannot have secrets of these names; None if it can."""
    if not names:
        return None
    format_ = BY_NAME.get(format_name or "")
    if format_ is None:  # whoever may choose the format would choose one without secrets
        return "secrets need a format, so that it is known where to find them"
    if format_.secrets is None:
        return f"{format_.name} has no secrets; the address is the secret"
    expected = f"{', '.join(format_.needs)}{''.join(f', perhaps {name}' for name in format_.may_have)}"
    unknown = [name for name in names if name not in (*format_.needs, *format_.may_have)]
    missing = [name for name in format_.needs if name not in names]
    if unknown:
        return f"{', '.join(unknown)} was given; expected, for {format_.name}, {expected}"
    return f"{', '.join(missing)} is missing; expected, for {format_.name}, {expected}" if missing else None
