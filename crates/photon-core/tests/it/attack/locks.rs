//! What a lock, its slot, its number and its secret can be mistaken for.

use super::*;

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

/// A closes at once: B must be able to claim the lock before the dispute ends, even if the secret
/// comes at the last moment.
#[test]
fn a_lock_that_ends_too_late_for_the_settle_timeout_is_given_back() {
    let claim_time = crate::world::timing().claim_time.0;
    let room = crate::world::SETTLE_TIMEOUT - claim_time;
    for (late, given_back) in [(0, false), (1, true)] {
        let mut world = World::new("AB");
        world.open('A', 100, 'B', 0);
        let expiration = world.time + room + late;
        let secret = secret(5);
        let contents = ForTarget {
            payment: PaymentId([9; 16]),
            amount: Amount(10),
            secret: Some(secret.clone()),
            note: vec![],
        };
        let packet = Onward { hops: vec![], sealed: contents.to_bytes() }.to_bytes();
        let mut forger = Forger::new('A', 'B');
        let update = forger.update(vec![add(0, lock(1, 10, &secret, expiration), packet)]);
        world.say('A', 'B', update).unwrap();
        let fate = world.nodes[&'B'].store.locks[&key('A', 'B', 'B', 0)].fate.clone();
        assert_eq!(matches!(fate, LockFate::Disposed(_)), given_back, "{fate:?}");
    }
}
