"""The reference: asyncio with three workers, and nothing that would survive a kill. What the job takes at least in Python."""

import asyncio
import json

import aiohttp

import job


async def send(http, request):
    method, address, headers, body = request
    async with http.request(method, address, headers=headers, data=body) as answer:
        text = await answer.read()
        if answer.status >= 300:
            raise RuntimeError(f"{method} {address}: {answer.status} {text[:500]!r}")
        return json.loads(text)


async def pages(http, statement):
    offset = 0
    while True:
        page = await send(http, job.query(statement, offset))
        yield page["items"]
        if not page["hasMore"]:
            return
        offset += job.PAGE


async def workers(http, session, collection, queue, done):
    """Makes what comes through the queue, three calls at a time."""

    async def worker():
        while (some := await queue.get()) is not None:
            answer = await send(http, job.creation(session, collection, [body for _, body in some]))
            done([row for row, _ in some], job.made(answer, collection))
        await queue.put(None)

    await asyncio.gather(*(worker() for _ in range(job.AT_ONCE)))


async def carry(http, session, collection, statement, size, shaped, done):
    """Reads a list page by page while what was read is being made."""
    queue = asyncio.Queue(maxsize=2 * job.PAGE)

    async def read():
        async for page in pages(http, statement):
            for some in job.parts(page, size):
                await queue.put([(row, shaped(row)) for row in some])
        await queue.put(None)

    await asyncio.gather(read(), workers(http, session, collection, queue, done))


async def main():
    ids = {}
    connector = aiohttp.TCPConnector(limit=10)
    async with aiohttp.ClientSession(connector=connector) as http:
        session = (await send(http, job.sign_in()))["sessionId"]

        def known(rows, records):
            ids.update((str(row["id"]), record["id"]) for row, record in zip(rows, records))

        await carry(http, session, "vendors", job.VENDORS, job.VENDORS_A_CALL, job.vendor, known)
        await carry(
            http, session, "bills", job.BILLS, job.BILLS_A_CALL, lambda row: job.bill(row, ids), lambda *_: None
        )


asyncio.run(main())
