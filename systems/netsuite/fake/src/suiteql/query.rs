//! Queries: selects, set operations, row limits, order.

use rusqlite::Connection;
use sqlparser::ast::{
    Distinct, Expr, GroupByExpr, OrderBy, OrderByExpr, OrderByKind, Query, Select, SelectItem,
    SelectItemQualifiedWildcardKind, SetExpr, SetOperator, SetQuantifier, Value,
};

use super::rows::{Limit, row_limit, row_number_limit, top_limit};
use super::scope::{Scope, Source, Visible};
use super::types::{Origin, Ty, Typed, common, named};
use super::{Refusal, Session, Translated};
use crate::schema::Display;

/// Translates a whole query.
pub(super) fn translate(
    connection: &Connection,
    session: &Session,
    query: &Query,
) -> Result<Translated, Refusal> {
    let mut translator = Translator {
        connection,
        session,
        tables: Vec::new(),
        grouping: None,
        exempt: 0,
        names: 0,
    };
    let shape = translator.query(query, None, true)?;
    for (position, column) in shape.columns.iter().enumerate() {
        if column.ty == Ty::Condition {
            return Err(Refusal::unsupported(&format!(
                "column {} is a condition",
                position + 1
            )));
        }
    }
    let columns = shape
        .columns
        .into_iter()
        .map(|column| (column.name, column.ty))
        .collect();
    Ok(Translated {
        sql: shape.sql,
        columns,
    })
}

/// A translated query, as a source for the one around it.
pub(super) struct Shape {
    pub(super) sql: String,
    pub(super) columns: Vec<Visible>,
}

/// What may stand outside of an aggregate.
pub(super) struct Grouping {
    /// The expressions grouped by, as written, lower-case.
    pub(super) written: Vec<String>,
    /// The same, translated.
    pub(super) translated: Vec<String>,
}

/// The state of one translation.
pub(super) struct Translator<'a> {
    pub(super) connection: &'a Connection,
    pub(super) session: &'a Session,
    /// The queries named by `WITH`.
    pub(super) tables: Vec<(String, Query)>,
    /// Set while the columns of a grouped query are translated.
    pub(super) grouping: Option<Grouping>,
    /// How many aggregates or grouped expressions enclose the current one.
    pub(super) exempt: usize,
    /// How many names have been invented.
    names: usize,
}

/// A row limit taken from a `WHERE ROWNUM <= n`.
type RowLimit = Option<u64>;

impl Translator<'_> {
    pub(super) fn invented(&mut self) -> String {
        self.names += 1;
        format!("x_{}", self.names)
    }

    /// Translates a query; `top` for the outermost, whose rows come in no useful order by themselves.
    pub(super) fn query(
        &mut self,
        query: &Query,
        outer: Option<&Scope<'_>>,
        top: bool,
    ) -> Result<Shape, Refusal> {
        if !query.locks.is_empty()
            || query.for_clause.is_some()
            || query.settings.is_some()
            || query.format_clause.is_some()
            || !query.pipe_operators.is_empty()
        {
            return Err(Refusal::unsupported(""));
        }
        let known = self.tables.len();
        if let Some(with) = &query.with {
            if with.recursive || !self.session.allow_with {
                return Err(Refusal::unsupported("WITH"));
            }
            for table in &with.cte_tables {
                let name = table.alias.name.value.to_ascii_lowercase();
                self.tables.push((name, (*table.query).clone()));
            }
        }
        let limit = row_limit(query.fetch.as_ref(), query.limit_clause.as_ref())?;
        let order: &[OrderByExpr] = match &query.order_by {
            None => &[],
            Some(OrderBy {
                kind: OrderByKind::Expressions(list),
                interpolate: None,
            }) => list,
            Some(_) => return Err(Refusal::unsupported("ORDER BY")),
        };
        let grouping = self.grouping.take();
        let exempt = std::mem::take(&mut self.exempt);
        let shape = match query.body.as_ref() {
            SetExpr::Select(select) => self.select(select, order, limit, outer, top),
            other => self.ordered_set(other, order, limit, outer),
        };
        self.grouping = grouping;
        self.exempt = exempt;
        self.tables.truncate(known);
        shape
    }

    /// A set operation or a bracketed query, then order and limit.
    fn ordered_set(
        &mut self,
        body: &SetExpr,
        order: &[OrderByExpr],
        limit: Limit,
        outer: Option<&Scope<'_>>,
    ) -> Result<Shape, Refusal> {
        let mut shape = self.set(body, outer)?;
        if !order.is_empty() || limit.is_some() {
            let alias = self.invented();
            let source = derived(&alias, &shape);
            let scope = Scope {
                sources: vec![source],
                outer: None,
            };
            let terms = self.order_terms(order, &shape.columns, &scope)?;
            shape.sql = format!(
                "SELECT * FROM ({}) AS {}{}{}",
                shape.sql,
                named(&alias),
                clause(" ORDER BY ", &terms),
                limit.text()
            );
        }
        Ok(shape)
    }

    fn set(&mut self, body: &SetExpr, outer: Option<&Scope<'_>>) -> Result<Shape, Refusal> {
        match body {
            SetExpr::Select(select) => self.select(select, &[], Limit::default(), outer, false),
            SetExpr::Query(query) => self.query(query, outer, false),
            SetExpr::SetOperation {
                op,
                set_quantifier,
                left,
                right,
            } => {
                let left = self.set(left, outer)?;
                let right = self.set(right, outer)?;
                self.combined(left, right, *op, *set_quantifier)
            }
            _ => Err(Refusal::unsupported("")),
        }
    }

    fn combined(
        &mut self,
        left: Shape,
        right: Shape,
        operator: SetOperator,
        quantifier: SetQuantifier,
    ) -> Result<Shape, Refusal> {
        let word = match (operator, quantifier) {
            (SetOperator::Union, SetQuantifier::All) => "UNION ALL",
            (SetOperator::Union, SetQuantifier::None | SetQuantifier::Distinct) => "UNION",
            (SetOperator::Intersect, SetQuantifier::None) => "INTERSECT",
            (SetOperator::Except | SetOperator::Minus, SetQuantifier::None) => "EXCEPT",
            _ => return Err(Refusal::unsupported("")),
        };
        if left.columns.len() != right.columns.len() {
            return Err(Refusal::unsupported(
                "query block has incorrect number of result columns",
            ));
        }
        let types: Vec<Ty> = left
            .columns
            .iter()
            .zip(&right.columns)
            .map(|(left, right)| match common(left.ty, right.ty) {
                Ty::Param => Ty::Text,
                ty => ty,
            })
            .collect();
        let left_sql = self.converted(&left, &types)?;
        let right_sql = self.converted(&right, &types)?;
        let columns = left
            .columns
            .into_iter()
            .zip(types)
            .map(|(column, ty)| Visible { ty, ..column })
            .collect();
        Ok(Shape {
            sql: format!("{left_sql} {word} {right_sql}"),
            columns,
        })
    }

    /// The query with its columns brought to the types given.
    fn converted(&mut self, shape: &Shape, types: &[Ty]) -> Result<String, Refusal> {
        let alias = self.invented();
        let source = derived(&alias, shape);
        let format = self.session.date_format;
        let mut columns = Vec::new();
        for (column, ty) in source.columns.iter().zip(types) {
            let typed = source.column(&column.name).unwrap_or_else(Typed::null);
            columns.push(format!(
                "{} AS {}",
                typed.to(*ty, format)?,
                named(&column.name)
            ));
        }
        Ok(format!("SELECT {} FROM {}", columns.join(", "), source.sql))
    }

    #[allow(clippy::too_many_lines)] // one clause after the other
    fn select(
        &mut self,
        select: &Select,
        order: &[OrderByExpr],
        mut limit: Limit,
        outer: Option<&Scope<'_>>,
        top: bool,
    ) -> Result<Shape, Refusal> {
        refuse_foreign_clauses(select)?;
        if let Some(count) = top_limit(select.top.as_ref())? {
            limit.rows = Some(limit.rows.map_or(count, |rows| rows.min(count)));
        }
        let (sources, from) = self.from(select, outer)?;
        let scope = Scope { sources, outer };
        let mut conditions = Vec::new();
        let mut row_number: RowLimit = None;
        if let Some(selection) = &select.selection {
            let mut kept = Vec::new();
            split(selection, &mut kept);
            for condition in kept {
                if super::join::is_outer(condition) {
                    continue;
                }
                match row_number_limit(condition) {
                    Some(rows) => {
                        row_number = Some(row_number.map_or(rows, |found| found.min(rows)));
                    }
                    None => conditions.push(self.condition(condition, &scope)?),
                }
            }
        }
        let group = self.group_by(select, &scope)?;
        let aggregated = select.having.is_some()
            || select.projection.iter().any(|item| match item {
                SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } => {
                    super::expression::aggregates(expr)
                }
                _ => false,
            });
        if !group.translated.is_empty() || aggregated {
            let Grouping {
                written,
                translated,
            } = &group;
            self.grouping = Some(Grouping {
                written: written.clone(),
                translated: translated.clone(),
            });
        }
        let columns = self.projection(select, &scope)?;
        let having = select
            .having
            .as_ref()
            .map(|having| self.condition(having, &scope))
            .transpose()?;
        self.grouping = None;
        let visible: Vec<Visible> = columns
            .iter()
            .map(|(name, typed)| Visible {
                name: name.clone(),
                ty: if typed.ty == Ty::Param {
                    Ty::Text
                } else {
                    typed.ty
                },
                origin: carried(typed),
            })
            .collect();
        let distinct = match &select.distinct {
            None | Some(Distinct::All) => false,
            Some(Distinct::Distinct) => true,
            Some(Distinct::On(_)) => return Err(Refusal::unsupported("DISTINCT ON")),
        };
        let mut terms = self.order_terms(order, &visible, &scope)?;
        let plain = group.translated.is_empty() && !aggregated && !distinct;
        let arbitrary = if plain {
            shuffled(&scope.sources)
        } else {
            Vec::new()
        };
        if top && order.is_empty() && plain && limit.is_none() && row_number.is_none() {
            terms.clone_from(&arbitrary);
        }
        let list: Vec<String> = columns
            .iter()
            .map(|(name, typed)| format!("{} AS {}", typed.sql, named(name)))
            .collect();
        let body = |list: &str| {
            format!(
                "SELECT {}{list}{}{}{}{}",
                if distinct { "DISTINCT " } else { "" },
                if from.is_empty() {
                    String::new()
                } else {
                    format!(" FROM {from}")
                },
                clause_and(" WHERE ", &conditions),
                clause(" GROUP BY ", &group.translated),
                having
                    .as_ref()
                    .map_or_else(String::new, |having| format!(" HAVING {having}")),
            )
        };
        let sql = match row_number {
            // ROWNUM counts before the rows are put in order.
            Some(rows) if order.is_empty() => {
                limit.rows = Some(limit.rows.map_or(rows, |limit| limit.min(rows)));
                format!("{}{}", body(&list.join(", ")), limit.text())
            }
            Some(rows) => {
                let before = clause(" ORDER BY ", &arbitrary);
                let body = |list: &str| format!("{}{before}", body(list));
                numbered(&body, &list, &columns, &terms, rows, limit)
            }
            None => {
                format!(
                    "{}{}{}",
                    body(&list.join(", ")),
                    clause(" ORDER BY ", &terms),
                    limit.text()
                )
            }
        };
        Ok(Shape {
            sql,
            columns: visible,
        })
    }

    fn group_by(&mut self, select: &Select, scope: &Scope<'_>) -> Result<Grouping, Refusal> {
        let mut group = Grouping {
            written: Vec::new(),
            translated: Vec::new(),
        };
        let GroupByExpr::Expressions(expressions, modifiers) = &select.group_by else {
            return Err(Refusal::unsupported("GROUP BY ALL"));
        };
        if !modifiers.is_empty() {
            return Err(Refusal::unsupported("GROUP BY"));
        }
        for expression in expressions {
            group.written.push(expression.to_string().to_lowercase());
            let typed = self.value(expression, scope)?;
            if typed.literal.is_some() {
                // Oracle groups by the constant, not by the column of that number.
                continue;
            }
            group.translated.push(typed.sql);
        }
        Ok(group)
    }

    /// The selected columns under their names.
    fn projection(
        &mut self,
        select: &Select,
        scope: &Scope<'_>,
    ) -> Result<Vec<(String, Typed)>, Refusal> {
        let mut columns: Vec<(String, Typed)> = Vec::new();
        let mut unnamed = 0;
        for item in &select.projection {
            match item {
                SelectItem::UnnamedExpr(expr) => {
                    let typed = self.expression(expr, scope)?;
                    let name = match expr {
                        Expr::Identifier(name) if typed.origin.is_some() => name.value.clone(),
                        Expr::CompoundIdentifier(names) => names
                            .last()
                            .map(|name| name.value.clone())
                            .unwrap_or_default(),
                        _ => {
                            unnamed += 1;
                            format!("expr{unnamed}")
                        }
                    };
                    columns.push((name.to_lowercase(), typed));
                }
                SelectItem::ExprWithAlias { expr, alias } => {
                    columns.push((alias.value.to_lowercase(), self.expression(expr, scope)?));
                }
                SelectItem::Wildcard(_) => {
                    scope
                        .sources
                        .iter()
                        .for_each(|source| columns.extend(all(source)));
                }
                SelectItem::QualifiedWildcard(
                    SelectItemQualifiedWildcardKind::ObjectName(name),
                    _,
                ) => {
                    let alias = name.to_string().to_lowercase();
                    let source = scope.sources.iter().find(|source| source.alias == alias);
                    columns.extend(all(source.ok_or_else(|| {
                        Refusal::search(format!("Unknown identifier '{alias}'."))
                    })?));
                }
                _ => return Err(Refusal::unsupported("")),
            }
        }
        if self.grouping.is_some()
            && select
                .projection
                .iter()
                .any(|item| matches!(item, SelectItem::Wildcard(_)))
        {
            return Err(Refusal::unsupported("not a GROUP BY expression"));
        }
        Ok(columns)
    }

    /// The terms of an `ORDER BY`, which may also name columns by alias or position.
    pub(super) fn order_terms(
        &mut self,
        order: &[OrderByExpr],
        columns: &[Visible],
        scope: &Scope<'_>,
    ) -> Result<Vec<String>, Refusal> {
        let mut terms = Vec::new();
        for term in order {
            let (sql, solid) = self.order_key(&term.expr, columns, scope)?;
            let descending = match &term.options.sort {
                None | Some(sqlparser::ast::OrderBySort::Asc) => false,
                Some(sqlparser::ast::OrderBySort::Desc) => true,
                Some(_) => return Err(Refusal::unsupported("ORDER BY")),
            };
            let nulls_first = term.options.nulls_first.unwrap_or(descending);
            terms.push(format!(
                "{sql}{}{}",
                if descending { " DESC" } else { "" },
                match (solid, nulls_first) {
                    (true, _) => "",
                    (false, true) => " NULLS FIRST",
                    (false, false) => " NULLS LAST",
                }
            ));
        }
        Ok(terms)
    }

    fn order_key(
        &mut self,
        key: &Expr,
        columns: &[Visible],
        scope: &Scope<'_>,
    ) -> Result<(String, bool), Refusal> {
        if let Expr::Value(value) = key
            && let Value::Number(digits, _) = &value.value
        {
            let position: usize = digits.parse().unwrap_or(0);
            if position == 0 || position > columns.len() {
                return Err(Refusal::unsupported(
                    "ORDER BY item must be the number of a column",
                ));
            }
            return Ok((position.to_string(), false));
        }
        if let Expr::Identifier(name) = key {
            let lower = name.value.to_lowercase();
            // An alias wins over a column, unless it is that column.
            let own = scope.find(&lower).ok();
            if let Some(column) = columns.iter().find(|column| column.name == lower) {
                let solid = own
                    .as_ref()
                    .and_then(|(typed, _)| typed.origin.as_ref())
                    .is_some_and(|origin| origin.solid && column.origin.solid);
                if !solid {
                    return Ok((named(&column.name), false));
                }
            }
        }
        let typed = self.value(key, scope)?;
        let solid = typed.origin.as_ref().is_some_and(|origin| origin.solid);
        Ok((typed.sql, solid))
    }
}

/// The origin of a column as seen from outside: its table's alias isn't at hand there.
fn carried(typed: &Typed) -> Origin {
    match &typed.origin {
        Some(origin) => Origin {
            alias: None,
            ..origin.clone()
        },
        None => Origin {
            display: Display::Plain,
            alias: None,
            solid: false,
        },
    }
}

fn all(source: &Source) -> Vec<(String, Typed)> {
    source
        .columns
        .iter()
        .filter_map(|column| Some((column.name.clone(), source.column(&column.name)?)))
        .collect()
}

/// A translated query as a source named `alias`.
pub(super) fn derived(alias: &str, shape: &Shape) -> Source {
    let columns = shape
        .columns
        .iter()
        .map(|column| {
            let origin = Origin {
                solid: false,
                ..column.origin.clone()
            };
            Visible {
                origin,
                ..column.clone()
            }
        })
        .collect();
    Source {
        alias: alias.to_owned(),
        label: alias.to_owned(),
        sql: format!("({}) AS {}", shape.sql, named(alias)),
        columns,
        table: false,
    }
}

/// Rows without an `ORDER BY` come in an order of their own: always the same, never that of the ids.
fn shuffled(sources: &[Source]) -> Vec<String> {
    sources
        .iter()
        .filter(|source| source.table)
        .take(2)
        .map(|source| format!("({}.rowid * 2654435761 % 4294967291)", named(&source.alias)))
        .collect()
}

fn numbered(
    body: &dyn Fn(&str) -> String,
    list: &[String],
    columns: &[(String, Typed)],
    terms: &[String],
    rows: u64,
    limit: Limit,
) -> String {
    let names: Vec<String> = columns.iter().map(|(name, _)| named(name)).collect();
    let mut inner = list.to_vec();
    let mut outer = Vec::new();
    for (position, term) in terms.iter().enumerate() {
        let (key, rule) = term
            .find(" NULLS ")
            .map_or_else(|| term.split_at(term.len()), |at| term.split_at(at));
        let (key, descending) = key
            .strip_suffix(" DESC")
            .map_or((key, ""), |key| (key, " DESC"));
        if key.parse::<usize>().is_ok() || names.iter().any(|name| name == key) {
            outer.push(format!("{key}{descending}{rule}"));
        } else {
            inner.push(format!("{key} AS \"x_order_{position}\""));
            outer.push(format!("\"x_order_{position}\"{descending}{rule}"));
        }
    }
    format!(
        "SELECT {} FROM ({} LIMIT {rows}){}{}",
        names.join(", "),
        body(&inner.join(", ")),
        clause(" ORDER BY ", &outer),
        limit.text()
    )
}

fn clause(word: &str, parts: &[String]) -> String {
    if parts.is_empty() {
        String::new()
    } else {
        format!("{word}{}", parts.join(", "))
    }
}

fn clause_and(word: &str, parts: &[String]) -> String {
    if parts.is_empty() {
        String::new()
    } else {
        format!("{word}{}", parts.join(" AND "))
    }
}

/// The conditions joined by `AND`.
pub(super) fn split<'e>(condition: &'e Expr, parts: &mut Vec<&'e Expr>) {
    match condition {
        Expr::BinaryOp {
            left,
            op: sqlparser::ast::BinaryOperator::And,
            right,
        } => {
            split(left, parts);
            split(right, parts);
        }
        Expr::Nested(inner)
            if matches!(
                inner.as_ref(),
                Expr::BinaryOp {
                    op: sqlparser::ast::BinaryOperator::And,
                    ..
                }
            ) =>
        {
            split(inner, parts);
        }
        other => parts.push(other),
    }
}

fn refuse_foreign_clauses(select: &Select) -> Result<(), Refusal> {
    let foreign = select.exclude.is_some()
        || select.into.is_some()
        || !select.lateral_views.is_empty()
        || select.prewhere.is_some()
        || !select.connect_by.is_empty()
        || !select.cluster_by.is_empty()
        || !select.distribute_by.is_empty()
        || !select.sort_by.is_empty()
        || !select.named_window.is_empty()
        || select.qualify.is_some()
        || select.value_table_mode.is_some();
    if foreign {
        Err(Refusal::unsupported(""))
    } else {
        Ok(())
    }
}
