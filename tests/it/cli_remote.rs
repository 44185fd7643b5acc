//! `call`, `prompt` and `list` of a server that runs.

use serde_json::Value;

use crate::{
    cli::{Cli, Run},
    support::{
        key,
        served::{Served, conformance_pack},
    },
};

fn run(cli: &Cli, arguments: &[&str]) -> Run {
    Run::of(cli.command(arguments).output().unwrap(), cli.folder.path())
}

#[test]
#[ignore = "slow: scripts/test.sh runs it"]
fn a_server_at_an_address_answers_as_an_own_engine_does() {
    let served = Served::conformance();
    let pack = conformance_pack();
    let own = ["--packs-only", "--pack", pack.to_str().unwrap()];
    let theirs = ["--url", served.url.as_str()];
    let cli = Cli::new();
    for what in ["tools", "prompts", "resources"] {
        let names = |run: &Run| -> Vec<Value> {
            let list: Vec<Value> = serde_json::from_str(&run.stdout).unwrap_or_else(|_| panic!("{run:?}"));
            let mut names: Vec<Value> = list.into_iter().map(|entry| entry["name"].clone()).collect();
            names.sort_by_key(Value::to_string);
            names
        };
        let arguments = ["list", what, "--format", "json"];
        let (own, theirs) =
            (run(&cli, &[&arguments[..], &own].concat()), run(&cli, &[&arguments[..], &theirs].concat()));
        assert_eq!(names(&own), names(&theirs), "{what}");
    }
    for arguments in [
        &["call", "test_simple_text"][..],
        &["prompt", "test_simple_prompt"],
        &["prompt", "test_prompt_with_arguments", "arg1=a", "arg2=b c"],
    ] {
        let (own, theirs) = (run(&cli, &[arguments, &own].concat()), run(&cli, &[arguments, &theirs].concat()));
        assert_eq!((own.code, &own.stdout), (theirs.code, &theirs.stdout), "{arguments:?}: {theirs:?}");
    }
    let failed = run(&cli, &[&["call", "test_error_handling"][..], &theirs].concat());
    assert!(failed.code == 1 && failed.stdout.contains("intentionally"), "{failed:?}");
    let everything = run(&cli, &["list", "--url", &served.url]);
    assert!(everything.code == 0 && everything.stdout.contains("test_simple_text"), "{everything:?}");
    let contexts = run(&cli, &["list", "contexts", "--url", &served.url]);
    assert!(contexts.code == 2 && contexts.stderr.contains("does not list its contexts"), "{contexts:?}");
}

#[test]
fn words_are_read_by_the_schema_of_the_server() {
    let served = Served::start(&[]);
    let cli = Cli::new();
    let echo = run(&cli, &["call", "echo", "message=12", "--url", &served.url]);
    assert_eq!((echo.code, echo.stdout.as_str()), (0, "12\n"), "{echo:?}");
    // A number where a number is wanted, or the call would be refused.
    let list =
        run(&cli, &["call", "collect_telemetry_context", "context_type=latency", "max_items=3", "--url", &served.url]);
    assert!(!list.stderr.contains("max_items") && !list.stdout.contains("max_items"), "{list:?}");
    let typo = run(&cli, &["call", "ecko", "message=hi", "--url", &served.url]);
    assert!(typo.code == 2 && typo.stderr.contains("did you mean `echo`?"), "{typo:?}");
    let prompt = run(&cli, &["prompt", "root_couse", "--url", &served.url]);
    assert!(prompt.code == 2 && prompt.stderr.matches("did you mean `root_cause`?").count() == 1, "{prompt:?}");
    // Nothing could be read, in a prompt too.
    let read = ["prompt", "root_cause", "context_type=latency", "time_range=1h"];
    let (own, theirs) = (run(&cli, &read), run(&cli, &[&read[..], &["--url", &served.url]].concat()));
    assert_eq!((own.code, theirs.code), (1, 1), "{own:?} {theirs:?}");
    for arguments in [&["call", "echo", "mesage=hi"][..], &["call", "echo"]] {
        let arguments = [arguments, &["--format", "json"]].concat();
        let (own, theirs) = (run(&cli, &arguments), run(&cli, &[&arguments[..], &["--url", &served.url]].concat()));
        assert_eq!(own.stdout, theirs.stdout, "{own:?} {theirs:?}");
    }
}

#[test]
fn a_credential_is_given_and_its_lack_is_explained() {
    let data = tempfile::tempdir().unwrap();
    let key = key::create(data.path(), "remote", key::SOME, &[]);
    let served = Served::start(&["--data-dir", data.path().to_str().unwrap()]);
    let cli = Cli::new();
    let call = ["call", "echo", "message=hi", "--url", served.url.as_str()];
    let typed = run(&cli, &[&call[..], &["--key", &key]].concat());
    assert_eq!((typed.code, typed.stdout.as_str()), (0, "hi\n"), "{typed:?}");
    let kept = Run::of(cli.command(&call).env("TFO_MCP_KEY", &key).output().unwrap(), cli.folder.path());
    assert_eq!((kept.code, kept.stdout.as_str()), (0, "hi\n"), "{kept:?}");
    let none = run(&cli, &call);
    assert!(none.code == 2 && none.stderr.contains("401") && none.stderr.contains("--key KEY"), "{none:?}");
    let wrong = run(&cli, &[&call[..], &["--key", "tfo_no"]].concat());
    assert!(wrong.code == 2 && wrong.stderr.contains("keys list") && !wrong.stderr.contains("tfo_no"), "{wrong:?}");

    // A tool that the key may not call is not listed: the server says which scope it wants.
    let scoped = run(&cli, &["call", "ch_query", "sql=SELECT 1", "--url", &served.url, "--key", &key]);
    assert!(scoped.code != 0 && !scoped.stderr.contains("no tool"), "{scoped:?}");
    let both = format!("{}{}", scoped.stdout, scoped.stderr);
    assert!(both.contains("needs the scope `sql.query`") || both.contains("needs the scope sql.query"), "{scoped:?}");

    let origin = served.url.strip_suffix("/mcp").unwrap();
    let lost = run(&cli, &["call", "echo", "message=hi", "--url", origin, "--key", &key]);
    assert!(lost.code == 2 && lost.stderr.contains("`/mcp`"), "{lost:?}");
    let nobody = run(&cli, &["call", "echo", "message=hi", "--url", "http://127.0.0.1:9/mcp"]);
    assert!(nobody.code == 2 && nobody.stderr.contains("cannot be reached"), "{nobody:?}");
    let nonsense = run(&cli, &["call", "echo", "message=hi", "--url", "here"]);
    assert!(nonsense.code == 2 && nonsense.stderr.contains("is no URL"), "{nonsense:?}");
}
