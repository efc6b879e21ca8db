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
