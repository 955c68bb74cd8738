//! What a document must satisfy before it is booked.

use jiff::civil::Date;
use rusqlite::{Connection, OptionalExtension, params};
use rust_decimal::Decimal;

use super::{Context, EntityKind, LedgerError, by_external_id};
use crate::schema::from_units;

/// Longest `tranid`.
const LONGEST_NUMBER: usize = 45;

pub(super) fn number(number: Option<&str>) -> Result<(), LedgerError> {
    match number {
        Some(number) if number.chars().count() > LONGEST_NUMBER => Err(LedgerError::Invalid {
            field: "tranId",
            message: format!("at most {LONGEST_NUMBER} characters"),
        }),
        _ => Ok(()),
    }
}

/// The row exists.
pub(super) fn exists(
    connection: &Connection,
    field: &'static str,
    record: &'static str,
    id: i64,
) -> Result<(), LedgerError> {
    let found = connection
        .prepare_cached(&format!("SELECT 1 FROM \"{record}\" WHERE id = ?1"))?
        .exists([id])?;
    if found {
        Ok(())
    } else {
        Err(LedgerError::NoSuch { field, record, id })
    }
}

/// Each dimension named exists.
pub(super) fn dimensions(
    connection: &Connection,
    department: Option<i64>,
    class: Option<i64>,
    location: Option<i64>,
) -> Result<(), LedgerError> {
    let named = [
        ("department", "department", department),
        ("class", "classification", class),
        ("location", "location", location),
    ];
    for (field, record, id) in named {
        if let Some(id) = id {
            exists(connection, field, record, id)?;
        }
    }
    Ok(())
}

/// The account exists, can be posted to, and belongs to the subsidiary.
pub(super) fn account(
    connection: &Connection,
    field: &'static str,
    id: i64,
    subsidiary: Option<i64>,
) -> Result<String, LedgerError> {
    let found: Option<(String, String, String)> = connection
        .prepare_cached("SELECT accttype, issummary, isinactive FROM account WHERE id = ?1")?
        .query_row([id], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .optional()?;
    let (kind, summary, inactive) = found.ok_or(LedgerError::NoSuch {
        field,
        record: "account",
        id,
    })?;
    if summary == "T" || inactive == "T" {
        return Err(LedgerError::Invalid {
            field,
            message: format!("Invalid account reference key {id}."),
        });
    }
    if let Some(subsidiary) = subsidiary {
        let mapped = connection
            .prepare_cached(
                "SELECT 1 FROM accountsubsidiarymap WHERE account = ?1 AND subsidiary = ?2",
            )?
            .exists(params![id, subsidiary])?;
        if !mapped {
            return Err(LedgerError::NotInSubsidiary {
                record: "account",
                id,
                subsidiary,
            });
        }
    }
    Ok(kind)
}

/// What an entity contributes to a document.
pub(super) struct Party {
    pub(super) primary: Option<i64>,
    pub(super) currency: Option<i64>,
    pub(super) terms: Option<i64>,
    pub(super) account: Option<i64>,
}

pub(super) fn party(
    connection: &Connection,
    kind: EntityKind,
    id: i64,
) -> Result<Party, LedgerError> {
    let (record, account) = match kind {
        EntityKind::Vendor => ("vendor", "payablesaccount"),
        EntityKind::Customer => ("customer", "receivablesaccount"),
    };
    connection
        .prepare_cached(&format!(
            "SELECT x_subsidiary, currency, terms, {account} FROM {record} WHERE id = ?1"
        ))?
        .query_row([id], |row| {
            Ok(Party {
                primary: row.get(0)?,
                currency: row.get(1)?,
                terms: row.get(2)?,
                account: row.get(3)?,
            })
        })
        .optional()?
        .ok_or(LedgerError::NoSuch {
            field: "entity",
            record,
            id,
        })
}

/// The document's subsidiary: the one named, which the entity must be assigned to, or the entity's own.
pub(super) fn subsidiary(
    connection: &Connection,
    context: &Context,
    kind: EntityKind,
    entity: i64,
    named: Option<i64>,
    party: &Party,
) -> Result<Option<i64>, LedgerError> {
    if !context.one_world {
        return Ok(None);
    }
    let Some(named) = named else {
        return party
            .primary
            .map(Some)
            .ok_or(LedgerError::Missing("subsidiary"));
    };
    exists(connection, "subsidiary", "subsidiary", named)?;
    let (record, table) = match kind {
        EntityKind::Vendor => ("vendor", "vendorsubsidiaryrelationship"),
        EntityKind::Customer => ("customer", "customersubsidiaryrelationship"),
    };
    let assigned = connection
        .prepare_cached(&format!(
            "SELECT 1 FROM {table} WHERE entity = ?1 AND subsidiary = ?2"
        ))?
        .exists(params![entity, named])?;
    if assigned {
        Ok(Some(named))
    } else {
        Err(LedgerError::NotInSubsidiary {
            record,
            id: entity,
            subsidiary: named,
        })
    }
}

/// The first active account of a type: A/P or A/R by default.
pub(super) fn default_account(
    connection: &Connection,
    kind: &str,
    field: &'static str,
) -> Result<i64, LedgerError> {
    connection
        .prepare_cached(
            "SELECT id FROM account WHERE accttype = ?1 AND isinactive = 'F' AND issummary = 'F'
             ORDER BY id LIMIT 1",
        )?
        .query_row([kind], |row| row.get(0))
        .optional()?
        .ok_or(LedgerError::Missing(field))
}

/// The currency of a subsidiary, or of the account.
pub(super) fn base_currency(
    connection: &Connection,
    subsidiary: Option<i64>,
) -> Result<i64, LedgerError> {
    let own: Option<i64> = match subsidiary {
        Some(subsidiary) => connection
            .prepare_cached("SELECT currency FROM subsidiary WHERE id = ?1")?
            .query_row([subsidiary], |row| row.get(0))
            .optional()?
            .flatten(),
        None => None,
    };
    match own {
        Some(currency) => Ok(currency),
        None => connection
            .prepare_cached("SELECT id FROM currency ORDER BY isbasecurrency DESC, id LIMIT 1")?
            .query_row([], |row| row.get(0))
            .optional()?
            .ok_or(LedgerError::Missing("currency")),
    }
}

/// Units of the subsidiary's currency for one of `currency`: the one named, or the list's.
pub(super) fn rate(
    connection: &Connection,
    subsidiary: Option<i64>,
    currency: i64,
    named: Option<Decimal>,
) -> Result<Decimal, LedgerError> {
    let base = base_currency(connection, subsidiary)?;
    if base == currency {
        return Ok(Decimal::ONE);
    }
    if let Some(rate) = named {
        return if rate > Decimal::ZERO {
            Ok(rate)
        } else {
            Err(LedgerError::Invalid {
                field: "exchangeRate",
                message: "must be positive".into(),
            })
        };
    }
    let listed = |id: i64| -> Result<Decimal, LedgerError> {
        let units: Option<i64> = connection
            .prepare_cached("SELECT exchangerate FROM currency WHERE id = ?1")?
            .query_row([id], |row| row.get(0))
            .optional()?
            .flatten();
        Ok(units.map_or(Decimal::ONE, from_units))
    };
    let (own, base) = (listed(currency)?, listed(base)?);
    Ok(own.checked_div(base).unwrap_or(Decimal::ONE).round_dp(7))
}

/// The posting period: the one named, or that of the date. It must be open.
pub(super) fn period(
    connection: &Connection,
    context: &Context,
    date: Date,
    named: Option<i64>,
    kind: &str,
) -> Result<i64, LedgerError> {
    let period = match named {
        Some(period) => {
            exists(connection, "postingPeriod", "accountingperiod", period)?;
            period
        }
        None => connection
            .prepare_cached(
                "SELECT id FROM accountingperiod WHERE isposting = 'T' AND isadjust = 'F'
                 AND startdate <= ?1 AND enddate >= ?1 LIMIT 1",
            )?
            .query_row([date.to_string()], |row| row.get(0))
            .optional()?
            .ok_or(LedgerError::NoPeriod(date))?,
    };
    period_open(connection, context, period, kind)?;
    Ok(period)
}

/// The period takes postings of this kind.
pub(super) fn period_open(
    connection: &Connection,
    context: &Context,
    period: i64,
    kind: &str,
) -> Result<(), LedgerError> {
    let found: Option<(String, String, String, String, String)> = connection
        .prepare_cached(
            "SELECT periodname, closed, aplocked, arlocked, alllocked FROM accountingperiod
             WHERE id = ?1",
        )?
        .query_row([period], |row| {
            Ok((
                row.get(0)?,
                row.get(1)?,
                row.get(2)?,
                row.get(3)?,
                row.get(4)?,
            ))
        })
        .optional()?;
    let Some((name, closed, payables, receivables, all)) = found else {
        return Err(LedgerError::NoSuch {
            field: "postingPeriod",
            record: "accountingperiod",
            id: period,
        });
    };
    if closed == "T" {
        return Err(LedgerError::PeriodClosed(name));
    }
    let locked = match kind {
        "VendBill" | "VendCred" | "VendPymt" => payables == "T",
        "CustInvc" | "CustCred" | "CustPymt" | "CustRfnd" | "DepAppl" => receivables == "T",
        _ => all == "T",
    };
    if locked && !context.override_locked {
        return Err(LedgerError::PeriodLocked(name));
    }
    Ok(())
}

/// Nobody else has the external id. Transactions share one namespace, entities another.
pub(super) fn external_id(
    connection: &Connection,
    table: &'static str,
    external_id: Option<&str>,
    own: Option<i64>,
) -> Result<(), LedgerError> {
    let Some(external_id) = external_id else {
        return Ok(());
    };
    match by_external_id(connection, table, None, external_id)? {
        Some(found) if Some(found) != own => {
            Err(LedgerError::DuplicateExternalId(external_id.to_owned()))
        }
        _ => Ok(()),
    }
}
