"""The channel push as messages use it: a notification goes to all browsers of its user.

Browsers that their push services do not know any more are forgotten.
"""

import asyncio
from dataclasses import replace

from leadroutes.channels.envelope import DeliveryError, Envelope, NoLongerWanted, StillWanted, always_wanted
from leadroutes.channels.push import PushChannel
from leadroutes.engine.push_keys import load_push_keys
from leadroutes.errors import Misconfigured, Unavailable
from leadroutes.security.vault import Vault
from leadroutes.settings import Settings
from leadroutes.store.notifications import PushSubscription, list_push_subscriptions, remove_push_subscription
from leadroutes.store.postgres import Database

NO_BROWSER = "no browser of the user shows notifications any more"
KEYS_FOR = 60.0  # seconds for which the keys count as current


class Browsers:
    """A channel over all browsers of a user. The message was sent if one of them has it."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self._database = database
        self._settings = settings
        self._channel: PushChannel | None = None
        self._public_key = ""
        self._looked_at = -KEYS_FOR

    async def send(self, envelope: Envelope, is_still_wanted: StillWanted = always_wanted) -> None:
        """Raises DeliveryError where no browser has it, and NoLongerWanted where there is none."""
        assert envelope.user_id is not None
        try:
            browsers = await list_push_subscriptions(self._database, envelope.user_id)
            channel = await self._current_channel() if browsers else None
        except Unavailable as error:
            raise DeliveryError(error.message) from error
        except Misconfigured as error:
            raise DeliveryError(error.message, blame="channel") from error
        if channel is None:
            raise NoLongerWanted(NO_BROWSER)
        if reason := await is_still_wanted():
            raise NoLongerWanted(reason)
        outcomes = await asyncio.gather(*(self._show(channel, envelope, each) for each in browsers))
        errors = [error for error in outcomes if error is not None]
        if len(errors) < len(outcomes):
            return
        living = [error for error in errors if not error.is_dead_address]
        if not living:
            raise NoLongerWanted(NO_BROWSER)
        raise next((error for error in living if not error.is_permanent), living[0])

    async def close(self) -> None:
        if self._channel is not None:
            await self._channel.close()

    async def _current_channel(self) -> PushChannel:
        """Another process may have replaced the keys."""
        now = asyncio.get_running_loop().time()
        if self._channel is None or now - self._looked_at >= KEYS_FOR:
            keys = await load_push_keys(self._database, Vault.of(self._settings))
            self._looked_at = now
            if self._channel is None or keys.public_key != self._public_key:
                self._channel, self._public_key = PushChannel(keys, self._settings), keys.public_key
        return self._channel

    async def _show(self, channel: PushChannel, envelope: Envelope, browser: PushSubscription) -> DeliveryError | None:
        """Returns why this browser does not have it, or None."""
        assert envelope.notification is not None
        notification = replace(envelope.notification, keys=(browser.p256dh, browser.auth))
        try:
            await channel.send(replace(envelope, address=browser.endpoint, notification=notification))
        except DeliveryError as error:
            if error.is_dead_address:
                await self._forget(browser)
            return error
        return None

    async def _forget(self, browser: PushSubscription) -> None:
        try:
            await remove_push_subscription(self._database, browser)
        except Unavailable:
            return  # the next notification finds it again
