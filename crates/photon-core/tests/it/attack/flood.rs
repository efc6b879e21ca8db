//! A partner that says or does a thing so often that something else is forgotten, or the disk full.

use super::*;

/// A-B: after B has shown A's proof, A shows the contract 70 proofs of B, one by one. B must still
/// know its own, or it can neither claim its locks nor settle.
#[test]
fn many_proofs_shown_by_the_partner_do_not_make_us_forget_our_own() {
    let mut world = World::new("AB");
    world.open('A', 100, 'B', 100);
    for _ in 0..70 {
        world.pay('B', 'A', 1, false).unwrap();
        world.run();
    }
    world.lose = vec!["Reveal"];
    world.pay('A', 'B', 20, true).unwrap();
    world.run();
    close(&mut world, 'A', 'B');
    let all = calls(&world, 'B');
    let update = all.iter().find_map(|call| match call {
        Call::Update { proof, .. } => Some(*proof),
        _ => None,
    });
    let proof = update.unwrap();
    let updated = |payer, nonce, transferred, locksroot| Event::BalanceUpdated {
        channel: channel('A', 'B'),
        epoch: Epoch(1),
        payer: account(payer),
        nonce,
        transferred,
        locksroot,
    };
    world.event(updated('A', proof.nonce, proof.transferred, proof.locksroot));
    for number in 1..71 {
        let transferred = Amount(u128::from(number));
        world.event(updated('B', Nonce(number), transferred, Locksroot::EMPTY));
    }
    world.event(registration(vec![secret(57)]));
    world.mine(1);
    let all = calls(&world, 'B');
    let claimed = all.iter().find_map(|call| match call {
        Call::Unlock { balance, .. } => Some(*balance),
        _ => None,
    });
    assert_eq!(claimed.map(|balance| balance.locksroot), Some(proof.locksroot), "{all:?}");
    world.mine(crate::world::SETTLE_TIMEOUT + crate::world::CHALLENGE + 100);
    let all = calls(&world, 'B');
    let Some(Call::Settle { low, high, .. }) = all.last() else { panic!("{all:?}") };
    assert_eq!((low.locksroot, high.transferred), (proof.locksroot, Amount(70)));
}

/// A-B: B gives back one lock again and again, each time together with other locks that never
/// were. A keeps one of those papers.
#[test]
fn a_lock_given_back_a_hundred_times_is_kept_once() {
    for learned in [false, true] {
        let mut world = World::new("AB");
        world.open('A', 100, 'B', 0);
        let (id, epoch) = (channel('A', 'B'), Epoch(1));
        world.lose = vec!["B -> A"];
        world.pay('A', 'B', 20, true).unwrap();
        world.run();
        if learned {
            // A knows the secret and cannot pay yet.
            let close = Command::CloseChannel(id);
            world.give('A', Input::Command(close)).unwrap();
            world.say('B', 'A', Message::Reveal(vec![secret(9)])).unwrap();
        } else {
            let close = Command::CloseChannel(id);
            world.give('A', Input::Command(close)).unwrap();
        }
        let lock = world.nodes[&'A'].store.locks.values().next().unwrap().lock.hash();
        let failure = Failure { hop: account('B'), reason: Reason::Rejected };
        for number in 0..100 {
            let other = photon_wire::LockHash([number; 32].into());
            let locks = [lock, other].map(|lock| DisposedLock { lock, failure }).to_vec();
            let signature = Signature([number; 65]);
            let dispose = Dispose { channel: id, epoch, locks, signature };
            let _ = world.say('B', 'A', Message::Dispose(dispose));
        }
        let kept = world.nodes[&'A'].store.recollections.get(&id);
        let kept = kept.map_or(0, |known| known.disposals.len());
        assert!(kept <= 1, "{learned}: {kept}");
    }
}
