use crate::account::Account;
use crate::bindings::{TestToken, TokenKind, WrappedNative, token_code};
use crate::endpoint::Endpoint;
use crate::error::{ChainError, SendError};
use crate::fees::Fees;
use crate::pending::{Look, Pending};
use crate::sender::Limits;
use crate::token::Step;
use alloy::consensus::{SignableTransaction, TxEip1559, TxEnvelope, TxLegacy};
use alloy::eips::Encodable2718;
use alloy::primitives::{Address, B256, Bytes, TxKind, U256};
use alloy::signers::SignerSync;
use alloy::sol_types::SolCall;
use photon_wire::contract::Call;
use photon_wire::{Amount, BlockNumber, Timestamp, Token};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use std::{fmt, io};
use tokio::sync::Mutex;

/// How often a refused offer is mended before the refusal is passed on.
const OFFERS: usize = 10;
/// What every transaction takes. Source: Ethereum's yellow paper, Gtransaction.
const LEAST_GAS: u128 = 21_000;
/// How many faults in a row end the wait of [`Wallet::execute`].
const FAULTS: usize = 20;

/// How an account's transactions are sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct WalletConfig {
    /// How often we look whether a transaction is mined.
    pub poll: Duration,
    /// How long a transaction may wait before its fee is raised; less towards a deadline.
    pub raise_after: Duration,
    /// How many blocks on top of a transaction's make it count as mined.
    pub confirmations: u64,
    /// The most that is ever offered for each gas, in wei.
    pub max_fee_per_gas: u128,
}

impl Default for WalletConfig {
    /// Looks each second, raises after 45 s, to at most 2000 gwei.
    fn default() -> Self {
        Self {
            poll: Duration::from_secs(1),
            raise_after: Duration::from_secs(45),
            confirmations: 0,
            max_fee_per_gas: 2_000_000_000_000,
        }
    }
}

impl WalletConfig {
    /// For a development chain: looks every 50 ms, raises after 5 s.
    pub fn quick() -> Self {
        let (poll, raise_after) = (Duration::from_millis(50), Duration::from_secs(5));
        Self { poll, raise_after, ..Self::default() }
    }
}

/// An account that sends transactions. Counts their nonces: make one for each account and chain,
/// and clone it.
#[derive(Clone)]
pub struct Wallet(Arc<Inner>);

struct Inner {
    endpoint: Endpoint,
    account: Account,
    config: WalletConfig,
    chain_id: Mutex<Option<u64>>,
    /// The nonce of the next transaction; none where the chain must be asked.
    next: Mutex<Option<u64>>,
    /// How many transactions wait.
    waiting: AtomicUsize,
    /// How many of them have no limit of their own for the fee.
    unlimited: AtomicUsize,
}

/// A transaction that was handed to the chain.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SentTransaction {
    /// Of the account. Only one transaction of a nonce can ever be mined.
    pub nonce: u64,
    /// The transaction; a raised one has another hash.
    pub hash: B256,
}

/// A transaction that was mined and did what it should.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Mined {
    /// Where.
    pub block: BlockNumber,
    /// The transaction.
    pub hash: B256,
    /// How much gas it took.
    pub gas_used: u64,
    /// What it cost, in wei.
    pub fee: u128,
}

/// A contract that was deployed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Deployed {
    /// Its address.
    pub address: Address,
    /// Where.
    pub block: BlockNumber,
    /// How much gas it took.
    pub gas_used: u64,
}

/// What is to be sent.
#[derive(Clone, Debug)]
pub(crate) struct Draft {
    /// None deploys.
    pub(crate) to: Option<Address>,
    pub(crate) input: Bytes,
    pub(crate) value: u128,
    pub(crate) deadline: Option<Timestamp>,
    pub(crate) note: Note,
    pub(crate) limits: Limits,
}

/// Writes a transaction down before it is sent.
#[derive(Clone, Default)]
pub(crate) struct Note(pub(crate) Option<Arc<WriteDown>>);

type WriteDown = dyn Fn(SentTransaction) -> io::Result<()> + Send + Sync;

impl fmt::Debug for Note {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(if self.0.is_some() { "Note(..)" } else { "Note" })
    }
}

impl Draft {
    pub(crate) fn call(to: Address, input: Bytes) -> Self {
        let (note, limits) = (Note::default(), Limits::default());
        Self { to: Some(to), input, value: 0, deadline: None, note, limits }
    }
}

impl From<Step> for Draft {
    fn from(step: Step) -> Self {
        Self { value: step.value, ..Self::call(step.to, step.input) }
    }
}

/// What the chain says to a transaction.
pub(crate) enum Verdict {
    /// It is in the pool, or may be.
    Taken,
    /// The nonce is used.
    Stale,
    /// The offer is too low.
    Underpriced,
    /// No.
    Refused(SendError),
}

impl Wallet {
    /// The account on the chain behind this endpoint. Nothing is asked yet.
    pub fn new(endpoint: Endpoint, account: Account, config: WalletConfig) -> Self {
        Self(Arc::new(Inner {
            endpoint,
            account,
            config,
            chain_id: Mutex::new(None),
            next: Mutex::new(None),
            waiting: AtomicUsize::new(0),
            unlimited: AtomicUsize::new(0),
        }))
    }

    /// The chain.
    pub fn endpoint(&self) -> &Endpoint {
        &self.0.endpoint
    }

    /// The account's address.
    pub fn address(&self) -> Address {
        self.0.account.address()
    }

    pub(crate) fn account(&self) -> &Account {
        &self.0.account
    }

    pub(crate) fn config(&self) -> &WalletConfig {
        &self.0.config
    }

    /// What the account has of the chain's own coin, in wei.
    ///
    /// # Errors
    /// Where the chain cannot be asked.
    pub async fn balance(&self) -> Result<u128, ChainError> {
        self.endpoint().balance(self.address()).await
    }

    /// Gives coins of the chain, in wei.
    ///
    /// # Errors
    /// Where the chain cannot be asked or the account has too little.
    pub async fn give(&self, to: Address, wei: u128) -> Result<Mined, SendError> {
        let draft = Draft { value: wei, ..Draft::call(to, Bytes::new()) };
        self.execute(draft).await
    }

    /// Gives tokens.
    ///
    /// # Errors
    /// Where the chain cannot be asked or the token refuses.
    pub async fn transfer(
        &self,
        token: Token,
        to: Address,
        amount: Amount,
    ) -> Result<Mined, SendError> {
        let call = TestToken::transferCall { to, amount: U256::from(amount.0) };
        self.execute(Draft::call(token.0, call.abi_encode().into())).await
    }

    /// Deploys a token for demonstrations: anyone can mint it.
    ///
    /// # Errors
    /// Where the chain cannot be asked or the gas cannot be paid.
    pub async fn deploy_token(
        &self,
        name: &str,
        symbol: &str,
        decimals: u8,
    ) -> Result<Token, SendError> {
        let deployed = self.deploy(token_code(name, symbol, decimals)).await?;
        Ok(Token(deployed.address))
    }

    /// Deploys a token of another kind for demonstrations, under the fixed name of its kind:
    /// anyone can mint it.
    ///
    /// # Errors
    /// Where the chain cannot be asked or the gas cannot be paid.
    pub async fn deploy_kind(&self, kind: TokenKind) -> Result<Token, SendError> {
        let deployed = self.deploy(kind.code()).await?;
        Ok(Token(deployed.address))
    }

    /// Deploys a token for demonstrations that wraps the chain's coin, as WETH9 does on Ethereum.
    ///
    /// # Errors
    /// Where the chain cannot be asked or the gas cannot be paid.
    pub async fn deploy_wrapped_native(&self) -> Result<Token, SendError> {
        let deployed = self.deploy(WrappedNative::BYTECODE.clone()).await?;
        Ok(Token(deployed.address))
    }

    /// Makes tokens out of nothing, where the token is one of [`Wallet::deploy_token`].
    ///
    /// # Errors
    /// Where the chain cannot be asked or the token is another one.
    pub async fn mint(
        &self,
        token: Token,
        to: Address,
        amount: Amount,
    ) -> Result<Mined, SendError> {
        let call = TestToken::mintCall { to, amount: U256::from(amount.0) };
        self.execute(Draft::call(token.0, call.abi_encode().into())).await
    }

    pub(crate) async fn deploy(&self, code: Bytes) -> Result<Deployed, SendError> {
        let draft = Draft { to: None, ..Draft::call(Address::ZERO, code) };
        let mined = self.execute(draft).await?;
        let receipt = self.endpoint().receipt(mined.hash).await?;
        let address = receipt.and_then(|receipt| receipt.contract).ok_or(ChainError::Answer {
            method: "eth_getTransactionReceipt",
            reason: "it names no deployed contract".to_owned(),
        })?;
        Ok(Deployed { address, block: mined.block, gas_used: mined.gas_used })
    }

    /// Sends and waits. Faults before the sending, and many in a row after it, are passed on.
    pub(crate) async fn execute(&self, draft: Draft) -> Result<Mined, SendError> {
        let mut pending = self.begin(draft, &[]).await?;
        let mut faults: usize = 0;
        loop {
            match pending.look().await {
                Ok(Look::Mined(mined)) => return Ok(mined),
                Ok(Look::Waiting | Look::Sent(_)) => faults = 0,
                Err(SendError::Chain(error)) if error.is_transient() && faults < FAULTS => {
                    tracing::debug!(%error, "cannot look for a receipt");
                    faults = faults.saturating_add(1);
                }
                Err(error) => return Err(error),
            }
            tokio::time::sleep(self.0.config.poll).await;
        }
    }

    /// Simulates and sends. `earlier` are attempts of an earlier process at the same thing.
    pub(crate) async fn begin(
        &self,
        draft: Draft,
        earlier: &[SentTransaction],
    ) -> Result<Pending, SendError> {
        if let Some(pending) = self.adopt(&draft, earlier).await? {
            return Ok(pending);
        }
        let gas = self.gas(&draft).await?;
        let head = self.endpoint().head().await?;
        let cap = self.cap(&draft);
        let mut fees = Fees::usual(self.endpoint(), &head, cap).await?;
        let mut next = self.0.next.lock().await;
        if self.0.waiting.load(Ordering::SeqCst) == 0 {
            *next = None;
        }
        let mut refusal = None;
        for _ in 0..OFFERS {
            let nonce = match *next {
                Some(nonce) => nonce,
                None => self.endpoint().transaction_count(self.address(), "pending").await?,
            };
            let (sent, verdict) = self.offer(&draft, nonce, gas, fees).await?;
            match verdict {
                Verdict::Taken => {
                    *next = Some(nonce.saturating_add(1));
                    return Ok(Pending::new(self.clone(), draft, gas, fees, sent, &head));
                }
                Verdict::Stale => {
                    *next = None;
                    refusal = Some(SendError::NonceTaken { account: self.address(), nonce });
                    // The answer may have come from a node that lags.
                    tokio::time::sleep(self.0.config.poll).await;
                }
                Verdict::Underpriced => match fees.raised(fees, crate::fees::Rise::LEAST, cap) {
                    Some(raised) => fees = raised,
                    None => return Err(too_dear(cap)),
                },
                Verdict::Refused(error) => return Err(error),
            }
        }
        Err(refusal.unwrap_or_else(|| too_dear(cap)))
    }

    /// Goes on waiting for attempts of an earlier process. That they came to nothing is only
    /// believed after some looks: a receipt may be told later than the nonce that it used.
    async fn adopt(
        &self,
        draft: &Draft,
        earlier: &[SentTransaction],
    ) -> Result<Option<Pending>, SendError> {
        let Some(last) = earlier.last() else { return Ok(None) };
        let used = self.endpoint().transaction_count(self.address(), "latest").await?;
        let mut mined = false;
        for sent in earlier {
            mined |= self.endpoint().receipt(sent.hash).await?.is_some();
        }
        let gas = if mined || used > last.nonce { 0 } else { self.gas(draft).await? };
        let head = self.endpoint().head().await?;
        let usual = Fees::usual(self.endpoint(), &head, self.cap(draft)).await?;
        // The earlier process may have offered more already: an offer is never lowered.
        let offered = self.endpoint().offered(last.hash).await?;
        let fees = offered.map_or(usual, |offered| offered.at_least(usual));
        let mut next = self.0.next.lock().await;
        let free = match *next {
            Some(free) => free,
            None => self.endpoint().transaction_count(self.address(), "pending").await?,
        };
        *next = Some(free.max(last.nonce.saturating_add(1)));
        let same_nonce = earlier.iter().filter(|sent| sent.nonce == last.nonce || mined);
        let hashes = same_nonce.map(|sent| sent.hash).collect();
        Ok(Some(Pending::adopted(
            self.clone(),
            draft.clone(),
            gas,
            fees,
            last.nonce,
            hashes,
            &head,
        )))
    }

    /// The gas to allow; a revert shows here, before anything is sent.
    pub(crate) async fn gas(&self, draft: &Draft) -> Result<u64, SendError> {
        let estimate = self.endpoint().estimate(&self.question(draft)).await;
        match estimate {
            Ok(needed) => within(needed, draft.limits.gas)
                .map_err(|most| SendError::TooMuchGas { needed, most }),
            Err(ChainError::Reverted(revert)) => Err(SendError::Reverts(revert)),
            Err(ChainError::Refused { message, .. }) if speaks_of_funds(&message) => {
                let price = self.endpoint().gas_price().await?;
                let least = LEAST_GAS.saturating_mul(price).saturating_add(draft.value);
                Err(self.too_few_coins(least).await)
            }
            Err(error) => Err(error.into()),
        }
    }

    pub(crate) fn question(&self, draft: &Draft) -> serde_json::Value {
        let mut question = serde_json::json!({ "from": self.address(), "data": draft.input });
        if let Some(to) = draft.to {
            question["to"] = serde_json::json!(to);
        }
        if draft.value != 0 {
            question["value"] = serde_json::json!(U256::from(draft.value));
        }
        question
    }

    /// Signs, writes down, and only then sends.
    pub(crate) async fn offer(
        &self,
        draft: &Draft,
        nonce: u64,
        gas: u64,
        fees: Fees,
    ) -> Result<(SentTransaction, Verdict), SendError> {
        let (raw, hash) = self.sign(draft, nonce, gas, fees).await?;
        let sent = SentTransaction { nonce, hash };
        if let Some(write_down) = &draft.note.0 {
            write_down(sent).map_err(SendError::Journal)?;
        }
        let most = fees.most().saturating_mul(gas.into()).saturating_add(draft.value);
        Ok((sent, self.broadcast(&raw, most).await))
    }

    async fn sign(
        &self,
        draft: &Draft,
        nonce: u64,
        gas_limit: u64,
        fees: Fees,
    ) -> Result<(Bytes, B256), SendError> {
        let chain_id = self.chain_id().await?;
        let to = draft.to.map_or(TxKind::Create, TxKind::Call);
        let (value, input) = (U256::from(draft.value), draft.input.clone());
        let envelope = match fees {
            Fees::Legacy { price: gas_price } => {
                let chain_id = Some(chain_id);
                self.signed(TxLegacy { chain_id, nonce, gas_price, gas_limit, to, value, input })
            }
            Fees::Dynamic { max, priority } => self.signed(TxEip1559 {
                chain_id,
                nonce,
                gas_limit,
                max_fee_per_gas: max,
                max_priority_fee_per_gas: priority,
                to,
                value,
                access_list: Default::default(),
                input,
            }),
        };
        Ok((envelope.encoded_2718().into(), *envelope.tx_hash()))
    }

    fn signed<T>(&self, transaction: T) -> TxEnvelope
    where
        T: SignableTransaction<alloy::primitives::Signature>,
        TxEnvelope: From<alloy::consensus::Signed<T>>,
    {
        let hash = transaction.signature_hash();
        let signer = self.0.account.signer();
        let signature = signer.sign_hash_sync(&hash).expect("a key in memory signs every hash");
        transaction.into_signed(signature).into()
    }

    async fn chain_id(&self) -> Result<u64, ChainError> {
        let mut held = self.0.chain_id.lock().await;
        match *held {
            Some(id) => Ok(id),
            None => Ok(*held.insert(self.endpoint().chain_id().await?)),
        }
    }

    async fn broadcast(&self, raw: &Bytes, most: u128) -> Verdict {
        let Err(error) = self.endpoint().send_raw(raw).await else { return Verdict::Taken };
        let ChainError::Refused { message, .. } = &error else {
            if error.is_transient() {
                // It may have arrived; if not, it is sent again while we wait for it.
                tracing::debug!(%error, "a transaction may be lost");
                return Verdict::Taken;
            }
            return Verdict::Refused(error.into());
        };
        // Source: the words of geth, reth, anvil, Nethermind and photon-devchain.
        let message = message.to_lowercase();
        let says = |words: &[&str]| words.iter().any(|word| message.contains(word));
        if says(&["already known", "known transaction", "already imported", "alreadyknown"]) {
            Verdict::Taken
        } else if says(&["nonce too low", "nonce is too low", "oldnonce"]) {
            Verdict::Stale
        } else if says(&["underpriced", "less than block base fee", "feetoolow"]) {
            Verdict::Underpriced
        } else if speaks_of_funds(&message) {
            Verdict::Refused(self.too_few_coins(most).await)
        } else {
            Verdict::Refused(error.into())
        }
    }

    async fn too_few_coins(&self, needed: u128) -> SendError {
        let account = self.address();
        match self.balance().await {
            Ok(balance) => SendError::TooFewCoins { account, balance, needed },
            Err(error) => error.into(),
        }
    }

    /// The most that is offered for each gas of it now.
    pub(crate) fn cap(&self, draft: &Draft) -> u128 {
        let usual = self.0.config.max_fee_per_gas;
        let holds = self.0.unlimited.load(Ordering::SeqCst) == 0;
        draft.limits.fee_per_gas.filter(|_| holds).map_or(usual, |limit| usual.min(limit))
    }

    pub(crate) fn began(&self, draft: &Draft) {
        self.0.waiting.fetch_add(1, Ordering::SeqCst);
        let unlimited = usize::from(draft.limits.fee_per_gas.is_none());
        self.0.unlimited.fetch_add(unlimited, Ordering::SeqCst);
    }

    pub(crate) fn ended(&self, draft: &Draft) {
        self.0.waiting.fetch_sub(1, Ordering::SeqCst);
        let unlimited = usize::from(draft.limits.fee_per_gas.is_none());
        self.0.unlimited.fetch_sub(unlimited, Ordering::SeqCst);
    }
}

/// What to allow where it was estimated to take this. The state may change until it is mined: some
/// more. The limit, where that is too little.
fn within(estimate: u64, most: Option<u64>) -> Result<u64, u64> {
    let usual = estimate.saturating_add(estimate / 4);
    match most {
        Some(most) if estimate > most => Err(most),
        Some(most) => Ok(usual.min(most)),
        None => Ok(usual),
    }
}

fn speaks_of_funds(message: &str) -> bool {
    let message = message.to_lowercase();
    message.contains("insufficient funds") || message.contains("insufficient balance")
}

fn too_dear(cap: u128) -> SendError {
    SendError::Chain(ChainError::Refused {
        method: "eth_sendRawTransaction",
        code: 0,
        message: format!("the fee is too low, and we offer at most {cap} wei for each gas"),
    })
}

/// The gas that a call to the contract would take from this sender, asked before anything is sent.
/// A deposit is taken as one that the contract pulls.
///
/// # Errors
/// Where the chain cannot be asked, or the call would revert.
pub async fn estimate(
    endpoint: &Endpoint,
    contract: Address,
    from: Address,
    call: &Call,
) -> Result<u64, SendError> {
    let step = Step::new(contract, crate::bindings::input(call, from));
    match endpoint.estimate(&step.question(from)).await {
        Err(ChainError::Reverted(revert)) => Err(SendError::Reverts(revert)),
        answer => Ok(answer?),
    }
}
