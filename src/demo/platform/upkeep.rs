//! What models wrote about the organisations, and what is planned and done to mend or prevent faults.
//! Nothing here draws a random number.

use super::{Place, Table, at, integer, text, uuid};
use crate::{
    demo::{generate::Generator, offset::MINUTE},
    sql::Bind,
};

const MODEL: &str = "claude-sonnet-4-5";

pub fn tables(generator: &Generator) -> [Table; 3] {
    let [plans, actions] = remedies(generator);
    [insights(generator), plans, actions]
}

/// Numbers of the organisations, type, context type, title, text, confidence, severity, service, and the minutes
/// before the end at which it was written and acknowledged.
type Insight = (
    &'static [usize],
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    f64,
    &'static str,
    &'static str,
    (i64, Option<i64>),
);

const CARRIER: &str = "Answers 503 of the carrier come in bursts of minutes; orders wait and are sent by retries.";

const INSIGHTS: [Insight; 7] = [
    (
        &[0],
        "prediction",
        "predictive-maintenance",
        "Volume of catalog-db-data is full within three days",
        "It grows by 3.1 % of its size a day and has 8.8 % left; the database stops writing when it is full.",
        0.91,
        "critical",
        "catalog",
        (26 * 60, None),
    ),
    (
        &[0],
        "pattern",
        "errors",
        "Bursts of carrier errors",
        CARRIER,
        0.74,
        "warning",
        "shipping",
        (20 * 60, Some(19 * 60)),
    ),
    (
        &[0],
        "pattern",
        "errors",
        "Bursts of carrier errors",
        CARRIER,
        0.77,
        "warning",
        "shipping",
        (11 * 60, Some(10 * 60)),
    ),
    (&[0], "pattern", "errors", "Bursts of carrier errors", CARRIER, 0.79, "warning", "shipping", (4 * 60, None)),
    (
        &[0, 1],
        "recommendation",
        "infra-compute",
        "Two of four nodes would carry the night",
        "Processor use stays under 40 % from 22:00 to 05:00 UTC.",
        0.52,
        "info",
        "",
        (15 * 60, None),
    ),
    (
        &[0, 1, 2],
        "root-cause",
        "errors",
        "Refused sign-ins follow the identity provider",
        "Failures of Auth/Login begin at the identity provider and not in auth itself.",
        0.66,
        "info",
        "auth",
        (9 * 60, Some(8 * 60)),
    ),
    (
        &[2],
        "prediction",
        "kubernetes-pods",
        "price-import-1 does not recover by itself",
        "It has restarted 311 times in six days, each time with the same exit code.",
        0.88,
        "warning",
        "",
        (30 * 60, None),
    ),
];

fn insights(generator: &Generator) -> Table {
    let mut table = Table::new(
        "ai_insights",
        "id organization_id workspace_id insight_type context_type title summary confidence severity service_name \
             acknowledged_at created_at updated_at",
    );
    for place in Place::all(generator) {
        let organization = place.fleet.organization;
        let mut push = |words: [&str; 6], confidence: f64, (made, seen): (i64, Option<i64>)| {
            let [kind, context, title, summary, severity, service] = words;
            table.push([
                uuid(place.id("insight", &format!("{title} {}", generator.end() - made))),
                place.organization(),
                place.workspace(),
                text(kind),
                text(context),
                text(title),
                text(summary),
                Bind::Float(confidence),
                text(severity),
                if service.is_empty() { Bind::Null } else { text(service) },
                seen.map_or(Bind::Null, at),
                at(made),
                at(seen.unwrap_or(made)),
            ]);
        };
        for (organizations, kind, context, title, summary, confidence, severity, service, (made, seen)) in INSIGHTS {
            if organizations.contains(&organization.index) {
                let ago = |minutes: i64| generator.end() - minutes * MINUTE;
                let words = [kind, context, title, summary, severity, service];
                push(words, confidence, (ago(made), seen.map(ago)));
            }
        }
        let Some(incident) = generator.incident(organization) else { continue };
        let Some(alert) = incident.scenario.alerts.first() else { continue };
        let made = incident.start + alert.at.0 + 9 * MINUTE;
        if made < generator.end() {
            let title = format!("Likely origin: {}", alert.service);
            let words = ["root-cause", "ai-root-cause", &title, &alert.title, "critical", &alert.service];
            push(words, 0.83, (made, None));
        }
    }
    table
}

/// Minutes before the end: proposed, approved, begun, ended.
type Times = [Option<i64>; 4];

/// What kind of step, at what, how it ended, and the error.
type Step = (&'static str, &'static str, &'static str, Option<&'static str>);

struct Plan {
    organizations: &'static [usize],
    trigger: &'static str,
    title: &'static str,
    service: &'static str,
    /// What became of it, if it ended.
    end: &'static str,
    risk: &'static str,
    hypothesis: &'static str,
    times: Times,
    steps: &'static [Step],
}

const PLANS: [Plan; 6] = [
    Plan {
        organizations: &[0],
        trigger: "prediction",
        title: "Grow the volume of catalog-db-data to 180 GiB",
        service: "catalog",
        end: "",
        risk: "low",
        hypothesis: "The catalogue keeps every revision of its products",
        times: [Some(25 * 60), None, None, None],
        steps: &[("resize", "pvc-catalog-db-data", "pending", None)],
    },
    Plan {
        organizations: &[0],
        trigger: "anomaly",
        title: "Restart report-cache with 2 GiB of memory",
        service: "report-cache",
        end: "failed",
        risk: "medium",
        hypothesis: "Reports are kept until the pod is killed",
        times: [Some(8 * 60), Some(7 * 60 + 40), Some(7 * 60 + 35), Some(7 * 60 + 31)],
        steps: &[
            (
                "patch",
                "fulfilment/report-cache",
                "failed",
                Some("admission webhook denied the request: memory limit is above the quota of the namespace"),
            ),
            ("restart", "fulfilment/report-cache-0", "skipped", None),
        ],
    },
    Plan {
        organizations: &[0, 1, 2],
        trigger: "alert",
        title: "Switch shipping to the second carrier",
        service: "shipping",
        end: "completed",
        risk: "low",
        hypothesis: "The first carrier answers 503",
        times: [Some(13 * 60 + 30), Some(13 * 60 + 21), Some(13 * 60 + 20), Some(12 * 60 + 58)],
        steps: &[("flag", "flag:second-carrier", "succeeded", None), ("verify", "shipping", "succeeded", None)],
    },
    Plan {
        organizations: &[0],
        trigger: "manual",
        title: "Rotate the credentials of order-db",
        service: "order",
        end: "",
        risk: "high",
        hypothesis: "",
        times: [Some(4 * 24 * 60), Some(3 * 24 * 60), None, None],
        steps: &[("rotate", "order-db-credentials", "pending", None), ("restart", "order", "pending", None)],
    },
    Plan {
        organizations: &[0, 1],
        trigger: "prediction",
        title: "Add a node for the evening",
        service: "edge-gateway",
        end: "rejected",
        risk: "low",
        hypothesis: "",
        times: [Some(32 * 60), None, None, Some(30 * 60)],
        steps: &[],
    },
    Plan {
        organizations: &[2],
        trigger: "anomaly",
        title: "Suspend price-import until its file is mended",
        service: "price-import",
        end: "",
        risk: "low",
        hypothesis: "The import reads a price list without a currency",
        times: [Some(29 * 60), None, None, None],
        steps: &[("scale", "shop/price-import", "pending", None)],
    },
];

fn remedies(generator: &Generator) -> [Table; 2] {
    let mut plans = Table::new(
        "remediation_plans",
        "id organization_id workspace_id trigger_type title service_name status risk_level root_cause_hypothesis \
             llm_model approved_at started_at completed_at created_at updated_at",
    );
    let mut actions = Table::new(
        "remediation_actions",
        "id organization_id workspace_id plan_id position action_type target status error started_at finished_at \
             created_at updated_at",
    );
    for place in Place::all(generator) {
        let end = generator.end();
        let mut push = |words: [&str; 6], [made, approved, begun, ended]: Times, steps: &[Step]| {
            let [trigger, title, service, result, risk, hypothesis] = words;
            let moment = |time: Option<i64>| time.map_or(Bind::Null, at);
            let status = match (ended, begun, approved) {
                (Some(_), ..) => result,
                (None, Some(_), _) => "executing",
                (None, None, Some(_)) => "approved",
                (None, None, None) => "proposed",
            };
            let made = made.unwrap_or(end);
            let by_model = trigger != "manual";
            let changed = ended.or(begun).or(approved).unwrap_or(made);
            plans.push([
                uuid(place.id("plan", title)),
                place.organization(),
                place.workspace(),
                text(trigger),
                text(title),
                text(service),
                text(status),
                text(risk),
                if hypothesis.is_empty() { Bind::Null } else { text(hypothesis) },
                if by_model { text(MODEL) } else { Bind::Null },
                moment(approved),
                moment(begun),
                moment(ended),
                at(made),
                at(changed),
            ]);
            for (nth, (kind, target, outcome, error)) in steps.iter().enumerate() {
                let is_done = matches!(*outcome, "succeeded" | "failed");
                actions.push([
                    uuid(place.id("step", &format!("{title} {nth}"))),
                    place.organization(),
                    place.workspace(),
                    uuid(place.id("plan", title)),
                    integer(nth as i64 + 1),
                    text(kind),
                    text(target),
                    text(outcome),
                    error.map_or(Bind::Null, text),
                    moment(begun.filter(|_| is_done).map(|begun| begun + nth as i64 * MINUTE)),
                    moment(ended.filter(|_| is_done)),
                    at(made),
                    at(changed),
                ]);
            }
        };
        let mine = PLANS.iter().filter(|plan| plan.organizations.contains(&place.fleet.organization.index));
        for plan in mine {
            let words = [plan.trigger, plan.title, plan.service, plan.end, plan.risk, plan.hypothesis];
            push(words, plan.times.map(|ago| ago.map(|ago| end - ago * MINUTE)), plan.steps);
        }
        let Some(incident) = generator.incident(place.fleet.organization) else { continue };
        let Some(change) = incident.scenario.changes.first() else { continue };
        let made = incident.start + 16 * MINUTE;
        if made < end {
            let title = format!("Undo the last change of {}", change.service);
            let words = ["alert", &title, &change.service, "", "medium", &change.title];
            push(words, [Some(made), None, None, None], &[]);
        }
    }
    [plans, actions]
}
