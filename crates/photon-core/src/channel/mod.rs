//! A channel of ours: two ends, and what the chain and the partner have said about it.

mod agreement;
mod dispute;
mod end;
mod evidence;
mod sound;
mod standing;
mod update;

pub mod settlement;

pub(crate) use agreement::Term;
pub use end::End;
pub(crate) use end::check_amount;
pub(crate) use update::Accepted;

use crate::record::{
    AgreementsRecord, ChannelRecord, DisputeRecord, LockChange, LockKey, LockRecord, SettlingStage,
    StandingRecord, Terms, WithdrawalRecord,
};
use crate::reject::Rejection;
use crate::view::{ChannelState, ChannelView, EndView};
use alloc::collections::BTreeSet;
use alloc::vec::Vec;
use photon_wire::contract::SignedBalance;
use photon_wire::message::{Agreement, DisposedLock, Operation, Update};
use photon_wire::{
    Address, Amount, BlockNumber, ChannelId, ChannelKey, Epoch, Nonce, Seconds, Secret, Slot,
    Timestamp, Token,
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
    pub(crate) standing: StandingRecord,
    pub(crate) agreements: AgreementsRecord,
    /// The partner has said where it stands since we started: what it knows of our updates, we
    /// know. Before that nothing is signed.
    pub(crate) in_step: bool,
    /// The block in which its closing was seen, not deep enough yet.
    pub(crate) seen_closed: Option<BlockNumber>,
    /// Claims that were looked at and were right.
    pub(crate) honest: BTreeSet<Slot>,
    /// What the store knows was asked for.
    pub(crate) recalling: bool,
    /// Nothing is proposed before the next block.
    pub(crate) proposed_in_vain: bool,
    /// Operations of this turn, not in an update yet, and their bytes.
    batch: Vec<Operation>,
    batch_bytes: usize,
    /// How those of them change our locks.
    batch_changes: Vec<LockChange>,
    /// The same, of the updates of this turn.
    history: Vec<(Nonce, Vec<LockChange>)>,
    /// Updates of this turn.
    pub(crate) ready: Vec<Update>,
    /// To be said to the partner at the end of this turn.
    pub(crate) acknowledge: bool,
    pub(crate) reveal: Vec<Secret>,
    pub(crate) dispose: Vec<DisposedLock>,
    /// What of it concerns agreements.
    pub(crate) say: Vec<Saying>,
    /// Rows that this turn has changed.
    pub(crate) dirty: Dirty,
}

/// What is said about agreements of both.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Saying {
    /// May we withdraw this?
    RequestWithdraw(WithdrawalRecord),
    /// The partner may withdraw this.
    AgreeWithdraw(WithdrawalRecord),
    /// Shall we end the channel like this?
    ProposeSettle(Terms),
    /// The partner may end it like this.
    AgreeSettle(Terms),
    /// We do not consent, by this rule.
    Decline(Agreement, Timestamp, u16),
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
                standing: StandingRecord::default(),
                agreements: AgreementsRecord::default(),
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
            standing: record.standing,
            agreements: record.agreements,
            in_step: false,
            seen_closed: None,
            honest: BTreeSet::new(),
            recalling: false,
            proposed_in_vain: false,
            batch: Vec::new(),
            batch_bytes: 0,
            batch_changes: Vec::new(),
            history: Vec::new(),
            ready: Vec::new(),
            acknowledge: false,
            reveal: Vec::new(),
            dispose: Vec::new(),
            say: Vec::new(),
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
            standing: self.standing.clone(),
            agreements: self.agreements.clone(),
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
        let (has, owes) = self.sums(true);
        has.saturating_sub(owes)
    }

    /// What a side, ours or the partner's, has ever had, and what it has ever given away or
    /// promised. What is being withdrawn is gone.
    fn sums(&self, ours: bool) -> (Amount, Amount) {
        let (side, other) = (self.end(ours), self.end(!ours));
        let has = side.head.deposit.saturating_add(other.transferred());
        let gone = self.taken_out(ours).saturating_add(side.transferred());
        (has, gone.saturating_add(side.locked()))
    }

    /// What a side has withdrawn, and what it may have withdrawn by a signature that is out.
    fn taken_out(&self, ours: bool) -> Amount {
        let pending = if ours { &self.agreements.ours } else { &self.agreements.theirs };
        let done = self.end(ours).head.withdrawn;
        pending.map_or(done, |pending| done.max(pending.withdrawn))
    }

    /// Whether updates are signed and accepted: no dispute in sight, no violation, no doubt, and
    /// no signature on the channel's end.
    pub(crate) fn is_open(&self) -> bool {
        self.dispute.is_none()
            && !self.closing
            && self.stopped.is_none()
            && self.seen_closed.is_none()
            && !self.is_frozen()
            && !self.is_doubted()
    }

    /// Whether an update of ours can be signed now.
    pub(crate) fn can_sign(&self) -> bool {
        self.is_open() && self.in_step
    }

    /// Whether new payments of ours may go out, now or in a moment.
    pub(crate) fn takes_payments(&self) -> bool {
        self.is_open() && self.agreements.settling.is_none()
    }

    /// Between our signature on the channel's end, or our leave to execute it, and that end.
    pub(crate) fn is_frozen(&self) -> bool {
        self.agreements.settling.is_some_and(|settling| match settling.stage {
            SettlingStage::Draining | SettlingStage::Proposed(_) => false,
            SettlingStage::Agreed(_) | SettlingStage::Executing(..) => true,
        })
    }

    pub(crate) fn check_open(&self) -> Result<(), Rejection> {
        if self.stopped.is_some() {
            return Err(Rejection::DirectionStopped { channel: self.id });
        }
        if self.is_frozen() {
            return Err(Rejection::ChannelSettling { channel: self.id });
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
            ours: self.end_view(true),
            theirs: self.end_view(false),
        }
    }

    fn state(&self, challenge: Seconds) -> ChannelState {
        if let Some(dispute) = self.dispute {
            return ChannelState::Closed {
                update_until: dispute.update_until,
                settle_after: dispute.settle_after(challenge),
            };
        }
        if self.closing || self.seen_closed.is_some() {
            return ChannelState::Closing;
        }
        if self.stopped.is_some() {
            return ChannelState::Stopped;
        }
        if self.is_doubted() {
            return ChannelState::Doubted;
        }
        if self.agreements.settling.is_some() {
            return ChannelState::Settling;
        }
        ChannelState::Open
    }

    fn end_view(&self, ours: bool) -> EndView {
        let side = self.end(ours);
        let (has, owes) = self.sums(ours);
        let spendable = has.saturating_sub(owes);
        EndView {
            deposit: side.head.deposit,
            withdrawn: side.head.withdrawn,
            withdrawing: self.taken_out(ours).saturating_sub(side.head.withdrawn),
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
