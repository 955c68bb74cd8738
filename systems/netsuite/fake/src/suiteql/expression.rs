//! Expressions: operators, conditions, literals. Functions are in `call`.

use std::ops::ControlFlow;

use sqlparser::ast::{
    BinaryOperator as Op, DateTimeField, Expr, Interval, Query, UnaryOperator, Value, Visit,
    Visitor,
};

use super::Refusal;
use super::query::Translator;
use super::scope::Scope;
use super::types::{Ty, Typed, common, compared, quoted};

/// The most items an `IN` list may have.
const MOST_ITEMS: usize = 1000;

/// Whether an expression has an aggregate of its own (not in a subquery, not a window).
pub(super) fn aggregates(expr: &Expr) -> bool {
    struct Search {
        depth: usize,
    }
    impl Visitor for Search {
        type Break = ();
        fn pre_visit_query(&mut self, _: &Query) -> ControlFlow<()> {
            self.depth += 1;
            ControlFlow::Continue(())
        }
        fn post_visit_query(&mut self, _: &Query) -> ControlFlow<()> {
            self.depth -= 1;
            ControlFlow::Continue(())
        }
        fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
            match expr {
                Expr::Function(function)
                    if self.depth == 0
                        && function.over.is_none()
                        && super::call::is_aggregate(&function.name.to_string()) =>
                {
                    ControlFlow::Break(())
                }
                _ => ControlFlow::Continue(()),
            }
        }
    }
    expr.visit(&mut Search { depth: 0 }).is_break()
}

impl Translator<'_> {
    /// A condition, ready for `WHERE`.
    pub(super) fn condition(&mut self, expr: &Expr, scope: &Scope<'_>) -> Result<String, Refusal> {
        let typed = self.expression(expr, scope)?;
        match typed.ty {
            Ty::Condition => Ok(typed.sql),
            _ => Err(Refusal::unsupported("a condition is expected")),
        }
    }

    /// A value: anything but a condition.
    pub(super) fn value(&mut self, expr: &Expr, scope: &Scope<'_>) -> Result<Typed, Refusal> {
        let typed = self.expression(expr, scope)?;
        match typed.ty {
            Ty::Condition => Err(Refusal::unsupported("a value is expected")),
            _ => Ok(typed),
        }
    }

    /// A value as a value of `ty`.
    pub(super) fn as_type(
        &mut self,
        expr: &Expr,
        scope: &Scope<'_>,
        ty: Ty,
    ) -> Result<String, Refusal> {
        self.value(expr, scope)?.to(ty, self.session.date_format)
    }

    /// Any expression.
    pub(super) fn expression(&mut self, expr: &Expr, scope: &Scope<'_>) -> Result<Typed, Refusal> {
        let grouped = self
            .grouping
            .as_ref()
            .is_some_and(|grouping| grouping.written.contains(&expr.to_string().to_lowercase()));
        self.exempt += usize::from(grouped);
        let typed = self.any(expr, scope);
        self.exempt -= usize::from(grouped);
        typed
    }

    #[allow(clippy::too_many_lines)] // one arm for each kind of expression
    fn any(&mut self, expr: &Expr, scope: &Scope<'_>) -> Result<Typed, Refusal> {
        let condition = |sql: String| Ok(Typed::new(sql, Ty::Condition));
        match expr {
            Expr::Identifier(name) => self.identifier(&name.value, name.quote_style, scope),
            Expr::CompoundIdentifier(names) => match names.as_slice() {
                [alias, name] => {
                    let found =
                        scope.qualified(&alias.value.to_lowercase(), &name.value.to_lowercase())?;
                    self.allowed(found)
                }
                _ => Err(Refusal::unsupported("")),
            },
            Expr::OuterJoin(inner) => self.expression(inner, scope),
            Expr::Nested(inner) => {
                let typed = self.expression(inner, scope)?;
                Ok(Typed {
                    sql: format!("({})", typed.sql),
                    ..typed
                })
            }
            Expr::Value(value) => literal(&value.value),
            Expr::TypedString(typed) => match &typed.value.value {
                Value::SingleQuotedString(text) => dated(&typed.data_type.to_string(), text),
                _ => Err(Refusal::unsupported("")),
            },
            Expr::UnaryOp {
                op: UnaryOperator::Not,
                expr,
            } => condition(format!("(NOT {})", self.condition(expr, scope)?)),
            Expr::UnaryOp {
                op: UnaryOperator::Minus,
                expr,
            } => {
                let typed = self.number(expr, scope)?;
                let literal = typed.literal.as_ref().map(|digits| format!("-{digits}"));
                Ok(Typed {
                    literal,
                    ..Typed::new(format!("-{}", typed.sql), typed.ty)
                })
            }
            Expr::UnaryOp {
                op: UnaryOperator::Plus,
                expr,
            } => self.number(expr, scope),
            Expr::BinaryOp { left, op, right } => self.binary(left, op, right, scope),
            Expr::IsNull(inner) => {
                condition(format!("({} IS NULL)", self.value(inner, scope)?.sql))
            }
            Expr::IsNotNull(inner) => {
                condition(format!("({} IS NOT NULL)", self.value(inner, scope)?.sql))
            }
            Expr::Between {
                expr,
                negated,
                low,
                high,
            } => {
                let subject = self.value(expr, scope)?;
                let low = self.value(low, scope)?;
                let high = self.value(high, scope)?;
                let from = self.compare(&subject, &Op::GtEq, &low)?;
                let to = self.compare(&subject, &Op::LtEq, &high)?;
                condition(format!(
                    "({}({from} AND {to}))",
                    if *negated { "NOT " } else { "" }
                ))
            }
            Expr::InList {
                expr,
                list,
                negated,
            } => self.in_list(expr, list, *negated, scope),
            Expr::InSubquery {
                expr,
                subquery,
                negated,
            } => {
                let subject = self.value(expr, scope)?;
                let shape = self.query(subquery, Some(scope), false)?;
                let [column] = shape.columns.as_slice() else {
                    return Err(Refusal::unsupported("too many values"));
                };
                let ty = compared(subject.ty, column.ty);
                let format = self.session.date_format;
                let name = super::types::named(&column.name);
                let inner = Typed::new(name, column.ty).to(ty, format)?;
                condition(format!(
                    "({} {}IN (SELECT {inner} FROM ({})))",
                    subject.to(ty, format)?,
                    if *negated { "NOT " } else { "" },
                    shape.sql
                ))
            }
            Expr::Exists { subquery, negated } => {
                let shape = self.query(subquery, Some(scope), false)?;
                condition(format!(
                    "({}EXISTS ({}))",
                    if *negated { "NOT " } else { "" },
                    shape.sql
                ))
            }
            Expr::Subquery(subquery) => {
                let shape = self.query(subquery, Some(scope), false)?;
                let [column] = shape.columns.as_slice() else {
                    return Err(Refusal::unsupported("too many values"));
                };
                Ok(Typed::new(format!("({})", shape.sql), column.ty))
            }
            Expr::Like {
                negated,
                any: false,
                expr,
                pattern,
                escape_char,
            } => {
                let subject = self.as_type(expr, scope, Ty::Text)?;
                let pattern = self.as_type(pattern, scope, Ty::Text)?;
                let escape = match escape_char {
                    Some(escape) => format!(", {}", self.as_type(escape, scope, Ty::Text)?),
                    None => String::new(),
                };
                condition(format!(
                    "({}ns_like({subject}, {pattern}{escape}))",
                    if *negated { "NOT " } else { "" }
                ))
            }
            Expr::Case {
                operand,
                conditions,
                else_result,
                ..
            } => self.case(
                operand.as_deref(),
                conditions,
                else_result.as_deref(),
                scope,
            ),
            Expr::Function(function) => self.call(function, scope),
            Expr::Cast {
                expr,
                data_type,
                kind: sqlparser::ast::CastKind::Cast,
                ..
            } => self.cast(expr, &data_type.to_string(), scope),
            Expr::Ceil { expr, .. } => Ok(Typed::new(
                format!("ns_ceil({})", self.as_type(expr, scope, Ty::Dec)?),
                Ty::Int,
            )),
            Expr::Floor { expr, .. } => Ok(Typed::new(
                format!("ns_floor({})", self.as_type(expr, scope, Ty::Dec)?),
                Ty::Int,
            )),
            Expr::Trim {
                trim_where,
                trim_what,
                expr,
                trim_characters: None,
            } => {
                use sqlparser::ast::TrimWhereField as Where;
                let subject = self.as_type(expr, scope, Ty::Text)?;
                let word = match trim_where {
                    Some(Where::Leading) => "ltrim",
                    Some(Where::Trailing) => "rtrim",
                    _ => "trim",
                };
                let what = match trim_what {
                    Some(what) => format!(", {}", self.as_type(what, scope, Ty::Text)?),
                    None => String::new(),
                };
                Ok(Typed::new(
                    format!("NULLIF({word}({subject}{what}), '')"),
                    Ty::Text,
                ))
            }
            Expr::Substring {
                expr,
                substring_from,
                substring_for,
                shorthand: true,
                ..
            } => {
                let subject = self.as_type(expr, scope, Ty::Text)?;
                let mut parts = vec![subject];
                for part in [substring_from, substring_for].into_iter().flatten() {
                    parts.push(self.as_type(part, scope, Ty::Int)?);
                }
                Ok(Typed::new(
                    format!("ns_substr({})", parts.join(", ")),
                    Ty::Text,
                ))
            }
            Expr::Extract { field, expr, .. } => {
                let date = self.as_type(expr, scope, Ty::Date)?;
                let field = field.to_string().to_uppercase();
                match field.as_str() {
                    "YEAR" | "MONTH" | "DAY" | "HOUR" | "MINUTE" | "SECOND" => Ok(Typed::new(
                        format!("ns_extract({date}, '{field}')"),
                        Ty::Int,
                    )),
                    _ => Err(Refusal::unsupported("EXTRACT")),
                }
            }
            Expr::AtTimeZone {
                timestamp,
                time_zone,
            } => {
                let stamp = self.as_type(timestamp, scope, Ty::Stamp)?;
                let zone = self.as_type(time_zone, scope, Ty::Text)?;
                Ok(Typed::new(format!("ns_at_zone({stamp}, {zone})"), Ty::Date))
            }
            Expr::Interval(interval) => days(interval),
            _ => Err(Refusal::unsupported("")),
        }
    }

    /// A column may stand in a grouped query only if it is grouped by.
    fn allowed(&self, (typed, own): (Typed, bool)) -> Result<Typed, Refusal> {
        match &self.grouping {
            Some(grouping)
                if own && self.exempt == 0 && !grouping.translated.contains(&typed.sql) =>
            {
                Err(Refusal::unsupported("not a GROUP BY expression"))
            }
            _ => Ok(typed),
        }
    }

    fn identifier(
        &mut self,
        name: &str,
        quote: Option<char>,
        scope: &Scope<'_>,
    ) -> Result<Typed, Refusal> {
        let lower = name.to_lowercase();
        let found = scope.find(&lower);
        if found.is_err() && quote.is_none() {
            let now = self.session.now;
            match lower.as_str() {
                "sysdate" => {
                    let pacific = jiff::tz::TimeZone::get("America/Los_Angeles")
                        .unwrap_or(jiff::tz::TimeZone::UTC);
                    let local = super::datetime::write(pacific.to_datetime(now));
                    return Ok(Typed::new(quoted(&local), Ty::Date));
                }
                "current_date" | "localtimestamp" => {
                    let local = super::datetime::write(self.session.time_zone.to_datetime(now));
                    return Ok(Typed::new(quoted(&local), Ty::Date));
                }
                "current_timestamp" | "systimestamp" => {
                    return Ok(Typed::new(quoted(&crate::schema::stamp(now)), Ty::Stamp));
                }
                "rownum" => return Ok(Typed::new("(ROW_NUMBER() OVER ())", Ty::Int)),
                _ => {}
            }
        }
        self.allowed(found?)
    }

    /// A number; a text becomes one.
    pub(super) fn number(&mut self, expr: &Expr, scope: &Scope<'_>) -> Result<Typed, Refusal> {
        let typed = self.value(expr, scope)?;
        match typed.ty {
            Ty::Int | Ty::Dec | Ty::Null => Ok(typed),
            Ty::Text | Ty::Param => Ok(Typed::new(
                typed.to(Ty::Dec, self.session.date_format)?,
                Ty::Dec,
            )),
            _ => Err(Refusal::unsupported("a number is expected")),
        }
    }

    fn binary(
        &mut self,
        left: &Expr,
        op: &Op,
        right: &Expr,
        scope: &Scope<'_>,
    ) -> Result<Typed, Refusal> {
        match op {
            Op::And | Op::Or => {
                let (l, r) = (self.condition(left, scope)?, self.condition(right, scope)?);
                let word = if *op == Op::And { "AND" } else { "OR" };
                Ok(Typed::new(format!("({l} {word} {r})"), Ty::Condition))
            }
            Op::Eq | Op::NotEq | Op::Lt | Op::LtEq | Op::Gt | Op::GtEq => {
                let (l, r) = (self.value(left, scope)?, self.value(right, scope)?);
                Ok(Typed::new(self.compare(&l, op, &r)?, Ty::Condition))
            }
            Op::StringConcat => {
                let l = self.as_type(left, scope, Ty::Text)?;
                let r = self.as_type(right, scope, Ty::Text)?;
                // For Oracle a null joined to a text is an empty text.
                Ok(Typed::new(
                    format!("NULLIF(COALESCE({l}, '') || COALESCE({r}, ''), '')"),
                    Ty::Text,
                ))
            }
            Op::Plus | Op::Minus | Op::Multiply | Op::Divide => {
                let (l, r) = (self.value(left, scope)?, self.value(right, scope)?);
                self.arithmetic(&l, op, &r)
            }
            _ => Err(Refusal::unsupported(&op.to_string())),
        }
    }

    fn arithmetic(&mut self, left: &Typed, op: &Op, right: &Typed) -> Result<Typed, Refusal> {
        let format = self.session.date_format;
        let dated = |ty: Ty| matches!(ty, Ty::Date | Ty::Stamp);
        match (dated(left.ty), op, dated(right.ty)) {
            (true, Op::Minus, true) => {
                let (l, r) = (left.to(Ty::Date, format)?, right.to(Ty::Date, format)?);
                return Ok(Typed::new(format!("ns_date_diff({l}, {r})"), Ty::Dec));
            }
            (true, Op::Plus | Op::Minus, false) => {
                let sign = if *op == Op::Minus { "-" } else { "" };
                let (l, r) = (left.to(Ty::Date, format)?, right.to(Ty::Dec, format)?);
                return Ok(Typed::new(
                    format!("ns_date_add({l}, {sign}({r}))"),
                    Ty::Date,
                ));
            }
            (false, Op::Plus, true) => {
                let (l, r) = (right.to(Ty::Date, format)?, left.to(Ty::Dec, format)?);
                return Ok(Typed::new(format!("ns_date_add({l}, {r})"), Ty::Date));
            }
            (false, _, false) => {}
            _ => return Err(Refusal::unsupported("inconsistent datatypes")),
        }
        let whole = left.ty == Ty::Int && right.ty == Ty::Int;
        if whole && *op != Op::Divide {
            return Ok(Typed::new(
                format!("({} {op} {})", left.sql, right.sql),
                Ty::Int,
            ));
        }
        let (l, r) = (left.to(Ty::Dec, format)?, right.to(Ty::Dec, format)?);
        let sql = match op {
            Op::Plus | Op::Minus => format!("({l} {op} {r})"),
            Op::Multiply if right.ty == Ty::Int => format!("({l} * {})", right.sql),
            Op::Multiply if left.ty == Ty::Int => format!("({} * {r})", left.sql),
            Op::Multiply => format!("ns_mul({l}, {r})"),
            _ => format!("ns_div({l}, {r})"),
        };
        Ok(Typed::new(sql, Ty::Dec))
    }

    /// `left op right`, each brought to the type in which they are compared.
    pub(super) fn compare(
        &mut self,
        left: &Typed,
        op: &Op,
        right: &Typed,
    ) -> Result<String, Refusal> {
        let format = self.session.date_format;
        let op_text = op.to_string();
        match (left.ty, right.ty) {
            (Ty::Stamp, Ty::Date | Ty::Text | Ty::Param) => {
                let right = right.to(Ty::Date, format)?;
                return Ok(local_comparison(&left.sql, op, &right));
            }
            (Ty::Date | Ty::Text | Ty::Param, Ty::Stamp) => {
                let left = left.to(Ty::Date, format)?;
                return Ok(local_comparison(&right.sql, &turned(op), &left));
            }
            _ => {}
        }
        let ty = compared(left.ty, right.ty);
        if ty == Ty::Condition {
            return Err(Refusal::unsupported(""));
        }
        // A fraction is never equal to a whole number, but must not be refused.
        let ty = if ty == Ty::Int && [left, right].iter().any(|side| fractional(side)) {
            Ty::Dec
        } else {
            ty
        };
        Ok(format!(
            "({} {op_text} {})",
            left.to(ty, format)?,
            right.to(ty, format)?
        ))
    }

    fn in_list(
        &mut self,
        expr: &Expr,
        list: &[Expr],
        negated: bool,
        scope: &Scope<'_>,
    ) -> Result<Typed, Refusal> {
        if list.len() > MOST_ITEMS {
            return Err(Refusal::search(
                "The maximum number of expressions in a list is 1000.",
            ));
        }
        let subject = self.value(expr, scope)?;
        let items = list
            .iter()
            .map(|item| self.value(item, scope))
            .collect::<Result<Vec<_>, _>>()?;
        let mut ty = subject.ty;
        for item in &items {
            ty = compared(ty, item.ty);
        }
        if ty == Ty::Stamp && items.iter().any(|item| item.ty != Ty::Stamp) {
            ty = Ty::Date;
        }
        let format = self.session.date_format;
        let items = items
            .iter()
            .map(|item| item.to(ty, format))
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Typed::new(
            format!(
                "({} {}IN ({}))",
                subject.to(ty, format)?,
                if negated { "NOT " } else { "" },
                items.join(", ")
            ),
            Ty::Condition,
        ))
    }

    fn case(
        &mut self,
        operand: Option<&Expr>,
        conditions: &[sqlparser::ast::CaseWhen],
        otherwise: Option<&Expr>,
        scope: &Scope<'_>,
    ) -> Result<Typed, Refusal> {
        let subject = operand
            .map(|operand| self.value(operand, scope))
            .transpose()?;
        let mut branches = Vec::new();
        for branch in conditions {
            let when = match &subject {
                Some(subject) => {
                    let value = self.value(&branch.condition, scope)?;
                    self.compare(subject, &Op::Eq, &value)?
                }
                None => self.condition(&branch.condition, scope)?,
            };
            branches.push((when, self.value(&branch.result, scope)?));
        }
        let otherwise = match otherwise {
            Some(otherwise) => self.value(otherwise, scope)?,
            None => Typed::null(),
        };
        self.branches(branches, otherwise)
    }

    /// A `CASE` whose results are brought to one type.
    pub(super) fn branches(
        &mut self,
        branches: Vec<(String, Typed)>,
        otherwise: Typed,
    ) -> Result<Typed, Refusal> {
        let ty = branches
            .iter()
            .fold(otherwise.ty, |ty, (_, result)| common(ty, result.ty));
        let ty = if ty == Ty::Param { Ty::Text } else { ty };
        let format = self.session.date_format;
        let mut sql = "(CASE".to_owned();
        for (when, result) in &branches {
            sql.push_str(&format!(" WHEN {when} THEN {}", result.to(ty, format)?));
        }
        sql.push_str(&format!(" ELSE {} END)", otherwise.to(ty, format)?));
        Ok(Typed::new(sql, ty))
    }

    fn cast(&mut self, expr: &Expr, target: &str, scope: &Scope<'_>) -> Result<Typed, Refusal> {
        let upper = target.to_uppercase();
        let word: String = upper
            .chars()
            .take_while(char::is_ascii_alphanumeric)
            .collect();
        let (ty, whole) = match word.as_str() {
            "VARCHAR2" | "VARCHAR" | "CHAR" | "NVARCHAR2" | "CLOB" => (Ty::Text, false),
            "INTEGER" | "INT" | "SMALLINT" => (Ty::Dec, true),
            "NUMBER" | "NUMERIC" | "DECIMAL" | "FLOAT" => (Ty::Dec, false),
            "DATE" => (Ty::Date, false),
            "TIMESTAMP" => (Ty::Stamp, false),
            _ => return Err(Refusal::unsupported("CAST")),
        };
        let sql = self.as_type(expr, scope, ty)?;
        if whole {
            return Ok(Typed::new(
                format!("(ns_round({sql}, 0) / {})", crate::schema::UNIT),
                Ty::Int,
            ));
        }
        Ok(Typed::new(sql, ty))
    }
}

/// A stored point in time compared with a local one, as the database does it: by the local text. The bound
/// in UTC beside it only lets SQLite use an index.
fn local_comparison(stamp: &str, op: &Op, local: &str) -> String {
    let exact = format!("ns_local({stamp}) {op} {local}");
    match op {
        Op::Gt | Op::GtEq => format!("({stamp} >= ns_before({local}) AND {exact})"),
        Op::Lt | Op::LtEq => format!("({stamp} <= ns_after({local}) AND {exact})"),
        _ => format!("({exact})"),
    }
}

fn turned(op: &Op) -> Op {
    match op {
        Op::Lt => Op::Gt,
        Op::LtEq => Op::GtEq,
        Op::Gt => Op::Lt,
        Op::GtEq => Op::LtEq,
        other => other.clone(),
    }
}

fn fractional(side: &Typed) -> bool {
    side.literal.as_ref().is_some_and(|text| text.contains('.'))
}

fn literal(value: &Value) -> Result<Typed, Refusal> {
    match value {
        Value::Number(digits, _) => Typed::number(digits),
        Value::SingleQuotedString(text) | Value::NationalStringLiteral(text) => {
            Ok(Typed::text(text))
        }
        Value::QuoteDelimitedStringLiteral(text)
        | Value::NationalQuoteDelimitedStringLiteral(text) => Ok(Typed::text(&text.value)),
        Value::Null => Ok(Typed::null()),
        Value::Placeholder(name) if name != "?0" => Ok(Typed::new(name.clone(), Ty::Param)),
        Value::DoubleQuotedString(name) => Err(Refusal::search(format!(
            "Unknown identifier '{}'.",
            name.to_lowercase()
        ))),
        _ => Err(Refusal::unsupported("")),
    }
}

/// `DATE '2026-01-31'` and `TIMESTAMP '2026-01-31 12:00:00'`.
fn dated(data_type: &str, text: &str) -> Result<Typed, Refusal> {
    let format = match data_type.to_uppercase().as_str() {
        "DATE" => "YYYY-MM-DD",
        "TIMESTAMP" => "YYYY-MM-DD HH24:MI:SS",
        _ => return Err(Refusal::unsupported("")),
    };
    let (at, _) = super::datetime::from_char(text, format).ok_or_else(|| Refusal::value(text))?;
    Ok(Typed::new(quoted(&super::datetime::write(at)), Ty::Date))
}

/// An interval, in days.
fn days(interval: &Interval) -> Result<Typed, Refusal> {
    let refused = || Refusal::unsupported("INTERVAL");
    let Expr::Value(value) = interval.value.as_ref() else {
        return Err(refused());
    };
    let (Value::SingleQuotedString(text) | Value::Number(text, _)) = &value.value else {
        return Err(refused());
    };
    let count: i64 = text.trim().parse().map_err(|_| refused())?;
    let per_day = match &interval.leading_field {
        Some(DateTimeField::Day | DateTimeField::Days) => 1,
        Some(DateTimeField::Hour | DateTimeField::Hours) => 24,
        Some(DateTimeField::Minute | DateTimeField::Minutes) => 1440,
        Some(DateTimeField::Second | DateTimeField::Seconds) => 86_400,
        _ => return Err(refused()),
    };
    let units = count.checked_mul(crate::schema::UNIT).ok_or_else(refused)? / per_day;
    Ok(Typed::new(units.to_string(), Ty::Dec))
}
