//! What a deep reorganisation must not break for ever.

use super::*;
use photon_core::view::ChannelState;
use photon_wire::BlockNumber;

fn take_back(world: &mut World, who: char, kept: BlockNumber, time: u64) {
    world.give(who, Input::Reorganised { kept, time: Timestamp(time) }).unwrap();
}

fn state(world: &World, who: char) -> ChannelState {
    world.nodes[&who].machine.channel(channel('A', 'B')).unwrap().state
}

fn deposited(deposit: u128) -> Event {
    let (channel, epoch, participant) = (channel('A', 'B'), Epoch(1), account('A'));
    Event::Deposited { channel, epoch, participant, deposit: Amount(deposit) }
}

/// A's closing is still on its way when a reorganisation takes A's deposit away, and then it
/// fails: A can close again.
#[test]
fn a_closing_under_way_while_something_else_vanishes_is_not_forgotten() {
    for restart in [false, true] {
        let mut world = World::new("AB");
        world.open('A', 100, 'B', 0);
        let (kept, time) = (world.block(), world.time);
        world.mine(1);
        world.event(deposited(150));
        let close = Command::CloseChannel(channel('A', 'B'));
        let answer = world.give('A', Input::Command(close.clone())).unwrap();
        let Answer::Channel(_, id) = answer else { panic!("{answer:?}") };
        take_back(&mut world, 'A', kept, time);
        if restart {
            world.restart('A');
            let pending = world.nodes[&'A'].machine.intents();
            assert!(pending.iter().any(|intent| intent.id == id), "{pending:?}");
        }
        world.give('A', Input::Submitted { id, outcome: Err("replaced".into()) }).unwrap();
        assert_ne!(state(&world, 'A'), ChannelState::Closing);
        world.give('A', Input::Command(close)).unwrap();
    }
}
