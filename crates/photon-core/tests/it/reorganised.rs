//! What the chain says before it is deep enough, and what it takes back after it was.

use crate::world::{SETTLE_TIMEOUT, START, World, account, calls, channel};
use photon_core::view::{ChannelState, NoticeKind, PaymentStatus};
use photon_core::{Command, Input};
use photon_wire::contract::{Call, Event, Position};
use photon_wire::registry::RegistryTree;
use photon_wire::{
    Amount, BlockNumber, ChannelKey, Epoch, Locksroot, Nonce, Seconds, Secret, Timestamp,
};

fn closed(world: &World) -> Event {
    let (channel, epoch, closer) = (channel('A', 'B'), Epoch(1), account('B'));
    let update_until = Timestamp(world.time + SETTLE_TIMEOUT);
    Event::ChannelClosed { channel, epoch, closer, update_until }
}

fn see(world: &mut World, who: char, event: Event) -> BlockNumber {
    let block = BlockNumber(world.block().0 + 1);
    let position = Position { block, time: Timestamp(world.time + 1), index: 0 };
    world.give(who, Input::Seen(position, event)).unwrap();
    block
}

fn state(world: &World, who: char) -> ChannelState {
    world.nodes[&who].machine.channel(channel('A', 'B')).unwrap().state
}

fn opened() -> World {
    let mut world = World::new("AB");
    world.open('A', 100, 'B', 0);
    world
}

#[test]
fn a_closing_that_is_only_seen_stops_updates_and_one_that_vanishes_starts_them_again() {
    let mut world = opened();
    let closed = closed(&world);
    let block = see(&mut world, 'B', closed.clone());
    let payment = world.pay('A', 'B', 30, false).unwrap();
    world.run();
    assert_eq!(world.status('A', payment), PaymentStatus::Pending, "B takes no updates");
    assert_eq!(state(&world, 'B'), ChannelState::Closing);
    world.give('B', Input::Unseen { from: block }).unwrap();
    assert_eq!(state(&world, 'B'), ChannelState::Open);
    world.mine(1);
    world.run();
    assert_eq!(world.status('A', payment), PaymentStatus::Paid { proof: None });
    assert!(calls(&world, 'B').is_empty(), "nothing was told to the contract");
}

/// Nothing of it was durable: a node that starts again has seen nothing.
#[test]
fn what_was_only_seen_is_not_kept() {
    let mut world = opened();
    let closed = closed(&world);
    see(&mut world, 'B', closed);
    world.restart('B');
    assert_eq!(state(&world, 'B'), ChannelState::Open);
}

#[test]
fn a_closing_seen_first_and_then_told_begins_the_dispute() {
    let mut world = opened();
    world.pay('A', 'B', 30, false).unwrap();
    world.run();
    let closed = closed(&world);
    see(&mut world, 'A', closed.clone());
    world.event(closed);
    assert!(matches!(state(&world, 'A'), ChannelState::Closed { .. }));
}

/// A-B: B's registration is seen, not deep enough. A learns the secret, and does not take the lock
/// back, whatever the time.
#[test]
fn a_registration_that_is_only_seen_shows_the_secret() {
    let mut world = opened();
    world.lose = vec!["Reveal"];
    let payment = world.pay('A', 'B', 20, true).unwrap();
    world.run();
    let secrets = vec![Secret([9; 32])];
    let root = RegistryTree::new(secrets.iter().map(Secret::hash)).unwrap().root();
    see(&mut world, 'A', Event::SecretsRegistered { root, secrets });
    world.run();
    assert!(matches!(world.status('A', payment), PaymentStatus::Paid { .. }));
    assert_eq!(world.balances('A', 'B'), "80/20");
}

/// A-B-C, late: B pays C only for a registration that is deep enough.
#[test]
fn a_late_registration_that_is_only_seen_pays_nobody() {
    let mut world = World::new("ABC");
    world.open('A', 100, 'B', 0);
    world.open('B', 80, 'C', 0);
    world.lose = vec!["Reveal"];
    world.pay('A', 'C', 20, false).unwrap();
    world.run();
    world.mine(950);
    let secrets = vec![Secret([9; 32])];
    let root = RegistryTree::new(secrets.iter().map(Secret::hash)).unwrap().root();
    let registered = Event::SecretsRegistered { root, secrets };
    see(&mut world, 'B', registered.clone());
    world.run();
    assert_eq!(world.balances('B', 'C'), "60+20/0");
    world.event(registered);
    world.run();
    assert_eq!(world.balances('B', 'C'), "60/20");
}

fn take_back(world: &mut World, who: char, kept: BlockNumber, time: u64) {
    world.give(who, Input::Reorganised { kept, time: Timestamp(time) }).unwrap();
}

fn deposited(deposit: u128) -> Event {
    let (channel, epoch, participant) = (channel('A', 'B'), Epoch(1), account('A'));
    Event::Deposited { channel, epoch, participant, deposit: Amount(deposit) }
}

#[test]
fn a_deposit_that_vanishes_stops_the_channel_until_it_is_told_again() {
    let mut world = opened();
    let (kept, time) = (world.block(), world.time);
    world.mine(1);
    world.event(deposited(150));
    world.pay('A', 'B', 30, false).unwrap();
    world.run();
    take_back(&mut world, 'B', kept, time);
    assert_eq!(state(&world, 'B'), ChannelState::Doubted);
    let payment = world.pay('A', 'B', 10, false).unwrap();
    world.run();
    assert!(world.pay('B', 'A', 10, false).is_err(), "nothing is signed");
    world.restart('B');
    assert_eq!(state(&world, 'B'), ChannelState::Doubted);
    world.tell('B', deposited(100));
    assert_eq!(state(&world, 'B'), ChannelState::Doubted, "that is not all of it");
    world.tell('B', deposited(150));
    world.mine(1);
    world.run();
    assert_eq!(state(&world, 'B'), ChannelState::Open);
    assert_eq!(world.status('A', payment), PaymentStatus::Paid { proof: None });
    let notices: Vec<_> = world.nodes[&'B'].store.notices.iter().map(|n| n.kind.clone()).collect();
    let channel = channel('A', 'B');
    assert!(notices.contains(&NoticeKind::ChannelDoubted { channel }));
    assert!(notices.contains(&NoticeKind::ChannelTrusted { channel }));
}

#[test]
fn what_is_older_than_the_reorganisation_is_not_touched() {
    let mut world = opened();
    let (kept, time) = (world.block(), world.time);
    world.mine(10);
    take_back(&mut world, 'B', kept, time);
    assert_eq!(state(&world, 'B'), ChannelState::Open);
}

/// The dispute and what was stored in it are those of the chain that holds.
#[test]
fn a_closing_that_vanishes_ends_its_dispute_and_one_that_comes_again_begins_it_again() {
    let mut world = opened();
    world.pay('A', 'B', 30, false).unwrap();
    world.run();
    let (kept, time) = (world.block(), world.time);
    world.mine(1);
    let closed = closed(&world);
    world.event(closed);
    let updated = |nonce, transferred| Event::BalanceUpdated {
        channel: channel('A', 'B'),
        epoch: Epoch(1),
        payer: account('A'),
        nonce: Nonce(nonce),
        transferred: Amount(transferred),
        locksroot: Locksroot::EMPTY,
    };
    world.event(updated(1, 30));
    take_back(&mut world, 'B', kept, time);
    assert_eq!(state(&world, 'B'), ChannelState::Doubted);
    world.mine(SETTLE_TIMEOUT + 1_000);
    assert!(!calls(&world, 'B').iter().any(|call| matches!(call, Call::Settle { .. })));
    let before = calls(&world, 'B').len();
    world.tell('B', self::closed(&world));
    world.mine(1);
    assert!(matches!(state(&world, 'B'), ChannelState::Closed { .. }));
    let later = calls(&world, 'B').split_off(before);
    assert!(matches!(later[..], [Call::Update { .. }]), "{later:?}");
}

/// A registration that vanished did not happen: the payee makes it again while there is time.
#[test]
fn a_registration_that_vanishes_is_made_again() {
    let mut world = opened();
    world.lose = vec!["Reveal", "Update[unlock]"];
    world.pay('A', 'B', 20, true).unwrap();
    world.run();
    world.mine(920);
    let registrations = |world: &World| {
        let all = calls(world, 'B').into_iter();
        all.filter(|call| matches!(call, Call::RegisterSecrets(_))).count()
    };
    assert_eq!(registrations(&world), 1);
    let id = world.nodes[&'B'].submitted.last().unwrap().id;
    world.give('B', Input::Submitted { id, outcome: Ok(()) }).unwrap();
    let (kept, time) = (world.block(), world.time);
    world.mine(1);
    let secrets = vec![Secret([9; 32])];
    let root = RegistryTree::new(secrets.iter().map(Secret::hash)).unwrap().root();
    world.event(Event::SecretsRegistered { root, secrets });
    take_back(&mut world, 'B', kept, time);
    world.mine(1);
    assert_eq!(registrations(&world), 2);
}

/// Told again from its beginning, a life that is over is not begun again: its nonces are used.
#[test]
fn an_opening_told_again_after_the_end_begins_nothing() {
    let mut world = opened();
    let key = ChannelKey::new(crate::world::TOKEN, account('A'), account('B')).unwrap();
    let (channel, epoch) = (key.id(), Epoch(1));
    let (paid_low, paid_high) = (Amount(100), Amount(0));
    let settled = Event::ChannelSettled { channel, epoch, paid_low, paid_high };
    world.event(settled.clone());
    world.restart('A');
    let settle_timeout = Seconds(SETTLE_TIMEOUT);
    world.event(Event::ChannelOpened { key, epoch, settle_timeout });
    assert!(world.nodes[&'A'].machine.channels().is_empty());
    world.event(settled);
    let epoch = Epoch(2);
    world.event(Event::ChannelOpened { key, epoch, settle_timeout });
    assert_eq!(world.nodes[&'A'].machine.channels().len(), 1);
    assert!(world.time > START);
}

#[test]
fn fees_of_a_channel_go_with_it() {
    let mut world = opened();
    let fees = photon_wire::record::FeeSchedule { base: Amount(7), parts_per_million: 0 };
    let set = Command::SetFees { channel: Some(channel('A', 'B')), fees };
    world.give('A', Input::Command(set)).unwrap();
    assert_eq!(world.nodes[&'A'].machine.fees(Some(channel('A', 'B'))), fees);
    let (channel, epoch) = (channel('A', 'B'), Epoch(1));
    let (paid_low, paid_high) = (Amount(100), Amount(0));
    world.event(Event::ChannelSettled { channel, epoch, paid_low, paid_high });
    world.restart('A');
    assert_ne!(world.nodes[&'A'].machine.fees(Some(channel)), fees);
}

/// Events are told before their block: a reorganisation may take away what no block has followed.
#[test]
fn a_deposit_told_before_its_block_can_vanish_too() {
    let mut world = opened();
    let (kept, time) = (world.block(), world.time);
    let block = BlockNumber(kept.0 + 1);
    let position = Position { block, time: Timestamp(time + 1), index: 0 };
    world.give('B', Input::Contract(position, deposited(150))).unwrap();
    take_back(&mut world, 'B', kept, time);
    assert_eq!(state(&world, 'B'), ChannelState::Doubted);
}
