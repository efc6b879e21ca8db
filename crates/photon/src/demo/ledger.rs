//! What is in the chain's blocks, read over its JSON-RPC as anybody could.

use anyhow::{Context as _, anyhow};
use photon_wire::{Address, B256};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// A transaction in a block.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) hash: B256,
    pub(super) block: u64,
    pub(super) gas: u64,
    pub(super) succeeded: bool,
    /// Who sent it, by name.
    pub(super) from: String,
    /// What it did.
    pub(super) what: &'static str,
}

/// Reads the chain from block to block.
pub(super) struct Ledger {
    http: reqwest::Client,
    url: String,
    names: BTreeMap<Address, String>,
    /// The last block that was read.
    seen: u64,
    /// How many contracts are: Photon's first, then the token, then the wrapped coin.
    deployed: usize,
    /// How many transactions, and the gas of all.
    pub(super) count: u64,
    pub(super) gas: u64,
}

#[derive(Deserialize)]
struct Block {
    transactions: Vec<Transaction>,
}

#[derive(Deserialize)]
struct Transaction {
    hash: B256,
    from: Address,
    to: Option<Address>,
    input: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Receipt {
    status: String,
    gas_used: String,
}

/// What a call does, by the first four bytes of its input.
/// Source: the functions of `IPhotonNetwork` and of ERC-20.
const CALLS: [(&str, &str); 9] = [
    ("0x40c10f19", "makes tokens"),
    ("0x095ea7b3", "lets the contract take tokens"),
    ("0x7c8e4c9a", "opens the channel, with the deposit"),
    ("0x4de5aa29", "deposits"),
    ("0xa306cb1a", "closes the channel"),
    ("0x39b72e4b", "shows the latest balance that was signed"),
    ("0x337cd959", "claims locks"),
    ("0x81030fb4", "makes secrets public"),
    ("0xd4ba53f7", "settles: everybody is paid out"),
];

impl Ledger {
    /// What the next deployment is.
    fn deploys(&mut self) -> &'static str {
        self.deployed = self.deployed.saturating_add(1);
        match self.deployed {
            1 => "deploys the contract",
            2 => "deploys the token",
            _ => "deploys the wrapped coin",
        }
    }

    /// `names` says who is who.
    pub(super) fn new(url: String, names: BTreeMap<Address, String>) -> Self {
        Self { http: reqwest::Client::new(), url, names, seen: 0, deployed: 0, count: 0, gas: 0 }
    }

    /// Every transaction since the last time, in order.
    pub(super) async fn read(&mut self) -> anyhow::Result<Vec<Entry>> {
        let head = number(&self.ask::<String>("eth_blockNumber", json!([])).await?)?;
        let mut entries = Vec::new();
        for block in self.seen.saturating_add(1)..=head {
            let question = json!([format!("{block:#x}"), true]);
            let found: Block = self.ask("eth_getBlockByNumber", question).await?;
            for transaction in found.transactions {
                entries.push(self.entry(block, transaction).await?);
            }
        }
        self.seen = head;
        self.count = self.count.saturating_add(entries.iter().map(|_| 1).sum());
        self.gas = self.gas.saturating_add(entries.iter().map(|entry| entry.gas).sum());
        Ok(entries)
    }

    async fn entry(&mut self, block: u64, transaction: Transaction) -> anyhow::Result<Entry> {
        let receipt: Receipt =
            self.ask("eth_getTransactionReceipt", json!([transaction.hash])).await?;
        let name = |account: &Address| {
            self.names.get(account).cloned().unwrap_or_else(|| account.to_string())
        };
        Ok(Entry {
            hash: transaction.hash,
            block,
            gas: number(&receipt.gas_used)?,
            succeeded: number(&receipt.status)? == 1,
            from: name(&transaction.from),
            what: match transaction.to {
                None => self.deploys(),
                Some(_) => what(&transaction.input),
            },
        })
    }

    async fn ask<T: DeserializeOwned>(&self, method: &str, params: Value) -> anyhow::Result<T> {
        let question = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
        let answer = self.http.post(&self.url).json(&question).send().await;
        let mut answer: Value = answer.context("the chain does not answer")?.json().await?;
        match answer.get_mut("result").map(Value::take) {
            Some(result) => serde_json::from_value(result).with_context(|| method.to_owned()),
            None => Err(anyhow!("{method}: the chain says {answer}")),
        }
    }
}

fn number(text: &str) -> anyhow::Result<u64> {
    let digits = text.strip_prefix("0x").unwrap_or(text);
    u64::from_str_radix(digits, 16).with_context(|| format!("{text} is no number"))
}

fn what(input: &str) -> &'static str {
    let selector = input.get(..10).unwrap_or_default();
    CALLS.iter().find(|(known, _)| *known == selector).map_or("calls", |(_, what)| what)
}
