//! Bound values in SQLite's few storage classes.

use sqlx::{Arguments as _, sqlite::SqliteArguments};

use crate::{source::text, sql::Bind};

/// The arguments of a statement, in order.
pub(super) fn arguments(binds: &[Bind]) -> SqliteArguments {
    let mut arguments = SqliteArguments::default();
    for bind in binds {
        // Encoding these types into SQLite's argument list cannot fail.
        let _ = match bind {
            Bind::Null => arguments.add(Option::<i64>::None),
            Bind::Bool(value) => arguments.add(*value),
            Bind::Integer(value) => arguments.add(*value),
            Bind::Float(value) => arguments.add(*value),
            Bind::Text(value) => arguments.add(value.clone()),
            Bind::Timestamp(moment) => arguments.add(text::millisecond_timestamp(*moment)),
            Bind::Uuid(uuid) => arguments.add(uuid.to_string()),
            Bind::List(items) => arguments.add(text::json_list(items)),
        };
    }
    arguments
}
