//! Random payments, withdrawals, settlements, losses, restarts and blocks: no token appears or
//! disappears, and when all is quiet both views of every channel agree and every channel goes on.

use crate::world::{SETTLE_TIMEOUT, World, account, channel};
use photon_core::channel::settlement::{Side, cooperate};
use photon_core::view::ChannelState;
use photon_core::{Command, Input, IntentId};
use photon_wire::contract::{Call, Event, Position};
use photon_wire::registry::RegistryTree;
use photon_wire::{Amount, BlockNumber, Epoch, Secret, Timestamp};
use proptest::prelude::*;
use std::collections::BTreeSet;

#[derive(Clone, Debug)]
enum Step {
    Pay(usize, usize, u128, bool),
    Withdraw(usize, bool, u128),
    Settle(usize, bool, bool),
    Cancel(usize, bool),
    Execute(usize),
    Deliver(u8),
    DeliverAny(usize),
    Restart(usize),
    Mine(u64),
    MineFor(usize, u64),
    /// A closing that is seen and vanishes later.
    Sight(usize, bool),
    Vanish(usize),
    Reorganise(usize, u64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => (0..4_usize, 0..4_usize, 1..40_u128, any::<bool>())
            .prop_map(|(from, to, amount, locked)| Step::Pay(from, to, amount, locked)),
        2 => (0..4_usize, any::<bool>(), 1..90_u128)
            .prop_map(|(pair, low, amount)| Step::Withdraw(pair, low, amount)),
        1 => (0..4_usize, any::<bool>(), any::<bool>())
            .prop_map(|(pair, low, drain)| Step::Settle(pair, low, drain)),
        1 => (0..4_usize, any::<bool>()).prop_map(|(pair, low)| Step::Cancel(pair, low)),
        2 => any::<usize>().prop_map(Step::Execute),
        8 => (1..12_u8).prop_map(Step::Deliver),
        8 => any::<usize>().prop_map(Step::DeliverAny),
        2 => (0..4_usize).prop_map(Step::Restart),
        1 => (1..200_u64).prop_map(Step::Mine),
        1 => (0..4_usize, 1..200_u64).prop_map(|(who, later)| Step::MineFor(who, later)),
        1 => (0..4_usize, any::<bool>()).prop_map(|(pair, low)| Step::Sight(pair, low)),
        1 => (0..4_usize).prop_map(Step::Vanish),
        1 => (0..4_usize, 1..12_u64).prop_map(|(who, blocks)| Step::Reorganise(who, blocks)),
    ]
}

const NAMES: [char; 4] = ['A', 'B', 'C', 'D'];
const PAIRS: [(char, char); 4] = [('A', 'B'), ('B', 'C'), ('C', 'D'), ('A', 'D')];

/// The world, and a contract that executes what was agreed.
struct Town {
    world: World,
    executed: BTreeSet<(char, IntentId)>,
    gone: BTreeSet<usize>,
}

impl Town {
    fn new() -> Self {
        let mut world = World::new("ABCD");
        for (one, other) in PAIRS {
            world.open(one, 100, other, 100);
        }
        Self { world, executed: BTreeSet::new(), gone: BTreeSet::new() }
    }

    fn take(&mut self, step: Step) {
        let world = &mut self.world;
        match step {
            Step::Pay(from, to, amount, locked) => {
                let _ = world.pay(NAMES[from], NAMES[to], amount, locked);
            }
            Step::Withdraw(pair, low, amount) => {
                let (one, other) = PAIRS[pair];
                let amount = Amount(amount);
                let command = Command::Withdraw { channel: channel(one, other), amount };
                let _ = world.give(if low { one } else { other }, Input::Command(command));
            }
            Step::Settle(pair, low, drain) => {
                let (one, other) = PAIRS[pair];
                let command = Command::SettleCooperatively { channel: channel(one, other), drain };
                let _ = world.give(if low { one } else { other }, Input::Command(command));
            }
            Step::Cancel(pair, low) => {
                let (one, other) = PAIRS[pair];
                let command = Command::CancelSettle(channel(one, other));
                let _ = world.give(if low { one } else { other }, Input::Command(command));
            }
            Step::Execute(lot) => self.execute(lot),
            Step::Deliver(count) => {
                for _ in 0..count {
                    world.deliver_one();
                }
            }
            Step::DeliverAny(lot) => drop(world.deliver_any(lot)),
            Step::Restart(who) => world.restart(NAMES[who]),
            Step::Mine(later) => world.mine(later),
            Step::MineFor(who, later) => world.mine_for(NAMES[who], later),
            Step::Sight(pair, low) => {
                let (one, other) = PAIRS[pair];
                let (channel, epoch, closer) = (channel(one, other), Epoch(1), account(other));
                let update_until = Timestamp(world.time + SETTLE_TIMEOUT);
                let closed = Event::ChannelClosed { channel, epoch, closer, update_until };
                let block = BlockNumber(world.block().0 + 1);
                let position = Position { block, time: Timestamp(world.time), index: 0 };
                let who = if low { one } else { other };
                world.give(who, Input::Seen(position, closed)).unwrap();
            }
            Step::Vanish(who) => {
                world.give(NAMES[who], Input::Unseen { from: BlockNumber(0) }).unwrap();
            }
            Step::Reorganise(who, blocks) => world.reorganise(NAMES[who], blocks),
        }
    }

    /// The contract takes one of the transactions that wait, if it still may.
    fn execute(&mut self, lot: usize) {
        let waiting: Vec<(char, IntentId, Call)> = NAMES
            .into_iter()
            .flat_map(|who| {
                let submitted = self.world.nodes[&who].submitted.iter();
                submitted.map(move |intent| (who, intent.id, intent.call.clone()))
            })
            .filter(|(who, id, _)| !self.executed.contains(&(*who, *id)))
            .collect();
        let Some(lot) = lot.checked_rem(waiting.len()) else { return };
        let (who, id, call) = waiting[lot].clone();
        self.executed.insert((who, id));
        // The block that it would be in.
        let now = Timestamp(self.world.time);
        match call {
            Call::Withdraw { key, epoch, participant, withdrawn, valid_until, .. } => {
                if valid_until >= now && self.is_there(key.id()) {
                    let channel = key.id();
                    self.world.event(Event::Withdrawn { channel, epoch, participant, withdrawn });
                }
            }
            Call::CooperativeSettle {
                key,
                epoch,
                transferred_low,
                transferred_high,
                valid_until,
                ..
            } => {
                if valid_until < now || !self.is_there(key.id()) {
                    return;
                }
                let view = self.world.nodes[&who].machine.channel(key.id()).unwrap();
                let we_are_low = account(who) == key.low();
                let (low, high) =
                    if we_are_low { (view.ours, view.theirs) } else { (view.theirs, view.ours) };
                let side = |end: photon_core::view::EndView, transferred| Side {
                    deposit: end.deposit,
                    withdrawn: end.withdrawn,
                    transferred,
                    ..Side::default()
                };
                let sides = (side(low, transferred_low), side(high, transferred_high));
                let (paid_low, paid_high) =
                    cooperate(&sides.0, &sides.1).expect("it is executable");
                let with_pending =
                    |end: photon_core::view::EndView| end.balance.0 + end.withdrawing.0;
                assert_eq!((paid_low.0, paid_high.0), (with_pending(low), with_pending(high)));
                let place = PAIRS.iter().position(|(a, b)| channel(*a, *b) == key.id()).unwrap();
                self.gone.insert(place);
                let channel = key.id();
                self.world.event(Event::ChannelSettled { channel, epoch, paid_low, paid_high });
            }
            Call::RegisterSecrets(secrets) => {
                let tree = RegistryTree::new(secrets.iter().map(Secret::hash)).unwrap();
                let root = tree.root();
                self.world.event(Event::SecretsRegistered { root, secrets });
            }
            other => panic!("nobody has a reason for {other:?}"),
        }
    }

    fn is_there(&self, id: photon_wire::ChannelId) -> bool {
        PAIRS
            .iter()
            .enumerate()
            .any(|(place, (one, other))| channel(*one, *other) == id && !self.gone.contains(&place))
    }

    fn pairs(&self) -> Vec<(char, char)> {
        let there = |(place, _): &(usize, &(char, char))| !self.gone.contains(place);
        PAIRS.iter().enumerate().filter(there).map(|(_, pair)| *pair).collect()
    }

    /// What is in a channel, and was taken out of it, by the view of one side.
    fn total(&self, who: char, id: photon_wire::ChannelId) -> u128 {
        let view = self.world.nodes[&who].machine.channel(id).unwrap();
        let sum =
            |end: photon_core::view::EndView| end.balance.0 + end.withdrawn.0 + end.withdrawing.0;
        sum(view.ours) + sum(view.theirs)
    }

    /// Everybody hears everything, and what can run out runs out.
    fn quiet(&mut self) {
        self.world.run();
        for name in NAMES {
            self.world.restart(name);
            self.world.run();
        }
        for _ in 0..4 {
            self.world.mine(1_200);
            self.world.run();
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn nothing_is_lost_and_views_agree_in_the_end(
        steps in prop::collection::vec(step(), 1..80),
    ) {
        let mut town = Town::new();
        for step in steps {
            town.take(step);
            for (one, other) in town.pairs() {
                prop_assert_eq!(town.total(one, channel(one, other)), 200);
                prop_assert_eq!(town.total(other, channel(one, other)), 200);
            }
        }
        town.quiet();
        for (one, other) in town.pairs() {
            let balances = town.world.balances(one, other);
            prop_assert!(!balances.contains('+'), "{}{}: {}", one, other, balances);
            for who in [one, other] {
                let view = town.world.nodes[&who].machine.channel(channel(one, other)).unwrap();
                prop_assert_eq!(view.state, ChannelState::Open);
                prop_assert_eq!(view.ours.withdrawing, Amount(0));
            }
            let _ = town.world.pay(one, other, 1, false);
            town.world.run();
            town.world.balances(one, other);
        }
    }
}
