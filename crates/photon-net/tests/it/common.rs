//! Nodes on loopback, and waiting for what they report.

use std::{future::Future, sync::Arc, time::Duration};

use bytes::Bytes;
use photon_net::{
    Address, Config, DisconnectReason, Events, Identity, Multiaddr, Net, NetEvent, Timing,
    VerifyStatement,
};

/// Longer than anything here takes, even on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// One node with what it has heard.
pub(crate) struct Node {
    pub(crate) account: Address,
    pub(crate) net: Net,
    pub(crate) events: Events,
}

/// The carriers under test.
#[derive(Clone, Copy)]
pub(crate) enum Carrier {
    Tcp,
    Quic,
}

impl Carrier {
    pub(crate) fn listen(self) -> Multiaddr {
        let text = match self {
            Self::Tcp => "/ip4/127.0.0.1/tcp/0",
            Self::Quic => "/ip4/127.0.0.1/udp/0/quic-v1",
        };
        text.parse().unwrap()
    }
}

pub(crate) fn account(number: u8) -> Address {
    Address::repeat_byte(number)
}

/// An identity with a statement in the form that [`verify`] reads: account, key, expiry.
pub(crate) fn identity(number: u8) -> Identity {
    statement_for(number, account(number), u64::MAX)
}

pub(crate) fn statement_for(number: u8, account: Address, expiry: u64) -> Identity {
    let transport_key = [number; 32];
    let mut statement = account.to_vec();
    statement.extend(Identity::transport_public_key(transport_key));
    statement.extend(expiry.to_be_bytes());
    Identity { account, transport_key, statement }
}

/// A stand-in for the node's verifier, without a signature.
pub(crate) fn verify() -> VerifyStatement {
    Arc::new(|statement: &[u8], key: &[u8; 32], now: u64| {
        let (account, rest) = statement.split_first_chunk::<20>()?;
        let (named, expiry) = rest.split_first_chunk::<32>()?;
        let expiry = u64::from_be_bytes(*expiry.as_array()?);
        (named == key && now < expiry).then(|| Address::from(*account))
    })
}

pub(crate) fn config(carrier: Carrier) -> Config {
    Config {
        listen: vec![carrier.listen()],
        timing: Timing { backoff_first: Duration::from_millis(20), ..Timing::default() },
        ..Config::default()
    }
}

impl Node {
    pub(crate) async fn start(number: u8) -> Self {
        Self::start_with(config(Carrier::Tcp), identity(number)).await
    }

    pub(crate) async fn start_on(carrier: Carrier, number: u8) -> Self {
        Self::start_with(config(carrier), identity(number)).await
    }

    pub(crate) async fn start_with(config: Config, identity: Identity) -> Self {
        let account = identity.account;
        let (net, events) = Net::start(config, identity, verify()).await.unwrap();
        Self { account, net, events }
    }

    pub(crate) fn dial(&self, other: &Self) {
        self.net.add_peer(other.account, other.net.listen_addresses());
    }

    pub(crate) async fn next(&mut self) -> NetEvent {
        within(self.events.recv()).await.expect("the network is running")
    }

    pub(crate) async fn connected(&mut self, other: Address) {
        assert_eq!(self.next().await, NetEvent::Connected { account: other });
    }

    /// Skips frames and returns why the session ended.
    pub(crate) async fn disconnected(&mut self, other: Address) -> DisconnectReason {
        loop {
            match self.next().await {
                NetEvent::Disconnected { account, reason } if account == other => return reason,
                NetEvent::Frame { .. } => {}
                event => panic!("expected the end of {other}, got {event:?}"),
            }
        }
    }

    pub(crate) async fn frame(&mut self, from: Address) -> Bytes {
        match self.next().await {
            NetEvent::Frame { account, bytes } if account == from => bytes,
            event => panic!("expected a frame of {from}, got {event:?}"),
        }
    }

    pub(crate) fn send(&self, to: &Self, frame: &[u8]) {
        self.net.send(to.account, Bytes::copy_from_slice(frame)).unwrap();
    }
}

/// Two friends with a session between them; the first has dialled.
pub(crate) async fn pair(carrier: Carrier) -> (Node, Node) {
    let mut alice = Node::start_on(carrier, 1).await;
    let mut bob = Node::start_on(carrier, 2).await;
    bob.net.set_friends(vec![alice.account]);
    alice.dial(&bob);
    alice.connected(bob.account).await;
    bob.connected(alice.account).await;
    (alice, bob)
}

pub(crate) async fn within<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future).await.expect("it takes no longer than our patience")
}

/// Waits until a condition that no event announces holds.
pub(crate) async fn until(mut condition: impl FnMut() -> bool) {
    within(async {
        while !condition() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
}
