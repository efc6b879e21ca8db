//! The handle on a running chain.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use alloy::primitives::{Address, B256, U256};
use tokio::{net::TcpListener, sync::watch, task::JoinHandle, time::timeout};

use crate::{
    config::{Config, Mining},
    error::Error,
    node::Node,
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
}

/// A point in the chain's life to go back to, once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SnapshotId(u64);

impl DevChain {
    /// Makes the genesis block and listens; must be called within a tokio runtime.
    pub async fn start(config: Config) -> Result<Self, Error> {
        let node = Arc::new(Node::new(&config)?);
        let refused = |source| Error::Listen { address: config.address, source };
        let listener = TcpListener::bind(config.address).await.map_err(refused)?;
        let address = listener.local_addr().map_err(refused)?;
        let (stop, stopped) = watch::channel(false);
        let shared = Shared { node: Arc::clone(&node), stop: stopped.clone() };
        let server = tokio::spawn(serve(listener, shared, stopped));
        let miner = tokio::spawn(Arc::clone(&node).mine_on_time());
        Ok(Self { node, address, stop, server, miner })
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
        self.node.chain().reorg(depth)
    }

    /// Forgets all transactions that wait.
    pub fn drop_transactions(&self) {
        self.node.chain().pool.clear();
    }

    /// Stops listening and ends all connections.
    pub async fn shutdown(mut self) {
        self.stop.send_replace(true);
        // Whatever has not ended by then is cut off when the handle is dropped.
        let _ = timeout(GRACE, &mut self.server).await;
    }
}

impl Drop for DevChain {
    fn drop(&mut self) {
        self.stop.send_replace(true);
        self.server.abort();
        self.miner.abort();
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
