"""The target of the Singer pair: a page of bills at a time, three threads inside of it."""

from concurrent.futures import ThreadPoolExecutor

import job
from singer_sdk import Target
from singer_sdk import typing as th
from singer_sdk.sinks import BatchSink

calls = job.Calls()


class Bills(BatchSink):
    max_size = job.PAGE

    def setup(self):
        super().setup()
        self.session = calls.sign_in()
        self.vendors = calls.vendors(self.session)
        self.threads = ThreadPoolExecutor(job.AT_ONCE)

    def process_batch(self, context):
        bodies = [job.bill(row, self.vendors) for row in context["records"]]
        sent = self.threads.map(
            lambda some: calls.create(self.session, "bills", some), job.parts(bodies, job.BILLS_A_CALL)
        )
        for _ in sent:
            pass


class Platform(Target):
    name = "target-platform"
    config_jsonschema = th.PropertiesList().to_dict()
    default_sink_class = Bills


if __name__ == "__main__":
    Platform.cli()
