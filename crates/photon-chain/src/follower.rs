use crate::bindings::events;
use crate::endpoint::{Endpoint, Head};
use crate::error::ChainError;
use crate::network::Network;
use alloy::primitives::{Address, B256};
use alloy::pubsub::Subscription;
use alloy::rpc::types::Log;
use photon_wire::contract::{Event, Position};
use photon_wire::{BlockNumber, Timestamp};
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::mpsc;
use tokio::time::sleep;

/// How many blocks' hashes are remembered, to find where a reorganisation began.
const REMEMBERED: usize = 256;
/// The longest pause between two tries at a chain that does not answer.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// So many faults in a row are trouble.
const FAULTS: u32 = 2;
/// Announced blocks are not relied on: we look at least this often.
const LEAST_OFTEN: Duration = Duration::from_secs(15);

/// How the chain is followed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FollowerConfig {
    /// How many blocks must lie on top of one before it is told; 0 tells the newest at once.
    pub confirmations: u64,
    /// How often to look for new blocks; over a WebSocket they are announced.
    pub poll: Duration,
    /// The most blocks whose events are asked for at once.
    pub range: u64,
    /// How many inputs may wait to be read.
    pub queue: usize,
}

impl Default for FollowerConfig {
    /// Three confirmations, a look each second, 2000 blocks at once.
    fn default() -> Self {
        Self { confirmations: 3, poll: Duration::from_secs(1), range: 2_000, queue: 1_024 }
    }
}

impl FollowerConfig {
    /// For a development chain: tells the newest block, looks every 100 ms.
    pub fn quick() -> Self {
        Self { confirmations: 0, poll: Duration::from_millis(100), ..Self::default() }
    }
}

/// How far the consumer is: what it persists together with what it made of the inputs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Cursor {
    /// The block that was handled, or begun.
    pub block: BlockNumber,
    /// The last log of the block that was handled; none where all of the block was.
    pub log: Option<u32>,
    /// The block's hash, where it is known and all of the block was handled: with it, a
    /// reorganisation that happened meanwhile is noticed.
    pub hash: Option<B256>,
}

impl Cursor {
    /// Nothing of the network was handled yet.
    pub fn start(network: &Network) -> Self {
        Self::after_block(BlockNumber(network.deploy_block.0.saturating_sub(1)))
    }

    /// All up to and in this block was handled.
    pub const fn after_block(block: BlockNumber) -> Self {
        Self { block, log: None, hash: None }
    }
}

/// What the chain has to say.
#[derive(Clone, PartialEq, Debug)]
pub enum ChainInput {
    /// The contract said something. An opening with a deposit is two events at one position: a
    /// [`Cursor`] with that position counts both as handled.
    Event(Position, Event),
    /// All events up to and in this block have been told.
    Block {
        /// The block at the configured depth.
        number: BlockNumber,
        /// Its hash.
        hash: B256,
        /// Its time.
        time: Timestamp,
        /// The newest block.
        head_number: BlockNumber,
        /// Its time.
        head_time: Timestamp,
    },
    /// Blocks that were told are not in the chain any more: the reorganisation was deeper than
    /// the configured depth. What was told of later blocks may not hold; what holds now is told
    /// again, from the block after this one.
    Reorganised {
        /// The last told block that is still in the chain, as far as we know.
        kept: BlockNumber,
    },
    /// The chain cannot be asked; the text says why. Told once, until it recovers.
    Trouble(String),
    /// The chain answers again.
    Recovered,
}

/// Follows the contract; must be called within a tokio runtime. The task ends when the receiver is
/// dropped. Every channel's events are told, of everybody.
pub fn follow(
    endpoint: Endpoint,
    network: &Network,
    config: FollowerConfig,
    from: Cursor,
) -> mpsc::Receiver<ChainInput> {
    let (out, receiver) = mpsc::channel(config.queue.max(1));
    let follower = Follower::new(endpoint, network, config, from, out);
    tokio::spawn(follower.run());
    receiver
}

struct Follower {
    endpoint: Endpoint,
    contract: Address,
    first: u64,
    config: FollowerConfig,
    out: mpsc::Sender<ChainInput>,
    /// The next block to tell of.
    next: u64,
    /// Logs of this block up to this index were handled already.
    skip: Option<(u64, u32)>,
    /// The hashes of told blocks, the newest ones.
    told: BTreeMap<u64, B256>,
    /// How many blocks to ask for at once.
    range: u64,
    /// The newest block of the last look, if all of it was told.
    seen: Option<B256>,
    /// Whether trouble was told, and no recovery.
    troubled: bool,
}

/// Why a look ended early.
enum Halt {
    /// The consumer is gone.
    Gone,
    /// The chain.
    Fault(ChainError),
}

impl From<ChainError> for Halt {
    fn from(error: ChainError) -> Self {
        Self::Fault(error)
    }
}

/// Whether there is more to tell at once.
#[derive(PartialEq, Eq)]
enum Progress {
    More,
    CaughtUp,
}

impl Follower {
    fn new(
        endpoint: Endpoint,
        network: &Network,
        config: FollowerConfig,
        from: Cursor,
        out: mpsc::Sender<ChainInput>,
    ) -> Self {
        let first = network.deploy_block.0;
        let (next, skip) = match from.log {
            Some(index) => (from.block.0, Some((from.block.0, index))),
            None => (from.block.0.saturating_add(1), None),
        };
        let hash = from.hash.filter(|_| from.log.is_none());
        Self {
            endpoint,
            contract: network.contract,
            first,
            config,
            out,
            next: next.max(first),
            skip,
            told: hash.map(|hash| (from.block.0, hash)).into_iter().collect(),
            range: config.range.max(1),
            seen: None,
            troubled: false,
        }
    }

    async fn run(mut self) {
        let mut announced = None;
        let mut faults: u32 = 0;
        loop {
            if announced.is_none() && self.endpoint.is_websocket() {
                announced = self.endpoint.new_heads().await.ok();
            }
            match self.look().await {
                Ok(progress) => {
                    faults = 0;
                    if self.recover().await.is_err() {
                        return;
                    }
                    if progress == Progress::CaughtUp {
                        self.wait(&mut announced).await;
                    }
                }
                Err(Halt::Gone) => return,
                Err(Halt::Fault(error)) => {
                    faults = faults.saturating_add(1);
                    announced = None;
                    if faults >= FAULTS && !self.troubled {
                        self.troubled = true;
                        if self.out.send(ChainInput::Trouble(error.to_string())).await.is_err() {
                            return;
                        }
                    }
                    sleep(self.pause(faults)).await;
                }
            }
            if self.out.is_closed() {
                return;
            }
        }
    }

    fn pause(&self, faults: u32) -> Duration {
        let doubled = 2_u32.saturating_pow(faults.saturating_sub(1).min(16));
        self.config.poll.saturating_mul(doubled).min(LONGEST_PAUSE.max(self.config.poll))
    }

    /// Waits for a new block to be announced, or until it is time to look.
    async fn wait(&self, announced: &mut Option<Subscription<Value>>) {
        let ended = match announced {
            Some(heads) => tokio::select! {
                head = heads.recv() => matches!(head, Err(RecvError::Closed)),
                () = sleep(LEAST_OFTEN.max(self.config.poll)) => false,
                () = self.out.closed() => false,
            },
            None => {
                tokio::select! {
                    () = sleep(self.config.poll) => {}
                    () = self.out.closed() => {}
                }
                false
            }
        };
        if ended {
            *announced = None;
        }
    }

    async fn recover(&mut self) -> Result<(), Halt> {
        if std::mem::take(&mut self.troubled) {
            self.out.send(ChainInput::Recovered).await.map_err(|_| Halt::Gone)?;
        }
        Ok(())
    }

    async fn tell(&mut self, input: ChainInput) -> Result<(), Halt> {
        self.recover().await?;
        self.out.send(input).await.map_err(|_| Halt::Gone)
    }

    /// Tells the next range of blocks, if there is one.
    async fn look(&mut self) -> Result<Progress, Halt> {
        let head = self.endpoint.head().await?;
        if self.seen == Some(head.hash) {
            return Ok(Progress::CaughtUp);
        }
        self.check_told(&head).await?;
        let depth = self.config.confirmations;
        let target = head.number.0.checked_sub(depth).filter(|target| self.next <= *target);
        let Some(target) = target else {
            self.seen = Some(head.hash);
            return Ok(Progress::CaughtUp);
        };
        let to = target.min(self.next.saturating_add(self.range.saturating_sub(1)));
        match self.tell_range(to, &head).await {
            Ok(()) => self.range = self.range.saturating_mul(2).min(self.config.range.max(1)),
            // Too many results, or too long a range: each chain says it in other words.
            Err(Halt::Fault(ChainError::Refused { .. } | ChainError::Silent { .. }))
                if to > self.next =>
            {
                self.range = (to.saturating_sub(self.next) / 2).max(1);
                return Ok(Progress::More);
            }
            Err(halt) => return Err(halt),
        }
        Ok(Progress::More)
    }

    /// Goes back where what was told is not in the chain any more.
    async fn check_told(&mut self, head: &Head) -> Result<(), Halt> {
        let handled = self.next.saturating_sub(1);
        // Where the head is below what was told, the chain lags or was set back: then nothing is
        // told until it has grown again, as the same or as another.
        let latest = self.told.range(..=head.number.0).next_back();
        let Some((last, hash)) = latest.map(|(last, hash)| (*last, *hash)) else {
            if head.number.0 < handled && handled >= self.first {
                return Err(ChainError::Behind { head: head.number.0, handled }.into());
            }
            return Ok(());
        };
        let there = if head.number.0 == last {
            Some(*head)
        } else {
            self.endpoint.block(BlockNumber(last)).await?
        };
        match there {
            Some(block) if block.hash != hash => self.go_back().await,
            Some(_) | None => Ok(()),
        }
    }

    async fn go_back(&mut self) -> Result<(), Halt> {
        let mut kept = self.first.saturating_sub(1);
        for (number, hash) in self.told.iter().rev() {
            let there = self.endpoint.block(BlockNumber(*number)).await?;
            if there.is_some_and(|block| block.hash == *hash) {
                kept = *number;
                break;
            }
        }
        self.told.retain(|number, _| *number <= kept);
        self.next = kept.saturating_add(1);
        self.skip = None;
        self.seen = None;
        tracing::warn!(kept, "the chain was reorganised below what was told");
        self.tell(ChainInput::Reorganised { kept: BlockNumber(kept) }).await
    }

    /// Tells all events up to `to`, and then the block.
    async fn tell_range(&mut self, to: u64, head: &Head) -> Result<(), Halt> {
        let end = self.block(to, head).await?;
        let mut logs =
            self.endpoint.logs(self.contract, BlockNumber(self.next), end.number).await?;
        logs.retain(|log| !log.removed);
        logs.sort_by_key(|log| (log.block_number, log.log_index));
        let inputs = self.inputs(&logs, &end).await?;
        if self.endpoint.block(end.number).await?.is_none_or(|block| block.hash != end.hash) {
            return Err(ChainError::Moved(to).into());
        }
        for input in inputs {
            self.tell(input).await?;
        }
        self.tell(ChainInput::Block {
            number: end.number,
            hash: end.hash,
            time: end.time,
            head_number: head.number,
            head_time: head.time,
        })
        .await?;
        self.next = to.saturating_add(1);
        self.skip = None;
        self.told.insert(to, end.hash);
        if self.told.len() > REMEMBERED {
            self.told.pop_first();
        }
        Ok(())
    }

    async fn block(&self, number: u64, head: &Head) -> Result<Head, ChainError> {
        if head.number.0 == number {
            return Ok(*head);
        }
        self.endpoint.block(BlockNumber(number)).await?.ok_or(ChainError::Moved(number))
    }

    async fn inputs(&self, logs: &[Log], end: &Head) -> Result<Vec<ChainInput>, ChainError> {
        let mut inputs = Vec::new();
        let mut latest = *end;
        for log in logs {
            let (number, index) = place(log)?;
            if self.skip.is_some_and(|handled| (number, index) <= handled) {
                continue;
            }
            let said = events(log).map_err(|error| malformed(&error.to_string()))?;
            if said.is_empty() {
                continue;
            }
            let time = match log.block_timestamp {
                Some(time) => Timestamp(time),
                None => {
                    if latest.number.0 != number {
                        latest = self.block(number, end).await?;
                    }
                    latest.time
                }
            };
            let position = Position { block: BlockNumber(number), time, index };
            inputs.extend(said.into_iter().map(|event| ChainInput::Event(position, event)));
        }
        Ok(inputs)
    }
}

fn place(log: &Log) -> Result<(u64, u32), ChainError> {
    let number = log.block_number.ok_or_else(|| malformed("a log without a block"))?;
    let index = log.log_index.and_then(|index| u32::try_from(index).ok());
    Ok((number, index.ok_or_else(|| malformed("a log without an index"))?))
}

fn malformed(reason: &str) -> ChainError {
    ChainError::Answer { method: "eth_getLogs", reason: reason.to_owned() }
}
