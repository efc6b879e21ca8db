//! What must hold after every turn, of what every node says and believes.

use std::collections::BTreeMap;

use photon_core::view::{ChannelView, NoticeKind};
use photon_wire::codec::Decode as _;
use photon_wire::message::{Message, Update};
use photon_wire::{Address, Amount, ChannelId, Epoch};

/// Whose direction, in which life of which channel.
type Direction = (Address, ChannelId, Epoch);

/// Remembers what was said, to hold what is said later against it.
#[derive(Default)]
pub(super) struct Witness {
    /// The last update of each direction that ever left its payer.
    latest: BTreeMap<Direction, Update>,
    said: BTreeMap<(Direction, u64), Update>,
}

impl Witness {
    /// What was sent under this nonce.
    pub(super) fn update(&self, direction: Direction, nonce: u64) -> Option<Update> {
        self.said.get(&(direction, nonce)).cloned()
    }

    /// Invariants 2 and 4: a nonce never stands for two things, rises by one, and nothing that was
    /// given is taken back.
    pub(super) fn sent(&mut self, from: Address, frame: &[u8]) -> Result<(), String> {
        let Ok(Message::Update(update)) = Message::from_bytes(frame) else { return Ok(()) };
        let direction = (from, update.channel, update.epoch);
        let name = (direction, update.nonce.0);
        if let Some(before) = self.said.get(&name) {
            if *before == update {
                return Ok(());
            }
            return Err(format!("{from} signed nonce {} twice, differently", update.nonce));
        }
        let last = self.latest.get(&direction);
        let (nonce, given) = last.map_or((0, Amount::ZERO), |it| (it.nonce.0, it.transferred));
        if update.nonce.0 != nonce + 1 {
            return Err(format!("{from} sends nonce {} after {nonce}", update.nonce));
        }
        if update.transferred < given {
            return Err(format!(
                "{from} takes back: {given} were given, now {}",
                update.transferred
            ));
        }
        self.said.insert(name, update.clone());
        self.latest.insert(direction, update);
        Ok(())
    }
}

/// Invariant 1: balances sum to deposits less withdrawals; locks never exceed the balance.
pub(super) fn sound(view: &ChannelView) -> Result<(), String> {
    let (ours, theirs) = (view.ours, view.theirs);
    let sum = |one: Amount, other: Amount| one.saturating_add(other);
    let deposits = sum(ours.deposit, theirs.deposit);
    let gone =
        sum(sum(ours.withdrawn, theirs.withdrawn), sum(ours.withdrawing, theirs.withdrawing));
    let balances = sum(ours.balance, theirs.balance);
    if sum(balances, gone) != deposits {
        return Err(format!(
            "balances {balances} and withdrawals {gone} are not {deposits}: {view:?}"
        ));
    }
    if ours.locked > ours.balance || theirs.locked > theirs.balance {
        return Err(format!("more is locked than there is: {view:?}"));
    }
    Ok(())
}

/// Honest nodes never accuse each other.
pub(super) fn accuses(kind: &NoticeKind) -> bool {
    matches!(kind, NoticeKind::DirectionStopped { .. } | NoticeKind::UpdateRefused { .. })
}
