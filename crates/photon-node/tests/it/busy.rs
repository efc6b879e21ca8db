//! More than a channel holds at once.

use crate::town::{Town, balances, is_paid};
use futures::future::join_all;
use photon_node::handle::PayWay;

/// More than a direction has slots for locks.
const PAYMENTS: u128 = 4_500;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn payments_wait_for_room_in_their_channel() {
    let town = Town::new().await;
    let node_a = town.node(0, &[]).await;
    let node_b = town.node(1, &[&node_a]).await;
    let (a, b) = (node_a.handle(), node_b.handle());
    let ab = town.open(&a, &b, PAYMENTS).await;

    let payments = (0..PAYMENTS).map(|_| town.pay(&a, &b, 1, PayWay::Locked));
    for payment in join_all(payments).await {
        assert!(is_paid(&payment.unwrap()));
    }
    balances(ab, (&a, 0), (&b, PAYMENTS)).await;

    node_a.shutdown().await;
    node_b.shutdown().await;
    town.chain.shutdown().await;
}
