//! Whether the newest block is too old to be the newest.

use crate::endpoint::Head;
use alloy::primitives::B256;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::time::Instant;

/// Watches the age of the newest block: an endpoint, or a proxy before it, that repeats its last
/// answers looks healthy otherwise, and hides a close for as long as it likes.
pub(super) struct HeadAge {
    limit: Option<Duration>,
    newest: Option<Newest>,
}

struct Newest {
    number: u64,
    hash: B256,
    time: u64,
    since: Instant,
}

impl HeadAge {
    pub(super) const fn new(limit: Option<Duration>) -> Self {
        Self { limit, newest: None }
    }

    pub(super) fn note(&mut self, head: &Head) {
        if self.newest.as_ref().is_none_or(|newest| newest.hash != head.hash) {
            let (number, hash, time) = (head.number.0, head.hash, head.time.0);
            self.newest = Some(Newest { number, hash, time, since: Instant::now() });
        }
    }

    /// What is wrong with the newest block, if anything is.
    pub(super) fn complaint(&self, url: &str) -> Option<String> {
        let (limit, newest) = (self.limit?.as_secs(), self.newest.as_ref()?);
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let age = now.saturating_sub(newest.time).max(newest.since.elapsed().as_secs());
        (age > limit).then(|| {
            format!(
                "{url} stands still: its newest block {} is {age} s old, more than {limit} s; \
                 check that endpoint, and this computer's clock",
                newest.number
            )
        })
    }
}
