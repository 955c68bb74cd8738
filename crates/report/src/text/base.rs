//! The base page, for a terminal.

use tieout_flows::tie_out::BasePage;

use super::column::pad;
use super::{ITEM, Paper};
use crate::base;
use crate::format::Format;

impl Paper<'_> {
    pub(super) fn base(&mut self) {
        let report = self.report;
        let Some(page) = &report.base else { return };
        self.section(&base::heading(page));
        self.column.wrapped("", 2, base::NOTE);
        let format = Format::of(page.currency);
        for (text, amount) in base::sums(report, page) {
            self.column.figure(2, &text, &format.amount(amount));
        }
        self.base_lines(page);
        if !page.untold.is_empty() {
            self.column.wrapped("", 2, base::UNTOLD);
        }
        for untold in &page.untold {
            self.column.wrapped("", 4, &base::untold(untold));
        }
    }

    fn base_lines(&mut self, page: &BasePage) {
        let format = Format::of(page.currency);
        for line in &page.lines {
            let head = format!("{}{}", pad(base::code(line), ITEM), base::names(line));
            self.column.figure(0, &head, &format.amount(line.amount));
            for (side, of) in [("ledger", &line.ledger), ("platform", &line.platform)] {
                let text = format!("{side}: {}", base::valued(self.report, page, of));
                self.column.wrapped("", ITEM, &text);
            }
        }
    }
}
