"""What is possible in settings but hardly meant: sentences for the log, for the doctor and for administrators.

Nothing is refused for it.
"""

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from urllib.parse import urlsplit

from leadroutes.settings import Settings, described
from leadroutes.settings.values import is_local_address, is_loopback, is_public_url

PREFIX = "LEADROUTES_"
NEARNESS = 0.8  # of two names, of which letters are swapped, missing or wrong


def warnings_of(settings: Settings) -> list[str]:
    """Returns a sentence for each, with the setting's name and what to set; none where all stays on this machine."""
    is_real = settings.smtp_url is not None and not is_loopback(urlsplit(settings.smtp_url).hostname)
    sends_texts = settings.twilio_account is not None and not is_loopback(urlsplit(settings.twilio_url).hostname)
    of_people = _of_real_mail(settings) if is_real else _of_notifications(settings)
    return [*of_people, *(_of_real_texts(settings) if sends_texts else ())]


def warnings_of_names(environ: Mapping[str, str]) -> list[str]:
    """Returns a sentence for each variable whose name is nearly that of a setting; others may be anyone's."""
    known = {name.removeprefix(PREFIX) for name, _, _ in described() if name.startswith(PREFIX)}
    known |= {f"{name}_FILE" for name in known}
    given = sorted(name.removeprefix(PREFIX) for name in environ if name.startswith(PREFIX))
    return [
        f"{PREFIX}{name}: was given, and is not a setting; {PREFIX}{near[0]} is one"
        for name in given
        if name not in known and (near := get_close_matches(name, known, n=1, cutoff=NEARNESS))
    ]


def _of_notifications(settings: Settings) -> Iterator[str]:
    """Where people reach the service from elsewhere, and push services are given an address on this machine."""
    is_reached = not is_loopback(urlsplit(settings.public_url).hostname)
    is_named = not is_local_address(settings.mail_from) or is_public_url(settings.public_url)
    if is_reached and not is_named:
        yield (
            f"LEADROUTES_MAIL_FROM: '{settings.mail_from}' was given, which push services get as the address of whoever"
            " runs this service, and some then refuse notifications; set an address of a domain of your own"
        )


def _of_real_texts(settings: Settings) -> Iterator[str]:
    if is_loopback(urlsplit(settings.public_url).hostname):
        yield (
            f"LEADROUTES_PUBLIC_URL: '{settings.public_url}' was given, which the provider of texts cannot reach: what"
            " becomes of a text is known an hour later; set an address that the internet reaches"
        )


def _of_real_mail(settings: Settings) -> Iterator[str]:
    public = urlsplit(settings.public_url)
    given = f"LEADROUTES_PUBLIC_URL: '{settings.public_url}' was given"
    if is_loopback(public.hostname):
        yield (
            f"{given}, which only this machine reaches: the links in mails lead nowhere on a phone;"
            " set the address under which people reach this service"
        )
    elif public.scheme == "http":
        yield (
            f"{given}: links in mails, passwords and leads cross the network unencrypted;"
            " set an address that begins with https://"
        )
    if is_local_address(settings.mail_from):
        yield (
            f"LEADROUTES_MAIL_FROM: '{settings.mail_from}' was given, which mail servers elsewhere refuse;"
            " set an address of a domain of your own"
        )
    if settings.time_scale != 1:
        yield (
            f"LEADROUTES_TIME_SCALE: {settings.time_scale:g} was given: minutes pass faster or slower than for agents;"
            " unset it"
        )
