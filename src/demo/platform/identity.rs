//! Regions, organisations, workspaces, tenants, users, roles, keys, providers, retention.

use serde_json::json;

use super::{Place, Table, at, integer, json, secret, text, uuid};
use crate::{
    demo::{
        generate::Generator,
        offset::{HOUR, MINUTE},
        people::ROLES,
        random::{Random, number},
    },
    sql::Bind,
};

const DAY: i64 = 24 * HOUR;

pub fn tables(generator: &Generator) -> Vec<Table> {
    let mut tables = tenancy(generator).to_vec();
    tables.extend(users(generator));
    tables.extend([api_keys(generator), providers(generator), retention(generator)]);
    tables
}

fn tenancy(generator: &Generator) -> [Table; 4] {
    let mut regions = Table::new("regions", "id code name description created_at updated_at");
    let mut organizations =
        Table::new("organizations", "organization_id name code description domain region_id created_at updated_at");
    let mut workspaces =
        Table::new("workspaces", "workspace_id name code description organization_id created_at updated_at");
    let mut tenants = Table::new("tenants", "tenant_id name code domain workspace_id created_at updated_at");
    for place in Place::all(generator) {
        let spec = &place.fleet.organization.spec;
        let (founded, end) = (place.founded(), place.end());
        let region = &spec.region;
        let description = text("Data centres of the region");
        regions.push([
            uuid(region.id),
            text(&region.code),
            text(&region.name),
            description,
            founded.clone(),
            end.clone(),
        ]);
        let about = format!("{} sells online and runs the shop on Kubernetes", spec.name);
        organizations.push([
            place.organization(),
            text(&spec.name),
            text(&spec.code),
            text(&about),
            text(&spec.domain),
            uuid(region.id),
            founded.clone(),
            end.clone(),
        ]);
        workspaces.push([
            place.workspace(),
            text("Production"),
            text(&format!("{}-production", spec.code)),
            text("The live shop"),
            place.organization(),
            founded.clone(),
            end.clone(),
        ]);
        tenants.push([
            uuid(spec.tenant),
            text(&format!("{} shop", spec.name)),
            text(&format!("{}-shop", spec.code)),
            text(&spec.domain),
            place.workspace(),
            founded,
            end,
        ]);
    }
    [regions, organizations, workspaces, tenants]
}

fn users(generator: &Generator) -> [Table; 3] {
    let mut users = Table::new(
        "users",
        "id email password firstName lastName timezone locale organization_id tenant_id isActive \
             emailVerified mfa_enabled mfa_secret mfa_backup_codes passwordHistory passwordChangedAt lastLoginAt \
             loginCount failedLoginAttempts lockedUntil lastFailedLoginAt isOrganizationCreator createdAt \
             updatedAt",
    );
    let mut roles = Table::new("roles", "id name description is_system created_at updated_at");
    let mut user_roles = Table::new("user_roles", "id user_id role_id tenant_id assigned_by assigned_at");
    let role_id = |name: &str| Random::new(number("role"), &[number(name)]).uuid();
    let founded = at(generator.end() - 400 * DAY);
    for (name, description) in ROLES {
        let values = [uuid(role_id(name)), text(name), text(description), Bind::Bool(true)];
        let [id, name, description, system] = values;
        roles.push([id, name, description, system, founded.clone(), founded.clone()]);
    }
    for place in Place::all(generator) {
        let end = place.generator.end();
        let creator = place.estate.people.first().map(|person| person.id);
        for (index, person) in place.estate.people.iter().enumerate() {
            let tenant = uuid(place.fleet.organization.spec.tenant);
            let secret_if = |column: &str| if person.mfa { secret(column) } else { Bind::Null };
            let login = person.idle_days.map_or(Bind::Null, |days| at(end - i64::from(days) * DAY - 37 * MINUTE));
            let clumsy = person.failed_logins > 0;
            users.push([
                uuid(person.id),
                text(&person.email),
                secret("password"),
                text(person.first),
                text(person.last),
                text("UTC"),
                text("en"),
                place.organization(),
                tenant.clone(),
                Bind::Bool(person.active),
                Bind::Bool(person.idle_days.is_some()),
                Bind::Bool(person.mfa),
                secret_if("mfa_secret"),
                secret_if("mfa_backup_codes"),
                secret("passwordHistory"),
                at(end - (20 + 9 * index as i64) * DAY),
                login,
                integer(if person.idle_days.is_some() { 12 + 7 * index as i64 } else { 0 }),
                integer(person.failed_logins),
                if clumsy { at(end + 20 * MINUTE) } else { Bind::Null },
                if clumsy { at(end - 11 * MINUTE) } else { Bind::Null },
                Bind::Bool(Some(person.id) == creator),
                place.founded(),
                at(end - DAY),
            ]);
            user_roles.push([
                uuid(place.id("user role", &person.email)),
                uuid(person.id),
                uuid(role_id(person.role)),
                tenant,
                creator.map_or(Bind::Null, uuid),
                at(end - (300 - index as i64) * DAY),
            ]);
        }
    }
    [users, roles, user_roles]
}

/// What became of a key.
#[derive(Clone, Copy)]
struct Life {
    /// In so many days.
    expires: Option<i64>,
    /// So many hours ago.
    used: Option<i64>,
    revoked: bool,
}

fn api_keys(generator: &Generator) -> Table {
    let mut table = Table::new(
        "api_keys",
        "id organization_id workspace_id name description key_type key_prefix api_key_secret key_hint \
             permissions scopes rate_limit is_active expires_at last_used_at last_used_ip usage_count revoked_at \
             revocation_reason created_at updated_at encrypt_key",
    );
    let plan = [
        ("collector", "service", Life { expires: None, used: Some(0), revoked: false }),
        ("ci pipeline", "service", Life { expires: Some(21), used: Some(3), revoked: false }),
        ("dashboards", "standard", Life { expires: Some(190), used: Some(30), revoked: false }),
        ("old laptop", "standard", Life { expires: Some(-12), used: Some(24 * 130), revoked: false }),
        ("leaked in a ticket", "standard", Life { expires: Some(80), used: None, revoked: true }),
    ];
    for place in Place::all(generator) {
        let end = place.generator.end();
        for (name, kind, Life { expires, used, revoked }) in plan {
            let id = place.id("api key", name);
            let hint: String = id.simple().to_string().chars().take(4).collect();
            table.push([
                uuid(id),
                place.organization(),
                place.workspace(),
                text(name),
                text("Made for the demo"),
                text(kind),
                text("tfk"),
                secret("api_key_secret"),
                text(&format!("…{hint}")),
                json(json!(["telemetry:read"])),
                json(json!([])),
                integer(600),
                Bind::Bool(!revoked),
                expires.map_or(Bind::Null, |days| at(end + days * DAY)),
                used.map_or(Bind::Null, |hours| at(end - hours * HOUR - MINUTE)),
                if used.is_some() { text("203.0.113.7") } else { Bind::Null },
                integer(used.map_or(0, |hours| 100_000 / (1 + hours))),
                if revoked { at(end - 3 * DAY) } else { Bind::Null },
                if revoked { text("found in a support ticket") } else { Bind::Null },
                place.founded(),
                at(end - DAY),
                secret("encrypt_key"),
            ]);
        }
    }
    table
}

fn providers(generator: &Generator) -> Table {
    let mut table = Table::new(
        "llm_providers",
        "id organization_id name provider_type encrypted_api_key api_key_hint model_id is_default is_active \
             last_used_at usage_count created_at updated_at",
    );
    for place in Place::all(generator) {
        let plans = [("Main assistant", "anthropic", "large", true), ("Batch summaries", "openai", "small", false)];
        for (index, (name, kind, model, default)) in plans.into_iter().enumerate() {
            table.push([
                uuid(place.id("llm provider", name)),
                place.organization(),
                text(name),
                text(kind),
                secret("encrypted_api_key"),
                text("…x7Qa"),
                text(model),
                // One organisation has no default provider: a gap to find.
                Bind::Bool(default && place.fleet.organization.index != 2),
                Bind::Bool(true),
                at(place.generator.end() - (1 + index as i64) * HOUR),
                integer(420 * (2 - index as i64)),
                place.founded(),
                place.end(),
            ]);
        }
    }
    table
}

fn retention(generator: &Generator) -> Table {
    let mut table = Table::new(
        "retention_policies",
        "id name description data_type retention_days archive_enabled is_default organization_id \
             last_enforced_at created_at updated_at",
    );
    let enforced = at(generator.end() - 9 * HOUR);
    let founded = at(generator.end() - 400 * DAY);
    for (kind, days) in [("metrics", 90), ("logs", 30), ("traces", 30), ("exemplars", 14), ("audit_logs", 90)] {
        table.push([
            uuid(Random::new(number("retention"), &[number(kind)]).uuid()),
            text(&format!("Default for {kind}")),
            text("The platform's default"),
            text(kind),
            integer(days),
            Bind::Bool(false),
            Bind::Bool(true),
            Bind::Null,
            enforced.clone(),
            founded.clone(),
            founded.clone(),
        ]);
    }
    for place in Place::all(generator) {
        table.push([
            uuid(place.id("retention", "audit")),
            text("Keep the audit trail"),
            text("Required by the auditors"),
            text("audit_logs"),
            integer(365 * (1 + place.fleet.organization.index as i64)),
            Bind::Bool(true),
            Bind::Bool(false),
            place.organization(),
            Bind::Null,
            place.founded(),
            place.founded(),
        ]);
    }
    table
}
