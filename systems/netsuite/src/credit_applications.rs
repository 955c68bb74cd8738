//! Applying vendor credits to bills: where a credit pays a bill alone there is no cash, and no payment
//! (scenarios 50, 51).

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tieout_domain::document::VendorCredit;
use tieout_domain::port::{Action, Answer, Observed, Order, Write};
use tieout_domain::{Document, Fault, Kind, Timestamp};

use crate::call::Client;
use crate::journals::wrong_kind;
use crate::probe::Shape;
use crate::reader::Reader;
use crate::records::Body;
use crate::upsert::{Amend, BULK, Upsert, amend, candidates, not_supported};
use crate::vendor_credits::VendorCredits;
use crate::vendor_payments::{moved, same_applications};

/// Changes what a vendor credit is applied to, and nothing else of it.
pub(crate) struct CreditWriter {
    pub(crate) client: Arc<Client>,
}

fn credit(document: &Document) -> Result<&VendorCredit, Fault> {
    match document {
        Document::VendorCredit(credit) => Ok(credit),
        other => Err(wrong_kind(other)),
    }
}

#[async_trait]
impl Upsert for CreditWriter {
    fn client(&self) -> &Client {
        &self.client
    }

    fn record(&self) -> &'static str {
        "vendorCredit"
    }

    fn kind(&self) -> Kind {
        Kind::VendorCredit
    }

    fn body(&self, _shape: &Shape, document: &Document) -> Result<Body, Fault> {
        Err(wrong_kind(document))
    }

    async fn found(&self, condition: &str, parameters: &[String]) -> Result<Vec<Observed>, Fault> {
        let reader = Reader {
            client: Arc::clone(&self.client),
            source: VendorCredits,
        };
        reader.matching(condition, parameters).await
    }

    fn same(&self, there: &Document, wanted: &Document) -> bool {
        let (Ok(there), Ok(wanted)) = (credit(there), credit(wanted)) else {
            return false;
        };
        same_applications(&there.applications, &wanted.applications)
    }
}

impl Amend for CreditWriter {
    fn unchanged(&self, there: &Document, expected: &Document) -> bool {
        let (Ok(there), Ok(expected)) = (credit(there), credit(expected)) else {
            return false;
        };
        there.vendor == expected.vendor
            && there.total == expected.total
            && same_applications(&there.applications, &expected.applications)
    }

    fn difference(
        &self,
        there: &Document,
        _expected: Option<&Document>,
        wanted: &Document,
    ) -> Result<Body, Fault> {
        let (there, wanted) = (credit(there)?, credit(wanted)?);
        let mut body = Body::default();
        body.items("apply", moved(&there.applications, &wanted.applications));
        Ok(body)
    }
}

#[async_trait]
impl Write for CreditWriter {
    fn bulk_max(&self, _action: Action) -> usize {
        BULK
    }

    fn repeatable(&self, action: Action) -> bool {
        action == Action::Amend
    }

    fn settle(&self) -> Duration {
        self.client.settings.settle
    }

    async fn write(&self, orders: &[Order]) -> Vec<Answer> {
        match orders.first().map(|order| order.action) {
            Some(Action::Amend) => amend(self, orders).await,
            _ => not_supported(orders),
        }
    }

    async fn candidates(
        &self,
        orders: &[Order],
        _since: Timestamp,
    ) -> Result<Vec<Observed>, Fault> {
        candidates(self, orders).await
    }
}
