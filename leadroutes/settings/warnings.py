"""What is possible in settings but hardly meant: sentences for the log, for the doctor and for administrators.

Nothing is refused for it.
"""

from collections.abc import Iterator
from urllib.parse import urlsplit

from leadroutes.domain.mail_addresses import named_address
from leadroutes.settings import Settings
from leadroutes.settings.values import is_loopback


def warnings_of(settings: Settings) -> list[str]:
    """Returns a sentence for each, with the setting's name and the mend; none where mails go to this machine alone."""
    is_real = settings.smtp_url is not None and not is_loopback(urlsplit(settings.smtp_url).hostname)
    return list(_of_real_mail(settings)) if is_real else []


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
    domain = named_address(settings.mail_from)[1].rpartition("@")[2]
    if is_loopback(domain.strip("[]").removeprefix("IPv6:")):
        yield (
            f"LEADROUTES_MAIL_FROM: '{settings.mail_from}' was given, which mail servers elsewhere refuse;"
            " set an address of a domain of your own"
        )
    if settings.time_scale != 1:
        yield (
            f"LEADROUTES_TIME_SCALE: {settings.time_scale:g} was given: minutes pass faster or slower than for agents;"
            " unset it"
        )
