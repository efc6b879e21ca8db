//! Nothing is told twice, and nothing is left out.

use crate::stage::{Stage, event, events_until, next};
use photon_chain::{ChainInput, Cursor, Depth, Endpoint, FollowerConfig, Interest, follow};
use photon_wire::contract::{Call, Event};
use photon_wire::{BlockNumber, Secret, Timestamp};
use std::time::Duration;

async fn register(stage: &mut Stage, seeds: std::ops::Range<u8>) {
    for seed in seeds {
        stage.alice.send(Call::RegisterSecrets(vec![Secret([seed; 32])])).await.unwrap();
    }
}

fn seed(event: &Event) -> u8 {
    match event {
        Event::SecretsRegistered { secrets, .. } => secrets[0].0[0],
        other => panic!("expected a registration, got {other:?}"),
    }
}

#[tokio::test]
async fn a_follower_goes_on_where_the_consumer_stopped() {
    let mut stage = Stage::new().await;
    register(&mut stage, 0..5).await;
    let head = stage.chain().block_number();
    let mut inputs = stage.follow_all();
    let all = events_until(&mut inputs, head).await;
    drop(inputs);
    let seeds: Vec<u8> = all.iter().map(|(_, event)| seed(event)).collect();
    assert_eq!(seeds, [0, 1, 2, 3, 4]);

    register(&mut stage, 5..7).await;
    let (position, _) = all[2];
    let within = Cursor { block: position.block, log: Some(position.index), hashes: Vec::new() };
    let before = Cursor { block: all[3].0.block, log: None, hashes: Vec::new() };
    for (from, expected) in [(within, 3..7), (before, 4..7), (Cursor::start(&stage.network), 0..7)]
    {
        let mut inputs = stage.follow(from);
        for wanted in expected {
            assert_eq!(seed(&event(&mut inputs).await.1), wanted);
        }
        let last = next(&mut inputs).await;
        assert!(matches!(last, ChainInput::Block { .. }), "{last:?}");
    }
}

#[tokio::test]
async fn blocks_come_after_their_events_and_show_the_head() {
    let mut stage = Stage::new().await;
    register(&mut stage, 0..3).await;
    let config = FollowerConfig { depth: Depth::Blocks(2), range: 1, ..FollowerConfig::quick() };
    let from = Cursor::start(&stage.network);
    let mut inputs =
        follow(stage.endpoint.clone(), &stage.network, Interest::Everything, config, from);
    let head = stage.chain().block_number();
    let mut last = 0;
    let mut told = 0;
    while last < head - 2 {
        match next(&mut inputs).await {
            ChainInput::Event(position, _) => {
                assert!(position.block.0 > last);
                told += 1;
            }
            ChainInput::Block { number, head_number, time, head_time, .. } => {
                assert_eq!(number.0, if last == 0 { number.0 } else { last + 1 });
                assert_eq!(head_number, BlockNumber(head));
                assert!(head_time >= time);
                last = number.0;
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(told, 1);
    // The other two are seen, and count later.
    for _ in 0..2 {
        assert!(matches!(next(&mut inputs).await, ChainInput::Seen(..)));
    }
    assert!(tokio::time::timeout(Duration::from_millis(300), inputs.recv()).await.is_err());
    stage.chain().mine(2);
    assert_eq!(events_until(&mut inputs, head).await.len(), 2);
}

#[tokio::test]
async fn over_a_websocket_new_blocks_are_announced() {
    let mut stage = Stage::new().await;
    let endpoint = Endpoint::new(&stage.chain().ws_url()).unwrap();
    // Without an announcement it would look once in a minute.
    let poll = Duration::from_secs(60);
    let config = FollowerConfig { poll, ..FollowerConfig::quick() };
    let from = Cursor::start(&stage.network);
    let mut inputs = follow(endpoint, &stage.network, Interest::Everything, config, from);
    let head = stage.chain().block_number();
    events_until(&mut inputs, head).await;
    for wanted in 0..3 {
        register(&mut stage, wanted..wanted + 1).await;
        assert_eq!(seed(&event(&mut inputs).await.1), wanted);
    }
}

#[tokio::test]
async fn a_reorganisation_is_told_and_what_holds_is_told_again() {
    let mut stage = Stage::new().await;
    let mut inputs = stage.follow_all();
    for seed in 0..2 {
        register(&mut stage, seed..seed + 1).await;
        let head = stage.chain().block_number();
        assert_eq!(events_until(&mut inputs, head).await.len(), 1);
    }

    let head = stage.chain().block_number();
    stage.chain().reorg(1).unwrap();
    let told = next(&mut inputs).await;
    let kept = BlockNumber(head - 1);
    let time = stage.endpoint.block(kept).await.unwrap().unwrap().time;
    assert_eq!(told, ChainInput::Reorganised { kept, time });
    stage.chain().mine(1);
    let (position, again) = event(&mut inputs).await;
    assert_eq!(seed(&again), 1);
    assert!(position.block.0 > head);
}

#[tokio::test]
async fn a_reorganisation_during_a_restart_is_told() {
    let mut stage = Stage::new().await;
    register(&mut stage, 0..1).await;
    let mut inputs = stage.follow_all();
    let head = stage.chain().block_number();
    let hash = loop {
        if let ChainInput::Block { number, hash, .. } = next(&mut inputs).await
            && number.0 == head
        {
            break hash;
        }
    };
    drop(inputs);
    stage.chain().reorg(1).unwrap();
    let cursor =
        Cursor { block: BlockNumber(head), log: None, hashes: vec![(BlockNumber(head), hash)] };
    let told = next(&mut stage.follow(cursor)).await;
    let kept = BlockNumber(stage.network.deploy_block.0 - 1);
    assert_eq!(told, ChainInput::Reorganised { kept, time: Timestamp(0) });
}

#[tokio::test]
async fn a_chain_that_was_set_back_goes_on_without_doubles() {
    let mut stage = Stage::new().await;
    let mut inputs = stage.follow_all();
    let before = stage.chain().snapshot();
    register(&mut stage, 0..1).await;
    assert_eq!(seed(&event(&mut inputs).await.1), 0);
    assert!(stage.chain().revert(before));
    stage.chain().set_next_timestamp(stage.chain().timestamp() + 1_000).unwrap();
    register(&mut stage, 1..2).await;
    loop {
        match next(&mut inputs).await {
            ChainInput::Event(_, told) => {
                assert_eq!(seed(&told), 1);
                break;
            }
            ChainInput::Block { .. } | ChainInput::Reorganised { .. } => {}
            other => panic!("{other:?}"),
        }
    }
}
