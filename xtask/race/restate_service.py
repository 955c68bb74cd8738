"""The services of the Restate runner: a workflow that reads, and three virtual objects that write, with one step for each
call."""

import asyncio

import job
import restate

# So many pages are read, and then given to the three, while the next ones are read.
TOGETHER = 3

calls = job.Calls()
sync = restate.Workflow("sync")
lane = restate.VirtualObject("lane")


def page(offset):
    answer = calls.send(job.query(job.BILLS, offset))
    return [answer["items"], answer["hasMore"]]


async def create(session, bodies):
    # Three of them at once, each with a connection of its own.
    records = await asyncio.to_thread(calls.create, session, "bills", bodies)
    return [record["id"] for record in records]


@lane.handler()
async def carry(ctx: restate.ObjectContext, order: dict) -> int:
    for bodies in order["parts"]:
        await ctx.run_typed("create", create, session=order["session"], bodies=bodies)
    return len(order["parts"])


@sync.main()
async def run(ctx: restate.WorkflowContext) -> int:
    session = await ctx.run_typed("sign-in", calls.sign_in)
    vendors = await ctx.run_typed("vendors", calls.vendors, session=session)
    offset, more, under_way = 0, True, []
    while more:
        rows = []
        for _ in range(TOGETHER):
            some, more = await ctx.run_typed("page", page, offset=offset)
            rows += some
            offset += job.PAGE
            if not more:
                break
        for call in under_way:
            await call
        parts = job.parts([job.bill(row, vendors) for row in rows], job.BILLS_A_CALL)
        under_way = [
            ctx.object_call(carry, key=str(at), arg={"session": session, "parts": parts[at :: job.AT_ONCE]})
            for at in range(job.AT_ONCE)
        ]
    for call in under_way:
        await call
    return offset


app = restate.app(services=[sync, lane])
