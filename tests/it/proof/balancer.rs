//! A balancer that knows nothing of MCP: each connection goes to the next backend that is not known to be down.
//!
//! It learns that a backend is down as balancers do who are not told (nginx: `max_fails=1`): the backend refuses a
//! connection, or ends one on its own. A dying process does the second before the first: for a moment its connections
//! are gone, and the kernel still accepts new ones for it.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

struct Backend {
    address: String,
    down: AtomicBool,
}

/// Starts a balancer over `host:port` backends; answers its origin.
pub async fn start(backends: Vec<String>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let backends: Arc<[Backend]> =
        backends.into_iter().map(|address| Backend { address, down: AtomicBool::new(false) }).collect();
    let next = Arc::new(AtomicUsize::new(0));
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let (backends, next) = (backends.clone(), next.clone());
            tokio::spawn(async move {
                let first = next.fetch_add(1, Ordering::Relaxed);
                for n in 0..backends.len() {
                    let backend = &backends[(first + n) % backends.len()];
                    if backend.down.load(Ordering::Relaxed) {
                        continue;
                    }
                    match TcpStream::connect(&backend.address).await {
                        Ok(stream) => return join(client, stream, &backend.down).await,
                        Err(_) => backend.down.store(true, Ordering::Relaxed),
                    }
                }
            });
        }
    });
    origin
}

/// Passes bytes on in both directions until one side ends. The client learns of the end of its backend only after the
/// backend is known to be down, so that it does not meet it again.
async fn join(mut client: TcpStream, mut backend: TcpStream, down: &AtomicBool) {
    let (from_client, to_client) = client.split();
    let (from_backend, to_backend) = backend.split();
    let ended = tokio::select! {
        ended = pass(from_backend, to_client) => ended == End::Reading,
        ended = pass(from_client, to_backend) => ended == End::Writing,
    };
    if ended {
        down.store(true, Ordering::Relaxed);
    }
}

/// Which end of a direction ended it.
#[derive(PartialEq, Eq)]
enum End {
    Reading,
    Writing,
}

async fn pass(mut from: impl AsyncRead + Unpin, mut to: impl AsyncWrite + Unpin) -> End {
    let mut buffer = vec![0; 16 << 10];
    loop {
        match from.read(&mut buffer).await {
            Ok(0) | Err(_) => return End::Reading,
            Ok(read) if to.write_all(&buffer[..read]).await.is_err() => return End::Writing,
            Ok(_) => {}
        }
    }
}
