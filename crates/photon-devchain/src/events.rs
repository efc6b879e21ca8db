//! What happened on the chain lately, for filters and subscriptions to read at their own pace.

use std::{collections::VecDeque, sync::Arc};

use alloy::primitives::B256;
use tokio::sync::watch;

use crate::block::Block;

/// How many events are kept for slow readers.
const MAX_EVENTS: usize = 16_384;

/// Something that a client may be waiting for.
#[derive(Clone, Debug)]
pub(crate) enum Event {
    /// A block became the head.
    Added(Arc<Block>),
    /// A block is no longer part of the chain; the newest is reported first.
    Removed(Arc<Block>),
    /// A transaction entered the pool.
    Pending(B256),
}

/// A place in the sequence of events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Cursor(u64);

/// The last events, and a bell that rings at each new one.
pub(crate) struct EventLog {
    events: VecDeque<Event>,
    /// The cursor of the oldest event kept.
    first: u64,
    bell: watch::Sender<Cursor>,
}

impl EventLog {
    pub(crate) fn new() -> Self {
        Self { events: VecDeque::new(), first: 0, bell: watch::Sender::new(Cursor(0)) }
    }

    pub(crate) fn push(&mut self, event: Event) {
        if self.events.len() == MAX_EVENTS {
            self.events.pop_front();
            self.first += 1;
        }
        self.events.push_back(event);
        self.bell.send_replace(self.end());
    }

    /// The place after the newest event.
    pub(crate) fn end(&self) -> Cursor {
        Cursor(self.first + self.events.len() as u64)
    }

    /// All events from a place on; none if the oldest of them are already forgotten.
    pub(crate) fn since(&self, cursor: Cursor) -> Option<impl Iterator<Item = &Event>> {
        let skip = usize::try_from(cursor.0.checked_sub(self.first)?).ok()?;
        Some(self.events.iter().skip(skip))
    }

    /// Rings whenever something was pushed.
    pub(crate) fn bell(&self) -> watch::Receiver<Cursor> {
        self.bell.subscribe()
    }
}
