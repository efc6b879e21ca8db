//! How long a chain takes to start and to execute 1,000 token transfers, each in its own block.

#![allow(clippy::unwrap_used, reason = "an example that cannot go on has failed")]

use std::time::Instant;

use alloy::{
    eips::eip2718::Encodable2718 as _,
    network::{EthereumWallet, NetworkTransactionBuilder as _, TransactionBuilder as _},
    primitives::{Address, Bytes, U256},
    providers::{Provider as _, ProviderBuilder},
    rpc::types::TransactionRequest,
    signers::local::PrivateKeySigner,
    sol,
    sol_types::{SolCall as _, SolValue as _},
};
use photon_devchain::{Config, DevChain};
use serde_json::Value;

const TRANSFERS: u64 = 1_000;
const TOKEN_ARTEFACT: &str = include_str!("../../../contracts/artefacts/TestToken.json");

sol! {
    function mint(address to, uint256 amount);
    function transfer(address to, uint256 amount);
}

#[tokio::main]
async fn main() {
    let started = Instant::now();
    let chain = DevChain::start(Config::default()).await.unwrap();
    println!("start: {:?}", started.elapsed());

    let owner = chain.accounts()[0];
    let wallet = EthereumWallet::from(PrivateKeySigner::from_bytes(&owner.1).unwrap());
    let provider = ProviderBuilder::new().connect_http(chain.url().parse().unwrap());
    let token = owner.0.create(0);
    let mut signed = Vec::new();
    for nonce in 0..TRANSFERS + 2 {
        let request = TransactionRequest::default()
            .nonce(nonce)
            .gas_limit(3_000_000)
            .max_fee_per_gas(3_000_000_000)
            .max_priority_fee_per_gas(1)
            .with_chain_id(chain.chain_id());
        let request = match nonce {
            0 => request.create().input(token_code().into()),
            1 => request.to(token).input(mint(owner.0).into()),
            _ => request.to(token).input(transfer(nonce).into()),
        };
        signed.push(request.build(&wallet).await.unwrap().encoded_2718());
    }

    for raw in &signed[..2] {
        let _ = provider.send_raw_transaction(raw).await.unwrap();
    }
    let started = Instant::now();
    for raw in &signed[2..] {
        let _ = provider.send_raw_transaction(raw).await.unwrap();
    }
    println!("{TRANSFERS} transfers, one request each: {:?}", started.elapsed());
    assert_eq!(chain.block_number(), TRANSFERS + 2);
    let last = alloy::primitives::keccak256(&signed[usize::try_from(TRANSFERS).unwrap()]);
    let receipt = provider.get_transaction_receipt(last).await.unwrap().unwrap();
    assert_eq!(receipt.logs().len(), 1);
    chain.shutdown().await;
}

fn mint(to: Address) -> Bytes {
    mintCall { to, amount: U256::from(TRANSFERS) }.abi_encode().into()
}

fn transfer(seed: u64) -> Bytes {
    let to = Address::left_padding_from(&seed.to_be_bytes());
    transferCall { to, amount: U256::ONE }.abi_encode().into()
}

fn token_code() -> Bytes {
    let artefact: Value = serde_json::from_str(TOKEN_ARTEFACT).unwrap();
    let code: Bytes = artefact["bytecode"].as_str().unwrap().parse().unwrap();
    let arguments = ("Token".to_owned(), "TOK".to_owned(), U256::from(18)).abi_encode_params();
    [code.as_ref(), &arguments].concat().into()
}
