//! When to dial whom: explicit peers at once, and again for ever with growing, jittered waits.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use alloy_primitives::Address;
use libp2p::{
    Multiaddr, PeerId,
    multiaddr::Protocol,
    swarm::{
        ConnectionId,
        dial_opts::{DialOpts, PeerCondition},
    },
};

use crate::config::Timing;

/// Dials of ours that may be under way at once.
const MAX_DIALS: usize = 32;

/// A session that lasted this long makes the next wait short again.
const STEADY: Duration = Duration::from_secs(10);

/// The schedule of all explicit peers.
#[derive(Debug)]
pub(crate) struct Dialer {
    first: Duration,
    most: Duration,
    targets: HashMap<Address, Target>,
}

#[derive(Debug)]
struct Target {
    explicit: Vec<Multiaddr>,
    found: Vec<Multiaddr>,
    /// Each is tried in turn; addresses that name the same transport key together.
    routes: Vec<Route>,
    next: usize,
    due: Instant,
    wait: Duration,
    dialing: Option<ConnectionId>,
}

/// Addresses that one dial may try.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Route {
    peer: Option<PeerId>,
    addresses: Vec<Multiaddr>,
}

impl Dialer {
    pub(crate) fn new(timing: &Timing) -> Self {
        Self { first: timing.backoff_first, most: timing.backoff_most, targets: HashMap::new() }
    }

    /// Takes over the explicit peers; new ones, and those with new addresses, are due at once.
    pub(crate) fn set_targets(
        &mut self,
        explicit: &HashMap<Address, Vec<Multiaddr>>,
        now: Instant,
    ) {
        self.targets.retain(|account, _| explicit.contains_key(account));
        for (account, addresses) in explicit {
            self.set_addresses(*account, addresses, now);
        }
    }

    fn set_addresses(&mut self, account: Address, addresses: &[Multiaddr], now: Instant) {
        let first = self.first;
        let target = self.targets.entry(account).or_insert_with(|| Target {
            explicit: Vec::new(),
            found: Vec::new(),
            routes: Vec::new(),
            next: 0,
            due: now,
            wait: first,
            dialing: None,
        });
        if target.explicit != addresses {
            target.explicit = addresses.to_vec();
            target.renew(first, now);
        }
    }

    /// Discovery says that an explicit peer is (also) to be found there.
    pub(crate) fn set_found(&mut self, account: &Address, found: Vec<Multiaddr>, now: Instant) {
        let first = self.first;
        if let Some(target) = self.targets.get_mut(account)
            && target.found != found
        {
            target.found = found;
            target.renew(first, now);
        }
    }

    /// When the next dial is due, if any.
    pub(crate) fn next_due(&self, connected: impl Fn(&Address) -> bool) -> Option<Instant> {
        if self.targets.values().filter(|target| target.dialing.is_some()).count() >= MAX_DIALS {
            return None;
        }
        let idle =
            self.targets.iter().filter(|(account, target)| target.is_free() && !connected(account));
        idle.map(|(_, target)| target.due).min()
    }

    /// One dial that is due now, marked as under way.
    pub(crate) fn take_due(
        &mut self,
        now: Instant,
        connected: impl Fn(&Address) -> bool,
    ) -> Option<(Address, DialOpts)> {
        let under_way = self.targets.values().filter(|target| target.dialing.is_some()).count();
        if under_way >= MAX_DIALS {
            return None;
        }
        let (account, target) = self.targets.iter_mut().find(|(account, target)| {
            target.is_free() && target.due <= now && !connected(account)
        })?;
        let options = target.routes.get(target.next)?.options();
        target.dialing = Some(options.connection_id());
        Some((*account, options))
    }

    /// The dial, or the session it led to, is over. `lasted` is how long that session was up.
    /// Returns the account it was meant for.
    pub(crate) fn on_end(
        &mut self,
        connection: ConnectionId,
        lasted: Option<Duration>,
        now: Instant,
    ) -> Option<Address> {
        let (account, target) =
            self.targets.iter_mut().find(|(_, target)| target.dialing == Some(connection))?;
        target.dialing = None;
        if lasted.is_none() && target.next.saturating_add(1) < target.routes.len() {
            target.next = target.next.saturating_add(1);
            target.due = now;
        } else {
            target.next = 0;
            target.back_off(self.first, self.most, lasted, now);
        }
        Some(*account)
    }

    /// A session that the peer had opened is over.
    pub(crate) fn on_incoming_end(&mut self, account: &Address, lasted: Duration, now: Instant) {
        if let Some(target) = self.targets.get_mut(account) {
            target.back_off(self.first, self.most, Some(lasted), now);
        }
    }
}

impl Target {
    /// There is somewhere to dial, and no dial under way.
    fn is_free(&self) -> bool {
        self.dialing.is_none() && !self.routes.is_empty()
    }

    fn renew(&mut self, first: Duration, now: Instant) {
        self.routes = routes(self.explicit.iter().chain(&self.found));
        self.next = 0;
        self.due = now;
        self.wait = first;
    }

    fn back_off(
        &mut self,
        first: Duration,
        most: Duration,
        lasted: Option<Duration>,
        now: Instant,
    ) {
        if lasted.is_some_and(|lasted| lasted >= STEADY) {
            self.wait = first;
        }
        self.due = now + self.wait.mul_f64(rand::random_range(0.5..=1.0));
        self.wait = self.wait.saturating_mul(2).min(most);
    }
}

/// Groups addresses by the transport key they name; those without one are tried each by itself.
fn routes<'a>(addresses: impl Iterator<Item = &'a Multiaddr>) -> Vec<Route> {
    let mut routes: Vec<Route> = Vec::new();
    for address in addresses {
        let peer = named_peer(address);
        let same = routes.iter_mut().find(|route| peer.is_some() && route.peer == peer);
        if let Some(route) = same {
            route.addresses.push(address.clone());
        } else {
            routes.push(Route { peer, addresses: vec![address.clone()] });
        }
    }
    routes
}

/// The transport key at the end of an address, `/p2p/<peer id>`.
pub(crate) fn named_peer(address: &Multiaddr) -> Option<PeerId> {
    address.iter().find_map(
        |protocol| {
            if let Protocol::P2p(peer) = protocol { Some(peer) } else { None }
        },
    )
}

impl Route {
    fn options(&self) -> DialOpts {
        // Two nodes that dial each other between their listening ports would meet in a TCP
        // simultaneous open, in which both sides take themselves for the dialler.
        let tcp = self
            .addresses
            .iter()
            .any(|address| address.iter().any(|protocol| matches!(protocol, Protocol::Tcp(_))));
        if let Some(peer) = self.peer {
            let options = DialOpts::peer_id(peer)
                .condition(PeerCondition::Always)
                .addresses(self.addresses.clone());
            if tcp { options.allocate_new_port().build() } else { options.build() }
        } else {
            let address = self.addresses.first().cloned().unwrap_or_else(Multiaddr::empty);
            let options = DialOpts::unknown_peer_id().address(address);
            if tcp { options.allocate_new_port().build() } else { options.build() }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOBODY: fn(&Address) -> bool = |_| false;

    #[test]
    fn every_address_is_tried_before_the_first_wait_and_waits_grow_to_a_bound() {
        let timing = Timing::default();
        let account = Address::repeat_byte(1);
        let addresses: Vec<Multiaddr> = ["/ip4/127.0.0.1/tcp/1", "/ip4/127.0.0.1/udp/1/quic-v1"]
            .iter()
            .map(|address| address.parse().unwrap())
            .collect();
        let mut now = Instant::now();
        let mut dialer = Dialer::new(&timing);
        dialer.set_targets(&HashMap::from([(account, addresses)]), now);
        let fail = |dialer: &mut Dialer, now| {
            let (_, options) = dialer.take_due(now, NOBODY).expect("a dial is due");
            assert_eq!(dialer.on_end(options.connection_id(), None, now), Some(account));
        };
        fail(&mut dialer, now);
        assert_eq!(dialer.next_due(NOBODY), Some(now));
        fail(&mut dialer, now);
        let mut wait = timing.backoff_first;
        for _ in 0..12 {
            let due = dialer.next_due(NOBODY).expect("it never gives up");
            assert!(due >= now + wait / 2 && due <= now + wait);
            now = due;
            fail(&mut dialer, now);
            fail(&mut dialer, now);
            wait = (wait * 2).min(timing.backoff_most);
        }
        assert_eq!(dialer.next_due(|_| true), None);
    }

    #[test]
    fn a_peer_without_any_address_does_not_keep_others_waiting() {
        let now = Instant::now();
        let mut dialer = Dialer::new(&Timing::default());
        let address: Multiaddr = "/ip4/127.0.0.1/tcp/1".parse().unwrap();
        let mut explicit: HashMap<_, _> =
            (0..20).map(|number| (Address::repeat_byte(number), Vec::new())).collect();
        explicit.insert(Address::repeat_byte(99), vec![address.clone()]);
        dialer.set_targets(&explicit, now);
        assert_eq!(dialer.next_due(NOBODY), Some(now));
        let (account, _) = dialer.take_due(now, NOBODY).expect("a dial is due");
        assert_eq!(account, Address::repeat_byte(99));
        assert!(dialer.next_due(NOBODY).is_none());
        dialer.set_found(&Address::repeat_byte(7), vec![address], now);
        let (account, _) = dialer.take_due(now, NOBODY).expect("a dial is due");
        assert_eq!(account, Address::repeat_byte(7));
    }
}
