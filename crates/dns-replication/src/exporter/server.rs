//! Connections: how many, how long, and how they end.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::Exporter;

/// How many connections are open at a time; more wait in the listener's queue.
const MAX_CONNECTIONS: usize = 1024;

/// How long a client has for its part of TLS, and for the head of a request; also how long a connection may be idle.
const CLIENT_TIME: Duration = Duration::from_secs(30);

/// How long a connection may last. Prometheus opens another.
const CONNECTION_TIME: Duration = Duration::from_secs(3600);

/// How large the head of a request may be, in bytes.
const MAX_HEAD: usize = 16 * 1024;

/// How long answers that are under way have when the server is to end.
const FAREWELL: Duration = Duration::from_secs(10);

/// Answers requests until `end` is there; then those that are under way.
pub async fn serve(listener: TcpListener, exporter: Arc<Exporter>, end: impl Future<Output = ()>) {
    let graceful = GracefulShutdown::new();
    let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let mut end = pin!(end);
    let mut looking = pin!(exporter.keep_looking());
    loop {
        let next = async {
            // Nobody closes the semaphore, so that this is a permit.
            let place = Arc::clone(&places).acquire_owned().await;
            (listener.accept().await, place)
        };
        let (accepted, place) = tokio::select! {
            next = next => next,
            () = &mut looking => break,
            () = &mut end => break,
        };
        match (accepted, place) {
            (Ok((stream, peer)), Ok(place)) => {
                exporter.stats.connected();
                tokio::spawn(connection(stream, peer, Arc::clone(&exporter), graceful.watcher(), place));
            }
            // Too many open files, or a client that has gone already; the next may fare better.
            _ => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
    drop(listener);
    // What is not answered by then is not waited for.
    timeout(FAREWELL, graceful.shutdown()).await.ok();
}

async fn connection(
    stream: TcpStream,
    _peer: SocketAddr,
    exporter: Arc<Exporter>,
    watcher: Watcher,
    _place: OwnedSemaphorePermit,
) {
    // Only makes answers slower when it fails.
    stream.set_nodelay(true).ok();
    let tls = exporter.current().tls.clone();
    let talk = async {
        match tls {
            None => talk(stream, exporter, watcher).await,
            Some(tls) => {
                if let Ok(Ok(stream)) = timeout(CLIENT_TIME, tls.acceptor.accept(stream)).await {
                    talk(stream, exporter, watcher).await;
                }
            }
        }
    };
    timeout(CONNECTION_TIME, talk).await.ok();
}

async fn talk(stream: impl AsyncRead + AsyncWrite + Unpin + 'static, exporter: Arc<Exporter>, watcher: Watcher) {
    let service = service_fn(move |request| {
        let exporter = Arc::clone(&exporter);
        async move { Ok::<_, Infallible>(exporter.respond(request).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(CLIENT_TIME)
        .max_buf_size(MAX_HEAD)
        .serve_connection(TokioIo::new(stream), service);
    // A client that breaks off, or talks something else, is its own concern.
    watcher.watch(connection).await.ok();
}
