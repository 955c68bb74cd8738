"""The official client invoiced (PyPI) against the sandbox: lists by their links, money, voids, refunds, events.

The client has a fixed address; only that is replaced. What it sends and reads is its own.
"""

import json
import sys
import time
from urllib.parse import parse_qsl, urlsplit

import invoiced

SERVICE = json.load(sys.stdin)["invoiced"]
steps = differences = 0


def client(key=SERVICE["invoiced"]["api_key"]):
    made = invoiced.Client(key)
    made.api_url = SERVICE["base_url"]
    return made


def tell(what, good, found):
    global steps, differences
    steps += 1
    differences += not good
    print(f"  ok       {what}" if good else f"  DIFFERS  {what}: found {str(found)[:600]}")


def equal(what, found, expected):
    tell(what, found == expected, f"{found}, expected {expected}")


def refused(what, call, error, status, param=None):
    try:
        tell(what, False, f"was answered with {call()}")
    except invoiced.errors.ErrorBase as found:
        body = getattr(found, "error", {}) or {}
        good = isinstance(found, error) and found.status_code == status and body.get("param") == param
        tell(what, good, f"{type(found).__name__} {found.status_code} {body}")


def whole(listable, **options):
    """Every object of a list, page by page, as the list's own links lead."""
    objects, page = [], 1
    while True:
        some, metadata = listable.list(page=page, **options)
        objects += some
        if "next" not in metadata.links:
            return objects, metadata.total_count
        following = dict(parse_qsl(urlsplit(metadata.links["next"]).query))
        page = int(following["page"])


def line(name, cost, quantity=1):
    return {"name": name, "quantity": quantity, "unit_cost": cost}


def customers(api):
    made = api.Customer.create(name="Peer & Sons", number="PEER-1", email="peer@example.com", payment_terms="NET 14", metadata={"netsuite_id": "41"})
    equal("makes a customer", (made.number, made.type, made.metadata), ("PEER-1", "company", {"netsuite_id": "41"}))
    refused("a number that is taken", lambda: api.Customer.create(name="Other", number="PEER-1"), invoiced.errors.InvalidRequestError, 400, "number")
    made.attention_to = "Accounts"
    tell("saves a change", made.save() and made.attention_to == "Accounts", made)
    found, metadata = api.Customer.list(filter={"number": "PEER-1"}, metadata={"netsuite_id": "41"})
    equal("finds it by number and metadata", ([one.id for one in found], metadata.total_count), ([made.id], 1))
    contact = made.contacts().create(name="Ann", email="ann@example.com")
    contacts, _ = made.contacts().list()
    equal("its contacts", [one.id for one in contacts], [contact.id])
    tell("deletes a contact", contact.delete(), contact)
    plain = api.Customer.create(name="Plain")
    equal("empty metadata is a list", plain.metadata, [])
    tell("deletes a customer", plain.delete(), plain)
    refused("a customer that is gone", lambda: api.Customer.retrieve(plain.id), invoiced.errors.InvalidRequestError, 404)
    return made


def invoices(api, customer):
    made = api.Invoice.create(customer=customer.id, items=[line("Work", 12.345, 3), line("Trip", 0.99)], taxes=[{"amount": 3.85}], calculate_taxes=False)
    equal("makes an invoice to the cent", (made.subtotal, made.total, made.balance, made.status), (38.03, 41.88, 41.88, "not_sent"))
    equal("its terms are the customer's", made.due_date - made.date, 14 * 86400)
    read = api.Invoice.retrieve(made.id, {"expand": "customer"})
    equal("expands its customer", read.customer["name"], "Peer & Sons")
    for number in range(7):
        api.Invoice.create(customer=customer.id, items=[line("Page", 1 + number)])
    objects, total = whole(api.Invoice, filter={"customer": customer.id}, per_page=3, sort="updated_at asc")
    equal("pages by links without a gap", (len({one.id for one in objects}), total), (8, 8))
    open_ones, _ = api.Invoice.list(filter={"customer": customer.id, "paid": False})
    equal("filters by its own spelling of false", len(open_ones), 8)
    refused("jumping ahead", lambda: api.Invoice.list(page=9, per_page=1, filter={"draft": False}), invoiced.errors.InvalidRequestError, 400, "page")
    recent, _ = api.Invoice.list(updated_after=int(time.time()) - 3600, filter={"customer": customer.id})
    equal("reads what changed since", len(recent), 8)
    draft = api.Invoice.create(customer=customer.id, draft=True, items=[line("Later", 5)])
    equal("a draft", draft.status, "draft")
    draft.draft = False
    draft.save()
    equal("is issued", draft.status, "not_sent")
    tell("sends it", len(draft.send()) == 1, draft)
    equal("is sent then", api.Invoice.retrieve(draft.id).status, "sent")
    tell("voids it", draft.void(), draft)
    equal("a void keeps its balance", (draft.status, draft.balance, draft.paid), ("voided", 5, False))
    file = api.File.create(url="https://example.com/a.pdf", name="a.pdf", size=9, type="application/pdf")
    made.save(attachments=[file.id])
    attached, _ = made.attachments()
    equal("attaches a file", [one.id for one in attached], [file.id])
    return made


def payments(api, customer, invoice):
    onto = {"type": "invoice", "invoice": invoice.id, "amount": 40}
    paid = api.Payment.create(customer=customer.id, amount=50, method="check", reference="77", applied_to=[onto])
    equal("makes a payment", (paid.amount, paid.balance, paid.source, "applied_to" in paid), (50, 10, "keyed", False))
    read = api.Payment.retrieve(paid.id, {"include": "applied_to"})
    equal("tells where it went when asked", [(one["type"], one["amount"]) for one in read.applied_to], [("invoice", 40)])
    equal("the invoice owes the rest", api.Invoice.retrieve(invoice.id).balance, 1.88)
    refused("more than is owed", lambda: api.Payment.create(amount=9, applied_to=[{**onto, "amount": 9}]), invoiced.errors.InvalidRequestError, 400, "applied_to")
    tell("deletes it", paid.delete(), paid)
    equal("which voids it", (paid.voided, api.Payment.retrieve(paid.id).voided), (True, True))
    equal("the invoice owes all", api.Invoice.retrieve(invoice.id).balance, 41.88)
    charged = api.Charge.create(customer=customer.id, method="credit_card", amount=41.88, gateway_token="tok", applied_to=[{**onto, "amount": 41.88}])
    equal("a charge answers with a payment", (type(charged).__name__, charged.charge["status"]), ("Payment", "succeeded"))
    equal("the invoice is paid", api.Invoice.retrieve(invoice.id).status, "paid")
    refund = api.Refund.create(charged.charge["id"], amount=10.01)
    equal("refunds a part", (refund.amount, refund.status), (10.01, "succeeded"))
    equal("the payment tells it", api.Payment.retrieve(charged.id).charge["amount_refunded"], 10.01)


def credits(api, customer):
    invoice = api.Invoice.create(customer=customer.id, items=[line("Work", 20)])
    note = api.CreditNote.create(customer=customer.id, items=[line("Credit", 8)])
    equal("makes a credit note", (note.status, note.balance), ("open", 8))
    apply = {"type": "credit_note", "credit_note": note.id, "document_type": "invoice", "invoice": invoice.id, "amount": 8}
    applied = api.Payment.create(customer=customer.id, applied_to=[apply])
    equal("applies it by a payment of nothing", (applied.amount, api.Invoice.retrieve(invoice.id).balance), (0, 12))
    tell("and takes it back", applied.delete(), applied)
    note = api.CreditNote.retrieve(note.id)
    tell("voids the credit note", note.void(), note)
    api.CreditBalanceAdjustment.create(customer=customer.id, amount=5)
    equal("gives credit", customer.balance()["available_credits"], 5)
    equal("a new invoice takes it", api.Invoice.create(customer=customer.id, items=[line("Work", 6)]).status, "not_sent")
    equal("it is spent", customer.balance()["available_credits"], 0)


def others(api, customer):
    item = api.Item.create(id="peer-hour", name="Hour", unit_cost=10)
    equal("items have names", api.Item.retrieve("peer-hour").id, item.id)
    rate = api.TaxRate.create(id="peer-tax", name="Tax", value=5)
    rates, _ = api.TaxRate.list()
    tell("tax rates", rate.id in [one.id for one in rates], rates)
    note = api.Note.create(customer_id=customer.id, notes="Called")
    notes, _ = customer.list_notes().list()
    equal("notes", [one.id for one in notes], [note.id])
    events, metadata = api.Event.list(related_to=f"customer,{customer.id}", per_page=5)
    stamps = [one.timestamp for one in events]
    tell("events come newest first", len(events) == 5 and stamps == sorted(stamps, reverse=True), stamps)
    tell("with whole objects", all(one.data["object"]["object"] for one in events), events)
    for kind in (api.Estimate, api.Subscription, api.Plan, api.Coupon):
        objects, metadata = kind.list()
        equal(f"lists {type(kind).__name__}", len(objects), metadata.total_count)


def main():
    api = client()
    refused("a wrong key", lambda: client("wrong").Customer.list(), invoiced.errors.AuthenticationError, 401)
    customer = customers(api)
    invoice = invoices(api, customer)
    payments(api, customer, invoice)
    credits(api, customer)
    others(api, customer)


try:
    main()
except Exception as error:  # whatever ends the walk early is a difference
    tell("invoiced walks to its end", False, repr(error))
print(f"invoiced: {steps} steps, {differences} differ")
sys.exit(differences != 0)
