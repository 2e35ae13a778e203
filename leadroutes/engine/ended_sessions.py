"""Ends sessions of the web pages: one, or all of a user. Who may do it is checked before."""

from leadroutes.domain.audit_row import AuditRow
from leadroutes.errors import NotFound
from leadroutes.store import statement
from leadroutes.store.accounts import hash_secret
from leadroutes.store.audit import note_act
from leadroutes.store.postgres import Database, Transaction
from leadroutes.store.sign_ins import NO_BROWSER, SignInKind, Whereabouts, log_sign_in


async def end_session(
    transaction: Transaction, session_id: int, user_id: int, by_user_id: int | None, origin: Whereabouts = NO_BROWSER
) -> None:
    """Ends a session of a user. Raises NotFound."""
    if await transaction.fetchval(*statement("end_session").bind(session_id=session_id, user_id=user_id)) is None:
        raise NotFound.record(session_id)
    await log_sign_in(transaction, user_id, SignInKind.SESSION_ENDED, origin, by_user_id=by_user_id)


async def end_sessions(
    database: Database,
    user_id: int,
    by_user_id: int | None,
    *,
    spared: str | None = None,
    origin: Whereabouts = NO_BROWSER,
    act: AuditRow | None = None,
) -> int:
    """Ends all sessions of a user, but for the one of the token `spared`, and returns how many there were."""

    async def work(transaction: Transaction) -> int:
        ended: int = await transaction.fetchval(
            *statement("end_sessions").bind(user_id=user_id, spared_hash=hash_secret(spared) if spared else None)
        )
        if ended:
            await log_sign_in(transaction, user_id, SignInKind.SESSION_ENDED, origin, by_user_id=by_user_id)
            note_act(transaction, act)
        return ended

    return await database.run(work)
