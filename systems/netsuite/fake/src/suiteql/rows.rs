//! How many rows a query gives: `FETCH FIRST`, `TOP`, `ROWNUM`.

use sqlparser::ast::{Expr, Fetch, LimitClause, Top, TopQuantity, Value};

use super::Refusal;

/// `ROWNUM <= n`, `ROWNUM < n`, `ROWNUM = 1`; a `ROWNUM` that can never be true gives no rows.
pub(super) fn row_number_limit(condition: &Expr) -> Option<u64> {
    use sqlparser::ast::BinaryOperator as Op;
    let Expr::BinaryOp { left, op, right } = condition else {
        return None;
    };
    let is_rownum = |expr: &Expr| matches!(expr, Expr::Identifier(name) if name.value.eq_ignore_ascii_case("rownum"));
    let count = |expr: &Expr| whole(expr);
    let (op, rows) = if is_rownum(left) {
        (op.clone(), count(right)?)
    } else if is_rownum(right) {
        let turned = match op {
            Op::Lt => Op::Gt,
            Op::LtEq => Op::GtEq,
            Op::Gt => Op::Lt,
            Op::GtEq => Op::LtEq,
            other => other.clone(),
        };
        (turned, count(left)?)
    } else {
        return None;
    };
    Some(match op {
        Op::LtEq => rows,
        Op::Lt => rows.saturating_sub(1),
        Op::Eq => u64::from(rows == 1),
        Op::Gt => {
            if rows == 0 {
                u64::from(u32::MAX)
            } else {
                0
            }
        }
        Op::GtEq => {
            if rows <= 1 {
                u64::from(u32::MAX)
            } else {
                0
            }
        }
        _ => return None,
    })
}

fn whole(expr: &Expr) -> Option<u64> {
    match expr {
        Expr::Value(value) => match &value.value {
            Value::Number(digits, _) => digits.parse().ok(),
            _ => None,
        },
        Expr::Nested(inner) => whole(inner),
        _ => None,
    }
}

/// How many rows, after how many.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Limit {
    pub(super) rows: Option<u64>,
    pub(super) skip: Option<u64>,
}

impl Limit {
    pub(super) fn is_some(self) -> bool {
        self.rows.is_some() || self.skip.is_some()
    }

    pub(super) fn is_none(self) -> bool {
        !self.is_some()
    }

    pub(super) fn text(self) -> String {
        match (self.rows, self.skip) {
            (None, None) => String::new(),
            (Some(rows), None) => format!(" LIMIT {rows}"),
            (None, Some(skip)) => format!(" LIMIT -1 OFFSET {skip}"),
            (Some(rows), Some(skip)) => format!(" LIMIT {rows} OFFSET {skip}"),
        }
    }
}

pub(super) fn row_limit(
    fetch: Option<&Fetch>,
    clause: Option<&LimitClause>,
) -> Result<Limit, Refusal> {
    let mut limit = Limit::default();
    match clause {
        None => {}
        Some(LimitClause::LimitOffset {
            limit: None,
            offset: Some(offset),
            limit_by,
        }) if limit_by.is_empty() => {
            limit.skip = Some(whole(&offset.value).ok_or_else(|| Refusal::unsupported("OFFSET"))?);
        }
        Some(_) => return Err(Refusal::unsupported("LIMIT")),
    }
    if let Some(fetch) = fetch {
        if fetch.with_ties || fetch.percent {
            return Err(Refusal::unsupported("FETCH"));
        }
        limit.rows = match &fetch.quantity {
            None => Some(1),
            Some(quantity) => Some(whole(quantity).ok_or_else(|| Refusal::unsupported("FETCH"))?),
        };
    }
    Ok(limit)
}

pub(super) fn top_limit(top: Option<&Top>) -> Result<Option<u64>, Refusal> {
    let Some(top) = top else { return Ok(None) };
    if top.with_ties || top.percent {
        return Err(Refusal::unsupported("TOP"));
    }
    match &top.quantity {
        Some(TopQuantity::Constant(count)) => Ok(Some(*count)),
        Some(TopQuantity::Expr(expr)) => whole(expr)
            .map(Some)
            .ok_or_else(|| Refusal::unsupported("TOP")),
        None => Err(Refusal::unsupported("TOP")),
    }
}
