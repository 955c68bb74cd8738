"""The job that every runner of the race does: each vendor of the ledger, then each of its bills, is made on the platform.

What is asked, what is sent and how a call is signed are the same for all runners, and lie here; when it is done, how much
at once, and what is remembered of it is each runner's own. The description of the job comes by the environment
(`RACE_JOB`, a file of JSON), so that a runner that was killed is started again exactly as before.
"""

import base64
import hashlib
import hmac
import http.client
import json
import os
import secrets
import threading
import time
import urllib.parse

JOB = json.load(open(os.environ["RACE_JOB"], encoding="utf-8"))

# BILL takes three calls at once, a hundred bills and twenty vendors in one of them.
AT_ONCE = 3
BILLS_A_CALL = JOB["bills_a_call"]
VENDORS_A_CALL = JOB["vendors_a_call"]
PAGE = 1000

# Where a runner keeps what must outlive a kill.
FOLDER = JOB["folder"]

LEDGER = JOB["netsuite"]
PLATFORM = JOB["bill"]

VENDORS = "SELECT v.id AS id, v.entityid AS name FROM vendor v ORDER BY v.id"
BILLS = (
    "SELECT t.id AS id, t.tranid AS number, t.entity AS vendor, TO_CHAR(t.trandate, 'YYYY-MM-DD') AS day, "
    "TO_CHAR(t.duedate, 'YYYY-MM-DD') AS due, ABS(t.foreigntotal) AS total "
    "FROM transaction t WHERE t.type = 'VendBill' AND t.voided = 'F' ORDER BY t.id"
)


def parts(items, size):
    """The items in parts of a size."""
    return [items[at : at + size] for at in range(0, len(items), size)]


# The ledger: SuiteQL, signed by a token (OAuth 1.0a, HMAC-SHA256).


def query(statement, offset):
    """A page of a query as a request: method, address, headers, body."""
    address = f"{LEDGER['base_url']}/services/rest/query/v1/suiteql"
    numbers = {"limit": str(PAGE), "offset": str(offset)}
    headers = {
        "Authorization": signed("POST", address, numbers),
        "Content-Type": "application/json",
        "Prefer": "transient",
    }
    return "POST", f"{address}?{urllib.parse.urlencode(numbers)}", headers, json.dumps({"q": statement})


def signed(method, address, numbers):
    """The header that proves who asks."""
    token = LEDGER["netsuite-tba"]
    fields = {
        "oauth_consumer_key": token["consumer_key"],
        "oauth_nonce": secrets.token_hex(16),
        "oauth_signature_method": "HMAC-SHA256",
        "oauth_timestamp": str(int(time.time())),
        "oauth_token": token["token_id"],
        "oauth_version": "1.0",
    }
    every = sorted({**fields, **numbers}.items())
    text = "&".join(f"{quote(name)}={quote(value)}" for name, value in every)
    base = "&".join([method, quote(address), quote(text)])
    key = f"{quote(token['consumer_secret'])}&{quote(token['token_secret'])}"
    digest = hmac.new(key.encode(), base.encode(), hashlib.sha256).digest()
    fields["oauth_signature"] = base64.b64encode(digest).decode()
    shown = ", ".join(f'{name}="{quote(value)}"' for name, value in fields.items())
    return f'OAuth realm="{LEDGER["account"]}", {shown}'


def quote(text):
    """Escapes as the signature wants it."""
    return urllib.parse.quote(text, safe="-._~")


# The platform: REST with a session.


def sign_in():
    """The sign-in as a request."""
    who = PLATFORM["bill"]
    body = {
        "devKey": who["dev_key"],
        "username": who["username"],
        "password": who["password"],
        "organizationId": PLATFORM["organization"],
    }
    headers = {"Content-Type": "application/json"}
    return "POST", f"{PLATFORM['base_url']}/v3/login", headers, json.dumps(body)


def creation(session, collection, bodies):
    """Records that are made as a request: one by its own call, several in bulk."""
    one = (BILLS_A_CALL if collection == "bills" else VENDORS_A_CALL) == 1
    headers = {
        "Content-Type": "application/json",
        "devKey": PLATFORM["bill"]["dev_key"],
        "sessionId": session,
    }
    address = f"{PLATFORM['base_url']}/v3/{collection}{'' if one else '/bulk'}"
    return "POST", address, headers, json.dumps(bodies[0] if one else bodies)


def vendors_there(session):
    """The platform's first hundred vendors as a request; the race has no more."""
    headers = {"devKey": PLATFORM["bill"]["dev_key"], "sessionId": session}
    return "GET", f"{PLATFORM['base_url']}/v3/vendors?max=100", headers, None


def made(answer, collection):
    """The records in the answer to a creation."""
    if isinstance(answer, list):
        return answer
    return answer.get(collection, [answer])


def vendor(row):
    """A vendor as the platform wants it."""
    address = {
        "line1": "1 Race Way",
        "city": "Springfield",
        "stateOrProvince": "IL",
        "zipOrPostalCode": "62701",
        "country": "US",
    }
    return {"name": row["name"], "accountType": "BUSINESS", "address": address}


def bill(row, vendors):
    """A bill as the platform wants it, with the mark by which a second one of it is found."""
    return {
        "vendorId": vendors[str(row["vendor"])],
        "dueDate": row["due"],
        "invoice": {"invoiceNumber": row["number"], "invoiceDate": row["day"]},
        "billLineItems": [{"amount": float(row["total"])}],
        "description": f"ns:{LEDGER['account']}:{row['id']}",
    }


class Calls:
    """Sends requests one after the other over connections that are kept; each thread has its own."""

    def __init__(self):
        self._own = threading.local()

    def send(self, request):
        """Sends a request; gives the JSON of a good answer, and raises on any other."""
        method, address, headers, body = request
        place = urllib.parse.urlsplit(address)
        path = place.path + (f"?{place.query}" if place.query else "")
        connection = self._connection(place.netloc)
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        text = answer.read()
        if answer.status >= 300:
            raise RuntimeError(f"{method} {address}: {answer.status} {text[:500]!r}")
        return json.loads(text)

    def _connection(self, place):
        kept = getattr(self._own, "connections", None)
        if kept is None:
            kept = self._own.connections = {}
        if place not in kept:
            kept[place] = http.client.HTTPConnection(place, timeout=120)
        return kept[place]

    def pages(self, statement):
        """The pages of a query, one after the other."""
        offset = 0
        while True:
            page = self.send(query(statement, offset))
            yield page["items"]
            if not page["hasMore"]:
                return
            offset += PAGE

    def sign_in(self):
        """A session of the platform."""
        return self.send(sign_in())["sessionId"]

    def create(self, session, collection, bodies):
        """Makes records; gives them as they were made."""
        return made(self.send(creation(session, collection, bodies)), collection)

    def vendors(self, session):
        """Makes each vendor of the ledger that isn't there yet, a call at a time: there are few. Gives their ids by those
        of the ledger."""
        rows = [row for page in self.pages(VENDORS) for row in page]
        there = {record["name"]: record["id"] for record in self.send(vendors_there(session))["results"]}
        ids = {str(row["id"]): there[row["name"]] for row in rows if row["name"] in there}
        rows = [row for row in rows if row["name"] not in there]
        for some in parts(rows, VENDORS_A_CALL):
            records = self.create(session, "vendors", [vendor(row) for row in some])
            ids.update((str(row["id"]), record["id"]) for row, record in zip(some, records))
        return ids
