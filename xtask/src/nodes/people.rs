//! What people do meanwhile: they enter bills in the ledger and approve them, and pay them on either side. What they have
//! done is written down: it is what both sides must hold in the end, once.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use http::Method;
use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::tenants::{Entity, Tenant};
use crate::crash::killing::Dice;
use crate::panel::{Caller, marker};

/// What people see of a group's books is no older than this.
const FRESH: Duration = Duration::from_secs(5);

/// A bill in the ledger, by the group's place and the bill's id.
pub(crate) type BillId = (usize, String);

/// A bill that people entered and approved.
#[derive(Debug, Clone)]
pub(crate) struct Bill {
    pub(crate) organization: String,
    pub(crate) amount: Decimal,
}

/// A payment that people made in BILL.
#[derive(Debug, Clone)]
pub(crate) struct Payment {
    pub(crate) organization: String,
    pub(crate) id: String,
    pub(crate) bill: BillId,
    pub(crate) amount: Decimal,
}

/// What people have done.
#[derive(Debug, Default)]
pub(crate) struct Done {
    pub(crate) bills: BTreeMap<BillId, Bill>,
    /// Paid in BILL.
    pub(crate) there: Vec<Payment>,
    /// Paid in the ledger.
    pub(crate) here: BTreeSet<BillId>,
    paid: BTreeSet<BillId>,
}

/// The people of all groups.
pub(crate) struct People<'a> {
    tenants: &'a [Tenant],
    caller: Caller,
    dice: Dice,
    seen: Vec<Seen>,
    pub(crate) done: Done,
}

/// Bills that are open in BILL: their organization, their id there, and the ledger's.
type Open = (String, String, String);

/// What people see of a group's bills in BILL.
struct Seen {
    at: Option<Instant>,
    open: Vec<Open>,
}

impl<'a> People<'a> {
    pub(crate) fn new(tenants: &'a [Tenant], seed: u64) -> Result<Self> {
        let unseen = || Seen {
            at: None,
            open: Vec::new(),
        };
        Ok(Self {
            tenants,
            caller: Caller::new()?,
            dice: Dice(seed),
            seen: tenants.iter().map(|_| unseen()).collect(),
            done: Done::default(),
        })
    }

    /// Enters so many bills of each entity.
    pub(crate) fn begin(&mut self, bills: usize) -> Result<()> {
        for (place, tenant) in self.tenants.iter().enumerate() {
            for entity in &tenant.entities {
                for _ in 0..bills {
                    self.enter(place, entity)?;
                }
            }
        }
        Ok(())
    }

    /// Does something so many times a second until told to stop.
    pub(crate) fn live(&mut self, rate: f64, stop: &AtomicBool) -> Result<()> {
        while !stop.load(Ordering::Relaxed) {
            std::thread::sleep(Duration::from_secs_f64(1.0 / rate));
            let place = self.below(self.tenants.len());
            let tenants = self.tenants;
            match self.dice.below(10) {
                0..5 => {
                    let entities = &tenants[place].entities;
                    let entity = &entities[self.below(entities.len())];
                    self.enter(place, entity)?;
                }
                5..8 => self.pay_there(place)?,
                _ => self.pay_here(place)?,
            }
        }
        Ok(())
    }

    fn enter(&mut self, place: usize, entity: &Entity) -> Result<()> {
        let cents = 100 + self.dice.below(99_900);
        let amount = Decimal::new(i64::try_from(cents)?, 2);
        let vendor = &entity.vendors[self.below(entity.vendors.len())];
        let number = format!("R-{}", self.done.bills.len() + 1);
        let fields = json!({"entity": vendor, "tranId": number, "amount": amount.to_string()});
        let made = self.post(place, "netsuite/vendorbill", &fields)?;
        let id = made["id"].as_str().context("a bill got no id")?.to_owned();
        let approve = json!({"action": "approve"});
        self.post(place, &format!("netsuite/vendorbill/{id}"), &approve)?;
        let bill = Bill {
            organization: entity.organization.clone(),
            amount,
        };
        self.done.bills.insert((place, id), bill);
        Ok(())
    }

    fn pay_there(&mut self, place: usize) -> Result<()> {
        let Some((organization, id, bill)) = self.choose(place)? else {
            return Ok(());
        };
        let bill = (place, bill);
        let amount = self.done.bills[&bill].amount;
        let pay = json!({"organization": organization, "bills": [id], "method": "ACH",
            "status": "PROCESSED"});
        let paid = self.post(place, "bill/pay", &pay)?;
        let id = paid["id"].as_str().context("a payment got no id")?;
        self.done.there.push(Payment {
            organization,
            id: id.to_owned(),
            bill: bill.clone(),
            amount,
        });
        self.done.paid.insert(bill);
        Ok(())
    }

    fn pay_here(&mut self, place: usize) -> Result<()> {
        let Some((_, _, bill)) = self.choose(place)? else {
            return Ok(());
        };
        let pay = json!({"bills": [bill]});
        self.post(place, "netsuite/vendorpayment", &pay)?;
        self.done.here.insert((place, bill.clone()));
        self.done.paid.insert((place, bill));
        Ok(())
    }

    /// One of the bills that BILL has and nobody has paid.
    fn choose(&mut self, place: usize) -> Result<Option<Open>> {
        self.look(place)?;
        let paid = &self.done.paid;
        self.seen[place]
            .open
            .retain(|(_, _, bill)| !paid.contains(&(place, bill.clone())));
        let open = self.seen[place].open.len();
        if open == 0 {
            return Ok(None);
        }
        let at = self.below(open);
        Ok(Some(self.seen[place].open.swap_remove(at)))
    }

    fn look(&mut self, place: usize) -> Result<()> {
        if self.seen[place].at.is_some_and(|at| at.elapsed() < FRESH) {
            return Ok(());
        }
        let sandbox = &self.tenants[place].sandbox;
        let records = sandbox.panel(&self.caller, Method::GET, "records", None)?;
        let mut open = Vec::new();
        let organizations = records["bill"]["organizations"].as_object();
        for (organization, held) in organizations.into_iter().flatten() {
            for bill in held["bills"].as_array().into_iter().flatten() {
                let mark = bill["description"].as_str().and_then(marker);
                let ledger = mark.and_then(|mark| Some(mark.rsplit(':').next()?.to_owned()));
                if let (Some(ledger), Some(id)) = (ledger, bill["id"].as_str()) {
                    // A bill that is there twice is for the check at the end.
                    open.push((organization.clone(), id.to_owned(), ledger));
                }
            }
        }
        self.seen[place] = Seen {
            at: Some(Instant::now()),
            open,
        };
        Ok(())
    }

    fn post(&self, place: usize, path: &str, body: &Value) -> Result<Value> {
        let sandbox = &self.tenants[place].sandbox;
        sandbox.panel(&self.caller, Method::POST, path, Some(body))
    }

    fn below(&mut self, most: usize) -> usize {
        usize::try_from(self.dice.below(most as u64)).unwrap_or_default()
    }
}
