//! Attacks: one side lies, cheats or is unlucky; the honest node keeps every token that it can.

mod cooperate;
mod flood;
mod initiator;
mod locks;
mod onchain;
mod reorg;
mod session;

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
