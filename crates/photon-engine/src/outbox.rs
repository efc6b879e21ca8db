use photon_core::{Intent, Notice};
use photon_wire::Address;
use std::collections::BTreeMap;
use std::vec::IntoIter;

/// What may leave now, because what wants it is durable. Only [`crate::Engine::commit`] makes one.
#[derive(Debug)]
#[must_use = "what is not run is only done after a restart"]
pub struct Outbox(IntoIter<Action>);

/// One thing to do.
#[derive(Clone, PartialEq, Debug)]
pub enum Action {
    /// Hand these frames to the session with this account, in order.
    Send {
        /// To whom.
        to: Address,
        /// Encoded messages.
        frames: Vec<Vec<u8>>,
    },
    /// Get this onto the chain.
    Submit(Box<Intent>),
    /// Tell whoever waits or watches.
    Notify {
        /// Rises by one; a reader goes on after the last number that it has seen.
        number: u64,
        /// What happened.
        notice: Notice,
    },
}

impl Iterator for Outbox {
    type Item = Action;

    fn next(&mut self) -> Option<Action> {
        self.0.next()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }
}

impl ExactSizeIterator for Outbox {}

/// The actions of one commit while they are gathered: one per account, however many frames.
#[derive(Default)]
pub(crate) struct Gathered {
    actions: Vec<Action>,
    sends: BTreeMap<Address, Vec<Vec<u8>>>,
}

impl Gathered {
    pub(crate) fn send(&mut self, to: Address, frame: Vec<u8>) {
        self.sends.entry(to).or_default().push(frame);
    }

    pub(crate) fn add(&mut self, action: Action) {
        self.actions.push(action);
    }

    pub(crate) fn release(mut self) -> Outbox {
        let sends = self.sends.into_iter().map(|(to, frames)| Action::Send { to, frames });
        let mut actions: Vec<_> = sends.collect();
        actions.append(&mut self.actions);
        Outbox(actions.into_iter())
    }
}
