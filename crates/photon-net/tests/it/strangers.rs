//! Many strangers at once: friends must not notice.

use std::time::Duration;

use photon_net::{Config, DisconnectReason, Limits, Timing};
use tokio::io::AsyncWriteExt as _;

use crate::{
    common::{Carrier, Node, account, config, identity, until, within},
    raw::Raw,
};

/// A node with room for so many strangers and a friend who has a session with it.
async fn crowded(strangers: usize, grace: Duration) -> (Node, Node) {
    let limits = Limits { strangers, ..Limits::default() };
    let timing = Timing { stranger_grace: grace, ..config(Carrier::Tcp).timing };
    let mut alice =
        Node::start_with(Config { limits, timing, ..config(Carrier::Tcp) }, identity(1)).await;
    let mut friend = Node::start(2).await;
    alice.net.set_friends(vec![friend.account, account(3)]);
    friend.dial(&alice);
    alice.connected(friend.account).await;
    friend.connected(alice.account).await;
    (alice, friend)
}

async fn greeted(alice: &mut Node, number: u8) -> Raw {
    let stranger = identity(number);
    let mut raw = Raw::connect(&alice.net, &stranger).await;
    raw.greet(&stranger).await;
    alice.connected(stranger.account).await;
    raw
}

#[tokio::test]
async fn a_full_room_refuses_strangers_and_lets_friends_in() {
    let (mut alice, mut friend) = crowded(3, Duration::from_secs(600)).await;
    let mut inside = Vec::new();
    for number in 10..13 {
        inside.push(greeted(&mut alice, number).await);
    }
    let late = identity(13);
    let mut raw = Raw::connect(&alice.net, &late).await;
    raw.write_frame(&late.statement).await;
    raw.read_frame().await.expect("the node's statement");
    assert_eq!(raw.read_frame().await, None);
    assert_eq!(alice.net.stats().strangers_refused, 1);
    let mut other_friend = Node::start(3).await;
    other_friend.dial(&alice);
    other_friend.connected(alice.account).await;
    alice.connected(other_friend.account).await;
    friend.send(&alice, b"as ever");
    assert_eq!(alice.frame(friend.account).await, "as ever");
    alice.send(&friend, b"as ever");
    assert_eq!(friend.frame(alice.account).await, "as ever");
}

#[tokio::test]
async fn an_idle_stranger_makes_room_for_another() {
    let (mut alice, _friend) = crowded(2, Duration::ZERO).await;
    let first = greeted(&mut alice, 10).await;
    let _second = greeted(&mut alice, 11).await;
    let third = identity(12);
    let mut raw = Raw::connect(&alice.net, &third).await;
    raw.greet(&third).await;
    let mut events = vec![alice.next().await, alice.next().await];
    events.sort_by_key(|event| format!("{event:?}"));
    let expected = [
        photon_net::NetEvent::Connected { account: account(12) },
        photon_net::NetEvent::Disconnected {
            account: account(10),
            reason: DisconnectReason::Evicted,
        },
    ];
    assert_eq!(events, expected);
    drop(first);
}

#[tokio::test]
async fn unproven_connections_crowd_out_each_other_and_not_a_friend() {
    let limits = Limits { unproven: 4, connections_per_peer: 100, ..Limits::default() };
    let mut alice = Node::start_with(Config { limits, ..config(Carrier::Tcp) }, identity(1)).await;
    let mut friend = Node::start(2).await;
    alice.net.set_friends(vec![friend.account]);
    friend.dial(&alice);
    alice.connected(friend.account).await;
    friend.connected(alice.account).await;
    let stranger = identity(10);
    let mut silent = Vec::new();
    for _ in 0..20 {
        silent.push(Raw::connect(&alice.net, &stranger).await);
    }
    until(|| alice.net.stats().unproven_dropped >= 16).await;
    friend.send(&alice, b"as ever");
    assert_eq!(alice.frame(friend.account).await, "as ever");
    // A friend who comes anew gets through as well.
    friend.net.drop_peer(alice.account);
    alice.disconnected(friend.account).await;
    alice.connected(friend.account).await;
}

#[tokio::test]
async fn one_key_gets_few_connections() {
    let alice = Node::start(1).await;
    let stranger = identity(10);
    let mut kept = Vec::new();
    for _ in 0..4 {
        kept.push(Raw::connect(&alice.net, &stranger).await);
    }
    let address = alice.net.listen_addresses()[0].clone();
    let refused = Raw::try_connect(address, alice.net.local_peer_id(), &stranger).await;
    assert!(refused.is_none());
    until(|| alice.net.stats().refused_per_peer > 0).await;
}

#[tokio::test]
async fn a_flood_of_a_stranger_is_read_slowly_and_that_of_a_friend_is_not() {
    let limits =
        Limits { stranger_burst: 100 * 1024, stranger_bytes_per_second: 1024, ..Limits::default() };
    let mut alice = Node::start_with(Config { limits, ..config(Carrier::Tcp) }, identity(1)).await;
    let mut raw = greeted(&mut alice, 10).await;
    let mut friend = Node::start(2).await;
    alice.net.set_friends(vec![friend.account]);
    friend.dial(&alice);
    alice.connected(friend.account).await;
    friend.connected(alice.account).await;
    let flood = vec![1; 60 * 1024];
    raw.write_frame(&flood).await;
    assert_eq!(alice.frame(account(10)).await, flood);
    raw.write_frame(&flood).await;
    // The stranger's second frame is held back for many seconds; the friend's megabytes pass it.
    for _ in 0..50 {
        let frame = bytes::Bytes::from(vec![2; 60 * 1024]);
        within(friend.net.send_when_ready(alice.account, frame.clone())).await.unwrap();
        assert_eq!(alice.frame(friend.account).await, frame);
    }
}

#[tokio::test]
async fn a_stranger_who_says_nothing_is_dropped() {
    let timing = Timing { stranger_idle: Duration::from_millis(200), ..Timing::default() };
    let mut alice = Node::start_with(Config { timing, ..config(Carrier::Tcp) }, identity(1)).await;
    let _raw = greeted(&mut alice, 10).await;
    assert_eq!(alice.disconnected(account(10)).await, DisconnectReason::Idle);
    assert_eq!(alice.net.stats().strangers_dropped, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_connections_of_strangers_do_not_hurt_a_friend() {
    const CONNECTIONS: usize = 10_000;
    const AT_ONCE: usize = 400;
    let limits = Limits { pending_incoming: 64, ..Limits::default() };
    let mut alice = Node::start_with(Config { limits, ..config(Carrier::Tcp) }, identity(1)).await;
    let mut friend = Node::start(2).await;
    alice.net.set_friends(vec![friend.account, account(3)]);
    friend.net.set_friends(vec![alice.account]);
    friend.dial(&alice);
    alice.connected(friend.account).await;
    friend.connected(alice.account).await;
    let Some(address) = socket_address(&alice) else { panic!("alice listens on TCP") };
    // Some say nothing, some say nonsense; each stays until it is thrown out or makes room.
    let flood = tokio::spawn(async move {
        let mut open = std::collections::VecDeque::new();
        for number in 0..CONNECTIONS {
            let Ok(mut stream) = tokio::net::TcpStream::connect(address).await else { continue };
            if number % 2 == 0 {
                let _ = stream.write_all(&[0xa5; 200]).await;
            }
            open.push_back(stream);
            if open.len() > AT_ONCE {
                open.pop_front();
            }
        }
    });
    let mut slowest = Duration::ZERO;
    let mut rounds = 0_u32;
    while !flood.is_finished() || rounds < 100 {
        let begun = std::time::Instant::now();
        friend.send(&alice, b"ping");
        assert_eq!(alice.frame(friend.account).await, "ping");
        alice.send(&friend, b"pong");
        assert_eq!(friend.frame(alice.account).await, "pong");
        slowest = slowest.max(begun.elapsed());
        rounds += 1;
    }
    println!("{rounds} round trips meanwhile, the slowest {slowest:?}; {:?}", alice.net.stats());
    let stats = alice.net.stats();
    assert!(stats.refused_before_handshake > 0, "{stats:?}");
    assert!(stats.broken_handshakes > 0, "{stats:?}");
    // A friend who was away gets in.
    let mut other_friend = Node::start(3).await;
    other_friend.dial(&alice);
    other_friend.connected(alice.account).await;
    alice.connected(other_friend.account).await;
}

fn socket_address(node: &Node) -> Option<std::net::SocketAddr> {
    let address = node.net.listen_addresses().first()?.to_string();
    let mut parts = address.split('/').skip(2).step_by(2);
    format!("{}:{}", parts.next()?, parts.next()?).parse().ok()
}
