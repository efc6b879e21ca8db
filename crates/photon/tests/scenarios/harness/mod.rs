//! Chains and nodes as processes, and what tests ask of them.

pub(crate) mod api;
pub(crate) mod chain;
mod node;
mod process;
mod town;

pub(crate) use api::Api;
pub(crate) use chain::{Chain, ChainKind};
pub(crate) use node::Node;
pub(crate) use process::Process;
pub(crate) use town::{Town, View};

use std::time::{Duration, Instant};

/// How long anything may take before a test fails.
pub(crate) const PATIENCE: Duration = Duration::from_secs(40);

/// How long to wait before asking again.
const PAUSE: Duration = Duration::from_millis(20);

/// Asks again and again until there is an answer.
pub(crate) async fn eventually<T>(what: &str, question: impl AsyncFnMut() -> Option<T>) -> T {
    eventually_within(PATIENCE, what, question).await
}

/// The same with another patience.
pub(crate) async fn eventually_within<T>(
    patience: Duration,
    what: &str,
    mut question: impl AsyncFnMut() -> Option<T>,
) -> T {
    let begin = Instant::now();
    loop {
        if let Some(answer) = question().await {
            return answer;
        }
        assert!(begin.elapsed() < patience, "not within {} s: {what}", patience.as_secs());
        tokio::time::sleep(PAUSE).await;
    }
}

/// A free port, below those that the system gives to outgoing connections: so it stays free until
/// the process that it is for listens on it.
pub(crate) fn free_port() -> u16 {
    use std::sync::atomic::{AtomicU16, Ordering};
    static NEXT: AtomicU16 = AtomicU16::new(0);
    // Tests run in processes of their own, each with a range of its own.
    let of_process = u16::try_from(std::process::id() % 600).unwrap() * 32;
    loop {
        let port = 10_000 + of_process + NEXT.fetch_add(1, Ordering::Relaxed);
        if std::net::TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}
