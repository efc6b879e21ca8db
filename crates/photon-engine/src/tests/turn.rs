use super::world::*;
use crate::store::Failure;
use crate::{Action, Engine, Fault};
use photon_core::{Answer, Input, Rejection, SignedMessage};
use photon_wire::codec::Decode;
use photon_wire::message::{Acknowledge, ChannelStatus, Message};
use photon_wire::{Address, Epoch, Nonce, Signature};

fn frames(actions: &[Action]) -> Vec<Vec<u8>> {
    let frames = actions.iter().filter_map(|action| match action {
        Action::Send { frames, .. } => Some(frames.clone()),
        Action::Submit(_) | Action::Notify { .. } => None,
    });
    frames.flatten().collect()
}

fn updates(actions: &[Action]) -> Vec<Vec<u8>> {
    let is_update = |frame: &Vec<u8>| matches!(Message::from_bytes(frame), Ok(Message::Update(_)));
    frames(actions).into_iter().filter(is_update).collect()
}

fn says(from: Address, message: Message) -> Input {
    Input::Message(SignedMessage { from, message, signer: None, opened: Vec::new() })
}

#[test]
fn an_uncommitted_draft_leaves_no_trace() {
    let mut world = World::new();
    world.begin();
    let [_, bob] = world.accounts();
    let node = &mut world.nodes[0];
    let before = offline(node.machine());
    node.engine().step(paying(&pay(1, bob, 100))).unwrap().unwrap();
    let draft = node.engine().draft().unwrap();
    assert_eq!(draft.digests().len(), 1);
    drop(draft);
    node.restart();
    assert_eq!(offline(node.machine()), before);
    assert_eq!(node.engine().history().payment(id(1)).unwrap(), None);
}

#[test]
fn an_update_is_sent_again_byte_for_byte() {
    let mut world = World::new();
    world.begin();
    let [_, bob] = world.accounts();
    let channel = world.channel();
    let node = &mut world.nodes[0];
    let mut sent = Vec::new();
    for number in 1..=3 {
        node.engine().step(paying(&pay(number, bob, 100))).unwrap().unwrap();
        let draft = node.engine().draft().unwrap();
        // No key would make this signature again.
        let signatures = vec![Signature([number; 65])];
        let actions: Vec<_> = node.engine().commit(draft, signatures).unwrap().collect();
        sent.extend(updates(&actions));
    }
    assert_eq!(sent.len(), 3);
    node.restart();
    node.turn(vec![Input::Connected(bob)]).unwrap();
    for received in [0, 1, 2, 3] {
        let status = ChannelStatus {
            channel,
            epoch: Epoch(1),
            sent: Nonce(0),
            received: Nonce(received),
            asks: false,
        };
        let actions = node.turn(vec![says(bob, Message::Reestablish(vec![status]))]).unwrap();
        assert_eq!(updates(&actions), sent[usize::try_from(received).unwrap()..]);
    }
}

#[test]
fn who_asks_often_within_a_turn_is_told_once() {
    let mut world = World::new();
    world.begin();
    let [_, bob] = world.accounts();
    let channel = world.channel();
    let node = &mut world.nodes[0];
    for number in 1..=3 {
        node.turn(vec![paying(&pay(number, bob, 100))]).unwrap();
    }
    let asks = |received| {
        let status = ChannelStatus {
            channel,
            epoch: Epoch(1),
            sent: Nonce(0),
            received: Nonce(received),
            asks: false,
        };
        says(bob, Message::Reestablish(vec![status]))
    };
    let actions = node.turn((0..500).map(|_| asks(1)).collect()).unwrap();
    assert_eq!(updates(&actions).len(), 2);
}

#[test]
fn a_failed_commit_stops_the_engine_and_the_next_start_knows_which_it_was() {
    for failure in [Failure::Before, Failure::After] {
        let mut world = World::new();
        world.begin();
        let [_, bob] = world.accounts();
        let node = &mut world.nodes[0];
        node.engine().store().fail_next(failure);
        let fault = node.turn(vec![paying(&pay(1, bob, 100))]).unwrap_err();
        assert!(matches!(fault, Fault::DiskFull { .. }), "{fault}");
        assert!(matches!(node.engine().step(paying(&pay(2, bob, 1))), Err(Fault::Poisoned)));
        assert!(matches!(node.engine().draft(), Err(Fault::Poisoned)));
        node.restart();
        let stored = node.engine().history().payment(id(1)).unwrap();
        assert_eq!(stored.is_some(), failure == Failure::After);
        world.follow_chain(0);
        world.connect();
        world.settle();
        world.turn(0, vec![paying(&pay(1, bob, 100))]);
        world.settle();
        let paid = world.status(0, id(1));
        assert_eq!(paid, Some(photon_core::view::PaymentStatus::Paid { proof: None }));
    }
}

#[test]
fn a_draft_that_is_not_committed_stops_the_engine() {
    let mut world = World::new();
    world.begin();
    let [_, bob] = world.accounts();
    let channel = world.channel();
    let node = &mut world.nodes[0];
    node.engine().step(paying(&pay(1, bob, 100))).unwrap().unwrap();
    drop(node.engine().draft().unwrap());
    let lost = node.engine().step(paying(&pay(2, bob, 100)));
    assert!(matches!(lost, Err(Fault::LostDraft { .. })));
    assert!(matches!(node.engine().step(paying(&pay(2, bob, 100))), Err(Fault::Poisoned)));

    node.restart();
    node.turn(vec![Input::Connected(bob), introduces(bob, channel)]).unwrap();
    node.engine().step(paying(&pay(1, bob, 100))).unwrap().unwrap();
    let draft = node.engine().draft().unwrap();
    let unsigned = node.engine().commit(draft, Vec::new());
    assert!(matches!(unsigned, Err(Fault::Signatures { expected: 1, got: 0 })));
    assert!(matches!(node.engine().draft(), Err(Fault::Poisoned)));
}

#[test]
fn a_turn_without_anything_needs_no_commit() {
    let mut world = World::new();
    world.begin();
    let node = &mut world.nodes[0];
    let draft = node.engine().draft().unwrap();
    assert!(draft.is_empty());
    drop(draft);
    assert_eq!(node.turn(Vec::new()).unwrap(), []);
}

#[test]
fn a_payment_that_ended_in_this_turn_is_not_made_again_in_it() {
    let mut world = World::new();
    world.begin();
    let [_, bob] = world.accounts();
    let (channel, epoch) = (world.channel(), Epoch(1));
    let node = &mut world.nodes[0];
    node.turn(vec![paying(&pay(1, bob, 100))]).unwrap();
    let acknowledge = Acknowledge { channel, epoch, nonce: Nonce(1) };
    node.engine().step(says(bob, Message::Acknowledge(acknowledge))).unwrap().unwrap();
    assert!(node.machine().payment(id(1)).is_none());
    let again = node.engine().step(paying(&pay(1, bob, 100))).unwrap();
    assert_eq!(again, Ok(Answer::Payment(id(1))));
    let actions = node.turn(Vec::new()).unwrap();
    assert_eq!(updates(&actions), Vec::<Vec<u8>>::new());
}

/// A-B-C: A pays C's invoice a second time. B knows the secret from the first, and keeps it.
#[test]
fn an_invoice_that_was_paid_is_never_paid_again() {
    let mut world = World::new();
    world.begin();
    let [_, bob] = world.accounts();
    let (invoice, secret) = invoice(&world.nodes[1].key, 50, 300);
    let node = &mut world.nodes[0];
    node.turn(vec![paying(&pay_invoice(1, &invoice))]).unwrap();
    node.engine().step(says(bob, Message::Reveal(vec![secret]))).unwrap().unwrap();
    let refused = Err(Rejection::PaymentExists { payment: id(1) });
    let again =
        |node: &mut Node, name| node.engine().step(paying(&pay_invoice(name, &invoice))).unwrap();
    assert_eq!(again(node, 2), refused, "within the turn in which it was paid");
    node.turn(Vec::new()).unwrap();
    assert_eq!(again(node, 2), refused, "in a later turn");
    node.restart();
    assert_eq!(again(node, 2), refused, "after a restart");
    assert_eq!(again(node, 1), Ok(Answer::Payment(id(1))), "the same name is the same payment");
}

#[test]
fn one_account_may_send_many_frames_but_is_one_action() {
    let mut world = World::new();
    world.begin();
    let [_, bob] = world.accounts();
    let many = (1..=200).map(|number| paying(&pay(number, bob, 1))).collect();
    let actions = world.nodes[0].turn(many).unwrap();
    let sends = actions.iter().filter(|action| matches!(action, Action::Send { .. })).count();
    assert_eq!(sends, 1);
    assert_eq!(updates(&actions).len(), 1);
}

#[test]
fn a_store_is_for_one_process_one_account_and_one_network() {
    let mut world = World::new();
    world.begin();
    let [alice, bob] = world.accounts();
    let path = world.nodes[0].path().to_path_buf();
    let fault = Engine::open(&path, config(alice)).unwrap_err();
    assert!(matches!(fault, Fault::InUse { .. }) && fault.is_transient(), "{fault}");
    world.nodes[0].stop();
    let fault = Engine::open(&path, config(bob)).unwrap_err();
    assert!(matches!(fault, Fault::OtherAccount { .. }), "{fault}");
    let other = photon_wire::claim::Domain::new(1, domain().contract());
    let elsewhere = photon_core::Config { domain: other, ..config(alice) };
    let fault = Engine::open(&path, elsewhere).unwrap_err();
    assert!(matches!(fault, Fault::OtherNetwork { .. }), "{fault}");
    assert!(fault.to_string().contains("chain 1337"), "{fault}");
    Engine::open(&path, config(alice)).unwrap();
}

/// Put back from an older copy together with what remembers its commits, a store looks whole. Only
/// the partner knows that more was signed.
#[test]
fn nothing_is_signed_before_the_partner_has_said_where_it_stands() {
    let mut world = World::new();
    world.begin();
    let [_, bob] = world.accounts();
    let channel = world.channel();
    let node = &mut world.nodes[0];
    node.restart();
    node.turn(vec![Input::Connected(bob)]).unwrap();
    let refused = node.engine().step(paying(&pay(1, bob, 100))).unwrap();
    assert_eq!(refused, Err(Rejection::ChannelBusy { channel }));
    let received = Nonce(3);
    let status = ChannelStatus { channel, epoch: Epoch(1), sent: Nonce(0), received, asks: false };
    node.turn(vec![says(bob, Message::Reestablish(vec![status]))]).unwrap();
    let refused = node.engine().step(paying(&pay(1, bob, 100))).unwrap();
    assert_eq!(refused, Err(Rejection::NoChannels { token: TOKEN }));
    let view = node.machine().channel(channel).unwrap();
    assert_eq!(view.state, photon_core::view::ChannelState::Stopped);
}
