//! What is known of each preference: what it does, its default and what it may be.

use serde_json::Value;

use super::{Entry, Preferences, Shape, pointer};

/// Every preference there is, in the order in which they are shown.
#[must_use]
pub fn catalogue() -> Vec<Entry> {
    let defaults = Preferences::default().tree();
    let row = |&(heading, key, shape, about): &(_, &'static str, Shape, _)| Entry {
        key,
        heading,
        shape,
        default: defaults
            .pointer(&pointer(key))
            .cloned()
            .unwrap_or(Value::Null),
        about,
    };
    PAYABLES.iter().chain(RECEIVABLES).map(row).collect()
}

type Row = (&'static str, &'static str, Shape, &'static str);

const PAYABLES: &[Row] = &[
    (
        "Lists",
        "lists.create_missing",
        Shape::Switch,
        "Create accounts and dimensions that the platform lacks; until then they wait for a person.",
    ),
    (
        "Transactions",
        "transactions.bills_from",
        Shape::Day,
        "Bills and credits dated before this day stay out: SKIPPED(before-cut-over).",
    ),
    (
        "Transactions",
        "transactions.partly_paid",
        Shape::Choice(&["skip", "balance"]),
        "What was partly paid before cut-over: stays out, or goes over as one line of what is left.",
    ),
    (
        "Transactions",
        "transactions.currencies",
        Shape::List,
        "Currencies that the platform's organization can pay; documents in others stay out.",
    ),
    (
        "Transactions",
        "transactions.post_payments_at",
        Shape::Choice(&["scheduled", "processed", "cleared"]),
        "When a payment of the platform is posted to the books.",
    ),
    (
        "Transactions",
        "transactions.payment_account",
        Shape::OptionalText,
        "Number or id of the ledger's clearing account; without it every funding account must be mapped.",
    ),
    (
        "Transactions",
        "transactions.outside_payments",
        Shape::Switch,
        "Record payments that were made in the ledger on the platform.",
    ),
    (
        "Transactions",
        "transactions.discounts",
        Shape::Choice(&["terms", "none"]),
        "A payment short by exactly the discount of the bill's terms, and in time: book the discount with it, or treat it as a partial payment.",
    ),
    (
        "Transactions",
        "transactions.closed_period",
        Shape::Choice(&["hold", "next-open"]),
        "A posting dated in a closed period: wait, or post it in the next open one with the true date in the memo.",
    ),
    (
        "Transactions",
        "transactions.marker",
        Shape::Choice(&["description", "none"]),
        "Where ns:<account>:<id> is kept on the platform's copy of a bill.",
    ),
    (
        "Transactions",
        "transactions.approvals",
        Shape::WordOrList("leave"),
        "Who approves on the platform: its own policies. BILL documents no way to name approvers, so that a list is refused.",
    ),
    (
        "Transactions",
        "transactions.exclude_categories",
        Shape::List,
        "Vendors of these ledger categories stay out, with their bills.",
    ),
    (
        "Transactions",
        "transactions.reversals",
        Shape::Choice(&["journal", "person"]),
        "How a payment that came back leaves the books: by a linked journal entry, or by a person.",
    ),
    (
        "Transactions",
        "transactions.attachments",
        Shape::Switch,
        "Send the files that are attached to bills in the ledger after their bill, each once; the script for files must be installed.",
    ),
    (
        "Miscellaneous",
        "miscellaneous.default_department",
        Shape::Text,
        "Department of what is written to a ledger that demands one.",
    ),
    (
        "Miscellaneous",
        "miscellaneous.default_class",
        Shape::Text,
        "Class of what is written to a ledger that demands one.",
    ),
    (
        "Miscellaneous",
        "miscellaneous.default_location",
        Shape::Text,
        "Location of what is written to a ledger that demands one.",
    ),
    (
        "Miscellaneous",
        "miscellaneous.notify",
        Shape::List,
        "E-mail addresses that are told when something waits for a person.",
    ),
];

const RECEIVABLES: &[Row] = &[
    (
        "Receivables",
        "receivables.reconcile",
        Shape::Switch,
        "Write to the ledger, on a schedule too; while off, only the platform is kept up to date.",
    ),
    (
        "Receivables",
        "receivables.first_sync",
        Shape::Choice(&["ask", "all"]),
        "What began on the platform before the first write to the ledger: show count and amount and ask, or all.",
    ),
    (
        "Receivables",
        "receivables.go_live",
        Shape::Day,
        "Invoices dated before this day stay out.",
    ),
    (
        "Receivables",
        "receivables.customers",
        Shape::Choice(&["with-invoices", "all"]),
        "Which customers go to the platform.",
    ),
    (
        "Receivables",
        "receivables.default_item",
        Shape::Text,
        "Id of the item for invoice lines of the platform whose own item isn't mapped.",
    ),
    (
        "Receivables",
        "receivables.tax_item",
        Shape::Text,
        "Id of the item that stands for taxes of the platform.",
    ),
    (
        "Receivables",
        "receivables.discount_item",
        Shape::Text,
        "Id of the item that stands for discounts of the platform.",
    ),
    (
        "Receivables",
        "receivables.fee_item",
        Shape::Text,
        "Id of the item that surcharges paid on the platform are billed as.",
    ),
    (
        "Receivables",
        "receivables.receivables_account",
        Shape::Text,
        "Receivables account of what is written to the ledger, by number or id; empty means the customer's own.",
    ),
    (
        "Receivables",
        "receivables.deposit_accounts",
        Shape::List,
        "Where customers' payments are kept: an account or undeposited, also by method and currency (ach:USD=1000).",
    ),
    (
        "Receivables",
        "receivables.bank_account",
        Shape::Text,
        "Account that payouts arrive in and refunds are paid from, by number or id.",
    ),
    (
        "Receivables",
        "receivables.fee_account",
        Shape::Text,
        "Account that the fees of payouts are booked to, by number or id.",
    ),
    (
        "Receivables",
        "receivables.clearing_account",
        Shape::Text,
        "Account that refunds, chargebacks and corrections in payouts pass through, by number or id.",
    ),
    (
        "Receivables",
        "receivables.standalone_account",
        Shape::Text,
        "Account credited by the deposit of a payment whose invoice is on the platform only, by number or id.",
    ),
    (
        "Receivables",
        "receivables.archive",
        Shape::Switch,
        "Archive on the platform what was voided or deleted in the ledger.",
    ),
    (
        "Receivables",
        "receivables.failed_payments",
        Shape::Choice(&["task", "reverse"]),
        "A payment that failed after it had succeeded: a person decides, or it is reversed at once.",
    ),
    (
        "Receivables",
        "receivables.documents",
        Shape::Switch,
        "Send invoices' PDFs to the platform.",
    ),
    (
        "Receivables",
        "receivables.mode",
        Shape::Choice(&["full", "payments-only"]),
        "How much of the pair is in use.",
    ),
    (
        "Receivables",
        "receivables.time_zone",
        Shape::Text,
        "The company's time zone, such as America/New_York; empty means the ledger's.",
    ),
];
