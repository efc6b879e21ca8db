//! The handle on a running chain.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use alloy::{
    consensus::{TxEnvelope, transaction::SignerRecoverable as _},
    eips::eip2718::Decodable2718 as _,
    primitives::{Address, B256, Bytes, U256},
};
use tokio::{net::TcpListener, sync::watch, task::JoinHandle, time::timeout};

use crate::{
    config::{Config, Mining},
    error::Error,
    node::Node,
    rpc::method_names,
    server::{Shared, router, stopped},
};

/// How long connections may take to end when the chain shuts down.
const GRACE: Duration = Duration::from_secs(1);

/// A chain that runs in this process and serves JSON-RPC until it is shut down or dropped.
///
/// The methods do directly what tests otherwise ask for over `evm_` and `anvil_`.
pub struct DevChain {
    node: Arc<Node>,
    address: SocketAddr,
    stop: watch::Sender<bool>,
    server: JoinHandle<()>,
    miner: JoinHandle<()>,
    saver: Option<JoinHandle<()>>,
}

/// A point in the chain's life to go back to, once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SnapshotId(u64);

impl DevChain {
    /// Makes the genesis block, or loads what was saved, and listens; must be called within a
    /// tokio runtime.
    pub async fn start(config: Config) -> Result<Self, Error> {
        let node = Arc::new(Node::new(&config)?);
        let refused = |source| Error::Listen { address: config.address, source };
        let listener = TcpListener::bind(config.address).await.map_err(refused)?;
        let address = listener.local_addr().map_err(refused)?;
        let (stop, stopped) = watch::channel(false);
        let shared = Shared::new(Arc::clone(&node), stopped.clone());
        let server = tokio::spawn(serve(listener, shared, stopped));
        let miner = tokio::spawn(Arc::clone(&node).mine_on_time());
        let save = |_| tokio::spawn(Arc::clone(&node).save_on_time(config.save_every));
        let saver = config.state.as_ref().map(save);
        Ok(Self { node, address, stop, server, miner, saver })
    }

    /// The names of all JSON-RPC methods that are answered, in no order.
    pub fn methods() -> Vec<&'static str> {
        method_names().collect()
    }

    /// Where HTTP requests go.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Where WebSockets connect to: the same port.
    pub fn ws_url(&self) -> String {
        format!("ws://{}", self.address)
    }

    /// The address that is listened on, with the port that was taken.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The funded accounts, each with its private key.
    pub fn accounts(&self) -> Vec<(Address, B256)> {
        self.node.accounts.keys()
    }

    /// The chain id that transactions are signed for.
    pub fn chain_id(&self) -> u64 {
        self.node.chain().rules.chain_id
    }

    /// The number of the newest block.
    pub fn block_number(&self) -> u64 {
        self.node.chain().head_number()
    }

    /// The timestamp of the newest block, in seconds since 1970.
    pub fn timestamp(&self) -> u64 {
        self.node.chain().head().header.timestamp
    }

    /// Makes this many blocks; the first takes what waits in the pool.
    pub fn mine(&self, blocks: u64) {
        let mut chain = self.node.chain();
        for _ in 0..blocks {
            chain.mine();
        }
    }

    /// When blocks are made from now on.
    pub fn set_mining(&self, mining: Mining) -> Result<(), Error> {
        if mining == Mining::Interval(Duration::ZERO) {
            return Err(Error::ZeroInterval);
        }
        self.node.set_mining(mining);
        Ok(())
    }

    /// Moves the clock forward, by whole seconds; the next block shows it.
    pub fn increase_time(&self, by: Duration) {
        self.node.chain().increase_time(by.as_secs());
    }

    /// Gives the next block this timestamp; the clock goes on from there.
    pub fn set_next_timestamp(&self, timestamp: u64) -> Result<(), Error> {
        self.node.chain().set_next_timestamp(timestamp)
    }

    /// Sets what an account has, in wei, without a transaction.
    pub fn set_balance(&self, address: Address, balance: U256) {
        self.node.chain().set_balance(address, balance);
    }

    /// Remembers blocks, states, pool and clock as they are.
    pub fn snapshot(&self) -> SnapshotId {
        SnapshotId(self.node.chain().snapshot())
    }

    /// Goes back to a snapshot, which is then used up with all later ones; false if it is unknown.
    pub fn revert(&self, snapshot: SnapshotId) -> bool {
        self.node.chain().revert(snapshot.0)
    }

    /// Drops the last `depth` blocks and makes `depth + 1` other, empty ones.
    ///
    /// The dropped transactions go back to the pool, and into the next block made after this;
    /// [`Self::drop_transactions`] loses them for good.
    pub fn reorg(&self, depth: u64) -> Result<(), Error> {
        self.node.chain().reorg(depth, Vec::new())
    }

    /// Drops the last `depth` blocks and makes `depth + 1` others that have these transactions:
    /// raw ones, each with its block, counted from 0, the first new one.
    ///
    /// So a transaction can move to another block or place, or give way to another one of the same
    /// nonce. All are tried before anything is dropped. What was dropped and is still possible goes
    /// back to the pool.
    pub fn reorg_with(&self, depth: u64, transactions: &[(Bytes, u64)]) -> Result<(), Error> {
        let read = |(index, (raw, block)): (usize, &(Bytes, u64))| {
            let transaction = TxEnvelope::decode_2718_exact(raw)
                .map_err(|cause| cause.to_string())
                .and_then(|one| one.try_into_recovered().map_err(|cause| cause.to_string()));
            let transaction = transaction.map_err(|why| Error::NoTransaction { index, why })?;
            Ok((transaction, *block))
        };
        let transactions = transactions.iter().enumerate().map(read).collect::<Result<_, _>>()?;
        self.node.chain().reorg(depth, transactions)
    }

    /// Drops the last `depth` blocks and their transactions, and makes no others.
    pub fn rollback(&self, depth: u64) -> Result<(), Error> {
        self.node.chain().rollback(depth)
    }

    /// Forgets all transactions that wait.
    pub fn drop_transactions(&self) {
        self.node.chain().pool.clear();
    }

    /// Writes the chain into [`Config::state`], if there is something new.
    pub fn save(&self) -> Result<(), Error> {
        self.node.save()
    }

    /// Stops listening, ends all connections, and saves; dropping the handle does not save.
    pub async fn shutdown(mut self) {
        self.stop.send_replace(true);
        // Whatever has not ended by then is cut off when the handle is dropped.
        let _ = timeout(GRACE, &mut self.server).await;
        if let Err(cause) = self.save() {
            tracing::error!(%cause, "the chain could not be saved");
        }
    }
}

impl Drop for DevChain {
    fn drop(&mut self) {
        self.stop.send_replace(true);
        self.server.abort();
        self.miner.abort();
        // A connection may still hold the node.
        self.node.release_file();
        if let Some(saver) = &self.saver {
            saver.abort();
        }
    }
}

async fn serve(listener: TcpListener, shared: Shared, mut stop: watch::Receiver<bool>) {
    let served = axum::serve(listener, router(shared))
        .with_graceful_shutdown(async move { stopped(&mut stop).await })
        .await;
    if let Err(cause) = served {
        tracing::error!(%cause, "the chain does not listen any more");
    }
}
