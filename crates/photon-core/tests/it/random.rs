//! Random payments, losses, restarts and blocks: no token appears or disappears, and when all is
//! quiet both views of every channel agree.

use crate::world::{World, channel};
use proptest::prelude::*;

#[derive(Clone, Debug)]
enum Step {
    Pay(usize, usize, u128, bool),
    Deliver(u8),
    Restart(usize),
    Mine(u64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..4_usize, 0..4_usize, 1..40_u128, any::<bool>())
            .prop_map(|(from, to, amount, locked)| Step::Pay(from, to, amount, locked)),
        6 => (1..12_u8).prop_map(Step::Deliver),
        1 => (0..4_usize).prop_map(Step::Restart),
        1 => (1..200_u64).prop_map(Step::Mine),
    ]
}

const PAIRS: [(char, char); 4] = [('A', 'B'), ('B', 'C'), ('C', 'D'), ('A', 'D')];

fn total(world: &World, one: char, other: char) -> u128 {
    let view = world.nodes[&one].machine.channel(channel(one, other)).unwrap();
    view.ours.balance.0 + view.theirs.balance.0
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn nothing_is_lost_and_views_agree_in_the_end(
        steps in prop::collection::vec(step(), 1..60),
    ) {
        let names = ['A', 'B', 'C', 'D'];
        let mut world = World::new("ABCD");
        for (one, other) in PAIRS {
            world.open(one, 100, other, 100);
        }
        for step in steps {
            match step {
                Step::Pay(from, to, amount, locked) => {
                    let _ = world.pay(names[from], names[to], amount, locked);
                }
                Step::Deliver(count) => {
                    for _ in 0..count {
                        world.deliver_one();
                    }
                }
                Step::Restart(who) => world.restart(names[who]),
                Step::Mine(later) => world.mine(later),
            }
            for (one, other) in PAIRS {
                prop_assert_eq!(total(&world, one, other), 200);
            }
        }
        world.run();
        for name in names {
            world.restart(name);
            world.run();
        }
        // Locks that nobody can claim any more go when they are past.
        for _ in 0..3 {
            world.mine(1_200);
            world.run();
        }
        for (one, other) in PAIRS {
            let balances = world.balances(one, other);
            prop_assert!(!balances.contains('+'), "{}{}: {}", one, other, balances);
        }
    }
}
