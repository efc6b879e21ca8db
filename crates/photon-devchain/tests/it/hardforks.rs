//! Old rules for old chains.

use alloy::{
    primitives::{Address, U256, address},
    providers::Provider as _,
    rpc::types::TransactionRequest,
};
use photon_devchain::{Hardfork, Mining};
use serde_json::json;

use crate::support::{http, rpc, start_with, token};

const STRANGER: Address = address!("0x00000000000000000000000000000000000a11ce");

#[tokio::test]
async fn before_berlin_there_are_legacy_transactions_only_and_no_base_fee() {
    for hardfork in [Hardfork::Petersburg, Hardfork::Istanbul] {
        let chain = start_with(Mining::Instant, hardfork).await;
        let provider = http(&chain, 0);
        let dynamic = TransactionRequest::default()
            .to(STRANGER)
            .gas_limit(21_000)
            .max_fee_per_gas(2_000_000_000)
            .max_priority_fee_per_gas(1);
        let refused = http(&chain, 1).send_transaction(dynamic).await.unwrap_err();
        assert!(refused.to_string().contains("transaction type not supported"), "{refused}");
        let block = rpc(&chain, "eth_getBlockByNumber", json!(["latest", false])).await.unwrap();
        assert!(block.get("baseFeePerGas").is_none());
        assert!(block.get("withdrawalsRoot").is_none());
        // Alloy finds out by itself that there is no base fee.
        let request = TransactionRequest::default().to(STRANGER).value(U256::ONE);
        let sent = provider.send_transaction(request).await.unwrap();
        let receipt = sent.get_receipt().await.unwrap();
        assert_eq!(receipt.inner.tx_type() as u8, 0);
        token(&chain, &provider).await;
    }
}

#[tokio::test]
async fn every_hardfork_runs_the_token() {
    for hardfork in Hardfork::ALL {
        assert_eq!(hardfork.name().parse::<Hardfork>().unwrap(), hardfork);
        let chain = start_with(Mining::Instant, hardfork).await;
        let token = token(&chain, &http(&chain, 0)).await;
        let sent = token.transfer(STRANGER, U256::from(1)).send().await.unwrap();
        assert!(sent.get_receipt().await.unwrap().status(), "{hardfork}");
    }
    assert!("homestead".parse::<Hardfork>().is_err());
}
