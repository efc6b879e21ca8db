//! Counters of what was carried and of what was refused.

use std::sync::atomic::{AtomicU64, Ordering};

macro_rules! counters {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {
        /// Totals since the start.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct Stats {
            $($(#[$doc])* pub $name: u64,)*
        }

        #[derive(Debug, Default)]
        pub(crate) struct Counters {
            $(pub(crate) $name: Counter,)*
        }

        impl Counters {
            pub(crate) fn snapshot(&self) -> Stats {
                Stats { $($name: self.$name.0.load(Ordering::Relaxed),)* }
            }
        }
    };
}

counters! {
    /// Frames handed to the node.
    frames_received,
    /// Bytes of those frames.
    bytes_received,
    /// Frames written to a stream.
    frames_sent,
    /// Bytes of those frames.
    bytes_sent,
    /// Sessions that both sides accepted.
    sessions,
    /// Incoming connections refused before the handshake: too many pending, or too many from one IP
    /// address.
    refused_before_handshake,
    /// Connections refused because their transport key has too many already.
    refused_per_peer,
    /// Connections dropped without having proven an account: too slow, or crowded out.
    unproven_dropped,
    /// Statements that did not verify.
    wrong_statements,
    /// Peers that turned out to be another account than the one dialled.
    wrong_accounts,
    /// Handshakes broken off or malformed in another way.
    broken_handshakes,
    /// Connections given up since the other one of a pair survives.
    duplicates,
    /// Strangers refused because their room was full.
    strangers_refused,
    /// Idle strangers dropped.
    strangers_dropped,
    /// Announced lengths above the limit.
    oversized_frames,
    /// Frames begun and not finished in time.
    slow_frames,
    /// Further streams on a connection that has its one.
    surplus_streams,
    /// Peers that the node had dropped for what they sent.
    dropped_by_us,
}

#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn increment(&self) {
        self.add(1);
    }

    pub(crate) fn add(&self, count: usize) {
        self.0.fetch_add(u64::try_from(count).unwrap_or(u64::MAX), Ordering::Relaxed);
    }
}
