//! From text to syntax: what isn't read-only Oracle SQL stops here.

use sqlparser::ast::{Query, Statement};
use sqlparser::dialect::OracleDialect;
use sqlparser::parser::Parser;
use sqlparser::tokenizer::{Token, Tokenizer};

use super::Refusal;

/// Parses one query. Placeholders come out numbered (`?1`, `?2`) in the order they are written; the
/// second value is how many there are.
pub(super) fn parse(text: &str) -> Result<(Query, usize), Refusal> {
    let dialect = OracleDialect {};
    let tokens = Tokenizer::new(&dialect, text)
        .tokenize_with_location()
        .map_err(|_| Refusal::unsupported(""))?;
    let mut count = 0;
    let tokens = tokens
        .into_iter()
        .map(|mut token| {
            if token.token == Token::Placeholder("?".to_owned()) {
                count += 1;
                token.token = Token::Placeholder(format!("?{count}"));
            } else if matches!(&token.token, Token::Placeholder(_)) {
                token.token = Token::Placeholder("?0".to_owned());
            }
            token
        })
        .collect();
    let mut statements = Parser::new(&dialect)
        .with_tokens_with_locations(tokens)
        .with_recursion_limit(60)
        .parse_statements()
        .map_err(|_| Refusal::unsupported(""))?;
    match (statements.pop(), statements.is_empty()) {
        (Some(Statement::Query(query)), true) => Ok((*query, count)),
        _ => Err(Refusal::unsupported("")),
    }
}
