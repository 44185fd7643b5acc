//! Records of the platform: alerts, keys, findings, incidents, budgets and what workspaces hold.

use std::collections::{BTreeMap, BTreeSet};

use tfo_mcp::demo::offset::{HOUR, SECOND};

use super::{
    Oracle, Rows, View, cells,
    records::{Line, Records},
};

const DAY: i64 = 24 * HOUR;

/// Lines by the values of columns.
fn by<'r>(lines: impl Iterator<Item = &'r Line>, columns: &[&str]) -> BTreeMap<Vec<String>, Vec<&'r Line>> {
    let mut groups = BTreeMap::<Vec<String>, Vec<&Line>>::new();
    for line in lines {
        groups.entry(columns.iter().map(|column| line.key(column)).collect()).or_default().push(line);
    }
    groups
}

fn count(lines: &[&Line], fits: impl Fn(&Line) -> bool) -> usize {
    lines.iter().filter(|line| fits(line)).count()
}

fn different(lines: &[&Line], column: &str) -> usize {
    lines.iter().map(|line| line.text(column)).filter(|value| !value.is_empty()).collect::<BTreeSet<_>>().len()
}

/// Whether what a column tells lies in the window, or in the one before.
fn now(view: &View, line: &Line, column: &str) -> bool {
    line.moment(column).is_some_and(|time| view.now.holds(time))
}

fn before(view: &View, line: &Line, column: &str) -> bool {
    line.moment(column).is_some_and(|time| view.before.holds(time))
}

fn ended(line: &Line, column: &str, by: i64) -> bool {
    line.moment(column).is_some_and(|time| time < by)
}

fn share(part: usize, all: usize) -> Option<f64> {
    (all > 0).then(|| 100.0 * part as f64 / all as f64)
}

/// The mean time from one moment to another, in hours. Moments of records are told to the second.
fn mean_hours<'r>(lines: impl Iterator<Item = &'r &'r Line>, from: &str, to: &str) -> Option<f64> {
    let second = |line: &Line, column: &str| line.moment(column).map(|time| time.div_euclid(SECOND));
    super::series::mean(lines.map(|line| Some((second(line, to)? - second(line, from)?) as f64 / 3600.0)))
}

fn noisy_rules(records: &Records, view: &View) -> Rows {
    let mut rows = Rows::default();
    for (rule, alerts) in by(records.kept("alert_instances"), &["alert_rule_id"]) {
        let started: Vec<&Line> = alerts.iter().copied().filter(|alert| now(view, alert, "starts_at")).collect();
        let Some(rule) = records.named("alert_rules", &rule[0]).filter(|_| !started.is_empty()) else { continue };
        let resolved = started.iter().filter(|alert| alert.text("status") == "resolved");
        let cells = cells![
            "started" => started.len(),
            "started_before" => count(&alerts, |alert| before(view, alert, "starts_at")),
            "distinct_alerts" => different(&started, "fingerprint"),
            "mean_open_min" => mean_hours(resolved, "starts_at", "resolved_at").map(|hours| 60.0 * hours),
        ];
        rows.add([&rule.text("name")], cells);
    }
    rows
}

fn rules(records: &Records, view: &View) -> Rows {
    let mut rows = Rows::default();
    for rule in records.kept("alert_rules") {
        let own: Vec<&Line> = records
            .kept("alert_instances")
            .filter(|alert| alert.text("alert_rule_id") == rule.text("id") && ended(alert, "starts_at", view.now.to))
            .collect();
        let started: Vec<&Line> = own.iter().copied().filter(|alert| now(view, alert, "starts_at")).collect();
        let cells = cells![
            "alerts" => started.len(),
            "prev_alerts" => count(&own, |alert| before(view, alert, "starts_at")),
            "open_in_window" => count(&own, |alert| {
                alert.text("status") != "resolved" || !ended(alert, "resolved_at", view.now.from)
            }),
            "answered" => count(&started, |alert| alert.moment("acknowledged_at").is_some()),
            "open_now" => count(&own, |alert| alert.text("status") != "resolved"),
        ];
        rows.add([&rule.text("name")], cells);
    }
    rows
}

fn agents(records: &Records, _: &View) -> Rows {
    let mut rows = Rows::default();
    for (key, agents) in by(records.kept("agents"), &["type", "version"]) {
        let well = |agent: &Line| ["healthy", "online"].contains(&agent.text("status").to_lowercase().as_str());
        let cells = cells!["agents" => agents.len(), "not_healthy" => agents.len() - count(&agents, well)];
        rows.0.insert(key, cells);
    }
    rows
}

fn insights(records: &Records, view: &View) -> Rows {
    let mut rows = Rows::default();
    for (key, all) in by(records.kept("ai_insights"), &["insight_type"]) {
        let written: Vec<&Line> = all.iter().copied().filter(|one| now(view, one, "created_at")).collect();
        let earlier = count(&all, |one| before(view, one, "created_at"));
        if written.len() + earlier > 0 {
            let cells = cells![
                "written" => written.len(),
                "prev_written" => earlier,
                "unread" => count(&written, |one| !ended(one, "acknowledged_at", view.now.to)),
                "mean_confidence_pct" =>
                    super::series::mean(written.iter().map(|one| Some(100.0 * one.number("confidence")?))),
            ];
            rows.0.insert(key, cells);
        }
    }
    rows
}

fn keys(records: &Records, _: &View) -> Rows {
    let end = records.end();
    let keys: Vec<&Line> = records.kept("api_keys").collect();
    let revoked = |key: &Line| key.moment("revoked_at").is_some() || !key.is("is_active");
    let expired = |key: &Line| key.moment("expires_at").is_some_and(|time| time <= end);
    let valid: Vec<&Line> = keys.iter().copied().filter(|key| !revoked(key) && !expired(key)).collect();
    let cells = cells![
        "keys" => keys.len(),
        "valid" => valid.len(),
        "expired" => count(&keys, |key| !revoked(key) && expired(key)),
        "revoked" => count(&keys, revoked),
        "ending_soon" => count(&valid, |key| ended(key, "expires_at", end + 30 * DAY)),
        "never_ending" => count(&valid, |key| key.moment("expires_at").is_none()),
        "unused" => count(&valid, |key| key.moment("last_used_at").is_none_or(|time| time <= end - 90 * DAY)),
        "unlimited" => count(&valid, |key| key.text("permissions").contains("\"*\"")),
        "never_renewed" => count(&valid, |key| key.moment("rotated_at").is_none()),
    ];
    let mut rows = Rows::default();
    rows.add([], cells);
    rows
}

fn users(records: &Records) -> Vec<&Line> {
    records.kept("users").filter(|user| user.moment("deletedAt").is_none()).collect()
}

fn accounts(records: &Records, _: &View) -> Rows {
    let users = users(records);
    let age = |user: &&Line| Some(((records.end() - user.moment("passwordChangedAt")?) / DAY) as f64);
    let cells = cells![
        "accounts" => users.len(),
        "deactivated" => count(&users, |user| !user.is("isActive")),
        "without_mfa" => count(&users, |user| user.is("isActive") && !user.is("mfa_enabled")),
        "oldest_password_days" => super::series::highest(users.iter().map(age)),
    ];
    let mut rows = Rows::default();
    rows.add([], cells);
    rows
}

/// Assignments of roles to own accounts.
fn assigned(records: &Records) -> Vec<&Line> {
    let own: BTreeSet<String> = users(records).iter().map(|user| user.text("id")).collect();
    records.all("user_roles").filter(|given| own.contains(&given.text("user_id"))).collect()
}

fn lasts(records: &Records, given: &Line) -> bool {
    given.moment("expires_at").is_none_or(|time| time > records.end())
}

fn assignments(records: &Records, view: &View) -> Rows {
    let all = assigned(records);
    let cells = cells![
        "assignments" => all.len(),
        "given" => count(&all, |one| now(view, one, "assigned_at")),
        "prev_given" => count(&all, |one| before(view, one, "assigned_at")),
        "expired" => count(&all, |one| !lasts(records, one)),
    ];
    let mut rows = Rows::default();
    rows.add([], cells);
    rows
}

fn roles(records: &Records, view: &View) -> Rows {
    let assigned = assigned(records);
    let mut rows = Rows::default();
    for role in records.all("roles") {
        let rights: Vec<&Line> = records
            .all("role_permissions")
            .filter(|right| right.text("role_id") == role.text("id"))
            .filter_map(|right| records.named("permissions", &right.text("permission_id")))
            .collect();
        let held: Vec<&Line> = assigned
            .iter()
            .copied()
            .filter(|given| given.text("role_id") == role.text("id") && lasts(records, given))
            .collect();
        let cells = cells![
            "permissions" => rights.len(),
            "writing" => count(&rights, |right| {
                !["read", "list", "view", "export"].contains(&right.text("action").as_str())
            }),
            "accounts" => different(&held, "user_id"),
            "given_in_window" => count(&held, |given| now(view, given, "assigned_at")),
        ];
        rows.add([&role.text("name")], cells);
    }
    rows
}

/// Rights of roles over kinds of things.
fn matrix(records: &Records, _: &View) -> Rows {
    let assigned = assigned(records);
    let mut rows = Rows::default();
    for role in records.all("roles") {
        let held = assigned.iter().filter(|one| one.text("role_id") == role.text("id") && lasts(records, one));
        let accounts: BTreeSet<String> = held.map(|one| one.text("user_id")).collect();
        let mut resources = BTreeMap::<String, usize>::new();
        for right in records.all("role_permissions").filter(|right| right.text("role_id") == role.text("id")) {
            let permission = records.named("permissions", &right.text("permission_id")).unwrap();
            *resources.entry(permission.text("resource")).or_default() += 1;
        }
        for (resource, permissions) in resources {
            let cells = cells!["permissions" => permissions, "accounts" => accounts.len()];
            rows.add([&role.text("name"), &resource], cells);
        }
    }
    rows
}

/// How long each kind of data is kept: by a policy of the organisation, else by that of the platform.
fn kept_days(records: &Records, _: &View) -> Rows {
    let kinds = [
        "metrics",
        "logs",
        "traces",
        "exemplars",
        "uptime",
        "alerts",
        "audit_logs",
        "kubernetes_metrics",
        "llm_usage_raw",
        "network_map_connection_metrics",
        "network_map_traffic",
        "service_map_metrics",
        "signal_correlations",
        "vm_metrics",
    ];
    let own = records.organization().id_text.as_str();
    let mut rows = Rows::default();
    for kind in kinds {
        let days = |organization: &str| {
            let policies = records.all("retention_policies").filter(|policy| policy.text("data_type") == kind);
            let active =
                policies.filter(|policy| policy.is("is_active") && policy.text("organization_id") == organization);
            active.filter_map(|policy| policy.number("retention_days")).reduce(f64::min)
        };
        rows.add([kind], cells!["kept_days" => days(own).or(days("")), "default_days" => days("")]);
    }
    rows
}

fn savings(records: &Records, _: &View) -> Rows {
    let over = ["implemented", "completed", "applied", "dismissed", "rejected", "expired"];
    let mut rows = Rows::default();
    for one in records.kept("cost_recommendations") {
        if over.contains(&one.text("status").to_lowercase().as_str()) {
            continue;
        }
        let (usd, sure) = (one.number("estimated_monthly_savings").unwrap(), one.number("confidence_score"));
        let cells = cells![
            "monthly_usd" => usd,
            "confidence_pct" => sure.map(|sure| 100.0 * sure),
            "likely_usd" => usd * sure.unwrap_or(0.5),
            "age_days" => one.moment("created_at").map(|made| ((records.end() - made) / DAY) as f64),
        ];
        rows.add([&one.text("title")], cells);
    }
    rows
}

/// What became of the runs of each report up to the end of the window.
fn reports(records: &Records, view: &View) -> Rows {
    let mut rows = Rows::default();
    for report in records.kept("report_definitions").filter(|one| ended(one, "created_at", view.now.to)) {
        let mut runs: Vec<&Line> = records
            .kept("report_executions")
            .filter(|run| run.text("report_definition_id") == report.text("id"))
            .filter(|run| ended(run, "started_at", view.now.to))
            .collect();
        runs.sort_by_key(|run| std::cmp::Reverse(run.moment("started_at")));
        let cells = cells![
            "failures_in_row" => runs.iter().take_while(|run| run.text("status") == "failed").count(),
            "recipients" => report.json("recipients").as_array().map_or(0, Vec::len),
        ];
        rows.add([&report.text("name")], cells);
    }
    rows
}

/// Whether a weakness was open at a moment.
fn is_open(weakness: &Line, at: i64) -> bool {
    let accepted = ended(weakness, "accepted_at", at) && !ended(weakness, "accepted_until", at);
    !ended(weakness, "fixed_at", at) && !accepted
}

fn weaknesses<'r>(records: &'r Records, view: &View) -> Vec<&'r Line> {
    let to = view.now.to;
    records.kept("vulnerability_findings").filter(|one| ended(one, "first_seen_at", to)).collect()
}

/// The age of the oldest in whole days, at the end of the window.
fn oldest(view: &View, lines: &[&Line], column: &str) -> Option<f64> {
    super::series::highest(lines.iter().map(|line| Some(((view.now.to - line.moment(column)?) / DAY) as f64)))
}

fn severities(records: &Records, view: &View) -> Rows {
    let mut rows = Rows::default();
    for (key, all) in by(weaknesses(records, view).into_iter(), &["severity"]) {
        let open: Vec<&Line> = all.iter().copied().filter(|one| is_open(one, view.now.to)).collect();
        let was_there = |one: &Line| ended(one, "first_seen_at", view.now.from);
        let cells = cells![
            "open_now" => open.len(),
            "open_before" => count(&all, |one| was_there(one) && is_open(one, view.now.from)),
            "appeared" => count(&all, |one| !was_there(one)),
            "mended" => count(&all, |one| now(view, one, "fixed_at")),
            "with_fix" => count(&open, |one| !one.text("fixed_version").is_empty()),
            "without_owner" => count(&open, |one| one.text("owner").is_empty()),
            "oldest_days" => oldest(view, &open, "first_seen_at"),
        ];
        rows.0.insert(key, cells);
    }
    rows
}

fn upgrades(records: &Records, view: &View) -> Rows {
    let open = weaknesses(records, view).into_iter().filter(|one| is_open(one, view.now.to));
    let mut rows = Rows::default();
    for (key, all) in by(open, &["package_name", "fixed_version"]) {
        if !key[1].is_empty() {
            let cells = cells![
                "weaknesses" => all.len(),
                "assets" => different(&all, "asset_name"),
                "oldest_days" => oldest(view, &all, "first_seen_at"),
            ];
            rows.0.insert(key, cells);
        }
    }
    rows
}

fn incidents<'r>(records: &'r Records, view: &View) -> impl Iterator<Item = &'r Line> {
    let to = view.now.to;
    records.kept("security_incidents").filter(move |one| ended(one, "detected_at", to))
}

fn reactions(records: &Records, view: &View) -> Rows {
    let mut rows = Rows::default();
    for (key, all) in by(incidents(records, view), &["severity"]) {
        let mean = |step: &str| {
            let reached = all.iter().filter(|one| now(view, one, step));
            mean_hours(reached, "detected_at", step)
        };
        let cells = cells![
            "open_now" => count(&all, |one| !ended(one, "resolved_at", view.now.to)),
            "detected" => count(&all, |one| now(view, one, "detected_at")),
            "prev_detected" => count(&all, |one| before(view, one, "detected_at")),
            "resolved_in_window" => count(&all, |one| now(view, one, "resolved_at")),
            "mean_ack_min" => mean("acknowledged_at").map(|hours| 60.0 * hours),
            "mean_contain_h" => mean("contained_at"),
            "mean_resolve_h" => mean("resolved_at"),
        ];
        rows.0.insert(key, cells);
    }
    rows
}

fn categories(records: &Records, view: &View) -> Rows {
    let lately = incidents(records, view).filter(|one| !ended(one, "detected_at", view.now.to - 90 * DAY));
    let mut rows = Rows::default();
    for (key, all) in by(lately, &["category"]) {
        let cells = cells![
            "incidents" => all.len(),
            "in_the_window" => count(&all, |one| now(view, one, "detected_at")),
            "open_now" => count(&all, |one| !ended(one, "resolved_at", view.now.to)),
        ];
        rows.0.insert(key, cells);
    }
    rows
}

/// How far a period has gone at the end of the data, 0 to 1; none if it does not run.
fn gone(records: &Records, line: &Line) -> Option<f64> {
    let (from, to) = (line.moment("period_start")?, line.moment("period_end")?);
    let end = records.end();
    (from <= end && to > end).then(|| (end - from) as f64 / (to - from) as f64)
}

fn usage(records: &Records, _: &View) -> Rows {
    let mut rows = Rows::default();
    for (key, mut periods) in by(records.kept("usage_records"), &["metric_type"]) {
        periods.sort_by_key(|period| period.moment("period_start"));
        for (place, period) in periods.iter().enumerate() {
            let Some(gone) = gone(records, period) else { continue };
            let used = period.number("current_usage");
            let quota = period.number("usage_limit").filter(|quota| *quota != 0.0);
            let earlier = place.checked_sub(1).and_then(|place| periods[place].number("current_usage"));
            let cells = cells![
                "used" => used,
                "quota" => period.number("usage_limit"),
                "used_pct" => used.zip(quota).map(|(used, quota)| 100.0 * used / quota),
                "prev_used" => earlier,
                "gone_pct" => 100.0 * gone,
            ];
            rows.0.insert(key.clone(), cells);
        }
    }
    rows
}

fn budgets(records: &Records, _: &View) -> Rows {
    let mut rows = Rows::default();
    for budget in records.kept("cost_budgets") {
        let Some(gone) = gone(records, budget) else { continue };
        let (amount, spent) = (budget.number("amount").unwrap(), budget.number("current_spend").unwrap());
        let cells = cells![
            "amount" => amount,
            "spent" => spent,
            "spent_pct" => 100.0 * spent / amount,
            "expected_pct" => 100.0 * spent / gone / amount,
            "left_days" => budget.moment("period_end").map(|to| ((to - records.end()) / DAY) as f64),
        ];
        rows.add([&budget.text("name")], cells);
    }
    rows
}

fn workspaces(records: &Records) -> impl Iterator<Item = &Line> {
    records.kept("workspaces")
}

fn holdings(records: &Records, _: &View) -> Rows {
    let mut rows = Rows::default();
    for space in workspaces(records) {
        let held = |table: &str, fits: &dyn Fn(&Line) -> bool| {
            records
                .kept(table)
                .filter(|one| one.text("workspace_id") == space.text("workspace_id") && fits(one))
                .count()
        };
        let valid = |key: &Line| key.is("is_active") && key.moment("revoked_at").is_none() && lasts(records, key);
        let cells = cells![
            "agents" => held("agents", &|_| true),
            "clusters" => held("kubernetes_clusters", &|_| true),
            "services" => held("service_map_services", &|_| true),
            "monitors" => held("uptime_monitors", &|_| true),
            "alert_rules" => held("alert_rules", &|rule| rule.is("enabled")),
            "objectives" => held("slo_definitions", &|_| true),
            "keys" => held("api_keys", &valid),
        ];
        rows.add([&space.text("name")], cells);
    }
    rows
}

fn tenants(records: &Records, _: &View) -> Rows {
    let mut rows = Rows::default();
    for space in workspaces(records) {
        let own: Vec<&Line> =
            records.all("tenants").filter(|tenant| tenant.text("workspace_id") == space.text("workspace_id")).collect();
        let cells = cells!["tenants" => own.len(), "active_tenants" => count(&own, |tenant| tenant.is("is_active"))];
        rows.add([&space.text("name")], cells);
    }
    rows
}

fn remedies(records: &Records, view: &View) -> Rows {
    let plans = records.kept("remediation_plans").filter(|plan| ended(plan, "created_at", view.now.to));
    let mut rows = Rows::default();
    for (key, plans) in by(plans, &["trigger_type"]) {
        let finished =
            |status: &str| count(&plans, |plan| now(view, plan, "completed_at") && plan.text("status") == status);
        let cells = cells![
            "made" => count(&plans, |plan| now(view, plan, "created_at")),
            "prev_made" => count(&plans, |plan| before(view, plan, "created_at")),
            "completed" => finished("completed"),
            "failed" => finished("failed"),
            "rejected" => finished("rejected"),
            "unfinished" => count(&plans, |plan| !ended(plan, "completed_at", view.now.to)),
        ];
        rows.0.insert(key, cells);
    }
    rows
}

fn well(line: &Line) -> bool {
    ["healthy", "active", "up"].contains(&line.text("status").as_str())
}

fn node_kinds(records: &Records, _: &View) -> Rows {
    let mut rows = Rows::default();
    for (key, nodes) in by(records.kept("network_map_nodes"), &["type"]) {
        let cells = cells![
            "nodes" => nodes.len(),
            "unwell_nodes" => nodes.len() - count(&nodes, well),
            "regions" => different(&nodes, "region"),
        ];
        rows.0.insert(key, cells);
    }
    rows
}

fn protocols(records: &Records, _: &View) -> Rows {
    let mut rows = Rows::default();
    for (key, links) in by(records.kept("network_map_connections"), &["protocol", "target_port"]) {
        let fine = |link: &Line| well(link) && link.number("packet_loss").unwrap_or(0.0) < 1.0;
        let worst = |column: &str| super::series::highest(links.iter().map(|link| link.number(column)));
        let cells = cells![
            "links" => links.len(),
            "unwell_links" => links.len() - count(&links, fine),
            "worst_loss_pct" => worst("packet_loss"),
            "worst_latency_ms" => worst("latency"),
        ];
        rows.0.insert(key, cells);
    }
    rows
}

fn declared(records: &Records, _: &View) -> Rows {
    let mut rows = Rows::default();
    for (key, links) in by(records.kept("service_map_dependencies"), &["type", "protocol"]) {
        let cells = cells![
            "dependencies" => links.len(),
            "unwell" => links.len() - count(&links, |link| ["healthy", "active"].contains(&link.text("status").as_str())),
            "callees" => different(&links, "target_service_id"),
        ];
        rows.0.insert(key, cells);
    }
    rows
}

fn deliveries(records: &Records, view: &View) -> Rows {
    let mut rows = Rows::default();
    for (key, all) in by(records.kept("notification_logs"), &["channel", "type"]) {
        let made: Vec<&Line> = all.iter().copied().filter(|one| now(view, one, "created_at")).collect();
        let earlier: Vec<&Line> = all.iter().copied().filter(|one| before(view, one, "created_at")).collect();
        let is = |status: &'static str| move |one: &Line| one.text("status") == status;
        if made.len() + earlier.len() > 0 {
            let cells = cells![
                "notices" => made.len(),
                "failed" => count(&made, is("failed")),
                "failed_pct" => share(count(&made, is("failed")), made.len()),
                "prev_failed_pct" => share(count(&earlier, is("failed")), earlier.len()),
                "pending" => count(&made, is("pending")),
                "retried" => count(&made, |one| one.number("retry_count") > Some(0.0)),
            ];
            rows.0.insert(key, cells);
        }
    }
    rows
}

fn masking(records: &Records, _: &View) -> Rows {
    let mut rows = Rows::default();
    for space in workspaces(records) {
        let id = space.text("workspace_id");
        let own: Vec<&Line> = records
            .kept("data_masking_policies")
            .filter(|policy| policy.text("workspace_id").is_empty() || policy.text("workspace_id") == id)
            .collect();
        let rules = |policy: &Line| policy.json("rules").as_array().map_or(0, Vec::len);
        let works = |policy: &Line| policy.is("is_enabled") && rules(policy) > 0;
        let cells = cells![
            "working" => count(&own, works),
            "idle" => own.len() - count(&own, works),
            "rules_in_force" => own.iter().filter(|policy| policy.is("is_enabled")).map(|policy| rules(policy)).sum::<usize>(),
        ];
        rows.add([&space.text("name")], cells);
    }
    rows
}

const WORKSPACE: &[&str] = &["workspace_name"];
const RULE: &[&str] = &["rule"];
const SEVERITY: &[&str] = &["severity"];

pub const ORACLES: &[Oracle] = &[
    Oracle { of: "alert", section: "noisy", keys: RULE, expect: noisy_rules },
    Oracle { of: "alert-rules", section: "rules", keys: RULE, expect: rules },
    Oracle { of: "agents", section: "versions", keys: &["type", "version"], expect: agents },
    Oracle { of: "ai-insights", section: "types", keys: &["type"], expect: insights },
    Oracle { of: "api-keys", section: "standing", keys: &[], expect: keys },
    Oracle { of: "iam", section: "standing", keys: &[], expect: accounts },
    Oracle { of: "iam-assignments", section: "totals", keys: &[], expect: assignments },
    Oracle { of: "iam-roles", section: "roles", keys: &["role"], expect: roles },
    Oracle { of: "security-vulnerabilities", section: "counts", keys: SEVERITY, expect: severities },
    Oracle { of: "security-vulnerabilities", section: "upgrades", keys: &["package", "fixed_in"], expect: upgrades },
    Oracle { of: "iam-matrix", section: "matrix", keys: &["role", "resource"], expect: matrix },
    Oracle { of: "retention", section: "kinds", keys: &["data_type"], expect: kept_days },
    Oracle { of: "cost-optimization", section: "savings", keys: &["title"], expect: savings },
    Oracle { of: "ai-recommendations", section: "savings", keys: &["title"], expect: savings },
    Oracle { of: "reports", section: "promised", keys: &["report_name"], expect: reports },
    Oracle { of: "security-incidents", section: "reaction", keys: SEVERITY, expect: reactions },
    Oracle { of: "security-incidents", section: "categories", keys: &["category"], expect: categories },
    Oracle { of: "subscription", section: "usage", keys: &["measure"], expect: usage },
    Oracle { of: "cost-optimization", section: "budgets", keys: &["budget"], expect: budgets },
    Oracle { of: "tenancy-workspaces", section: "holdings", keys: WORKSPACE, expect: holdings },
    Oracle { of: "system-setup", section: "workspaces", keys: WORKSPACE, expect: holdings },
    Oracle { of: "tenancy", section: "workspaces", keys: WORKSPACE, expect: tenants },
    Oracle { of: "corrective-maintenance", section: "outcomes", keys: &["cause"], expect: remedies },
    Oracle { of: "network-map", section: "kinds", keys: &["node_type"], expect: node_kinds },
    Oracle {
        of: "network-map-connections",
        section: "protocols",
        keys: &["protocol", "target_port"],
        expect: protocols,
    },
    Oracle {
        of: "service-map-dependencies",
        section: "kinds",
        keys: &["dependency_type", "protocol"],
        expect: declared,
    },
    Oracle { of: "notifications", section: "deliveries", keys: &["channel", "kind"], expect: deliveries },
    Oracle { of: "data-masking", section: "workspaces", keys: WORKSPACE, expect: masking },
];
