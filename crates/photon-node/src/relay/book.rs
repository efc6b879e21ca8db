//! The authorizations that a relay has taken on since its start.

use crate::api::types::{HexHash, RelayedView, TransactionState};
use crate::clock;
use photon_wire::{B256, Timestamp};
use std::collections::{BTreeMap, HashMap};

/// How many are remembered; those whose last second is past go first.
const REMEMBERED: usize = 10_000;

/// The answer to one that is on its way.
pub(super) fn sending(id: B256) -> RelayedView {
    RelayedView { id: HexHash(id), state: TransactionState::Sending, hash: None, reason: None }
}

/// By their names, and by the numbers of their transactions.
#[derive(Default)]
pub(super) struct Book {
    taken: HashMap<B256, Taken>,
    numbers: BTreeMap<u64, B256>,
    next: u64,
}

struct Taken {
    view: RelayedView,
    valid_until: Timestamp,
}

impl Book {
    /// How far it is; none where it is unknown.
    pub(super) fn of(&self, id: B256) -> Option<RelayedView> {
        self.taken.get(&id).map(|taken| taken.view.clone())
    }

    /// Takes it on, unless it is on its way or done; answers the number of its transaction.
    pub(super) fn begin(&mut self, id: B256, valid_until: Timestamp) -> Option<u64> {
        let failed = |taken: &Taken| taken.view.state == TransactionState::Failed;
        if !self.taken.get(&id).is_none_or(failed) {
            return None;
        }
        self.make_room();
        let number = self.next;
        self.next = self.next.wrapping_add(1);
        self.taken.insert(id, Taken { view: sending(id), valid_until });
        self.numbers.insert(number, id);
        Some(number)
    }

    /// As if it had never been there.
    pub(super) fn forget(&mut self, id: B256) {
        self.taken.remove(&id);
        self.numbers.retain(|_, of| *of != id);
    }

    /// Its transaction was sent, for the first time or with a greater fee.
    pub(super) fn sent(&mut self, number: u64, hash: B256) {
        self.change(number, |view| view.hash = Some(HexHash(hash)));
    }

    /// It is in the chain.
    pub(super) fn done(&mut self, number: u64, hash: Option<B256>) {
        self.change(number, |view| {
            view.state = TransactionState::Done;
            view.hash = hash.map(HexHash);
        });
        self.numbers.remove(&number);
    }

    /// It cannot be done.
    pub(super) fn failed(&mut self, number: u64, reason: String) {
        self.change(number, |view| {
            view.state = TransactionState::Failed;
            view.reason = Some(reason);
        });
        self.numbers.remove(&number);
    }

    fn change(&mut self, number: u64, change: impl FnOnce(&mut RelayedView)) {
        let taken = self.numbers.get(&number).and_then(|id| self.taken.get_mut(id));
        if let Some(taken) = taken {
            change(&mut taken.view);
        }
    }

    /// What is past cannot be sent again, so nobody can make us pay twice by its being forgotten.
    fn make_room(&mut self) {
        if self.taken.len() < REMEMBERED {
            return;
        }
        let now = clock::now();
        self.taken.retain(|_, taken| taken.valid_until >= now);
        self.numbers.retain(|_, id| self.taken.contains_key(id));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: B256 = B256::repeat_byte(1);

    #[test]
    fn the_same_authorization_is_taken_on_once_and_again_after_it_failed() {
        let mut book = Book::default();
        let number = book.begin(ID, Timestamp(9)).unwrap();
        assert_eq!(book.begin(ID, Timestamp(9)), None);
        book.failed(number, "no".to_owned());
        assert_eq!(book.of(ID).unwrap().reason.as_deref(), Some("no"));
        let again = book.begin(ID, Timestamp(9)).unwrap();
        book.sent(again, B256::repeat_byte(2));
        assert_eq!(book.of(ID).unwrap().hash, Some(HexHash(B256::repeat_byte(2))));
        book.done(again, Some(B256::repeat_byte(3)));
        assert_eq!(book.of(ID).unwrap().state, TransactionState::Done);
        assert_eq!(book.begin(ID, Timestamp(9)), None);
    }

    #[test]
    fn only_what_is_past_is_forgotten() {
        let mut book = Book::default();
        let name = |index: usize| B256::left_padding_from(&index.to_be_bytes());
        let future = Timestamp(u64::MAX);
        for index in 0..REMEMBERED {
            let valid_until = if index == 0 { Timestamp(1) } else { future };
            book.begin(name(index), valid_until);
        }
        book.begin(ID, future).unwrap();
        assert!(book.of(name(0)).is_none());
        assert!((1..REMEMBERED).all(|index| book.of(name(index)).is_some()));
    }
}
