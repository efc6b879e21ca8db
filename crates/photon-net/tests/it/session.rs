//! Two and three honest nodes.

use std::time::Duration;

use bytes::Bytes;
use photon_net::{Direction, DisconnectReason, Limits, MAX_FRAME, Net, NetEvent, SendError};

use crate::common::{Carrier, Node, account, config, identity, pair, until, verify, within};

async fn frames_cross_in_order(carrier: Carrier) {
    let (mut alice, mut bob) = pair(carrier).await;
    for number in 0..1000_u32 {
        alice.send(&bob, &number.to_be_bytes());
        bob.send(&alice, &(!number).to_be_bytes());
    }
    for number in 0..1000_u32 {
        assert_eq!(bob.frame(alice.account).await, number.to_be_bytes().as_slice());
        assert_eq!(alice.frame(bob.account).await, (!number).to_be_bytes().as_slice());
    }
    alice.net.shutdown().await;
    let reason = bob.disconnected(alice.account).await;
    assert!(matches!(reason, DisconnectReason::ClosedByPeer | DisconnectReason::ConnectionLost));
    assert_eq!(bob.net.send(alice.account, Bytes::new()), Err(SendError::NotConnected));
}

#[tokio::test]
async fn frames_cross_in_order_over_tcp() {
    frames_cross_in_order(Carrier::Tcp).await;
}

#[tokio::test]
async fn frames_cross_in_order_over_quic() {
    frames_cross_in_order(Carrier::Quic).await;
}

async fn a_megabyte_arrives_whole(carrier: Carrier) {
    let (alice, mut bob) = pair(carrier).await;
    let sizes = [0, 1, 100, 5_000, 20_000, MAX_FRAME];
    let frames: Vec<Bytes> = (0..60_u8)
        .map(|number| Bytes::from(vec![number; sizes[usize::from(number) % sizes.len()]]))
        .collect();
    let (net, peer, sent) = (alice.net.clone(), bob.account, frames.clone());
    let sender = tokio::spawn(async move {
        for frame in sent {
            net.send_when_ready(peer, frame).await.unwrap();
        }
    });
    for frame in frames {
        assert_eq!(bob.frame(alice.account).await, frame);
    }
    sender.await.unwrap();
}

#[tokio::test]
async fn a_megabyte_arrives_whole_over_tcp() {
    a_megabyte_arrives_whole(Carrier::Tcp).await;
}

#[tokio::test]
async fn a_megabyte_arrives_whole_over_quic() {
    a_megabyte_arrives_whole(Carrier::Quic).await;
}

#[tokio::test]
async fn a_frame_above_the_limit_is_not_taken() {
    let (alice, bob) = pair(Carrier::Tcp).await;
    let frame = Bytes::from(vec![0; MAX_FRAME + 1]);
    let refused = alice.net.send(bob.account, frame);
    assert_eq!(refused, Err(SendError::TooLarge { length: MAX_FRAME + 1 }));
}

#[tokio::test]
async fn presence_tells_who_is_there_and_who_dialled() {
    let (alice, bob) = pair(Carrier::Tcp).await;
    let peers = alice.net.peers();
    assert_eq!(peers.len(), 1);
    assert_eq!(peers[0].account, bob.account);
    assert!(peers[0].explicit && peers[0].friend);
    let presence = peers[0].presence.clone().expect("bob is there");
    assert_eq!(presence.direction, Direction::Outgoing);
    let peers = bob.net.peers();
    assert!(!peers[0].explicit && peers[0].friend);
    assert_eq!(peers[0].presence.clone().unwrap().direction, Direction::Incoming);
}

#[tokio::test]
async fn three_nodes_talk_and_an_end_concerns_only_one() {
    let (mut alice, mut bob) = pair(Carrier::Tcp).await;
    let mut carol = Node::start_on(Carrier::Quic, 3).await;
    bob.dial(&carol);
    bob.connected(carol.account).await;
    carol.connected(bob.account).await;
    carol.net.shutdown().await;
    bob.disconnected(carol.account).await;
    alice.send(&bob, b"still here");
    assert_eq!(bob.frame(alice.account).await, "still here");
    bob.send(&alice, b"me too");
    assert_eq!(alice.frame(bob.account).await, "me too");
}

/// Within one process the old QUIC socket lingers until its connections have drained.
async fn restart(config: photon_net::Config) -> Node {
    within(async {
        loop {
            if let Ok((net, events)) = Net::start(config.clone(), identity(2), verify()).await {
                return Node { account: account(2), net, events };
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await
}

async fn a_restarted_peer_is_found_again(carrier: Carrier) {
    let (mut alice, bob) = pair(carrier).await;
    let mut restarted = config(carrier);
    restarted.listen = bob.net.listen_addresses();
    bob.net.shutdown().await;
    alice.disconnected(bob.account).await;
    drop(bob);
    let mut bob = restart(restarted).await;
    alice.connected(bob.account).await;
    bob.connected(alice.account).await;
    alice.send(&bob, b"again");
    assert_eq!(bob.frame(alice.account).await, "again");
}

#[tokio::test]
async fn a_restarted_peer_is_found_again_over_tcp() {
    a_restarted_peer_is_found_again(Carrier::Tcp).await;
}

#[tokio::test]
async fn a_restarted_peer_is_found_again_over_quic() {
    a_restarted_peer_is_found_again(Carrier::Quic).await;
}

/// Waits until the last word about `other` is that it is connected, and nothing is under way.
async fn settled(node: &mut Node, other: &Node) {
    until(|| node.net.is_connected(other.account)).await;
    let mut up = false;
    while let Some(event) = node.events.try_recv() {
        match event {
            NetEvent::Connected { .. } => {
                assert!(!up, "connected twice without an end between");
                up = true;
            }
            NetEvent::Disconnected { .. } => {
                assert!(up, "an end without a beginning");
                up = false;
            }
            NetEvent::Frame { .. } => {}
        }
    }
}

async fn dialling_each_other_leaves_one_session(carrier: Carrier) {
    for round in 0..10_u8 {
        let mut alice = Node::start_on(carrier, 1).await;
        let mut bob = Node::start_on(carrier, 2).await;
        alice.dial(&bob);
        bob.dial(&alice);
        let direction = |node: &Node| {
            node.net.peers().first().and_then(|peer| peer.presence.clone()).map(|up| up.direction)
        };
        // One and the same connection: outgoing for the one, incoming for the other.
        until(|| {
            matches!(
                (direction(&alice), direction(&bob)),
                (Some(Direction::Outgoing), Some(Direction::Incoming))
                    | (Some(Direction::Incoming), Some(Direction::Outgoing))
            )
        })
        .await;
        settled(&mut alice, &bob).await;
        settled(&mut bob, &alice).await;
        let marker = [round; 8];
        within(async {
            // A frame may fall to a session that is being replaced; whoever sends resumes then.
            let mut sent = tokio::time::interval(Duration::from_millis(20));
            loop {
                tokio::select! {
                    event = bob.events.recv() => {
                        if matches!(event, Some(NetEvent::Frame { .. })) {
                            return;
                        }
                    }
                    _ = sent.tick() => {
                        let _ = alice.net.send(bob.account, Bytes::copy_from_slice(&marker));
                    }
                }
            }
        })
        .await;
    }
}

#[tokio::test]
async fn dialling_each_other_leaves_one_session_over_tcp() {
    dialling_each_other_leaves_one_session(Carrier::Tcp).await;
}

#[tokio::test]
async fn dialling_each_other_leaves_one_session_over_quic() {
    dialling_each_other_leaves_one_session(Carrier::Quic).await;
}

#[tokio::test]
async fn a_slow_receiver_holds_back_its_sender_and_nobody_else() {
    let mut alice = Node::start(1).await;
    let limits = Limits { event_queue: 16, ..Limits::default() };
    let mut bob =
        Node::start_with(photon_net::Config { limits, ..config(Carrier::Tcp) }, identity(2)).await;
    let mut carol = Node::start(3).await;
    for peer in [&mut bob, &mut carol] {
        peer.net.set_friends(vec![alice.account]);
        alice.dial(peer);
        alice.connected(peer.account).await;
        peer.connected(alice.account).await;
    }
    // Bob does not take anything: in the end alice's queue for him stays full.
    let payload = vec![0; 32 * 1024];
    let mut sent = 0_u64;
    let numbered = |number: u64| Bytes::from([&number.to_be_bytes(), payload.as_slice()].concat());
    let mut refusals = 0;
    within(async {
        while refusals < 50 {
            match alice.net.send(bob.account, numbered(sent)) {
                Ok(()) => {
                    sent += 1;
                    refusals = 0;
                }
                Err(SendError::Full) => {
                    refusals += 1;
                    alice.send(&carol, b"meanwhile");
                    assert_eq!(carol.frame(alice.account).await, "meanwhile");
                }
                Err(error) => panic!("{error}"),
            }
        }
    })
    .await;
    // Once he does, everything is there, in order.
    for number in 0..sent {
        assert_eq!(bob.frame(alice.account).await, numbered(number));
    }
}

#[tokio::test]
async fn a_busy_peer_takes_no_more_than_its_share_of_the_queue() {
    const FLOOD: u32 = 5_000;
    let mut alice = Node::start(1).await;
    let mut carol = Node::start(3).await;
    let mut bob = Node::start(2).await;
    bob.net.set_friends(vec![alice.account, carol.account]);
    for peer in [&mut alice, &mut carol] {
        peer.dial(&bob);
        peer.connected(bob.account).await;
        bob.connected(peer.account).await;
    }
    for number in 0..FLOOD {
        let frame = Bytes::copy_from_slice(&number.to_be_bytes());
        within(alice.net.send_when_ready(bob.account, frame)).await.unwrap();
    }
    carol.send(&bob, b"between");
    // Bob has not taken anything: alice's share (of 512 KiB, 512 bytes each) is full.
    until(|| bob.net.stats().frames_received >= 1026).await;
    let mut before = 0;
    while let NetEvent::Frame { account, .. } = bob.next().await
        && account != carol.account
    {
        before += 1;
    }
    assert!(before <= 1024, "{before} frames of alice came before carol's");
    for _ in before..FLOOD {
        bob.frame(alice.account).await;
    }
}

#[tokio::test]
async fn a_removed_peer_is_let_go_and_not_dialled_again() {
    let (mut alice, mut bob) = pair(Carrier::Tcp).await;
    alice.net.remove_peer(bob.account);
    assert_eq!(alice.disconnected(bob.account).await, DisconnectReason::DroppedByUs);
    bob.disconnected(alice.account).await;
    assert!(alice.net.peers().is_empty());
}

#[tokio::test]
async fn the_end_of_the_handle_is_the_end_of_the_network() {
    let (alice, mut bob) = pair(Carrier::Tcp).await;
    let Node { net, mut events, account } = alice;
    drop(net);
    assert_eq!(within(events.recv()).await, None);
    bob.disconnected(account).await;
}
