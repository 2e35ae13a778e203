"""The call for a delegate beyond the record: accepting the invitation. Nothing is decided here."""

from leadroutes.api.audit import act_of_call
from leadroutes.api.call import Call, Response
from leadroutes.api.lead_calls import read_nothing
from leadroutes.api.query import selection
from leadroutes.api.reads import id_in
from leadroutes.api.resources.delegates import DELEGATES
from leadroutes.api.statements import record_sql
from leadroutes.engine.memberships import answer_delegation
from leadroutes.errors import NotFound
from leadroutes.store.audit import note_act
from leadroutes.store.postgres import Transaction


async def accept(call: Call) -> Response:
    """The invited user agrees to act for the owner; done again, it is the same. Returns the delegate."""
    keys = selection(DELEGATES, call.request.query)
    await read_nothing(call)
    delegate_id, user_id = id_in(call.ids[0]), call.caller.user_id
    sql = record_sql(DELEGATES, (), keys)

    async def show(transaction: Transaction) -> str:
        row = await transaction.fetchrow(sql, user_id, delegate_id)
        if row is None or row["record"] is None:
            raise NotFound.record(call.ids[0])
        record: str = row["record"]
        return record

    async def work(transaction: Transaction) -> str:
        await show(transaction)
        call.require_json_accepted()
        owner_id = await answer_delegation(transaction, delegate_id, user_id, is_accepted=True)
        note_act(transaction, act_of_call(call, owner_id, delegate_id))
        return await show(transaction)

    return Response(200, (await call.context.database.run(work)).encode())
