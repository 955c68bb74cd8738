//! What the general ledger tells of the control accounts of payables or receivables: balances, open items, lines
//! without a vendor or customer (README §Control accounts).
//!
//! A row that can't be read makes the whole answer `drift`: what is held against a balance must be complete.

mod paging;
mod rows;
mod text;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use async_trait::async_trait;
use tieout_domain::code::Code;
use tieout_domain::port::PageToken;
use tieout_domain::subledger::{
    Asked, Balance, Basis, Book, Movement, Posting, PostingKind, Subledger, Told,
};
use tieout_domain::{Date, Fault, RemoteId};

use crate::accounts;
use crate::call::Client;
use crate::probe::Shape;
use crate::problem::unknown_column;
use crate::receivables::is_undeposited_funds;
use crate::suiteql::{PAGE, Row, Rows, Unreadable, id_list, is_whole_number, may_be_a_column};
use paging::Place;
use rows::{balance, key, kind, movement, posting};
use text::{Has, Party, Scope, Stretch};

/// Columns that an account may lack, by the names under which refusals tell of them.
const CURRENCY: &str = "currency";
const BOOK: &str = "accountingbook";
const EXTERNAL_ID: &str = "externalid";
const CLOCK: &str = "current_timestamp";

/// Reads the control accounts of one connection.
pub(crate) struct ControlAccounts {
    pub(crate) client: Arc<Client>,
    /// Rows of a page.
    pub(crate) page: usize,
}

impl ControlAccounts {
    pub(crate) fn new(client: Arc<Client>) -> Self {
        Self { client, page: PAGE }
    }
}

fn drift(cause: String) -> Fault {
    Fault::Drift {
        code: Code::new("drift"),
        cause,
    }
}

fn remembered(name: &str) -> String {
    format!("subledger.{name}")
}

/// An answer of the service, before it is read.
struct Answer {
    asked: Asked,
    rows: Vec<Row>,
    more: bool,
    shape: Arc<Shape>,
}

impl ControlAccounts {
    fn has(&self) -> Has {
        let hidden = self.client.profile.hidden();
        let has = |name: &str| !hidden.contains(&remembered(name));
        Has {
            currency: has(CURRENCY),
            book: has(BOOK),
            external_id: has(EXTERNAL_ID),
            clock: has(CLOCK),
        }
    }

    /// Asks, leaving out what the account says that it lacks. A column that amounts depend on is left out
    /// only where the refusal names it: without the book's, lines would count once for each book.
    async fn ask(
        &self,
        accounts: &[RemoteId],
        query: impl Fn(&Scope<'_>) -> String,
    ) -> Result<Answer, Fault> {
        if let Some(odd) = accounts.iter().find(|id| !is_whole_number(id.as_str())) {
            return Err(drift(format!("`{odd}` is no internal id of an account")));
        }
        let shape = self.client.shape().await?;
        let text = |has: Has| {
            query(&Scope {
                book: self.book(),
                accounts,
                subsidiary: self.client.settings.subsidiary.as_ref(),
                has,
            })
        };
        let (sql, Rows { rows, .. }) = loop {
            let has = self.has();
            let sql = text(has);
            let fault = match self.client.query(&sql, &[]).await {
                Ok(rows) => break (sql, rows),
                Err(fault) => fault,
            };
            let named = match &fault {
                Fault::Refused { cause, .. } => unknown_column(cause),
                _ => None,
            };
            let missing = match named {
                Some(name) => [CURRENCY, BOOK, EXTERNAL_ID, CLOCK]
                    .into_iter()
                    .find(|known| *known == name),
                None if may_be_a_column(&fault) => self.culprit(has, &text).await,
                None => None,
            };
            let hidden = match missing {
                Some(name) => self.client.hide(remembered(name)).await,
                None => false,
            };
            if !hidden {
                return Err(match fault {
                    Fault::Refused { cause, .. } => {
                        drift(format!("reading the control accounts was refused: {cause}"))
                    }
                    other => other,
                });
            }
        };
        let server_time = match rows.first().map(|row| row.text("asked")) {
            Some(asked) if !asked.is_empty() => asked.to_owned(),
            _ => self.client.clock().await?,
        };
        let unknown = rows.iter().any(|row| {
            row.id("currency")
                .is_some_and(|id| shape.currency(Some(&id), None).is_none())
        });
        // A currency that isn't known may be new.
        let shape = if unknown {
            self.client.shape_anew().await?
        } else {
            shape
        };
        Ok(Answer {
            asked: Asked {
                query: sql,
                server_time,
            },
            more: rows.len() >= self.page,
            rows,
            shape,
        })
    }

    /// Some missing columns make the service fail without naming them: tries without those on which no amount
    /// depends. What works without one must fail again with it.
    async fn culprit(&self, has: Has, text: &impl Fn(Has) -> String) -> Option<&'static str> {
        let tries = [
            (
                has.clock,
                CLOCK,
                Has {
                    clock: false,
                    ..has
                },
            ),
            (
                has.external_id,
                EXTERNAL_ID,
                Has {
                    external_id: false,
                    ..has
                },
            ),
        ];
        for (there, name, without) in tries {
            if there && self.client.query(&text(without), &[]).await.is_ok() {
                let again = self.client.query(&text(has), &[]).await;
                let fails = again.is_err_and(|fault| may_be_a_column(&fault));
                return fails.then_some(name);
            }
        }
        None
    }

    /// Sums: always one page, or it is no answer.
    async fn sums<T>(
        &self,
        accounts: &[RemoteId],
        query: impl Fn(&Scope<'_>) -> String,
        read: impl Fn(&Row, &Shape, Option<&RemoteId>) -> Result<T, Unreadable>,
    ) -> Result<Told<T>, Fault> {
        let answer = self.ask(accounts, query).await?;
        if answer.rows.len() >= PAGE {
            return Err(drift(
                "sums of control accounts fill a whole page".to_owned(),
            ));
        }
        let subsidiary = self.client.settings.subsidiary.as_ref();
        let rows = answer
            .rows
            .iter()
            .map(|row| {
                read(row, &answer.shape, subsidiary).map_err(|Unreadable(cause)| {
                    let of = match (row.text("account"), row.text("type")) {
                        ("", "") => "all open items".to_owned(),
                        ("", kind) => format!("`{kind}`"),
                        (account, _) => format!("account {account}"),
                    };
                    drift(format!("the sum of {of} can't be read: {cause}"))
                })
            })
            .collect::<Result<_, _>>()?;
        Ok(Told {
            asked: answer.asked,
            rows,
            next: None,
        })
    }

    /// A page of postings.
    async fn listed(
        &self,
        accounts: &[RemoteId],
        token: Option<&PageToken>,
        query: impl Fn(&Scope<'_>, &Stretch) -> String,
    ) -> Result<Told<Posting>, Fault> {
        let place = match token {
            Some(token) => Place::read(token)?,
            None => Place::first(self.newest().await?, self.page),
        };
        let stretch = place.stretch();
        let answer = self.ask(accounts, |scope| query(scope, &stretch)).await?;
        let subsidiary = self.client.settings.subsidiary.as_ref();
        let mut rows = Vec::with_capacity(answer.rows.len());
        let mut last = stretch.after;
        for row in &answer.rows {
            let unreadable = |Unreadable(cause): Unreadable| {
                drift(format!(
                    "transaction {} can't be read: {cause}",
                    row.text("id")
                ))
            };
            let key = key(row).map_err(unreadable)?;
            // What comes twice or out of turn would be counted twice, or be left out by the next page.
            if (key.id, key.account, key.party) <= (last.id, last.account, last.party) {
                return Err(drift(format!(
                    "transaction {} came twice or out of turn",
                    row.text("id")
                )));
            }
            rows.push(posting(row, &answer.shape, subsidiary).map_err(unreadable)?);
            last = key;
        }
        let cut_off = answer.more.then_some(last);
        let next = place.next(rows.len(), cut_off, self.page);
        Ok(Told {
            asked: answer.asked,
            rows,
            next: next.map(|place| place.token()).transpose()?,
        })
    }

    /// Accounts of the general ledger that a condition holds for, with what people call them.
    async fn accounts(&self, which: &str) -> Result<Vec<(RemoteId, String)>, Fault> {
        self.client.shape().await?;
        let rows = self
            .client
            .select_all(accounts::COLUMNS, |last| {
                let after = last
                    .map(|row| format!(" AND t.id > {}", row.text("id")))
                    .unwrap_or_default();
                format!(
                    "FROM account t WHERE {which}{after} ORDER BY t.id FETCH FIRST {PAGE} ROWS ONLY"
                )
            })
            .await?;
        let mut all = Vec::with_capacity(rows.len());
        for row in &rows {
            let unreadable = |Unreadable(cause): Unreadable| {
                drift(format!("account {} can't be read: {cause}", row.text("id")))
            };
            let id = row.need_id("id").map_err(unreadable)?;
            let account = accounts::account(row).map_err(unreadable)?;
            all.push((id, account.label()));
        }
        Ok(all)
    }

    /// The newest transaction's id; 0 where there is none.
    async fn newest(&self) -> Result<i64, Fault> {
        // A subsidiary that isn't there is told of before anything is read of it.
        self.client.shape().await?;
        let rows = self.client.query(&Scope::newest(), &[]).await?.rows;
        Ok(rows
            .first()
            .and_then(|row| row.number("newest"))
            .unwrap_or(0))
    }
}

#[async_trait]
impl Subledger for ControlAccounts {
    fn book(&self) -> Book {
        if self.client.settings.receivables {
            Book::Receivables
        } else {
            Book::Payables
        }
    }

    async fn control_accounts(&self) -> Result<Vec<(RemoteId, String)>, Fault> {
        let named = match self.book() {
            Book::Payables => self.client.settings.payables_accounts.as_slice(),
            Book::Receivables => &[],
        };
        let which = match self.book() {
            Book::Payables if !named.is_empty() => format!("t.id IN ({})", id_list(named)),
            Book::Payables => "t.accttype = 'AcctPay'".to_owned(),
            Book::Receivables => "t.accttype = 'AcctRec'".to_owned(),
        };
        let all = self.accounts(&which).await?;
        // One that is named and not there would leave its part out of every sum.
        match named
            .iter()
            .find(|id| !all.iter().any(|(known, _)| known == *id))
        {
            Some(lost) => Err(drift(format!(
                "`payables_accounts` names the account {lost}, which isn't there or can't be seen"
            ))),
            None => Ok(all),
        }
    }

    async fn undeposited_funds(&self) -> Result<Vec<(RemoteId, String)>, Fault> {
        let found = self.accounts("t.accttype = 'OthCurrAsset'").await?;
        Ok(found
            .into_iter()
            .filter(|(_, label)| is_undeposited_funds(label))
            .collect())
    }

    async fn balances(
        &self,
        accounts: &[RemoteId],
        until: Date,
        basis: Basis,
    ) -> Result<Told<Balance>, Fault> {
        self.sums(accounts, |scope| scope.balances(until, basis), balance)
            .await
    }

    async fn movements(
        &self,
        accounts: &[RemoteId],
        from: Date,
        until: Date,
        basis: Basis,
    ) -> Result<Told<Movement>, Fault> {
        self.sums(
            accounts,
            |scope| scope.movements(from, until, basis),
            |row, shape, subsidiary| movement(row, kind(row)?, shape, subsidiary),
        )
        .await
    }

    async fn open_items(
        &self,
        accounts: &[RemoteId],
        until: Date,
        basis: Basis,
        token: Option<&PageToken>,
    ) -> Result<Told<Posting>, Fault> {
        self.listed(accounts, token, |scope, stretch| {
            scope.open_items(until, basis, stretch, self.page)
        })
        .await
    }

    async fn open_totals(
        &self,
        accounts: &[RemoteId],
        until: Date,
        basis: Basis,
    ) -> Result<Told<Movement>, Fault> {
        let told = self
            .sums(
                accounts,
                |scope| scope.open_totals(until, basis),
                |row, shape, subsidiary| {
                    // Without currencies there is one row, also where nothing is open.
                    if row.text("documents") == "0" {
                        return Ok(None);
                    }
                    // All types together: which they are is no part of this check.
                    let kind = PostingKind::Other(String::new());
                    movement(row, kind, shape, subsidiary).map(Some)
                },
            )
            .await?;
        Ok(Told {
            asked: told.asked,
            rows: told.rows.into_iter().flatten().collect(),
            next: None,
        })
    }

    async fn loose_lines(
        &self,
        accounts: &[RemoteId],
        until: Date,
        basis: Basis,
        token: Option<&PageToken>,
    ) -> Result<Told<Posting>, Fault> {
        self.listed(accounts, token, |scope, stretch| {
            scope.postings(Party::Nobody, until, basis, stretch, self.page)
        })
        .await
    }

    async fn postings(
        &self,
        accounts: &[RemoteId],
        until: Date,
        basis: Basis,
        token: Option<&PageToken>,
    ) -> Result<Told<Posting>, Fault> {
        self.listed(accounts, token, |scope, stretch| {
            scope.postings(Party::Any, until, basis, stretch, self.page)
        })
        .await
    }
}
