//! A chain, a wallet and a token to begin a test with.

use alloy::{
    network::EthereumWallet,
    primitives::{Address, Bytes, U256},
    providers::{DynProvider, Provider as _, ProviderBuilder, WsConnect},
    rpc::types::TransactionRequest,
    signers::local::PrivateKeySigner,
    sol,
    sol_types::SolValue as _,
};
use photon_devchain::{Config, DevChain, Hardfork, Mining};
use serde_json::{Value, json};

sol! {
    #[sol(rpc)]
    interface TestToken {
        error InsufficientBalance(address owner, uint256 balance, uint256 needed);
        event Transfer(address indexed from, address indexed to, uint256 amount);
        function balanceOf(address owner) external view returns (uint256);
        function mint(address to, uint256 amount) external;
        function transfer(address to, uint256 amount) external returns (bool);
    }
}

pub(crate) type Token = TestToken::TestTokenInstance<DynProvider>;

const TOKEN_ARTEFACT: &str = include_str!("../../../../contracts/artefacts/TestToken.json");

pub(crate) async fn start() -> DevChain {
    DevChain::start(Config::default()).await.unwrap()
}

pub(crate) async fn start_with(mining: Mining, hardfork: Hardfork) -> DevChain {
    DevChain::start(Config { mining, hardfork, ..Config::default() }).await.unwrap()
}

pub(crate) fn signer(chain: &DevChain, index: usize) -> PrivateKeySigner {
    PrivateKeySigner::from_bytes(&chain.accounts()[index].1).unwrap()
}

pub(crate) fn address(chain: &DevChain, index: usize) -> Address {
    chain.accounts()[index].0
}

/// Over HTTP, signing for the account with this index.
pub(crate) fn http(chain: &DevChain, index: usize) -> DynProvider {
    let wallet = EthereumWallet::from(signer(chain, index));
    ProviderBuilder::new().wallet(wallet).connect_http(chain.url().parse().unwrap()).erased()
}

/// Over a WebSocket, signing for the account with this index.
pub(crate) async fn ws(chain: &DevChain, index: usize) -> DynProvider {
    let wallet = EthereumWallet::from(signer(chain, index));
    let connection = WsConnect::new(chain.ws_url());
    ProviderBuilder::new().wallet(wallet).connect_ws(connection).await.unwrap().erased()
}

/// The code that deploys the token of the contracts folder.
pub(crate) fn token_code() -> Bytes {
    let artefact: Value = serde_json::from_str(TOKEN_ARTEFACT).unwrap();
    let code: Bytes = artefact["bytecode"].as_str().unwrap().parse().unwrap();
    let arguments = ("Token".to_owned(), "TOK".to_owned(), U256::from(18)).abi_encode_params();
    [code.as_ref(), &arguments].concat().into()
}

/// A token of which the account of the provider has a thousand.
pub(crate) async fn token(chain: &DevChain, provider: &DynProvider) -> Token {
    let create = TransactionRequest::default().create().input(token_code().into());
    let sent = provider.send_transaction(create).await.unwrap();
    chain.mine(u64::from(chain.block_number() == 0));
    let address = sent.get_receipt().await.unwrap().contract_address.unwrap();
    let token = TestToken::new(address, provider.clone());
    let owner = self::address(chain, 0);
    let minted = token.mint(owner, U256::from(1_000)).send().await.unwrap();
    if provider.get_transaction_receipt(*minted.tx_hash()).await.unwrap().is_none() {
        chain.mine(1);
    }
    assert!(minted.get_receipt().await.unwrap().status());
    token
}

/// The answer to a raw body.
pub(crate) async fn post(chain: &DevChain, body: impl Into<String>) -> Value {
    let sent = reqwest::Client::new().post(chain.url()).body(body.into()).send().await.unwrap();
    serde_json::from_str(&sent.text().await.unwrap()).unwrap()
}

/// The result or error of one request, by its method and parameters.
pub(crate) async fn rpc(chain: &DevChain, method: &str, params: Value) -> Result<Value, Value> {
    let request = json!({ "jsonrpc": "2.0", "id": 7, "method": method, "params": params });
    let mut answer = post(chain, request.to_string()).await;
    assert_eq!(answer["id"], 7);
    match answer.get_mut("error").map(Value::take) {
        Some(error) => Err(error),
        None => Ok(answer["result"].take()),
    }
}
