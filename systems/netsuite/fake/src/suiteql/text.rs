//! What the engine's functions do to text: patterns, parts, padding, formats of numbers.

use rusqlite::functions::Context;
use rusqlite::types::Value;
use rust_decimal::Decimal;

use super::functions::{bad, integer, optional, text};

pub(super) fn like(text: &[char], pattern: &[char], escape: Option<char>) -> bool {
    let Some((&first, after)) = pattern.split_first() else {
        return text.is_empty();
    };
    if Some(first) == escape {
        let Some((&literal, after)) = after.split_first() else {
            return false;
        };
        return text.first() == Some(&literal) && like(&text[1..], after, escape);
    }
    match first {
        '%' => {
            if after.is_empty() {
                return true;
            }
            (0..=text.len()).any(|skip| like(&text[skip..], after, escape))
        }
        '_' => !text.is_empty() && like(&text[1..], after, escape),
        literal => text.first() == Some(&literal) && like(&text[1..], after, escape),
    }
}

pub(super) fn substr(text: &str, start: i64, length: Option<i64>) -> Option<String> {
    let letters: Vec<char> = text.chars().collect();
    let count = i64::try_from(letters.len()).ok()?;
    let from = match start {
        0 => 0,
        start if start > 0 => start - 1,
        start => count + start,
    };
    let to = length
        .map_or(count, |length| from.saturating_add(length))
        .min(count);
    if from < 0 || from >= to {
        return None;
    }
    letters
        .get(usize::try_from(from).ok()?..usize::try_from(to).ok()?)
        .map(|s| s.iter().collect())
}

pub(super) fn instr(text: &str, sought: &str, start: i64, nth: i64) -> i64 {
    let letters: Vec<char> = text.chars().collect();
    let wanted: Vec<char> = sought.chars().collect();
    let begin = usize::try_from(start.max(1) - 1).unwrap_or(0);
    let mut left = nth.max(1);
    for position in begin..letters.len() {
        if letters[position..].starts_with(&wanted) {
            left -= 1;
            if left == 0 {
                return i64::try_from(position + 1).unwrap_or(0);
            }
        }
    }
    0
}

pub(super) fn pad(context: &Context<'_>, left: bool) -> rusqlite::Result<Value> {
    let (Some(subject), Some(width)) = (text(context, 0)?, integer(context, 1)?) else {
        return Ok(Value::Null);
    };
    let width = usize::try_from(width).unwrap_or(0).min(4000);
    let filler = if context.len() > 2 {
        text(context, 2)?
    } else {
        None
    };
    let filler = filler.unwrap_or_else(|| " ".to_owned());
    let length = subject.chars().count();
    if length >= width {
        return Ok(optional(substr(&subject, 1, i64::try_from(width).ok())));
    }
    let fill: String = filler.chars().cycle().take(width - length).collect();
    Ok(Value::Text(if left {
        fill + &subject
    } else {
        subject + &fill
    }))
}

/// `TO_CHAR` of a number by a format such as `FM999,990.00`.
pub(super) fn number_format(value: Decimal, format: &str) -> Option<String> {
    let upper = format.to_ascii_uppercase();
    let (fill, body) = match upper.strip_prefix("FM") {
        Some(rest) => (false, rest.to_owned()),
        None => (true, upper),
    };
    if !body
        .chars()
        .all(|c| matches!(c, '9' | '0' | ',' | '.' | 'D' | 'G' | '$'))
    {
        return None;
    }
    let (whole, fraction) = body.split_once(['.', 'D']).unwrap_or((&body, ""));
    let places = u32::try_from(fraction.chars().filter(|c| matches!(c, '9' | '0')).count()).ok()?;
    let rounded =
        value.round_dp_with_strategy(places, rust_decimal::RoundingStrategy::MidpointAwayFromZero);
    let printed = format!("{:.*}", usize::try_from(places).ok()?, rounded.abs());
    let (digits, decimals) = printed.split_once('.').unwrap_or((&printed, ""));
    let mut left: Vec<char> = digits.chars().filter(|_| true).collect();
    if left == ['0'] && !whole.contains('0') && places > 0 {
        left.clear();
    }
    let slots = whole.chars().filter(|c| matches!(c, '9' | '0')).count();
    if left.len() > slots {
        return Some("#".repeat(format.len() + 1));
    }
    let mut out = Vec::new();
    let zero_from = whole.find('0').map(|at| {
        whole[at..]
            .chars()
            .filter(|c| matches!(c, '9' | '0'))
            .count()
    });
    let mut taken = 0;
    for slot in whole.chars().rev() {
        match slot {
            '9' | '0' => {
                taken += 1;
                match left.pop() {
                    Some(digit) => out.push(digit),
                    None if zero_from.is_some_and(|zeros| taken <= zeros) => out.push('0'),
                    None => {}
                }
            }
            ',' | 'G' if !left.is_empty() || zero_from.is_some_and(|zeros| taken < zeros) => {
                out.push(',');
            }
            '$' => out.push('$'),
            _ => {}
        }
    }
    let mut text: String = out.into_iter().rev().collect();
    if places > 0 {
        let decimals = if fill {
            decimals.to_owned()
        } else {
            let keep = fraction.rfind('0').map_or(0, |at| at + 1);
            let trimmed = decimals.trim_end_matches('0');
            decimals[..trimmed.len().max(keep).min(decimals.len())].to_owned()
        };
        text = format!("{text}.{decimals}");
    }
    if rounded.is_sign_negative() && !rounded.is_zero() {
        text.insert(0, '-');
    }
    if fill {
        text = format!("{text:>width$}", width = body.len() + 1);
    }
    Some(text)
}

fn pattern(
    context: &Context<'_>,
    position: usize,
    flags: Option<String>,
) -> rusqlite::Result<regex::Regex> {
    let source = text(context, position)?.unwrap_or_default();
    let flags = flags.unwrap_or_default();
    regex::RegexBuilder::new(&source)
        .case_insensitive(flags.contains('i'))
        .multi_line(flags.contains('m'))
        .dot_matches_new_line(flags.contains('n'))
        .size_limit(1 << 20)
        .build()
        .map_err(|_| bad(format!("invalid regular expression {source}")))
}

pub(super) fn argument(context: &Context<'_>, position: usize) -> rusqlite::Result<Option<String>> {
    if position < context.len() {
        text(context, position)
    } else {
        Ok(None)
    }
}

pub(super) fn regexp(context: &Context<'_>, what: &str) -> rusqlite::Result<Value> {
    let Some(subject) = text(context, 0)? else {
        return Ok(Value::Null);
    };
    match what {
        "like" => {
            let pattern = pattern(context, 1, argument(context, 2)?)?;
            Ok(Value::Integer(i64::from(pattern.is_match(&subject))))
        }
        "replace" => {
            let pattern = pattern(context, 1, argument(context, 5)?)?;
            let by = argument(context, 2)?.unwrap_or_default();
            // Oracle writes \1 where the crate writes ${1}.
            let mut template = String::new();
            let mut letters = by.chars().peekable();
            while let Some(letter) = letters.next() {
                match (letter, letters.peek()) {
                    ('\\', Some(digit)) if digit.is_ascii_digit() => {
                        template.push_str(&format!("${{{digit}}}"));
                        letters.next();
                    }
                    ('$', _) => template.push_str("$$"),
                    _ => template.push(letter),
                }
            }
            let replaced = pattern
                .replace_all(&subject, template.as_str())
                .into_owned();
            Ok(if replaced.is_empty() {
                Value::Null
            } else {
                Value::Text(replaced)
            })
        }
        "count" => {
            let pattern = pattern(context, 1, argument(context, 3)?)?;
            Ok(Value::Integer(
                i64::try_from(pattern.find_iter(&subject).count()).unwrap_or(0),
            ))
        }
        _ => {
            let pattern = pattern(context, 1, argument(context, 4)?)?;
            let nth = argument(context, 3)?
                .and_then(|n| n.parse::<usize>().ok())
                .unwrap_or(1);
            let group = argument(context, 5)?
                .and_then(|n| n.parse::<usize>().ok())
                .unwrap_or(0);
            let found = pattern.captures_iter(&subject).nth(nth.max(1) - 1);
            if what == "instr" {
                let at = found.and_then(|found| found.get(0)).map_or(0, |all| {
                    i64::try_from(subject[..all.start()].chars().count() + 1).unwrap_or(0)
                });
                return Ok(Value::Integer(at));
            }
            Ok(optional(
                found
                    .and_then(|found| found.get(group).map(|m| m.as_str().to_owned()))
                    .filter(|text| !text.is_empty()),
            ))
        }
    }
}
