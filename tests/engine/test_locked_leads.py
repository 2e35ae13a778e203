"""Claims of a lead that another transaction has locked wait together, and no other claim waits for them."""

import asyncio
from collections import defaultdict

from leadroutes.engine.claims import BatchResult, ClaimRequest, LeadKey, LockedLeads
from leadroutes.errors import Conflict


class Locks:
    """Leads that are locked until they are released; the first claim of each is decided for its user."""

    def __init__(self) -> None:
        self.waiting: list[tuple[LeadKey, list[int]]] = []
        self.released: defaultdict[LeadKey, asyncio.Event] = defaultdict(asyncio.Event)

    async def decide(self, batch: list[ClaimRequest]) -> BatchResult:
        [key] = {request.key for request in batch}
        self.waiting.append((key, [request.user_id for request in batch]))
        await self.released[key].wait()
        return BatchResult([None, *(Conflict("claimed") for _ in batch[1:])], frozenset())


async def turns() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_claims_of_one_lead_wait_together_and_others_do_not_wait_for_them() -> None:
    locks = Locks()
    leads = LockedLeads(locks.decide)
    first, second, other = (leads.claim(ClaimRequest(1, *each, "None")) for each in ((7, 1), (7, 2), (8, 1)))
    await turns()
    late = [leads.claim(ClaimRequest(1, 7, user_id, "None")) for user_id in (3, 4)]
    await turns()
    assert locks.waiting == [((1, 7), [1, 2]), ((1, 8), [1])], "a lead is waited for once, by all that came before"
    locks.released[1, 8].set()
    await other
    assert not first.done()
    locks.released[1, 7].set()
    results = await asyncio.gather(first, second, *late, return_exceptions=True)
    assert [type(each) for each in results] == [type(None), Conflict, type(None), Conflict]
    assert locks.waiting[2:] == [((1, 7), [3, 4])]
