//! What is no token: scenario 19.

use crate::harness::{ChainKind, PATIENCE, Town};
use serde_json::json;

#[tokio::test]
async fn a_channel_in_what_is_no_token_is_refused() {
    let town = Town::new(ChainKind::DEVCHAIN).await;
    let [a, b] = town.row().await;
    let nobody = format!("0x{:040x}", 0xdead);
    for token in [&a.account, &town.contract, &nobody] {
        let body = json!({
            "token": token, "partner": b.account, "deposit": "5",
            "wait_seconds": PATIENCE.as_secs(),
        });
        a.post("/channels", body).await.refused(422, "not_a_token");
        a.look(&format!("/tokens/{token}")).await.refused(422, "not_a_token");
    }
    assert_eq!(a.get("/channels").await, json!([]));
    assert_eq!(a.get("/transactions").await, json!([]));
}
