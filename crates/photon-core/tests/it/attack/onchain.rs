//! What the chain says late, twice, or not as we think.

use super::*;

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
        way: None,
    };
    let answer = world.give('A', Input::Command(open)).unwrap();
    let Answer::Channel(_, intent) = answer else { panic!("{answer:?}") };
    world.open('A', 100, 'B', 0);
    world.give('A', Input::Submitted { id: intent, outcome: Ok(()) }).unwrap();
    world.restart('A');
    assert_eq!(world.nodes[&'A'].machine.intents(), []);
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
