//! What every handler can reach.

use super::problem::{Answer, Refusal};
use crate::handle::NodeHandle;
use axum::extract::FromRef;
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Streams, of events and of payments together, that are open at once.
const STREAMS: usize = 128;

/// What every handler can reach.
#[derive(Clone)]
pub(crate) struct Api {
    node: NodeHandle,
    streams: Arc<Semaphore>,
}

impl Api {
    pub(crate) fn new(node: NodeHandle) -> Self {
        Self { node, streams: Arc::new(Semaphore::new(STREAMS)) }
    }

    /// A place among the streams, given back when it is dropped.
    pub(crate) fn stream_permit(&self) -> Answer<OwnedSemaphorePermit> {
        let permit = Arc::clone(&self.streams).try_acquire_owned();
        permit.map_err(|_| Refusal::new("busy", format!("{STREAMS} streams are open already")))
    }
}

impl FromRef<Api> for NodeHandle {
    fn from_ref(api: &Api) -> Self {
        api.node.clone()
    }
}
