//! A stream whose peer may have said all that it wanted before it is answered.
//!
//! The end of what a client sends means one of two: that it has left, or that it has nothing more to ask and waits
//! (`nc -N`, some balancers and older libraries). Nothing tells the two apart, and hyper takes it for the first. So the
//! end is held back for a moment while an answer is being made, and then passed on, which cancels the call: whoever has
//! left does not keep a database at work. Between two requests it is passed on at once.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::Sleep,
};

/// How long an answer may take after its client has ended what it sends.
const LAST: Duration = Duration::from_secs(2);

/// How many answers of a connection are being made.
#[derive(Debug, Clone, Default)]
pub struct Answers(Arc<AtomicUsize>);

/// An answer that is being made, until it has been taken or is given up.
#[derive(Debug)]
pub struct Answer(Answers);

impl Answers {
    pub fn begin(&self) -> Answer {
        self.0.fetch_add(1, Ordering::AcqRel);
        Answer(self.clone())
    }

    fn any(&self) -> bool {
        self.0.load(Ordering::Acquire) > 0
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::AcqRel);
    }
}

/// A stream that holds back the end of what its peer sends.
#[derive(Debug)]
pub struct Ending<S> {
    stream: S,
    answers: Answers,
    /// Runs from that end on.
    last: Option<Pin<Box<Sleep>>>,
    /// Something waits to be written, which the peer reads too slowly.
    writing: bool,
}

impl<S> Ending<S> {
    pub fn new(stream: S, answers: Answers) -> Self {
        Self { stream, answers, last: None, writing: false }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Ending<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if this.last.is_none() {
            let before = buffer.filled().len();
            let read = Pin::new(&mut this.stream).poll_read(cx, buffer);
            if !matches!(read, Poll::Ready(Ok(()))) || buffer.filled().len() > before || buffer.remaining() == 0 {
                return read;
            }
        }
        let last = this.last.get_or_insert_with(|| Box::pin(tokio::time::sleep(LAST)));
        let waited = last.as_mut().poll(cx).is_ready();
        match this.writing || this.answers.any() && !waited {
            true => Poll::Pending,
            false => Poll::Ready(Ok(())),
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Ending<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.wrote(cx, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, slices);
        self.wrote(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(cx);
        self.wrote(cx, flushed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

impl<S> Ending<S> {
    /// Remembers whether a write waits. Whoever reads is asked again when it no longer does.
    fn wrote<T>(&mut self, cx: &Context<'_>, outcome: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if self.writing && outcome.is_ready() && self.last.is_some() {
            cx.waker().wake_by_ref();
        }
        self.writing = outcome.is_pending();
        outcome
    }
}
