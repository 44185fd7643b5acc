//! A balancer that knows nothing of MCP: each connection goes to the next backend that accepts one.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
};

/// Starts a balancer over `host:port` backends; answers its origin.
pub async fn start(backends: Vec<String>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let next = Arc::new(AtomicUsize::new(0));
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let (backends, next) = (backends.clone(), next.clone());
            tokio::spawn(async move {
                for _ in 0..backends.len() {
                    let backend = &backends[next.fetch_add(1, Ordering::Relaxed) % backends.len()];
                    if let Ok(mut backend) = TcpStream::connect(backend).await {
                        let _ = copy_bidirectional(&mut client, &mut backend).await;
                        return;
                    }
                }
            });
        }
    });
    origin
}
