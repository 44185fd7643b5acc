//! What belongs to the server, by whichever name a command could come to it: below a folder of the system, by a further name of the
//! same file, through a link that a command could change.

use std::path::{Path, PathBuf};

use serde_json::json;
use tfo_mcp::{
    host::{
        commands::{Commands, Wanted},
        files::Caller,
    },
    settings,
};

use super::{Room, keeper, landlock};
use crate::support::client::{Client, serve_command};

fn commands(root: &Path, own: &[PathBuf]) -> Commands {
    let roots = vec![root.to_owned()];
    let settings = settings::Commands { roots, unconfined: true, ..settings::Commands::default() };
    Commands::new(&settings, Caller::Here, own).kept_by(keeper())
}

async fn said(commands: &Commands, command: &str) -> Result<String, String> {
    let wanted = Wanted { command, ..Wanted::default() };
    let mut running = commands.run(&wanted, None).await.map_err(|error| error.message)?;
    let mut said = Vec::new();
    while let Some(bytes) = running.next().await {
        said.extend_from_slice(bytes);
    }
    running.ended().await;
    Ok(String::from_utf8_lossy(&said).into_owned())
}

#[tokio::test]
async fn no_command_reads_a_file_of_the_server_below_the_folders_of_the_system() {
    if landlock().is_none() {
        return;
    }
    let room = Room::new();
    // Public files of this machine, as if they were the server's.
    let of_system = ["/usr/lib/os-release", "/usr/share/perl5", "/usr/bin/env"].map(PathBuf::from);
    for own in of_system.iter().map(PathBuf::as_path).chain([Path::new("/etc/passwd")]).filter(|own| own.exists()) {
        let read = format!("{} {}", if own.is_dir() { "ls" } else { "cat" }, own.display());
        let open = said(&commands(&room.root(), &[]), &read).await.unwrap();
        assert!(!open.contains("Permission denied"), "{open}");
        let kept = commands(&room.root(), &[own.to_owned()]);
        let closed = said(&kept, &read).await.unwrap();
        assert!(closed.contains("Permission denied") && closed.len() < 200, "{closed}");
        // All else is as it was.
        assert_eq!(said(&kept, "cat /proc/sys/kernel/ostype").await.unwrap(), "Linux\n");
    }
}

#[tokio::test]
async fn no_command_runs_where_a_file_of_the_server_has_a_further_name() {
    let room = Room::new();
    let own = room.outside().join("secret.txt");
    assert!(said(&commands(&room.root(), std::slice::from_ref(&own)), "true").await.is_ok());
    std::fs::create_dir(room.root().join("below")).unwrap();
    std::fs::hard_link(&own, room.root().join("below/second")).unwrap();
    let error = said(&commands(&room.root(), &[own]), "cat below/second").await.unwrap_err();
    assert!(
        error.contains("`secret.txt`, which belongs to this server, as `") && error.contains("below/second"),
        "{error}"
    );
}

#[tokio::test]
async fn no_command_runs_where_something_in_a_folder_of_the_server_has_a_further_name() {
    let room = Room::new();
    let at = |name: &str| room.folder.path().join(name);
    std::fs::create_dir_all(at("data/parts/old")).unwrap();
    for name in ["data/parts/1.bin", "data/parts/2.bin", "a.sqlite", "a.sqlite-wal"] {
        std::fs::write(at(name), "x").unwrap();
    }
    // Names in that folder alone are no way to it.
    std::fs::hard_link(at("data/parts/1.bin"), at("data/parts/old/1.bin")).unwrap();
    let own = [at("data"), at("a.sqlite")];
    assert!(said(&commands(&room.root(), &own), "true").await.is_ok());
    for (name, kept) in [("data/parts/2.bin", "2.bin"), ("a.sqlite-wal", "a.sqlite-wal")] {
        std::fs::hard_link(at(name), at("root/second")).unwrap();
        let error = said(&commands(&room.root(), &own), "cat second").await.unwrap_err();
        assert!(error.contains(&format!("`{kept}`, which belongs to this server, as `")), "{error}");
        std::fs::remove_file(at("root/second")).unwrap();
    }
    // A link that leads into the folder of commands, to a file that is there or not.
    for (link, to) in [("data/trusted.json", "../root/file"), ("a.sqlite-shm", "root/not-there")] {
        std::os::unix::fs::symlink(to, at(link)).unwrap();
        room.put("file", "x");
        let error = said(&commands(&room.root(), &own), "true").await.unwrap_err();
        assert!(error.contains("which belongs to this server"), "{error}");
        std::fs::remove_file(at(link)).unwrap();
    }
    assert!(said(&commands(&room.root(), &own), "true").await.is_ok());
}

#[tokio::test]
async fn no_command_runs_where_it_could_change_what_leads_to_the_settings() {
    let data = tempfile::tempdir().unwrap();
    let work = data.path().join("work");
    std::fs::create_dir_all(data.path().join("conf")).unwrap();
    std::fs::create_dir(&work).unwrap();
    std::fs::write(data.path().join("conf/real.yaml"), "{}\n").unwrap();
    std::os::unix::fs::symlink(data.path().join("conf/real.yaml"), work.join("link.yaml")).unwrap();
    std::os::unix::fs::symlink(data.path().join("conf"), work.join("conf")).unwrap();
    for (config, name) in [("link.yaml", "link.yaml"), ("conf/real.yaml", "real.yaml")] {
        let mut command = serve_command(data.path());
        command.current_dir(&work).args(["--toolsets", "system", "--config", config]);
        command.env("TELEMETRYFLOW_MCP_COMMANDS__UNCONFINED", "true");
        let mut client = Client::spawn(command);
        client.initialize("2025-11-25").await;
        let answer = client.call("execute_command", json!({"command": "rm link.yaml"})).await.to_string();
        assert!(answer.contains(&format!("`{name}`, which belongs to this server")), "{config}: {answer}");
    }
    assert!(work.join("link.yaml").exists());
}
