//! A chain in a file: one line that says what it is, then JSON.
//!
//! The blocks and receipts are in it, the accounts after the newest block, what waits, and the
//! clock. The states after older blocks are not: calls and reorganisations reach no further back
//! than the block at which the chain was loaded.

use std::{collections::BTreeMap, sync::Arc};

use alloy::{
    consensus::{Header, ReceiptEnvelope, Sealable as _, TxEnvelope, transaction::Recovered},
    eips::eip2718::{Decodable2718 as _, Encodable2718 as _},
    primitives::{Address, B256, Bytes, keccak256},
    rlp::{self, Decodable as _},
};
use serde::{Deserialize, Serialize};

use crate::{
    block::{Block, Executed},
    chain::Clock,
    state::{SavedAccount, State},
};

/// How the first line begins.
const MAGIC: &str = "photon-devchain-state";

/// The version of the format that is written and read.
const VERSION: u32 = 1;

/// Everything of a chain that outlives the process.
pub(crate) struct Saved {
    pub(crate) chain_id: u64,
    pub(crate) hardfork: String,
    pub(crate) forks: u64,
    pub(crate) clock: Clock,
    pub(crate) coinbase: Address,
    pub(crate) blocks: Vec<Arc<Block>>,
    pub(crate) state: State,
    pub(crate) waiting: Vec<Recovered<TxEnvelope>>,
}

#[derive(Serialize, Deserialize)]
struct File {
    chain_id: u64,
    hardfork: String,
    forks: u64,
    clock: Clock,
    coinbase: Address,
    blocks: Vec<SavedBlock>,
    accounts: BTreeMap<Address, SavedAccount>,
    waiting: Vec<SavedTransaction>,
}

#[derive(Serialize, Deserialize)]
struct SavedBlock {
    header: Bytes,
    transactions: Vec<SavedTransaction>,
    receipts: Vec<Bytes>,
}

/// The sender is saved, too: an impersonated one does not follow from the signature.
#[derive(Serialize, Deserialize)]
struct SavedTransaction {
    sender: Address,
    raw: Bytes,
}

impl Saved {
    /// The content of a file.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let file = File {
            chain_id: self.chain_id,
            hardfork: self.hardfork.clone(),
            forks: self.forks,
            clock: self.clock,
            coinbase: self.coinbase,
            blocks: self.blocks.iter().map(|block| saved_block(block)).collect(),
            accounts: self.state.saved(),
            waiting: self.waiting.iter().map(saved_transaction).collect(),
        };
        let body = serde_json::to_vec(&file).expect("strings, numbers and maps by strings");
        let first = format!("{MAGIC} {VERSION} {}\n", keccak256(&body));
        [first.as_bytes(), &body].concat()
    }

    /// What a file has, or in words why it cannot be used.
    pub(crate) fn of_bytes(bytes: &[u8]) -> Result<Self, String> {
        let body = checked_body(bytes)?;
        let file: File =
            serde_json::from_slice(body).map_err(|cause| format!("it is garbled: {cause}"))?;
        let mut blocks = Vec::<Arc<Block>>::with_capacity(file.blocks.len());
        for saved in file.blocks {
            let number = blocks.len();
            let garbled = |what: &str| format!("it is garbled: block {number} {what}");
            let block = block_of(saved).map_err(|what| garbled(&what))?;
            let parent = blocks.last().map_or(B256::ZERO, |parent| parent.hash());
            if block.number() != number as u64 || block.header.parent_hash != parent {
                return Err(garbled("does not follow the one before it"));
            }
            blocks.push(Arc::new(block));
        }
        if blocks.is_empty() {
            return Err("it is garbled: it has no blocks".to_owned());
        }
        let mut state = State::of_saved(file.accounts);
        for block in &blocks {
            state.add_block_hash(block.number(), block.hash());
        }
        let waiting = file.waiting.into_iter().map(transaction_of).collect::<Result<_, _>>();
        Ok(Self {
            chain_id: file.chain_id,
            hardfork: file.hardfork,
            forks: file.forks,
            clock: file.clock,
            coinbase: file.coinbase,
            blocks,
            state,
            waiting: waiting.map_err(|what| format!("it is garbled: a waiting {what}"))?,
        })
    }
}

/// What comes after the first line, if that line is right.
fn checked_body(bytes: &[u8]) -> Result<&[u8], String> {
    let foreign = || "it is no state of photon-devchain".to_owned();
    let end = bytes.iter().position(|byte| *byte == b'\n').ok_or_else(foreign)?;
    let first = std::str::from_utf8(&bytes[..end]).map_err(|_| foreign())?;
    let words: Vec<&str> = first.split(' ').collect();
    let [MAGIC, version, hash] = words.as_slice() else { return Err(foreign()) };
    if *version != VERSION.to_string() {
        return Err(format!("its format is version {version}, this program reads {VERSION}"));
    }
    let body = &bytes[end + 1..];
    let found = keccak256(body).to_string();
    if *hash != found {
        return Err(format!("it is damaged: its hash should be {hash} and is {found}"));
    }
    Ok(body)
}

fn saved_block(block: &Block) -> SavedBlock {
    let executed = &block.transactions;
    SavedBlock {
        header: rlp::encode(block.header.inner()).into(),
        transactions: executed.iter().map(|one| saved_transaction(&one.transaction)).collect(),
        receipts: executed.iter().map(|one| one.receipt.encoded_2718().into()).collect(),
    }
}

fn saved_transaction(transaction: &Recovered<TxEnvelope>) -> SavedTransaction {
    SavedTransaction { sender: transaction.signer(), raw: transaction.encoded_2718().into() }
}

fn transaction_of(saved: SavedTransaction) -> Result<Recovered<TxEnvelope>, String> {
    let transaction = TxEnvelope::decode_2718_exact(&saved.raw)
        .map_err(|cause| format!("transaction: {cause}"))?;
    Ok(Recovered::new_unchecked(transaction, saved.sender))
}

fn block_of(saved: SavedBlock) -> Result<Block, String> {
    let header = Header::decode(&mut saved.header.as_ref())
        .map_err(|cause| format!("has a bad header: {cause}"))?;
    if saved.transactions.len() != saved.receipts.len() {
        return Err("has not as many receipts as transactions".to_owned());
    }
    let mut executed = Vec::<Executed>::with_capacity(saved.receipts.len());
    for (transaction, receipt) in saved.transactions.into_iter().zip(saved.receipts) {
        let transaction = transaction_of(transaction)?;
        let receipt = ReceiptEnvelope::decode_2718_exact(&receipt)
            .map_err(|cause| format!("has a bad receipt: {cause}"))?;
        executed.push(Executed::after(executed.last(), transaction, receipt));
    }
    Ok(Block::new(header.seal_slow(), executed))
}
