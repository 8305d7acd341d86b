//! The server of metrics: few pages for few readers, and none of them can hold it up.
//!
//! It lives in a thread of its own. A reader has little time for all it does, and when there are too many the one that has
//! been there longest goes: a scrape that takes milliseconds gets through however many hang on.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpStream;
use tokio::task::AbortHandle;
use tokio::time::{sleep, timeout};

/// How many readers there may be at the same time.
const MAX_CONNECTIONS: usize = 32;

/// How long a reader may take, from its connection to the last byte it takes.
const MAX_TIME: Duration = Duration::from_secs(10);

/// How long a reader may take for the head of its request.
const MAX_HEAD_TIME: Duration = Duration::from_secs(5);

/// Bytes of a request's head.
const MAX_HEAD_BYTES: usize = 16 * 1024;

/// Headers of a request.
const MAX_HEADERS: usize = 64;

/// What is waited after a connection could not be accepted, for example because there is no descriptor left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

/// A request, of whose body nothing is read.
pub(crate) type Request = hyper::Request<Incoming>;

/// A response with its body.
pub(crate) type Response = hyper::Response<Full<Bytes>>;

/// Answers requests.
pub(crate) trait Site: Send + Sync + 'static {
    /// The response to a request.
    fn respond(&self, request: &Request) -> Response;
}

/// A socket that readers can connect to, and that nobody serves yet.
#[derive(Debug)]
pub(crate) struct Listener(TcpListener);

impl Listener {
    /// Opens the socket, which may need a right that is given up later.
    pub(crate) fn bind(address: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        Ok(Self(listener))
    }

    /// Where it is, with the port that was chosen where 0 was asked for.
    pub(crate) fn address(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }

    /// Serves the site in a new thread, to the end of the program.
    pub(crate) fn serve(self, site: impl Site) -> io::Result<()> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build()?;
        let listener = runtime.block_on(async { tokio::net::TcpListener::from_std(self.0) })?;
        let serve = move || runtime.block_on(accept(&listener, &Arc::new(site)));
        thread::Builder::new().name("metrics".to_owned()).spawn(serve).map(drop)
    }
}

async fn accept(listener: &tokio::net::TcpListener, site: &Arc<impl Site>) {
    let mut readers: VecDeque<AbortHandle> = VecDeque::new();
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            sleep(ACCEPT_PAUSE).await;
            continue;
        };
        readers.retain(|reader| !reader.is_finished());
        if readers.len() >= MAX_CONNECTIONS
            && let Some(oldest) = readers.pop_front()
        {
            oldest.abort();
        }
        readers.push_back(tokio::spawn(converse(stream, Arc::clone(site))).abort_handle());
    }
}

async fn converse(stream: TcpStream, site: Arc<impl Site>) {
    let service = service_fn(|request: Request| {
        let response = site.respond(&request);
        async move { Ok::<_, Infallible>(response) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(MAX_HEAD_TIME)
        .max_buf_size(MAX_HEAD_BYTES)
        .max_headers(MAX_HEADERS)
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), service);
    // A reader that goes away, is too slow or speaks no HTTP has itself to blame.
    drop(timeout(MAX_TIME, connection).await);
}
