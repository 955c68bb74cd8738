"""The tap of the Singer pair: the ledger's bills, one after the other by id, from the last one that the state knows."""

import job
from singer_sdk import Stream, Tap
from singer_sdk import typing as th


class Bills(Stream):
    name = "bills"
    primary_keys = ("id",)
    replication_key = "id"
    is_sorted = True
    schema = th.PropertiesList(
        th.Property("id", th.IntegerType),
        th.Property("number", th.StringType),
        th.Property("vendor", th.StringType),
        th.Property("day", th.StringType),
        th.Property("due", th.StringType),
        th.Property("total", th.StringType),
    ).to_dict()

    def get_records(self, context):
        last = self.get_starting_replication_key_value(context) or 0
        after = f"t.voided = 'F' AND t.id > {last}"
        for page in job.Calls().pages(job.BILLS.replace("t.voided = 'F'", after)):
            for row in page:
                texts = {name: str(row[name]) for name in ("number", "vendor", "day", "due", "total")}
                yield {"id": int(row["id"]), **texts}


class Ledger(Tap):
    name = "tap-ledger"
    config_jsonschema = th.PropertiesList().to_dict()

    def discover_streams(self):
        return [Bills(self)]


if __name__ == "__main__":
    Ledger.cli()
