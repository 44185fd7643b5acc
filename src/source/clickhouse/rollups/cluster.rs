//! The same for a cluster, to be read and run by its administrator: nobody has run it here, since no Keeper does.

use time::OffsetDateTime;

use super::{SUMS, make};

/// Where a replica keeps its table in Keeper, and its name.
const REPLICA: &str = "'/clickhouse/tables/{uuid}/{shard}', '{replica}'";
/// What a table of one node is called, behind the name by which all nodes are asked.
const LOCAL: &str = "_local";

/// What makes tables and views on each node of a cluster, and tables of the usual names that ask all of them. The platform's
/// own tables are taken to be made alike: rows are inserted into `traces_local`, `logs_local` and `metrics_local` of a node.
pub fn make_on_cluster(cutoff: OffsetDateTime, cluster: &str) -> Vec<String> {
    let cluster = format!("'{}'", cluster.replace('\\', "\\\\").replace('\'', "\\'"));
    make(cutoff, false).iter().flat_map(|statement| on_cluster(statement, &cluster)).collect()
}

fn on_cluster(statement: &str, cluster: &str) -> Vec<String> {
    if let Some((name, columns)) =
        statement.strip_prefix("CREATE TABLE IF NOT EXISTS ").and_then(|rest| rest.split_once(" ("))
    {
        return vec![
            format!("CREATE TABLE IF NOT EXISTS {name}{LOCAL} ON CLUSTER {cluster} ({}", replicated(columns)),
            format!(
                "CREATE TABLE IF NOT EXISTS {name} ON CLUSTER {cluster} AS {name}{LOCAL}\n\
                 ENGINE = Distributed({cluster}, currentDatabase(), '{name}{LOCAL}', rand())"
            ),
        ];
    }
    if let Some((name, rest)) =
        statement.strip_prefix("CREATE MATERIALIZED VIEW IF NOT EXISTS ").and_then(|rest| rest.split_once(" TO "))
        && let Some((to, select)) = rest.split_once(" AS\n")
    {
        let select = SUMS.iter().map(super::Sum::of).fold(select.to_owned(), |select, table| {
            select.replace(&format!("FROM {table}\n"), &format!("FROM {table}{LOCAL}\n"))
        });
        return vec![format!(
            "CREATE MATERIALIZED VIEW IF NOT EXISTS {name} ON CLUSTER {cluster} TO {to}{LOCAL} AS\n{select}"
        )];
    }
    vec![statement.to_owned()]
}

/// Columns and engine of a table whose engine is a replicated one.
fn replicated(columns: &str) -> String {
    let Some((columns, engine)) = columns.split_once("ENGINE = ") else { return columns.to_owned() };
    let named = engine.find(|c: char| !c.is_alphanumeric()).unwrap_or(engine.len());
    let (engine, rest) = engine.split_at(named);
    let rest = match rest.strip_prefix('(') {
        Some(rest) => format!("({REPLICA}, {rest}"),
        None => format!("({REPLICA}){rest}"),
    };
    format!("{columns}ENGINE = Replicated{engine}{rest}")
}
