//! Notices for whoever watches: the past from the store, the present as it happens, none twice
//! and none left out.

use crate::handle::{Numbered, RequestError};
use photon_core::Notice;
use photon_engine::History;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;

/// Notices that a reader may lag behind before it reads them from the store.
const LIVE: usize = 4_096;
/// Notices that are read from the store at once.
const PAGE: usize = 256;

/// Where to begin.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum EventsFrom {
    /// With what happens next.
    Now,
    /// With the first notice that there ever was.
    Start,
    /// After the one with this number.
    After(u64),
}

/// Where the pump puts notices.
pub(crate) struct Events {
    live: broadcast::Sender<Numbered>,
    /// One more than the number of the latest.
    end: AtomicU64,
    stop: CancellationToken,
}

impl Events {
    /// `latest` is the number of the last notice of an earlier life.
    pub(crate) fn new(latest: Option<u64>, stop: CancellationToken) -> Self {
        let end = AtomicU64::new(latest.map_or(0, |latest| latest.saturating_add(1)));
        Self { live: broadcast::Sender::new(LIVE), end, stop }
    }

    /// Tells everybody who watches; the notice is durable.
    pub(crate) fn publish(&self, number: u64, notice: Notice) {
        self.end.store(number.saturating_add(1), Ordering::Release);
        // Nobody may be watching.
        let _ = self.live.send((number, notice));
    }

    /// What happens from now on.
    pub(crate) fn live(&self) -> broadcast::Receiver<Numbered> {
        self.live.subscribe()
    }

    pub(crate) fn stream(&self, from: EventsFrom, history: History) -> EventStream {
        let live = self.live.subscribe();
        let after = match from {
            EventsFrom::Now => self.end.load(Ordering::Acquire).checked_sub(1),
            EventsFrom::Start => None,
            EventsFrom::After(number) => Some(number),
        };
        EventStream {
            live,
            history,
            page: VecDeque::new(),
            catching_up: from != EventsFrom::Now,
            after,
            stop: self.stop.clone(),
        }
    }
}

/// Notices in the order of their numbers, from a cursor on.
pub struct EventStream {
    live: broadcast::Receiver<Numbered>,
    history: History,
    page: VecDeque<Numbered>,
    /// The number of the last one given; none before the first that there ever was.
    after: Option<u64>,
    catching_up: bool,
    stop: CancellationToken,
}

impl EventStream {
    /// The next notice and its number, which is the cursor to go on from; none once the node
    /// stops. Cancel safe.
    ///
    /// # Errors
    /// The past cannot be read; the stream can be asked again.
    pub async fn next(&mut self) -> Option<Result<Numbered, RequestError>> {
        loop {
            if let Some((number, notice)) = self.page.pop_front() {
                self.after = Some(number);
                return Some(Ok((number, notice)));
            }
            if self.catching_up {
                match self.read() {
                    Ok(page) if page.is_empty() => self.catching_up = false,
                    Ok(page) => self.page = page.into(),
                    Err(error) => return Some(Err(error)),
                }
                continue;
            }
            let received = tokio::select! {
                biased;
                received = self.live.recv() => received,
                () = self.stop.cancelled() => return None,
            };
            match received {
                Ok((number, _)) if self.after.is_some_and(|after| number <= after) => {}
                Ok((number, notice)) => {
                    self.after = Some(number);
                    return Some(Ok((number, notice)));
                }
                Err(RecvError::Lagged(_)) => self.catching_up = true,
                Err(RecvError::Closed) => return None,
            }
        }
    }

    /// What the store has after the cursor.
    fn read(&self) -> Result<Vec<Numbered>, RequestError> {
        let read = match self.after {
            Some(after) => self.history.notices_after(after, PAGE),
            None => self.history.notices(Some(1), 1).and_then(|first| {
                let mut page = first.rows;
                page.extend(self.history.notices_after(0, PAGE)?);
                Ok(page)
            }),
        };
        read.map_err(|fault| RequestError::Store(fault.to_string()))
    }
}
