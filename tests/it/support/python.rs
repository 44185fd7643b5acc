//! Python packages, fetched once through pip into a virtual environment below `target/tfo-test-cache`.

use std::{
    fs,
    path::PathBuf,
    process::{Command, Stdio},
};

use super::node::cache;

/// Installs packages into an environment of their own, where they are not there yet, and gives its interpreter.
pub fn install(name: &str, packages: &[&str]) -> PathBuf {
    let (folder, _lock) = cache(name);
    let stamp = folder.join("installed");
    let python = folder.join("venv/bin/python");
    let wanted = packages.join("\n");
    if fs::read_to_string(&stamp).ok().as_ref() != Some(&wanted) {
        run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(folder.join("venv")));
        let options = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"];
        run(Command::new(&python).args(options).args(packages));
        fs::write(&stamp, wanted).unwrap();
    }
    python
}

fn run(command: &mut Command) {
    let output = command.stdin(Stdio::null()).output().unwrap_or_else(|error| {
        panic!("{command:?} does not start ({error}): install python3-venv, or run scripts/test.sh")
    });
    let said = [output.stdout, output.stderr].concat();
    assert!(output.status.success(), "{command:?} failed:\n{}", String::from_utf8_lossy(&said));
}
