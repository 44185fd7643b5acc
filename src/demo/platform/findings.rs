//! What scanners and the security team have on record: known weaknesses of packages, and incidents from their
//! detection to their end. Nothing here draws a random number.

use super::{Place, Table, at, security::GUESSER, text, uuid};
use crate::{
    demo::{
        fleet::node_name,
        generate::Generator,
        offset::{HOUR, MINUTE},
    },
    sql::Bind,
};

pub fn tables(generator: &Generator) -> [Table; 2] {
    [weaknesses(generator), incidents(generator)]
}

/// A weakness of a package, which assets may share.
struct Weakness {
    cve: &'static str,
    title: &'static str,
    package: &'static str,
    installed: &'static str,
    fixed_in: Option<&'static str>,
    severity: &'static str,
    cvss: f64,
    exploited: bool,
    owner: Option<&'static str>,
    /// Numbers of the organisations that have it.
    organizations: &'static [usize],
    /// Hours since it was first seen, and since it was mended or accepted, with the hours for which that holds.
    seen: i64,
    mended: Option<i64>,
    accepted: Option<(i64, i64)>,
    /// Images by the service that runs them; `node` and `bastion` stand for hosts.
    assets: &'static [&'static str],
}

const USUAL: Weakness = Weakness {
    cve: "",
    title: "",
    package: "",
    installed: "",
    fixed_in: None,
    severity: "medium",
    cvss: 5.0,
    exploited: false,
    owner: None,
    organizations: &[0, 1, 2],
    seen: 0,
    mended: None,
    accepted: None,
    assets: &[],
};

const WEAKNESSES: [Weakness; 9] = [
    Weakness {
        cve: "CVE-2026-41207",
        title: "Sign-in without a key when a certificate is malformed",
        package: "openssh-server",
        installed: "9.6p1-3",
        fixed_in: Some("9.6p1-5"),
        severity: "critical",
        cvss: 9.8,
        exploited: true,
        organizations: &[0],
        seen: 52,
        assets: &["bastion"],
        ..USUAL
    },
    Weakness {
        cve: "CVE-2026-30418",
        title: "Request smuggling by chunk extensions",
        package: "netty-codec-http",
        installed: "4.1.108",
        fixed_in: Some("4.1.125"),
        severity: "high",
        cvss: 8.1,
        owner: Some("shop-platform"),
        seen: 23 * 24,
        assets: &["checkout", "order", "payment", "search"],
        ..USUAL
    },
    Weakness {
        cve: "CVE-2026-28864",
        title: "Write beyond a buffer while reading a certificate",
        package: "openssl",
        installed: "3.0.11",
        fixed_in: Some("3.0.18"),
        severity: "critical",
        cvss: 9.1,
        owner: Some("edge"),
        organizations: &[0, 1],
        seen: 41 * 24,
        assets: &["edge-gateway", "auth"],
        ..USUAL
    },
    Weakness {
        cve: "CVE-2026-43020",
        title: "Prototype pollution by nested query strings",
        package: "qs",
        installed: "6.11.0",
        fixed_in: Some("6.14.1"),
        severity: "high",
        cvss: 7.5,
        owner: Some("web"),
        seen: 30,
        assets: &["web"],
        ..USUAL
    },
    Weakness {
        cve: "CVE-2026-11932",
        title: "Credentials follow a redirect to another host",
        package: "curl",
        installed: "8.5.0-2",
        seen: 66 * 24,
        assets: &["node"],
        ..USUAL
    },
    Weakness {
        cve: "CVE-2026-36511",
        title: "Endless loop while reading a form",
        package: "werkzeug",
        installed: "3.0.1",
        fixed_in: Some("3.0.6"),
        severity: "high",
        cvss: 7.5,
        owner: Some("catalog"),
        seen: 19 * 24,
        mended: Some(75),
        assets: &["catalog"],
        ..USUAL
    },
    Weakness {
        cve: "CVE-2026-33790",
        title: "Memory grows with headers that nobody reads",
        package: "golang net/http",
        installed: "1.22.4",
        fixed_in: Some("1.22.9"),
        severity: "high",
        cvss: 7.5,
        owner: Some("shop-platform"),
        seen: 15 * 24,
        mended: Some(26),
        assets: &["cart", "inventory"],
        ..USUAL
    },
    Weakness {
        cve: "CVE-2025-90117",
        title: "Entities of documents are expanded without end",
        package: "libxml2",
        installed: "2.11.5",
        fixed_in: Some("2.13.2"),
        cvss: 6.5,
        owner: Some("search"),
        organizations: &[0, 2],
        seen: 140 * 24,
        accepted: Some((95 * 24, 90 * 24)),
        assets: &["search"],
        ..USUAL
    },
    Weakness {
        cve: "CVE-2025-88230",
        title: "Time of an answer tells whether an account exists",
        package: "spring-security-core",
        installed: "6.2.1",
        severity: "low",
        cvss: 3.7,
        owner: Some("identity"),
        seen: 120 * 24,
        accepted: Some((40 * 24, 180 * 24)),
        assets: &["user"],
        ..USUAL
    },
];

fn weaknesses(generator: &Generator) -> Table {
    let mut table = Table::new(
        "vulnerability_findings",
        "id organization_id workspace_id cve_id title asset_type asset_name package_name installed_version \
             fixed_version severity cvss exploited status owner first_seen_at last_seen_at accepted_at accepted_until \
             fixed_at created_at updated_at",
    );
    for place in Place::all(generator) {
        let organization = place.fleet.organization;
        let ago = |hours: i64| at(generator.end() - hours * HOUR - 7 * MINUTE);
        let or_null = |hours: Option<i64>| hours.map_or(Bind::Null, ago);
        for found in WEAKNESSES.iter().filter(|found| found.organizations.contains(&organization.index)) {
            for (kind, asset) in found.assets.iter().flat_map(|asset| match *asset {
                "node" => (0..3).map(|nth| ("host", node_name(organization, nth))).collect(),
                "bastion" => vec![("host", format!("{}-bastion", organization.spec.code))],
                service => vec![("image", service.to_owned())],
            }) {
                let status = match (found.mended, found.accepted) {
                    (Some(_), _) => "fixed",
                    (None, Some(_)) => "accepted",
                    (None, None) => "open",
                };
                table.push([
                    uuid(place.id("weakness", &format!("{} {asset}", found.cve))),
                    place.organization(),
                    place.workspace(),
                    text(found.cve),
                    text(found.title),
                    text(kind),
                    text(&asset),
                    text(found.package),
                    text(found.installed),
                    found.fixed_in.map_or(Bind::Null, text),
                    text(found.severity),
                    Bind::Float(found.cvss),
                    Bind::Bool(found.exploited),
                    text(status),
                    found.owner.map_or(Bind::Null, text),
                    ago(found.seen),
                    ago(found.mended.unwrap_or(3)),
                    or_null(found.accepted.map(|(since, _)| since)),
                    or_null(found.accepted.map(|(since, lasting)| since - lasting)),
                    or_null(found.mended),
                    ago(found.seen),
                    ago(found.mended.unwrap_or(3)),
                ]);
            }
        }
    }
    table
}

/// Numbers of the organisations, title, category, severity, owner, where it is worked on, and the minutes before the
/// end at which it was detected, acknowledged, contained and resolved.
type Incident =
    (&'static [usize], &'static str, &'static str, &'static str, Option<&'static str>, &'static str, [Option<i64>; 4]);

const INCIDENTS: [Incident; 8] = [
    (
        &[0],
        "Passwords guessed from one address, one account entered",
        "account takeover",
        "critical",
        Some("security on call"),
        "SEC-418",
        [Some(526), Some(488), None, None],
    ),
    (
        &[0, 1],
        "Invoice mails with a false sign-in page",
        "phishing",
        "low",
        None,
        "SEC-419",
        [Some(190), None, None, None],
    ),
    (
        &[0],
        "A second factor was switched off outside of any change",
        "account takeover",
        "medium",
        Some("identity"),
        "SEC-416",
        [Some(1_830), Some(1_790), Some(1_720), Some(1_580)],
    ),
    (
        &[0],
        "A key of the storefront in a public repository",
        "leaked secret",
        "high",
        Some("edge"),
        "SEC-411",
        [Some(7_320), Some(7_300), Some(7_200), Some(5_460)],
    ),
    (
        &[0],
        "Passwords guessed, no account entered",
        "account takeover",
        "medium",
        Some("security on call"),
        "SEC-402",
        [Some(17_400), Some(17_340), Some(17_100), Some(16_800)],
    ),
    (
        &[1],
        "Passwords guessed from one address",
        "account takeover",
        "high",
        None,
        "KSEC-77",
        [Some(515), None, None, None],
    ),
    (
        &[2],
        "Sign-ins from two countries within an hour",
        "account takeover",
        "high",
        Some("platform"),
        "SF-9",
        [Some(230), Some(200), Some(150), None],
    ),
    (
        &[2],
        "Storage of exports open to everybody",
        "exposed data",
        "high",
        Some("platform"),
        "SF-7",
        [Some(12_960), Some(12_900), Some(12_870), Some(12_120)],
    ),
];

fn incidents(generator: &Generator) -> Table {
    let mut table = Table::new(
        "security_incidents",
        "id organization_id workspace_id title category severity status owner source_ref detected_at acknowledged_at \
             contained_at resolved_at created_at updated_at",
    );
    for place in Place::all(generator) {
        let index = place.fleet.organization.index;
        let mine = INCIDENTS.iter().filter(|(organizations, ..)| organizations.contains(&index));
        for (_, title, category, severity, owner, source, times) in mine {
            let [detected, acknowledged, contained, resolved] =
                times.map(|ago| ago.map_or(Bind::Null, |ago| at(generator.end() - ago * MINUTE)));
            let status = match times {
                [.., Some(_)] => "resolved",
                [_, _, Some(_), None] => "contained",
                [_, Some(_), ..] => "investigating",
                _ => "open",
            };
            let title = if category == &"account takeover" && title.contains("one address") {
                format!("{title} ({GUESSER})")
            } else {
                (*title).to_owned()
            };
            table.push([
                uuid(place.id("security incident", source)),
                place.organization(),
                place.workspace(),
                text(&title),
                text(category),
                text(severity),
                text(status),
                owner.map_or(Bind::Null, text),
                text(source),
                detected.clone(),
                acknowledged,
                contained,
                resolved,
                detected,
                place.end(),
            ]);
        }
    }
    table
}
