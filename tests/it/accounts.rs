//! Context types about one account: whose it is, and that nobody else's rows are in it, not even in a number.

use std::{path::Path, sync::Arc};

use serde_json::{Map, Value, json};
use tfo_mcp::{
    catalog::CatalogOptions,
    demo::{
        Generator, Plan, canary, load,
        offset::HOUR,
        oracle::Window,
        people::{Person, people},
    },
    engine::{Call, CallError, Document, Engine, EngineOptions, Principal, Sources, Tenancy},
    source::sqlite::{Sqlite, Writer},
};

use crate::{
    answers::{END, collect},
    own_rows::{NOON, OWN, insert, over, rows},
    support::pack::catalog,
};

/// Filled, with the canaries of other organisations.
struct Site {
    _folder: tempfile::TempDir,
    file: std::path::PathBuf,
    generator: Generator,
}

impl Site {
    async fn new() -> Self {
        let generator = Generator::new(Plan { seed: 7, end: END, scale: 0.05, scenario: None }).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("platform.sqlite");
        load::sqlite(&generator, &file).await.unwrap();
        let window = Window::last(&generator, HOUR);
        let canaries = canary::canaries(&generator, &generator.world.organizations[0], window);
        let mut writer = Writer::open(&file).await.unwrap();
        canaries.plant_in_sqlite(&mut writer).await.unwrap();
        writer.close().await.unwrap();
        Self { _folder: folder, file, generator }
    }

    fn organization(&self, nth: usize) -> String {
        self.generator.world.organizations[nth].id_text.clone()
    }

    fn people(&self, nth: usize) -> Vec<Arc<Person>> {
        people(&self.generator.world.organizations[nth])
    }

    /// What an engine that knows `user` answers a caller of the first organisation.
    async fn ask(&self, context_type: &str, user: Option<&Person>, principal: Principal, filters: Value) -> Document {
        self.answer(context_type, user, principal, filters).await.unwrap()
    }

    /// The refusal of a call that is about nobody.
    async fn refused(&self, context_type: &str, user: Option<&Person>, principal: Principal) -> String {
        self.answer(context_type, user, principal, json!({})).await.unwrap_err().message
    }

    async fn answer(
        &self,
        context_type: &str,
        user: Option<&Person>,
        principal: Principal,
        filters: Value,
    ) -> Result<Document, CallError> {
        let engine = engine(&self.file, &self.organization(0), user);
        let mut arguments: Map<String, Value> = filters.as_object().cloned().unwrap();
        arguments.insert("context_type".into(), context_type.into());
        arguments.insert("max_items".into(), json!(500));
        arguments.insert("time_range".into(), json!("7d"));
        let call = Call { principal, ..Call::default() };
        engine.collect_context(arguments, &call).await
    }
}

fn engine(file: &Path, organization: &str, user: Option<&Person>) -> Engine {
    let mut sources = Sources::default();
    sources.bind("platform", Arc::new(Sqlite::new(file)));
    let tenancy = Tenancy {
        organization_id: Some(organization.to_owned()),
        user_id: user.map(|person| person.id.to_string()),
        ..Tenancy::default()
    };
    let options = EngineOptions { tenancy, clock: Arc::new(|| END), ..EngineOptions::default() };
    Engine::new(catalog(&[], &CatalogOptions::default()), sources, options)
}

fn types() -> Vec<String> {
    let catalog = catalog(&[], &CatalogOptions::default());
    let of_accounts = catalog.contexts.values().filter(|entry| entry.definition.category.0 == "account");
    let names: Vec<String> = of_accounts.map(|entry| entry.definition.name.0.clone()).collect();
    assert!(names.len() >= 5, "{names:?}");
    names
}

/// Rows of the sections over the platform; telemetry is not bound here.
fn shown(document: &Document) -> Vec<(String, Vec<Value>)> {
    let of_platform = document.sections.iter().filter(|section| section.name != "actions");
    of_platform.map(|section| (section.name.clone(), rows(document, &section.name))).collect()
}

fn is_empty(document: &Document) -> bool {
    shown(document).iter().all(|(_, rows)| rows.is_empty())
}

#[tokio::test]
async fn who_is_known_is_answered_and_nobody_else() {
    let site = Site::new().await;
    let (own, foreign) = (site.people(0), site.people(1));
    // The guessed one, one with keys, one with a role that ended.
    for nth in [11, 1, 4] {
        for context_type in types() {
            let document = site.ask(&context_type, Some(&own[nth]), Principal::default(), json!({})).await;
            assert!(!is_empty(&document), "{context_type}: {document:?}");
            let text = document.to_value().to_string();
            assert!(text.contains(&own[nth].email), "{context_type}: {text}");
            let others = own.iter().enumerate().filter(|(other, _)| *other != nth).map(|(_, person)| person);
            for other in others.chain(&foreign) {
                assert!(!text.contains(&other.email), "{context_type} of {} tells of {}", own[nth].email, other.email);
                assert!(!text.contains(&other.id.to_string()), "{context_type} tells of {}", other.email);
            }
            for word in canary::foreign_names(&site.generator, &site.generator.world.organizations[0]) {
                assert!(!text.contains(&word), "{context_type} tells of {word}");
            }
            assert!(!text.contains(canary::FOREIGN), "{context_type}: {text}");
        }
    }
}

#[tokio::test]
async fn a_filter_names_nobody_else_than_the_known_user() {
    let site = Site::new().await;
    let (own, foreign) = (site.people(0), site.people(1));
    for context_type in types() {
        for other in [&own[4].email, &foreign[0].email, &own[4].id.to_string(), &foreign[0].id.to_string()] {
            let filters = json!({ "filters": { "user": other } });
            let document = site.ask(&context_type, Some(&own[11]), Principal::default(), filters).await;
            assert!(is_empty(&document), "{context_type} of {other}: {:?}", shown(&document));
        }
        // Where nobody is known, it names an account of the organisation, and none of another.
        for (other, found) in [(&own[4].email, true), (&foreign[0].email, false), (&foreign[0].id.to_string(), false)] {
            let filters = json!({ "filters": { "user": other } });
            let document = site.ask(&context_type, None, Principal::default(), filters).await;
            assert_eq!(is_empty(&document), !found, "{context_type} of {other}: {:?}", shown(&document));
        }
        let nobody = site.refused(&context_type, None, Principal::default()).await;
        assert!(nobody.starts_with("No account is named"), "{context_type}: {nobody}");
    }
}

#[tokio::test]
async fn settings_do_not_say_who_a_credential_without_a_user_is() {
    let site = Site::new().await;
    let own = site.people(0);
    let bearer = |user: Option<&Person>| Principal {
        organizations: Some(vec![site.organization(0)]),
        subject: Some("key:test".into()),
        user_id: user.map(|person| person.id.to_string()),
        ..Principal::default()
    };
    for context_type in types() {
        let without = site.refused(&context_type, Some(&own[11]), bearer(None)).await;
        assert!(without.starts_with("No account is named"), "{context_type}: {without}");
        let with = site.ask(&context_type, Some(&own[11]), bearer(Some(&own[4])), json!({})).await;
        let text = with.to_value().to_string();
        assert!(text.contains(&own[4].email) && !text.contains(&own[11].email), "{context_type}: {text}");
    }
}

#[tokio::test]
async fn rows_of_colleagues_move_no_number() {
    let site = Site::new().await;
    let own = site.people(0);
    let mut before = Vec::new();
    for context_type in types() {
        before.push(shown(&site.ask(&context_type, Some(&own[11]), Principal::default(), json!({})).await));
    }
    let id = own[11].id;
    let mut writer = Writer::open(&site.file).await.unwrap();
    for table in [
        "user_sessions",
        "known_devices",
        "security_logs",
        "user_notification_preferences",
        "user_permissions",
        "user_roles",
    ] {
        writer
            .execute_script(&format!("DELETE FROM {table} WHERE user_id IS NULL OR user_id <> '{id}'"))
            .await
            .unwrap();
    }
    let others = format!(
        "DELETE FROM notification_logs WHERE recipient <> '{0}'; DELETE FROM api_keys WHERE created_by IS NULL OR \
         created_by <> '{id}'; UPDATE users SET email = 'gone-' || rowid, \"isActive\" = 0 WHERE id <> '{id}';",
        own[11].email
    );
    writer.execute_script(&others).await.unwrap();
    writer.close().await.unwrap();
    for (context_type, before) in types().iter().zip(before) {
        let after = shown(&site.ask(context_type, Some(&own[11]), Principal::default(), json!({})).await);
        assert_eq!(after, before, "{context_type}");
    }
}

#[tokio::test]
async fn actions_are_those_of_the_account_alone() {
    const A: &str = "bbbbbbbb-0000-4000-8000-00000000000a";
    const B: &str = "bbbbbbbb-0000-4000-8000-00000000000b";
    let account = |id: &str, email: &str| {
        format!(
            "INSERT INTO users (id, email, password, organization_id, \"createdAt\") VALUES ('{id}', '{email}', 'x', \
             '{OWN}', '2026-01-01T00:00:00.000Z');"
        )
    };
    const STRANGER: &str = "bbbbbbbb-0000-4000-8000-00000000000c";
    let stranger = account(STRANGER, "strange@shop.example").replace(OWN, "aaaaaaaa-0000-4000-8000-000000000009");
    let platform = [account(A, "a@shop.example"), account(B, "b@shop.example"), stranger].concat();
    let mut values = Vec::new();
    // Of A two, one of them denied; of B three; of nobody one.
    for (nth, (user, result)) in
        [(A, "SUCCESS"), (A, "DENIED"), (B, "DENIED"), (B, "DENIED"), (B, "SUCCESS"), ("", "DENIED")].iter().enumerate()
    {
        let at = NOON - 60 * (1 + nth as i64);
        values.push(format!(
            "(generateUUIDv4(), fromUnixTimestamp64Milli({at}000), '{user}', '', 'DATA', 'export.create', '{result}', \
             '10.0.0.1', '{OWN}')"
        ));
    }
    let into = "audit_logs (id, timestamp, user_id, user_email, event_type, action, result, ip_address, \
         organization_id)";
    let (engine, _kept) = over(&[insert(into, &values)], &[&platform]).await;
    let of = |user: Value| json!({ "time_range": "1d", "filters": user });
    let document = collect(&engine, "account-profile", of(json!({ "user": "a@shop.example" }))).await;
    let actions = rows(&document, "actions");
    assert_eq!(actions.len(), 1, "{actions:?}");
    assert_eq!((&actions[0]["events"], &actions[0]["refused"]), (&json!(2), &json!(1)));
    // Who asks about nobody is told so, and not that there is nothing.
    for context_type in
        ["account-profile", "account-sessions", "account-security", "account-preferences", "account-organization"]
    {
        let asked = json!({ "context_type": context_type, "time_range": "1d" });
        let error = engine.collect_context(asked.as_object().unwrap().clone(), &Call::default()).await.unwrap_err();
        assert!(error.message.contains("No account is named"), "{context_type}: {error:?}");
        let document = collect(&engine, context_type, of(json!({ "user": "a@shop.exmaple" }))).await;
        let said = "No account is on record under that name; did you mean `a@shop.example`?";
        assert!(document.summary.contains(said), "{context_type}: {}", document.summary);
    }
    // Who is known learns nothing of others by misspelling, and nobody anything of another organisation.
    let known = Call {
        principal: Principal {
            organizations: Some(vec![OWN.to_owned()]),
            user_id: Some(B.to_owned()),
            ..Principal::default()
        },
        ..Call::default()
    };
    let asked =
        json!({ "context_type": "account-profile", "time_range": "1d", "filters": { "user": "a@shop.exmaple" } });
    let document = engine.collect_context(asked.as_object().unwrap().clone(), &known).await.unwrap();
    assert!(!document.summary.contains("a@shop.example"), "{}", document.summary);
    let document = collect(&engine, "account-profile", of(json!({ "user": "strange@shop.exmaple" }))).await;
    assert!(!document.summary.contains("did you mean"), "{}", document.summary);
    let document = collect(&engine, "account-profile", of(json!({ "user": "nope@shop.example" }))).await;
    assert!(rows(&document, "actions").is_empty());
    assert!(document.summary.contains("No account is on record under that name."), "{}", document.summary);
}
