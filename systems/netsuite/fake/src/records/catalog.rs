//! The record types of the REST service: their fields, their sublists, and the permission each needs.

mod sales;

use crate::ledger::{BillKind, EntityKind, PaymentKind};
use crate::schema::{self, Column};
use sales::{
    CASH_BACK, CREDIT_MEMO, CUSTOMER, CUSTOMER_PAYMENT, CUSTOMER_REFUND, DEPOSIT,
    DEPOSIT_APPLICATION, DEPOSITED, DISCOUNT_ITEM, INVOICE, OTHER, SALE_ITEM,
};

/// Which of the ledger's writes a record type goes through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Family {
    /// Bills, credits, invoices.
    Bill(BillKind),
    /// Payments and refunds.
    Payment(PaymentKind),
    /// Deposits.
    Deposit,
    /// Journal entries.
    Journal,
    /// Vendors and customers.
    Entity(EntityKind),
    /// A list that is a table and no more.
    List,
}

/// A header field.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Field {
    /// Its name: camelCase, and case counts.
    pub(crate) name: &'static str,
    /// The column it shows; none for what is only kept.
    pub(crate) column: Option<&'static str>,
    /// May be written.
    pub(crate) writable: bool,
    /// Refers to a row of this table although the schema doesn't say so.
    pub(crate) refers: Option<&'static str>,
    /// Has no column: it is kept with the record, and shown as it was sent.
    pub(crate) kept: bool,
}

const fn rw(name: &'static str, column: &'static str) -> Field {
    Field {
        name,
        column: Some(column),
        writable: true,
        refers: None,
        kept: false,
    }
}
const fn ro(name: &'static str, column: &'static str) -> Field {
    Field {
        name,
        column: Some(column),
        writable: false,
        refers: None,
        kept: false,
    }
}
/// Read by the record's own rules, and shown by them.
const fn read(name: &'static str) -> Field {
    Field {
        kept: false,
        ..kept(name)
    }
}
/// Accepted and kept, shown as it was sent.
const fn kept(name: &'static str) -> Field {
    Field {
        name,
        column: None,
        writable: true,
        refers: None,
        kept: true,
    }
}
const fn to(name: &'static str, column: &'static str, table: &'static str) -> Field {
    Field {
        name,
        column: Some(column),
        writable: true,
        refers: Some(table),
        kept: false,
    }
}

/// A sublist and the fields of its elements.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sublist {
    /// Its name.
    pub(crate) name: &'static str,
    /// Its elements' fields.
    pub(crate) fields: &'static [&'static str],
}

/// A record type.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RecordType {
    /// Its name as the metadata catalogue has it: `vendorBill`.
    pub(crate) name: &'static str,
    /// Its table.
    pub(crate) table: &'static str,
    /// Columns that tell its rows from others of the table.
    pub(crate) filter: &'static [(&'static str, &'static str)],
    /// How it is written.
    pub(crate) family: Family,
    /// The permission.
    pub(crate) permission: &'static str,
    /// Fields shared with its kin.
    shared: &'static [Field],
    /// Its own fields.
    own: &'static [Field],
    /// Its sublists.
    pub(crate) sublists: &'static [Sublist],
}

impl RecordType {
    /// The record type a path names: case doesn't count there.
    pub(crate) fn find(name: &str) -> Option<&'static Self> {
        RECORD_TYPES
            .iter()
            .find(|record| record.name.eq_ignore_ascii_case(name))
    }

    /// Whether it is a transaction.
    pub(crate) fn is_transaction(&self) -> bool {
        self.table == "transaction"
    }

    /// The `type` code of a transaction.
    pub(crate) fn code(&self) -> Option<&'static str> {
        self.filter
            .iter()
            .find(|(column, _)| *column == "type")
            .map(|(_, code)| *code)
    }

    /// Its header fields.
    pub(crate) fn fields(&self) -> impl Iterator<Item = &'static Field> + use<> {
        self.shared.iter().chain(self.own)
    }

    /// The header field of that name.
    pub(crate) fn field(&self, name: &str) -> Option<&'static Field> {
        self.fields().find(|field| field.name == name)
    }

    /// The sublist of that name.
    pub(crate) fn sublist(&self, name: &str) -> Option<&'static Sublist> {
        self.sublists.iter().find(|sublist| sublist.name == name)
    }

    /// The schema's column of a field.
    pub(crate) fn column(&self, field: &Field) -> Option<&'static Column> {
        let name = field.column?;
        schema::find(self.table)?
            .columns
            .iter()
            .find(|column| column.name == name)
    }
}

const TRANSACTION: &[Field] = &[
    ro("id", "id"),
    rw("externalId", "externalid"),
    rw("tranId", "tranid"),
    ro("transactionNumber", "transactionnumber"),
    rw("tranDate", "trandate"),
    rw("memo", "memo"),
    rw("subsidiary", "subsidiary"),
    rw("currency", "currency"),
    rw("exchangeRate", "exchangerate"),
    rw("postingPeriod", "postingperiod"),
    ro("status", "status"),
    ro("createdDate", "createddate"),
    ro("lastModifiedDate", "lastmodifieddate"),
    kept("customForm"),
];

const BILL: &[Field] = &[
    rw("entity", "entity"),
    rw("account", "account"),
    rw("dueDate", "duedate"),
    rw("terms", "terms"),
    rw("approvalStatus", "approvalstatus"),
    rw("paymentHold", "paymenthold"),
    rw("otherRefNum", "otherrefnum"),
    ro("total", "foreigntotal"),
    ro("balance", "foreignamountunpaid"),
    read("userTotal"),
    read("taxTotal"),
    kept("billAddressList"),
    kept("department"),
    kept("class"),
    kept("location"),
];

const EXPENSE: Sublist = Sublist {
    name: "expense",
    fields: &[
        "line",
        "account",
        "amount",
        "memo",
        "department",
        "class",
        "location",
        "taxCode",
        "customer",
        "isBillable",
        "category",
        "grossAmt",
        "tax1Amt",
    ],
};
const ITEM: Sublist = Sublist {
    name: "item",
    fields: &[
        "line",
        "item",
        "quantity",
        "rate",
        "amount",
        "description",
        "department",
        "class",
        "location",
        "taxCode",
        "customer",
        "isBillable",
        "units",
        "grossAmt",
        "tax1Amt",
        "price",
    ],
};
const APPLY_FIELDS: &[&str] = &[
    "apply",
    "amount",
    "doc",
    "line",
    "applyDate",
    "createdFrom",
    "currency",
    "due",
    "job",
    "refNum",
    "total",
    "type",
    "disc",
];
const APPLY: Sublist = Sublist {
    name: "apply",
    fields: APPLY_FIELDS,
};
const CREDIT: Sublist = Sublist {
    name: "credit",
    fields: &[
        "amount",
        "appliedTo",
        "apply",
        "creditDate",
        "currency",
        "doc",
        "due",
        "line",
        "refNum",
        "total",
        "type",
    ],
};
const LINE: Sublist = Sublist {
    name: "line",
    fields: &[
        "line",
        "account",
        "debit",
        "credit",
        "memo",
        "entity",
        "department",
        "class",
        "location",
    ],
};

const VENDOR_PAYMENT: &[Field] = &[
    rw("entity", "entity"),
    rw("account", "account"),
    read("apAcct"),
    ro("total", "foreigntotal"),
    read("department"),
    read("class"),
    read("location"),
    kept("toBePrinted"),
    kept("toAch"),
    kept("isInTransitPayment"),
    rw("approvalStatus", "approvalstatus"),
];

const JOURNAL: &[Field] = &[
    rw("approved", "posting"),
    kept("reversalDate"),
    kept("reversalDefer"),
    kept("isBookSpecific"),
];

const ENTITY: &[Field] = &[
    ro("id", "id"),
    rw("externalId", "externalid"),
    rw("entityId", "entityid"),
    rw("companyName", "companyname"),
    rw("legalName", "legalname"),
    rw("isPerson", "isperson"),
    rw("firstName", "firstname"),
    rw("lastName", "lastname"),
    rw("email", "email"),
    rw("phone", "phone"),
    rw("terms", "terms"),
    rw("currency", "currency"),
    rw("category", "category"),
    rw("isInactive", "isinactive"),
    rw("giveAccess", "giveaccess"),
    to("subsidiary", "x_subsidiary", "subsidiary"),
    ro("dateCreated", "datecreated"),
    ro("lastModifiedDate", "lastmodifieddate"),
    kept("autoName"),
    kept("customForm"),
    kept("fax"),
    kept("url"),
    kept("currencyList"),
];
const VENDOR: &[Field] = &[
    rw("accountNumber", "accountnumber"),
    rw("payablesAccount", "payablesaccount"),
    rw("expenseAccount", "expenseaccount"),
    rw("is1099Eligible", "is1099eligible"),
    rw("taxIdNum", "x_taxidnum"),
    rw("printOnCheckAs", "printoncheckas"),
    rw("comments", "comments"),
    ro("balance", "balance"),
    kept("defaultVendorPaymentAccount"),
    kept("vatRegNumber"),
];
const ADDRESS_BOOK: Sublist = Sublist {
    name: "addressBook",
    fields: &[
        "id",
        "internalId",
        "addressId",
        "label",
        "defaultBilling",
        "defaultShipping",
        "isResidential",
        "addressBookAddress",
    ],
};

const NAMED: &[Field] = &[
    ro("id", "id"),
    rw("externalId", "externalid"),
    rw("isInactive", "isinactive"),
    ro("lastModifiedDate", "lastmodifieddate"),
];
/// A dimension's fields; its parent is of its own kind.
const fn dimension(table: &'static str) -> [Field; 4] {
    [
        rw("name", "name"),
        ro("fullName", "fullname"),
        rw("includeChildren", "includechildren"),
        to("parent", "parent", table),
    ]
}
const DEPARTMENT: &[Field] = &dimension("department");
const CLASSIFICATION: &[Field] = &dimension("classification");
const LOCATION: &[Field] = &dimension("location");
const ITEM_FIELDS: &[Field] = &[
    rw("itemId", "itemid"),
    rw("displayName", "displayname"),
    ro("fullName", "fullname"),
    rw("expenseAccount", "expenseaccount"),
    rw("incomeAccount", "incomeaccount"),
    rw("purchaseDescription", "description"),
    ro("createdDate", "createddate"),
];

const fn transaction(
    name: &'static str,
    filter: &'static [(&'static str, &'static str)],
    family: Family,
    permission: &'static str,
    own: &'static [Field],
    sublists: &'static [Sublist],
) -> RecordType {
    RecordType {
        name,
        table: "transaction",
        filter,
        family,
        permission,
        shared: TRANSACTION,
        own,
        sublists,
    }
}

const fn list(
    name: &'static str,
    table: &'static str,
    permission: &'static str,
    own: &'static [Field],
) -> RecordType {
    RecordType {
        name,
        table,
        filter: &[],
        family: Family::List,
        permission,
        shared: NAMED,
        own,
        sublists: &[],
    }
}

const fn item(name: &'static str, filter: &'static [(&'static str, &'static str)]) -> RecordType {
    RecordType {
        filter,
        ..list(name, "item", "Items", ITEM_FIELDS)
    }
}

/// An item that is only sold.
const fn sold(
    name: &'static str,
    filter: &'static [(&'static str, &'static str)],
    own: &'static [Field],
) -> RecordType {
    RecordType {
        filter,
        ..list(name, "item", "Items", own)
    }
}

/// Every record type.
pub(crate) const RECORD_TYPES: &[RecordType] = &[
    transaction(
        "vendorBill",
        &[("type", "VendBill")],
        Family::Bill(BillKind::VendorBill),
        "Transactions -> Bills",
        BILL,
        &[EXPENSE, ITEM],
    ),
    transaction(
        "vendorCredit",
        &[("type", "VendCred")],
        Family::Bill(BillKind::VendorCredit),
        "Transactions -> Enter Vendor Credits",
        BILL,
        &[EXPENSE, ITEM, APPLY],
    ),
    transaction(
        "vendorPayment",
        &[("type", "VendPymt")],
        Family::Payment(PaymentKind::VendorPayment),
        "Transactions -> Pay Bills",
        VENDOR_PAYMENT,
        &[APPLY, CREDIT],
    ),
    transaction(
        "journalEntry",
        &[("type", "Journal")],
        Family::Journal,
        "Transactions -> Make Journal Entry",
        JOURNAL,
        &[LINE],
    ),
    transaction(
        "invoice",
        &[("type", "CustInvc")],
        Family::Bill(BillKind::Invoice),
        "Transactions -> Invoice",
        INVOICE,
        &[ITEM],
    ),
    transaction(
        "creditMemo",
        &[("type", "CustCred")],
        Family::Bill(BillKind::CreditMemo),
        "Transactions -> Credit Memo",
        CREDIT_MEMO,
        &[ITEM, APPLY],
    ),
    transaction(
        "customerPayment",
        &[("type", "CustPymt")],
        Family::Payment(PaymentKind::CustomerPayment),
        "Transactions -> Customer Payment",
        CUSTOMER_PAYMENT,
        &[APPLY, CREDIT],
    ),
    transaction(
        "customerRefund",
        &[("type", "CustRfnd")],
        Family::Payment(PaymentKind::CustomerRefund),
        "Transactions -> Customer Refund",
        CUSTOMER_REFUND,
        &[APPLY],
    ),
    transaction(
        "depositApplication",
        &[("type", "DepAppl")],
        Family::Payment(PaymentKind::DepositApplication),
        "Transactions -> Deposit Application",
        DEPOSIT_APPLICATION,
        &[APPLY],
    ),
    transaction(
        "deposit",
        &[("type", "Deposit")],
        Family::Deposit,
        "Transactions -> Make Deposit",
        DEPOSIT,
        &[DEPOSITED, OTHER, CASH_BACK],
    ),
    RecordType {
        name: "vendor",
        table: "vendor",
        filter: &[],
        family: Family::Entity(EntityKind::Vendor),
        permission: "Lists -> Vendors",
        shared: ENTITY,
        own: VENDOR,
        sublists: &[ADDRESS_BOOK],
    },
    RecordType {
        name: "customer",
        table: "customer",
        filter: &[],
        family: Family::Entity(EntityKind::Customer),
        permission: "Lists -> Customers",
        shared: ENTITY,
        own: CUSTOMER,
        sublists: &[ADDRESS_BOOK],
    },
    list(
        "account",
        "account",
        "Lists -> Accounts",
        &[
            rw("acctNumber", "acctnumber"),
            rw("acctName", "acctname"),
            rw("acctType", "accttype"),
            ro("fullName", "fullname"),
            rw("description", "description"),
            rw("parent", "parent"),
            rw("isSummary", "issummary"),
            rw("currency", "currency"),
            rw("eliminate", "eliminate"),
            rw("includeChildren", "includechildren"),
        ],
    ),
    list(
        "department",
        "department",
        "Lists -> Departments",
        DEPARTMENT,
    ),
    list(
        "classification",
        "classification",
        "Lists -> Classes",
        CLASSIFICATION,
    ),
    list("location", "location", "Lists -> Locations", LOCATION),
    list(
        "subsidiary",
        "subsidiary",
        "Lists -> Subsidiaries",
        &[
            ro("name", "name"),
            ro("fullName", "fullname"),
            ro("parent", "parent"),
            ro("currency", "currency"),
            ro("country", "country"),
            ro("isElimination", "iselimination"),
        ],
    ),
    list(
        "currency",
        "currency",
        "Lists -> Currency",
        &[
            ro("name", "name"),
            ro("symbol", "symbol"),
            ro("displaySymbol", "displaysymbol"),
            ro("exchangeRate", "exchangerate"),
            ro("isBaseCurrency", "isbasecurrency"),
            ro("currencyPrecision", "currencyprecision"),
        ],
    ),
    list(
        "term",
        "term",
        "Lists -> Accounting Lists",
        &[
            rw("name", "name"),
            rw("daysUntilNetDue", "daysuntilnetdue"),
            rw("discountPercent", "discountpercent"),
            rw("daysUntilExpiry", "daysuntilexpiry"),
            rw("dateDriven", "datedriven"),
            rw("preferred", "preferred"),
        ],
    ),
    RecordType {
        shared: &[ro("id", "id"), ro("lastModifiedDate", "lastmodifieddate")],
        ..list(
            "accountingPeriod",
            "accountingperiod",
            "Setup -> Manage Accounting Periods",
            &[
                ro("periodName", "periodname"),
                ro("startDate", "startdate"),
                ro("endDate", "enddate"),
                ro("closed", "closed"),
                ro("closedOnDate", "closedondate"),
                ro("allLocked", "alllocked"),
                ro("apLocked", "aplocked"),
                ro("arLocked", "arlocked"),
                ro("allowNonGLChanges", "allownonglchanges"),
                ro("isPosting", "isposting"),
                ro("isAdjust", "isadjust"),
                ro("isQuarter", "isquarter"),
                ro("isYear", "isyear"),
                ro("isInactive", "isinactive"),
                ro("parent", "parent"),
            ],
        )
    },
    item(
        "nonInventoryPurchaseItem",
        &[("itemtype", "NonInvtPart"), ("subtype", "Purchase")],
    ),
    item(
        "nonInventoryResaleItem",
        &[("itemtype", "NonInvtPart"), ("subtype", "Resale")],
    ),
    sold(
        "nonInventorySaleItem",
        &[("itemtype", "NonInvtPart"), ("subtype", "Sale")],
        SALE_ITEM,
    ),
    item(
        "servicePurchaseItem",
        &[("itemtype", "Service"), ("subtype", "Purchase")],
    ),
    item(
        "serviceResaleItem",
        &[("itemtype", "Service"), ("subtype", "Resale")],
    ),
    sold(
        "serviceSaleItem",
        &[("itemtype", "Service"), ("subtype", "Sale")],
        SALE_ITEM,
    ),
    sold("discountItem", &[("itemtype", "Discount")], DISCOUNT_ITEM),
    sold(
        "otherChargeSaleItem",
        &[("itemtype", "OthCharge"), ("subtype", "Sale")],
        SALE_ITEM,
    ),
    item("inventoryItem", &[("itemtype", "InvtPart")]),
    item(
        "otherChargePurchaseItem",
        &[("itemtype", "OthCharge"), ("subtype", "Purchase")],
    ),
];

/// The record type whose rows a table holds, for links to them.
pub(crate) fn record_of_table(table: &str) -> &'static str {
    match table {
        "accountingperiod" => "accountingPeriod",
        "vendorcategory" => "vendorCategory",
        other => RECORD_TYPES
            .iter()
            .find(|record| record.table == other)
            .map_or("record", |record| record.name),
    }
}
