//! Lets connections in, within limits, and gives each its one stream.
//!
//! Before a connection has proven its account we know only its IP address and transport key.
//! An attacker has plenty of both, so nothing here can keep friends' *first* connections apart
//! from his; it keeps each stage short and bounded, and drops the oldest unproven one for a new
//! one, so that whoever proves himself within a round trip gets through. Keys that have proven a
//! friend's account pass by the limits. (`libp2p-connection-limits` can only refuse the newcomer,
//! and remembers every key there ever was.)

use std::{
    collections::{HashMap, HashSet, VecDeque},
    net::{IpAddr, Ipv6Addr},
    sync::Arc,
    task::{Context, Poll},
    time::Instant,
};

use alloy_primitives::Address;
use libp2p::{
    Multiaddr, PeerId, Stream,
    core::{Endpoint, transport::PortUse},
    multiaddr::Protocol,
    swarm::{
        CloseConnection, ConnectionDenied, ConnectionId, FromSwarm, NetworkBehaviour, THandler,
        THandlerInEvent, THandlerOutEvent, ToSwarm,
        behaviour::{ConnectionClosed, ConnectionEstablished, DialFailure, ListenFailure},
    },
};

use crate::{
    Config, Direction,
    budget::Budget,
    config::{Limits, Timing},
    handler::{Handler, Role, StreamEvent},
    stats::Counters,
};

/// IP addresses whose rate is remembered.
const MAX_RATED_ADDRESSES: usize = 4096;

/// The behaviour that admits connections.
pub(crate) struct Gate {
    limits: Limits,
    timing: Timing,
    counters: Arc<Counters>,
    pending_incoming: HashSet<ConnectionId>,
    connections: HashMap<ConnectionId, Connection>,
    /// Our own dials, with the account that each must reach.
    dials: HashMap<ConnectionId, Option<Address>>,
    /// The transport key and IP address that each friend used last.
    friends: HashMap<Address, (PeerId, Option<IpAddr>)>,
    /// IP addresses of friends, known from sessions or from the addresses of explicit peers.
    friendly: HashSet<IpAddr>,
    rates: HashMap<IpAddr, Budget>,
    events: VecDeque<ToSwarm<Opened, std::convert::Infallible>>,
}

struct Connection {
    peer: PeerId,
    since: Instant,
    address: Multiaddr,
    direction: Direction,
    /// Must prove its account soon, and may be dropped for another one.
    unproven: bool,
}

/// The one stream of a connection is there, or will never be.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) connection: ConnectionId,
    pub(crate) peer: PeerId,
    pub(crate) address: Multiaddr,
    pub(crate) direction: Direction,
    pub(crate) expected: Option<Address>,
    /// None: the other side does not speak our protocol.
    pub(crate) stream: Option<Stream>,
}

#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Denied(&'static str);

impl Gate {
    pub(crate) fn new(config: &Config, counters: Arc<Counters>) -> Self {
        Self {
            limits: config.limits.clone(),
            timing: config.timing.clone(),
            counters,
            pending_incoming: HashSet::new(),
            connections: HashMap::new(),
            dials: HashMap::new(),
            friends: HashMap::new(),
            friendly: HashSet::new(),
            rates: HashMap::new(),
            events: VecDeque::new(),
        }
    }

    /// Announces a dial of ours before it begins.
    pub(crate) fn expect(&mut self, connection: ConnectionId, account: Option<Address>) {
        self.dials.insert(connection, account);
    }

    /// The account that one of our dials must reach.
    pub(crate) fn expected(&self, connection: ConnectionId) -> Option<Address> {
        self.dials.get(&connection).copied().flatten()
    }

    /// The dial that was announced has failed.
    pub(crate) fn forget(&mut self, connection: ConnectionId) {
        self.dials.remove(&connection);
    }

    /// The connection has proven its account.
    pub(crate) fn prove(&mut self, connection: ConnectionId, account: Address, friend: bool) {
        let Some(connection) = self.connections.get_mut(&connection) else { return };
        connection.unproven = false;
        if friend {
            let ip = ip_of(&connection.address);
            self.friends.insert(account, (connection.peer, ip));
            self.friendly.extend(ip);
        }
    }

    /// Forgets those who are friends no longer, and learns the addresses of explicit peers.
    pub(crate) fn set_friends<'a>(
        &mut self,
        is_friend: impl Fn(&Address) -> bool,
        addresses: impl Iterator<Item = &'a Multiaddr>,
    ) {
        self.friends.retain(|account, _| is_friend(account));
        self.friendly = addresses.filter_map(ip_of).collect();
        self.friendly.extend(self.friends.values().filter_map(|(_, ip)| *ip));
    }

    /// Drops connections that took too long to prove an account.
    pub(crate) fn sweep(&mut self, now: Instant) {
        let late = |connection: &Connection| {
            connection.unproven && now.duration_since(connection.since) > self.timing.authenticate
        };
        let late: Vec<ConnectionId> = self
            .connections
            .iter()
            .filter_map(|(id, connection)| late(connection).then_some(*id))
            .collect();
        for connection in late {
            self.drop_unproven(connection);
        }
        self.rates.retain(|_, budget| !budget.is_full(now));
    }

    fn drop_unproven(&mut self, id: ConnectionId) {
        let Some(connection) = self.connections.get_mut(&id) else { return };
        connection.unproven = false;
        self.counters.unproven_dropped.increment();
        self.events.push_back(ToSwarm::CloseConnection {
            peer_id: connection.peer,
            connection: CloseConnection::One(id),
        });
    }

    /// A flood from one address is refused before it costs us a handshake.
    fn check_rate(&mut self, address: &Multiaddr) -> Result<(), Denied> {
        let Some(ip) = ip_of(address).filter(|ip| !ip.is_loopback()) else { return Ok(()) };
        let now = Instant::now();
        if self.rates.len() >= MAX_RATED_ADDRESSES && !self.rates.contains_key(&ip) {
            self.rates.retain(|_, budget| !budget.is_full(now));
            if self.rates.len() >= MAX_RATED_ADDRESSES {
                return Err(Denied("too many addresses connect at once"));
            }
        }
        let (rate, burst) = (self.limits.handshakes_per_second, self.limits.handshake_burst);
        let budget = self.rates.entry(ip).or_insert_with(|| Budget::new(rate, burst, now));
        if budget.try_take(1, now) {
            Ok(())
        } else {
            Err(Denied("too many connections from there"))
        }
    }

    /// Strangers from everywhere may fill their part of the room, but not that of friends'
    /// addresses.
    fn check_pending(&mut self, id: ConnectionId, address: &Multiaddr) -> Result<(), Denied> {
        let friendly = ip_of(address).is_some_and(|ip| self.friendly.contains(&ip));
        let room = self.limits.pending_incoming;
        let room = if friendly { room.saturating_mul(2) } else { room };
        if self.pending_incoming.len() >= room {
            return Err(Denied("too many pending connections"));
        }
        if !friendly {
            self.check_rate(address)?;
        }
        self.pending_incoming.insert(id);
        Ok(())
    }

    fn check_per_peer(&self, peer: &PeerId) -> Result<(), Denied> {
        let count = self.connections.values().filter(|connection| connection.peer == *peer).count();
        if count >= self.limits.connections_per_peer {
            self.counters.refused_per_peer.increment();
            return Err(Denied("too many connections with this transport key"));
        }
        Ok(())
    }

    /// Drops the oldest unproven connection if one more would be too many.
    fn make_room(&mut self) {
        let unproven = self.connections.iter().filter(|(_, connection)| connection.unproven);
        if unproven.clone().count() < self.limits.unproven {
            return;
        }
        let oldest = unproven.min_by_key(|(_, connection)| connection.since).map(|(id, _)| *id);
        if let Some(oldest) = oldest {
            self.drop_unproven(oldest);
        }
    }

    fn on_established(&mut self, established: ConnectionEstablished<'_>) {
        let id = established.connection_id;
        let endpoint = established.endpoint;
        self.pending_incoming.remove(&id);
        let direction =
            if endpoint.is_dialer() { Direction::Outgoing } else { Direction::Incoming };
        let friend = self.friends.values().any(|(peer, _)| *peer == established.peer_id);
        let unproven = direction == Direction::Incoming && !friend;
        if unproven {
            self.make_room();
        }
        let connection = Connection {
            peer: established.peer_id,
            since: Instant::now(),
            address: endpoint.get_remote_address().clone(),
            direction,
            unproven,
        };
        self.connections.insert(id, connection);
    }

    fn on_stream(&mut self, id: ConnectionId, stream: Option<Stream>) {
        let Some(connection) = self.connections.get(&id) else { return };
        let opened = Opened {
            connection: id,
            peer: connection.peer,
            address: connection.address.clone(),
            direction: connection.direction,
            expected: self.expected(id),
            stream,
        };
        self.events.push_back(ToSwarm::GenerateEvent(opened));
    }
}

/// The IP address in an address; an IPv6 customer owns a whole /64 and counts as its first one.
fn ip_of(address: &Multiaddr) -> Option<IpAddr> {
    const CUSTOMER_PREFIX: u128 = !0 << 64;
    address.iter().find_map(|protocol| {
        if let Protocol::Ip4(ip) = protocol {
            Some(IpAddr::from(ip))
        } else if let Protocol::Ip6(ip) = protocol {
            let prefix = Ipv6Addr::from_bits(ip.to_bits() & CUSTOMER_PREFIX);
            Some(IpAddr::from(if ip.is_loopback() { ip } else { prefix }))
        } else {
            None
        }
    })
}

impl NetworkBehaviour for Gate {
    type ConnectionHandler = Handler;
    type ToSwarm = Opened;

    fn handle_pending_inbound_connection(
        &mut self,
        connection: ConnectionId,
        _: &Multiaddr,
        remote: &Multiaddr,
    ) -> Result<(), ConnectionDenied> {
        self.check_pending(connection, remote).map_err(|denied| {
            self.counters.refused_before_handshake.increment();
            ConnectionDenied::new(denied)
        })
    }

    fn handle_established_inbound_connection(
        &mut self,
        _: ConnectionId,
        peer: PeerId,
        _: &Multiaddr,
        _: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        self.check_per_peer(&peer).map_err(ConnectionDenied::new)?;
        Ok(Handler::new(Role::Accept, self.timing.authenticate))
    }

    fn handle_established_outbound_connection(
        &mut self,
        connection: ConnectionId,
        _: PeerId,
        _: &Multiaddr,
        _: Endpoint,
        _: PortUse,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        let ours = self.dials.contains_key(&connection);
        let role = if ours { Role::Open } else { Role::Silent };
        Ok(Handler::new(role, self.timing.authenticate))
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "a foreign, non-exhaustive enum")]
    fn on_swarm_event(&mut self, event: FromSwarm<'_>) {
        match event {
            FromSwarm::ConnectionEstablished(established) => self.on_established(established),
            FromSwarm::ConnectionClosed(ConnectionClosed { connection_id, .. }) => {
                self.connections.remove(&connection_id);
                self.dials.remove(&connection_id);
            }
            FromSwarm::DialFailure(DialFailure { connection_id, .. }) => {
                self.dials.remove(&connection_id);
            }
            FromSwarm::ListenFailure(ListenFailure { connection_id, .. }) => {
                self.pending_incoming.remove(&connection_id);
            }
            _ => {}
        }
    }

    fn on_connection_handler_event(
        &mut self,
        _: PeerId,
        connection: ConnectionId,
        event: THandlerOutEvent<Self>,
    ) {
        match event {
            StreamEvent::Ready(stream) => self.on_stream(connection, Some(stream)),
            StreamEvent::Failed => self.on_stream(connection, None),
            StreamEvent::Surplus => self.counters.surplus_streams.increment(),
        }
    }

    fn poll(&mut self, _: &mut Context<'_>) -> Poll<ToSwarm<Self::ToSwarm, THandlerInEvent<Self>>> {
        self.events.pop_front().map_or(Poll::Pending, Poll::Ready)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gate() -> Gate {
        let limits = Limits { pending_incoming: 4, handshake_burst: 2, ..Limits::default() };
        Gate::new(&Config { limits, ..Config::default() }, Arc::default())
    }

    fn knock(gate: &mut Gate, number: usize, address: &str) -> bool {
        let address: Multiaddr = address.parse().unwrap();
        gate.handle_pending_inbound_connection(
            ConnectionId::new_unchecked(number),
            &address,
            &address,
        )
        .is_ok()
    }

    #[test]
    fn one_address_gets_its_burst_and_others_theirs() {
        let mut gate = gate();
        assert!(knock(&mut gate, 1, "/ip4/203.0.113.1/tcp/1"));
        assert!(knock(&mut gate, 2, "/ip4/203.0.113.1/tcp/2"));
        assert!(!knock(&mut gate, 3, "/ip4/203.0.113.1/tcp/3"));
        assert!(knock(&mut gate, 4, "/ip6/2001:db8::1/udp/1/quic-v1"));
        assert!(knock(&mut gate, 5, "/ip6/2001:db8::2/udp/1/quic-v1"));
        gate.pending_incoming.clear();
        assert!(!knock(&mut gate, 6, "/ip6/2001:db8::3/udp/1/quic-v1"));
        assert!(knock(&mut gate, 7, "/ip6/2001:db8:0:1::3/udp/1/quic-v1"));
        assert_eq!(gate.counters.snapshot().refused_before_handshake, 2);
    }

    #[test]
    fn strangers_cannot_fill_the_room_of_friends_addresses() {
        let mut gate = gate();
        let friend: Multiaddr = "/ip4/198.51.100.9/tcp/7".parse().unwrap();
        gate.set_friends(|_| true, [&friend].into_iter());
        for number in 0..10 {
            knock(&mut gate, number, &format!("/ip4/203.0.113.{number}/tcp/1"));
        }
        assert_eq!(gate.pending_incoming.len(), 4);
        for number in 10..14 {
            assert!(knock(&mut gate, number, "/ip4/198.51.100.9/tcp/8"));
        }
        assert!(!knock(&mut gate, 14, "/ip4/198.51.100.9/tcp/8"));
    }
}
