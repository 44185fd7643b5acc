//! Our parser, as far as it is asked about the statements of definitions.

use sqlparser::{
    ast::Statement,
    dialect::{ClickHouseDialect, PostgreSqlDialect, SQLiteDialect},
    parser::Parser,
};

use super::{Dialect, lex};

/// Tokens of the longest statement that is parsed. Trees are as deep as chains of operators are long, and are walked
/// and freed by recursion.
const LONGEST: usize = 6_000;

/// Stack on which a tree of the longest statement is parsed, walked and freed.
pub const STACK: usize = 64 << 20;

/// The statements of a text; call it on a thread with a stack of [`STACK`] bytes.
///
/// # Errors
/// What the parser stumbled over, in its words, or that the statement is too long for it.
pub fn parse(dialect: Dialect, sql: &str) -> Result<Vec<Statement>, String> {
    let tokens = lex::tokens(dialect, sql).map_err(|unclosed| unclosed.to_string())?.len();
    if tokens > LONGEST {
        return Err(format!("it is longer than {LONGEST} words and signs"));
    }
    let parsed = match dialect {
        Dialect::Postgres => Parser::parse_sql(&PostgreSqlDialect {}, sql),
        Dialect::Sqlite => Parser::parse_sql(&SQLiteDialect {}, sql),
        Dialect::ClickHouse => Parser::parse_sql(&ClickHouseDialect {}, sql),
    };
    parsed.map_err(|error| error.to_string())
}
