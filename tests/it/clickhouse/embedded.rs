//! The embedded server: started at the first statement, shared by processes, ended with its owner.

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tfo_mcp::source::{
    Source, SourceErrorKind,
    clickhouse::{ClickHouse, EmbeddedConfig, InsertFormat},
    embedded,
};

use crate::support::clickhouse::{WIDE, executable, library, query};
use crate::support::eventually::eventually;

/// Names the data directory that [`in_a_process_of_its_own`] is to own.
const OWNER: &str = "TFO_TEST_OWNER";

fn source(data_dir: &Path) -> ClickHouse {
    ClickHouse::embedded(EmbeddedConfig {
        executable: Some(executable()),
        library: Some(library()),
        ..EmbeddedConfig::new(data_dir, "telemetry")
    })
}

fn published(data_dir: &Path) -> Option<Value> {
    serde_json::from_slice(&fs::read(data_dir.join("clickhouse/endpoint.json")).ok()?).ok()
}

fn pid(data_dir: &Path) -> u64 {
    published(data_dir).unwrap()["pid"].as_u64().unwrap()
}

fn is_alive(pid: u64) -> bool {
    fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") Z "))
}

async fn answer(source: &ClickHouse, sql: &str) -> Value {
    query(source, sql, &[], WIDE).await.unwrap().rows[0][0].clone()
}

/// Another process that owns the server of a data directory.
struct Owner(Child);

impl Owner {
    fn start(data_dir: &Path) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["clickhouse::embedded::in_a_process_of_its_own", "--exact", "--nocapture"])
            .env(OWNER, data_dir)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        assert!(lines.any(|line| line.unwrap().contains("owner answered")), "the owner ended");
        Self(child)
    }

    fn kill(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What runs in the process of [`Owner`]; in the suite itself it does nothing.
#[tokio::test]
async fn in_a_process_of_its_own() {
    let Some(data_dir) = std::env::var_os(OWNER).map(PathBuf::from) else { return };
    let source = source(&data_dir);
    source.execute("CREATE TABLE IF NOT EXISTS t (a UInt64) ENGINE = MergeTree ORDER BY a").await.unwrap();
    source.execute("INSERT INTO t SELECT number FROM numbers(1000)").await.unwrap();
    println!("owner answered");
    std::io::stdout().flush().unwrap();
    tokio::time::sleep(Duration::from_secs(600)).await;
}

#[tokio::test]
async fn it_starts_with_the_first_statement_and_ends_when_closed() {
    let data_dir = tempfile::tempdir().unwrap();
    let data_dir = data_dir.path();
    let source = source(data_dir);
    assert!(source.describe().contains("clickhouse"));
    assert!(!data_dir.join("clickhouse").exists());

    assert_eq!(answer(&source, "SELECT currentDatabase() AS x").await, json!("telemetry"));
    let pid = pid(data_dir);
    for (file, mode) in [("", 0o700), ("endpoint.json", 0o600), ("config.xml", 0o600), ("users.xml", 0o600)] {
        let permissions = fs::metadata(data_dir.join("clickhouse").join(file)).unwrap().permissions();
        assert_eq!(permissions.mode() & 0o777, mode, "{file}");
    }
    let command_line = fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap();
    let endpoint = published(data_dir).unwrap();
    assert!(!command_line.contains(endpoint["password"].as_str().unwrap()));

    source.close().await;
    assert!(!is_alive(pid) && published(data_dir).is_none());
    // Closed is not for ever.
    assert_eq!(answer(&source, "SELECT 1 AS x").await, json!(1));
    let again = self::pid(data_dir);
    drop(source);
    assert!(!is_alive(again));
}

/// Loopback is shared by all users of a machine.
#[tokio::test]
async fn only_the_password_opens_it() {
    let data_dir = tempfile::tempdir().unwrap();
    let source = source(data_dir.path());
    source.ping().await.unwrap();
    let port = published(data_dir.path()).unwrap()["port"].as_u64().unwrap();
    let ask = |request: &str| {
        let mut stream = std::net::TcpStream::connect(format!("127.0.0.1:{port}")).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut status = String::new();
        BufReader::new(stream).read_line(&mut status).unwrap();
        status
    };
    for headers in [
        "",
        "X-ClickHouse-User: default\r\n",
        "X-ClickHouse-User: tfo\r\n",
        "X-ClickHouse-User: tfo\r\nX-ClickHouse-Key: x\r\n",
        "X-ClickHouse-User: tfo\r\nAuthorization: Basic ZGVmYXVsdDo=\r\n",
        "Authorization: Basic ZGVmYXVsdDo=\r\n",
    ] {
        for path in ["/?query=SELECT+1", "/?query=SELECT+1&user=default", "/?query=SELECT+1&user=default&password="] {
            let status = ask(&format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{headers}\r\n"));
            assert!(!status.contains(" 200 "), "{path} {headers:?}: {status}");
        }
    }
    source.close().await;
}

#[tokio::test]
async fn two_processes_share_a_data_directory_and_the_second_survives_the_first() {
    let data_dir = tempfile::tempdir().unwrap();
    let data_dir = data_dir.path();
    let mut owner = Owner::start(data_dir);
    let first = pid(data_dir);

    let source = source(data_dir);
    assert_eq!(answer(&source, "SELECT count() AS n FROM t").await, json!(1000));
    assert_eq!(pid(data_dir), first, "the second process joined the server of the first");

    owner.kill();
    // The server of the first may answer once more before it has seen that its owner is gone.
    let deadline = Instant::now() + Duration::from_secs(30);
    while published(data_dir).is_none_or(|endpoint| endpoint["pid"] == first) {
        assert_eq!(answer(&source, "SELECT count() AS n FROM t").await, json!(1000));
        assert!(Instant::now() < deadline, "the second process started no server");
    }
    assert!(!is_alive(first), "the server of the first ended with it");
    source.execute("INSERT INTO t SELECT number FROM numbers(1000, 5)").await.unwrap();
    source.close().await;

    // And what both wrote is there for a third.
    let third = self::source(data_dir);
    assert_eq!(answer(&third, "SELECT count() AS n FROM t").await, json!(1005));
    third.close().await;
}

#[tokio::test]
#[ignore = "slow: scripts/test.sh runs it"]
async fn an_answer_under_way_survives_the_owner() {
    let data_dir = tempfile::tempdir().unwrap();
    let mut owner = Owner::start(data_dir.path());
    let source = source(data_dir.path());
    assert_eq!(answer(&source, "SELECT 1 AS x").await, json!(1));
    let watcher = self::source(data_dir.path());
    let sql = "SELECT sum(sleepEachRow(0.05)) + count() AS n FROM numbers(20)";
    let (rows, ()) = tokio::join!(query(&source, sql, &[], WIDE), async {
        let running = "SELECT count() AS n FROM system.processes WHERE query LIKE 'SELECT sum(sleep%'";
        while answer(&watcher, running).await != json!(1) {}
        owner.kill();
    });
    assert_eq!(rows.unwrap().rows, [[json!(20)]]);
    watcher.close().await;
    source.close().await;
}

#[tokio::test]
async fn many_that_start_at_once_start_one_server() {
    let data_dir = tempfile::tempdir().unwrap();
    let sources: Vec<_> = (0..4).map(|_| source(data_dir.path())).collect();
    let asked = sources
        .iter()
        .flat_map(|source| [source, source])
        .map(|source| query(source, "SELECT getServerPort('http_port') AS x", &[], WIDE));
    let ports: Vec<_> = futures::future::join_all(asked).await.into_iter().map(|rows| rows.unwrap().rows).collect();
    assert!(ports.iter().all(|port| *port == ports[0]), "{ports:?}");
    for source in &sources {
        source.close().await;
    }
}

#[tokio::test]
async fn a_server_that_crashed_is_started_again() {
    let data_dir = tempfile::tempdir().unwrap();
    let source = source(data_dir.path());
    answer(&source, "SELECT 1 AS x").await;
    let first = pid(data_dir.path());
    let process = rustix::process::Pid::from_raw(first.try_into().unwrap()).unwrap();
    rustix::process::kill_process(process, rustix::process::Signal::KILL).unwrap();
    eventually("the server ended", async || !is_alive(first)).await;
    assert_eq!(answer(&source, "SELECT 1 AS x").await, json!(1));
    assert_ne!(pid(data_dir.path()), first);
    // The endpoint of a dead server, as a power cut leaves it.
    let old = published(data_dir.path()).unwrap();
    source.close().await;
    fs::write(data_dir.path().join("clickhouse/endpoint.json"), old.to_string()).unwrap();
    assert!(source.tables().await.unwrap().0.is_empty());
    source.close().await;
}

#[tokio::test]
async fn without_the_library_it_says_how_to_get_it() {
    let data_dir = tempfile::tempdir().unwrap();
    let config = EmbeddedConfig {
        executable: Some(executable()),
        library: Some(data_dir.path().join("absent.so")),
        ..EmbeddedConfig::new(data_dir.path(), "telemetry")
    };
    let source = ClickHouse::embedded(config);
    let error = query(&source, "SELECT 1 AS x", &[], WIDE).await.unwrap_err();
    assert_eq!(error.kind, SourceErrorKind::Unavailable);
    assert!(error.hint.unwrap().contains("tfo-mcp setup clickhouse"));
}

#[tokio::test]
async fn a_broken_library_and_a_broken_folder_are_unavailable() {
    let data_dir = tempfile::tempdir().unwrap();
    let broken = data_dir.path().join("broken.so");
    fs::write(&broken, "not a library").unwrap();
    let config = |library: PathBuf, data_dir: &Path| EmbeddedConfig {
        executable: Some(executable()),
        library: Some(library),
        ..EmbeddedConfig::new(data_dir, "telemetry")
    };
    let source = ClickHouse::embedded(config(broken.clone(), data_dir.path()));
    let error = source.ping().await.unwrap_err();
    assert_eq!(error.kind, SourceErrorKind::Unavailable);
    assert!(error.message.contains("cannot load libchdb") && !error.message.contains('\n'), "{error:?}");
    let source = ClickHouse::embedded(config(broken.clone(), &broken));
    let error = source.ping().await.unwrap_err();
    assert_eq!(error.kind, SourceErrorKind::Unavailable);
    assert!(error.hint.unwrap().contains("--data-dir"));
}

/// The name of the data directory is the user's.
#[tokio::test]
async fn a_folder_with_an_odd_name_will_do() {
    let parent = tempfile::tempdir().unwrap();
    let data_dir = parent.path().join("it's <a> & \"ünïcödé\" folder");
    let source = source(&data_dir);
    assert_eq!(answer(&source, "SELECT 1 AS x").await, json!(1));
    source.close().await;
}

#[tokio::test]
#[ignore = "slow: scripts/test.sh runs it"]
async fn rows_are_loaded_in_pieces() {
    let data_dir = tempfile::tempdir().unwrap();
    let source = source(data_dir.path());
    source
        .execute("CREATE TABLE `odd ``table` (id UInt32, `a b` String, at DateTime64(3, 'UTC')) ENGINE = MergeTree ORDER BY id")
        .await
        .unwrap();
    let mut insert = source.insert("odd `table", &["id", "a b"], InsertFormat::RowBinary).await.unwrap();
    for id in 0..100_000_u32 {
        let mut row = id.to_le_bytes().to_vec();
        row.extend([1, b'x']);
        // Pieces that end inside a row.
        let (head, tail) = row.split_at(3);
        if id < 10 {
            insert.write(head).await.unwrap();
            insert.write(tail).await.unwrap();
        } else {
            insert.write(row).await.unwrap();
        }
    }
    insert.finish().await.unwrap();
    let mut insert = source.insert("odd `table", &["id", "at"], InsertFormat::JsonEachRow).await.unwrap();
    insert.write(&b"{\"id\": 100000, \"at\": \"2026-11-20T10:00:00.123Z\"}\n"[..]).await.unwrap();
    insert.finish().await.unwrap();
    let rows = query(&source, "SELECT count() AS n, sum(id) AS s, max(at) AS t FROM `odd ``table`", &[], WIDE).await;
    assert_eq!(rows.unwrap().rows, [[json!(100_001), json!(5_000_050_000_u64), json!("2026-11-20T10:00:00.123Z")]]);

    // One that is dropped leaves nothing, and one that is wrong is an error.
    let mut insert = source.insert("odd `table", &["id"], InsertFormat::RowBinary).await.unwrap();
    insert.write(7_u32.to_le_bytes()).await.unwrap();
    drop(insert);
    let mut insert = source.insert("odd `table", &["id"], InsertFormat::JsonEachRow).await.unwrap();
    insert.write(&b"{\"id\": \"x\"}"[..]).await.unwrap();
    assert!(insert.finish().await.is_err());
    assert_eq!(answer(&source, "SELECT count() AS n FROM `odd ``table`").await, json!(100_001));
    source.close().await;
}

#[test]
fn the_hidden_subcommand_says_how_it_is_used() {
    let output = Command::new(executable()).arg(embedded::SUBCOMMAND).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(output.stdout.is_empty());
}
