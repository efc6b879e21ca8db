//! The steady state of a session: frames out, frames in, each direction at its own pace.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use alloy_primitives::Address;
use bytes::Bytes;
use futures::{SinkExt as _, StreamExt as _};
use tokio::{
    sync::Semaphore,
    time::{Interval, MissedTickBehavior, interval, sleep},
};

use super::{Activity, Context};
use crate::{
    DisconnectReason, MAX_FRAME, NetEvent,
    budget::Budget,
    event::Delivery,
    frame::{FrameReader, FrameWriter, Frames, left_over, split},
    identity::unix_now,
    outbox::{OutboxReader, cost_of},
};

/// Frames taken from the queue at once.
const BATCH: usize = 256;

/// The least that a frame counts in its peer's share of the event queue.
const LEAST_SHARE: u32 = 512;

/// How often a session looks at the clock.
const TICK: Duration = Duration::from_secs(1);

/// How often the peer's statement is checked again, in ticks.
const STATEMENT_TICKS: u64 = 60;

/// Carries the frames of one session.
pub(super) struct Carrier<'a> {
    pub(super) context: &'a Context,
    pub(super) account: Address,
    pub(super) key: [u8; 32],
    pub(super) statement: Bytes,
    pub(super) activity: &'a Activity,
}

/// What the reader knows at each look at the clock.
struct Watch {
    tick: Interval,
    ticks: u64,
    friend: bool,
    /// Frames read so far, and at the last tick.
    read: u64,
    read_before: u64,
    /// Since when an unfinished frame has been lying there.
    unfinished: Option<Instant>,
}

/// Counts the ends that are the peer's doing.
pub(super) fn count(context: &Context, reason: DisconnectReason) {
    let counters = &context.counters;
    match reason {
        DisconnectReason::OversizedFrame => counters.oversized_frames.increment(),
        DisconnectReason::SlowFrame => counters.slow_frames.increment(),
        DisconnectReason::Idle | DisconnectReason::Evicted => {
            counters.strangers_dropped.increment();
        }
        DisconnectReason::StatementExpired => counters.wrong_statements.increment(),
        DisconnectReason::DroppedByUs => counters.dropped_by_us.increment(),
        DisconnectReason::ClosedByPeer
        | DisconnectReason::ConnectionLost
        | DisconnectReason::Replaced => {}
    }
}

impl Carrier<'_> {
    /// Runs until either direction ends. One task does both, so a quiet session costs one.
    pub(super) async fn carry(self, frames: Frames, outbox: OutboxReader) -> DisconnectReason {
        let (stream, sink) = split(frames);
        tokio::select! {
            reason = self.write(sink, outbox) => reason,
            reason = self.read(stream) => reason,
        }
    }

    async fn write(&self, mut sink: FrameWriter, mut outbox: OutboxReader) -> DisconnectReason {
        let mut batch = Vec::with_capacity(BATCH);
        while outbox.recv_many(&mut batch, BATCH).await > 0 {
            for frame in batch.drain(..) {
                outbox.release(&frame);
                self.context.counters.frames_sent.increment();
                self.context.counters.bytes_sent.add(frame.len());
                if sink.feed(frame).await.is_err() {
                    return DisconnectReason::ConnectionLost;
                }
            }
            if outbox.is_empty() && sink.flush().await.is_err() {
                return DisconnectReason::ConnectionLost;
            }
            self.activity.touch(self.context.started);
        }
        // The directory let go of the queue: another session has the account's link.
        DisconnectReason::Replaced
    }

    async fn read(&self, mut stream: FrameReader) -> DisconnectReason {
        let limits = &self.context.config.limits;
        let burst = limits.stranger_burst.max(cost_of(MAX_FRAME));
        let mut budget = Budget::new(limits.stranger_bytes_per_second, burst, Instant::now());
        let share = limits.event_share.max(cost_of(MAX_FRAME));
        let share =
            Arc::new(Semaphore::new(usize::try_from(share).unwrap_or(Semaphore::MAX_PERMITS)));
        let mut watch = Watch::new(self.is_friend());
        loop {
            let frame = match left_over(&mut stream) {
                Some(frame) => Some(frame),
                None => tokio::select! {
                    // The clock first: who always has something to say must not stop it.
                    biased;
                    _ = watch.tick.tick() => {
                        if let Some(reason) = self.look(&mut watch, &stream) {
                            return reason;
                        }
                        continue;
                    }
                    frame = stream.next() => frame,
                },
            };
            let frame = match frame {
                Some(Ok(frame)) => frame,
                Some(Err(error)) if error.kind() == std::io::ErrorKind::InvalidData => {
                    return DisconnectReason::OversizedFrame;
                }
                Some(Err(_)) => return DisconnectReason::ConnectionLost,
                None => return DisconnectReason::ClosedByPeer,
            };
            watch.read = watch.read.wrapping_add(1);
            if !watch.friend {
                let wait = budget.take(cost_of(frame.len()), Instant::now());
                if !wait.is_zero() {
                    sleep(wait).await;
                }
            }
            if !self.deliver(frame, &share).await {
                return DisconnectReason::DroppedByUs;
            }
        }
    }

    /// Waits for room in the queue, and meanwhile does not read; false when nobody listens any
    /// more.
    async fn deliver(&self, frame: Bytes, share: &Arc<Semaphore>) -> bool {
        self.context.counters.frames_received.increment();
        self.context.counters.bytes_received.add(frame.len());
        let cost = cost_of(frame.len()).max(LEAST_SHARE);
        let share = Arc::clone(share).acquire_many_owned(cost).await.ok();
        let event = NetEvent::Frame { account: self.account, bytes: frame };
        self.context.events.send(Delivery { event, share }).await.is_ok()
    }

    fn is_friend(&self) -> bool {
        self.context.directory.read().is_friend(&self.account)
    }

    /// Once a second, between two frames.
    fn look(&self, watch: &mut Watch, stream: &FrameReader) -> Option<DisconnectReason> {
        let timing = &self.context.config.timing;
        watch.ticks = watch.ticks.wrapping_add(1);
        watch.friend = self.is_friend();
        if watch.read != watch.read_before {
            watch.read_before = watch.read;
            watch.unfinished = None;
            self.activity.touch(self.context.started);
        }
        if stream.read_buffer().is_empty() {
            watch.unfinished = None;
        } else if watch.unfinished.get_or_insert_with(Instant::now).elapsed() > timing.frame {
            return Some(DisconnectReason::SlowFrame);
        }
        if watch.ticks.is_multiple_of(STATEMENT_TICKS)
            && (self.context.verify)(&self.statement, &self.key, unix_now()) != Some(self.account)
        {
            return Some(DisconnectReason::StatementExpired);
        }
        let idle = self.activity.idle(self.context.started);
        (!watch.friend && idle > timing.stranger_idle).then_some(DisconnectReason::Idle)
    }
}

impl Watch {
    fn new(friend: bool) -> Self {
        let mut tick = interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self { tick, ticks: 0, friend, read: 0, read_before: 0, unfinished: None }
    }
}
