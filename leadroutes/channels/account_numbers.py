"""The numbers of the account at the provider of texts and calls, asked for once an hour at most. One per process."""

import time

from leadroutes.channels.provider import NUMBERS_FRESH_FOR, ProviderNumber, open_provider
from leadroutes.settings import Settings


class AccountNumbers:
    """What the provider last answered. There is a connection only while it is asked."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._known: tuple[ProviderNumber, ...] = ()
        self._fresh_until = 0.0

    async def load(self, *, must_have: str | None = None) -> tuple[ProviderNumber, ...] | None:
        """Returns the numbers; None without credentials. `must_have`: asked for again where this one is not known.

        Raises DeliveryError where no usable answer comes.
        """
        if time.monotonic() < self._fresh_until and self._has(must_have):
            return self._known
        provider = open_provider(self._settings)
        if provider is None:
            return None
        try:
            self._known = await provider.list_numbers()
        finally:
            await provider.close()
        self._fresh_until = time.monotonic() + NUMBERS_FRESH_FOR
        return self._known

    async def list(self) -> frozenset[str]:
        """Returns the numbers in E.164; none without credentials. Raises DeliveryError as `load` does."""
        return frozenset(each.number for each in await self.load() or ())

    def _has(self, number: str | None) -> bool:
        return number is None or any(each.number == number for each in self._known)
