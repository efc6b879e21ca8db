//! What the contract pays at the end of a channel's life, and what stands for a direction there.
//!
//! Source: `contracts/src/libraries/Settlements.sol`, `split`, and `PhotonNetwork.sol`,
//! `agreedSplit`. The crate `photon-sim` holds both against the contract's bytecode.

use super::End;
use crate::record::LockRecord;
use crate::reject::Rejection;
use alloc::vec::Vec;
use photon_wire::message::Operation;
use photon_wire::{Amount, B256, Locksroot, Slot};

/// One participant's side of a channel, as the contract knows it. All in base units.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Side {
    /// All that was deposited for him in this epoch.
    pub deposit: Amount,
    /// All that he withdrew.
    pub withdrawn: Amount,
    /// All that he transferred to the other: by the proof that stands, or as he declared.
    pub transferred: Amount,
    /// His locks that the other claimed on the chain.
    pub unlocked: Amount,
    /// What the other owes him for claiming locks that he had disposed.
    pub penalty: Amount,
}

/// What both sides hold together.
pub fn held(one: &Side, other: &Side) -> Amount {
    let deposits = one.deposit.saturating_add(other.deposit);
    deposits.saturating_sub(one.withdrawn).saturating_sub(other.withdrawn)
}

/// What each side is paid after a dispute: what it put in and was given, less what it took out and
/// gave; at least nothing, at most everything. The other gets the rest.
pub fn settle(one: &Side, other: &Side) -> (Amount, Amount) {
    let plus = [one.deposit, other.transferred, other.unlocked, one.penalty];
    let minus = [one.withdrawn, one.transferred, one.unlocked, other.penalty];
    let (balance, _) = difference(plus, minus);
    let held = held(one, other);
    let paid = balance.min(held);
    (paid, held.saturating_sub(paid))
}

/// What each side is paid when both agree on what they transferred; none where the contract refuses
/// because one side would get less than nothing. Unlocked amounts and penalties do not count: there
/// was no dispute.
pub fn cooperate(one: &Side, other: &Side) -> Option<(Amount, Amount)> {
    let plus = [one.deposit, other.transferred];
    let minus = [one.withdrawn, one.transferred];
    let (balance, debt) = difference(plus, minus);
    let rest = held(one, other).checked_sub(balance)?;
    debt.is_zero().then_some((balance, rest))
}

/// What remains of either when they are set off against each other; one of the two is nothing.
/// Each term may be up to 2^128 − 1: only what remains is summed, and that saturates.
fn difference<const N: usize>(mut plus: [Amount; N], mut minus: [Amount; N]) -> (Amount, Amount) {
    for less in &mut minus {
        for more in &mut plus {
            let common = (*less).min(*more);
            *less = less.saturating_sub(common);
            *more = more.saturating_sub(common);
        }
    }
    (plus.into_iter().sum(), minus.into_iter().sum())
}

/// One direction as its payer builds it up before he signs: the core's own arithmetic, for whoever
/// holds it against the contract.
#[derive(Clone, Debug, Default)]
pub struct Direction(End);

impl Direction {
    /// Applies one operation.
    ///
    /// # Errors
    /// A rule of the arithmetic is broken; then nothing has changed.
    pub fn apply(&mut self, operation: &Operation) -> Result<(), Rejection> {
        self.0.apply(operation).map(drop)
    }

    /// All that was paid.
    pub const fn transferred(&self) -> Amount {
        self.0.transferred()
    }

    /// The sum of the pending locks.
    pub const fn locked(&self) -> Amount {
        self.0.locked()
    }

    /// Commits to the pending locks.
    pub fn locksroot(&mut self) -> Locksroot {
        self.0.locksroot()
    }

    /// The siblings that show these slots (sorted, without doubles) to the contract.
    pub fn multiproof(&mut self, slots: &[Slot]) -> Vec<B256> {
        self.0.multiproof(slots)
    }

    /// The pending locks by slot.
    pub fn locks(&self) -> impl Iterator<Item = (Slot, &LockRecord)> {
        self.0.locks()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn side(deposit: u128, withdrawn: u128, transferred: u128) -> Side {
        let (deposit, withdrawn) = (Amount(deposit), Amount(withdrawn));
        Side { deposit, withdrawn, transferred: Amount(transferred), ..Side::default() }
    }

    #[test]
    fn both_get_what_is_theirs() {
        let one = Side { unlocked: Amount(7), ..side(100, 10, 30) };
        let other = Side { penalty: Amount(2), ..side(50, 0, 5) };
        assert_eq!(settle(&one, &other), (Amount(56), Amount(84)));
        assert_eq!(settle(&other, &one), (Amount(84), Amount(56)));
    }

    #[test]
    fn nobody_gets_less_than_nothing_or_more_than_there_is() {
        let (one, other) = (side(100, 0, u128::MAX), side(50, 0, 0));
        assert_eq!(settle(&one, &other), (Amount(0), Amount(150)));
        assert_eq!(settle(&other, &one), (Amount(150), Amount(0)));
        assert_eq!(cooperate(&one, &other), None);
        assert_eq!(cooperate(&other, &one), None);
    }

    #[test]
    fn totals_beyond_128_bits_cancel_exactly() {
        let one = Side { unlocked: Amount(u128::MAX), ..side(100, 0, u128::MAX) };
        let other = Side { unlocked: Amount(u128::MAX - 3), ..side(50, 0, u128::MAX) };
        assert_eq!(settle(&one, &other), (Amount(97), Amount(53)));
    }

    #[test]
    fn agreed_totals_pay_to_the_unit_or_are_refused() {
        assert_eq!(cooperate(&side(10, 0, 10), &side(5, 2, 0)), Some((Amount(0), Amount(13))));
        assert_eq!(cooperate(&side(10, 0, 11), &side(5, 2, 0)), None);
        assert_eq!(cooperate(&side(10, 0, 0), &side(5, 2, 4)), None);
        assert_eq!(cooperate(&side(10, 0, 0), &side(5, 2, 3)), Some((Amount(13), Amount(0))));
    }
}
