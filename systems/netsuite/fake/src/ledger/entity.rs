//! Vendors and customers.

use rusqlite::{Connection, OptionalExtension, params};

use super::{
    AddressIn, Context, EntityIn, EntityKind, LedgerError, atomically, check, flag, next_id, post,
};
use crate::schema::stamp;

impl EntityKind {
    /// The table.
    pub(crate) fn table(self) -> &'static str {
        match self {
            Self::Vendor => "vendor",
            Self::Customer => "customer",
        }
    }

    fn relationship(self) -> &'static str {
        match self {
            Self::Vendor => "vendorsubsidiaryrelationship",
            Self::Customer => "customersubsidiaryrelationship",
        }
    }

    fn ledger_account(self) -> &'static str {
        match self {
            Self::Vendor => "payablesaccount",
            Self::Customer => "receivablesaccount",
        }
    }
}

impl EntityIn {
    /// An empty one.
    pub(crate) fn blank(kind: EntityKind) -> Self {
        Self {
            kind,
            entity_id: None,
            company_name: None,
            legal_name: None,
            is_person: false,
            first_name: None,
            last_name: None,
            email: None,
            phone: None,
            account_number: None,
            terms: None,
            currency: None,
            category: None,
            ledger_account: None,
            expense_account: None,
            subsidiaries: Vec::new(),
            inactive: false,
            give_access: false,
            is_1099: false,
            tax_id: None,
            print_on_check_as: None,
            comments: None,
            parent: None,
            external_id: None,
            addresses: Vec::new(),
            extra: None,
        }
    }
}

/// Makes an entity and gives its id.
///
/// # Errors
/// [`LedgerError::DuplicateName`], [`LedgerError::DuplicateExternalId`], [`LedgerError::Missing`] for one
/// without a name or, on OneWorld, a subsidiary; [`LedgerError::NoSuch`] for a reference to nothing.
pub(crate) fn insert_entity(
    connection: &Connection,
    context: &Context,
    entity: &EntityIn,
) -> Result<i64, LedgerError> {
    atomically(connection, || {
        let id = next_id(connection, "entity")?;
        let now = stamp(context.now);
        check_entity(connection, context, id, entity)?;
        write(connection, id, entity, &now, &now)?;
        Ok(id)
    })
}

/// Writes an entity anew.
///
/// # Errors
/// As [`insert_entity`], and [`LedgerError::NotFound`].
pub(crate) fn update_entity(
    connection: &Connection,
    context: &Context,
    id: i64,
    entity: &EntityIn,
) -> Result<(), LedgerError> {
    let record = entity.kind.table();
    atomically(connection, || {
        let created: Option<String> = connection
            .prepare_cached(&format!("SELECT datecreated FROM {record} WHERE id = ?1"))?
            .query_row([id], |row| row.get(0))
            .optional()?;
        let created = created.ok_or(LedgerError::NotFound { record, id })?;
        check_entity(connection, context, id, entity)?;
        write(connection, id, entity, &created, &stamp(context.now))?;
        rebalance(connection, Some(id))
    })
}

/// The name in the list.
fn name(entity: &EntityIn) -> Option<String> {
    let person = || {
        let parts: Vec<&str> = [&entity.first_name, &entity.last_name]
            .into_iter()
            .flatten()
            .map(String::as_str)
            .collect();
        (!parts.is_empty()).then(|| parts.join(" "))
    };
    let given = |text: &Option<String>| text.clone().filter(|text| !text.trim().is_empty());
    given(&entity.entity_id)
        .or_else(|| if entity.is_person { person() } else { None })
        .or_else(|| given(&entity.company_name))
        .or_else(person)
}

fn check_entity(
    connection: &Connection,
    context: &Context,
    id: i64,
    entity: &EntityIn,
) -> Result<(), LedgerError> {
    let name = name(entity).ok_or(LedgerError::Missing("companyName"))?;
    let taken = connection
        .prepare_cached("SELECT 1 FROM entity WHERE entityid = ?1 COLLATE NOCASE AND id <> ?2")?
        .exists(params![name, id])?;
    if taken {
        return Err(LedgerError::DuplicateName(name));
    }
    check::external_id(
        connection,
        "entity",
        entity.external_id.as_deref(),
        Some(id),
    )?;
    if context.one_world && entity.subsidiaries.is_empty() {
        return Err(LedgerError::Missing("subsidiary"));
    }
    if context.one_world {
        for subsidiary in &entity.subsidiaries {
            check::exists(connection, "subsidiary", "subsidiary", *subsidiary)?;
        }
    }
    let references = [
        ("terms", "term", entity.terms),
        ("currency", "currency", entity.currency),
        (
            "category",
            "vendorcategory",
            entity
                .category
                .filter(|_| entity.kind == EntityKind::Vendor),
        ),
        ("payablesAccount", "account", entity.ledger_account),
        ("expenseAccount", "account", entity.expense_account),
    ];
    for (field, record, reference) in references {
        if let Some(reference) = reference {
            check::exists(connection, field, record, reference)?;
        }
    }
    Ok(())
}

/// Writes an entity's rows without asking.
pub(crate) fn write(
    connection: &Connection,
    id: i64,
    entity: &EntityIn,
    created: &str,
    modified: &str,
) -> Result<(), LedgerError> {
    let kind = entity.kind;
    let table = kind.table();
    let name = name(entity).unwrap_or_default();
    let display = entity.company_name.clone().unwrap_or_else(|| name.clone());
    let currency = match entity.currency {
        Some(currency) => currency,
        None => check::base_currency(connection, entity.subsidiaries.first().copied())?,
    };
    connection
        .prepare_cached(&format!(
            "INSERT OR REPLACE INTO {table} (id, entityid, companyname, legalname, altname, firstname,
             lastname, isperson, email, phone, accountnumber, terms, currency, category, {},
             isinactive, giveaccess, datecreated, lastmodifieddate, externalid, x_subsidiary, x_extra)
             VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,?16,?17,?18,?19,?20,?21,?22)",
            kind.ledger_account()
        ))?
        .execute(params![
            id,
            name,
            entity.company_name,
            entity.legal_name,
            display,
            entity.first_name,
            entity.last_name,
            flag(entity.is_person),
            entity.email,
            entity.phone,
            entity.account_number,
            entity.terms,
            currency,
            entity.category,
            entity.ledger_account,
            flag(entity.inactive),
            flag(entity.give_access),
            created,
            modified,
            entity.external_id,
            entity.subsidiaries.first(),
            entity.extra,
        ])?;
    match kind {
        EntityKind::Vendor => connection
            .prepare_cached(
                "UPDATE vendor SET expenseaccount = ?2, is1099eligible = ?3, comments = ?4,
                 printoncheckas = ?5, x_taxidnum = ?6, balance = 0 WHERE id = ?1",
            )?
            .execute(params![
                id,
                entity.expense_account,
                flag(entity.is_1099),
                entity.comments,
                entity.print_on_check_as,
                entity.tax_id
            ])?,
        EntityKind::Customer => connection
            .prepare_cached(
                "UPDATE customer SET parent = ?2, balancesearch = 0, overduebalancesearch = 0
                 WHERE id = ?1",
            )?
            .execute(params![id, entity.parent])?,
    };
    let word = match kind {
        EntityKind::Vendor => "Vendor",
        EntityKind::Customer => "CustJob",
    };
    connection
        .prepare_cached(
            "INSERT OR REPLACE INTO entity (id, entityid, altname, type, email, isinactive, externalid)
             VALUES (?1,?2,?3,?4,?5,?6,?7)",
        )?
        .execute(params![
            id,
            name,
            display,
            word,
            entity.email,
            flag(entity.inactive),
            entity.external_id
        ])?;
    let relationship = kind.relationship();
    connection
        .prepare_cached(&format!("DELETE FROM {relationship} WHERE entity = ?1"))?
        .execute([id])?;
    for (position, subsidiary) in entity.subsidiaries.iter().enumerate() {
        connection
            .prepare_cached(&format!(
                "INSERT INTO {relationship} (id, entity, subsidiary, isprimarysub) VALUES (?1,?2,?3,?4)"
            ))?
            .execute(params![
                next_id(connection, relationship)?,
                id,
                subsidiary,
                flag(position == 0)
            ])?;
    }
    write_addresses(connection, kind, id, &entity.addresses)
}

fn write_addresses(
    connection: &Connection,
    kind: EntityKind,
    id: i64,
    addresses: &[AddressIn],
) -> Result<(), LedgerError> {
    let book = format!("{}addressbook", kind.table());
    connection
        .prepare_cached(&format!(
            "DELETE FROM {book}entityaddress WHERE nkey IN
             (SELECT addressbookaddress FROM {book} WHERE entity = ?1)"
        ))?
        .execute([id])?;
    connection
        .prepare_cached(&format!("DELETE FROM {book} WHERE entity = ?1"))?
        .execute([id])?;
    let mut default = None;
    for address in addresses {
        let entry = match address.id {
            Some(entry) => entry,
            None => next_id(connection, "address")?,
        };
        let key = next_id(connection, "nkey")?;
        if address.default_billing {
            default = Some(key);
        }
        connection
            .prepare_cached(&format!(
                "INSERT INTO {book} (internalid, entity, addressbookaddress, label, defaultbilling,
                 defaultshipping) VALUES (?1,?2,?3,?4,?5,?6)"
            ))?
            .execute(params![
                entry,
                id,
                key,
                address.label,
                flag(address.default_billing),
                flag(address.default_shipping)
            ])?;
        connection
            .prepare_cached(&format!(
                "INSERT INTO {book}entityaddress (nkey, addressee, attention, addr1, addr2, addr3, city,
                 state, dropdownstate, zip, country, recordowner)
                 VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?8,?9,?10,?11)"
            ))?
            .execute(params![
                key,
                address.addressee,
                address.attention,
                address.line1,
                address.line2,
                address.line3,
                address.city,
                address.state,
                address.zip,
                address.country,
                id
            ])?;
    }
    connection
        .prepare_cached(&format!(
            "UPDATE {} SET defaultbillingaddress = ?2 WHERE id = ?1",
            kind.table()
        ))?
        .execute(params![id, default])?;
    Ok(())
}

/// Reads an entity back, whole.
///
/// # Errors
/// When SQLite fails.
pub(crate) fn read_entity(
    connection: &Connection,
    id: i64,
) -> Result<Option<EntityIn>, LedgerError> {
    let word: Option<String> = connection
        .prepare_cached("SELECT type FROM entity WHERE id = ?1")?
        .query_row([id], |row| row.get(0))
        .optional()?;
    let kind = match word.as_deref() {
        Some("Vendor") => EntityKind::Vendor,
        Some("CustJob") => EntityKind::Customer,
        _ => return Ok(None),
    };
    let own = match kind {
        EntityKind::Vendor => {
            "expenseaccount, is1099eligible, comments, printoncheckas, x_taxidnum, NULL"
        }
        EntityKind::Customer => "NULL, 'F', NULL, NULL, NULL, parent",
    };
    let entity = connection
        .prepare_cached(&format!(
            "SELECT entityid, companyname, legalname, isperson, firstname, lastname, email, phone,
             accountnumber, terms, currency, category, {}, isinactive, giveaccess, externalid, x_extra,
             {own} FROM {} WHERE id = ?1",
            kind.ledger_account(),
            kind.table()
        ))?
        .query_row([id], |row| {
            let yes = |position: usize| -> rusqlite::Result<bool> {
                Ok(row.get::<_, Option<String>>(position)?.as_deref() == Some("T"))
            };
            Ok(EntityIn {
                kind,
                entity_id: row.get(0)?,
                company_name: row.get(1)?,
                legal_name: row.get(2)?,
                is_person: yes(3)?,
                first_name: row.get(4)?,
                last_name: row.get(5)?,
                email: row.get(6)?,
                phone: row.get(7)?,
                account_number: row.get(8)?,
                terms: row.get(9)?,
                currency: row.get(10)?,
                category: row.get(11)?,
                ledger_account: row.get(12)?,
                inactive: yes(13)?,
                give_access: yes(14)?,
                external_id: row.get(15)?,
                extra: row.get(16)?,
                expense_account: row.get(17)?,
                is_1099: yes(18)?,
                comments: row.get(19)?,
                print_on_check_as: row.get(20)?,
                tax_id: row.get(21)?,
                parent: row.get(22)?,
                subsidiaries: Vec::new(),
                addresses: Vec::new(),
            })
        })
        .optional()?;
    let Some(entity) = entity else {
        return Ok(None);
    };
    let subsidiaries = connection
        .prepare_cached(&format!(
            "SELECT subsidiary FROM {} WHERE entity = ?1 ORDER BY isprimarysub DESC, id",
            kind.relationship()
        ))?
        .query_map([id], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    Ok(Some(EntityIn {
        subsidiaries,
        addresses: addresses(connection, kind, id)?,
        ..entity
    }))
}

fn addresses(
    connection: &Connection,
    kind: EntityKind,
    id: i64,
) -> Result<Vec<AddressIn>, LedgerError> {
    let book = format!("{}addressbook", kind.table());
    let mut statement = connection.prepare_cached(&format!(
        "SELECT b.internalid, b.label, b.defaultbilling, b.defaultshipping, a.addressee, a.attention,
         a.addr1, a.addr2, a.addr3, a.city, a.state, a.zip, a.country
         FROM {book} b JOIN {book}entityaddress a ON a.nkey = b.addressbookaddress
         WHERE b.entity = ?1 ORDER BY b.internalid"
    ))?;
    let rows = statement.query_map([id], |row| {
        Ok(AddressIn {
            id: row.get(0)?,
            label: row.get(1)?,
            default_billing: row.get::<_, String>(2)? == "T",
            default_shipping: row.get::<_, String>(3)? == "T",
            addressee: row.get(4)?,
            attention: row.get(5)?,
            line1: row.get(6)?,
            line2: row.get(7)?,
            line3: row.get(8)?,
            city: row.get(9)?,
            state: row.get(10)?,
            zip: row.get(11)?,
            country: row.get(12)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Deletes a vendor or customer without transactions.
///
/// # Errors
/// [`LedgerError::NotFound`], [`LedgerError::InUse`].
pub(crate) fn delete_entity(
    connection: &Connection,
    context: &Context,
    id: i64,
) -> Result<(), LedgerError> {
    atomically(connection, || {
        let entity = read_entity(connection, id)?.ok_or(LedgerError::NotFound {
            record: "entity",
            id,
        })?;
        let record = entity.kind.table();
        let used = connection
            .prepare_cached(
                "SELECT 1 FROM \"transaction\" WHERE entity = ?1
                 UNION SELECT 1 FROM transactionline WHERE entity = ?1",
            )?
            .exists([id])?;
        if used {
            return Err(LedgerError::InUse { record, id });
        }
        write_addresses(connection, entity.kind, id, &[])?;
        connection.execute(
            &format!(
                "DELETE FROM {} WHERE entity = ?1",
                entity.kind.relationship()
            ),
            [id],
        )?;
        connection.execute(&format!("DELETE FROM {record} WHERE id = ?1"), [id])?;
        connection.execute("DELETE FROM entity WHERE id = ?1", [id])?;
        let name = entity.entity_id.unwrap_or_default();
        post::buried(connection, context, &name, id, record, record)
    })
}

/// Moves all of `from`'s transactions to `into` and deletes `from`: two vendors, or two customers.
///
/// # Errors
/// [`LedgerError::NotFound`] when there is no `from`, or `into` isn't of its kind; [`LedgerError::Invalid`] for
/// merging one with itself.
pub(crate) fn merge_entities(
    connection: &Connection,
    context: &Context,
    from: i64,
    into: i64,
) -> Result<(), LedgerError> {
    atomically(connection, || {
        let kind = read_entity(connection, from)?.map(|entity| entity.kind);
        let record = kind.map_or("entity", EntityKind::table);
        for id in [from, into] {
            check::exists(connection, "entity", record, id)
                .map_err(|_| LedgerError::NotFound { record, id })?;
        }
        if from == into {
            return Err(LedgerError::Invalid {
                field: "entity",
                message: "merged with itself".into(),
            });
        }
        connection.execute(
            "UPDATE \"transaction\" SET entity = ?2, lastmodifieddate = ?3 WHERE entity = ?1",
            params![from, into, stamp(context.now)],
        )?;
        connection.execute(
            "UPDATE transactionline SET entity = ?2 WHERE entity = ?1",
            params![from, into],
        )?;
        connection.execute(
            "UPDATE customer SET parent = ?2 WHERE parent = ?1",
            params![from, into],
        )?;
        delete_entity(connection, context, from)?;
        rebalance(connection, Some(into))
    })
}

/// Brings an entity's balance in step with its open documents.
pub(crate) fn rebalance(connection: &Connection, id: Option<i64>) -> Result<(), LedgerError> {
    let Some(id) = id else { return Ok(()) };
    connection
        .prepare_cached(
            "UPDATE vendor SET balance = (SELECT COALESCE(SUM(COALESCE(a.amountunpaid, 0)
               - COALESCE(a.paymentamountunused, 0)), 0)
             FROM \"transaction\" t JOIN transactionaccountingline a ON a.\"transaction\" = t.id
             WHERE t.entity = ?1 AND t.posting = 'T' AND t.voided = 'F') WHERE id = ?1",
        )?
        .execute([id])?;
    connection
        .prepare_cached(
            "UPDATE customer SET balancesearch = (SELECT COALESCE(SUM(COALESCE(a.amountunpaid, 0)
               - COALESCE(a.paymentamountunused, 0)), 0)
             FROM \"transaction\" t JOIN transactionaccountingline a ON a.\"transaction\" = t.id
             WHERE t.entity = ?1 AND t.posting = 'T' AND t.voided = 'F') WHERE id = ?1",
        )?
        .execute([id])?;
    Ok(())
}
