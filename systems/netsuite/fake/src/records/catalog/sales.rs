//! The fields of what is sold and received.

use super::{Field, Sublist, kept, read, ro, rw, to};

pub(super) const CUSTOMER: &[Field] = &[
    rw("accountNumber", "accountnumber"),
    rw("receivablesAccount", "receivablesaccount"),
    to("parent", "parent", "customer"),
    ro("balance", "balancesearch"),
    ro("overdueBalance", "overduebalancesearch"),
    kept("creditLimit"),
    kept("emailPreference"),
    kept("comments"),
];

pub(super) const INVOICE: &[Field] = &[
    rw("entity", "entity"),
    rw("account", "account"),
    rw("dueDate", "duedate"),
    rw("terms", "terms"),
    rw("otherRefNum", "otherrefnum"),
    ro("total", "foreigntotal"),
    ro("amountPaid", "foreignamountpaid"),
    ro("amountRemaining", "foreignamountunpaid"),
    rw("approvalStatus", "approvalstatus"),
    kept("email"),
    kept("toBeEmailed"),
    kept("department"),
    kept("class"),
    kept("location"),
];

pub(super) const CREDIT_MEMO: &[Field] = &[
    rw("entity", "entity"),
    rw("account", "account"),
    rw("otherRefNum", "otherrefnum"),
    ro("total", "foreigntotal"),
    ro("applied", "foreignpaymentamountused"),
    ro("unapplied", "foreignpaymentamountunused"),
    kept("autoApply"),
    kept("email"),
    kept("toBeEmailed"),
    kept("department"),
    kept("class"),
    kept("location"),
];

pub(super) const CUSTOMER_PAYMENT: &[Field] = &[
    to("customer", "entity", "customer"),
    rw("account", "account"),
    read("arAcct"),
    ro("total", "foreigntotal"),
    ro("applied", "foreignpaymentamountused"),
    ro("unapplied", "foreignpaymentamountunused"),
    read("payment"),
    read("undepFunds"),
    kept("autoApply"),
    rw("checkNumber", "otherrefnum"),
    kept("handlingMode"),
    kept("paymentOption"),
    kept("paymentMethod"),
    read("department"),
    read("class"),
    read("location"),
];

pub(super) const CUSTOMER_REFUND: &[Field] = &[
    to("customer", "entity", "customer"),
    rw("account", "account"),
    read("arAcct"),
    ro("total", "foreigntotal"),
    kept("checkNumber"),
    kept("paymentOption"),
    kept("paymentMethod"),
    kept("toBePrinted"),
    read("department"),
    read("class"),
    read("location"),
];

pub(super) const DEPOSIT_APPLICATION: &[Field] = &[
    to("customer", "entity", "customer"),
    read("arAcct"),
    ro("total", "foreigntotal"),
    ro("applied", "foreignpaymentamountused"),
    ro("unapplied", "foreignpaymentamountunused"),
    read("department"),
    read("class"),
    read("location"),
];

pub(super) const DEPOSIT: &[Field] = &[
    rw("account", "account"),
    ro("total", "foreigntotal"),
    kept("department"),
    kept("class"),
    kept("location"),
];

pub(super) const DEPOSITED: Sublist = Sublist {
    name: "payment",
    fields: &["id", "deposit"],
};

pub(super) const DEPOSIT_LINE: &[&str] = &[
    "line",
    "account",
    "amount",
    "entity",
    "memo",
    "department",
    "class",
    "location",
];

pub(super) const OTHER: Sublist = Sublist {
    name: "other",
    fields: DEPOSIT_LINE,
};

pub(super) const CASH_BACK: Sublist = Sublist {
    name: "cashback",
    fields: DEPOSIT_LINE,
};

pub(super) const SALE_ITEM: &[Field] = &[
    rw("itemId", "itemid"),
    rw("displayName", "displayname"),
    ro("fullName", "fullname"),
    rw("incomeAccount", "incomeaccount"),
    rw("salesDescription", "description"),
    rw("subsidiary", "subsidiary"),
    ro("createdDate", "createddate"),
];

/// A discount's account is its own, and its rate a part of what stands above it, or an amount.
pub(super) const DISCOUNT_ITEM: &[Field] = &[
    rw("itemId", "itemid"),
    rw("displayName", "displayname"),
    ro("fullName", "fullname"),
    rw("account", "incomeaccount"),
    rw("description", "description"),
    rw("subsidiary", "subsidiary"),
    ro("createdDate", "createddate"),
];
