"""The client netsuite (PyPI) against the sandbox: OAuth 1.0a, SuiteQL, records, the metadata catalog.

The client composes its hosts from the account and has no setting for them. Only its connections are led
to the sandbox: what it signs and sends are the real addresses.
"""

import asyncio
import datetime
import json
import sys
from urllib.parse import urlsplit

import httpx
from netsuite import Config, NetSuite, TokenAuth
from netsuite.exceptions import NetsuiteAPIRequestError

SERVICE = json.load(sys.stdin)["netsuite"]
BASE = urlsplit(SERVICE["base_url"])
TODAY = datetime.date.today().isoformat()
steps = differences = 0


class Leading(httpx.AsyncBaseTransport):
    """Connects to the sandbox whatever host a request names; the request keeps that name."""

    def __init__(self):
        self.wire = httpx.AsyncHTTPTransport()

    async def handle_async_request(self, request):
        assert request.url.host.endswith(".api.netsuite.com"), request.url
        request.url = request.url.copy_with(scheme=BASE.scheme, host=BASE.hostname, port=BASE.port)
        return await self.wire.handle_async_request(request)

    async def aclose(self):
        await self.wire.aclose()


class LedClient(httpx.AsyncClient):
    def __init__(self, **options):
        super().__init__(transport=Leading(), **options)


httpx.AsyncClient = LedClient


def client(**changes):
    token = {**SERVICE["netsuite-tba"], **changes}
    account = token.pop("account", SERVICE["account"])
    return NetSuite(Config(account=account, auth=TokenAuth(**token))).rest_api


def tell(what, good, found):
    global steps, differences
    steps += 1
    differences += not good
    print(f"  ok       {what}" if good else f"  DIFFERS  {what}: found {str(found)[:600]}")


def equal(what, found, expected):
    tell(what, found == expected, f"{found}, expected {expected}")


async def refused(what, call, status, code, text=""):
    try:
        tell(what, False, f"was answered with {await call}")
    except NetsuiteAPIRequestError as error:
        body = json.loads(error.response_text)
        detail = body["o:errorDetails"][0]
        shape = body["status"] == status and body["title"] and body["type"].startswith("https://")
        good = error.status_code == status and detail["o:errorCode"] == code and text in detail["detail"]
        tell(what, shape and good, f"{error.status_code} {body}")


async def queries(netsuite):
    page = await netsuite.suiteql("SELECT id, entityid FROM vendor ORDER BY id", limit=7)
    equal("a page of seven", (page["count"], page["hasMore"], page["offset"]), (7, True, 0))
    ids, offset, more = set(), 0, True
    while more:
        page = await netsuite.suiteql("SELECT id FROM vendor ORDER BY id", limit=7, offset=offset)
        ids |= {row["id"] for row in page["items"]}
        more, offset = page["hasMore"], offset + 7
    equal("paging by offset finds every vendor once", len(ids), page["totalResults"])
    last = next(link["href"] for link in page["links"] if link["rel"] == "last")
    wrong = (-(-page["totalResults"] // 7) - 1) // 7 * 7
    tell("the last link is as wrong as the service's", last.endswith(f"offset={wrong}"), last)
    rows = await netsuite.suiteql(
        "SELECT t.id, SUM(l.foreignamount) AS total FROM transaction t JOIN transactionline l"
        " ON l.transaction = t.id WHERE t.type = 'VendBill' AND l.mainline = 'F' GROUP BY t.id"
        " ORDER BY t.id",
        limit=10,
    )
    tell("sums are text", all(isinstance(row["total"], str) for row in rows["items"]), rows["items"][0])
    open_bills = await netsuite.suiteql(
        "SELECT id, trandate FROM transaction WHERE type = 'VendBill' AND status = ? ORDER BY id",
        limit=1,
        json={"params": ["A"]},
    )
    day = open_bills["items"][0]["trandate"]
    tell("a bare date is in the account's format", day.count("/") == 2, day)
    nulls = await netsuite.suiteql("SELECT id, NULL AS nothing FROM vendor", limit=1)
    equal("what is null is left out", sorted(nulls["items"][0]), ["id", "links"])
    await refused("LIMIT", netsuite.suiteql("SELECT id FROM vendor LIMIT 1"), 400, "INVALID_PARAMETER", "Invalid search query")
    await refused("no such column", netsuite.suiteql("SELECT nosuch FROM vendor"), 400, "INVALID_PARAMETER", "Unknown identifier 'nosuch'. Available identifiers are:")
    await refused("a page of 1,001", netsuite.suiteql("SELECT id FROM vendor", limit=1001), 400, "INVALID_PARAMETER")
    await refused("an offset between pages", netsuite.suiteql("SELECT id FROM vendor", limit=10, offset=15), 400, "INVALID_PARAMETER")
    await refused("a row beyond the reach", netsuite.suiteql("SELECT id FROM vendor", limit=1000, offset=100_000), 400, "INVALID_PARAMETER")
    return open_bills["items"][0]["id"]


async def records(netsuite, known):
    listed = await netsuite.get("/record/v1/vendorBill", params={"limit": 4, "offset": 4})
    equal("a list of records", (listed["count"], sorted(listed["items"][0])), (4, ["id", "links"]))
    bill = await netsuite.get(f"/record/v1/vendorBill/{known}", params={"expandSubResources": "true"})
    line = bill["expense"]["items"][0]
    tell("references have an id and a name", {"id", "refName"} <= set(bill["entity"]), bill["entity"])
    draft = {
        "entity": {"id": bill["entity"]["id"]},
        "subsidiary": {"id": bill["subsidiary"]["id"]},
        "tranId": "FOREIGN-PY",
        "tranDate": TODAY,
        "expense": {"items": [{"account": {"id": line["account"]["id"]}, "amount": 41.07}]},
    }
    made = await netsuite.request("POST", "/record/v1/vendorBill", json=draft)
    equal("makes a bill", (made.status_code, made.text), (204, ""))
    path = "/record/v1/vendorBill/" + made.headers["location"].rsplit("/", 1)[1]
    tell("its place names the service's host", urlsplit(made.headers["location"]).path == path.replace("/record", "/services/rest/record"), made.headers["location"])
    equal("changes it", await netsuite.patch(path, json={"memo": "foreign", "otherRefNum": "1"}), None)
    read = await netsuite.get(path)
    equal("reads it", (read["memo"], read["total"], read.get("otherRefNum")), ("foreign", 41.07, "1"))
    await netsuite.patch(path, json={"otherRefNum": None})
    equal("clears a field", (await netsuite.get(path)).get("otherRefNum"), None)
    fields = await netsuite.get(path, params={"fields": "tranId,memo"})
    equal("reads two fields of it", sorted(fields.keys() - {"id", "links"}), ["memo", "tranId"])
    for _ in range(2):
        await netsuite.put("/record/v1/vendorBill/eid:foreign-py", json={**draft, "tranId": "FOREIGN-PY2"})
    counted = await netsuite.suiteql("SELECT COUNT(*) AS n FROM transaction WHERE externalid = 'foreign-py'")
    equal("two puts make one bill", counted["items"][0]["n"], "1")
    await refused("a misspelt field (this client asks to be told)", netsuite.patch(path, json={"meemo": "x"}), 400, "NONEXISTENT_FIELD", "meemo")
    await refused("a bill of nobody", netsuite.post("/record/v1/vendorBill", json={**draft, "entity": None}), 400, "USER_ERROR")
    await refused("a vendor that isn't one", netsuite.post("/record/v1/vendorBill", json={**draft, "entity": {"id": "99999999"}}), 400, "INVALID_CONTENT", "Invalid entity reference key 99999999")
    bank = await netsuite.suiteql(
        "SELECT a.id FROM account a JOIN accountsubsidiarymap m ON m.account = a.id"
        f" WHERE a.accttype = 'Bank' AND m.subsidiary = {bill['subsidiary']['id']} ORDER BY a.id"
    )
    payment = {"account": {"id": bank["items"][0]["id"]}}
    equal("makes a payment of it by transformation", await netsuite.post(f"{path}/!transform/vendorPayment", json=payment), None)
    paid = await netsuite.suiteql(f"SELECT status, foreignamountunpaid FROM transaction WHERE id = {read['id']}")
    equal("it is paid", (paid["items"][0]["status"], float(paid["items"][0]["foreignamountunpaid"])), ("B", 0.0))
    await refused("deleting a paid bill", netsuite.delete(path), 400, "USER_ERROR")
    await refused("a bill that never was", netsuite.get("/record/v1/vendorBill/99999999"), 400, "USER_ERROR", "Transaction type specified is incorrect")
    await refused("a vendor that never was", netsuite.get("/record/v1/vendor/99999999"), 404, "NONEXISTENT_ID")
    await refused("a record type that isn't there", netsuite.get("/record/v1/file"), 404, "NONEXISTENT_ID", "Record type 'file' does not exist.")


async def catalog(netsuite):
    schema = await netsuite.jsonschema("vendorbill")
    tell("a record is described by a schema", "tranId" in schema["properties"], list(schema)[:9])
    described = await netsuite.openapi(["vendorBill"])
    tell("the API is described", described["openapi"].startswith("3.") and "/vendorBill" in described["paths"], list(described)[:9])


async def main():
    netsuite = client()
    who = await netsuite.token_info()
    equal("the token tells its company", who["companyId"], SERVICE["account"])
    await refused("a wrong secret", client(token_secret="wrong").suiteql("SELECT 1 FROM DUAL"), 401, "INVALID_LOGIN", "Login Audit Trail")
    await refused("another account", client(account="7654321").suiteql("SELECT 1 FROM DUAL"), 401, "INVALID_LOGIN")
    known = await queries(netsuite)
    await records(netsuite, known)
    await catalog(netsuite)
    together = await asyncio.gather(*(netsuite.suiteql("SELECT id FROM vendor", limit=1) for _ in range(4)))
    equal("four calls at once", [page["count"] for page in together], [1] * 4)


try:
    asyncio.run(main())
except Exception as error:  # whatever ends the walk early is a difference
    tell("netsuite walks to its end", False, repr(error))
print(f"netsuite: {steps} steps, {differences} differ")
sys.exit(differences != 0)
