//! The connection to a service: certificates of an own authority, and its end when nobody waits any more.

use std::{sync::Arc, time::Duration};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _};
use serde_json::json;
use tfo_mcp::{
    engine::{Call, CallErrorKind},
    host::http::{Services, system},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
    sync::oneshot,
};

use super::{asking, call, settings};
use crate::support::client::{Client, DEADLINE, serve_command};

/// An authority of one's own: its certificate, and a server that has one of it for this machine.
async fn https() -> (String, String) {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = params.self_signed(&key).unwrap().pem();
    let issuer = Issuer::new(params, key);
    let key = KeyPair::generate().unwrap();
    let leaf = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap().signed_by(&key, &issuer).unwrap();
    let _ = rustls::crypto::ring::default_provider().install_default();
    let chain = vec![CertificateDer::from_pem_slice(leaf.pem().as_bytes()).unwrap()];
    let key = PrivateKeyDer::from_pem_slice(key.serialize_pem().as_bytes()).unwrap();
    let config = rustls::ServerConfig::builder().with_no_client_auth().with_single_cert(chain, key).unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}/", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            let mut request = Vec::new();
            while !request.ends_with(b"\r\n\r\n") {
                let Ok(byte) = stream.read_u8().await else { break };
                request.push(byte);
            }
            let answer = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 4\r\nconnection: close\r\n\r\n[42]";
            let _ = stream.write_all(answer.as_bytes()).await;
            let _ = stream.shutdown().await;
        }
    });
    (url, authority)
}

#[tokio::test]
async fn an_authority_of_the_settings_is_trusted_and_no_other() {
    let (url, authority) = https().await;
    let (_, another) = https().await;
    let folder = tempfile::tempdir().unwrap();
    let ask = async |pem: Option<&str>| {
        let file = folder.path().join("ca.pem");
        let ca = pem.map(|pem| std::fs::write(&file, pem)).map(|_| format!(r#", "ca_file": "{}""#, file.display()));
        let more = format!(r#""allow_private": ["127.0.0.1"]{}"#, ca.unwrap_or_default());
        call(&asking("path: /", &settings(&url, &more)), "ask", json!({})).await
    };
    assert!(ask(Some(&authority)).await.unwrap().contains("42"));
    // Several in one file, and what people write between them.
    let both = format!("# ours\n{another}\n# theirs\n{authority}");
    assert!(ask(Some(&both)).await.unwrap().contains("42"));
    for pem in [None, Some(another.as_str())] {
        let refused = ask(pem).await.unwrap_err();
        assert!(refused.contains("certificate"), "{refused}");
    }
    for (pem, said) in [
        ("", "holds no certificate in PEM"),
        ("no pem at all", "holds no certificate in PEM"),
        ("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "`ca_file`"),
        ("-----BEGIN CERTIFICATE-----\n!!!!\n-----END CERTIFICATE-----\n", "`ca_file`"),
    ] {
        let refused = ask(Some(pem)).await.unwrap_err();
        assert!(refused.contains(said) && refused.contains("is not set up"), "{pem}: {refused}");
    }
}

#[test]
fn an_authority_that_cannot_be_read_is_told_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("empty.pem"), "").unwrap();
    for (file, said) in [("missing.pem", "No such file"), ("", "directory"), ("empty.pem", "no certificate in PEM")] {
        let path = folder.path().join(file);
        let settings = settings("https://127.0.0.1/", &format!(r#""ca_file": "{}""#, path.display()));
        let problems: Vec<String> = Services::new(&settings, &|_| None, &system()).problems().collect();
        let told = problems.concat();
        assert!(told.contains("`other`") && told.contains("`ca_file`") && told.contains(said), "{file}: {told}");
    }
}

/// A server that takes requests and answers none: it tells when one has come, and when its client is gone.
async fn silent() -> (String, oneshot::Receiver<()>, oneshot::Receiver<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let ((came, has_come), (left, has_left)) = (oneshot::channel(), oneshot::channel());
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            request.push(stream.read_u8().await.unwrap());
        }
        came.send(()).unwrap();
        // It begins to answer, so that the body is what is waited for.
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n[").await;
        let mut rest = Vec::new();
        let _ = stream.read_to_end(&mut rest).await;
        let _ = left.send(());
    });
    (url, has_come, has_left)
}

const FOREVER: &str = r#""allow_private": ["127.0.0.1"], "timeout": "10m""#;

#[tokio::test]
async fn a_cancelled_call_closes_its_connection() {
    let (url, came, left) = silent().await;
    let engine = asking("path: /", &settings(&url, FOREVER));
    let cancel = tokio_util::sync::CancellationToken::new();
    let asked = Call { cancel: cancel.clone(), ..Call::default() };
    let calling = tokio::spawn(async move { engine.call_tool("ask", serde_json::Map::new(), &asked).await });
    tokio::time::timeout(DEADLINE, came).await.expect("the request comes").unwrap();
    cancel.cancel();
    tokio::time::timeout(DEADLINE, left).await.expect("the connection is closed").unwrap();
    assert_eq!(calling.await.unwrap().unwrap_err().kind, CallErrorKind::Cancelled);
}

#[tokio::test]
async fn a_client_that_cancels_closes_the_connection_to_the_service() {
    let (url, came, left) = silent().await;
    let folder = tempfile::tempdir().unwrap();
    let tools = folder.path().join("pack/definitions/tools");
    std::fs::create_dir_all(&tools).unwrap();
    let tool = "kind: tool\nname: ask\ntitle: Ask\ndescription: Asks.\ncategory: test\nrun:\n  action: http.request\n  \
                service: other\n  path: /\ntimeout: 10m\n";
    std::fs::write(tools.join("ask.yaml"), tool).unwrap();
    let settings = format!(
        "packs: [pack]\npacks_only: true\nhttp: {{ services: {{ other: {{ url: '{url}', allow_private: [127.0.0.1], timeout: 10m }} }} }}\n"
    );
    let file = folder.path().join("settings.yaml");
    std::fs::write(&file, settings).unwrap();
    let mut command = serve_command(folder.path());
    command.arg("--config").arg(&file);
    let mut client = Client::spawn(command);
    client.initialize("2025-11-25").await;
    let params = json!({"name": "ask", "arguments": {}});
    client.send_json(json!({"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": params})).await;
    tokio::time::timeout(DEADLINE, came).await.expect("the request comes").unwrap();
    client.send_json(json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 7}})).await;
    tokio::time::timeout(DEADLINE, left).await.expect("the connection is closed").unwrap();
    assert_eq!(client.result("ping", json!({})).await, json!({}));
}

#[tokio::test]
async fn a_call_whose_time_is_over_closes_its_connection() {
    let (url, came, left) = silent().await;
    let quick = FOREVER.replace("10m", "300ms");
    let engine = asking("path: /", &settings(&url, &quick));
    let refused = call(&engine, "ask", json!({})).await.unwrap_err();
    assert!(refused.starts_with("timeout: "), "{refused}");
    tokio::time::timeout(DEADLINE, came).await.expect("the request comes").unwrap();
    let closed = tokio::time::timeout(DEADLINE.min(Duration::from_secs(30)), left).await;
    closed.expect("the connection is closed").unwrap();
}
