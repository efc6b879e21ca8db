//! What a node must not do twice when it starts again.

use crate::town::{Town, eventually};
use photon_core::IntentId;
use photon_devchain::Mining;
use photon_node::handle::{DepositRequest, How, TransactionState};
use photon_wire::Amount;
use std::time::Duration;

/// A deposit is written down and on its way when the node ends. `lost`: the chain forgets it, as
/// where the process ended between the writing and the sending.
async fn deposit_over_a_restart(lost: bool) {
    let town = Town::new().await;
    let node_a = town.node(0, &[]).await;
    let node_b = town.node(1, &[&node_a]).await;
    let channel = town.open(&node_a.handle(), &node_b.handle(), 100).await;
    let held = town.tokens_of(0).await.0;
    let journal = town.config(0, &[]).data_dir.join("transactions");
    let written = || std::fs::metadata(&journal).unwrap().len();

    town.chain.set_mining(Mining::Manual).unwrap();
    let before = written();
    let amount = Amount(50);
    let how = How::default();
    let request = DepositRequest { channel, participant: None, amount, how, wait: None };
    let IntentId(id) = node_a.handle().deposit(request).await.unwrap().transaction.unwrap();
    eventually(async || {
        if written() > before {
            return Some(());
        }
        // The approval comes first.
        town.chain.mine(1);
        tokio::time::sleep(Duration::from_millis(50)).await;
        None
    })
    .await;
    node_a.shutdown().await;
    if lost {
        town.chain.drop_transactions();
    }

    let node_a = town.node(0, &[&node_b]).await;
    let a = node_a.handle();
    eventually(async || {
        town.chain.mine(1);
        let over = a.transaction(IntentId(id)).is_none_or(|known| known.is_over());
        over.then_some(())
    })
    .await;
    assert!(matches!(
        a.transaction(IntentId(id)).map(|known| known.state),
        None | Some(TransactionState::Done { .. })
    ));
    eventually(async || {
        town.chain.mine(1);
        a.channel(channel).await.unwrap().filter(|view| view.ours.deposit == Amount(150))
    })
    .await;
    // Were there a second one, it would be in one of these.
    town.chain.mine(5);
    tokio::time::sleep(Duration::from_millis(300)).await;
    town.chain.mine(5);
    assert_eq!(town.tokens_of(0).await.0, held - 50);
    node_a.shutdown().await;
    node_b.shutdown().await;
    town.chain.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deposit_on_its_way_is_not_made_twice() {
    deposit_over_a_restart(false).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deposit_that_was_written_down_and_never_sent_is_made_once() {
    deposit_over_a_restart(true).await;
}
