//! What is told in the newest block, what at the depth, and what is taken back.

use crate::life::live;
use crate::proxy::{Does, Proxy};
use crate::stage::{Stage, next};
use photon_chain::{AccountInterest, ChainInput, Cursor, Depth, FollowerConfig, Interest, follow};
use photon_devchain::{Config, Mining};
use photon_wire::contract::{Call, Event};
use photon_wire::{Address, Amount, BlockNumber, ChannelId, Secret};
use serde_json::json;
use std::time::Duration;
use tokio::sync::mpsc::Receiver;
use tokio::time::timeout;

const DEPTH: u64 = 3;

pub(crate) fn interest(account: Address, strangers: bool) -> Interest {
    Interest::Account(AccountInterest { account, channels: [].into(), strangers })
}

fn at(depth: Depth) -> FollowerConfig {
    FollowerConfig { depth, ..FollowerConfig::quick() }
}

fn deep(stage: &Stage, blocks: u64) -> Receiver<ChainInput> {
    let (interest, config) = (interest(stage.alice.address(), true), at(Depth::Blocks(blocks)));
    let from = Cursor::start(&stage.network);
    follow(stage.endpoint.clone(), &stage.network, interest, config, from)
}

/// The next that is told; blocks are passed over.
pub(crate) async fn told(inputs: &mut Receiver<ChainInput>) -> ChainInput {
    loop {
        match next(inputs).await {
            ChainInput::Block { .. } => {}
            other => return other,
        }
    }
}

pub(crate) async fn nothing_told(inputs: &mut Receiver<ChainInput>) {
    let told = timeout(Duration::from_millis(400), told(inputs)).await;
    assert!(told.is_err(), "{told:?}");
}

pub(crate) fn is_close(event: &Event) -> bool {
    matches!(event, Event::ChannelClosed { .. })
}

/// The channel of Alice and Bob, at the depth.
async fn open(stage: &mut Stage, inputs: &mut Receiver<ChainInput>, depth: u64) -> ChannelId {
    let call = stage.open(0);
    stage.alice.send(call).await.unwrap();
    stage.chain().mine(depth);
    let input = told(inputs).await;
    let ChainInput::Event(_, Event::ChannelOpened { key, .. }) = input else {
        panic!("expected the opening, got {input:?}")
    };
    key.id()
}

fn close(stage: &Stage) -> Call {
    let (token, partner) = (stage.token, stage.bob.address());
    Call::Close { token, partner, proof: None, declared: Amount::ZERO }
}

#[tokio::test]
async fn a_close_is_seen_in_the_newest_block_and_counts_at_the_depth() {
    let mut stage = Stage::new().await;
    let mut inputs = deep(&stage, DEPTH);
    let channel = open(&mut stage, &mut inputs, DEPTH).await;
    let call = close(&stage);
    stage.alice.send(call).await.unwrap();
    let ChainInput::Seen(seen, event) = told(&mut inputs).await else { panic!("not seen") };
    assert_eq!(seen.block.0, stage.chain().block_number());
    let Event::ChannelClosed { channel: closed, .. } = event else { panic!("{event:?}") };
    assert_eq!(closed, channel);
    stage.chain().mine(DEPTH - 1);
    nothing_told(&mut inputs).await;
    stage.chain().mine(1);
    assert_eq!(told(&mut inputs).await, ChainInput::Event(seen, event));
    nothing_told(&mut inputs).await;

    // A consumer that begins again hears what does not count yet once more.
    stage.alice.send(Call::RegisterSecrets(vec![Secret([7; 32])])).await.unwrap();
    let registered = told(&mut inputs).await;
    assert!(
        matches!(&registered, ChainInput::Seen(_, Event::SecretsRegistered { secrets, .. })
            if *secrets == [Secret([7; 32])]),
        "{registered:?}"
    );
    let handled = BlockNumber(stage.chain().block_number() - DEPTH);
    let known = AccountInterest {
        account: stage.alice.address(),
        channels: [channel].into(),
        strangers: true,
    };
    let (from, config) = (Cursor::after_block(handled), at(Depth::Blocks(DEPTH)));
    let (endpoint, known) = (stage.endpoint.clone(), Interest::Account(known));
    let mut again = follow(endpoint, &stage.network, known, config, from);
    assert_eq!(told(&mut again).await, registered);
}

#[tokio::test]
async fn what_was_seen_is_taken_back_with_its_block_and_told_anew() {
    let mut stage = Stage::new().await;
    let mut inputs = deep(&stage, DEPTH);
    open(&mut stage, &mut inputs, DEPTH).await;
    let call = close(&stage);
    stage.alice.send(call).await.unwrap();
    let block = stage.chain().block_number();
    assert!(matches!(told(&mut inputs).await, ChainInput::Seen(_, event) if is_close(&event)));
    stage.chain().mine(1);

    stage.chain().reorg(2).unwrap();
    let unseen = told(&mut inputs).await;
    assert!(
        matches!(unseen, ChainInput::Unseen { from } if from.0 <= block),
        "{unseen:?}, and the close was in {block}"
    );
    nothing_told(&mut inputs).await;
    stage.chain().mine(1);
    let ChainInput::Seen(seen, event) = told(&mut inputs).await else { panic!("not seen") };
    assert!(is_close(&event) && seen.block.0 > block, "{seen:?}: {event:?}");
    stage.chain().mine(DEPTH);
    assert_eq!(told(&mut inputs).await, ChainInput::Event(seen, event));
}

#[tokio::test]
async fn what_vanished_for_good_never_counts() {
    let mut stage = Stage::new().await;
    let mut inputs = deep(&stage, DEPTH);
    open(&mut stage, &mut inputs, DEPTH).await;
    let call = close(&stage);
    stage.alice.send(call).await.unwrap();
    assert!(matches!(told(&mut inputs).await, ChainInput::Seen(_, event) if is_close(&event)));
    stage.chain().reorg(1).unwrap();
    stage.chain().drop_transactions();
    assert!(matches!(told(&mut inputs).await, ChainInput::Unseen { .. }));
    stage.chain().mine(2 * DEPTH);
    nothing_told(&mut inputs).await;
}

#[tokio::test]
async fn a_head_that_is_merely_lower_takes_nothing_back() {
    let mut stage = Stage::new().await;
    let mut inputs = deep(&stage, DEPTH);
    open(&mut stage, &mut inputs, DEPTH).await;
    let call = close(&stage);
    stage.alice.send(call).await.unwrap();
    assert!(matches!(told(&mut inputs).await, ChainInput::Seen(_, event) if is_close(&event)));
    stage.chain().rollback(1).unwrap();
    // An endpoint that lags looks the same.
    nothing_told(&mut inputs).await;
    stage.chain().increase_time(Duration::from_secs(100));
    stage.chain().mine(1);
    assert!(matches!(told(&mut inputs).await, ChainInput::Unseen { .. }));
}

#[tokio::test]
async fn what_is_deeper_than_the_depth_is_told_as_a_reorganisation() {
    let mut stage = Stage::new().await;
    let mut inputs = deep(&stage, DEPTH);
    open(&mut stage, &mut inputs, DEPTH).await;
    let before = stage.chain().block_number();
    let call = close(&stage);
    stage.alice.send(call).await.unwrap();
    let ChainInput::Seen(seen, event) = told(&mut inputs).await else { panic!("not seen") };
    stage.chain().mine(DEPTH);
    assert_eq!(told(&mut inputs).await, ChainInput::Event(seen, event));
    stage.alice.send(Call::RegisterSecrets(vec![Secret([7; 32])])).await.unwrap();
    assert!(matches!(told(&mut inputs).await, ChainInput::Seen(..)));
    stage.chain().reorg(DEPTH + 2).unwrap();
    stage.chain().drop_transactions();
    let unseen = told(&mut inputs).await;
    let input = told(&mut inputs).await;
    let ChainInput::Reorganised { kept, time } = input else { panic!("{input:?}") };
    assert!(kept.0 <= before, "{kept}");
    assert_eq!(unseen, ChainInput::Unseen { from: BlockNumber(kept.0 + 1) });
    assert_eq!(time, stage.endpoint.block(kept).await.unwrap().unwrap().time);
    stage.chain().mine(2 * DEPTH);
    while let Ok(input) = timeout(Duration::from_millis(400), told(&mut inputs)).await {
        assert!(!matches!(&input, ChainInput::Event(_, event) if is_close(event)), "{input:?}");
    }
}

#[tokio::test]
async fn the_chains_own_words_for_its_depth_are_taken() {
    for (depth, tag) in [(Depth::Safe, "safe"), (Depth::Finalized, "finalized")] {
        let mut stage = Stage::new().await;
        let call = stage.open(0);
        stage.alice.send(call).await.unwrap();
        stage.chain().mine(100);
        let proxy = Proxy::before(stage.chain().url()).await;
        for knows in [true, false] {
            proxy.becomes(move |question| {
                let asked = question["params"][0] == tag;
                let error = json!({ "code": -39001, "message": "unknown block" });
                if asked && !knows { Does::Says(json!({ "error": error })) } else { Does::Honest }
            });
            let (from, interest) = (Cursor::start(&stage.network), Interest::Everything);
            let mut inputs = follow(proxy.endpoint(), &stage.network, interest, at(depth), from);
            let head = stage.chain().block_number();
            // The embedded chain's own words: 32 and 64 blocks.
            let own = if depth == Depth::Safe { 32 } else { 64 };
            let expected = head - if knows { own } else { depth.blocks() };
            loop {
                if let ChainInput::Block { number, .. } = next(&mut inputs).await {
                    assert!(number.0 <= expected);
                    if number.0 == expected {
                        break;
                    }
                }
            }
            nothing_told(&mut inputs).await;
        }
    }
}

#[tokio::test]
async fn of_strangers_only_what_the_graph_needs_is_loaded() {
    let config = Config { mining: Mining::Instant, ..Config::default() };
    let mut stage = Stage::with(config, photon_chain::WalletConfig::quick()).await;
    live(&mut stage).await;
    let proxy = Proxy::before(stage.chain().url()).await;
    let head = stage.chain().block_number();
    let (alice, stranger) = (stage.alice.address(), Address::repeat_byte(9));
    let graph = |event: &Event| {
        matches!(
            event,
            Event::ChannelOpened { .. }
                | Event::Deposited { .. }
                | Event::Withdrawn { .. }
                | Event::ChannelClosed { .. }
                | Event::ChannelSettled { .. }
        )
    };
    let secrets = |event: &Event| matches!(event, Event::SecretsRegistered { .. });
    let mut all = Vec::new();
    let cases = [
        (Interest::Everything, "everything"),
        (interest(alice, true), "all of Alice's"),
        (interest(alice, false), "all of Alice's, asked for by name"),
        (interest(stranger, true), "the graph"),
        (interest(stranger, false), "registrations"),
    ];
    for (index, (interest, what)) in cases.into_iter().enumerate() {
        let from = Cursor::start(&stage.network);
        let config = FollowerConfig::quick();
        let mut inputs = follow(proxy.endpoint(), &stage.network, interest, config, from);
        let got = crate::stage::events_until(&mut inputs, head).await;
        drop(inputs);
        if index == 0 {
            all = got.clone();
            assert!(all.iter().any(|(_, event)| !graph(event) && !secrets(event)));
        }
        let expected: Vec<_> = all
            .iter()
            .filter(|(_, event)| match index {
                0..=2 => true,
                3 => graph(event) || secrets(event),
                _ => secrets(event),
            })
            .cloned()
            .collect();
        assert_eq!(got, expected, "{what}");
        let asked = proxy.asked("eth_getLogs");
        assert!(!asked.is_empty());
        let open = asked.iter().filter(|question| question[0]["topics"] == json!([])).count();
        assert_eq!(open > 0, index == 0, "{what} is asked for by topic");
    }
}
