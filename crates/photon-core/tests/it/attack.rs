//! Attacks: one side lies, cheats or is unlucky; the honest node keeps every token that it can.

use crate::world::{START, World, account, channel};
use photon_core::record::{LockFate, LockKey};
use photon_core::view::{NoticeKind, PaymentFailure, PaymentStatus, Target};
use photon_core::{Answer, Attempt, Command, Input, Notice, PayCommand, Rejection};
use photon_wire::codec::Encode;
use photon_wire::contract::{Call, Event};
use photon_wire::lock::Lock;
use photon_wire::message::{
    Acknowledge, ChannelStatus, Dispose, DisposedLock, Failure, Message, Operation, Reason, Refuse,
    Update,
};
use photon_wire::onward::{ForTarget, Hop, Onward};
use photon_wire::registry::RegistryTree;
use photon_wire::tree::LockTree;
use photon_wire::{
    Amount, ChannelId, ChannelKey, Epoch, LockNumber, Locksroot, Nonce, PaymentId, Seconds, Secret,
    Signature, Slot, Timestamp,
};
use std::collections::BTreeMap;

/// A payer that signs whatever it likes, with sums that are right.
struct Forger {
    channel: ChannelId,
    nonce: u64,
    transferred: u128,
    locks: BTreeMap<Slot, Lock>,
}

impl Forger {
    fn new(payer: char, payee: char) -> Self {
        let channel = channel(payer, payee);
        Self { channel, nonce: 0, transferred: 0, locks: BTreeMap::new() }
    }

    fn update(&mut self, operations: Vec<Operation>) -> Message {
        self.nonce += 1;
        for operation in &operations {
            match operation {
                Operation::Pay { amount, .. } => self.transferred += amount.0,
                Operation::Lock { slot, lock, .. } => drop(self.locks.insert(*slot, *lock)),
                Operation::Unlock { slot, .. } => {
                    self.transferred += self.locks.remove(slot).unwrap().amount.0;
                }
                Operation::Expire { slot } | Operation::Drop { slot } => {
                    self.locks.remove(slot).unwrap();
                }
            }
        }
        let mut tree = LockTree::default();
        self.locks.iter().for_each(|(slot, lock)| tree.set(*slot, Some(lock.hash())));
        Message::Update(Update {
            channel: self.channel,
            epoch: Epoch(1),
            nonce: Nonce(self.nonce),
            operations,
            transferred: Amount(self.transferred),
            locked: self.locks.values().map(|lock| lock.amount).sum(),
            locksroot: tree.root(),
            signature: Signature([0; 65]),
        })
    }
}

fn secret(byte: u8) -> Secret {
    Secret([byte; 32])
}

fn lock(number: u64, amount: u128, secret: &Secret, expiration: u64) -> Lock {
    Lock {
        number: LockNumber(number),
        amount: Amount(amount),
        expiration: Timestamp(expiration),
        secret_hash: secret.hash(),
    }
}

/// The packet of a lock that goes on to `node` and ends there.
fn onward(node: char, amount: u128, secret: &Secret) -> Vec<u8> {
    let (payment, amount) = (PaymentId([9; 16]), Amount(amount));
    let contents = ForTarget { payment, amount, secret: Some(secret.clone()), note: vec![] };
    let hops = vec![Hop { node: account(node), amount }];
    Onward { hops, sealed: contents.to_bytes() }.to_bytes()
}

fn add(slot: u16, lock: Lock, onward: Vec<u8>) -> Operation {
    Operation::Lock { slot: Slot(slot), lock, onward }
}

fn line() -> World {
    let mut world = World::new("ABC");
    world.open('A', 100, 'B', 0);
    world.open('B', 80, 'C', 0);
    world
}

/// What `who` still has in its channel with `partner`, pending locks included.
fn balance(world: &World, who: char, partner: char) -> u128 {
    world.nodes[&who].machine.channel(channel(who, partner)).unwrap().ours.balance.0
}

fn locked(world: &World, who: char, partner: char) -> u128 {
    world.nodes[&who].machine.channel(channel(who, partner)).unwrap().ours.locked.0
}

fn key(payer: char, payee: char, at: char, slot: u16) -> LockKey {
    LockKey { channel: channel(payer, payee), ours: at == payer, slot: Slot(slot) }
}

fn calls(world: &World, who: char) -> Vec<Call> {
    world.nodes[&who].submitted.iter().map(|intent| intent.call.clone()).collect()
}

fn registration(secrets: Vec<Secret>) -> Event {
    let root = RegistryTree::new(secrets.iter().map(Secret::hash)).unwrap().root();
    Event::SecretsRegistered { root, secrets }
}

fn close(world: &mut World, closer: char, other: char) {
    let (channel, epoch) = (channel(closer, other), Epoch(1));
    let update_until = Timestamp(world.time + crate::world::SETTLE_TIMEOUT);
    world.event(Event::ChannelClosed { channel, epoch, closer: account(closer), update_until });
}

fn settle(world: &mut World, one: char, other: char) {
    let (channel, epoch) = (channel(one, other), Epoch(1));
    let (paid_low, paid_high) = (Amount(0), Amount(0));
    world.event(Event::ChannelSettled { channel, epoch, paid_low, paid_high });
}

/// A fills, empties and fills one slot in a single update, each time with a packet that goes on.
/// B must not forward the lock that is left once for each packet.
#[test]
fn a_lock_is_forwarded_once_even_if_its_slot_was_used_twice_in_one_update() {
    let mut world = line();
    let (small, large) = (secret(1), secret(2));
    let mut payer = Forger::new('A', 'B');
    let update = payer.update(vec![
        add(0, lock(0, 1, &small, START + 1_000), onward('C', 20, &large)),
        Operation::Unlock { slot: Slot(0), secret: small },
        add(0, lock(1, 20, &large, START + 1_000), onward('C', 20, &large)),
    ]);
    world.say('A', 'B', update).unwrap();
    assert_eq!(locked(&world, 'B', 'C'), 20);
}

/// A keeps a second lock with the same hash and a later expiration. C registers the secret after
/// the first lock is past: in time for the second, too late for the first.
#[test]
fn a_registration_in_time_for_one_lock_pays_no_other_lock() {
    let mut world = line();
    world.lose = vec!["Reveal", "Dispose"];
    world.pay('A', 'C', 20, false).unwrap();
    world.run();
    let first = world.nodes[&'B'].store.locks[&key('A', 'B', 'B', 0)].clone();
    let LockFate::Claimed(secret) =
        world.nodes[&'C'].store.locks[&key('B', 'C', 'C', 0)].fate.clone()
    else {
        panic!("C knows the secret")
    };
    let mut payer = Forger::new('A', 'B');
    payer.nonce = 1;
    payer.locks.insert(Slot(0), first.lock);
    let later = first.lock.expiration.0 + 500;
    let twin = payer.update(vec![add(1, lock(1, 1, &secret, later), onward('C', 1, &secret))]);
    world.say('A', 'B', twin).unwrap();
    world.mine(first.lock.expiration.0 - world.time + 20);
    world.event(registration(vec![secret]));
    assert_eq!(balance(&world, 'B', 'C'), 80, "A can take the first lock back, so C gets nothing");
}

/// B has disposed a lock. A registers the secret itself and closes, and waits for B to claim the
/// lock: then A would punish B with B's own disposal.
#[test]
fn a_disposed_lock_is_never_claimed_on_the_chain() {
    let mut world = World::new("AB");
    world.open('A', 100, 'B', 0);
    let secret = secret(1);
    let mut payer = Forger::new('A', 'B');
    let update =
        payer.update(vec![add(0, lock(0, 20, &secret, START + 1_000), onward('Z', 20, &secret))]);
    let Message::Update(proof) = update.clone() else { unreachable!() };
    world.say('A', 'B', update).unwrap();
    close(&mut world, 'A', 'B');
    world.event(Event::BalanceUpdated {
        channel: channel('A', 'B'),
        epoch: Epoch(1),
        payer: account('A'),
        nonce: proof.nonce,
        transferred: proof.transferred,
        locksroot: proof.locksroot,
    });
    world.event(registration(vec![secret]));
    let all = calls(&world, 'B');
    assert!(!all.iter().any(|call| matches!(call, Call::Unlock { .. })), "{all:?}");
}

/// A names its lock with the last number there is, so that the next one can have the same name:
/// B's disposal of the first would punish B's honest claim of the second.
#[test]
fn the_last_lock_number_is_refused_because_it_could_be_used_twice() {
    let mut world = line();
    let secret = secret(1);
    let last = lock(u64::MAX, 20, &secret, START + 1_000);
    let mut payer = Forger::new('A', 'B');
    let update = payer.update(vec![add(0, last, onward('C', 20, &secret))]);
    world.say('A', 'B', update).unwrap();
    let view = world.nodes[&'B'].machine.channel(channel('A', 'B')).unwrap();
    assert_eq!((view.theirs.locked, view.theirs.nonce), (Amount(0), Nonce(0)));
}

/// B's outgoing lock hangs in the channel that C has closed. The incoming one is past and gone;
/// A puts a new lock with the same hash into its slot, which B forwards to D. When the channel
/// with C is settled, B must not give A's new lock back: D can still claim.
#[test]
fn a_settled_outgoing_lock_gives_back_only_the_lock_that_it_forwarded() {
    let mut world = World::new("ABCD");
    for (payer, payee) in [('A', 'B'), ('B', 'C'), ('B', 'D')] {
        world.open(payer, 100, payee, 0);
    }
    world.lose = vec!["Reveal", "B -> D Update"];
    world.pay('A', 'C', 20, false).unwrap();
    world.run();
    let LockFate::Claimed(secret) =
        world.nodes[&'C'].store.locks[&key('B', 'C', 'C', 0)].fate.clone()
    else {
        panic!("C knows the secret")
    };
    close(&mut world, 'C', 'B');
    world.mine(1_100);
    world.run();
    assert_eq!(balance(&world, 'A', 'B'), 100);
    let mut payer = Forger::new('A', 'B');
    payer.nonce = 2;
    let expiration = world.time + 1_000;
    let again =
        payer.update(vec![add(0, lock(1, 20, &secret, expiration), onward('D', 20, &secret))]);
    world.say('A', 'B', again).unwrap();
    assert_eq!(locked(&world, 'B', 'D'), 20);
    settle(&mut world, 'B', 'C');
    let fate = world.nodes[&'B'].store.locks[&key('A', 'B', 'B', 0)].fate.clone();
    assert_eq!(fate, LockFate::Open);
}

/// B disposes one lock twice in one message. The first time A tries another route, over B again,
/// and the new lock takes the free slot: the second time must not hit it.
#[test]
fn a_lock_named_twice_in_a_disposal_is_given_back_once() {
    let mut world = World::new("ABCDT");
    for (payer, payee) in [('A', 'B'), ('B', 'C'), ('C', 'T'), ('B', 'D'), ('D', 'T')] {
        world.open(payer, 100, payee, 0);
    }
    world.lose = vec!["A -> B Update"];
    world.pay('A', 'T', 20, false).unwrap();
    let first = world.nodes[&'A'].store.locks[&key('A', 'B', 'A', 0)].lock.hash();
    let failure = Failure { hop: account('B'), reason: Reason::InsufficientBalance };
    let disposed = DisposedLock { lock: first, failure };
    let dispose = Dispose {
        channel: channel('A', 'B'),
        epoch: Epoch(1),
        locks: vec![disposed, disposed],
        signature: Signature([0; 65]),
    };
    world.say('B', 'A', Message::Dispose(dispose)).unwrap();
    assert_eq!(locked(&world, 'A', 'B'), 20, "the second attempt is still on its way");
}

/// The secret was registered before the lock was made. C could claim it at any time, even long
/// after B believes that it is past and lets A take its own back.
#[test]
fn a_lock_whose_secret_was_registered_before_is_never_forwarded() {
    for restarts in [false, true] {
        let mut world = line();
        let secret = secret(1);
        world.event(registration(vec![secret.clone()]));
        if restarts {
            world.restart('B');
            world.run();
        }
        let mut payer = Forger::new('A', 'B');
        let expiration = START + 1_000;
        let update =
            payer.update(vec![add(0, lock(0, 20, &secret, expiration), onward('C', 20, &secret))]);
        world.say('A', 'B', update).unwrap();
        assert_eq!(locked(&world, 'B', 'C'), 0, "restarted: {restarts}");
    }
}

/// A node stopped between the events of a block and the block itself hears the events again.
#[test]
fn an_opening_and_a_deposit_told_again_change_nothing() {
    let mut world = World::new("AB");
    world.open('A', 100, 'B', 0);
    let (id, epoch) = (channel('A', 'B'), Epoch(1));
    let deposited = |deposit| Event::Deposited {
        channel: id,
        epoch,
        participant: account('A'),
        deposit: Amount(deposit),
    };
    world.event(deposited(150));
    world.pay('A', 'B', 120, false).unwrap();
    world.run();
    let key = ChannelKey::new(crate::world::TOKEN, account('A'), account('B')).unwrap();
    let settle_timeout = Seconds(crate::world::SETTLE_TIMEOUT);
    world.same_block(Event::ChannelOpened { key, epoch, settle_timeout });
    world.same_block(deposited(100));
    assert_eq!(world.balances('A', 'B'), "30/120");
}

/// A sees its deposit before B does, and pays out of it at once.
#[test]
fn a_payment_out_of_a_deposit_that_the_payee_has_not_seen_arrives_when_it_has() {
    let mut world = World::new("AB");
    world.open('A', 10, 'B', 0);
    let deposited = Event::Deposited {
        channel: channel('A', 'B'),
        epoch: Epoch(1),
        participant: account('A'),
        deposit: Amount(100),
    };
    world.tell('A', deposited.clone());
    let payment = world.pay('A', 'B', 60, false).unwrap();
    world.pay('A', 'B', 1, false).unwrap();
    world.run();
    assert_eq!(world.status('A', payment), PaymentStatus::Pending);
    world.tell('B', deposited);
    world.mine(1);
    world.run();
    assert_eq!(world.status('A', payment), PaymentStatus::Paid { proof: None });
    assert_eq!(world.balances('A', 'B'), "39/61");
}

/// The same for a whole channel.
#[test]
fn a_payment_in_a_channel_that_the_payee_has_not_seen_arrives_when_it_has() {
    let mut world = World::new("AB");
    let key = ChannelKey::new(crate::world::TOKEN, account('A'), account('B')).unwrap();
    let (channel, epoch) = (key.id(), Epoch(1));
    let settle_timeout = Seconds(crate::world::SETTLE_TIMEOUT);
    let opened = Event::ChannelOpened { key, epoch, settle_timeout };
    let (participant, deposit) = (account('A'), Amount(100));
    let deposited = Event::Deposited { channel, epoch, participant, deposit };
    world.tell('A', opened.clone());
    world.tell('A', deposited.clone());
    let payment = world.pay('A', 'B', 60, false).unwrap();
    world.run();
    world.tell('B', opened);
    world.tell('B', deposited);
    world.mine(1);
    world.run();
    assert_eq!(world.status('A', payment), PaymentStatus::Paid { proof: None });
}

/// B's own clock runs days ahead: that must not make B believe that the dispute is over, nor that
/// it is too late to register.
#[test]
fn a_clock_that_runs_ahead_ends_no_dispute() {
    let mut world = World::new("AB");
    world.open('A', 100, 'B', 0);
    world.lose = vec!["Reveal"];
    world.pay('A', 'B', 30, true).unwrap();
    world.run();
    let ahead = Timestamp(world.time + 10 * crate::world::SETTLE_TIMEOUT);
    world.give('B', Input::Clock(ahead)).unwrap();
    close(&mut world, 'A', 'B');
    let all = calls(&world, 'B');
    assert!(all.iter().any(|call| matches!(call, Call::Update { .. })), "{all:?}");
    assert!(all.iter().any(|call| matches!(call, Call::RegisterSecrets(_))), "{all:?}");
    assert!(!all.iter().any(|call| matches!(call, Call::Settle { .. })), "{all:?}");
}

/// B never acknowledges, but shows A's proof to the contract: B has been paid, and A must not be
/// told that it was not.
#[test]
fn a_payment_that_the_payee_shows_to_the_contract_is_paid() {
    let mut world = World::new("AB");
    world.open('A', 100, 'B', 0);
    world.lose = vec!["Acknowledge"];
    let payment = world.pay('A', 'B', 30, false).unwrap();
    world.run();
    close(&mut world, 'B', 'A');
    world.event(Event::BalanceUpdated {
        channel: channel('A', 'B'),
        epoch: Epoch(1),
        payer: account('A'),
        nonce: Nonce(1),
        transferred: Amount(30),
        locksroot: Locksroot::EMPTY,
    });
    settle(&mut world, 'A', 'B');
    assert_eq!(world.status('A', payment), PaymentStatus::Paid { proof: None });
}

/// While A's closing was on its way, B gave one lock back and showed the secret of another. The
/// closing fails: the channel lives, and what was decided meanwhile is done.
#[test]
fn a_failed_closing_leaves_nothing_undone() {
    let mut world = World::new("AB");
    world.open('A', 100, 'B', 0);
    world.lose = vec!["A -> B Update"];
    world.pay('A', 'B', 20, true).unwrap();
    world.pay('A', 'B', 30, true).unwrap();
    world.run();
    let id = channel('A', 'B');
    let answer = world.give('A', Input::Command(Command::CloseChannel(id))).unwrap();
    let Answer::Channel(_, intent) = answer else { panic!("{answer:?}") };
    world.lose.clear();
    let first = world.nodes[&'A'].store.locks[&key('A', 'B', 'A', 0)].lock.hash();
    let failure = Failure { hop: account('B'), reason: Reason::Rejected };
    let (epoch, signature) = (Epoch(1), Signature([0; 65]));
    let locks = vec![DisposedLock { lock: first, failure }];
    let dispose = Dispose { channel: id, epoch, locks, signature };
    world.say('B', 'A', Message::Dispose(dispose)).unwrap();
    world.say('B', 'A', Message::Reveal(vec![Secret([17; 32])])).unwrap();
    assert_eq!(locked(&world, 'A', 'B'), 50);
    let outcome = Err("reverted".into());
    world.give('A', Input::Submitted { id: intent, outcome }).unwrap();
    assert_eq!((locked(&world, 'A', 'B'), balance(&world, 'A', 'B')), (0, 70));
}

/// B claims, with an old proof of A, a lock in a slot that holds another lock by now.
#[test]
fn a_claim_under_an_old_proof_says_nothing_of_the_lock_that_is_in_the_slot_now() {
    let mut world = World::new("AB");
    world.open('A', 100, 'B', 0);
    world.pay('A', 'B', 20, true).unwrap();
    world.run();
    world.lose = vec!["Reveal"];
    world.pay('A', 'B', 30, true).unwrap();
    world.run();
    let payment = PaymentId([2; 16]);
    close(&mut world, 'B', 'A');
    world.event(Event::Unlocked {
        channel: channel('A', 'B'),
        epoch: Epoch(1),
        payer: account('A'),
        nonce: Nonce(1),
        slots: vec![Slot(0)],
        amount: Amount(20),
    });
    settle(&mut world, 'A', 'B');
    let failed = PaymentStatus::Failed(PaymentFailure::ChannelClosed);
    assert_eq!(world.status('A', payment), failed);
}

/// The opening is in the chain before the sender says so; then the node stops. It must not send
/// the opening, with its deposit, once more: after a settlement it would be valid again.
#[test]
fn what_the_chain_has_done_is_not_submitted_again_after_a_restart() {
    let mut world = World::new("AB");
    let open = Command::OpenChannel {
        token: crate::world::TOKEN,
        partner: account('B'),
        settle_timeout: Seconds(crate::world::SETTLE_TIMEOUT),
        deposit: Amount(100),
    };
    let answer = world.give('A', Input::Command(open)).unwrap();
    let Answer::Channel(_, intent) = answer else { panic!("{answer:?}") };
    world.open('A', 100, 'B', 0);
    world.give('A', Input::Submitted { id: intent, outcome: Ok(()) }).unwrap();
    world.restart('A');
    assert_eq!(world.nodes[&'A'].machine.intents(), []);
}

/// Two payments of one invoice at once: whoever mediates the second knows the secret from the
/// first and keeps it.
#[test]
fn an_invoice_is_paid_by_one_payment_at_a_time() {
    let mut world = line();
    let hash = secret(1).hash();
    let command = |name: u8| {
        let contents = ForTarget {
            payment: PaymentId([name; 16]),
            amount: Amount(5),
            secret: None,
            note: vec![],
        };
        Input::Command(Command::Pay(PayCommand {
            payment: PaymentId([name; 16]),
            target: Target { token: crate::world::TOKEN, account: account('C'), amount: Amount(5) },
            max_fee: Amount(0),
            note: vec![],
            invoice: Some(hash),
            locked: true,
            attempts: vec![Attempt {
                secret: None,
                secret_hash: hash,
                sealed: contents.to_bytes(),
            }],
        }))
    };
    world.give('A', command(1)).unwrap();
    world.give('A', command(1)).unwrap();
    let payment = PaymentId([1; 16]);
    assert_eq!(world.give('A', command(2)), Err(Rejection::PaymentExists { payment }));
    assert_eq!(locked(&world, 'A', 'B'), 5);
}

/// B refuses everything without reason and goes away: the payment ends when its lock is past.
#[test]
fn a_payment_in_a_stopped_channel_ends_when_its_lock_is_past() {
    let mut world = World::new("AB");
    world.open('A', 100, 'B', 0);
    world.lose = vec!["A -> B Update"];
    let payment = world.pay('A', 'B', 20, true).unwrap();
    world.run();
    let (channel, epoch, nonce) = (channel('A', 'B'), Epoch(1), Nonce(1));
    let refuse = Refuse { channel, epoch, nonce, rule: 12 };
    world.say('B', 'A', Message::Refuse(refuse)).unwrap();
    world.mine(1_100);
    assert_eq!(world.status('A', payment), PaymentStatus::Failed(PaymentFailure::Expired));
}

/// A lock that was paid by the contract is a payment received like any other.
#[test]
fn a_lock_claimed_on_the_chain_has_a_receipt_once() {
    let mut world = World::new("AB");
    world.open('A', 100, 'B', 0);
    world.lose = vec!["Reveal"];
    world.pay('A', 'B', 20, true).unwrap();
    world.run();
    close(&mut world, 'A', 'B');
    let unlocked = Event::Unlocked {
        channel: channel('A', 'B'),
        epoch: Epoch(1),
        payer: account('A'),
        nonce: Nonce(1),
        slots: vec![Slot(0)],
        amount: Amount(20),
    };
    world.event(unlocked.clone());
    world.event(unlocked);
    let received = |notice: &&Notice| matches!(notice.kind, NoticeKind::PaymentReceived { .. });
    assert_eq!(world.nodes[&'B'].store.notices.iter().filter(received).count(), 1);
}

/// B shows the secret late, but before the end. A has no payer of its own to wait for: it says
/// "paid" only together with paying.
#[test]
fn an_initiator_that_says_paid_has_paid() {
    let mut world = World::new("AB");
    world.open('A', 100, 'B', 0);
    world.lose = vec!["Reveal"];
    let payment = world.pay('A', 'B', 20, true).unwrap();
    world.run();
    world.lose.clear();
    world.mine(950);
    world.say('B', 'A', Message::Reveal(vec![Secret([9; 32])])).unwrap();
    assert!(matches!(world.status('A', payment), PaymentStatus::Paid { .. }));
    assert_eq!(locked(&world, 'A', 'B'), 0);
}

/// A channel with the shortest settle timeout that a node proposes; the payer's clock is a little
/// ahead of the payee's.
#[test]
fn the_shortest_settle_timeout_leaves_room_for_clocks_that_differ() {
    let mut world = World::new("AB");
    let key = ChannelKey::new(crate::world::TOKEN, account('A'), account('B')).unwrap();
    let (channel, epoch) = (key.id(), Epoch(1));
    let settle_timeout = crate::world::timing().least_settle_timeout();
    world.event(Event::ChannelOpened { key, epoch, settle_timeout });
    let (participant, deposit) = (account('A'), Amount(100));
    world.event(Event::Deposited { channel, epoch, participant, deposit });
    world.give('A', Input::Clock(Timestamp(world.time + 5))).unwrap();
    let payment = world.pay('A', 'B', 20, true).unwrap();
    world.run();
    assert!(matches!(world.status('A', payment), PaymentStatus::Paid { .. }));
}

/// B says where it stands as often as fits into one message, always at the beginning.
#[test]
fn updates_are_sent_again_once_however_often_they_are_asked_for() {
    let mut world = World::new("AB");
    world.open('A', 100, 'B', 0);
    world.lose = vec!["Acknowledge"];
    world.pay('A', 'B', 30, false).unwrap();
    world.run().chart.clear();
    let (channel, epoch, none) = (channel('A', 'B'), Epoch(1), Nonce(0));
    let status = ChannelStatus { channel, epoch, sent: none, received: none };
    world.say('B', 'A', Message::Reestablish(vec![status; 256])).unwrap();
    assert_eq!(world.run().chart, ["A -> B Update[pay]", "B -> A Acknowledge 1 (lost)"]);
}

/// A has told its owner that the payment expired; B shows the secret before A, whose closing has
/// just failed, has taken the lock back.
#[test]
fn an_initiator_that_says_expired_does_not_pay() {
    let mut world = World::new("AB");
    world.open('A', 100, 'B', 0);
    world.lose = vec!["A -> B Update"];
    let payment = world.pay('A', 'B', 20, true).unwrap();
    world.run();
    let close = Command::CloseChannel(channel('A', 'B'));
    let answer = world.give('A', Input::Command(close)).unwrap();
    let Answer::Channel(_, intent) = answer else { panic!("{answer:?}") };
    world.mine(1_100);
    assert_eq!(world.status('A', payment), PaymentStatus::Failed(PaymentFailure::Expired));
    world.give('A', Input::Submitted { id: intent, outcome: Err("reverted".into()) }).unwrap();
    world.say('B', 'A', Message::Reveal(vec![Secret([9; 32])])).unwrap();
    world.mine(1);
    assert_eq!((balance(&world, 'A', 'B'), locked(&world, 'A', 'B')), (100, 0));
}

/// B is closing: it asks for nothing, block after block. Its closing fails: it asks once.
#[test]
fn a_closing_channel_asks_for_nothing_until_its_closing_has_failed() {
    let mut world = World::new("AB");
    world.open('A', 100, 'B', 0);
    let close = Command::CloseChannel(channel('A', 'B'));
    let answer = world.give('B', Input::Command(close)).unwrap();
    let Answer::Channel(_, intent) = answer else { panic!("{answer:?}") };
    let payment = world.pay('A', 'B', 30, false).unwrap();
    for _ in 0..5 {
        world.run();
        world.mine(1);
    }
    assert_eq!(world.run().chart, ["A -> B Update[pay]"]);
    world.give('B', Input::Submitted { id: intent, outcome: Err("reverted".into()) }).unwrap();
    world.mine(1);
    world.run();
    assert_eq!(world.status('A', payment), PaymentStatus::Paid { proof: None });
}

/// B acknowledges what A does not know: A's store is an old one, and signing on would be signing
/// those nonces twice.
#[test]
fn an_acknowledgement_of_what_we_never_signed_stops_the_channel() {
    let mut world = World::new("AB");
    world.open('A', 100, 'B', 0);
    let (channel, epoch, nonce) = (channel('A', 'B'), Epoch(1), Nonce(5));
    let _ = world.say('B', 'A', Message::Acknowledge(Acknowledge { channel, epoch, nonce }));
    let last = world.nodes[&'A'].store.notices.last().unwrap().kind.clone();
    assert!(matches!(last, NoticeKind::DirectionStopped { rule: 7, .. }), "{last:?}");
    assert!(world.pay('A', 'B', 10, false).is_err());
}
