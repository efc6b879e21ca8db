//! What a caller may set, with defaults that suit a node on the open internet.

use std::time::Duration;

use libp2p::Multiaddr;

/// How this node listens, is found and defends itself.
#[derive(Clone, Debug)]
pub struct Config {
    /// Addresses to listen on, TCP (`/ip4/0.0.0.0/tcp/9735`) or QUIC
    /// (`/ip4/0.0.0.0/udp/9735/quic-v1`).
    /// Port 0 takes a free one. None: this node only dials.
    pub listen: Vec<Multiaddr>,
    /// Look for peers on the local network by mDNS, and be seen there.
    pub local_discovery: bool,
    /// Look up and publish addresses in the distributed hash table.
    pub discovery: Option<Discovery>,
    /// What peers may use up.
    pub limits: Limits,
    /// How long we wait, and how often we try.
    pub timing: Timing,
}

impl Default for Config {
    /// Listens on loopback only, on a free TCP port, without discovery.
    fn default() -> Self {
        Self {
            listen: vec![
                "/ip4/127.0.0.1/tcp/0".parse().expect("a literal multiaddr is well-formed"),
            ],
            local_discovery: false,
            discovery: None,
            limits: Limits::default(),
            timing: Timing::default(),
        }
    }
}

/// The distributed hash table (Kademlia) that maps accounts to addresses.
#[derive(Clone, Debug, Default)]
pub struct Discovery {
    /// Nodes to join the table through; each address must end in `/p2p/<peer id>`.
    pub bootstrap: Vec<Multiaddr>,
    /// Addresses under which others reach us, when they differ from the listen addresses.
    pub external: Vec<Multiaddr>,
}

/// Bounds on everything that a peer can feed or fill.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Incoming connections in the middle of the cryptographic handshake; more are refused. As many
    /// again may come from IP addresses of friends.
    pub pending_incoming: usize,
    /// Encrypted connections that have not proven an account yet. When full, the oldest goes:
    /// who is honest proves his account within one round trip.
    pub unproven: usize,
    /// Sessions with accounts that are neither friends nor explicit peers.
    pub strangers: usize,
    /// Connections with one transport key, friends included.
    pub connections_per_peer: usize,
    /// New incoming connections per second from one IP address (one /64 in IPv6); not on loopback,
    /// and not from IP addresses of friends.
    pub handshakes_per_second: u32,
    /// How many of them may come at once.
    pub handshake_burst: u32,
    /// Bytes per second that are read from a stranger.
    pub stranger_bytes_per_second: u32,
    /// How many of them may come at once. At least one largest frame.
    pub stranger_burst: u32,
    /// Frames waiting to be written to one peer.
    pub outgoing_frames: usize,
    /// Bytes waiting to be written to one peer, prefixes included. At least one largest frame.
    pub outgoing_bytes: u32,
    /// Events waiting for the node, over all peers.
    pub event_queue: usize,
    /// Bytes of one peer that may wait there; a small frame counts 512 bytes. At least one largest
    /// frame. Beyond it the peer's socket is not read.
    pub event_share: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            pending_incoming: 512,
            unproven: 256,
            strangers: 128,
            connections_per_peer: 4,
            handshakes_per_second: 8,
            handshake_burst: 64,
            stranger_bytes_per_second: 256 * 1024,
            stranger_burst: 1024 * 1024,
            outgoing_frames: 4096,
            outgoing_bytes: 2 * 1024 * 1024,
            event_queue: 8192,
            event_share: 512 * 1024,
        }
    }
}

/// Timeouts and intervals.
#[derive(Clone, Debug)]
pub struct Timing {
    /// Connecting, cryptographic handshake included.
    pub dial: Duration,
    /// Proving the account on a fresh connection.
    pub authenticate: Duration,
    /// Finishing a frame that has begun.
    pub frame: Duration,
    /// A stranger who says nothing for that long is dropped.
    pub stranger_idle: Duration,
    /// A stranger idle for that long may be dropped for another one when their room is full.
    pub stranger_grace: Duration,
    /// Between pings on a quiet connection; also how long an answer may take.
    pub ping: Duration,
    /// Before the first new try to reach an explicit peer; doubled after each failure.
    pub backoff_first: Duration,
    /// The longest wait between two tries.
    pub backoff_most: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            dial: Duration::from_secs(5),
            authenticate: Duration::from_secs(5),
            frame: Duration::from_secs(10),
            stranger_idle: Duration::from_secs(300),
            stranger_grace: Duration::from_secs(15),
            ping: Duration::from_secs(10),
            backoff_first: Duration::from_millis(200),
            backoff_most: Duration::from_secs(30),
        }
    }
}
