//! Figures of one stream between two nodes in this process: `cargo bench -p photon-net`.
//!
//! Prints frames per second in one direction, and round trips with one and with many frames
//! under way.

#![allow(missing_docs, clippy::unwrap_used, reason = "a bench")]

use std::{
    collections::VecDeque,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use photon_net::{
    Address, Config, Events, Identity, Multiaddr, Net, NetEvent, SendError, VerifyStatement,
};

const PAYLOAD: usize = 200;

struct Node {
    account: Address,
    net: Net,
    events: Events,
}

fn main() {
    // `cargo test --benches` only asks whether it runs.
    let quick = !std::env::args().any(|argument| argument == "--bench");
    let scale = if quick { 1 } else { 100 };
    for threads in [1, 2] {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(threads)
            .enable_all()
            .build()
            .unwrap();
        for (name, listen) in
            [("tcp", "/ip4/127.0.0.1/tcp/0"), ("quic", "/ip4/127.0.0.1/udp/0/quic-v1")]
        {
            println!("{name}, {threads} worker thread(s), {PAYLOAD}-byte frames");
            runtime.block_on(async {
                // On a worker, as in a node, and not on the thread that waits for it.
                tokio::spawn(measure(listen.parse().unwrap(), scale)).await.unwrap();
            });
        }
    }
}

async fn measure(listen: Multiaddr, scale: usize) {
    let mut alice = start(1, &listen).await;
    let mut bob = start(2, &listen).await;
    bob.net.set_friends(vec![alice.account]);
    alice.net.add_peer(bob.account, bob.net.listen_addresses());
    connected(&mut alice.events).await;
    connected(&mut bob.events).await;
    one_way(&alice, &mut bob, 20_000 * scale).await;
    let (net, back) = (bob.net.clone(), alice.account);
    let echo = tokio::spawn(async move { echo(net, bob.events, back).await });
    for window in [1, 16, 256] {
        round_trips(&mut alice, bob.account, window, 100 * window.min(20) * scale).await;
    }
    alice.net.shutdown().await;
    echo.await.unwrap();
}

async fn start(number: u8, listen: &Multiaddr) -> Node {
    let account = Address::repeat_byte(number);
    let identity = Identity { account, transport_key: [number; 32], statement: account.to_vec() };
    let verify: VerifyStatement =
        Arc::new(|statement: &[u8], _: &[u8; 32], _| Address::try_from(statement).ok());
    let config = Config { listen: vec![listen.clone()], ..Config::default() };
    let (net, events) = Net::start(config, identity, verify).await.unwrap();
    Node { account, net, events }
}

async fn connected(events: &mut Events) {
    while !matches!(events.recv().await, Some(NetEvent::Connected { .. })) {}
}

async fn one_way(alice: &Node, bob: &mut Node, count: usize) {
    let frame = Bytes::from(vec![7; PAYLOAD]);
    let (net, peer) = (alice.net.clone(), bob.account);
    let begun = Instant::now();
    tokio::spawn(async move {
        for _ in 0..count {
            net.send_when_ready(peer, frame.clone()).await.unwrap();
        }
    });
    let mut events = Vec::new();
    let mut received = 0;
    while received < count {
        received += bob.events.recv_many(&mut events, 256).await;
        events.clear();
    }
    report("one way", count, begun.elapsed());
}

async fn echo(net: Net, mut events: Events, back: Address) {
    while let Some(event) = events.recv().await {
        match event {
            NetEvent::Frame { bytes, .. } => {
                if net.send_when_ready(back, bytes).await == Err(SendError::NotConnected) {
                    return;
                }
            }
            NetEvent::Disconnected { .. } => return,
            NetEvent::Connected { .. } => {}
        }
    }
}

async fn round_trips(alice: &mut Node, peer: Address, window: usize, count: usize) {
    let frame = Bytes::from(vec![7; PAYLOAD]);
    let mut under_way = VecDeque::new();
    let mut times = Vec::with_capacity(count);
    let begun = Instant::now();
    let mut sent = 0;
    while times.len() < count {
        while under_way.len() < window && sent < count {
            under_way.push_back(Instant::now());
            alice.net.send_when_ready(peer, frame.clone()).await.unwrap();
            sent += 1;
        }
        if matches!(alice.events.recv().await, Some(NetEvent::Frame { .. })) {
            times.push(under_way.pop_front().unwrap().elapsed());
        }
    }
    times.sort_unstable();
    let (p50, p99) = (times[count / 2], times[count * 99 / 100]);
    report(&format!("round trips, window {window}"), count, begun.elapsed());
    println!("    p50 {p50:?}, p99 {p99:?}");
}

fn report(name: &str, count: usize, took: Duration) {
    #[expect(clippy::cast_precision_loss, reason = "for people")]
    let rate = count as f64 / took.as_secs_f64();
    println!("  {name}: {rate:.0}/s");
}
