//! Functions: Oracle's, NetSuite's `BUILTIN`, aggregates, windows.

use sqlparser::ast::{
    BinaryOperator as Op, DuplicateTreatment, Expr, Function, FunctionArg, FunctionArgExpr,
    FunctionArguments, WindowFrameBound, WindowFrameUnits, WindowType,
};

use super::Refusal;
use super::query::Translator;
use super::scope::Scope;
use super::types::{Ty, Typed, common, named, quoted};
use crate::schema::Display;

/// Whether a function is an aggregate (when it has no `OVER`).
pub(super) fn is_aggregate(name: &str) -> bool {
    matches!(
        name.to_uppercase().as_str(),
        "COUNT" | "SUM" | "AVG" | "MIN" | "MAX"
    )
}

struct Arguments<'e> {
    list: Vec<&'e Expr>,
    star: bool,
    distinct: bool,
}

fn arguments(function: &Function) -> Result<Arguments<'_>, Refusal> {
    let mut found = Arguments {
        list: Vec::new(),
        star: false,
        distinct: false,
    };
    match &function.args {
        FunctionArguments::None => {}
        FunctionArguments::Subquery(_) => return Err(Refusal::unsupported("")),
        FunctionArguments::List(list) => {
            if !list.clauses.is_empty() {
                return Err(Refusal::unsupported(""));
            }
            found.distinct = list.duplicate_treatment == Some(DuplicateTreatment::Distinct);
            for argument in &list.args {
                match argument {
                    FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => found.list.push(expr),
                    FunctionArg::Unnamed(FunctionArgExpr::Wildcard) => found.star = true,
                    _ => return Err(Refusal::unsupported("")),
                }
            }
        }
    }
    Ok(found)
}

/// How a function of values is translated: its arguments' types (the last one repeats), how few it takes,
/// SQLite's name for it, and its own type.
struct Plain {
    name: &'static str,
    least: usize,
    takes: &'static [Ty],
    sqlite: &'static str,
    gives: Ty,
}

const fn plain(
    name: &'static str,
    least: usize,
    takes: &'static [Ty],
    sqlite: &'static str,
    gives: Ty,
) -> Plain {
    Plain {
        name,
        least,
        takes,
        sqlite,
        gives,
    }
}

const PLAIN: &[Plain] = &[
    plain("UPPER", 1, &[Ty::Text], "ns_upper", Ty::Text),
    plain("LOWER", 1, &[Ty::Text], "ns_lower", Ty::Text),
    plain("INITCAP", 1, &[Ty::Text], "ns_initcap", Ty::Text),
    plain("LTRIM", 1, &[Ty::Text, Ty::Text], "ltrim", Ty::Text),
    plain("RTRIM", 1, &[Ty::Text, Ty::Text], "rtrim", Ty::Text),
    plain(
        "LPAD",
        2,
        &[Ty::Text, Ty::Int, Ty::Text],
        "ns_lpad",
        Ty::Text,
    ),
    plain(
        "RPAD",
        2,
        &[Ty::Text, Ty::Int, Ty::Text],
        "ns_rpad",
        Ty::Text,
    ),
    plain("LENGTH", 1, &[Ty::Text], "length", Ty::Int),
    plain(
        "SUBSTR",
        2,
        &[Ty::Text, Ty::Int, Ty::Int],
        "ns_substr",
        Ty::Text,
    ),
    plain(
        "INSTR",
        2,
        &[Ty::Text, Ty::Text, Ty::Int, Ty::Int],
        "ns_instr",
        Ty::Int,
    ),
    plain(
        "REPLACE",
        2,
        &[Ty::Text, Ty::Text, Ty::Text],
        "ns_replace",
        Ty::Text,
    ),
    plain(
        "TRANSLATE",
        3,
        &[Ty::Text, Ty::Text, Ty::Text],
        "ns_translate",
        Ty::Text,
    ),
    plain("CHR", 1, &[Ty::Int], "char", Ty::Text),
    plain("ASCII", 1, &[Ty::Text], "unicode", Ty::Int),
    plain("TO_CLOB", 1, &[Ty::Text], "", Ty::Text),
    plain("TO_NUMBER", 1, &[Ty::Dec], "", Ty::Dec),
    plain("CEIL", 1, &[Ty::Dec], "ns_ceil", Ty::Int),
    plain("FLOOR", 1, &[Ty::Dec], "ns_floor", Ty::Int),
    plain("POWER", 2, &[Ty::Dec, Ty::Dec], "ns_power", Ty::Dec),
    plain("SIGN", 1, &[Ty::Dec], "sign", Ty::Int),
    plain(
        "REGEXP_LIKE",
        2,
        &[Ty::Text, Ty::Text, Ty::Text],
        "ns_regexp_like",
        Ty::Condition,
    ),
    plain(
        "REGEXP_REPLACE",
        2,
        &[Ty::Text, Ty::Text, Ty::Text, Ty::Int, Ty::Int, Ty::Text],
        "ns_regexp_replace",
        Ty::Text,
    ),
    plain(
        "REGEXP_SUBSTR",
        2,
        &[Ty::Text, Ty::Text, Ty::Int, Ty::Int, Ty::Text, Ty::Int],
        "ns_regexp_substr",
        Ty::Text,
    ),
    plain(
        "REGEXP_INSTR",
        2,
        &[Ty::Text, Ty::Text, Ty::Int, Ty::Int, Ty::Text],
        "ns_regexp_instr",
        Ty::Int,
    ),
    plain(
        "REGEXP_COUNT",
        2,
        &[Ty::Text, Ty::Text, Ty::Int, Ty::Text],
        "ns_regexp_count",
        Ty::Int,
    ),
    plain(
        "ADD_MONTHS",
        2,
        &[Ty::Date, Ty::Dec],
        "ns_add_months",
        Ty::Date,
    ),
    plain(
        "MONTHS_BETWEEN",
        2,
        &[Ty::Date, Ty::Date],
        "ns_months_between",
        Ty::Dec,
    ),
    plain("LAST_DAY", 1, &[Ty::Date], "ns_last_day", Ty::Date),
    plain("SYS_EXTRACT_UTC", 1, &[Ty::Stamp], "ns_at_utc", Ty::Date),
    plain("FROM_TZ", 2, &[Ty::Date, Ty::Text], "ns_from_tz", Ty::Stamp),
    plain(
        "NEW_TIME",
        3,
        &[Ty::Date, Ty::Text, Ty::Text],
        "ns_new_time",
        Ty::Date,
    ),
];

impl Translator<'_> {
    /// A function call.
    pub(super) fn call(
        &mut self,
        function: &Function,
        scope: &Scope<'_>,
    ) -> Result<Typed, Refusal> {
        let name = function.name.to_string().to_uppercase();
        if !function.within_group.is_empty()
            || function.filter.is_some()
            || function.null_treatment.is_some()
            || function.uses_odbc_syntax
        {
            return Err(Refusal::unsupported(&name));
        }
        let arguments = arguments(function)?;
        if let Some(window) = &function.over {
            return self.window(&name, &arguments, window, scope);
        }
        if arguments.star && name != "COUNT" {
            return Err(Refusal::unsupported(&name));
        }
        if is_aggregate(&name) {
            self.exempt += 1;
            let typed = self.aggregate(&name, &arguments, scope);
            self.exempt -= 1;
            return typed;
        }
        if arguments.distinct {
            return Err(Refusal::unsupported(&name));
        }
        if let Some(builtin) = name.strip_prefix("BUILTIN.") {
            return self.builtin(builtin, &arguments.list, scope);
        }
        if let Some(plain) = PLAIN.iter().find(|plain| plain.name == name) {
            return self.plain(plain, &arguments.list, scope);
        }
        self.special(&name, &arguments.list, scope)
    }

    fn plain(
        &mut self,
        plain: &Plain,
        list: &[&Expr],
        scope: &Scope<'_>,
    ) -> Result<Typed, Refusal> {
        if list.len() < plain.least || list.len() > plain.takes.len() {
            return Err(Refusal::unsupported(&format!(
                "{}: number of arguments",
                plain.name
            )));
        }
        let mut values = Vec::new();
        for (expr, ty) in list.iter().zip(plain.takes) {
            values.push(self.as_type(expr, scope, *ty)?);
        }
        let sql = if plain.sqlite.is_empty() {
            values.join(", ")
        } else {
            format!("{}({})", plain.sqlite, values.join(", "))
        };
        Ok(Typed::new(sql, plain.gives))
    }

    #[allow(clippy::too_many_lines)] // one arm for each function
    fn special(&mut self, name: &str, list: &[&Expr], scope: &Scope<'_>) -> Result<Typed, Refusal> {
        let format = self.session.date_format;
        match (name, list) {
            ("NVL", [_, _]) | ("COALESCE", [_, ..]) | ("GREATEST" | "LEAST", [_, _, ..]) => {
                let values = self.values(list, scope)?;
                let ty = values
                    .iter()
                    .fold(Ty::Null, |ty, value| common(ty, value.ty));
                let ty = if ty == Ty::Param { Ty::Text } else { ty };
                let values = values
                    .iter()
                    .map(|value| value.to(ty, format))
                    .collect::<Result<Vec<_>, _>>()?;
                let function = match name {
                    "GREATEST" => "max",
                    "LEAST" => "min",
                    _ => "COALESCE",
                };
                if values.len() == 1 {
                    return Ok(Typed::new(values.concat(), ty));
                }
                Ok(Typed::new(format!("{function}({})", values.join(", ")), ty))
            }
            ("NVL2", [subject, present, absent]) => {
                let subject = self.value(subject, scope)?;
                let present = self.value(present, scope)?;
                let absent = self.value(absent, scope)?;
                self.branches(
                    vec![(format!("{} IS NOT NULL", subject.sql), present)],
                    absent,
                )
            }
            ("NULLIF", [left, right]) => {
                let (left, right) = (self.value(left, scope)?, self.value(right, scope)?);
                let equal = self.compare(&left, &Op::Eq, &right)?;
                self.branches(vec![(equal, Typed::null())], left)
            }
            ("DECODE", [subject, rest @ ..]) if rest.len() >= 2 => {
                let subject = self.value(subject, scope)?;
                let mut branches = Vec::new();
                let pairs = rest.chunks_exact(2);
                let otherwise = match pairs.remainder() {
                    [otherwise] => self.value(otherwise, scope)?,
                    _ => Typed::null(),
                };
                for pair in pairs {
                    let sought = self.value(pair[0], scope)?;
                    // DECODE holds two nulls for equal.
                    let when = if sought.sql == "NULL" {
                        format!("{} IS NULL", subject.sql)
                    } else {
                        self.compare(&subject, &Op::Eq, &sought)?
                    };
                    branches.push((when, self.value(pair[1], scope)?));
                }
                self.branches(branches, otherwise)
            }
            ("ABS", [subject]) => {
                let number = self.number(subject, scope)?;
                Ok(Typed::new(format!("abs({})", number.sql), number.ty))
            }
            ("MOD", [left, right]) => {
                let (left, right) = (self.number(left, scope)?, self.number(right, scope)?);
                let (l, r) = (left.to(Ty::Dec, format)?, right.to(Ty::Dec, format)?);
                let sql = format!("ns_mod({l}, {r})");
                if left.ty == Ty::Int && right.ty == Ty::Int {
                    return Ok(Typed::new(
                        format!("({sql} / {})", crate::schema::UNIT),
                        Ty::Int,
                    ));
                }
                Ok(Typed::new(sql, Ty::Dec))
            }
            ("ROUND" | "TRUNC", [subject, rest @ ..]) if rest.len() <= 1 => {
                let subject = self.value(subject, scope)?;
                if matches!(subject.ty, Ty::Date | Ty::Stamp) {
                    if name == "ROUND" {
                        return Err(Refusal::unsupported("ROUND of a date"));
                    }
                    let unit = match rest {
                        [unit] => format!(", {}", self.as_type(unit, scope, Ty::Text)?),
                        _ => String::new(),
                    };
                    let date = subject.to(Ty::Date, format)?;
                    return Ok(Typed::new(format!("ns_trunc_date({date}{unit})"), Ty::Date));
                }
                let places = match rest {
                    [places] => self.as_type(places, scope, Ty::Int)?,
                    _ => "0".to_owned(),
                };
                let function = if name == "ROUND" {
                    "ns_round"
                } else {
                    "ns_trunc_num"
                };
                let value = subject.to(Ty::Dec, format)?;
                Ok(Typed::new(
                    format!("{function}({value}, {places})"),
                    Ty::Dec,
                ))
            }
            ("CONCAT", [left, right]) => {
                let left = self.as_type(left, scope, Ty::Text)?;
                let right = self.as_type(right, scope, Ty::Text)?;
                Ok(Typed::new(
                    format!("NULLIF(COALESCE({left}, '') || COALESCE({right}, ''), '')"),
                    Ty::Text,
                ))
            }
            ("TRIM", [subject]) => {
                let subject = self.as_type(subject, scope, Ty::Text)?;
                Ok(Typed::new(format!("NULLIF(trim({subject}), '')"), Ty::Text))
            }
            ("TO_CHAR", [subject]) => Ok(Typed::new(
                self.as_type(subject, scope, Ty::Text)?,
                Ty::Text,
            )),
            ("TO_CHAR", [subject, wanted]) => {
                let subject = self.value(subject, scope)?;
                let wanted = self.as_type(wanted, scope, Ty::Text)?;
                let (function, value) = match subject.ty {
                    Ty::Stamp => ("ns_to_char_stamp", subject.sql.clone()),
                    Ty::Date | Ty::Null => ("ns_to_char_date", subject.sql.clone()),
                    Ty::Int | Ty::Dec => ("ns_to_char_num", subject.to(Ty::Dec, format)?),
                    _ => return Err(Refusal::unsupported("TO_CHAR of a text")),
                };
                Ok(Typed::new(
                    format!("{function}({value}, {wanted})"),
                    Ty::Text,
                ))
            }
            ("TO_DATE" | "TO_TIMESTAMP" | "TO_TIMESTAMP_TZ", [subject, rest @ ..])
                if rest.len() <= 1 =>
            {
                let subject = self.value(subject, scope)?;
                if matches!(subject.ty, Ty::Date | Ty::Stamp) {
                    return Ok(subject);
                }
                let [wanted] = rest else {
                    return Ok(Typed::new(subject.to(Ty::Date, format)?, Ty::Date));
                };
                let text = subject.to(Ty::Text, format)?;
                let wanted = self.as_type(wanted, scope, Ty::Text)?;
                let (function, ty) = if name == "TO_TIMESTAMP_TZ" {
                    ("ns_to_stamp", Ty::Stamp)
                } else {
                    ("ns_to_date", Ty::Date)
                };
                Ok(Typed::new(format!("{function}({text}, {wanted})"), ty))
            }
            ("NUMTODSINTERVAL", [count, unit]) => {
                let count = self.as_type(count, scope, Ty::Dec)?;
                let unit = self
                    .value(unit, scope)?
                    .literal
                    .unwrap_or_default()
                    .to_uppercase();
                let per_day = match unit.as_str() {
                    "DAY" => 1,
                    "HOUR" => 24,
                    "MINUTE" => 1440,
                    "SECOND" => 86_400,
                    _ => return Err(Refusal::unsupported("NUMTODSINTERVAL")),
                };
                Ok(Typed::new(format!("({count} / {per_day})"), Ty::Dec))
            }
            ("CURRENT_TIMESTAMP" | "SYSTIMESTAMP", []) => Ok(Typed::new(
                quoted(&crate::schema::stamp(self.session.now)),
                Ty::Stamp,
            )),
            ("CURRENT_DATE" | "LOCALTIMESTAMP", []) => {
                let local = self.session.time_zone.to_datetime(self.session.now);
                Ok(Typed::new(quoted(&super::datetime::write(local)), Ty::Date))
            }
            _ => Err(Refusal::unsupported(name)),
        }
    }

    fn values(&mut self, list: &[&Expr], scope: &Scope<'_>) -> Result<Vec<Typed>, Refusal> {
        list.iter().map(|expr| self.value(expr, scope)).collect()
    }

    fn builtin(&mut self, name: &str, list: &[&Expr], scope: &Scope<'_>) -> Result<Typed, Refusal> {
        match (name, list) {
            ("DF" | "HIERARCHY", [subject, ..]) => {
                let subject = self.value(subject, scope)?;
                self.displayed(&subject)
            }
            ("CF" | "CONSOLIDATE" | "CURRENCY", [subject, ..]) => self.value(subject, scope),
            ("RELATIVE_RANGES", [range, edge, ..]) => {
                let range = self.value(range, scope)?.literal.unwrap_or_default();
                let edge = self.value(edge, scope)?.literal.unwrap_or_default();
                self.relative(&range.to_uppercase(), &edge.to_uppercase())
            }
            _ => Err(Refusal::unsupported(&format!("BUILTIN.{name}"))),
        }
    }

    /// What a user sees instead of an id or a code.
    fn displayed(&mut self, subject: &Typed) -> Result<Typed, Refusal> {
        let display = subject
            .origin
            .as_ref()
            .map_or(Display::Plain, |origin| origin.display);
        let sql = &subject.sql;
        let shown = match display {
            Display::Of(table, column) => format!(
                "(SELECT x_df.{} FROM {} AS x_df WHERE x_df.\"id\" = {sql})",
                named(column),
                named(table)
            ),
            Display::Status => match subject.origin.as_ref().and_then(|from| from.alias.as_ref()) {
                Some(alias) => format!("ns_status({alias}.\"type\", {sql})"),
                None => sql.clone(),
            },
            Display::Type => format!("ns_type({sql})"),
            Display::Approval => format!(
                "CASE {sql} WHEN 1 THEN 'Pending Approval' WHEN 2 THEN 'Approved' \
                 WHEN 3 THEN 'Rejected' END"
            ),
            Display::YesNo => format!("CASE {sql} WHEN 'T' THEN 'Yes' WHEN 'F' THEN 'No' END"),
            Display::Plain => subject.to(Ty::Text, self.session.date_format)?,
        };
        Ok(Typed::new(shown, Ty::Text))
    }

    fn relative(&mut self, range: &str, edge: &str) -> Result<Typed, Refusal> {
        let today = self.session.time_zone.to_datetime(self.session.now).date();
        let month = |months: i32| {
            let start = today.first_of_month().at(0, 0, 0, 0);
            super::datetime::add_months(start, months).map(|at| at.date().first_of_month())
        };
        let (start, end) = match range {
            "TODAY" => (Some(today), Some(today)),
            "TM" => (month(0), month(0).map(|start| start.last_of_month())),
            "LM" => (month(-1), month(-1).map(|start| start.last_of_month())),
            "TY" => (Some(today.first_of_year()), Some(today.last_of_year())),
            _ => return Err(Refusal::unsupported("BUILTIN.RELATIVE_RANGES")),
        };
        let day = match edge {
            "START" => start,
            "END" => end,
            _ => None,
        };
        let day = day.ok_or_else(|| Refusal::unsupported("BUILTIN.RELATIVE_RANGES"))?;
        Ok(Typed::new(quoted(&day.to_string()), Ty::Date))
    }

    fn aggregate(
        &mut self,
        name: &str,
        arguments: &Arguments<'_>,
        scope: &Scope<'_>,
    ) -> Result<Typed, Refusal> {
        let distinct = if arguments.distinct { "DISTINCT " } else { "" };
        if arguments.star {
            return Ok(Typed::new("COUNT(*)", Ty::Int));
        }
        let [subject] = arguments.list.as_slice() else {
            return Err(Refusal::unsupported(name));
        };
        let value = self.value(subject, scope)?;
        match name {
            "COUNT" => Ok(Typed::new(
                format!("COUNT({distinct}{})", value.sql),
                Ty::Int,
            )),
            "MIN" | "MAX" => {
                let ty = if value.ty == Ty::Param {
                    Ty::Text
                } else {
                    value.ty
                };
                Ok(Typed::new(format!("{name}({})", value.sql), ty))
            }
            _ => {
                let number = match value.ty {
                    Ty::Int | Ty::Dec => value,
                    Ty::Null => Typed::new("NULL", Ty::Dec),
                    Ty::Text | Ty::Param => {
                        Typed::new(value.to(Ty::Dec, self.session.date_format)?, Ty::Dec)
                    }
                    _ => return Err(Refusal::unsupported("inconsistent datatypes")),
                };
                let sum = Typed::new(format!("SUM({distinct}{})", number.sql), number.ty);
                if name == "SUM" {
                    return Ok(sum);
                }
                let sum = sum.to(Ty::Dec, self.session.date_format)?;
                let unit = crate::schema::UNIT;
                Ok(Typed::new(
                    format!("ns_div({sum}, COUNT({distinct}{}) * {unit})", number.sql),
                    Ty::Dec,
                ))
            }
        }
    }

    fn window(
        &mut self,
        name: &str,
        arguments: &Arguments<'_>,
        window: &WindowType,
        scope: &Scope<'_>,
    ) -> Result<Typed, Refusal> {
        let WindowType::WindowSpec(spec) = window else {
            return Err(Refusal::unsupported("WINDOW"));
        };
        if spec.window_name.is_some() {
            return Err(Refusal::unsupported("WINDOW"));
        }
        let mut over = Vec::new();
        if !spec.partition_by.is_empty() {
            let mut keys = Vec::new();
            for key in &spec.partition_by {
                keys.push(self.value(key, scope)?.sql);
            }
            over.push(format!("PARTITION BY {}", keys.join(", ")));
        }
        if !spec.order_by.is_empty() {
            let terms = self.order_terms(&spec.order_by, &[], scope)?;
            over.push(format!("ORDER BY {}", terms.join(", ")));
        }
        if let Some(frame) = &spec.window_frame {
            let units = match frame.units {
                WindowFrameUnits::Rows => "ROWS",
                WindowFrameUnits::Range => "RANGE",
                WindowFrameUnits::Groups => return Err(Refusal::unsupported("GROUPS")),
            };
            let start = bound(&frame.start_bound)?;
            over.push(match &frame.end_bound {
                Some(end) => format!("{units} BETWEEN {start} AND {}", bound(end)?),
                None => format!("{units} {start}"),
            });
        }
        let over = format!(" OVER ({})", over.join(" "));
        let typed = match (name, arguments.list.as_slice()) {
            ("ROW_NUMBER" | "RANK" | "DENSE_RANK", []) => {
                return Ok(Typed::new(format!("{name}(){over}"), Ty::Int));
            }
            ("NTILE", [count]) => {
                let count = self.as_type(count, scope, Ty::Int)?;
                return Ok(Typed::new(format!("NTILE({count}){over}"), Ty::Int));
            }
            ("LAG" | "LEAD" | "FIRST_VALUE" | "LAST_VALUE", [subject, rest @ ..]) => {
                let subject = self.value(subject, scope)?;
                let mut parts = vec![subject.sql.clone()];
                if let [distance, ..] = rest {
                    parts.push(self.as_type(distance, scope, Ty::Int)?);
                }
                if let [_, otherwise] = rest {
                    parts.push(self.as_type(otherwise, scope, subject.ty)?);
                }
                return Ok(Typed::new(
                    format!("{name}({}){over}", parts.join(", ")),
                    subject.ty,
                ));
            }
            ("COUNT" | "SUM" | "MIN" | "MAX", _) => self.aggregate(name, arguments, scope)?,
            _ => return Err(Refusal::unsupported(name)),
        };
        Ok(Typed::new(format!("{}{over}", typed.sql), typed.ty))
    }
}

fn bound(bound: &WindowFrameBound) -> Result<String, Refusal> {
    Ok(match bound {
        WindowFrameBound::CurrentRow => "CURRENT ROW".to_owned(),
        WindowFrameBound::Preceding(None) => "UNBOUNDED PRECEDING".to_owned(),
        WindowFrameBound::Following(None) => "UNBOUNDED FOLLOWING".to_owned(),
        WindowFrameBound::Preceding(Some(count)) => format!("{} PRECEDING", rows(count)?),
        WindowFrameBound::Following(Some(count)) => format!("{} FOLLOWING", rows(count)?),
    })
}

fn rows(count: &Expr) -> Result<u64, Refusal> {
    count
        .to_string()
        .parse()
        .map_err(|_| Refusal::unsupported("WINDOW"))
}
