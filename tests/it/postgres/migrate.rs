//! `tfo-mcp migrate platform --guard`: prints, runs, keeps its key to itself, and the server then uses the guard.

use super::{
    guard::{KEY, OWN, ROLES, platform, reader},
    *,
};
use crate::cli::{Cli, Run};

const URL: &str = "TELEMETRYFLOW_MCP_POSTGRES_URL";

fn run(cli: &Cli, arguments: &[&str], variables: &[(&str, &str)]) -> Run {
    let mut command = cli.command(arguments);
    command.envs(variables.iter().copied());
    Run::of(command.output().unwrap(), cli.folder.path())
}

#[tokio::test]
#[ignore = "slow: scripts/test.sh runs it"]
async fn the_guard_is_printed_or_made_and_the_server_uses_it() {
    let database = platform().await;
    let (cli, role) = (Cli::new(), reader(&database));
    let served = database.url_for(&role, "hunter2");
    let migrate = ["migrate", "platform", "--guard"];

    // Printed: the SQL carries the key, which the operator did not choose.
    let nowhere = run(&cli, &migrate, &[(URL, &database.url), ("TFO_MCP_ADMIN_URL", "postgres://x@127.0.0.1:1/x")]);
    assert_eq!(nowhere.code, 2, "{nowhere:?}");
    let printed = run(&cli, &[&migrate[..], &["--reader", &role]].concat(), &[(URL, &database.url)]);
    assert_eq!(printed.code, 0, "{printed:?}");
    assert!(printed.stdout.starts_with("-- guard_key: ") && printed.stdout.contains("CREATE VIEW tfo_guard.\"users\""));
    assert!(printed.stderr.contains("auth_tokens") && printed.stderr.contains("guard_key"), "{}", printed.stderr);

    // Before there is a guard, doctor says that there is one lock.
    let doctor = run(&cli, &["doctor"], &[(URL, &database.url)]);
    assert!(doctor.stdout.contains("one lock") && doctor.stdout.contains("is a superuser"), "{}", doctor.stdout);

    // Run with an administrator's URL: the key is not shown but kept, and taken again the next time.
    let made = {
        let _one = ROLES.lock().await;
        let variables = [(URL, served.as_str()), ("TFO_MCP_ADMIN_URL", &database.url)];
        let made = run(&cli, &[&migrate[..], &["--data-dir", "data"]].concat(), &variables);
        assert_eq!(run(&cli, &[&migrate[..], &["--data-dir", "data"]].concat(), &variables).code, 0);
        made
    };
    assert_eq!((made.code, made.stdout.as_str()), (0, ""), "{made:?}");
    let key = std::fs::read_to_string(cli.folder.path().join("data/guard.key")).unwrap();
    let key = key.trim();
    assert!(key.len() >= 32 && !made.stderr.contains(key) && made.stderr.contains("guard.key"), "{made:?}");

    let sql = json!({
        "kind": "tool", "name": "names", "title": "Names", "description": "Names.", "category": "test",
        "annotations": { "read_only": true }, "run": { "action": "sql", "source": "platform", "output": { "format": "csv" },
            "sql": "SELECT name FROM organizations WHERE organization_id = {{ organization_id }}" },
    });
    std::fs::create_dir_all(cli.folder.path().join("pack/definitions")).unwrap();
    std::fs::write(cli.folder.path().join("pack/definitions/names.yaml"), sql.to_string()).unwrap();
    let variables = [
        (URL, served.as_str()),
        ("TELEMETRYFLOW_MCP_DATABASE__GUARD_KEY", key),
        ("TELEMETRYFLOW_MCP_ORGANIZATION", OWN),
    ];
    let answer = run(&cli, &["call", "names", "--pack", "pack"], &variables);
    assert!(answer.code == 0 && answer.stdout.contains("own"), "{answer:?}");
    let doctor = run(&cli, &["doctor"], &variables);
    assert!(doctor.stdout.contains("two locks") && !doctor.stdout.contains("past the guard"), "{}", doctor.stdout);
    assert!(doctor.stdout.contains(&format!("own ({OWN})")), "the name of the organisation: {}", doctor.stdout);

    // Nothing shows the key.
    for arguments in [&["info", "--all"][..], &["info", "--all", "--format", "json"], &["doctor", "--format", "json"]] {
        let shown = run(&cli, arguments, &variables);
        assert!(!format!("{shown:?}").contains(key), "{arguments:?}");
    }
    let wrong = run(&cli, &["call", "names", "--pack", "pack"], &[variables[0], (variables[1].0, KEY), variables[2]]);
    assert!(wrong.code == 1 && wrong.stderr.contains("not signed"), "{wrong:?}");
    let missing = run(&cli, &["call", "names", "--pack", "pack"], &[variables[0], variables[2]]);
    assert!(missing.code == 1 && missing.stderr.contains("guard_key"), "{missing:?}");

    let _one = ROLES.lock().await;
    let gone = [variables[0], ("TFO_MCP_ADMIN_URL", &database.url)];
    let gone = run(&cli, &["migrate", "platform", "--guard", "--drop"], &gone);
    assert_eq!(gone.code, 0, "{gone:?}");
    assert_eq!(
        values(&source(&database), "SELECT count(*)::int4 FROM pg_namespace WHERE nspname = 'tfo_guard'").await,
        [json!(0)]
    );
}
