use crate::error::ChainError;
use crate::revert::Revert;
use alloy::primitives::{Address, B256, Bytes, U64, U128, U256};
use alloy::providers::{Provider, RootProvider};
use alloy::pubsub::Subscription;
use alloy::rpc::client::{ClientBuilder, RpcClient};
use alloy::rpc::json_rpc::{RpcError, RpcRecv, RpcSend};
use alloy::rpc::types::Log;
use alloy::transports::http::reqwest::Url;
use alloy::transports::ws::WsConnect;
use alloy::transports::{TransportError, TransportErrorKind};
use photon_wire::{BlockNumber, Timestamp};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::timeout;

/// How long one answer may take.
const PATIENCE: Duration = Duration::from_secs(15);

/// What old chains answer to a parameter that they do not know. Source: JSON-RPC 2.0.
const INVALID_PARAMETERS: i64 = -32_602;

/// A chain behind a JSON-RPC URL. Cheap to clone; connects when it is first asked, and again
/// after the connection was lost.
#[derive(Clone)]
pub struct Endpoint(Arc<Inner>);

struct Inner {
    url: Url,
    shown: String,
    client: Mutex<Option<RpcClient>>,
}

/// A block, as far as it concerns us.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Head {
    /// Its height.
    pub number: BlockNumber,
    /// Its hash.
    pub hash: B256,
    /// Its time.
    pub time: Timestamp,
    /// What each gas costs at least, in wei; none where the chain knows no base fee.
    pub base_fee: Option<u128>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct BlockAnswer {
    number: U64,
    hash: B256,
    timestamp: U64,
    base_fee_per_gas: Option<U128>,
}

/// A mined transaction, as far as it concerns us.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Receipt {
    pub(crate) block: BlockNumber,
    pub(crate) succeeded: bool,
    pub(crate) gas_used: u64,
    /// None where the chain does not tell it.
    pub(crate) gas_price: Option<u128>,
    /// What was deployed.
    pub(crate) contract: Option<Address>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ReceiptAnswer {
    block_number: Option<U64>,
    status: Option<U64>,
    gas_used: U64,
    effective_gas_price: Option<U128>,
    contract_address: Option<Address>,
}

impl From<BlockAnswer> for Head {
    fn from(block: BlockAnswer) -> Self {
        Self {
            number: BlockNumber(block.number.to()),
            hash: block.hash,
            time: Timestamp(block.timestamp.to()),
            base_fee: block.base_fee_per_gas.map(|fee| fee.to()),
        }
    }
}

impl Endpoint {
    /// The chain at an `http`, `https`, `ws` or `wss` URL. Nothing is asked yet.
    ///
    /// # Errors
    /// Where the text is no such URL.
    pub fn new(url: &str) -> Result<Self, ChainError> {
        let refused = |reason: String| ChainError::Url { url: url.to_owned(), reason };
        let parsed = Url::parse(url).map_err(|error| refused(error.to_string()))?;
        if !matches!(parsed.scheme(), "http" | "https" | "ws" | "wss") {
            return Err(refused(format!("its scheme is `{}`", parsed.scheme())));
        }
        let host = parsed.host_str().unwrap_or_default();
        let port = parsed.port().map(|port| format!(":{port}")).unwrap_or_default();
        let shown = format!("{}://{host}{port}", parsed.scheme());
        Ok(Self(Arc::new(Inner { url: parsed, shown, client: Mutex::new(None) })))
    }

    /// Scheme, host and port: fit to be shown, without a key that the path may hold.
    pub fn shown(&self) -> &str {
        &self.0.shown
    }

    /// Whether new blocks are announced to us.
    pub fn is_websocket(&self) -> bool {
        matches!(self.0.url.scheme(), "ws" | "wss")
    }

    /// The id that transactions and claims are signed for.
    ///
    /// # Errors
    /// Where the chain cannot be asked.
    pub async fn chain_id(&self) -> Result<u64, ChainError> {
        self.request("eth_chainId", ()).await.map(|id: U64| id.to())
    }

    /// The newest block.
    ///
    /// # Errors
    /// Where the chain cannot be asked.
    pub async fn head(&self) -> Result<Head, ChainError> {
        let head: Option<BlockAnswer> =
            self.request("eth_getBlockByNumber", ("latest", false)).await?;
        head.map(Head::from).ok_or_else(|| missing("eth_getBlockByNumber", "no newest block"))
    }

    /// The time of the newest block: now, as the contract sees it.
    ///
    /// # Errors
    /// Where the chain cannot be asked.
    pub async fn now(&self) -> Result<Timestamp, ChainError> {
        self.head().await.map(|head| head.time)
    }

    /// The block at this height, if the chain is that high.
    ///
    /// # Errors
    /// Where the chain cannot be asked.
    pub async fn block(&self, number: BlockNumber) -> Result<Option<Head>, ChainError> {
        let block: Option<BlockAnswer> =
            self.request("eth_getBlockByNumber", (U64::from(number.0), false)).await?;
        Ok(block.map(Head::from))
    }

    /// What an account has of the chain's own coin, in wei; at most 2^128 − 1.
    ///
    /// # Errors
    /// Where the chain cannot be asked.
    pub async fn balance(&self, account: Address) -> Result<u128, ChainError> {
        let balance: U256 = self.request("eth_getBalance", (account, "latest")).await?;
        Ok(balance.saturating_to())
    }

    /// Whether there is a contract at the address.
    ///
    /// # Errors
    /// Where the chain cannot be asked.
    pub async fn has_code(&self, address: Address) -> Result<bool, ChainError> {
        let code: Bytes = self.request("eth_getCode", (address, "latest")).await?;
        Ok(!code.is_empty())
    }

    /// Asks a contract, without a transaction.
    ///
    /// # Errors
    /// Where the chain cannot be asked or the contract refuses.
    pub async fn call(&self, to: Address, input: Bytes) -> Result<Bytes, ChainError> {
        self.request("eth_call", (json!({ "to": to, "data": input }), "latest")).await
    }

    pub(crate) async fn call_at(
        &self,
        call: &Value,
        block: BlockNumber,
    ) -> Result<Bytes, ChainError> {
        self.request("eth_call", (call, U64::from(block.0))).await
    }

    pub(crate) async fn estimate(&self, call: &Value) -> Result<u64, ChainError> {
        // Not on top of what waits: that may be an earlier attempt at the same thing.
        let mut answer: Result<U64, _> = self.request("eth_estimateGas", (call, "latest")).await;
        if matches!(answer, Err(ChainError::Refused { code: INVALID_PARAMETERS, .. })) {
            answer = self.request("eth_estimateGas", (call,)).await;
        }
        let refused = match answer {
            Ok(gas) => return Ok(gas.to()),
            Err(error @ ChainError::Refused { .. }) => error,
            Err(error) => return Err(error),
        };
        // Old chains do not say why an estimate fails, and answer a call that reverts with the
        // revert's data.
        let data: Bytes = self.request("eth_call", (call, "latest")).await?;
        let revert = Revert::decode(&data);
        let tells = !matches!(revert, Revert::Unknown(_));
        Err(if tells { ChainError::Reverted(revert) } else { refused })
    }

    pub(crate) async fn gas_price(&self) -> Result<u128, ChainError> {
        self.request("eth_gasPrice", ()).await.map(|price: U128| price.to())
    }

    pub(crate) async fn priority_fee(&self) -> Result<u128, ChainError> {
        self.request("eth_maxPriorityFeePerGas", ()).await.map(|fee: U128| fee.to())
    }

    pub(crate) async fn transaction_count(
        &self,
        account: Address,
        block: &'static str,
    ) -> Result<u64, ChainError> {
        self.request("eth_getTransactionCount", (account, block)).await.map(|count: U64| count.to())
    }

    pub(crate) async fn send_raw(&self, transaction: &Bytes) -> Result<B256, ChainError> {
        self.request("eth_sendRawTransaction", (transaction,)).await
    }

    pub(crate) async fn receipt(&self, hash: B256) -> Result<Option<Receipt>, ChainError> {
        let answer: Option<ReceiptAnswer> =
            self.request("eth_getTransactionReceipt", (hash,)).await?;
        Ok(answer.and_then(|receipt| {
            Some(Receipt {
                block: BlockNumber(receipt.block_number?.to()),
                succeeded: receipt.status.is_none_or(|status| !status.is_zero()),
                gas_used: receipt.gas_used.to(),
                gas_price: receipt.effective_gas_price.map(|price| price.to()),
                contract: receipt.contract_address,
            })
        }))
    }

    pub(crate) async fn logs(
        &self,
        contract: Address,
        from: BlockNumber,
        to: BlockNumber,
    ) -> Result<Vec<Log>, ChainError> {
        let filter = json!({
            "address": contract,
            "fromBlock": U64::from(from.0),
            "toBlock": U64::from(to.0),
        });
        self.request("eth_getLogs", (filter,)).await
    }

    /// Announcements of new blocks, over a WebSocket; they may end at any time.
    pub(crate) async fn new_heads(&self) -> Result<Subscription<Value>, ChainError> {
        let provider: RootProvider = RootProvider::new(self.client().await?);
        let answer = timeout(PATIENCE, provider.subscribe(("newHeads",)).into_future()).await;
        self.understand("eth_subscribe", answer)
    }

    pub(crate) async fn request<P: RpcSend, R: RpcRecv>(
        &self,
        method: &'static str,
        parameters: P,
    ) -> Result<R, ChainError> {
        let client = self.client().await?;
        let answer = timeout(PATIENCE, client.request(method, parameters).into_future()).await;
        let lost = matches!(
            &answer,
            Err(_) | Ok(Err(RpcError::Transport(TransportErrorKind::BackendGone)))
        );
        if lost && self.is_websocket() {
            self.0.client.lock().await.take();
        }
        self.understand(method, answer)
    }

    fn understand<R>(
        &self,
        method: &'static str,
        answer: Result<Result<R, TransportError>, tokio::time::error::Elapsed>,
    ) -> Result<R, ChainError> {
        match answer {
            Ok(answer) => answer.map_err(|error| self.fault(method, error)),
            Err(_) => Err(ChainError::Silent {
                url: self.0.shown.clone(),
                method,
                seconds: PATIENCE.as_secs(),
            }),
        }
    }

    async fn client(&self) -> Result<RpcClient, ChainError> {
        let mut held = self.0.client.lock().await;
        if let Some(client) = &*held {
            return Ok(client.clone());
        }
        let client = if self.is_websocket() {
            // We connect again ourselves, so that an end that is gone is told at once.
            let connect = WsConnect::new(self.0.url.as_str()).with_max_retries(0);
            let connected = timeout(PATIENCE, ClientBuilder::default().ws(connect)).await;
            self.understand("connect", connected)?
        } else {
            ClientBuilder::default().http(self.0.url.clone())
        };
        *held = Some(client.clone());
        Ok(client)
    }

    fn fault(&self, method: &'static str, error: TransportError) -> ChainError {
        match error {
            RpcError::ErrorResp(answer) => {
                if let Some(data) = answer.as_revert_data() {
                    return ChainError::Reverted(Revert::decode(&data));
                }
                let message = answer.message.into_owned();
                // Source: the JSON-RPC interface of Ethereum's clients, where 3 is a revert.
                if answer.code == 3 || message == "execution reverted" {
                    return ChainError::Reverted(Revert::Unknown(Bytes::new()));
                }
                ChainError::Refused { method, code: answer.code, message }
            }
            RpcError::NullResp => missing(method, "it is null"),
            RpcError::DeserError { err, .. } => missing(method, &err.to_string()),
            RpcError::Transport(_)
            | RpcError::UnsupportedFeature(_)
            | RpcError::LocalUsageError(_)
            | RpcError::SerError(_) => {
                ChainError::Unreachable { url: self.0.shown.clone(), reason: innermost(&error) }
            }
        }
    }
}

fn missing(method: &'static str, reason: &str) -> ChainError {
    ChainError::Answer { method, reason: reason.to_owned() }
}

/// The deepest cause: it says what happened, and it does not repeat the URL.
fn innermost(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_shown_without_what_may_be_secret() {
        let endpoint = Endpoint::new("https://user:pass@chain.example:8545/v3/key?a=b").unwrap();
        assert_eq!(endpoint.shown(), "https://chain.example:8545");
        assert!(!endpoint.is_websocket());
        assert!(Endpoint::new("ws://127.0.0.1:1").unwrap().is_websocket());
    }

    #[test]
    fn what_is_no_url_of_a_chain_is_refused() {
        for url in ["", "127.0.0.1:8545", "ftp://chain.example", "/dev/chain.ipc"] {
            assert!(matches!(Endpoint::new(url), Err(ChainError::Url { .. })), "{url}");
        }
    }
}
