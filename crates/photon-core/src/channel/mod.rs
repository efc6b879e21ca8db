//! A channel of ours: two ends, and what the chain and the partner have said about it.

mod dispute;
mod end;
mod sound;
mod update;

pub mod settlement;

pub use end::End;
pub(crate) use end::check_amount;
pub(crate) use update::Accepted;

use crate::record::{ChannelRecord, DisputeRecord, LockKey, LockRecord};
use crate::reject::Rejection;
use crate::view::{ChannelState, ChannelView, EndView};
use alloc::collections::BTreeSet;
use alloc::vec::Vec;
use photon_wire::contract::SignedBalance;
use photon_wire::message::{DisposedLock, Operation, Update};
use photon_wire::{
    Address, Amount, ChannelId, ChannelKey, Epoch, Nonce, Seconds, Secret, Slot, Timestamp, Token,
};

/// One channel of ours.
///
/// Methods are of four kinds: questions; `check_…`, which refuse and change nothing; twins
/// `send_…` / `receive_…`, which check and then change; and `close_batch`, which turns
/// what was sent since the last one into an update.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Channel {
    pub(crate) id: ChannelId,
    pub(crate) token: Token,
    pub(crate) us: Address,
    pub(crate) partner: Address,
    pub(crate) epoch: Epoch,
    pub(crate) settle_timeout: Seconds,
    pub(crate) ours: End,
    pub(crate) theirs: End,
    pub(crate) acknowledged: Nonce,
    pub(crate) proof: Option<SignedBalance>,
    pub(crate) stopped: Option<u16>,
    pub(crate) closing: bool,
    pub(crate) dispute: Option<DisputeRecord>,
    /// Operations of this turn, not in an update yet, and their bytes.
    batch: Vec<Operation>,
    batch_bytes: usize,
    /// Updates of this turn.
    pub(crate) ready: Vec<Update>,
    /// To be said to the partner at the end of this turn.
    pub(crate) acknowledge: bool,
    pub(crate) reveal: Vec<Secret>,
    pub(crate) dispose: Vec<DisposedLock>,
    /// Rows that this turn has changed.
    pub(crate) dirty: Dirty,
}

/// Rows of a channel that have changed since they were last stored.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Dirty {
    pub(crate) head: bool,
    pub(crate) locks: BTreeSet<(bool, Slot)>,
    pub(crate) acknowledged: bool,
}

impl Channel {
    /// A channel at the beginning of a life.
    pub(crate) fn open(us: Address, partner: Address, key: ChannelKey, opened: Opened) -> Self {
        Self::restore(
            us,
            ChannelRecord {
                id: key.id(),
                token: key.token(),
                partner,
                epoch: opened.epoch,
                settle_timeout: opened.settle_timeout,
                ours: Default::default(),
                theirs: Default::default(),
                acknowledged: Nonce(0),
                proof: None,
                stopped: None,
                closing: false,
                dispute: None,
            },
        )
    }

    /// The channel of a stored row, still without its locks.
    pub(crate) fn restore(us: Address, record: ChannelRecord) -> Self {
        Self {
            id: record.id,
            token: record.token,
            us,
            partner: record.partner,
            epoch: record.epoch,
            settle_timeout: record.settle_timeout,
            ours: End::restore(record.ours),
            theirs: End::restore(record.theirs),
            acknowledged: record.acknowledged,
            proof: record.proof,
            stopped: record.stopped,
            closing: record.closing,
            dispute: record.dispute,
            batch: Vec::new(),
            batch_bytes: 0,
            ready: Vec::new(),
            acknowledge: false,
            reveal: Vec::new(),
            dispose: Vec::new(),
            dirty: Dirty::default(),
        }
    }

    /// The channel's row.
    pub(crate) fn record(&self) -> ChannelRecord {
        ChannelRecord {
            id: self.id,
            token: self.token,
            partner: self.partner,
            epoch: self.epoch,
            settle_timeout: self.settle_timeout,
            ours: self.ours.head,
            theirs: self.theirs.head,
            acknowledged: self.acknowledged,
            proof: self.proof,
            stopped: self.stopped,
            closing: self.closing,
            dispute: self.dispute,
        }
    }

    /// The pair and their token.
    pub(crate) fn key(&self) -> ChannelKey {
        ChannelKey::new(self.token, self.us, self.partner)
            .expect("a channel of one with himself is never opened")
    }

    /// The end of the payer of this lock.
    pub(crate) fn end(&self, ours: bool) -> &End {
        if ours { &self.ours } else { &self.theirs }
    }

    pub(crate) fn lock(&self, key: LockKey) -> Option<&LockRecord> {
        self.end(key.ours).lock(key.slot)
    }

    /// The lock, to be changed; its row counts as changed.
    pub(crate) fn lock_mut(&mut self, key: LockKey) -> Option<&mut LockRecord> {
        self.dirty.locks.insert((key.ours, key.slot));
        if key.ours { self.ours.lock_mut(key.slot) } else { self.theirs.lock_mut(key.slot) }
    }

    /// deposit − withdrawn + received − paid − locked: what we can pay now.
    pub fn spendable(&self) -> Amount {
        let (has, owes) = Self::sums(&self.ours, &self.theirs);
        has.saturating_sub(owes)
    }

    /// What a side has ever had, and what it has ever given away or promised.
    fn sums(side: &End, other: &End) -> (Amount, Amount) {
        let has = side.head.deposit.saturating_add(other.transferred());
        let gone = side.head.withdrawn.saturating_add(side.transferred());
        (has, gone.saturating_add(side.locked()))
    }

    /// Whether payments can go out: no dispute, no violation.
    pub(crate) const fn is_open(&self) -> bool {
        self.dispute.is_none() && !self.closing && self.stopped.is_none()
    }

    pub(crate) fn check_open(&self) -> Result<(), Rejection> {
        if self.stopped.is_some() {
            return Err(Rejection::DirectionStopped { channel: self.id });
        }
        if !self.is_open() {
            return Err(Rejection::ChannelNotOpen { channel: self.id });
        }
        Ok(())
    }

    /// The channel as its owner sees it.
    pub(crate) fn view(&self, partner_online: bool, challenge: Seconds) -> ChannelView {
        ChannelView {
            id: self.id,
            epoch: self.epoch,
            token: self.token,
            partner: self.partner,
            partner_online,
            settle_timeout: self.settle_timeout,
            state: self.state(challenge),
            ours: Self::end_view(&self.ours, &self.theirs),
            theirs: Self::end_view(&self.theirs, &self.ours),
        }
    }

    fn state(&self, challenge: Seconds) -> ChannelState {
        match (self.dispute, self.closing, self.stopped) {
            (Some(dispute), _, _) => ChannelState::Closed {
                update_until: dispute.update_until,
                settle_after: dispute.settle_after(challenge),
            },
            (None, true, _) => ChannelState::Closing,
            (None, false, Some(_)) => ChannelState::Stopped,
            (None, false, None) => ChannelState::Open,
        }
    }

    fn end_view(side: &End, other: &End) -> EndView {
        let (has, owes) = Self::sums(side, other);
        let spendable = has.saturating_sub(owes);
        EndView {
            deposit: side.head.deposit,
            withdrawn: side.head.withdrawn,
            balance: spendable.saturating_add(side.locked()),
            locked: side.locked(),
            locks: side.lock_count(),
            spendable,
            nonce: side.head.nonce,
        }
    }
}

/// What an opening says.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Opened {
    pub(crate) epoch: Epoch,
    pub(crate) settle_timeout: Seconds,
}

impl DisputeRecord {
    /// From then on the contract pays both out.
    pub(crate) const fn settle_after(&self, challenge: Seconds) -> Timestamp {
        self.update_until.after(challenge)
    }
}
