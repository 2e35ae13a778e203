"""What the settings say about when the messages of campaigns leave, as the domain takes it."""

from leadroutes.domain.windows import SendingRules
from leadroutes.settings import Settings


def sending_rules(settings: Settings) -> SendingRules:
    """Returns the rules; whether texts can leave at all, whoever opens the channels knows."""
    return SendingRules(
        is_strict=settings.quiet_hours == "strict",
        texts_per_day=settings.texts_per_contact_per_day,
        mails_per_hour=settings.mails_per_hour,
        warm_up_days=settings.warm_up_days,
    )
