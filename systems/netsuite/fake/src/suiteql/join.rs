//! `FROM`: tables, subqueries, joins in SQL-92's and in Oracle's own way.

use sqlparser::ast::{
    Expr, Join, JoinConstraint, JoinOperator, ObjectName, Select, TableAlias, TableFactor,
};

use super::Refusal;
use super::query::{Translator, derived, split};
use super::scope::{self, Scope, Source};
use super::types::Typed;

/// Whether a condition is an outer join in Oracle's way: `a.x = b.y(+)`.
pub(super) fn is_outer(condition: &Expr) -> bool {
    match condition {
        Expr::OuterJoin(_) => true,
        Expr::BinaryOp { left, right, .. } => is_outer(left) || is_outer(right),
        Expr::Nested(inner) | Expr::IsNull(inner) | Expr::IsNotNull(inner) => is_outer(inner),
        _ => false,
    }
}

/// The alias marked with `(+)` in a condition.
fn marked(condition: &Expr) -> Option<String> {
    match condition {
        Expr::OuterJoin(inner) => match inner.as_ref() {
            Expr::CompoundIdentifier(names) => names.first().map(|name| name.value.to_lowercase()),
            _ => None,
        },
        Expr::BinaryOp { left, right, .. } => marked(left).or_else(|| marked(right)),
        Expr::Nested(inner) | Expr::IsNull(inner) | Expr::IsNotNull(inner) => marked(inner),
        _ => None,
    }
}

impl Translator<'_> {
    /// The sources of a select, and SQLite's text for its `FROM`.
    pub(super) fn from(
        &mut self,
        select: &Select,
        outer: Option<&Scope<'_>>,
    ) -> Result<(Vec<Source>, String), Refusal> {
        if select.from.is_empty() {
            return Err(Refusal::unsupported(
                "FROM keyword not found where expected",
            ));
        }
        let mut outer_joins: Vec<(String, &Expr)> = Vec::new();
        if let Some(selection) = &select.selection {
            let mut parts = Vec::new();
            split(selection, &mut parts);
            for part in parts.into_iter().filter(|part| is_outer(part)) {
                let alias = marked(part).ok_or_else(|| Refusal::unsupported("(+)"))?;
                outer_joins.push((alias, part));
            }
        }
        let mixed = select.from.iter().any(|table| !table.joins.is_empty());
        if !outer_joins.is_empty() && mixed {
            // Oracle: the old outer join can't be used with joins in SQL-92's way.
            return Err(Refusal::unsupported("(+) together with JOIN"));
        }
        let mut sources: Vec<Source> = Vec::new();
        let mut text = String::new();
        let mut later = Vec::new();
        for table in &select.from {
            if is_dual(&table.relation) && table.joins.is_empty() {
                continue;
            }
            let source = self.factor(&table.relation, outer)?;
            if outer_joins.iter().any(|(alias, _)| *alias == source.alias) {
                later.push(source);
                continue;
            }
            if !text.is_empty() {
                text.push_str(" CROSS JOIN ");
            }
            text.push_str(&source.sql);
            sources.push(source);
            for join in &table.joins {
                self.join(join, &mut sources, &mut text, outer)?;
            }
        }
        for source in later {
            if text.is_empty() {
                return Err(Refusal::unsupported("(+)"));
            }
            let alias = source.alias.clone();
            text.push_str(&format!(" LEFT JOIN {}", source.sql));
            sources.push(source);
            let scope = Scope {
                sources: sources.clone(),
                outer,
            };
            let mut on = Vec::new();
            for (_, condition) in outer_joins.iter().filter(|(marked, _)| *marked == alias) {
                on.push(self.condition(condition, &scope)?);
            }
            text.push_str(&format!(" ON {}", on.join(" AND ")));
        }
        let mut names: Vec<&str> = sources.iter().map(|source| source.alias.as_str()).collect();
        names.sort_unstable();
        if names.windows(2).any(|pair| pair[0] == pair[1]) {
            return Err(Refusal::unsupported(
                "two tables of the same name: use aliases",
            ));
        }
        Ok((sources, text))
    }

    fn join(
        &mut self,
        join: &Join,
        sources: &mut Vec<Source>,
        text: &mut String,
        outer: Option<&Scope<'_>>,
    ) -> Result<(), Refusal> {
        let source = self.factor(&join.relation, outer)?;
        let (word, constraint) = match &join.join_operator {
            JoinOperator::Join(constraint) | JoinOperator::Inner(constraint) => {
                ("JOIN", constraint)
            }
            JoinOperator::Left(constraint) | JoinOperator::LeftOuter(constraint) => {
                ("LEFT JOIN", constraint)
            }
            JoinOperator::Right(constraint) | JoinOperator::RightOuter(constraint) => {
                ("RIGHT JOIN", constraint)
            }
            JoinOperator::FullOuter(constraint) => ("FULL JOIN", constraint),
            JoinOperator::CrossJoin(JoinConstraint::None) => ("CROSS JOIN", &JoinConstraint::None),
            _ => return Err(Refusal::unsupported("JOIN")),
        };
        let outer_join = matches!(word, "LEFT JOIN" | "RIGHT JOIN" | "FULL JOIN");
        text.push_str(&format!(" {word} {}", source.sql));
        let before = sources.len();
        sources.push(source);
        match constraint {
            JoinConstraint::On(condition) => {
                let scope = Scope {
                    sources: std::mem::take(sources),
                    outer,
                };
                let on = self.condition(condition, &scope);
                *sources = scope.sources;
                text.push_str(&format!(" ON {}", on?));
            }
            JoinConstraint::Using(names) => {
                let on = using(names, sources, before, self.session.date_format)?;
                text.push_str(&format!(" ON {on}"));
            }
            JoinConstraint::None if word == "CROSS JOIN" => {}
            _ => return Err(Refusal::unsupported("JOIN without ON")),
        }
        if outer_join {
            // Where a join may leave a row out, an id can be null.
            for source in sources
                .iter_mut()
                .skip(if word == "LEFT JOIN" { before } else { 0 })
            {
                for column in &mut source.columns {
                    column.origin.solid = false;
                }
            }
        }
        Ok(())
    }

    fn factor(
        &mut self,
        factor: &TableFactor,
        outer: Option<&Scope<'_>>,
    ) -> Result<Source, Refusal> {
        match factor {
            TableFactor::Table {
                name,
                alias,
                args: None,
                with_hints,
                ..
            } if with_hints.is_empty() => {
                let table = table_name(name)?;
                let alias = alias_name(alias.as_ref())?.unwrap_or_else(|| table.clone());
                let cte = self.tables.iter().rposition(|(name, _)| *name == table);
                match cte {
                    Some(position) => {
                        let (_, query) = self.tables[position].clone();
                        let inner: Vec<_> = self.tables.drain(position..).collect();
                        let shape = self.query(&query, None, false);
                        self.tables.extend(inner);
                        Ok(derived(&alias, &shape?))
                    }
                    None => scope::table(self.connection, self.session, &table, &alias),
                }
            }
            TableFactor::Derived {
                lateral: false,
                subquery,
                alias,
                ..
            } => {
                let alias = alias_name(alias.as_ref())?.unwrap_or_else(|| self.invented());
                let shape = self.query(subquery, outer, false)?;
                Ok(derived(&alias, &shape))
            }
            _ => Err(Refusal::unsupported("FROM")),
        }
    }
}

fn using(
    names: &[ObjectName],
    sources: &[Source],
    before: usize,
    format: super::DateFormat,
) -> Result<String, Refusal> {
    let mut on = Vec::new();
    for name in names {
        let lower = name.to_string().to_lowercase();
        let right = sources[before].column(&lower);
        let left: Option<Typed> = sources[..before]
            .iter()
            .find_map(|source| source.column(&lower));
        let (Some(left), Some(right)) = (left, right) else {
            return Err(Refusal::search(format!("Unknown identifier '{lower}'.")));
        };
        let ty = super::types::compared(left.ty, right.ty);
        on.push(format!(
            "{} = {}",
            left.to(ty, format)?,
            right.to(ty, format)?
        ));
    }
    Ok(on.join(" AND "))
}

fn table_name(name: &ObjectName) -> Result<String, Refusal> {
    match name.0.as_slice() {
        [part] => part
            .as_ident()
            .map(|ident| ident.value.to_lowercase())
            .ok_or_else(|| Refusal::unsupported("FROM")),
        _ => Err(Refusal::plain(format!("Invalid search type: {name}"))),
    }
}

fn alias_name(alias: Option<&TableAlias>) -> Result<Option<String>, Refusal> {
    match alias {
        None => Ok(None),
        Some(alias) if alias.columns.is_empty() => Ok(Some(alias.name.value.to_lowercase())),
        Some(_) => Err(Refusal::unsupported("column names in an alias")),
    }
}

fn is_dual(factor: &TableFactor) -> bool {
    matches!(factor, TableFactor::Table { name, .. } if name.to_string().eq_ignore_ascii_case("dual"))
}
