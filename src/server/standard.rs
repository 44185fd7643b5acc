//! Standard input and output as asynchronous streams.
//!
//! rmcp drives pipes without blocking and falls back to a thread hand-off per message for everything else. Clients
//! written for Node (and most are) start a server on socket pairs, which take the slow way for no reason: they are
//! driven here.

use std::{
    fs::File,
    io,
    os::{
        fd::{AsFd, OwnedFd},
        unix::{fs::FileTypeExt as _, net},
    },
    thread,
};

use rustix::event::{PollFd, PollFlags, poll};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::UnixStream,
};
use tokio_util::sync::CancellationToken;

pub type Reader = Box<dyn AsyncRead + Unpin + Send>;
pub type Writer = Box<dyn AsyncWrite + Unpin + Send>;

/// Standard input and output. Called inside a runtime.
pub fn streams() -> (Reader, Writer) {
    match (socket(&io::stdin()), socket(&io::stdout())) {
        (Some(read), Some(write)) => (Box::new(read), Box::new(write)),
        _ => {
            let (read, write) = rmcp::transport::stdio_pipes();
            (Box::new(read), Box::new(write))
        }
    }
}

/// A stream over a descriptor that is a socket. It stays non-blocking for whoever shares it; nobody else in this
/// process uses it, and children get streams of their own.
fn socket(of: &impl AsFd) -> Option<UnixStream> {
    let file = File::from(of.as_fd().try_clone_to_owned().ok()?);
    if !file.metadata().ok()?.file_type().is_socket() {
        return None;
    }
    let socket = net::UnixStream::from(OwnedFd::from(file));
    // A socket of another family, such as TCP from inetd, has no Unix address: it takes the ordinary way.
    socket.local_addr().ok()?;
    socket.set_nonblocking(true).ok()?;
    UnixStream::from_std(socket).ok()
}

/// Whether standard input is a file, at whose end nobody waits.
pub fn input_is_a_file() -> bool {
    metadata(&io::stdin()).is_some_and(|metadata| metadata.is_file())
}

/// Cancelled when nobody can write to standard input any more, also when not all of it has been read: it is not read
/// while nobody reads the output.
pub fn hung_up() -> CancellationToken {
    let hung_up = CancellationToken::new();
    let told = hung_up.clone();
    let has_another_end = metadata(&io::stdin()).is_some_and(|metadata| {
        let of = metadata.file_type();
        of.is_fifo() || of.is_socket()
    });
    // Parked as long as the client is there; the end of the process does not wait for it.
    let watch = move || {
        let stdin = io::stdin();
        let mut of = [PollFd::new(&stdin, PollFlags::RDHUP)];
        while let Err(rustix::io::Errno::INTR) = poll(&mut of, None) {}
        told.cancel();
    };
    if has_another_end && let Err(error) = thread::Builder::new().name("hung-up".into()).spawn(watch) {
        tracing::warn!(%error, "cannot watch standard input");
    }
    hung_up
}

fn metadata(of: &impl AsFd) -> Option<std::fs::Metadata> {
    File::from(of.as_fd().try_clone_to_owned().ok()?).metadata().ok()
}
