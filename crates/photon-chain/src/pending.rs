//! A transaction on its way into a block.

use crate::endpoint::{Head, Receipt};
use crate::error::{ChainError, SendError};
use crate::fees::{Fees, Rise};
use crate::wallet::{Draft, Mined, SentTransaction, Verdict, Wallet};
use alloy::primitives::B256;
use photon_wire::{BlockNumber, Timestamp};
use std::time::Duration;
use tokio::time::Instant;

/// How often in a row the nonce must look used before we believe it: two answers of one look can
/// come from different blocks.
const DOUBTS: usize = 3;

/// What a look showed.
pub(crate) enum Look {
    /// Nothing new.
    Waiting,
    /// It was sent again with a greater offer.
    Sent(SentTransaction),
    /// Done.
    Mined(Mined),
}

/// A transaction that was sent and is not yet mined.
pub(crate) struct Pending {
    wallet: Wallet,
    draft: Draft,
    gas: u64,
    fees: Fees,
    nonce: u64,
    hashes: Vec<B256>,
    /// When it was last sent.
    sent_at: Option<Instant>,
    /// The chain's time when we last asked, and when that was.
    seen: (Timestamp, Instant),
    doubts: usize,
}

impl Drop for Pending {
    fn drop(&mut self) {
        self.wallet.ended(&self.draft);
    }
}

impl Pending {
    pub(crate) fn new(
        wallet: Wallet,
        draft: Draft,
        gas: u64,
        fees: Fees,
        sent: SentTransaction,
        head: &Head,
    ) -> Self {
        let mut pending =
            Self::adopted(wallet, draft, gas, fees, sent.nonce, vec![sent.hash], head);
        pending.sent_at = Some(Instant::now());
        pending
    }

    /// One that an earlier process sent; it is sent again at the first look.
    pub(crate) fn adopted(
        wallet: Wallet,
        draft: Draft,
        gas: u64,
        fees: Fees,
        nonce: u64,
        hashes: Vec<B256>,
        head: &Head,
    ) -> Self {
        wallet.began(&draft);
        let seen = (head.time, Instant::now());
        Self { wallet, draft, gas, fees, nonce, hashes, sent_at: None, seen, doubts: 0 }
    }

    /// The latest attempt.
    pub(crate) fn sent(&self) -> Option<SentTransaction> {
        self.hashes.last().map(|hash| SentTransaction { nonce: self.nonce, hash: *hash })
    }

    /// Looks once, and sends again where it waits for too long.
    pub(crate) async fn look(&mut self) -> Result<Look, SendError> {
        if let Some((hash, receipt)) = self.receipt().await? {
            return self.mined(hash, &receipt).await;
        }
        let account = self.wallet.address();
        let used = self.wallet.endpoint().transaction_count(account, "latest").await?;
        if used > self.nonce {
            self.doubts = self.doubts.saturating_add(1);
            if self.doubts >= DOUBTS && self.is_taken_for_good().await? {
                return Err(SendError::NonceTaken { account, nonce: self.nonce });
            }
            return Ok(Look::Waiting);
        }
        self.doubts = 0;
        if self.sent_at.is_none_or(|at| at.elapsed() >= self.patience()) {
            return self.send_again().await;
        }
        Ok(Look::Waiting)
    }

    /// Whether the nonce is used at the depth. At the head it may be ours, in a block whose
    /// receipts are not told yet, and to begin anew would be to deposit twice.
    async fn is_taken_for_good(&self) -> Result<bool, ChainError> {
        let (endpoint, depth) = (self.wallet.endpoint(), self.wallet.config().confirmations);
        let head = endpoint.head().await?.number.0;
        let Some(deep) = head.checked_sub(depth) else { return Ok(false) };
        let account = self.wallet.address();
        let used = endpoint.transaction_count_at(account, BlockNumber(deep)).await?;
        Ok(used > self.nonce)
    }

    async fn receipt(&self) -> Result<Option<(B256, Receipt)>, ChainError> {
        for hash in self.hashes.iter().rev() {
            if let Some(receipt) = self.wallet.endpoint().receipt(*hash).await? {
                return Ok(Some((*hash, receipt)));
            }
        }
        Ok(None)
    }

    async fn mined(&self, hash: B256, receipt: &Receipt) -> Result<Look, SendError> {
        let depth = self.wallet.config().confirmations;
        if depth > 0 {
            let head = self.wallet.endpoint().head().await?.number.0;
            if head < receipt.block.0.saturating_add(depth) {
                return Ok(Look::Waiting);
            }
        }
        if !receipt.succeeded {
            let revert = self.why(receipt.block).await;
            return Err(SendError::Reverted { hash, revert });
        }
        let price = receipt.gas_price.unwrap_or_else(|| self.fees.most());
        Ok(Look::Mined(Mined {
            block: receipt.block,
            hash,
            gas_used: receipt.gas_used,
            fee: price.saturating_mul(receipt.gas_used.into()),
        }))
    }

    /// Asks again, in the block in which it reverted, to be told why.
    async fn why(&self, block: BlockNumber) -> Option<crate::revert::Revert> {
        let question = self.wallet.question(&self.draft);
        match self.wallet.endpoint().call_at(&question, block).await {
            Err(ChainError::Reverted(revert)) => Some(revert),
            Ok(_) | Err(_) => None,
        }
    }

    /// How much longer there is until the deadline, as far as we know.
    fn left(&self) -> Option<Duration> {
        let (time, at) = self.seen;
        let left = Duration::from_secs(self.draft.deadline?.since(time).0);
        Some(left.saturating_sub(at.elapsed()))
    }

    /// How long an offer may wait: the shorter, the nearer the deadline.
    fn patience(&self) -> Duration {
        let config = self.wallet.config();
        let usual = config.raise_after;
        self.left().map_or(usual, |left| usual.min(left / 8)).max(config.poll)
    }

    /// The steeper, the nearer the deadline.
    fn rise(&self) -> Rise {
        let usual = self.wallet.config().raise_after;
        match self.left() {
            Some(left) if left < usual => Rise { per_mille: 1_000 },
            Some(left) if left < usual.saturating_mul(4) => Rise { per_mille: 500 },
            Some(_) | None => Rise::LEAST,
        }
    }

    async fn send_again(&mut self) -> Result<Look, SendError> {
        let wallet = self.wallet.clone();
        let head = wallet.endpoint().head().await?;
        // It was mined when we came to know of it, and has vanished since.
        if self.gas == 0 {
            self.gas = wallet.gas(&self.draft).await?;
        }
        self.seen = (head.time, Instant::now());
        let cap = wallet.cap(&self.draft);
        let market = Fees::usual(wallet.endpoint(), &head, cap).await?;
        // At the cap the same transaction is sent once more: a pool may have forgotten it.
        self.fees = self.fees.raised(market, self.rise(), cap).unwrap_or(self.fees);
        self.sent_at = Some(Instant::now());
        let (sent, verdict) = wallet.offer(&self.draft, self.nonce, self.gas, self.fees).await?;
        match verdict {
            Verdict::Taken if self.hashes.contains(&sent.hash) => Ok(Look::Waiting),
            Verdict::Taken => {
                self.hashes.push(sent.hash);
                Ok(Look::Sent(sent))
            }
            // The next look finds the receipt, or offers more.
            Verdict::Stale | Verdict::Underpriced => Ok(Look::Waiting),
            Verdict::Refused(error) => {
                tracing::warn!(%error, "the raised transaction was refused; the earlier one waits");
                Ok(Look::Waiting)
            }
        }
    }
}
