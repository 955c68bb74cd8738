"""DBOS on PostgreSQL: a workflow that reads, and three that write, with one step for each call. Durable step by step."""

import job
from dbos import DBOS, SetWorkflowID

# So many pages are read, and then given to the three, while the next ones are read.
TOGETHER = 3

calls = job.Calls()

DBOS(
    config={
        "name": "race",
        "system_database_url": job.JOB["postgres"],
        "log_level": "ERROR",
        "executor_id": "race",
        "application_version": "1",
    }
)


@DBOS.step()
def sign_in():
    return calls.sign_in()


@DBOS.step()
def vendors(session):
    return calls.vendors(session)


@DBOS.step()
def page(offset):
    answer = calls.send(job.query(job.BILLS, offset))
    return answer["items"], answer["hasMore"]


@DBOS.step()
def create(session, bodies):
    return [record["id"] for record in calls.create(session, "bills", bodies)]


@DBOS.workflow()
def lane(session, parts):
    for bodies in parts:
        create(session, bodies)


@DBOS.workflow()
def sync():
    session = sign_in()
    ids = vendors(session)
    offset, more, under_way = 0, True, []
    while more:
        rows = []
        for _ in range(TOGETHER):
            some, more = page(offset)
            rows += some
            offset += job.PAGE
            if not more:
                break
        for handle in under_way:
            handle.get_result()
        parts = job.parts([job.bill(row, ids) for row in rows], job.BILLS_A_CALL)
        lanes = [parts[at :: job.AT_ONCE] for at in range(job.AT_ONCE)]
        under_way = [DBOS.start_workflow(lane, session, some) for some in lanes]
    for handle in under_way:
        handle.get_result()


DBOS.launch()
with SetWorkflowID("sync"):
    # Begun once: after a kill this is the one that was killed, which goes on by itself.
    handle = DBOS.start_workflow(sync)
handle.get_result(polling_interval_sec=0.05)
DBOS.destroy()
