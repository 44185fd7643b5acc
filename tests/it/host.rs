//! The tools over the host: files, through the tools as they are shipped.

mod atomic;
mod changing;
mod edge;
mod escapes;
mod inside;
mod own;
mod reading;
mod searching;
mod starting;
mod untold;

use std::{
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use serde_json::{Map, Value};
use tfo_mcp::{
    catalog::CatalogOptions,
    engine::{Answer, Call, Engine, EngineOptions, Outcome, Sources},
    host::files::{Bounds, Caller, Files},
    settings,
};

use crate::support::pack::catalog;

/// An engine whose files are those of a folder, and something beside that folder that is nobody's business.
struct Room {
    folder: tempfile::TempDir,
    engine: Engine,
}

/// What no answer may hold.
const SECRET: &str = "outside-7f3a9c";

impl Room {
    fn new() -> Self {
        Self::with(|_| {})
    }

    fn with(change: impl FnOnce(&mut settings::Files)) -> Self {
        Self::owning(&["root/tfo-mcp.yaml"], |_, files| change(files))
    }

    /// Where paths of the room belong to the server. The folder of the room is there when the settings are changed.
    fn owning(own: &[&str], change: impl FnOnce(&Path, &mut settings::Files)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for name in ["root", "outside", "kept"] {
            std::fs::create_dir(folder.path().join(name)).unwrap();
        }
        std::fs::write(folder.path().join("outside/secret.txt"), SECRET).unwrap();
        let mut settings = settings::Files { roots: vec![folder.path().join("root")], ..settings::Files::default() };
        settings.read_only_roots = vec![folder.path().join("kept")];
        change(folder.path(), &mut settings);
        let own = own.iter().map(|own| folder.path().join(own)).collect();
        let files = Arc::new(Files::new(&settings, Caller::Here, own));
        let options = CatalogOptions { toolsets: Some(vec!["files".to_owned()]), ..CatalogOptions::default() };
        let engine = Engine::new(
            catalog(&[], &options),
            Sources::default(),
            EngineOptions { files, ..EngineOptions::default() },
        );
        Self { folder, engine }
    }

    fn root(&self) -> std::path::PathBuf {
        self.folder.path().join("root")
    }

    fn outside(&self) -> std::path::PathBuf {
        self.folder.path().join("outside")
    }

    fn put(&self, path: &str, content: impl AsRef<[u8]>) {
        let path = self.root().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }

    fn text(&self, path: &str) -> String {
        std::fs::read_to_string(self.root().join(path)).unwrap()
    }

    async fn answer(&self, tool: &str, arguments: Value) -> Result<Answer, String> {
        let arguments: Map<String, Value> = arguments.as_object().cloned().unwrap();
        let outcome = self.engine.call_tool(tool, arguments, &Call::default()).await;
        match outcome.map_err(|error| error.to_text())? {
            Outcome::Done(answer) => Ok(answer),
            Outcome::Asks(_) => Err("it asks".to_owned()),
        }
    }

    /// The text of an answer, with its notes in further lines.
    async fn call(&self, tool: &str, arguments: Value) -> Result<String, String> {
        let answer = self.answer(tool, arguments).await?;
        Ok([answer.text()].into_iter().chain(answer.notes).collect::<Vec<_>>().join("\n"))
    }

    async fn error(&self, tool: &str, arguments: Value) -> String {
        self.call(tool, arguments.clone()).await.expect_err(&format!("{tool} {arguments}"))
    }
}

fn bounds() -> Bounds {
    Bounds { given_up: Arc::default(), until: Instant::now() + Duration::from_secs(60) }
}

/// Every name below a folder and what is in it, links as where they lead.
fn contents(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut all = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(&next).unwrap() {
            let path = entry.unwrap().path();
            let kind = path.symlink_metadata().unwrap().file_type();
            let content = match () {
                () if kind.is_symlink() => {
                    std::fs::read_link(&path).unwrap().to_string_lossy().into_owned().into_bytes()
                }
                () if kind.is_dir() => {
                    folders.push(path.clone());
                    Vec::new()
                }
                () if kind.is_file() => std::fs::read(&path).unwrap(),
                () => b"special".to_vec(),
            };
            all.push((path.strip_prefix(folder).unwrap().display().to_string(), content));
        }
    }
    all.sort();
    all
}
