//! Applying vendor credits to bills: where a credit pays a bill alone there is no cash, and no payment
//! (scenarios 50, 51).

use tieout_domain::document::VendorCredit;
use tieout_domain::port::Action;
use tieout_domain::{Document, Fault};

use crate::form::Form;
use crate::records::Body;
use crate::vendor_credits::VendorCredits;
use crate::vendor_payments::{moved, same_applications};

/// Changes what a vendor credit is applied to, and nothing else of it.
pub(crate) struct VendorCreditForm;

impl Form for VendorCreditForm {
    type Document = VendorCredit;
    type Source = VendorCredits;

    const SOURCE: VendorCredits = VendorCredits;
    const RECORD: &'static str = "vendorCredit";
    const ACTIONS: &'static [Action] = &[Action::Amend];

    fn of(document: &Document) -> Option<&VendorCredit> {
        match document {
            Document::VendorCredit(found) => Some(found),
            _ => None,
        }
    }

    fn same(there: &VendorCredit, wanted: &VendorCredit) -> bool {
        same_applications(&there.applications, &wanted.applications)
    }

    fn unchanged(there: &VendorCredit, expected: &VendorCredit) -> bool {
        there.vendor == expected.vendor
            && there.total == expected.total
            && same_applications(&there.applications, &expected.applications)
    }

    fn difference(
        there: &VendorCredit,
        _expected: Option<&VendorCredit>,
        wanted: &VendorCredit,
    ) -> Result<Body, Fault> {
        let mut body = Body::default();
        body.items("apply", moved(&there.applications, &wanted.applications));
        Ok(body)
    }
}
