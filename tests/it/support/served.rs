//! The built binary, serving HTTP on a free port of the loopback interface until it is dropped.

use std::{
    io::{BufRead, BufReader},
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::mpsc,
    time::Duration,
};

/// Generous: the machine may be busy.
const DEADLINE: Duration = Duration::from_secs(60);

pub struct Served {
    pub url: String,
    child: Child,
    /// An empty data folder, so that nothing of this machine takes part.
    _data: tempfile::TempDir,
}

/// The definitions that the official suite calls.
pub fn conformance_pack() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("packs/conformance")
}

impl Served {
    /// Starts `tfo-mcp serve` with further arguments and waits until it says where it listens.
    pub fn start(arguments: &[&str]) -> Self {
        Self::start_with(arguments, &[])
    }

    /// As [`Self::start`], with an environment.
    pub fn start_with(arguments: &[&str], environment: &[(&str, &str)]) -> Self {
        let data = tempfile::tempdir().unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_tfo-mcp"))
            .args(["serve", "--transport", "http", "--port", "0"])
            .args(arguments)
            .env("TELEMETRYFLOW_MCP_DATA_DIR", data.path())
            .env("HOME", data.path())
            .envs(environment.iter().copied())
            .current_dir(data.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the server starts");
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let (say, said) = mpsc::channel();
        std::thread::spawn(move || {
            // To its end, so that a chatty server is never stopped by a full pipe.
            for line in stderr.lines().map_while(Result::ok) {
                let _ = say.send(line);
            }
        });
        let mut log = String::new();
        while let Ok(line) = said.recv_timeout(DEADLINE) {
            log += &format!("{line}\n");
            if let Some((_, rest)) = line.split_once("http://127.0.0.1:") {
                let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '/').unwrap_or(rest.len());
                return Self { url: format!("http://127.0.0.1:{}", &rest[..end]), child, _data: data };
            }
        }
        let _ = child.kill();
        let _ = child.wait();
        panic!("the server does not say where it listens:\n{log}");
    }

    /// Serves the conformance pack alone.
    pub fn conformance() -> Self {
        // Tools may ask the client's model only where the operator lets them.
        let sampling = ("TELEMETRYFLOW_MCP_MCP__ENABLE_SAMPLING", "true");
        Self::start_with(&["--packs-only", "--pack", conformance_pack().to_str().unwrap()], &[sampling])
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
