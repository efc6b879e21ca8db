//! The time of the chain: the wall clock, moved.

use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

/// Seconds since 1970, with what tests have added.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Clock {
    offset: i64,
    /// The timestamp that the next block has to have.
    next: Option<u64>,
    /// How many seconds blocks are apart, whatever the wall clock says.
    interval: Option<u64>,
}

impl Clock {
    /// The timestamp of a block made now after one with the given timestamp.
    pub(crate) fn after(self, parent: u64) -> u64 {
        let apart = || self.interval.map(|seconds| parent.saturating_add(seconds.max(1)));
        self.next.or_else(apart).unwrap_or_else(|| self.now().max(parent + 1))
    }

    /// The time now, without regard to any block.
    pub(crate) fn now(self) -> u64 {
        wall_clock().saturating_add_signed(self.offset)
    }

    /// Moves the clock forward; answers by how much it is ahead in all.
    pub(crate) fn advance(&mut self, seconds: u64) -> i64 {
        self.offset = self.offset.saturating_add_unsigned(seconds);
        self.offset
    }

    /// Sets what time it is; answers by how much the clock is ahead of the wall's.
    pub(crate) fn set_now(&mut self, timestamp: u64) -> i64 {
        self.offset = ahead_of_wall(timestamp);
        self.offset
    }

    /// Puts blocks this many seconds apart; true if they were so before.
    pub(crate) fn set_interval(&mut self, seconds: Option<u64>) -> bool {
        std::mem::replace(&mut self.interval, seconds).is_some()
    }

    /// Sets the timestamp of the next block; time goes on from there.
    pub(crate) fn set_next(&mut self, timestamp: u64) {
        self.next = Some(timestamp);
    }

    /// Notes that a block with this timestamp was made.
    pub(crate) fn block_made(&mut self, timestamp: u64) {
        if self.next.take().is_some() {
            self.offset = ahead_of_wall(timestamp);
        }
    }
}

fn ahead_of_wall(timestamp: u64) -> i64 {
    let ahead = i128::from(timestamp) - i128::from(wall_clock());
    i64::try_from(ahead).unwrap_or(i64::MAX)
}

fn wall_clock() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
