"""Accounts and credentials: users, personal tokens, registered applications, intake keys.

A secret is returned once, by the function that makes it; only its hash is stored.
"""

import asyncio
import functools
import hashlib
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

import argon2
import asyncpg
from argon2.exceptions import InvalidHashError, VerificationError

from leadroutes.domain.identity import normal_email, normal_phone
from leadroutes.domain.redirect_uris import check_redirect_uris
from leadroutes.errors import Conflict, Invalid, NotFound
from leadroutes.store import statement
from leadroutes.store.postgres import Database, Transaction

SCOPES = ("read", "write")
PASSWORD_LENGTH = range(8, 256)
NAME_LENGTH = 200
EMAIL_LINK_LIFE = timedelta(days=1)
_ONE_HASH = asyncio.Semaphore(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewUser:
    """A user as entered; without a `password` the account can have tokens, but no one can sign in with it."""

    email: str
    first_name: str | None = None
    last_name: str | None = None
    username: str | None = None
    phone: str | None = None
    system_phone: str | None = None
    timezone: str = "UTC"
    password: str | None = None
    is_admin: bool = False
    is_broker: bool = False


async def add_user(transaction: Transaction, user: NewUser) -> int:
    """Add a user and return the id. Raises Invalid for an invalid field, Conflict for an e-mail that is in use."""
    email, phone, system_phone = _readable(user)
    password_hash = await asyncio.to_thread(hash_password, user.password)  # slow by design; no other task has to wait
    user_id: int | None = await transaction.fetchval(
        *statement("add_user").bind(
            first_name=user.first_name,
            last_name=user.last_name,
            username=user.username or email,
            email=email,
            phone=phone,
            system_phone=system_phone,
            timezone=user.timezone,
            timezone_offset=standard_offset(user.timezone, transaction.now),
            password_hash=password_hash,
            is_admin=user.is_admin,
            is_broker=user.is_broker,
            now=transaction.now,
        )
    )
    if user_id is None:
        raise Conflict(f"email: {email} is in use already")
    return user_id


async def get_user_id(database: Database | Transaction, email: str) -> int:
    """Return the id of the active user with this e-mail. Raises NotFound."""
    user_id: int | None = await database.fetchval(*statement("find_user_by_email").bind(email=email.strip().lower()))
    if user_id is None:
        raise NotFound(f"No user has the e-mail {email}; leadroutes user list shows all")
    return user_id


async def find_any_user_id(database: Database | Transaction, email: str) -> int:
    """Return the id of the user with this e-mail, active or not. Raises NotFound."""
    user_id: int | None = await database.fetchval(
        *statement("find_any_user_by_email").bind(email=email.strip().lower())
    )
    if user_id is None:
        raise NotFound(f"No user has the e-mail {email}; leadroutes user list shows all")
    return user_id


async def set_password(database: Database, email: str, password: str) -> None:
    """Set the password of a user, and end all credentials of the user. Raises NotFound."""
    user_id = await get_user_id(database, email)
    password_hash = hash_password(password)

    async def work(transaction: Transaction) -> None:
        await transaction.execute(*statement("set_password").bind(user_id=user_id, password_hash=password_hash))
        await revoke_credentials(transaction, user_id)

    await database.run(work)


async def set_all_passwords(database: Database, password: str) -> None:
    """Set the same password for every user, as the demonstration does."""
    await database.execute(*statement("set_all_passwords").bind(password_hash=hash_password(password)))


async def write_user(transaction: Transaction, user_id: int, columns: Mapping[str, Any]) -> None:
    """Write these columns of a user. Raises Conflict when another account has the e-mail."""
    names = ", ".join(f"{name} = ${number}" for number, name in enumerate(columns, 3))
    sql = f"UPDATE users SET modified_at = $2{', ' if names else ''}{names} WHERE id = $1"  # noqa: S608 -- our columns
    try:
        await transaction.execute(sql, user_id, transaction.now, *columns.values())
    except asyncpg.UniqueViolationError:
        raise Conflict("The e-mail is in use already") from None


async def revoke_credentials(
    transaction: Transaction, user_id: int, spared: bytes | None = None, *, is_closing: bool = False
) -> None:
    """End the credentials of a user: sessions, trusted browsers, tokens, grants, open links, a requested e-mail change.

    `spared` is the sha256 of the one token or session that stays. When an account is closed, the tokens of sub-accounts
    and the links in alerts end as well.
    """
    # The grants first: this waits for tokens that are being issued from one, and the next statement sees them.
    await transaction.execute("UPDATE grants SET revoked_at = now() WHERE user_id = $1 AND revoked_at IS NULL", user_id)
    await transaction.execute(
        *statement("revoke_credentials").bind(user_id=user_id, spared_hash=spared, ends_broker_tokens=is_closing)
    )
    if is_closing:
        await transaction.execute(*statement("end_claim_links").bind(user_id=user_id))


async def is_password_of(database: Database | Transaction, user_id: int, password: str) -> bool:
    """Return whether it is the user's password. One is checked at a time, because a hash takes much memory."""
    stored = await database.fetchval("SELECT password_hash FROM users WHERE id = $1", user_id)
    async with _ONE_HASH:
        return stored is not None and await verify_password(stored, password)


async def verify_password(password_hash: str | None, password: str) -> bool:
    """Whether it is the password of this hash; False for an account without a password, after the same time."""
    return await asyncio.to_thread(_verify, password_hash, password)


def _verify(password_hash: str | None, password: str) -> bool:
    no_ones = _no_ones_hash()  # made by the first call, whichever account that is for
    try:
        return argon2.PasswordHasher().verify(password_hash or no_ones, password) and password_hash is not None
    except (VerificationError, InvalidHashError):
        return False


@functools.cache
def _no_ones_hash() -> str:
    """What an unknown account is compared with, so that the time of an answer does not reveal who has one."""
    return argon2.PasswordHasher().hash("no one has this password")


async def list_users(database: Database) -> list[asyncpg.Record]:
    """Return id, email, first_name, last_name, timezone, is_admin, is_broker, is_active of all users."""
    return await database.fetch(*statement("list_users").bind())


def hash_password(password: str | None) -> str | None:
    """Return the Argon2id hash of a password. Raises Invalid for one that is too short or too long."""
    if password is None:
        return None
    if len(password) not in PASSWORD_LENGTH:
        raise Invalid.fields({"password": f"password: {len(password)} characters were given; expected 8 to 255"})
    return argon2.PasswordHasher().hash(password)


def standard_offset(timezone: str, now: datetime) -> int:
    """Return the whole hours from GMT in standard time, without the fraction."""
    zone = ZoneInfo(timezone)
    january, july = (now.replace(month=month, day=1, tzinfo=zone).utcoffset() for month in (1, 7))
    return int(min(january or timedelta(), july or timedelta()) / timedelta(hours=1))


def faults_of(values: Mapping[str, Any]) -> dict[str, str]:
    """Return what is wrong with fields of a user, by their names; fields that are missing or null are not checked."""
    errors = {}
    if values.get("email") is not None and normal_email(values["email"]) is None:
        errors["email"] = f"email: {values['email']!r} was given; expected an address like alice@example.com"
    for field in ("phone", "system_phone"):
        if values.get(field) and normal_phone(values[field]) is None:
            errors[field] = f"{field}: {values[field]!r} was given; expected a phone number with its area code"
    if values.get("timezone") is not None and values["timezone"] not in available_timezones():
        errors["timezone"] = f"timezone: {values['timezone']!r} was given; expected a name like America/Denver"
    password = values.get("password")
    if password is not None and len(password) not in PASSWORD_LENGTH:
        errors["password"] = f"password: {len(password)} characters were given; expected 8 to 255"
    return errors


def stored_columns(values: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """Return the columns that store these valid fields of a user."""
    columns = dict(values)
    if "email" in columns:
        columns["email"] = normal_email(columns["email"])
    for field in ("phone", "system_phone"):
        if field in columns:
            columns[field] = normal_phone(columns[field])
    if "timezone" in columns:
        columns["timezone_offset"] = standard_offset(columns["timezone"], now)
    return columns


def _readable(user: NewUser) -> tuple[str, str | None, str | None]:
    errors = faults_of({name: value for name, value in asdict(user).items() if name != "password"})
    email = normal_email(user.email)
    if errors or email is None:
        raise Invalid.fields(errors)
    return email, normal_phone(user.phone), normal_phone(user.system_phone)


# -------------------------------------------------------------------------------------------------------- tokens


async def issue_token(database: Database, email: str, scopes: Iterable[str], name: str | None = None) -> str:
    """Issue a personal access token that does not expire, and return it: 40 hex digits.

    Raises Invalid for an unknown scope or an invalid name.
    """
    asked = set(scopes)
    if not asked or not asked.issubset(SCOPES):
        raise Invalid(f"scope: {' '.join(sorted(asked))!r} was given; expected read, write, or both")
    return await issue_token_of(database, await get_user_id(database, email), sorted(asked), name)


async def issue_token_of(database: Database, user_id: int, scopes: list[str], name: str | None = None) -> str:
    """The same by the id of a user, with scopes that exist. `name` says what it is for, and may be empty or None."""
    if name := (name or "").strip():
        _must_be_a_name(name)
    token = secrets.token_hex(20)
    await database.execute(
        *statement("issue_token").bind(user_id=user_id, token_hash=hash_secret(token), scope=scopes, name=name or None)
    )
    return token


def _must_be_a_name(name: str) -> None:
    if not 0 < len(name) <= NAME_LENGTH or not name.isprintable():
        raise Invalid(f"name: {name[:NAME_LENGTH]!r} was given; expected 1 to {NAME_LENGTH} characters")


async def list_tokens(database: Database) -> list[asyncpg.Record]:
    """Return id, email, name, application, scope, created_at, last_used_at … of all tokens that have not expired."""
    return await database.fetch(*statement("list_tokens").bind())


async def revoke_token(database: Database, token: str) -> None:
    """Revoke a valid token, given by its id or by itself. Raises NotFound."""
    row = await database.fetchrow(
        *statement("revoke_token").bind(token_id=int(token) if _is_id(token) else None, token_hash=hash_secret(token))
    )
    if row is None:
        raise NotFound(f"No valid token has the id {token}; leadroutes token list shows all")


# -------------------------------------------------------------------------------------------------- applications


@dataclass(frozen=True, slots=True)
class ApplicationCredentials:
    """What an application has to know. An application that cannot protect a secret has none, and uses PKCE."""

    client_id: str
    client_secret: str | None


@dataclass(frozen=True, slots=True)
class NewApplication:
    """An application as it is registered."""

    name: str
    redirect_uris: list[str]
    has_secret: bool = True


async def add_application(database: Database, email: str | None, wanted: NewApplication) -> ApplicationCredentials:
    """Register an OAuth2 application of the user with this e-mail; without one, of the only administrator.

    Raises Invalid for an invalid name or redirect URI.
    """
    user_id = await get_user_id(database, email or await _only_administrator(database))
    return await add_application_of(database, user_id, wanted)


async def add_application_of(database: Database, user_id: int, wanted: NewApplication) -> ApplicationCredentials:
    """The same by the id of a user."""
    _must_be_a_name(wanted.name)
    redirect_uris = check_redirect_uris(wanted.redirect_uris)
    application = ApplicationCredentials(secrets.token_hex(16), secrets.token_hex(20) if wanted.has_secret else None)
    await database.execute(
        *statement("add_application").bind(
            user_id=user_id,
            name=wanted.name,
            client_id=application.client_id,
            secret_hash=application.client_secret and hash_secret(application.client_secret),
            redirect_uris=redirect_uris,
        )
    )
    return application


async def _only_administrator(database: Database) -> str:
    rows = await database.fetch(*statement("find_only_administrator").bind())
    if len(rows) != 1:
        raise Invalid("--owner: it is needed, as there is not exactly one administrator whose it could be")
    email: str = rows[0]["email"]
    return email


async def list_applications(database: Database) -> list[asyncpg.Record]:
    """Return client_id, name, email (of the owner), redirect_uris, has_secret of all applications."""
    return await database.fetch(*statement("list_applications").bind())


async def remove_application(database: Database, client_id: str) -> None:
    """Remove an application and all its tokens. Raises NotFound."""
    if await database.fetchval(*statement("remove_application").bind(client_id=client_id)) is None:
        raise NotFound(f"No application has the client id {client_id}; leadroutes app list shows all")


# --------------------------------------------------------------------------------------------------- intake keys


async def issue_intake_key(
    transaction: Transaction,
    owner_id: int,
    lead_source: str,
    contact_source: str | None,
    format_: str | None,
    sealed: bytes | None = None,
    *,
    is_private: bool | None = None,
) -> str:
    """Issue a key for /intake/{key} and return it. Sources that the owner does not have are added.

    `sealed`: the vendor's secrets. `is_private`: whether the sender alone knows the key; None: the format decides.
    """
    lead_source_id = await find_or_add_lead_source(transaction, owner_id, lead_source)
    contact_source_id = (
        await find_or_add_contact_source(transaction, owner_id, contact_source) if contact_source else None
    )
    key = new_intake_key()
    await store_intake_key(
        transaction, owner_id, key, lead_source_id, contact_source_id, format_, sealed, is_private=is_private
    )
    return key


def new_intake_key() -> str:
    """Return a new key of lower-case letters and digits, because it may be the name of a mailbox."""
    return secrets.token_hex(20)


async def store_intake_key(
    transaction: Transaction,
    owner_id: int,
    key: str,
    lead_source_id: int,
    contact_source_id: int | None,
    format_: str | None,
    sealed: bytes | None,
    *,
    is_private: bool | None = None,
) -> int:
    """Store an intake key and return its id."""
    key_id: int = await transaction.fetchval(
        *statement("issue_intake_key").bind(
            owner_id=owner_id,
            key_hash=hash_secret(key),
            lead_source_id=lead_source_id,
            contact_source_id=contact_source_id,
            format=format_,
            now=transaction.now,
            secrets=sealed,
            is_private=is_private,
        )
    )
    return key_id


async def rotate_intake_key(transaction: Transaction, owner_id: int, key_id: int, old_key_lives: timedelta) -> str:
    """Give an intake key a new secret and return it; the old one works on for `old_key_lives`. Raises NotFound."""
    key = new_intake_key()
    found = await transaction.fetchval(
        *statement("rotate_intake_key").bind(
            owner_id=owner_id, key_id=key_id, key_hash=hash_secret(key), lives=old_key_lives
        )
    )
    if found is None:
        raise NotFound.record(key_id)
    return key


async def find_key_format(database: Database, key: str) -> str | None:
    """Return the format of a valid intake key, None if formats are recognised. Raises NotFound."""
    row = await database.fetchrow(
        *statement("find_key_format").bind(key_id=int(key) if _is_id(key) else None, key_hash=hash_secret(key))
    )
    if row is None:
        raise _no_intake_key(key)
    format_: str | None = row["format"]
    return format_


async def set_intake_secrets(database: Database, key: str, sealed: bytes | None) -> None:
    """Replace the vendor's secrets of a key, given by its id or by itself. None: the address is the secret."""
    row = await database.fetchrow(
        *statement("set_intake_secrets").bind(
            key_id=int(key) if _is_id(key) else None, key_hash=hash_secret(key), secrets=sealed
        )
    )
    if row is None:
        raise _no_intake_key(key)


async def set_key_privacy(database: Database, key: str, *, is_private: bool) -> None:
    """Set whether the sender alone knows a key, given by its id or by itself. Raises NotFound."""
    row = await database.fetchrow(
        *statement("set_key_privacy").bind(
            key_id=int(key) if _is_id(key) else None, key_hash=hash_secret(key), is_private=is_private
        )
    )
    if row is None:
        raise _no_intake_key(key)


async def list_intake_keys(database: Database) -> list[asyncpg.Record]:
    """Return id, email (of the owner), lead_source, contact_source, format, is_private … of all valid keys."""
    return await database.fetch(*statement("list_intake_keys").bind())


async def revoke_intake_key(database: Database, key: str) -> None:
    """By its id or by the key itself; NotFound where there is none that is still good."""
    row = await database.fetchrow(
        *statement("revoke_intake_key").bind(
            key_id=int(key) if _is_id(key) else None, key_hash=hash_secret(key), now=database.clock.now()
        )
    )
    if row is None:
        raise _no_intake_key(key)


def _no_intake_key(key: str) -> NotFound:
    return NotFound(f"No valid intake key has the id {key}; leadroutes intake-key list shows all")


async def find_or_add_lead_source(transaction: Transaction, owner_id: int, name: str) -> int:
    """Return the id of the built-in or own lead source of this name, ignoring case; add one where there is none."""
    lead_source_id: int = await transaction.fetchval(
        *statement("find_or_add_lead_source").bind(owner_id=owner_id, name=name)
    )
    return lead_source_id


async def find_or_add_contact_source(transaction: Transaction, owner_id: int, name: str) -> int:
    """Return the id of the owner's contact source of this name, ignoring case; add one where there is none."""
    contact_source_id: int = await transaction.fetchval(
        *statement("find_or_add_contact_source").bind(owner_id=owner_id, name=name)
    )
    return contact_source_id


def hash_secret(secret: str) -> bytes:
    """Return the hash by which a token, key or application secret is stored: sha256, as they are long and random."""
    return hashlib.sha256(secret.encode()).digest()


def _is_id(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 18
