//! Filters that clients poll.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use alloy::{
    primitives::B256,
    rpc::types::{Filter, Log},
};

use crate::{
    chain::Chain,
    events::{Cursor, Event},
};

/// The most filters at once.
const MAX_FILTERS: usize = 1_024;

/// A filter that nobody asks for this long is forgotten.
const LIFETIME: Duration = Duration::from_secs(300);

/// What a filter is after.
#[derive(Clone, Debug)]
pub(crate) enum Wanted {
    /// Logs, those of dropped blocks marked as removed.
    Logs(Box<Filter>),
    /// The hashes of new blocks.
    Blocks,
    /// The hashes of transactions that enter the pool.
    Transactions,
}

/// What came since the last question.
pub(crate) enum Changes {
    Logs(Vec<Log>),
    Hashes(Vec<B256>),
}

/// All filters of all clients.
#[derive(Default)]
pub(crate) struct Filters {
    filters: HashMap<u64, Polled>,
    last_id: u64,
}

struct Polled {
    wanted: Wanted,
    cursor: Cursor,
    asked: Instant,
}

impl Filters {
    /// A new filter that sees what happens from now on; none if there are too many.
    pub(crate) fn add(&mut self, wanted: Wanted, chain: &Chain) -> Option<u64> {
        self.filters.retain(|_, filter| filter.asked.elapsed() < LIFETIME);
        if self.filters.len() >= MAX_FILTERS {
            return None;
        }
        self.last_id += 1;
        let polled = Polled { wanted, cursor: chain.events.end(), asked: Instant::now() };
        self.filters.insert(self.last_id, polled);
        Some(self.last_id)
    }

    /// False if there was none.
    pub(crate) fn remove(&mut self, id: u64) -> bool {
        self.filters.remove(&id).is_some()
    }

    /// What happened since the last question; none if the filter is unknown or too far behind.
    pub(crate) fn changes(&mut self, id: u64, chain: &Chain) -> Option<Changes> {
        let filter = self.filters.get_mut(&id)?;
        let Some(events) = chain.events.since(filter.cursor) else {
            self.filters.remove(&id);
            return None;
        };
        let changes = match &filter.wanted {
            Wanted::Logs(wanted) => {
                Changes::Logs(events.flat_map(|e| logs_in(e, wanted)).collect())
            }
            Wanted::Blocks => Changes::Hashes(events.filter_map(block_in).collect()),
            Wanted::Transactions => Changes::Hashes(events.filter_map(transaction_in).collect()),
        };
        filter.cursor = chain.events.end();
        filter.asked = Instant::now();
        Some(changes)
    }

    /// What logs a filter is after; none if it is unknown or after something else.
    pub(crate) fn log_filter(&self, id: u64) -> Option<Filter> {
        match &self.filters.get(&id)?.wanted {
            Wanted::Logs(filter) => Some(filter.as_ref().clone()),
            Wanted::Blocks | Wanted::Transactions => None,
        }
    }
}

/// The logs that an event brings or takes away.
pub(crate) fn logs_in(event: &Event, filter: &Filter) -> Vec<Log> {
    match event {
        Event::Added(block) => block.logs(filter, false),
        Event::Removed(block) => block.logs(filter, true),
        Event::Pending(_) => Vec::new(),
    }
}

fn block_in(event: &Event) -> Option<B256> {
    match event {
        Event::Added(block) => Some(block.hash()),
        Event::Removed(_) | Event::Pending(_) => None,
    }
}

fn transaction_in(event: &Event) -> Option<B256> {
    match event {
        Event::Pending(hash) => Some(*hash),
        Event::Added(_) | Event::Removed(_) => None,
    }
}
