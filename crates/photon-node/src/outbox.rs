//! What leaves the node, once it is durable.

use crate::handle::Totals;
use crate::session::add;
use crate::shared::Shared;
use bytes::Bytes;
use photon_core::view::NoticeKind;
use photon_core::{Intent, Notice};
use photon_engine::Action;
use photon_net::{Net, SendError};
use photon_wire::Address;
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use tokio::sync::mpsc;
use tracing::{debug, info, warn};

/// Frames that may wait for one peer beside those that the network holds.
const BACKLOG_FRAMES: usize = 8_192;
/// Bytes of those frames.
const BACKLOG_BYTES: usize = 16 * 1024 * 1024;

/// Frames that found a peer's queue full.
#[derive(Default)]
struct Backlog {
    frames: VecDeque<Bytes>,
    bytes: usize,
}

/// Runs the actions of an outbox. Nothing here waits: the pump must not.
pub(crate) struct Outside {
    net: Net,
    shared: Arc<Shared>,
    intents: mpsc::UnboundedSender<Intent>,
    backlogs: HashMap<Address, Backlog>,
}

impl Outside {
    /// `intents` is read by whoever has them mined; the core never wants more than a few for
    /// each channel.
    pub(crate) fn new(
        net: Net,
        shared: Arc<Shared>,
        intents: mpsc::UnboundedSender<Intent>,
    ) -> Self {
        Self { net, shared, intents, backlogs: HashMap::new() }
    }

    /// Runs one action.
    pub(crate) fn run(&mut self, action: Action) {
        match action {
            Action::Send { to, frames } => {
                frames.into_iter().for_each(|frame| self.send(to, frame.into()));
            }
            Action::Submit(intent) => {
                self.shared.transactions.begin(&intent);
                if self.intents.send(*intent).is_err() {
                    debug!("the sender of transactions has stopped");
                }
            }
            Action::Notify { number, notice } => self.notify(number, notice),
        }
    }

    fn send(&mut self, to: Address, frame: Bytes) {
        if self.backlogs.contains_key(&to) {
            self.wait(to, frame);
            return;
        }
        match self.net.send(to, frame.clone()) {
            Ok(()) => add(&self.shared.totals.frames_sent),
            Err(SendError::Full) => self.wait(to, frame),
            // The core sends what is missing again after the next hello.
            Err(SendError::NotConnected) => {}
            Err(error @ SendError::TooLarge { .. }) => {
                warn!(peer = %to, %error, "a frame could not be sent");
            }
        }
    }

    /// Keeps a frame until the peer has taken earlier ones.
    fn wait(&mut self, to: Address, frame: Bytes) {
        let backlog = self.backlogs.entry(to).or_default();
        let bytes = backlog.bytes.saturating_add(frame.len());
        if backlog.frames.len() >= BACKLOG_FRAMES || bytes > BACKLOG_BYTES {
            warn!(peer = %to, "the peer does not take its frames; its session is dropped");
            add(&self.shared.totals.backlogs_dropped);
            self.backlogs.remove(&to);
            self.net.drop_peer(to);
            return;
        }
        backlog.bytes = bytes;
        backlog.frames.push_back(frame);
    }

    /// Whether frames wait.
    pub(crate) fn has_backlog(&self) -> bool {
        !self.backlogs.is_empty()
    }

    /// Offers the waiting frames again.
    pub(crate) fn flush(&mut self) {
        let Self { net, backlogs, shared, .. } = self;
        backlogs.retain(|to, backlog| flush(net, *to, backlog, &shared.totals));
    }

    /// The peer's session is over: what waits for it is worth nothing.
    pub(crate) fn forget(&mut self, account: Address) {
        self.backlogs.remove(&account);
    }

    fn notify(&self, number: u64, notice: Notice) {
        let totals = &self.shared.totals;
        match &notice.kind {
            NoticeKind::PaymentSent { payment, .. } => {
                add(&totals.payments_sent);
                self.shared.payments.over(*payment);
            }
            NoticeKind::PaymentFailed { payment, failure } => {
                add(&totals.payments_failed);
                debug!(%payment, ?failure, "payment failed");
                self.shared.payments.over(*payment);
            }
            NoticeKind::PaymentReceived { .. } => add(&totals.payments_received),
            NoticeKind::PaymentMediated { .. } => add(&totals.payments_mediated),
            NoticeKind::DirectionStopped { channel, partner, rule } => {
                let code = photon_core::Rejection::code_of(*rule).unwrap_or("unknown");
                warn!(%channel, peer = %partner, rule, code, "partner broke a rule");
            }
            NoticeKind::UpdateRefused { channel, nonce, rule } => {
                warn!(%channel, %nonce, rule, "the partner refused an update of ours");
            }
            NoticeKind::ChannelClosed { channel, closer, update_until } => {
                info!(%channel, %closer, %update_until, "channel closed");
            }
            NoticeKind::ChannelOpened { channel, partner, .. } => {
                info!(%channel, peer = %partner, "channel opened");
            }
            NoticeKind::ChannelSettled { channel, ours, theirs, .. } => {
                info!(%channel, %ours, %theirs, "channel settled");
            }
            NoticeKind::TransactionFailed { purpose } => {
                warn!(kind = crate::handle::kind_of(purpose), "a transaction failed");
            }
            NoticeKind::ChannelDoubted { channel } => {
                warn!(%channel, "the chain took back what it had told of this channel");
            }
            NoticeKind::ChannelTrusted { channel } => {
                info!(%channel, "the chain has told of this channel again");
            }
            NoticeKind::WithdrawFailed { channel, rule } => {
                let code = photon_core::Rejection::code_of(*rule).unwrap_or("unknown");
                warn!(%channel, code, "a withdrawal did not happen");
            }
            NoticeKind::CooperativeSettleFailed { channel, rule } => {
                let code = photon_core::Rejection::code_of(*rule).unwrap_or("unknown");
                warn!(%channel, code, "the channel was not settled together; it goes on");
            }
            NoticeKind::Punished { channel, payer, amount } => {
                warn!(%channel, %payer, %amount, "a claim of a disposed lock was punished");
            }
            NoticeKind::Deposited { .. }
            | NoticeKind::Withdrawn { .. }
            | NoticeKind::PaymentHeld { .. }
            | NoticeKind::BalanceUpdated { .. }
            | NoticeKind::Unlocked { .. }
            | NoticeKind::SecretsRegistered { .. } => {}
        }
        self.shared.events.publish(number, notice);
    }
}

/// Offers one peer's frames; false once none is left.
fn flush(net: &Net, to: Address, backlog: &mut Backlog, totals: &Totals) -> bool {
    while let Some(frame) = backlog.frames.front() {
        match net.send(to, frame.clone()) {
            Ok(()) => {
                add(&totals.frames_sent);
                backlog.bytes = backlog.bytes.saturating_sub(frame.len());
                backlog.frames.pop_front();
            }
            Err(SendError::Full) => return true,
            Err(SendError::NotConnected | SendError::TooLarge { .. }) => return false,
        }
    }
    false
}
