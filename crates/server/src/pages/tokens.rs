//! Tokens of the API in a table.

use maud::Markup;
use tieout_store::ApiToken;

use super::parts::{Cell, Column, Table};
use super::tenants;
use super::users::moment;

/// The table, with the owner where it is about several people's, and what can be done with a token.
pub(super) fn table(tokens: &[ApiToken], owners: bool, act: impl Fn(&str) -> Markup) -> Table {
    let mut columns = vec![Column::text("Token")];
    if owners {
        columns.push(Column::text("Owner"));
    }
    columns.extend([
        Column::text("May"),
        Column::text("Sees"),
        Column::text("Made"),
        Column::text("Good until"),
        Column::text("Last used"),
        Column::act(""),
    ]);
    let mut table = Table::new("tokens", "API tokens", columns)
        .or_empty("No tokens", "A user makes them on their own page.");
    for token in tokens {
        let mut row = vec![Cell::text(&token.name)];
        if owners {
            row.push(Cell::text(&token.user));
        }
        row.extend([
            Cell::text(token.scope.as_str()),
            Cell::text(tenants::seen(&token.tenants)),
            moment(Some(token.created)),
            token
                .expires
                .map_or_else(|| Cell::text("for ever"), |at| moment(Some(at))),
            moment(token.used),
            Cell::shown(act(&token.name), ""),
        ]);
        table.row(row);
    }
    table
}
