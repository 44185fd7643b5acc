//! Commands and the machine, through the tools as they are shipped, on the kernel that is there.

mod apart;
mod bounds;
mod edge;
mod ends;
mod escapes;
mod evasions;
mod machine;
mod masked;
mod names;
mod pack;
mod readers;
mod sessions;
mod told;
mod walls;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use serde_json::{Map, Value, json};
use tfo_mcp::{
    catalog::CatalogOptions,
    engine::{Answer, Call, Engine, EngineOptions, Outcome, Sources},
    host::{commands::Commands, files::Caller},
    settings,
};

use crate::support::pack::catalog;

/// An engine whose commands run in a folder, and something beside that folder that is nobody's business.
struct Room {
    folder: tempfile::TempDir,
    engine: Engine,
}

/// What no answer may hold.
const SECRET: &str = "outside-7f3a9c";

/// The program that keeps commands: the tests' own is another.
fn keeper() -> PathBuf {
    env!("CARGO_BIN_EXE_tfo-mcp").into()
}

impl Room {
    fn new() -> Self {
        Self::with(|_| {})
    }

    fn with(change: impl FnOnce(&mut settings::Commands)) -> Self {
        Self::offering(&[], change)
    }

    /// With further definitions, which are in the toolset `system`.
    fn offering(files: &[(&str, &str)], change: impl FnOnce(&mut settings::Commands)) -> Self {
        Self::made(files, change, |commands, _| commands.kept_by(keeper()))
    }

    /// Beside files with settings of their own.
    fn beside(files: impl FnOnce(&Path) -> settings::Files) -> Self {
        Self::made(&[], |_| {}, |commands, folder| commands.beside(&files(folder)).kept_by(keeper()))
    }

    /// With another program that keeps commands.
    fn kept_by(keeper: PathBuf) -> Self {
        Self::made(&[], |_| {}, |commands, _| commands.kept_by(keeper))
    }

    fn made(
        files: &[(&str, &str)],
        change: impl FnOnce(&mut settings::Commands),
        with: impl FnOnce(Commands, &Path) -> Commands,
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for name in ["root", "outside"] {
            std::fs::create_dir(folder.path().join(name)).unwrap();
        }
        std::fs::write(folder.path().join("outside/secret.txt"), SECRET).unwrap();
        let roots = vec![folder.path().join("root")];
        // On a kernel without Landlock these tests are about all the rest.
        let mut settings = settings::Commands { roots, unconfined: true, ..settings::Commands::default() };
        change(&mut settings);
        let commands = Arc::new(with(Commands::new(&settings, Caller::Here, &[]), folder.path()));
        let options = CatalogOptions { toolsets: Some(vec!["system".to_owned()]), ..CatalogOptions::default() };
        let options = (catalog(files, &options), EngineOptions { commands, ..EngineOptions::default() });
        Self { folder, engine: Engine::new(options.0, Sources::default(), options.1) }
    }

    fn root(&self) -> PathBuf {
        self.folder.path().join("root")
    }

    fn outside(&self) -> PathBuf {
        self.folder.path().join("outside")
    }

    fn put(&self, path: &str, content: impl AsRef<[u8]>) {
        std::fs::write(self.root().join(path), content).unwrap();
    }

    async fn answer_to(&self, tool: &str, arguments: Value, call: &Call) -> Result<Answer, String> {
        let arguments: Map<String, Value> = arguments.as_object().cloned().unwrap();
        let outcome = self.engine.call_tool(tool, arguments, call).await;
        match outcome.map_err(|error| error.to_text())? {
            Outcome::Done(answer) => Ok(answer),
            Outcome::Asks(_) => Err("it asks".to_owned()),
        }
    }

    async fn answer(&self, tool: &str, arguments: Value) -> Result<Answer, String> {
        self.answer_to(tool, arguments, &Call::default()).await
    }

    /// The text of an answer, with its notes in further lines.
    async fn call(&self, tool: &str, arguments: Value) -> Result<String, String> {
        let answer = self.answer(tool, arguments).await?;
        Ok([answer.text()].into_iter().chain(answer.notes).collect::<Vec<_>>().join("\n"))
    }

    async fn error(&self, tool: &str, arguments: Value) -> String {
        self.call(tool, arguments.clone()).await.expect_err(&format!("{tool} {arguments}"))
    }

    /// Runs a text with a shell.
    async fn shell(&self, text: &str) -> String {
        self.call("execute_command", json!({"command": "sh", "args": ["-c", text]})).await.unwrap()
    }
}

/// The version of Landlock of this kernel: what is asserted of confinement is what there is.
fn landlock() -> Option<u32> {
    use landlock::{ABI, Access as _, AccessFs, LandlockStatus, Ruleset, RulesetAttr as _};
    // It confines the thread that asks, which ends with that.
    let ask = || {
        let rules = Ruleset::default().handle_access(AccessFs::from_all(ABI::V1)).unwrap();
        match rules.create().unwrap().restrict_self().unwrap().landlock {
            LandlockStatus::Available { effective_abi, .. } => Some(effective_abi as u32),
            _ => None,
        }
    };
    std::thread::spawn(ask).join().unwrap()
}

/// What is said of a command on this kernel.
fn confined() -> String {
    landlock().map_or("not confined to its folders".to_owned(), |version| {
        format!("confined to its folders (Landlock {version}")
    })
}

/// Processes of this machine whose command line holds a text: nobody else's, if the text is one of ours.
fn running(mark: &str) -> Vec<i32> {
    let entries = std::fs::read_dir("/proc").unwrap().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    let holds = |pid: &i32| {
        std::fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|line| String::from_utf8_lossy(&line).contains(mark))
    };
    pids.filter(holds).filter(|pid| u32::try_from(*pid) != Ok(std::process::id())).collect()
}

/// A number of seconds that stands in no other command line.
fn mark() -> String {
    format!("31.{}", uuid::Uuid::new_v4().as_u128() % 1_000_000_000_000)
}
