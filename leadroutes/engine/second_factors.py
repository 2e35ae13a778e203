"""Second factors at sign-in: codes of an authenticator app, recovery codes, and browsers that are trusted for a while.

Who may add and remove one, and how often codes are guessed, is checked before.
"""

import base64
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

import asyncpg

from leadroutes.domain.audit_row import AuditRow
from leadroutes.domain.totp import matching_step, new_secret, otpauth_uri
from leadroutes.errors import Conflict, Invalid, NotFound
from leadroutes.security.vault import Vault
from leadroutes.store import statement
from leadroutes.store.accounts import hash_secret
from leadroutes.store.audit import note_act
from leadroutes.store.postgres import Database, Transaction
from leadroutes.store.sign_ins import Method, SignInKind, Whereabouts, log_sign_in

ISSUER = "Lead Routes"
WRONG_CODE = "code: another one was given; expected the six digits that the app shows now"
RECOVERY_CODES = 10
RECOVERY_BYTES = 10  # 16 characters of base32
TRUST_LIFE = timedelta(days=30)
PENDING_LIFE = timedelta(minutes=10)  # from the password to the second step


@dataclass(frozen=True, slots=True)
class Enrolment:
    """A secret that an app is to learn, alone and as the address in a QR code."""

    secret: str
    uri: str


@dataclass(frozen=True, slots=True)
class FactorState:
    """Whether a user has a second factor in force, since when, and how many recovery codes are left."""

    confirmed_at: datetime | None = None
    codes_left: int = 0

    @property
    def is_on(self) -> bool:
        return self.confirmed_at is not None


class SecondFactors:
    """One per process; `vault` encrypts the secrets."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database = database
        self._vault = vault

    # -- having one

    async def state(self, user_id: int) -> FactorState:
        row = await self._find(user_id)
        return FactorState(row["confirmed_at"], row["codes_left"]) if row is not None else FactorState()

    async def begin(self, user_id: int) -> Enrolment:
        """Makes a secret in place of one that was not confirmed. Raises Conflict for a user who has a second factor."""
        secret = new_secret()
        sealed = self._vault.seal({"totp": secret})
        email = await self._database.fetchval(*statement("begin_second_factor").bind(user_id=user_id, secret=sealed))
        if email is None:
            raise Conflict("There is a second factor already; remove it first")
        return Enrolment(secret, otpauth_uri(secret, ISSUER, email))

    async def find_enrolment(self, user_id: int) -> Enrolment | None:
        """Returns the secret that waits for its first code, or None."""
        row = await self._find(user_id)
        secret = self._secret_of(row) if row is not None and row["confirmed_at"] is None else None
        return Enrolment(secret, otpauth_uri(secret, ISSUER, row["email"])) if row and secret else None

    async def confirm(self, user_id: int, code: str, origin: Whereabouts) -> list[str]:
        """Puts the second factor into force and returns its recovery codes, which are shown once.

        Raises Invalid for a wrong code, NotFound where nothing was begun, Conflict where it is in force.
        """
        row = await self._find(user_id)
        if row is None:
            raise NotFound("No second factor waits for its first code; begin again")
        if row["confirmed_at"] is not None:
            raise Conflict("The second factor is in force already")
        step = matching_step(self._secret_of(row) or "", code, await self._database.real_now())
        if step is None:
            raise Invalid.fields({"code": WRONG_CODE})
        codes = [_new_recovery_code() for _ in range(RECOVERY_CODES)]

        async def work(transaction: Transaction) -> None:
            confirmed = statement("confirm_second_factor").bind(user_id=user_id, step=step, secret=row["secret"])
            if await transaction.fetchval(*confirmed) is None:
                raise Conflict("The second factor was begun again, or is in force already")
            hashes = [_recovery_hash(each) for each in codes]
            await transaction.execute(*statement("set_recovery_codes").bind(user_id=user_id, code_hashes=hashes))
            await log_sign_in(transaction, user_id, SignInKind.FACTOR_ADDED, origin)

        await self._database.run(work)
        return codes

    async def renew_codes(self, user_id: int) -> list[str]:
        """Replaces the recovery codes, and returns the new ones, which are shown once.

        Raises NotFound where no second factor is in force.
        """
        codes = [_new_recovery_code() for _ in range(RECOVERY_CODES)]
        hashes = [_recovery_hash(each) for each in codes]

        async def work(transaction: Transaction) -> None:
            renewed = statement("lock_second_factor").bind(user_id=user_id)
            if await transaction.fetchval(*renewed) is None:
                raise NotFound("There is no second factor in force")
            await transaction.execute(*statement("set_recovery_codes").bind(user_id=user_id, code_hashes=hashes))

        await self._database.run(work)
        return codes

    async def _find(self, user_id: int) -> asyncpg.Record | None:
        return await self._database.fetchrow(*statement("find_second_factor").bind(user_id=user_id))

    def _secret_of(self, row: asyncpg.Record) -> str | None:
        """None where it was encrypted with another installation's key."""
        return (self._vault.unseal(row["secret"]) or {}).get("totp")

    # -- using it

    async def check(self, user_id: int, code: str) -> Method | None:
        """Uses up a code of the app or a recovery code; None for a wrong one, and for one that was used before."""
        row = await self._find(user_id)
        if row is None or row["confirmed_at"] is None:
            return None
        secret = self._secret_of(row)
        step = matching_step(secret, code, await self._database.real_now()) if secret else None
        if step is not None:
            used = await self._database.fetchval(*statement("use_code").bind(user_id=user_id, step=step))
            return Method.CODE if used is not None else None
        used = await self._database.fetchval(
            *statement("use_recovery_code").bind(user_id=user_id, code_hash=_recovery_hash(code))
        )
        return Method.RECOVERY_CODE if used is not None else None


async def remove_second_factor(
    database: Database,
    user_id: int,
    origin: Whereabouts,
    by_user_id: int | None = None,
    act: AuditRow | None = None,
) -> None:
    """Removes a second factor with recovery codes and trusted browsers. Raises NotFound where there is none."""

    async def work(transaction: Transaction) -> None:
        if await transaction.fetchval(*statement("remove_second_factor").bind(user_id=user_id)) is None:
            raise NotFound("There is no second factor")
        await log_sign_in(transaction, user_id, SignInKind.FACTOR_REMOVED, origin, by_user_id=by_user_id)
        note_act(transaction, act)

    await database.run(work)


def _new_recovery_code() -> str:
    text = base64.b32encode(secrets.token_bytes(RECOVERY_BYTES)).decode("ascii").lower()
    return "-".join(text[start : start + 4] for start in range(0, len(text), 4))


def _recovery_hash(code: str) -> bytes:
    return hash_secret("".join(code.lower().replace("-", "").split()))


# ----------------------------------------------------------------------------------------- sign-ins that are half done


@dataclass(frozen=True, slots=True)
class PendingUser:
    """A user whose password was right and who has a second step to go: a code, or else to add a second factor."""

    id: int
    email: str
    name: str
    has_factor: bool


async def is_step_missing(
    database: Database, user_id: int, trusted: str | None, *, administrators_need_one: bool
) -> tuple[bool, bool]:
    """Returns whether a second step is missing after a password, and whether a trusted browser replaces it."""
    row = await database.fetchrow(
        *statement("find_missing_step").bind(user_id=user_id, trusted_hash=hash_secret(trusted) if trusted else None)
    )
    assert row is not None
    if row["has_factor"]:
        return not row["is_trusted"], row["is_trusted"]
    return administrators_need_one and row["is_admin"], False


async def add_pending(database: Database, user_id: int) -> str:
    """Returns the token of a sign-in that waits for its second step."""
    token = secrets.token_urlsafe(32)
    await database.execute(
        *statement("add_pending_sign_in").bind(token_hash=hash_secret(token), user_id=user_id, lifetime=PENDING_LIFE)
    )
    return token


async def find_pending(database: Database, token: str) -> PendingUser | None:
    row = await database.fetchrow(*statement("find_pending_sign_in").bind(token_hash=hash_secret(token)))
    return PendingUser(**row) if row is not None else None


async def take_pending(database: Database, token: str) -> bool:
    """Returns whether the sign-in still waited; it does no more."""
    taken = await database.fetchval(*statement("take_pending_sign_in").bind(token_hash=hash_secret(token)))
    return taken is not None


# ------------------------------------------------------------------------------------------------- trusted browsers


async def trust_browser(database: Database, user_id: int, origin: Whereabouts) -> str:
    """Returns the token by which a browser is recognised for thirty days."""
    token = secrets.token_urlsafe(32)

    async def work(transaction: Transaction) -> None:
        await transaction.execute(
            *statement("trust_browser").bind(
                user_id=user_id,
                token_hash=hash_secret(token),
                lifetime=TRUST_LIFE,
                browser=origin.browser,
                network=origin.network,
            )
        )
        await log_sign_in(transaction, user_id, SignInKind.BROWSER_TRUSTED, origin)

    await database.run(work)
    return token


async def list_trusted_browsers(database: Database, user_id: int) -> list[asyncpg.Record]:
    """Returns id, browser, network, created_at, expires_at of each."""
    return await database.fetch(*statement("list_trusted_browsers").bind(user_id=user_id))
