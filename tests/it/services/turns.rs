//! Whoever keeps a service busy waits for itself, and is told that it waited.

use std::{sync::Arc, time::Duration};

use futures::future::join_all;
use serde_json::{Map, json};
use tfo_mcp::engine::{Call, Engine, Outcome};

use super::{Server, asking, json, pieces, settings, status};
use crate::support::eventually::eventually;

const SLOW: &str = r#""allow_private": ["127.0.0.1"], "timeout": "5s""#;

async fn of(engine: &Engine, caller: &str, path: &str) -> Result<String, String> {
    let call = Call { caller: Some(caller.into()), ..Call::default() };
    let arguments: Map<_, _> = json!({ "value": path }).as_object().cloned().unwrap();
    match engine.call_tool("ask", arguments, &call).await.map_err(|error| error.to_text())? {
        Outcome::Done(answer) => Ok(answer.text()),
        Outcome::Asks(_) => Err("it asks".to_owned()),
    }
}

/// One that answers `/slow` never, and all else at once.
async fn server() -> Server {
    Server::new(|seen| match seen.target.as_str() {
        "/slow" => {
            status(200, &[("content-type", "application/json")], pieces(" ", 100_000, Duration::from_millis(50)))
        }
        _ => json(r#"["here"]"#),
    })
    .await
}

#[tokio::test]
async fn a_caller_that_keeps_a_service_busy_shuts_nobody_out() {
    let server = server().await;
    let engine = Arc::new(asking("path: /{{ value }}", &settings(&server.url(), SLOW)));
    let busy: Vec<_> = (0..40)
        .map(|_| {
            let engine = engine.clone();
            tokio::spawn(async move { of(&engine, "one", "slow").await })
        })
        .collect();
    eventually("the service is asked", async || !server.seen().is_empty()).await;
    for _ in 0..6 {
        let shown = of(&engine, "other", "quick").await;
        assert!(shown.as_ref().is_ok_and(|shown| shown.contains("here")), "{shown:?}");
    }
    // A quarter of the turns is what one caller has.
    let slow = server.seen().iter().filter(|seen| seen.target == "/slow").count();
    assert_eq!(slow, 2);
    busy.iter().for_each(tokio::task::JoinHandle::abort);
}

#[tokio::test]
async fn a_call_that_never_had_a_turn_says_so() {
    let server = server().await;
    let run = "path: /{{ value }}";
    let lines: String = run.lines().map(|line| format!("  {line}\n")).collect();
    let tool = format!(
        "kind: tool\nname: ask\ntitle: Ask\ndescription: Asks.\ncategory: test\ntimeout: 1s\n\
         parameters: {{ value: {{ type: string, description: A value. }} }}\nrun:\n  action: http.request\n  service: other\n{lines}"
    );
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(folder.path().join("definitions/tools")).unwrap();
    std::fs::write(folder.path().join("definitions/tools/ask.yaml"), tool).unwrap();
    let catalog = crate::support::pack::alone(folder.path().to_owned());
    let engine = super::engine_of(catalog, &settings(&server.url(), SLOW), &tfo_mcp::host::http::system());
    let all = join_all((0..5).map(|_| of(&engine, "one", "slow"))).await;
    let refused: Vec<String> = all.into_iter().map(|one| one.unwrap_err()).collect();
    let said = |told: &&String| {
        told.starts_with("`other` was not asked: other calls kept it busy for ")
            && told.contains(" of the 1s that this call has")
    };
    let waited = refused.iter().filter(said);
    assert_eq!(waited.count(), 3, "{refused:#?}");
    let asked = refused.iter().filter(|told| told.contains("did not answer whole within"));
    assert_eq!(asked.count(), 2, "{refused:#?}");
}

/// Steps of one call have one caller's share of the turns: what they wait for is each other.
#[tokio::test]
async fn steps_that_wait_for_each_other_blame_nobody_else() {
    let server = server().await;
    let step = "    - { beside: true, optional: true, run: { action: http.request, service: other, path: /slow } }\n";
    let tool = format!(
        "kind: tool\nname: ask\ntitle: Ask\ndescription: Asks.\ncategory: test\ntimeout: 1s\nrun:\n  action: pipeline\n  steps:\n\
         {}{}",
        step.replace("beside: true, ", ""),
        step.repeat(2)
    );
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(folder.path().join("definitions/tools")).unwrap();
    std::fs::write(folder.path().join("definitions/tools/ask.yaml"), tool).unwrap();
    let catalog = crate::support::pack::alone(folder.path().to_owned());
    let engine = super::engine_of(catalog, &settings(&server.url(), SLOW), &tfo_mcp::host::http::system());
    let call = Call { caller: Some("one".into()), ..Call::default() };
    let answer = engine.call_tool("ask", Map::new(), &call).await.unwrap().done().unwrap();
    let waited: Vec<_> = answer.notes.iter().filter(|note| note.contains("was not asked")).collect();
    assert_eq!((answer.notes.len(), waited.len()), (3, 1), "{:#?}", answer.notes);
    let told = "other steps of this call, or other calls, kept it busy for ";
    assert!(waited[0].contains(told) && waited[0].contains(" of the 1s that this call has"), "{waited:?}");
    assert!(waited[0].contains("the definition asks it with 3 steps at once, of which one caller has 2"), "{waited:?}");
}
