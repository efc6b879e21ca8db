//! Where routes are found: the channels of one token ([`Graph`]), and a search over them
//! ([`Graph::route`]) that knows the fees.
//!
//! Of strangers' channels only the deposits are known, so that either side may hold it all: a
//! route can still fail on the way, and is then searched again without the pair that failed.

mod choose;
mod graph;
mod search;

use alloc::collections::BTreeSet;
use alloc::vec::Vec;
use photon_wire::{Address, Amount};

pub use graph::Graph;

/// What is asked of a route.
#[derive(Clone, Copy)]
pub struct Query<'a> {
    /// Us.
    pub from: Address,
    /// The target.
    pub to: Address,
    /// What the target shall get.
    pub amount: Amount,
    /// The most that all mediators together may take.
    pub most_fee: Amount,
    /// The most mediators; never more than [`photon_wire::limits::MEDIATORS`].
    pub most_mediators: usize,
    /// What we can pay this partner now; none where the partner is offline or the channel is not
    /// usable. Asked for direct partners only.
    pub first: &'a dyn Fn(Address) -> Option<Amount>,
    /// Who could not pay whom in this payment: payer, payee.
    pub avoid: &'a BTreeSet<(Address, Address)>,
}

/// A way to the target, with what each hop locks for the next.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Route {
    /// Us first, the target last; at least these two.
    pub nodes: Vec<Address>,
    /// `amounts[i]` is what `nodes[i]` locks for `nodes[i + 1]`: first the total, last what the
    /// target gets.
    pub amounts: Vec<Amount>,
}

impl Route {
    /// What leaves us.
    pub fn total(&self) -> Amount {
        self.amounts.first().copied().unwrap_or_default()
    }

    /// What all mediators together take.
    pub fn fee(&self) -> Amount {
        self.total().saturating_sub(self.amounts.last().copied().unwrap_or_default())
    }

    /// How many nodes pass the payment on.
    pub fn mediators(&self) -> usize {
        self.nodes.len().saturating_sub(2)
    }
}

/// Why there is no route.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NoRoute {
    /// We have no channel in this token.
    NoChannels,
    /// The target has no channel in this token.
    TargetUnknown,
    /// No chain of channels joins us and the target, except over the pairs to avoid.
    Unreachable,
    /// Channels join us and the target, but they cannot carry the amount.
    NoCapacity {
        /// What could go: on the whole way, or over the channel that is too small for the fees.
        best: Amount,
        /// What must go there.
        needed: Amount,
    },
    /// There would be a route, if this partner were usable.
    FirstHopsOffline {
        /// Who.
        partner: Address,
    },
    /// Every route found costs more than allowed.
    FeeTooHigh {
        /// What would have to be allowed.
        fee: Amount,
    },
    /// Every route has too many mediators.
    TooLong,
}
