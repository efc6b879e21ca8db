//! The bounded queue of frames that wait to be written to one peer.

use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::{Semaphore, TryAcquireError, mpsc};

use crate::{
    SendError,
    config::Limits,
    frame::{MAX_FRAME, PREFIX},
};

/// The senders' end; clones share the queue.
#[derive(Clone, Debug)]
pub(crate) struct Outbox {
    frames: mpsc::Sender<Bytes>,
    room: Arc<Semaphore>,
}

/// The writer's end. Senders fail once it is dropped.
#[derive(Debug)]
pub(crate) struct OutboxReader {
    frames: mpsc::Receiver<Bytes>,
    room: Arc<Semaphore>,
}

/// An empty queue.
pub(crate) fn outbox(limits: &Limits) -> (Outbox, OutboxReader) {
    let (sender, receiver) = mpsc::channel(limits.outgoing_frames.max(1));
    let bytes = limits.outgoing_bytes.max(cost_of(MAX_FRAME));
    let room = Arc::new(Semaphore::new(usize::try_from(bytes).unwrap_or(Semaphore::MAX_PERMITS)));
    let reader = OutboxReader { frames: receiver, room: Arc::clone(&room) };
    (Outbox { frames: sender, room }, reader)
}

/// Bytes that a frame of this length occupies on the stream. `length` is at most [`MAX_FRAME`].
pub(crate) fn cost_of(length: usize) -> u32 {
    u32::try_from(length.saturating_add(PREFIX)).unwrap_or(u32::MAX)
}

impl Outbox {
    pub(crate) fn try_send(&self, frame: Bytes) -> Result<(), SendError> {
        let cost = checked_cost(&frame)?;
        let room = self.room.try_acquire_many(cost).map_err(|error| match error {
            TryAcquireError::NoPermits => SendError::Full,
            TryAcquireError::Closed => SendError::NotConnected,
        })?;
        self.frames.try_send(frame).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => SendError::Full,
            mpsc::error::TrySendError::Closed(_) => SendError::NotConnected,
        })?;
        room.forget();
        Ok(())
    }

    pub(crate) async fn send(&self, frame: Bytes) -> Result<(), SendError> {
        let cost = checked_cost(&frame)?;
        let room = self.room.acquire_many(cost).await.map_err(|_closed| SendError::NotConnected)?;
        self.frames.send(frame).await.map_err(|_closed| SendError::NotConnected)?;
        room.forget();
        Ok(())
    }
}

fn checked_cost(frame: &Bytes) -> Result<u32, SendError> {
    if frame.len() > MAX_FRAME {
        return Err(SendError::TooLarge { length: frame.len() });
    }
    Ok(cost_of(frame.len()))
}

impl OutboxReader {
    /// Waits for frames and appends up to `limit`; 0 when no sender is left.
    pub(crate) async fn recv_many(&mut self, batch: &mut Vec<Bytes>, limit: usize) -> usize {
        self.frames.recv_many(batch, limit).await
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.frames.is_empty()
    }

    /// The frame is in the write buffer: its room is free again.
    pub(crate) fn release(&self, frame: &Bytes) {
        self.room.add_permits(frame.len().saturating_add(PREFIX));
    }
}

impl Drop for OutboxReader {
    fn drop(&mut self) {
        self.room.close();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn it_is_bounded_in_bytes_and_in_frames_and_takes_again_what_was_released() {
        let limits = Limits {
            outgoing_frames: 3,
            outgoing_bytes: cost_of(MAX_FRAME) + cost_of(1),
            ..Limits::default()
        };
        let (outbox, mut reader) = outbox(&limits);
        let large = Bytes::from(vec![0; MAX_FRAME]);
        outbox.try_send(large.clone()).expect("room for one largest frame");
        assert_eq!(outbox.try_send(large.clone()), Err(SendError::Full));
        let mut batch = Vec::new();
        reader.recv_many(&mut batch, 10).await;
        reader.release(&batch[0]);
        for _ in 0..3 {
            outbox.try_send(Bytes::new()).expect("room for three frames");
        }
        assert_eq!(outbox.try_send(Bytes::new()), Err(SendError::Full));
        let oversized = Bytes::from(vec![0; MAX_FRAME + 1]);
        assert!(matches!(outbox.try_send(oversized), Err(SendError::TooLarge { .. })));
        drop(reader);
        assert_eq!(outbox.try_send(Bytes::new()), Err(SendError::NotConnected));
    }
}
