mod line;

use crate::error::ChainError;
use crate::fees::Fees;
use crate::pauses::Pauses;
use crate::revert::Revert;
use alloy::primitives::{Address, B256, Bytes, U64, U128, U256};
use alloy::pubsub::Subscription;
use alloy::rpc::json_rpc::{RpcRecv, RpcSend};
use alloy::rpc::types::Log;
use line::Line;
use photon_wire::{BlockNumber, Timestamp};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::time::sleep;

/// How long one answer may take.
const PATIENCE: Duration = Duration::from_secs(15);
/// How long one answer may take where another endpoint can be asked instead.
const SHORT_PATIENCE: Duration = Duration::from_secs(5);
/// How often an endpoint that limits our rate is asked again before that is passed on.
const LIMITED: usize = 4;
/// The pauses between: from a quarter of a second on.
const LIMITED_PAUSE: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(4));

/// What old chains answer to a parameter that they do not know. Source: JSON-RPC 2.0.
const INVALID_PARAMETERS: i64 = -32_602;

/// A chain behind one or more JSON-RPC URLs. Cheap to clone; connects when it is first asked, and
/// again after the connection was lost.
#[derive(Clone)]
pub struct Endpoint(Arc<Inner>);

struct Inner {
    /// The first one is asked; the others stand in for it, in this order.
    lines: Vec<Line>,
    /// Which one answered last.
    current: AtomicUsize,
    /// What all of them must say that they are, where several may be asked.
    chain_id: u64,
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

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct TransactionAnswer {
    gas_price: Option<U128>,
    max_fee_per_gas: Option<U128>,
    max_priority_fee_per_gas: Option<U128>,
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
        Ok(Self::of(vec![Line::new(url)?], 0))
    }

    /// As [`Endpoint::new`], with others of the same chain that stand in for it, in their order,
    /// while it is silent, answers with errors or limits our rate; it is tried again after a
    /// while. One of another chain than `chain_id` is never believed. Transactions are handed to
    /// all of them.
    ///
    /// # Errors
    /// Where one of the texts is no URL of a chain.
    pub fn with_stand_ins(
        url: &str,
        stand_ins: &[String],
        chain_id: u64,
    ) -> Result<Self, ChainError> {
        let urls = std::iter::once(url).chain(stand_ins.iter().map(String::as_str));
        let lines: Result<_, _> = urls.map(Line::new).collect();
        Ok(Self::of(lines?, chain_id))
    }

    fn of(lines: Vec<Line>, chain_id: u64) -> Self {
        Self(Arc::new(Inner { lines, current: AtomicUsize::new(0), chain_id }))
    }

    /// Scheme, host and port of the one that answers: fit to be shown, without a key that the path
    /// may hold.
    pub fn shown(&self) -> &str {
        self.current().map_or("", Line::shown)
    }

    /// Whether new blocks are announced to us.
    pub fn is_websocket(&self) -> bool {
        self.current().is_some_and(Line::is_websocket)
    }

    /// The one that answers, counted from 0.
    pub(crate) fn line(&self) -> usize {
        self.0.current.load(Ordering::Relaxed)
    }

    fn current(&self) -> Option<&Line> {
        self.0.lines.get(self.line())
    }

    /// Lets another one stand in for the one that answers: it is not well, although it answers.
    pub fn pass_over(&self) {
        let Some(line) = self.current().filter(|_| self.0.lines.len() > 1) else { return };
        tracing::warn!(url = line.shown(), "another endpoint stands in for this one");
        line.rest();
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

    /// The block that the chain calls by this word.
    pub(crate) async fn tagged(&self, tag: &'static str) -> Result<Option<Head>, ChainError> {
        let block: Option<BlockAnswer> = self.request("eth_getBlockByNumber", (tag, false)).await?;
        Ok(block.map(Head::from))
    }

    /// What each gas costs at present, in wei.
    ///
    /// # Errors
    /// Where the chain cannot be asked.
    pub async fn gas_price(&self) -> Result<u128, ChainError> {
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

    /// How many transactions of the account were mined up to and in this block.
    pub(crate) async fn transaction_count_at(
        &self,
        account: Address,
        block: BlockNumber,
    ) -> Result<u64, ChainError> {
        let parameters = (account, U64::from(block.0));
        self.request("eth_getTransactionCount", parameters).await.map(|count: U64| count.to())
    }

    /// What a transaction that the chain knows offers for its gas.
    pub(crate) async fn offered(&self, transaction: B256) -> Result<Option<Fees>, ChainError> {
        let known: Option<TransactionAnswer> =
            self.request("eth_getTransactionByHash", (transaction,)).await?;
        Ok(known.and_then(|known| match (known.max_fee_per_gas, known.max_priority_fee_per_gas) {
            (Some(max), Some(priority)) => {
                Some(Fees::Dynamic { max: max.to(), priority: priority.to() })
            }
            _ => known.gas_price.map(|price| Fees::Legacy { price: price.to() }),
        }))
    }

    pub(crate) async fn send_raw(&self, transaction: &Bytes) -> Result<B256, ChainError> {
        const METHOD: &str = "eth_sendRawTransaction";
        let answer = self.request(METHOD, (transaction.clone(),)).await;
        let taken_by = self.line();
        for index in (0..self.0.lines.len()).filter(|index| *index != taken_by) {
            let (inner, transaction) = (Arc::clone(&self.0), transaction.clone());
            tokio::spawn(async move {
                // One that says to have taken it and keeps it back cannot hold us up.
                let Some(line) = inner.lines.get(index) else { return };
                let _: Result<B256, _> = line.ask(METHOD, (transaction,), SHORT_PATIENCE).await;
            });
        }
        answer
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
        topics: &Value,
        from: BlockNumber,
        to: BlockNumber,
    ) -> Result<Vec<Log>, ChainError> {
        let filter = json!({
            "address": contract,
            "topics": topics,
            "fromBlock": U64::from(from.0),
            "toBlock": U64::from(to.0),
        });
        self.request("eth_getLogs", (filter,)).await
    }

    /// Announcements of new blocks, over a WebSocket; they may end at any time.
    pub(crate) async fn new_heads(&self) -> Result<Subscription<Value>, ChainError> {
        match self.current() {
            Some(line) => line.new_heads(PATIENCE).await,
            None => Err(nobody()),
        }
    }

    pub(crate) async fn request<P: RpcSend, R: RpcRecv>(
        &self,
        method: &'static str,
        parameters: P,
    ) -> Result<R, ChainError> {
        let mut pauses = Pauses::new(LIMITED_PAUSE.0, LIMITED_PAUSE.1);
        let mut limited: usize = 0;
        loop {
            match self.ask_around(method, &parameters).await {
                Err(ChainError::Limited { .. }) if limited < LIMITED => {
                    limited = limited.saturating_add(1);
                    sleep(pauses.next()).await;
                }
                answer => return answer,
            }
        }
    }

    /// Asks one after the other, until one gives an answer that is not its own failure.
    async fn ask_around<P: RpcSend, R: RpcRecv>(
        &self,
        method: &'static str,
        parameters: &P,
    ) -> Result<R, ChainError> {
        let lines = &self.0.lines;
        if let [line] = lines.as_slice() {
            return line.ask(method, parameters.clone(), PATIENCE).await;
        }
        let (resting, rested): (Vec<_>, Vec<_>) =
            lines.iter().enumerate().partition(|(_, line)| line.is_resting());
        let mut failure = nobody();
        for (index, line) in rested.into_iter().chain(resting) {
            let answer = match line.check(self.0.chain_id, SHORT_PATIENCE).await {
                Ok(()) => line.ask(method, parameters.clone(), SHORT_PATIENCE).await,
                Err(error) => Err(error),
            };
            match answer {
                Err(error) if error.is_of_the_endpoint() => {
                    line.rest();
                    tracing::debug!(url = line.shown(), %error, "an endpoint is passed over");
                    failure = error;
                }
                answer => {
                    line.answered();
                    let before = self.0.current.swap(index, Ordering::Relaxed);
                    if before != index {
                        tracing::warn!(url = line.shown(), "this endpoint answers now");
                    }
                    return answer;
                }
            }
        }
        Err(failure)
    }
}

fn missing(method: &'static str, reason: &str) -> ChainError {
    ChainError::Answer { method, reason: reason.to_owned() }
}

fn nobody() -> ChainError {
    ChainError::Unreachable { url: String::new(), reason: "no endpoint is named".to_owned() }
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
