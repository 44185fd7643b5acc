//! Who calls, and what that opens: API keys, what the engine makes of a principal, sessions over HTTP.

mod tokens;

use std::{os::unix::fs::PermissionsExt as _, path::Path, process::Command, sync::Arc};

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde_json::{Map, Value, json};
use tfo_mcp::{
    catalog::CatalogOptions,
    engine::{Call, CallError, CallErrorKind, Engine, EngineOptions, Principal, Sources, Tenancy},
    server::identity::{Denied, Identity, IdentityOptions},
    sql::Bind,
};

use crate::support::{
    client::{initialize_params, serve_command},
    eventually::eventually,
    http::{HttpServer, http_client, modern_request},
    pack::catalog,
    scripted::{Reply, Scripted, Seen},
};

const ONE: &str = "11111111-1111-4111-8111-111111111111";
const TWO: &str = "22222222-2222-4222-8222-222222222222";

const TOOLSET: &str = "{ kind: toolset, name: ops, title: Operations, description: For operators. }";
const TOOL: &str = "
kind: tool
name: peek
title: Peek
description: Reads a row.
category: test
toolsets: [ops]
scopes: [telemetry.read]
annotations: { read_only: true }
run:
  action: sql
  source: telemetry
  sql: >-
    SELECT a FROM t WHERE organization_id = {{ organization_id }} AND region = {{ claims.region }}
    AND workspace IS {{ workspace_id }} AND grade = {{ claims.desk.grade | default('none') }}
";

fn engine(tenancy: Tenancy) -> (Engine, Seen) {
    let argument = "parameters: { organization_id: { type: uuid, description: Whose., visible: tenancy_argument } }";
    let named = TOOL.replace("name: peek", "name: peek_named").replace("run:\n", &format!("{argument}\nrun:\n"));
    let files = [
        ("definitions/ops.yaml", TOOLSET),
        ("definitions/peek.yaml", TOOL),
        ("definitions/peek_named.yaml", named.as_str()),
    ];
    let options = CatalogOptions { allow_tenancy_argument: tenancy.allow_argument, ..CatalogOptions::default() };
    let catalog = catalog(&files, &options);
    let source = Scripted::default()
        .on("FROM t", Reply::Rows(vec!["a"], vec![vec![json!("row")]]))
        .on("organizations", Reply::Rows(vec!["organization_id", "name"], vec![]));
    let seen = source.seen.clone();
    let source = Arc::new(source);
    let mut sources = Sources::default();
    sources.bind("telemetry", source.clone());
    sources.bind("platform", source);
    (Engine::new(catalog, sources, EngineOptions { tenancy, ..EngineOptions::default() }), seen)
}

fn caller() -> Principal {
    Principal {
        organizations: Some(vec![ONE.into()]),
        subject: Some("key:test".into()),
        scopes: Some(vec!["telemetry.read".into()]),
        claims: json!({ "region": "eu'; --", "desk": { "grade": 7 } }).as_object().cloned().unwrap(),
        ..Principal::default()
    }
}

async fn peek(engine: &Engine, principal: Principal) -> Result<String, CallError> {
    run(engine, "peek", json!({}), principal).await
}

async fn run(engine: &Engine, tool: &str, arguments: Value, principal: Principal) -> Result<String, CallError> {
    let call = Call { principal, ..Call::default() };
    let answer = engine.call_tool(tool, arguments.as_object().cloned().unwrap(), &call).await?.done()?;
    Ok(format!("{:?}", answer.content))
}

#[tokio::test]
async fn claims_are_bound_and_a_missing_one_refuses_the_call() {
    let (engine, seen) = engine(Tenancy::default());
    assert!(peek(&engine, caller()).await.unwrap().contains("row"));
    let (sql, binds) = seen.lock().unwrap().iter().find(|(sql, _)| sql.contains("FROM t")).cloned().unwrap();
    assert!(!sql.contains("eu"), "{sql}");
    assert_eq!(binds[1..], [Bind::Text("eu'; --".into()), Bind::Null, Bind::Integer(7)]);

    let asked = seen.lock().unwrap().iter().filter(|(sql, _)| sql.contains("FROM t")).count();
    for (claims, missing) in [
        (json!({ "desk": { "grade": 1 } }), "`region`"),
        (json!({ "region": null, "desk": { "grade": 1 } }), "`region`"),
        // A filter for what is missing does not make up a claim.
        (json!({ "region": "eu" }), "`desk`"),
        (json!({ "region": "eu", "desk": {} }), "`desk.grade`"),
    ] {
        let claims = claims.as_object().cloned().unwrap();
        let error = peek(&engine, Principal { claims, ..caller() }).await.unwrap_err();
        assert_eq!(error.kind, CallErrorKind::Forbidden, "{error:?}");
        assert!(error.message.contains(missing), "{error:?}");
    }
    assert_eq!(seen.lock().unwrap().iter().filter(|(sql, _)| sql.contains("FROM t")).count(), asked);
}

#[tokio::test]
async fn a_tool_asks_for_its_scope_and_its_toolset() {
    let (engine, _) = engine(Tenancy::default());
    let error = peek(&engine, Principal { scopes: Some(vec!["other".into()]), ..caller() }).await.unwrap_err();
    assert_eq!(error.kind, CallErrorKind::Forbidden);
    assert!(error.message.contains("telemetry.read"), "{error:?}");
    let toolsets = |names: &[&str]| Some(names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>());
    assert!(peek(&engine, Principal { toolsets: toolsets(&["ops"]), ..caller() }).await.is_ok());
    for none in [toolsets(&[]), toolsets(&["telemetry"])] {
        let error = peek(&engine, Principal { toolsets: none, ..caller() }).await.unwrap_err();
        assert_eq!(error.kind, CallErrorKind::UnknownTool);
        assert!(!error.hint.unwrap_or_default().contains("peek"));
    }
}

#[tokio::test]
async fn configuration_never_stands_in_for_what_a_credential_does_not_say() {
    let id = |text: &str| Some(text.to_owned());
    let claims = json!({ "region": "configured", "desk": { "grade": 1 } }).as_object().cloned().unwrap();
    let tenancy =
        Tenancy { organization_id: id(TWO), workspace_id: id(TWO), user_id: id(TWO), claims, allow_argument: false };
    let (engine, seen) = engine(tenancy);
    for organizations in [None, Some(Vec::new())] {
        let error = peek(&engine, Principal { organizations, ..caller() }).await.unwrap_err();
        assert_eq!(error.kind, CallErrorKind::Forbidden, "{error:?}");
    }
    peek(&engine, caller()).await.unwrap();
    let binds: Vec<_> = seen.lock().unwrap().iter().flat_map(|(_, binds)| binds.clone()).collect();
    let two = uuid::Uuid::parse_str(TWO).unwrap();
    assert!(!binds.contains(&Bind::Uuid(two)) && !binds.contains(&Bind::Text(TWO.into())), "{binds:?}");
}

/// Whoever covers several organisations is not helped by one for all.
#[tokio::test]
async fn a_credential_of_several_organisations_is_told_how_to_choose() {
    let id = |text: &str| Some(text.to_owned());
    let several = || Principal { organizations: Some(vec![ONE.into(), TWO.into()]), ..caller() };
    for (tool, allow_argument, told) in [
        ("peek", false, "the operator sets `tenancy.allow_argument`"),
        ("peek_named", false, "the operator sets `tenancy.allow_argument`"),
        // It has no such argument, which would be refused.
        ("peek", true, "this takes no `organization_id`: use a credential for one of them"),
        ("peek_named", true, "name one of them with `organization_id`"),
    ] {
        let (engine, _) = engine(Tenancy { organization_id: id(TWO), allow_argument, ..Tenancy::default() });
        let error = run(&engine, tool, json!({}), several()).await.unwrap_err();
        assert!(error.message.contains("your credential covers 2 organisations: "), "{error:?}");
        let hint = error.hint.unwrap();
        assert!(hint.contains(told) && !hint.contains("tenancy.organization_id"), "{hint}");
        let named = run(&engine, tool, json!({ "organization_id": TWO }), several()).await;
        assert_eq!(named.is_ok(), allow_argument && tool == "peek_named", "{named:?}");
    }
}

/// Whoever has a choice of organisations can make it in whatever reads their rows.
#[test]
fn whatever_reads_rows_of_tenants_takes_the_organisation_where_callers_may_name_one() {
    const READ: [&str; 6] =
        ["sql.query", "sql.explain", "tables.search", "context.collect", "values.list", "prompt.build"];
    let options = CatalogOptions { all: true, allow_tenancy_argument: true, ..CatalogOptions::default() };
    let catalog = catalog(&[], &options);
    let reads = |run: &Value| {
        let action = run["action"].as_str().unwrap_or_default();
        READ.contains(&action) && !(action == "prompt.build" && run["part"] == "system")
            || action == "sql" && run.to_string().contains("organization_id")
    };
    let mut found = 0;
    let mut check = |name: &str, run: Value, takes: bool| {
        if reads(&run) {
            found += 1;
            assert!(takes, "`{name}` reads rows of tenants and takes no `organization_id`");
        }
    };
    for (name, entry) in &catalog.tools {
        let takes = entry.definition.parameters.contains_key("organization_id");
        check(name, json!(entry.definition.run), takes);
    }
    for (name, entry) in &catalog.prompts {
        let takes = entry.definition.arguments.contains_key("organization_id");
        entry.definition.messages.iter().for_each(|message| check(name, json!(message.run), takes));
    }
    for (name, entry) in &catalog.resources {
        let takes = entry.definition.uri.contains("organization_id");
        check(name, json!(entry.definition.run), takes);
    }
    assert!(found > 15, "{found}");
}

fn keys(folder: &Path, arguments: &[&str]) -> (bool, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_tfo-mcp"))
        .arg("keys")
        .args(arguments)
        .current_dir(folder)
        .env("TELEMETRYFLOW_MCP_DATA_DIR", folder)
        .env("HOME", folder)
        .output()
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.success(), text(output.stdout).trim().to_owned(), text(output.stderr))
}

fn create(folder: &Path, name: &str, more: &[&str]) -> String {
    let arguments = [&["create", "--name", name, "--organization", ONE][..], more].concat();
    let (done, key, said) = keys(folder, &arguments);
    assert!(done, "{said}");
    assert!(!said.contains(&key));
    key
}

fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
    pairs.iter().map(|(name, v)| (HeaderName::from_static(name), HeaderValue::from_str(v).unwrap())).collect()
}

async fn show(identity: &Identity, key: &str) -> Result<Principal, Denied> {
    identity.authenticate(&headers(&[("x-api-key", key)])).await
}

/// Polls until an answer is as wanted.
async fn until(identity: &Identity, key: &str, wanted: impl Fn(&Result<Principal, Denied>) -> bool) {
    eventually("the answer is as wanted", async || wanted(&show(identity, key).await)).await;
}

#[tokio::test]
#[ignore = "slow: scripts/test.sh runs it"]
async fn keys_are_made_shown_once_and_revoked() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("keys.yaml");
    let more = ["--toolset", "ops,telemetry", "--scope", "a", "--claim", "region=eu", "--claim", "floor=3"];
    let key = create(folder.path(), "ci", &more);
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let text = std::fs::read_to_string(&file).unwrap();
    let secret = key.rsplit_once('_').unwrap().1;
    assert!(!text.contains(secret) && text.contains("sha256"), "{text}");
    let (_, listed, _) = keys(folder.path(), &["list", "--format", "json"]);
    assert!(listed.contains("\"ci\"") && !listed.contains("sha256") && !listed.contains(secret), "{listed}");
    let (done, _, said) = keys(folder.path(), &["create", "--name", "ci", "--organization", ONE]);
    assert!(!done && said.contains("already"), "{said}");
    let (done, _, said) = keys(folder.path(), &["create", "--name", "x"]);
    assert!(!done && said.contains("--organization"), "{said}");

    let identity = Identity::new(IdentityOptions { keys_file: Some(file.clone()), ..Default::default() }).unwrap();
    let principal = show(&identity, &key).await.unwrap();
    assert_eq!(principal.subject.as_deref(), Some("key:ci"));
    assert_eq!(principal.organizations, Some(vec![ONE.to_owned()]));
    assert_eq!(principal.toolsets, Some(vec!["ops".to_owned(), "telemetry".to_owned()]));
    assert_eq!(Value::from(principal.claims), json!({ "region": "eu", "floor": 3 }));
    let bearer = format!("bearer {key}");
    assert!(identity.authenticate(&headers(&[("authorization", &bearer)])).await.is_ok());

    // The key of another, a cut one, none, two at once, another scheme.
    let other = create(folder.path(), "other", &[]);
    let mixed = format!("{}_{}", key.rsplit_once('_').unwrap().0, other.rsplit_once('_').unwrap().1);
    let basic = ("authorization", "Basic dTpw");
    for wrong in [vec![("x-api-key", mixed.as_str())], vec![("x-api-key", &key[..key.len() - 1])], vec![], vec![basic]]
    {
        let denied = identity.authenticate(&headers(&wrong)).await.unwrap_err();
        assert_eq!(denied.status, StatusCode::UNAUTHORIZED);
        assert!(denied.challenge.is_some() && !denied.message.contains(secret));
    }
    let both = [("x-api-key", key.as_str()), ("authorization", bearer.as_str())];
    assert!(identity.authenticate(&headers(&both)).await.is_err());

    assert!(keys(folder.path(), &["revoke", "ci"]).0);
    until(&identity, &key, Result::is_err).await;
    until(&identity, &other, Result::is_ok).await;
    assert!(!keys(folder.path(), &["revoke", "ci"]).0);

    // A file that others may write, or that is no file of keys, opens nothing, and says so.
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o666)).unwrap();
    let unavailable = |answer: &Result<Principal, Denied>| {
        answer.as_ref().is_err_and(|denied| denied.status == StatusCode::SERVICE_UNAVAILABLE)
    };
    until(&identity, &other, unavailable).await;
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    until(&identity, &other, Result::is_ok).await;
    std::fs::write(&file, "keys: 3").unwrap();
    until(&identity, &other, unavailable).await;
}

/// A key whose scope or toolset is misspelt opens less than its owner believes.
#[test]
fn a_scope_or_toolset_that_is_nearly_one_is_no_key() {
    let folder = tempfile::tempdir().unwrap();
    let make = |name: &str, more: &[&str]| {
        keys(folder.path(), &[&["create", "--name", name, "--organization", ONE][..], more].concat())
    };
    for (more, says) in [
        (["--scope", "sql.qery"], "did you mean `sql.query`?"),
        (["--scope", "server.read,server.raed"], "did you mean `server.read`?"),
        (["--toolset", "telemtry"], "did you mean `telemetry`?"),
    ] {
        let (done, printed, said) = make("x", &more);
        assert!(!done && printed.is_empty() && said.contains(says), "{more:?}: {said}");
    }
    // What nothing here is like may be known elsewhere.
    let (done, _, said) = make("x", &["--scope", "zzz", "--toolset", "qqq"]);
    assert!(done && said.contains("`zzz`") && said.contains("`qqq`") && said.contains("warning"), "{said}");
    let (done, _, said) = make("y", &["--scope", "sql.query,server.read", "--toolset", "telemetry"]);
    assert!(done && !said.contains("warning: no definition") && !said.contains("warning: there is no"), "{said}");
    let (done, _, said) = keys(folder.path(), &["grant", "x", "--scope", "sql.querry"]);
    assert!(!done && said.contains("did you mean `sql.query`?"), "{said}");
    let (done, _, _) = keys(folder.path(), &["withdraw", "x", "--scope", "zzz"]);
    assert!(done);
    let user = "6f9619ff-8b86-4d01-b42d-00cf4fc964ff";
    assert!(make("z", &["--claim", "region=eu", "--claim", "floor=3", "--user", user]).0);
    let (_, listed, _) = keys(folder.path(), &["list"]);
    let line = |name: &str| listed.lines().find(|line| line.starts_with(name)).unwrap();
    assert!(line("y").contains("toolsets telemetry") && line("z").contains("all toolsets"), "{listed}");
    for part in ["region=\"eu\"", "floor=3", &format!("user {user}")] {
        assert!(line("z").contains(part), "{part}: {listed}");
    }
}

/// A file of keys that an editor has saved is read all the same; what cannot be read is named.
#[test]
fn a_file_of_keys_may_begin_with_a_mark() {
    let folder = tempfile::tempdir().unwrap();
    create(folder.path(), "ci", &[]);
    let file = folder.path().join("keys.yaml");
    let text = std::fs::read_to_string(&file).unwrap();
    let listed = |text: &str| {
        std::fs::write(&file, text).unwrap();
        keys(folder.path(), &["list"])
    };
    let (done, printed, _) = listed(&format!("\u{feff}{}", text.replace('\n', "\r\n")));
    assert!(done && printed.starts_with("ci"), "{printed}");
    let (done, _, said) = listed(&text.replace("name: \"ci\"", "na\u{200b}me: \"ci\""));
    assert!(!done && said.contains("U+200B (zero width space)"), "{said}");
}

/// A name stands in lists and in the audit log: it looks the same to everybody who reads it.
#[test]
fn a_key_has_a_name_that_can_be_read() {
    let folder = tempfile::tempdir().unwrap();
    for name in
        ["", " ", " ci", "a\nb", "a\u{1b}[31m", "ci\u{202e}", "c\u{200b}i", "`ci`", "[ci](http://x)", &"x".repeat(101)]
    {
        let (done, key, said) = keys(folder.path(), &["create", "--name", name, "--organization", ONE]);
        assert!(!done && key.is_empty() && said.contains("a name"), "{name:?}: {said}");
    }
    for scope in ["two words", "a\"b", "sc\u{202e}ope"] {
        let arguments = ["create", "--name", "x", "--organization", ONE, "--scope", scope];
        assert!(!keys(folder.path(), &arguments).0, "{scope:?}");
    }
    for name in ["ci", "Grüße an 東京", "ops/eu-1@example.com"] {
        create(folder.path(), name, &[]);
    }
}

#[tokio::test]
#[ignore = "slow: scripts/test.sh runs it"]
async fn a_key_expires() {
    let folder = tempfile::tempdir().unwrap();
    let key = create(folder.path(), "soon", &["--expires", "2s"]);
    let keys_file = Some(folder.path().join("keys.yaml"));
    let identity = Identity::new(IdentityOptions { keys_file, ..IdentityOptions::default() }).unwrap();
    until(&identity, &key, Result::is_err).await;
    assert!(keys(folder.path(), &["list"]).1.contains("ended"));
}

#[tokio::test]
async fn claims_of_the_configuration_are_those_of_callers_without_a_credential() {
    let claims = json!({ "region": "configured", "desk": { "grade": 1 } }).as_object().cloned().unwrap();
    let tenancy = Tenancy { organization_id: Some(ONE.into()), claims, ..Tenancy::default() };
    let (engine, seen) = engine(tenancy);
    peek(&engine, Principal::default()).await.unwrap();
    let binds: Vec<_> = seen.lock().unwrap().iter().flat_map(|(_, binds)| binds.clone()).collect();
    assert!(binds.contains(&Bind::Text("configured".into())), "{binds:?}");
    // Whoever shows a credential has its claims, or none.
    let error = peek(&engine, Principal { claims: Map::new(), ..caller() }).await.unwrap_err();
    assert_eq!(error.kind, CallErrorKind::Forbidden, "{error:?}");
}

#[tokio::test]
#[ignore = "slow: scripts/test.sh runs it"]
async fn an_open_server_asks_from_its_first_key_on() {
    let folder = tempfile::tempdir().unwrap();
    let server = HttpServer::start(serve_command(folder.path())).await;
    let list = async |key: Option<&str>| {
        let request = modern_request(&http_client(), &server.url(), key, 1, "tools/list", json!({}));
        request.send().await.unwrap().status().as_u16()
    };
    assert_eq!(list(None).await, 200, "on this machine nobody is asked yet");
    let key = create(folder.path(), "first", &[]);
    eventually("nobody is let in without a key", async || list(None).await == 401).await;
    assert_eq!(list(Some(&key)).await, 200);
    // A file that vanishes opens nothing.
    std::fs::remove_file(folder.path().join("keys.yaml")).unwrap();
    eventually("a key without a file opens nothing", async || list(Some(&key)).await == 401).await;
    assert_eq!(list(None).await, 401);
}

#[tokio::test]
async fn a_session_belongs_to_whoever_opened_it() {
    let folder = tempfile::tempdir().unwrap();
    let (mine, other) = (create(folder.path(), "mine", &[]), create(folder.path(), "other", &[]));
    let server = HttpServer::start(serve_command(folder.path())).await;
    let client = http_client();
    let send = async |key: Option<&str>, session: Option<&str>, body: Value| {
        let mut request = client.post(server.url()).header("content-type", "application/json");
        request = request.header("accept", "application/json, text/event-stream").body(body.to_string());
        if let Some(key) = key {
            request = request.bearer_auth(key);
        }
        if let Some(session) = session {
            request = request.header("mcp-session-id", session);
        }
        request.send().await.unwrap()
    };
    let initialize =
        json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": initialize_params("2025-06-18") });
    let refused = send(None, None, initialize.clone()).await;
    assert_eq!(refused.status(), 401);
    assert!(refused.headers().contains_key("www-authenticate"));
    let body: Value = serde_json::from_str(&refused.text().await.unwrap()).unwrap();
    assert_eq!((&body["id"], &body["jsonrpc"]), (&Value::Null, &json!("2.0")), "{body}");

    let opened = send(Some(&mine), None, initialize).await;
    assert_eq!(opened.status(), 200);
    let session = opened.headers()["mcp-session-id"].to_str().unwrap().to_owned();
    let ready = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
    assert_eq!(send(Some(&mine), Some(&session), ready).await.status(), 202);
    let list = json!({ "jsonrpc": "2.0", "id": 2, "method": "tools/list" });
    assert_eq!(send(Some(&other), Some(&session), list.clone()).await.status(), 404);
    assert_eq!(send(None, Some(&session), list.clone()).await.status(), 401);
    assert_eq!(send(Some(&mine), Some(&session), list.clone()).await.status(), 200);
    // A key that is made anew under the same name is another one.
    assert!(keys(folder.path(), &["revoke", "mine"]).0);
    let namesake = create(folder.path(), "mine", &[]);
    let seen = eventually("the new key is seen", async || {
        let status = send(Some(&namesake), Some(&session), list.clone()).await.status().as_u16();
        (status != 401).then_some(status)
    })
    .await;
    assert_eq!(seen, 404);
    // Without a credential there are only signs of life.
    assert_eq!(client.get(format!("{}/healthz", server.origin)).send().await.unwrap().status(), 200);
}
