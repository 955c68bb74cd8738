//! Vendors and customers: JSON to the ledger's entities.

use super::body::{Part, Patch, Writing};
use super::{Desk, Refusal, Target};
use crate::ledger::{self, AddressIn, EntityIn, EntityKind, LedgerError};

/// Creates or changes an entity.
pub(crate) fn write(
    desk: &Desk<'_>,
    writing: &Writing<'_>,
    kind: EntityKind,
    target: Target<'_>,
) -> Result<i64, Refusal> {
    let context = desk.fake.context(Some(desk.caller));
    match target {
        Target::New(external) => {
            let mut entity = EntityIn::blank(kind);
            merge(writing, &mut entity)?;
            if external.is_some() {
                entity.external_id = external.map(str::to_owned);
            }
            Ok(ledger::insert_entity(desk.books, &context, &entity)?)
        }
        Target::Existing(id) => {
            let table = match kind {
                EntityKind::Vendor => "vendor",
                EntityKind::Customer => "customer",
            };
            let mut entity = ledger::read_entity(desk.books, id)?
                .ok_or(LedgerError::NotFound { record: table, id })?;
            merge(writing, &mut entity)?;
            ledger::update_entity(desk.books, &context, id, &entity)?;
            Ok(id)
        }
    }
}

fn merge(writing: &Writing<'_>, entity: &mut EntityIn) -> Result<(), Refusal> {
    let head = writing.head();
    let (ledger_account, category) = match entity.kind {
        EntityKind::Vendor => ("payablesAccount", "vendorcategory"),
        EntityKind::Customer => ("receivablesAccount", "vendorcategory"),
    };
    head.text("entityId")?.onto(&mut entity.entity_id);
    head.text("companyName")?.onto(&mut entity.company_name);
    head.text("legalName")?.onto(&mut entity.legal_name);
    head.boolean("isPerson")?.over(&mut entity.is_person, false);
    head.text("firstName")?.onto(&mut entity.first_name);
    head.text("lastName")?.onto(&mut entity.last_name);
    head.text("email")?.onto(&mut entity.email);
    head.text("phone")?.onto(&mut entity.phone);
    head.text("accountNumber")?.onto(&mut entity.account_number);
    head.reference("terms", &["term"])?.onto(&mut entity.terms);
    head.reference("currency", &["currency"])?
        .onto(&mut entity.currency);
    head.reference("category", &[category])?
        .onto(&mut entity.category);
    head.reference(ledger_account, &["account"])?
        .onto(&mut entity.ledger_account);
    head.boolean("isInactive")?
        .over(&mut entity.inactive, false);
    head.boolean("giveAccess")?
        .over(&mut entity.give_access, false);
    head.text("externalId")?.onto(&mut entity.external_id);
    if entity.kind == EntityKind::Vendor {
        head.reference("expenseAccount", &["account"])?
            .onto(&mut entity.expense_account);
        head.boolean("is1099Eligible")?
            .over(&mut entity.is_1099, false);
        head.text("taxIdNum")?.onto(&mut entity.tax_id);
        head.text("printOnCheckAs")?
            .onto(&mut entity.print_on_check_as);
        head.text("comments")?.onto(&mut entity.comments);
    } else {
        head.reference("parent", &["customer"])?
            .onto(&mut entity.parent);
    }
    if let Some(primary) = head.reference("subsidiary", &["subsidiary"])?.set() {
        entity.subsidiaries.retain(|other| *other != primary);
        entity.subsidiaries.insert(0, primary);
    }
    entity.extra = writing.extras(entity.extra.as_deref());
    addresses(writing, entity)
}

fn addresses(writing: &Writing<'_>, entity: &mut EntityIn) -> Result<(), Refusal> {
    let parts = match writing.sublist("addressBook") {
        Patch::Absent => return Ok(()),
        Patch::Clear => {
            entity.addresses.clear();
            return Ok(());
        }
        Patch::Set(parts) => parts,
    };
    if writing.replaces("addressBook") {
        entity.addresses.clear();
    }
    for part in parts {
        let id = match part.integer("id")?.set() {
            Some(id) => Some(id),
            None => part.integer("internalId")?.set(),
        };
        let at = id.and_then(|id| entity.addresses.iter().position(|one| one.id == Some(id)));
        let mut address = at
            .map(|at| entity.addresses[at].clone())
            .unwrap_or_default();
        part.text("label")?.onto(&mut address.label);
        part.boolean("defaultBilling")?
            .over(&mut address.default_billing, false);
        part.boolean("defaultShipping")?
            .over(&mut address.default_shipping, false);
        if let Some(inner) = part.inner("addressBookAddress") {
            address_lines(&inner, &mut address)?;
        }
        if address.default_billing {
            entity
                .addresses
                .iter_mut()
                .for_each(|other| other.default_billing = false);
        }
        if address.default_shipping {
            entity
                .addresses
                .iter_mut()
                .for_each(|other| other.default_shipping = false);
        }
        match at {
            Some(at) => entity.addresses[at] = address,
            None => entity.addresses.push(address),
        }
    }
    Ok(())
}

fn address_lines(part: &Part<'_>, address: &mut AddressIn) -> Result<(), Refusal> {
    part.text("addressee")?.onto(&mut address.addressee);
    part.text("attention")?.onto(&mut address.attention);
    part.text("addr1")?.onto(&mut address.line1);
    part.text("addr2")?.onto(&mut address.line2);
    part.text("addr3")?.onto(&mut address.line3);
    part.text("city")?.onto(&mut address.city);
    part.text("state")?.onto(&mut address.state);
    part.text("zip")?.onto(&mut address.zip);
    let country = part.choice("country")?;
    if let Patch::Set(code) = &country
        && (code.len() != 2 || !code.bytes().all(|byte| byte.is_ascii_uppercase()))
    {
        return Err(part.invalid("country", "a country's two letters").into());
    }
    country.onto(&mut address.country);
    Ok(())
}
