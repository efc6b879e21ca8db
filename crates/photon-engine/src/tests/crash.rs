use super::world::*;
use photon_core::view::{ChannelState, PaymentStatus};
use photon_core::{Command, PayCommand, Rejection};
use photon_wire::Amount;
use photon_wire::contract::Call;
use photon_wire::invoice::Invoice;

/// The whole story: direct, locked and invoiced payments, and one back.
struct Story {
    world: World,
    invoice: Invoice,
    payments: Vec<(usize, PayCommand)>,
}

impl Story {
    fn new() -> Self {
        let world = World::new();
        let [alice, bob] = world.accounts();
        let (invoice, _) = invoice(&world.nodes[1].key, 50, 300);
        let payments = vec![
            (0, pay(1, bob, 100)),
            (0, pay_locked(2, bob, 200)),
            (0, pay_invoice(3, &invoice)),
            (1, pay(4, alice, 50)),
        ];
        Self { world, invoice, payments }
    }

    fn tell(&mut self) {
        self.world.begin();
        let (invoice, secret) = invoice(&self.world.nodes[1].key, 50, 300);
        // An owner who is not answered asks again, with the same names. An invoice is given away
        // only when it is stored.
        for _ in 0..2 {
            let add =
                Command::AddInvoice { invoice: invoice.clone(), secret: Some(secret.clone()) };
            self.world.turn(1, vec![command(add)]);
            self.world.settle();
        }
        for _ in 0..3 {
            for (who, pay) in self.payments.clone() {
                self.world.turn(who, vec![paying(&pay)]);
                self.world.settle();
            }
        }
    }

    fn check(&mut self, name: &str) {
        for (who, pay) in &self.payments {
            let status = self.world.status(*who, pay.payment);
            assert!(matches!(status, Some(PaymentStatus::Paid { .. })), "{name}: {status:?}");
        }
        let channel = self.world.channel();
        for (who, spendable) in [(0, 1_000_000 - 600 + 50), (1, 1_000_000 + 600 - 50)] {
            let node = &mut self.world.nodes[who];
            let before = offline(node.machine());
            node.restart();
            assert_eq!(offline(node.machine()), before, "{name}");
            let view = node.machine().channel(channel).unwrap();
            assert_eq!(view.ours.spendable, Amount(spendable), "{name}");
            let view = node.engine().store().view();
            let left = view.under(&crate::tables::updates(channel)).count();
            assert_eq!(left, 0, "{name}: acknowledged updates are still stored");
        }
        let history = self.world.nodes[1].engine().history();
        let receipts = history.receipts(&Default::default(), None, 10).unwrap().rows;
        let mut amounts: Vec<_> = receipts.iter().map(|receipt| receipt.amount.0).collect();
        amounts.sort_unstable();
        assert_eq!(amounts, [100, 200, 300], "{name}");
        let invoice = history.invoice(self.invoice.secret_hash).unwrap();
        assert_eq!(paid(invoice), Some(Amount(300)), "{name}");
    }
}

#[test]
fn everything_survives_a_crash_at_every_commit() {
    let mut story = Story::new();
    story.tell();
    story.check("without a crash");
    let turns = story.world.turns;
    assert!(turns > 15, "{turns} turns are too few to be the story");
    for turn in 1..=turns {
        for crash in [Crash::Uncommitted, Crash::Unsent, Crash::Sent] {
            let mut story = Story::new();
            story.world.crash = Some((turn, crash));
            story.tell();
            story.check(&format!("{crash:?} in turn {turn} of {turns}"));
        }
    }
}

/// A withdraws, B wants to end the channel together.
fn agree(world: &mut World) {
    world.begin();
    let [_, bob] = world.accounts();
    let channel = world.channel();
    for _ in 0..3 {
        world.turn(0, vec![paying(&pay(1, bob, 100))]);
        world.settle();
    }
    let withdraw = Command::Withdraw { channel, amount: Amount(70) };
    let end = Command::SettleCooperatively { channel, drain: false };
    for (who, wish) in [(0, withdraw), (1, end)] {
        // Asked again by an owner who was not answered; what is under way is not begun twice.
        for _ in 0..3 {
            world.turn(who, vec![command(wish.clone())]);
            world.settle();
        }
    }
}

fn check_agreed(world: &mut World, name: &str) {
    let channel = world.channel();
    for who in [0, 1] {
        world.nodes[who].restart();
        let view = world.nodes[who].machine().channel(channel).unwrap();
        assert_eq!(view.state, ChannelState::Settling, "{name}");
        let asked = if who == 0 { view.ours } else { view.theirs };
        assert_eq!(asked.withdrawing, Amount(70), "{name}");
    }
    let calls = |who: usize| -> Vec<Call> {
        let intents = world.nodes[who].machine().intents().into_iter();
        intents.map(|intent| intent.call).collect()
    };
    let [ours, theirs] = [calls(0), calls(1)];
    let right = matches!(ours[..], [Call::Withdraw { withdrawn: Amount(70), .. }])
        && matches!(theirs[..], [Call::CooperativeSettle { .. }]);
    assert!(right, "{name}: {ours:?} {theirs:?}");
}

#[test]
fn an_agreement_survives_a_crash_at_every_commit() {
    let mut world = World::new();
    agree(&mut world);
    check_agreed(&mut world, "without a crash");
    let turns = world.turns;
    assert!(turns > 8, "{turns} turns are too few to be the story");
    for turn in 1..=turns {
        for crash in [Crash::Uncommitted, Crash::Unsent, Crash::Sent] {
            let mut world = World::new();
            world.crash = Some((turn, crash));
            agree(&mut world);
            check_agreed(&mut world, &format!("{crash:?} in turn {turn} of {turns}"));
        }
    }
}

#[test]
fn a_finished_payment_is_known_by_its_name_and_never_made_again() {
    let mut story = Story::new();
    story.tell();
    let [_, bob] = story.world.accounts();
    for number in [1, 2, 3] {
        story.world.nodes[0].restart();
        let same = story.payments[usize::from(number) - 1].1.clone();
        let answers = story.world.turn(0, vec![paying(&same)]);
        assert_eq!(answers, [Ok(photon_core::Answer::Payment(id(number)))]);
        let answers = story.world.turn(0, vec![paying(&pay(number, bob, 7))]);
        assert_eq!(answers, [Err(Rejection::PaymentExists { payment: id(number) })]);
    }
    let (invoice, secret) = invoice(&story.world.nodes[1].key, 50, 300);
    let answers =
        story.world.turn(1, vec![command(Command::AddInvoice { invoice, secret: Some(secret) })]);
    assert_eq!(answers, [Err(Rejection::InvoiceExists)]);
    story.check("after asking again");
}
