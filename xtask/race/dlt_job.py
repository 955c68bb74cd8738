"""dlt: an incremental resource, and a custom destination with three load jobs at once. Durable by load packages."""

import os

import job

FILES = {
    # Several files a page, so that three load jobs have something to do.
    "NORMALIZE__DATA_WRITER__FILE_MAX_ITEMS": "100",
    "EXTRACT__DATA_WRITER__FILE_MAX_ITEMS": str(job.PAGE),
    "LOAD__WORKERS": str(job.AT_ONCE),
    "RUNTIME__DLTHUB_TELEMETRY": "false",
    "RUNTIME__LOG_LEVEL": "ERROR",
}
os.environ.update(FILES)

import dlt  # noqa: E402 (it reads the environment)

calls = job.Calls()
session = calls.sign_in()
vendors = calls.vendors(session)


@dlt.resource(name="bills", primary_key="id", write_disposition="append")
def bills(last=dlt.sources.incremental("id", initial_value=0, row_order="asc")):
    """The bills after the last one that was read, page by page."""
    after = f"t.voided = 'F' AND t.id > {last.last_value or 0}"
    for page in calls.pages(job.BILLS.replace("t.voided = 'F'", after)):
        yield [{**row, "id": int(row["id"])} for row in page]


@dlt.destination(
    batch_size=job.BILLS_A_CALL,
    loader_file_format="typed-jsonl",
    max_parallel_load_jobs=job.AT_ONCE,
    loader_parallelism_strategy="parallel",
)
def platform(items, table):
    """Makes what a load job hands over."""
    rows = items if isinstance(items, list) else [items]
    calls.create(session, "bills", [job.bill(row, vendors) for row in rows])


pipeline = dlt.pipeline("race", destination=platform(), pipelines_dir=f"{job.FOLDER}/dlt")
# What a killed run had packed is loaded first, and nothing new is read meanwhile.
while pipeline.has_pending_data:
    pipeline.run()
pipeline.run(bills())
