//! The invariants of a channel, asserted after every turn in debug builds and by the tests.

use super::{Channel, End};
use photon_wire::Amount;

impl Channel {
    /// Panics where an invariant is broken: then it is our own mistake, and signing on would make
    /// it worse.
    pub(crate) fn assert_sound(&self) {
        // What was signed in a state that we lost, the chain can tell us of.
        if self.stopped.is_none() && !self.is_doubted() {
            let (has, owes) = self.sums(true);
            assert!(owes <= has, "{}: we owe {owes} of {has}", self.id);
            let (has, owes) = self.sums(false);
            assert!(owes <= has, "{}: the partner owes {owes} of {has}", self.id);
        }
        assert!(self.acknowledged <= self.ours.head.nonce, "{}: acknowledged too much", self.id);
        assert_locks_add_up(&self.ours);
        assert_locks_add_up(&self.theirs);
        if let Some(proof) = self.proof {
            assert_eq!(proof.nonce, self.theirs.head.nonce, "{}: proof is not the latest", self.id);
            assert_eq!(proof.transferred, self.theirs.transferred(), "{}: proof", self.id);
        }
    }
}

fn assert_locks_add_up(end: &End) {
    let sum: Amount = end.locks().map(|(_, record)| record.lock.amount).sum();
    assert_eq!(sum, end.locked(), "the locks add up to {sum}");
}
