//! Connections: so many at once, each with little time for its headers, until the node stops.

use axum::Router;
use axum::extract::ConnectInfo;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

/// How long requests may take to end when the node stops.
const GRACE: Duration = Duration::from_secs(2);
/// After a refusal of the system, which has no descriptors left as a rule.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// What connections may take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    /// At once; further ones wait until one ends.
    pub(crate) connections: usize,
    /// From the connecting, or the end of the request before, until the headers are there.
    // A client that sends one byte a minute would hold its place for ever (Slowloris).
    pub(crate) headers: Duration,
}

/// Serves until the node stops; requests under way get a moment to end. Each carries the caller's
/// address as [`ConnectInfo`].
pub(crate) async fn serve(
    listener: TcpListener,
    router: Router,
    bounds: Bounds,
    stop: CancellationToken,
) {
    let places = Arc::new(Semaphore::new(bounds.connections));
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = accept(&listener, &places) => accepted,
            Some(_) = connections.join_next() => continue,
            () = stop.cancelled() => break,
        };
        match accepted {
            Ok((stream, peer, place)) => {
                let (router, stop) = (router.clone(), stop.clone());
                connections.spawn(async move {
                    converse(stream, peer, router, bounds.headers, stop).await;
                    drop(place);
                });
            }
            Err(error) => {
                warn!(%error, "a connection could not be taken");
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    drop(listener);
    // Whatever is not over then is cut off.
    let _ = timeout(GRACE, async { while connections.join_next().await.is_some() {} }).await;
}

async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> io::Result<(TcpStream, SocketAddr, tokio::sync::OwnedSemaphorePermit)> {
    let place = Arc::clone(places).acquire_owned().await.map_err(io::Error::other)?;
    let (stream, peer) = listener.accept().await?;
    Ok((stream, peer, place))
}

async fn converse(
    stream: TcpStream,
    peer: SocketAddr,
    router: Router,
    headers: Duration,
    stop: CancellationToken,
) {
    // Answers are small: waiting to fill a packet would only delay them.
    if let Err(cause) = stream.set_nodelay(true) {
        warn!(%cause, "a connection may be slow");
    }
    let inner = TowerToHyperService::new(router);
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(ConnectInfo(peer));
        inner.call(request)
    });
    let connection = builder(headers).serve_connection(TokioIo::new(stream), service);
    let mut connection = pin!(connection.with_upgrades());
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        debug!(%error, %peer, "a connection broke off");
    }
}

fn builder(headers: Duration) -> http1::Builder {
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(headers);
    builder
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::routing::get;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    const QUICK: Bounds = Bounds { connections: 1, headers: Duration::from_millis(200) };

    async fn begin(bounds: Bounds) -> (SocketAddr, CancellationToken) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new().route(
            "/",
            get(|ConnectInfo(peer): ConnectInfo<SocketAddr>| async move { peer.to_string() }),
        );
        let stop = CancellationToken::new();
        tokio::spawn(serve(listener, router, bounds, stop.clone()));
        (address, stop)
    }

    async fn ask(address: SocketAddr, words: &str) -> String {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(words.as_bytes()).await.unwrap();
        let mut answer = String::new();
        let reading = stream.read_to_string(&mut answer);
        timeout(Duration::from_secs(20), reading).await.unwrap().unwrap();
        answer
    }

    #[tokio::test]
    async fn a_caller_that_never_ends_its_headers_loses_its_place() {
        let (address, stop) = begin(QUICK).await;
        let slow = ask(address, "GET / HTTP/1.1\r\nhost: a\r\n");
        let next = ask(address, "GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n");
        let (slow, next) = tokio::join!(slow, next);
        assert!(!slow.contains("200 OK"), "{slow}");
        assert!(next.contains("200 OK") && next.contains("127.0.0.1:"), "{next}");
        stop.cancel();
    }

    #[tokio::test]
    async fn a_connection_that_is_silent_after_an_answer_is_ended() {
        let (address, stop) = begin(QUICK).await;
        let answer = ask(address, "GET / HTTP/1.1\r\nhost: a\r\n\r\n").await;
        assert!(answer.contains("200 OK"), "{answer}");
        stop.cancel();
    }
}
