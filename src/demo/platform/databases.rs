//! The inventory of database servers, and the rules that watch them.

use super::{Place, Table, at, integer, text, uuid};
use crate::{
    demo::{databases::Databases, generate::Generator, offset::HOUR, offset::MINUTE},
    sql::Bind,
};

const DAY: i64 = 24 * HOUR;

/// A rule: instance, metric, operator, threshold, severity, whether it is on, and minutes since it last fired.
type Rule = (&'static str, &'static str, &'static str, f64, &'static str, bool, Option<i64>);

const RULES: [Rule; 6] = [
    ("catalog-db-2", "db.mysql.replication_lag_seconds", ">", 300.0, "critical", true, Some(31)),
    ("catalog-db-1", "db.mysql.connections.active", ">", 240.0, "warning", true, None),
    ("order-db-1", "db.postgresql.cache_hit_ratio", "<", 0.95, "warning", true, None),
    ("inventory-db-1", "db.postgresql.locks.waiting", ">", 5.0, "warning", true, Some(31)),
    ("inventory-db-1", "db.postgresql.xid_age", ">", 1.5e9, "critical", false, None),
    ("shipping-db-1", "db.mongodb.wiredtiger.cache_dirty_ratio", ">", 0.2, "warning", true, None),
];

/// A server that is on record though nothing measures it: put down long ago, and never taken out of the inventory.
const FORGOTTEN: (&str, &str) = ("loyalty-db-old", "mariadb");

pub fn tables(generator: &Generator) -> [Table; 2] {
    let mut instances = Table::new(
        "database_instances",
        "id organization_id workspace_id name display_name type host port database_name version provider region \
             environment status last_seen_at last_error error_count created_at updated_at",
    );
    let mut rules = Table::new(
        "database_monitoring_rules",
        "id organization_id workspace_id instance_id metric_name operator threshold severity enabled \
             last_triggered_at created_at updated_at",
    );
    let Ok(databases) = Databases::embedded() else { return [instances, rules] };
    let end = generator.end();
    for place in Place::all(generator) {
        let spec = &place.fleet.organization.spec;
        for instance in databases.of(place.fleet.organization) {
            let error = instance.error.as_deref();
            instances.push([
                uuid(instance.id(place.fleet.organization)),
                place.organization(),
                place.workspace(),
                text(&instance.name),
                text(&instance.name),
                text(&instance.engine),
                text(&format!("{}.{}", instance.name, spec.domain)),
                port(&instance.engine).map_or(Bind::Null, integer),
                text(&instance.database),
                if instance.version.is_empty() { Bind::Null } else { text(&instance.version) },
                text(if instance.engine.starts_with("aws-") { "aws" } else { &spec.provider }),
                text(&spec.region.code),
                text("production"),
                text(instance.status.as_deref().unwrap_or("online")),
                at(end - instance.silent.map_or(30_000_000_000, |minutes| minutes * MINUTE)),
                error.map_or(Bind::Null, text),
                integer(if error.is_some() { 116 } else { 0 }),
                place.founded(),
                place.end(),
            ]);
            for (name, metric, operator, threshold, severity, enabled, fired) in RULES {
                if name != instance.name {
                    continue;
                }
                rules.push([
                    uuid(place.id("database rule", &format!("{name} {metric}"))),
                    place.organization(),
                    place.workspace(),
                    uuid(instance.id(place.fleet.organization)),
                    text(metric),
                    text(operator),
                    Bind::Float(threshold),
                    text(severity),
                    Bind::Bool(enabled),
                    fired
                        .filter(|_| place.fleet.organization.index == 0)
                        .map_or(Bind::Null, |ago| at(end - ago * MINUTE)),
                    place.founded(),
                    place.end(),
                ]);
            }
        }
        if place.fleet.organization.index == 0 {
            let (name, engine) = FORGOTTEN;
            instances.push([
                uuid(place.id("database", name)),
                place.organization(),
                place.workspace(),
                text(name),
                text(name),
                text(engine),
                text(&format!("{name}.{}", spec.domain)),
                integer(3306),
                text("loyalty"),
                text("10.6.18"),
                text(&spec.provider),
                text(&spec.region.code),
                text("production"),
                text("unknown"),
                at(end - 71 * DAY),
                Bind::Null,
                integer(0),
                place.founded(),
                at(end - 71 * DAY),
            ]);
        }
    }
    [instances, rules]
}

fn port(engine: &str) -> Option<i64> {
    Some(match engine {
        "mysql" | "mariadb" | "percona" | "aws-rds-mysql" | "aws-rds-aurora" => 3306,
        "postgresql" | "timescaledb" => 5432,
        "mongodb-community" | "mongodb-atlas" => 27017,
        "clickhouse" => 8123,
        "mssql" => 1433,
        "cockroachdb" => 26257,
        _ => return None,
    })
}
