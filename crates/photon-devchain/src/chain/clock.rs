//! The time of the chain: the wall clock, moved.

use std::time::{SystemTime, UNIX_EPOCH};

/// Seconds since 1970, with what tests have added.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Clock {
    offset: i64,
    /// The timestamp that the next block has to have.
    next: Option<u64>,
}

impl Clock {
    /// The timestamp of a block made now after one with the given timestamp.
    pub(crate) fn after(self, parent: u64) -> u64 {
        self.next.unwrap_or_else(|| self.now().max(parent + 1))
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

    /// Sets the timestamp of the next block; time goes on from there.
    pub(crate) fn set_next(&mut self, timestamp: u64) {
        self.next = Some(timestamp);
    }

    /// Notes that a block with this timestamp was made.
    pub(crate) fn block_made(&mut self, timestamp: u64) {
        if self.next.take().is_some() {
            let offset = i128::from(timestamp) - i128::from(wall_clock());
            self.offset = i64::try_from(offset).unwrap_or(i64::MAX);
        }
    }
}

fn wall_clock() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
