//! Peers that do not play by the rules.

use crate::town::{PATIENCE, Town, eventually, is_paid, request};
use photon_core::view::{PaymentStatus, Target};
use photon_net::{Events, Identity, Multiaddr, Net, NetEvent};
use photon_node::handle::{How, OpenRequest, PayWay, Payee};
use photon_node::{Node, NodeHandle};
use photon_wire::claim::{Claim, Domain, TransportKey};
use photon_wire::codec::Encode;
use photon_wire::message::{ChannelStatus, Hello, Message, VERSION};
use photon_wire::{Address, Amount, ChannelKey, Nonce, SigningKey, Timestamp};
use std::sync::Arc;
use std::time::Instant;
use tokio::time::timeout;

/// A peer that only speaks the transport: what it says is up to the test.
struct Stranger {
    net: Net,
    events: Events,
    victim: Address,
}

impl Stranger {
    async fn visit(town: &Town, number: u8, node: &Node) -> Self {
        let key = SigningKey::from_bytes(&[number; 32]).unwrap();
        let seed = [number; 32];
        let domain = town.network().domain();
        let identity = Identity {
            account: key.address(),
            transport_key: seed,
            statement: statement(&key, seed, &domain),
        };
        let victim = node.handle().account();
        let (net, events) = Net::start(
            photon_net::Config::default(),
            identity,
            Arc::new(move |_, _, _| Some(victim)),
        )
        .await
        .unwrap();
        let address: Multiaddr = node.handle().listen_addresses()[0].parse().unwrap();
        net.add_peer(victim, vec![address]);
        let mut stranger = Self { net, events, victim };
        assert_eq!(stranger.next().await, Some(NetEvent::Connected { account: victim }));
        stranger
    }

    async fn next(&mut self) -> Option<NetEvent> {
        timeout(PATIENCE, self.events.recv()).await.expect("the node answers")
    }

    fn say(&self, frame: Vec<u8>) {
        self.net.send(self.victim, frame.into()).unwrap();
    }

    fn hello(&self, town: &Town) -> Hello {
        let network = town.network();
        Hello { version: VERSION, chain_id: network.chain_id, contract: network.contract }
    }

    async fn is_dropped(&mut self) {
        loop {
            match self.next().await {
                Some(NetEvent::Disconnected { .. }) | None => return,
                Some(NetEvent::Connected { .. } | NetEvent::Frame { .. }) => {}
            }
        }
    }
}

/// The bytes of a transport statement, made by hand: another program would make the same.
fn statement(key: &SigningKey, seed: [u8; 32], domain: &Domain) -> Vec<u8> {
    let claim = TransportKey {
        account: key.address(),
        transport_key: Identity::transport_public_key(seed),
        valid_until: Timestamp(u64::MAX),
    };
    let mut bytes = vec![1];
    domain.chain_id().encode(&mut bytes);
    domain.contract().encode(&mut bytes);
    claim.account.encode(&mut bytes);
    claim.transport_key.encode(&mut bytes);
    claim.valid_until.encode(&mut bytes);
    key.sign(claim.digest(domain)).encode(&mut bytes);
    bytes
}

/// Opens a channel with the stranger of this number, who is away.
async fn befriend(town: &Town, number: u8, node: &NodeHandle, deposit: u128) -> Address {
    let partner = SigningKey::from_bytes(&[number; 32]).unwrap().address();
    let request = OpenRequest {
        token: town.token,
        partner,
        settle_timeout: None,
        deposit: Amount(deposit),
        how: How::default(),
        wait: Some(PATIENCE),
    };
    node.open_channel(request).await.unwrap();
    partner
}

async fn counted(handle: &NodeHandle, count: impl Fn(photon_node::handle::Counters) -> u64) {
    eventually(async || {
        let counters = handle.status().await.unwrap().counters;
        (count(counters) > 0).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn garbage_costs_its_sender_the_session_and_nobody_else_anything() {
    let town = Town::new().await;
    let node_a = town.node(0, &[]).await;
    let node_b = town.node(1, &[&node_a]).await;
    let (a, b) = (node_a.handle(), node_b.handle());
    town.open(&a, &b, 100).await;

    let mut other_network = Stranger::visit(&town, 31, &node_a).await;
    let hello = Hello { chain_id: 4, ..other_network.hello(&town) };
    other_network.say(Message::Hello(hello).to_bytes());
    other_network.is_dropped().await;
    counted(&a, |counters| counters.hellos_refused).await;

    let mut babbler = Stranger::visit(&town, 32, &node_a).await;
    babbler.say(Message::Hello(babbler.hello(&town)).to_bytes());
    babbler.say(vec![8, 0xff, 0xff, 1, 2, 3]);
    babbler.is_dropped().await;
    counted(&a, |counters| counters.garbage_refused).await;

    let partner = befriend(&town, 34, &a, 0).await;
    let polite = Stranger::visit(&town, 34, &node_a).await;
    for _ in 0..3 {
        polite.say(Message::Hello(polite.hello(&town)).to_bytes());
    }
    let is_online = async || a.status().await.unwrap().online.contains(&partner);
    eventually(async || is_online().await.then_some(())).await;
    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    assert!(is_online().await, "who greets again after a change of sessions is no babbler");
    for _ in 0..20 {
        polite.say(Message::Hello(polite.hello(&town)).to_bytes());
    }
    eventually(async || (!is_online().await).then_some(())).await;

    let talker = Stranger::visit(&town, 33, &node_a).await;
    talker.say(Message::Hello(talker.hello(&town)).to_bytes());
    talker.say(vec![3; 1_000]);
    counted(&a, |counters| counters.strangers_ignored).await;

    assert!(is_paid(&town.pay(&a, &b, 1, PayWay::Any).await.unwrap()));
    assert!(is_paid(&town.pay(&b, &a, 1, PayWay::Locked).await.unwrap()));
    for stranger in [other_network, babbler, polite, talker] {
        stranger.net.shutdown().await;
    }
    node_a.shutdown().await;
    node_b.shutdown().await;
    town.chain.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_waits_for_a_silent_payee_is_answered_when_the_node_stops() {
    let town = Town::new().await;
    let node_a = town.node(0, &[]).await;
    let a = node_a.handle();
    let account = befriend(&town, 41, &a, 100).await;
    let silent = Stranger::visit(&town, 41, &node_a).await;
    silent.say(Message::Hello(silent.hello(&town)).to_bytes());
    eventually(async || a.status().await.unwrap().online.contains(&account).then_some(())).await;
    let key = ChannelKey::new(town.token, a.account(), account).unwrap();
    let status = ChannelStatus {
        channel: key.id(),
        epoch: a.channel(key.id()).await.unwrap().unwrap().epoch,
        sent: Nonce(0),
        received: Nonce(0),
        asks: false,
    };
    silent.say(Message::Reestablish(vec![status]).to_bytes());

    let target = Target { token: town.token, account, amount: Amount(1) };
    let caller = a.clone();
    let waiting =
        tokio::spawn(
            async move { caller.pay(request(Payee::Account(target), PayWay::Direct)).await },
        );
    eventually(async || (a.status().await.unwrap().pending_payments > 0).then_some(())).await;
    let begin = Instant::now();
    node_a.shutdown().await;
    let payment = waiting.await.unwrap().unwrap();
    assert_eq!(payment.status, PaymentStatus::Pending);
    assert!(begin.elapsed() < PATIENCE / 3, "{:?}", begin.elapsed());
    silent.net.shutdown().await;
    town.chain.shutdown().await;
}
