//! Regions, organisations, workspaces, tenants, users, roles, keys, providers, retention.

use super::{
    Place, Table,
    access::{self, MADE_ROLES, role_id},
    at, integer, keys, secret, security, text, uuid,
};
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
/// Where most people of an organisation live.
const ZONES: [&str; 3] = ["Europe/Berlin", "America/New_York", "Asia/Kolkata"];

pub fn tables(generator: &Generator) -> Vec<Table> {
    let mut tables = tenancy(generator).to_vec();
    tables.extend(users(generator));
    let roles: Vec<&str> = ROLES.iter().chain(MADE_ROLES).map(|role| role.0).collect();
    tables.extend(access::tables(generator, &roles));
    tables.extend([keys::table(generator), providers(generator), retention(generator)]);
    tables
}

fn tenancy(generator: &Generator) -> [Table; 4] {
    let mut regions = Table::new("regions", "id code name description created_at updated_at");
    let mut organizations =
        Table::new("organizations", "organization_id name code description domain region_id created_at updated_at");
    let mut workspaces =
        Table::new("workspaces", "workspace_id name code description organization_id is_active created_at updated_at");
    let mut tenants = Table::new("tenants", "tenant_id name code domain workspace_id is_active created_at updated_at");
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
            Bind::Bool(true),
            founded.clone(),
            end.clone(),
        ]);
        tenants.push([
            uuid(spec.tenant),
            text(&format!("{} shop", spec.name)),
            text(&format!("{}-shop", spec.code)),
            text(&spec.domain),
            place.workspace(),
            Bind::Bool(true),
            founded,
            end,
        ]);
        unused(&place, &mut workspaces, &mut tenants);
    }
    [regions, organizations, workspaces, tenants]
}

/// What nobody works in: a tenant without accounts, one that was switched off, and a workspace that was.
fn unused(place: &Place<'_>, workspaces: &mut Table, tenants: &mut Table) {
    let spec = &place.fleet.organization.spec;
    let made = |days: i64| at(place.generator.end() - days * DAY);
    for (name, active, days) in [("wholesale", true, 16), ("pop-up store", false, 210)] {
        tenants.push([
            uuid(place.id("tenant", name)),
            text(&format!("{} {name}", spec.name)),
            text(&format!("{}-{}", spec.code, name.replace(' ', "-"))),
            text(&spec.domain),
            place.workspace(),
            Bind::Bool(active),
            made(days),
            made(days - 12),
        ]);
    }
    if place.fleet.organization.index > 1 {
        return;
    }
    workspaces.push([
        uuid(place.id("workspace", "load test")),
        text("Load test"),
        text(&format!("{}-load-test", spec.code)),
        text("Made for one load test"),
        place.organization(),
        Bind::Bool(false),
        made(75),
        made(61),
    ]);
}

fn users(generator: &Generator) -> [Table; 3] {
    let mut users = Table::new(
        "users",
        "id email password firstName lastName timezone locale organization_id tenant_id isActive \
             emailVerified mfa_enabled mfa_secret mfa_backup_codes passwordHistory passwordChangedAt lastLoginAt \
             loginCount failedLoginAttempts lockedUntil lastFailedLoginAt isOrganizationCreator createdAt \
             updatedAt mfa_enrolled_at mfa_last_used_at recovery_email recovery_email_verified_at \
             profile_completed_at",
    );
    let mut roles = Table::new("roles", "id name description is_system created_at updated_at");
    let mut user_roles = Table::new("user_roles", "id user_id role_id tenant_id assigned_by assigned_at expires_at");
    let founded = at(generator.end() - 400 * DAY);
    for (place, (name, description)) in ROLES.iter().chain(MADE_ROLES).enumerate() {
        let system = Bind::Bool(place < ROLES.len());
        let values = [uuid(role_id(name)), text(name), text(description), system];
        let [id, name, description, system] = values;
        roles.push([id, name, description, system, founded.clone(), founded.clone()]);
    }
    for place in Place::all(generator) {
        let end = place.generator.end();
        let creator = place.estate.people.first().map(|person| person.id);
        let guessed = security::opened(&place);
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
                text(ZONES.get(place.fleet.organization.index).copied().filter(|_| index % 3 != 1).unwrap_or("UTC")),
                text("en"),
                place.organization(),
                tenant.clone(),
                Bind::Bool(person.active),
                Bind::Bool(person.idle_days.is_some()),
                Bind::Bool(person.mfa),
                secret_if("mfa_secret"),
                secret_if("mfa_backup_codes"),
                secret("passwordHistory"),
                at(if guessed == Some(index) { end - 9 * HOUR + MINUTE } else { end - (20 + 9 * index as i64) * DAY }),
                login.clone(),
                integer(if person.idle_days.is_some() { 12 + 7 * index as i64 } else { 0 }),
                integer(person.failed_logins),
                if clumsy { at(end + 20 * MINUTE) } else { Bind::Null },
                if clumsy { at(end - 11 * MINUTE) } else { Bind::Null },
                Bind::Bool(Some(person.id) == creator),
                place.founded(),
                at(end - DAY),
                if person.mfa { at(end - (200 + index as i64) * DAY) } else { Bind::Null },
                if person.mfa { login } else { Bind::Null },
                if index % 4 == 3 { Bind::Null } else { text(&format!("home-{index}@mail.example")) },
                if index % 4 == 0 { place.founded() } else { Bind::Null },
                if person.idle_days.is_some() { place.founded() } else { Bind::Null },
            ]);
            user_roles.push([
                uuid(place.id("user role", &person.email)),
                uuid(person.id),
                uuid(role_id(person.role)),
                tenant,
                creator.map_or(Bind::Null, uuid),
                at(end - (300 - index as i64) * DAY),
                Bind::Null,
            ]);
        }
        for (person, role, by, days, ends) in access::more_roles(&place) {
            user_roles.push([
                uuid(place.id("user role", &format!("{person} {role}"))),
                uuid(person),
                uuid(role_id(role)),
                uuid(place.fleet.organization.spec.tenant),
                by.map_or(Bind::Null, uuid),
                at(end - days * DAY),
                ends.map_or(Bind::Null, |days| at(end + days * DAY)),
            ]);
        }
    }
    [users, roles, user_roles]
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
        "id name description data_type retention_days archive_enabled is_default is_active \
             organization_id last_enforced_at created_at updated_at",
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
            Bind::Bool(true),
            Bind::Null,
            enforced.clone(),
            founded.clone(),
            founded.clone(),
        ]);
    }
    for place in Place::all(generator) {
        let index = place.fleet.organization.index as i64;
        let audit = ("Keep the audit trail", "Required by the auditors", "audit_logs", 365 * (1 + index), true, true);
        let traces = ("Traces for a week", "Saves disk", "traces", 7, false, true);
        let checks = ("Checks of last year", "Was replaced", "uptime", 400, true, false);
        for (name, about, kind, days, archived, active) in [audit, traces, checks] {
            let ran = kind == "traces";
            table.push([
                uuid(place.id("retention", if kind == "audit_logs" { "audit" } else { kind })),
                text(name),
                text(about),
                text(kind),
                integer(days),
                Bind::Bool(archived),
                Bind::Bool(false),
                Bind::Bool(active),
                place.organization(),
                if ran { at(generator.end() - (50 + 40 * index) * HOUR) } else { Bind::Null },
                place.founded(),
                if ran { at(generator.end() - 6 * DAY) } else { place.founded() },
            ]);
        }
    }
    table
}
