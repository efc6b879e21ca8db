//! One peer that does what it must not.

use std::time::Duration;

use photon_net::{Config, DisconnectReason, NetEvent, Timing};

use crate::{
    common::{Carrier, Node, account, config, identity, pair, statement_for, until},
    raw::Raw,
};

#[tokio::test]
async fn a_statement_about_another_key_is_refused() {
    let mut alice = Node::start(1).await;
    let mut thief = identity(8);
    thief.statement = identity(2).statement;
    let mallory = Node::start_with(config(Carrier::Tcp), thief).await;
    mallory.dial(&alice);
    until(|| alice.net.stats().wrong_statements > 0).await;
    until(|| mallory.net.peers()[0].last_failure.is_some()).await;
    assert_eq!(alice.events.try_recv(), None);
    assert_eq!(alice.net.stats().sessions, 0);
}

#[tokio::test]
async fn an_expired_statement_is_refused() {
    let alice = Node::start(1).await;
    let late = Node::start_with(config(Carrier::Tcp), statement_for(2, account(2), 1)).await;
    late.dial(&alice);
    until(|| alice.net.stats().wrong_statements > 0).await;
    assert_eq!(alice.net.stats().sessions, 0);
}

#[tokio::test]
async fn another_account_than_the_one_dialled_is_refused() {
    let mut alice = Node::start(1).await;
    let mut bob = Node::start(2).await;
    alice.net.add_peer(account(3), bob.net.listen_addresses());
    until(|| alice.net.stats().wrong_accounts > 0).await;
    let failure = alice.net.peers()[0].last_failure.clone().expect("a failure is told");
    assert!(failure.contains(&account(3).to_string()), "{failure}");
    assert_eq!(alice.events.try_recv(), None);
    assert_eq!(bob.events.try_recv(), None);
}

#[tokio::test]
async fn our_own_account_is_refused() {
    let alice = Node::start(1).await;
    let twin = Node::start_with(config(Carrier::Tcp), statement_for(9, account(1), u64::MAX)).await;
    twin.net.add_peer(account(1), alice.net.listen_addresses());
    until(|| alice.net.stats().duplicates + twin.net.stats().duplicates > 0).await;
    assert_eq!(alice.net.stats().sessions, 0);
}

#[tokio::test]
async fn an_oversized_length_ends_the_session_and_is_counted() {
    let (mut alice, mut bob) = pair(Carrier::Tcp).await;
    let mallory = identity(7);
    let mut raw = Raw::connect(&alice.net, &mallory).await;
    raw.greet(&mallory).await;
    alice.connected(mallory.account).await;
    raw.write_frame(b"fine").await;
    assert_eq!(alice.frame(mallory.account).await, "fine");
    raw.write(&[0xff; 100]).await;
    let reason = alice.disconnected(mallory.account).await;
    assert_eq!(reason, DisconnectReason::OversizedFrame);
    assert_eq!(raw.read_frame().await, None);
    assert_eq!(alice.net.stats().oversized_frames, 1);
    bob.send(&alice, b"unharmed");
    assert_eq!(alice.frame(bob.account).await, "unharmed");
    alice.send(&bob, b"unharmed");
    assert_eq!(bob.frame(alice.account).await, "unharmed");
}

#[tokio::test]
async fn garbage_in_the_handshake_is_refused_and_counted() {
    let mut alice = Node::start(1).await;
    let mallory = identity(7);
    let mut huge = Raw::connect(&alice.net, &mallory).await;
    huge.write(&[0xff; 2000]).await;
    let mut nonsense = Raw::connect(&alice.net, &mallory).await;
    nonsense.write_frame(b"let me in").await;
    let mut eager = Raw::connect(&alice.net, &mallory).await;
    eager.write_frame(&mallory.statement).await;
    eager.write_frame(b"a frame before the acceptance").await;
    until(|| {
        let stats = alice.net.stats();
        stats.broken_handshakes >= 2 && stats.wrong_statements == 1
    })
    .await;
    assert_eq!(alice.net.stats().sessions, 0);
    assert_eq!(alice.events.try_recv(), None);
}

#[tokio::test]
async fn who_does_not_prove_an_account_in_time_is_dropped() {
    let timing = Timing { authenticate: Duration::from_millis(300), ..Timing::default() };
    let mut alice = Node::start_with(Config { timing, ..config(Carrier::Tcp) }, identity(1)).await;
    let mallory = identity(7);
    let mut silent = Raw::connect(&alice.net, &mallory).await;
    until(|| alice.net.stats().unproven_dropped > 0).await;
    silent.read_frame().await.expect("the node's statement");
    assert_eq!(silent.read_frame().await, None);
    assert_eq!(alice.events.try_recv(), None);
}

#[tokio::test]
async fn an_endless_slow_frame_ends_the_session() {
    let timing = Timing { frame: Duration::from_millis(500), ..Timing::default() };
    let mut alice = Node::start_with(Config { timing, ..config(Carrier::Tcp) }, identity(1)).await;
    let mallory = identity(7);
    let mut raw = Raw::connect(&alice.net, &mallory).await;
    raw.greet(&mallory).await;
    alice.connected(mallory.account).await;
    raw.write(&[0, 0]).await;
    assert_eq!(alice.disconnected(mallory.account).await, DisconnectReason::SlowFrame);
    assert_eq!(alice.net.stats().slow_frames, 1);
}

#[tokio::test]
async fn a_later_session_of_the_same_account_replaces_the_earlier_one() {
    let mut alice = Node::start(1).await;
    let bob = identity(2);
    let mut first = Raw::connect(&alice.net, &bob).await;
    first.greet(&bob).await;
    alice.connected(bob.account).await;
    let mut second = Raw::connect(&alice.net, &bob).await;
    second.greet(&bob).await;
    assert_eq!(alice.disconnected(bob.account).await, DisconnectReason::Replaced);
    alice.connected(bob.account).await;
    assert_eq!(first.read_frame().await, None);
    second.write_frame(b"the living").await;
    assert_eq!(alice.frame(bob.account).await, "the living");
}

#[tokio::test]
async fn a_peer_that_the_node_finds_fault_with_is_dropped_and_may_come_back() {
    let (mut alice, mut bob) = pair(Carrier::Tcp).await;
    bob.net.drop_peer(alice.account);
    assert_eq!(bob.disconnected(alice.account).await, DisconnectReason::DroppedByUs);
    assert_eq!(bob.net.stats().dropped_by_us, 1);
    alice.disconnected(bob.account).await;
    alice.connected(bob.account).await;
    assert_eq!(bob.next().await, NetEvent::Connected { account: alice.account });
}
