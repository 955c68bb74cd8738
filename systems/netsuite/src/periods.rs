//! Posting periods. Locked is not closed: README §Periods.

use tieout_domain::{Fault, Period, PeriodState};

use crate::call::Client;
use crate::suiteql::{Columns, Row, Unreadable, column, optional};

const COLUMNS: Columns = Columns {
    family: "periods",
    columns: &[
        column("p.id", "id"),
        column("p.periodname", "name"),
        column("TO_CHAR(p.startdate, 'YYYY-MM-DD')", "startdate"),
        column("TO_CHAR(p.enddate, 'YYYY-MM-DD')", "enddate"),
        column("p.closed", "closed"),
        column("p.aplocked", "aplocked"),
        column("p.arlocked", "arlocked"),
        optional("p.alllocked", "alllocked", "alllocked"),
        optional("p.allownonglchanges", "nonledger", "allownonglchanges"),
        optional("p.isadjust", "isadjust", "isadjust"),
        optional("p.isposting", "isposting", "isposting"),
    ],
};

impl Client {
    /// Months that can be posted to, oldest first: no quarters, years and adjustment periods.
    pub(crate) async fn periods(&self) -> Result<Vec<Period>, Fault> {
        self.shape().await?;
        let rows = self
            .select_all(COLUMNS, |last| {
                let after = last
                    .map(|row| format!(" AND p.id > {}", row.text("id")))
                    .unwrap_or_default();
                format!(
                    "FROM accountingperiod p WHERE p.isquarter = 'F' AND p.isyear = 'F'{after} \
                     ORDER BY p.id FETCH FIRST 1000 ROWS ONLY"
                )
            })
            .await?;
        let mut periods = Vec::new();
        for row in rows
            .iter()
            .filter(|row| !row.flag("isadjust") && row.text("isposting") != "F")
        {
            match period(row) {
                Ok(period) => periods.push(period),
                Err(Unreadable(cause)) => {
                    tracing::warn!(id = row.text("id"), cause, "a posting period can't be read");
                }
            }
        }
        periods.sort_by_key(|period| period.start);
        Ok(periods)
    }
}

fn period(row: &Row) -> Result<Period, Unreadable> {
    let state = |locked: &str| {
        if row.flag("closed") {
            PeriodState::Closed
        } else if row.flag(locked) || row.flag("alllocked") {
            PeriodState::Locked
        } else {
            PeriodState::Open
        }
    };
    Ok(Period {
        id: row.need_id("id")?,
        name: row.string("name"),
        start: row.need_date("startdate")?,
        end: row.need_date("enddate")?,
        payables: state("aplocked"),
        receivables: state("arlocked"),
        non_ledger_changes: row.flag("nonledger"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::row;

    #[test]
    fn open_locked_and_closed_periods_are_told_apart() {
        let read = |closed: &str, locked: &str| {
            period(&row(&[
                ("id", "101"),
                ("name", "Jun 2026"),
                ("startdate", "2026-06-01"),
                ("enddate", "2026-06-30"),
                ("closed", closed),
                ("aplocked", locked),
            ]))
            .unwrap()
            .payables
        };
        assert_eq!(read("F", "F"), PeriodState::Open);
        assert_eq!(read("F", "T"), PeriodState::Locked);
        assert_eq!(read("T", "T"), PeriodState::Closed);
    }
}
