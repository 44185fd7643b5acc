//! What repositories of packs run: the hooks of `.pre-commit-hooks.yaml` by pre-commit itself, and the steps of
//! `action.yml` as a runner runs them.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;

use crate::{
    cli::{Cli, Run},
    support::python,
};

const PRE_COMMIT: &str = "pre-commit==4.3.0";

const BROKEN: &str = "kind: tool\nname: broken\n";

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The built program where a shell finds it.
fn path() -> std::ffi::OsString {
    let own = Path::new(env!("CARGO_BIN_EXE_tfo-mcp")).parent().unwrap().to_owned();
    let rest = std::env::var_os("PATH").unwrap_or_default();
    std::env::join_paths(std::iter::once(own).chain(std::env::split_paths(&rest))).unwrap()
}

/// A folder with a pack of one tool, which has an example.
fn pack() -> Cli {
    let cli = Cli::new();
    assert!(cli.command(&["new", "tool", "my-tool", "--pack", "my-pack"]).output().unwrap().status.success());
    cli
}

fn run(cli: &Cli, mut command: Command) -> Run {
    command.current_dir(cli.folder.path()).env("HOME", cli.folder.path()).env("PATH", path());
    Run::of(command.output().unwrap(), cli.folder.path())
}

fn git(folder: &Path, arguments: &[&str]) {
    let mut git = Command::new("git");
    git.args(["-c", "user.name=t", "-c", "user.email=t@t", "-c", "init.defaultBranch=main"]).args(arguments);
    // Neither settings of this machine nor of a commit that runs these tests take part.
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("GIT_")) {
        git.env_remove(name);
    }
    let done = git.current_dir(folder).env("HOME", folder).env("GIT_CONFIG_NOSYSTEM", "1").output().unwrap();
    assert!(done.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
}

#[test]
#[ignore = "slow: scripts/test.sh runs it"]
fn pre_commit_runs_the_hooks() {
    let python = python::install("pre-commit", &[PRE_COMMIT]);
    let hooks = tempfile::tempdir().unwrap();
    fs::copy(root().join(".pre-commit-hooks.yaml"), hooks.path().join(".pre-commit-hooks.yaml")).unwrap();
    git(hooks.path(), &["init", "-q"]);
    git(hooks.path(), &["add", "."]);
    git(hooks.path(), &["commit", "-qm", "hooks"]);
    git(hooks.path(), &["tag", "v1"]);

    let cli = pack();
    let config = format!(
        "repos:\n- repo: {}\n  rev: v1\n  hooks:\n  - {{ id: tfo-mcp-validate, args: [my-pack] }}\n  - {{ id: \
         tfo-mcp-test, args: [--pack, my-pack] }}\n",
        hooks.path().display()
    );
    fs::write(cli.folder.path().join(".pre-commit-config.yaml"), config).unwrap();
    git(cli.folder.path(), &["init", "-q"]);
    git(cli.folder.path(), &["add", "."]);
    let check = || {
        let mut command = Command::new(&python);
        command.args(["-m", "pre_commit", "run", "--all-files", "--color", "never", "--verbose"]);
        run(&cli, command)
    };
    let good = check();
    assert_eq!(good.code, 0, "{good:?}");
    assert!(good.stdout.matches("Passed").count() == 2 && good.stdout.contains("1 example passed"), "{good:?}");

    fs::write(cli.folder.path().join("my-pack/definitions/tools/broken.yaml"), BROKEN).unwrap();
    git(cli.folder.path(), &["add", "."]);
    let bad = check();
    assert!(bad.code == 1 && bad.stdout.contains("broken.yaml:1:1"), "{bad:?}");

    // Without arguments of its own a hook looks for packs below the root, and fails where it finds none.
    let plain = fs::read_to_string(cli.folder.path().join(".pre-commit-config.yaml")).unwrap();
    let plain = plain.replace(", args: [my-pack]", "").replace(", args: [--pack, my-pack]", "");
    fs::write(cli.folder.path().join(".pre-commit-config.yaml"), plain).unwrap();
    let bad = check();
    assert!(bad.code == 1 && bad.stdout.contains("broken.yaml:1:1") && !bad.stdout.contains("Passed"), "{bad:?}");
    fs::remove_file(cli.folder.path().join("my-pack/definitions/tools/broken.yaml")).unwrap();
    git(cli.folder.path(), &["add", "."]);
    let good = check();
    assert!(good.code == 0 && good.stdout.contains("1 example passed"), "{good:?}");
    fs::remove_dir_all(cli.folder.path().join("my-pack")).unwrap();
    fs::write(cli.folder.path().join("tfo-mcp.yaml"), "packs: []\n").unwrap();
    git(cli.folder.path(), &["add", "."]);
    let none = check();
    assert!(none.code == 1 && none.stdout.matches("Failed").count() == 2, "{none:?}");
}

/// The steps of the action, one after the other, as a runner runs them: `bash -e`, inputs put in.
fn act(cli: &Cli, pack: &str) -> Run {
    let action: Value = serde_saphyr::from_str(&fs::read_to_string(root().join("action.yml")).unwrap()).unwrap();
    let fill = |text: &str| text.replace("${{ inputs.pack }}", pack).replace("${{ inputs.demo }}", "false");
    let mut all = Run { code: 0, stdout: String::new(), stderr: String::new() };
    let steps = action["runs"]["steps"].as_array().unwrap();
    assert!(steps.len() > 2);
    for step in steps.iter().filter(|step| step["if"].is_null()) {
        assert_eq!(step["shell"], "bash");
        let mut bash = Command::new("bash");
        bash.args(["--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"].as_str().unwrap()]);
        for (name, value) in step["env"].as_object().into_iter().flatten() {
            bash.env(name, fill(value.as_str().unwrap()));
        }
        bash.env("GITHUB_ACTION_PATH", root());
        let run = run(cli, bash);
        all.stdout += &run.stdout;
        all.stderr += &run.stderr;
        if run.code != 0 {
            return Run { code: run.code, ..all };
        }
    }
    all
}

#[test]
#[ignore = "slow: scripts/test.sh runs it"]
fn the_action_checks_a_pack() {
    let cli = pack();
    let good = act(&cli, "my-pack");
    assert!(good.code == 0 && good.stderr.contains("1 example passed"), "{good:?}");

    fs::write(cli.folder.path().join("my-pack/definitions/tools/broken.yaml"), BROKEN).unwrap();
    let bad = act(&cli, "my-pack");
    assert_eq!(bad.code, 1, "{bad:?}");
    assert!(bad.stdout.contains("::error file=my-pack/definitions/tools/broken.yaml,line=1"), "{bad:?}");

    // The folder of an action may be the root of a repository whose packs lie below it.
    let below = act(&cli, ".");
    assert!(below.code == 1 && below.stdout.contains("file=my-pack/definitions/tools/broken.yaml"), "{below:?}");

    // The one that the workflow of this repository names.
    let workflow: Value =
        serde_saphyr::from_str(&fs::read_to_string(root().join(".github/workflows/pack.yml")).unwrap()).unwrap();
    let step = &workflow["jobs"]["pack"]["steps"][1];
    assert_eq!(step["uses"], "./");
    let ours = act(&cli, root().join(step["with"]["pack"].as_str().unwrap()).to_str().unwrap());
    assert_eq!(ours.code, 0, "{ours:?}");
}
