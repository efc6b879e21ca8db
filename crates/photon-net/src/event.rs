//! What the node hears from the network.

use alloy_primitives::Address;
use bytes::Bytes;
use tokio::sync::{OwnedSemaphorePermit, mpsc};

/// Something that happened with a peer. For one account the order is always
/// `Connected`, any number of `Frame`, `Disconnected`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NetEvent {
    /// Both sides have proven their accounts; frames may be sent.
    Connected {
        /// Who.
        account: Address,
    },
    /// The session is over; what was queued or under way may be lost.
    Disconnected {
        /// Who.
        account: Address,
        /// Why.
        reason: DisconnectReason,
    },
    /// One frame, exactly as the peer handed it over.
    Frame {
        /// From whom.
        account: Address,
        /// A slice of the receive buffer: copy what is kept for long.
        bytes: Bytes,
    },
}

/// Why a session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DisconnectReason {
    /// The peer closed its stream.
    ClosedByPeer,
    /// The connection broke, or the peer stopped answering pings.
    ConnectionLost,
    /// A newer session of the same account, or the one that both sides prefer, took its place.
    Replaced,
    /// The peer announced a frame above [`MAX_FRAME`](crate::MAX_FRAME).
    OversizedFrame,
    /// The peer began a frame and did not finish it in time.
    SlowFrame,
    /// A stranger without any traffic.
    Idle,
    /// An idle stranger had to make room for another one.
    Evicted,
    /// The peer's statement is no longer valid.
    StatementExpired,
    /// [`Net::drop_peer`](crate::Net::drop_peer) or
    /// [`Net::remove_peer`](crate::Net::remove_peer) was called.
    DroppedByUs,
}

/// The node's end of the event queue. Taking an event makes room for its sender.
#[derive(Debug)]
pub struct Events {
    receiver: mpsc::Receiver<Delivery>,
    batch: Vec<Delivery>,
}

/// An event with the part of its peer's share that it occupies until it is taken.
#[derive(Debug)]
pub(crate) struct Delivery {
    pub(crate) event: NetEvent,
    pub(crate) share: Option<OwnedSemaphorePermit>,
}

impl Events {
    pub(crate) fn new(receiver: mpsc::Receiver<Delivery>) -> Self {
        Self { receiver, batch: Vec::new() }
    }

    /// The next event; none after the network has shut down. Cancel safe.
    pub async fn recv(&mut self) -> Option<NetEvent> {
        self.receiver.recv().await.map(Delivery::take)
    }

    /// The next event if one is waiting.
    pub fn try_recv(&mut self) -> Option<NetEvent> {
        self.receiver.try_recv().ok().map(Delivery::take)
    }

    /// Waits for at least one event and appends up to `limit`; returns how many, 0 after the
    /// network has shut down. Cancel safe.
    pub async fn recv_many(&mut self, events: &mut Vec<NetEvent>, limit: usize) -> usize {
        let count = self.receiver.recv_many(&mut self.batch, limit).await;
        events.extend(self.batch.drain(..).map(Delivery::take));
        count
    }
}

impl Delivery {
    fn take(self) -> NetEvent {
        drop(self.share);
        self.event
    }
}
