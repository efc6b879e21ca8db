mod age;
mod depth;
mod interest;
mod read;
mod trail;

use crate::endpoint::{Endpoint, Head};
use crate::error::ChainError;
use crate::network::Network;
use crate::pauses::Pauses;
use age::HeadAge;
use alloy::primitives::{Address, B256};
use alloy::pubsub::Subscription;
use depth::Plumb;
use interest::Telling;
use photon_wire::contract::{Event, Position};
use photon_wire::{BlockNumber, Timestamp};
use read::malformed;
use serde_json::Value;
use std::time::Duration;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::mpsc;
use tokio::time::sleep;
use trail::Trail;

pub use depth::{Depth, DepthError};
pub use interest::{AccountInterest, Interest};

/// The longest pause between two tries at a chain that does not answer, before its random part.
const LONGEST_PAUSE: Duration = Duration::from_secs(15);
/// So many faults in a row are trouble.
const FAULTS: u32 = 2;
/// Announced blocks are not relied on: we look at least this often.
const LEAST_OFTEN: Duration = Duration::from_secs(15);

/// How the chain is followed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FollowerConfig {
    /// How deep a block must be before it is told as one that counts.
    pub depth: Depth,
    /// How old the newest block may be before that is told as trouble, by the time in it and by
    /// how long it has been the newest; none: as old as it likes, for chains that make blocks only
    /// when there is something to put into them.
    pub head_age: Option<Duration>,
    /// How often to look for new blocks; over a WebSocket they are announced.
    pub poll: Duration,
    /// The most blocks whose events are asked for at once.
    pub range: u64,
    /// How many inputs may wait to be read.
    pub queue: usize,
}

impl Default for FollowerConfig {
    /// Three blocks deep, a newest block of at most ten times twelve seconds, a look each second,
    /// 2000 blocks at once.
    fn default() -> Self {
        Self {
            depth: Depth::Blocks(3),
            head_age: Some(Duration::from_secs(120)),
            poll: Duration::from_secs(1),
            range: 2_000,
            queue: 1_024,
        }
    }
}

impl FollowerConfig {
    /// For a development chain: the newest block counts, however old; a look every 100 ms.
    pub fn quick() -> Self {
        let (depth, poll) = (Depth::Blocks(0), Duration::from_millis(100));
        Self { depth, head_age: None, poll, ..Self::default() }
    }
}

/// How far the consumer is: what it persists together with what it made of the inputs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Cursor {
    /// The block that was handled, or begun.
    pub block: BlockNumber,
    /// The last log of the block that was handled; none where all of the block was.
    pub log: Option<u32>,
    /// The hashes of that block and of earlier ones, where they are known: with them, a
    /// reorganisation that happened meanwhile is noticed, and where it began.
    pub hashes: Vec<(BlockNumber, B256)>,
}

impl Cursor {
    /// Nothing of the network was handled yet.
    pub fn start(network: &Network) -> Self {
        Self::after_block(BlockNumber(network.deploy_block.0.saturating_sub(1)))
    }

    /// All up to and in this block was handled.
    pub const fn after_block(block: BlockNumber) -> Self {
        Self { block, log: None, hashes: Vec::new() }
    }
}

/// What the chain has to say.
#[derive(Clone, PartialEq, Debug)]
pub enum ChainInput {
    /// The contract said something, as deep as is demanded. An opening with a deposit is two
    /// events at one position: a [`Cursor`] with that position counts both as handled.
    Event(Position, Event),
    /// The contract said something, not yet deep enough to count; told of the account's own
    /// channels only. It is told again as an [`Event`](Self::Event) once it counts, unless the
    /// block vanishes before.
    Seen(Position, Event),
    /// What was [`Seen`](Self::Seen) in this block and later ones may not be there any more; what
    /// is, is told anew.
    Unseen {
        /// The lowest block that may be another one.
        from: BlockNumber,
    },
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
        /// Its time; zero where nothing is kept.
        time: Timestamp,
    },
    /// The chain cannot be asked, or its newest block is too old; the text says why. Told once,
    /// until it recovers.
    Trouble(String),
    /// The chain answers again.
    Recovered,
}

/// Follows the contract; must be called within a tokio runtime. The task ends when the receiver is
/// dropped.
///
/// Each block's events are told twice: as [`ChainInput::Seen`] while it is not deep enough, and as
/// [`ChainInput::Event`] when it is. A consumer that begins again hears the former again.
pub fn follow(
    endpoint: Endpoint,
    network: &Network,
    interest: Interest,
    config: FollowerConfig,
    from: Cursor,
) -> mpsc::Receiver<ChainInput> {
    let (out, receiver) = mpsc::channel(config.queue.max(1));
    let follower = Follower::new(endpoint, network, interest, config, from, out);
    tokio::spawn(follower.run());
    receiver
}

struct Follower {
    endpoint: Endpoint,
    contract: Address,
    first: u64,
    interest: Interest,
    config: FollowerConfig,
    out: mpsc::Sender<ChainInput>,
    /// The next block to tell of as one that counts.
    next: u64,
    /// Logs of this block up to this index were handled already.
    skip: Option<(u64, u32)>,
    /// What was told as counting.
    told: Trail,
    /// Which of the endpoint's lines told it.
    told_by: Option<usize>,
    /// What was told as seen, above all that counts.
    seen: Trail,
    plumb: Plumb,
    age: HeadAge,
    /// How many blocks to ask for at once.
    range: u64,
    /// The newest block of the last look, if all of it was told.
    newest: Option<B256>,
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
        interest: Interest,
        config: FollowerConfig,
        from: Cursor,
        out: mpsc::Sender<ChainInput>,
    ) -> Self {
        let first = network.deploy_block.0;
        let (next, skip) = match from.log {
            Some(index) => (from.block.0, Some((from.block.0, index))),
            None => (from.block.0.saturating_add(1), None),
        };
        let mut told = Trail::default();
        for (number, hash) in from.hashes.into_iter().filter(|(number, _)| number.0 < next) {
            told.add(number.0, hash);
        }
        Self {
            endpoint,
            contract: network.contract,
            first,
            interest,
            config,
            out,
            next: next.max(first),
            skip,
            told,
            told_by: None,
            seen: Trail::default(),
            plumb: Plumb::new(config.depth),
            age: HeadAge::new(config.head_age),
            range: config.range.max(1),
            newest: None,
            troubled: false,
        }
    }

    async fn run(mut self) {
        let mut announced = None;
        let mut faults: u32 = 0;
        let mut pauses = Pauses::new(self.config.poll, LONGEST_PAUSE);
        while !self.out.is_closed() {
            if announced.is_none() && self.endpoint.is_websocket() {
                announced = self.endpoint.new_heads().await.ok();
            }
            match self.look().await {
                Ok(progress) => {
                    faults = 0;
                    pauses.reset();
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
                    tracing::debug!(%error, "cannot look at the chain");
                    if faults >= FAULTS && self.complain(error.to_string()).await.is_err() {
                        return;
                    }
                    tokio::select! {
                        () = sleep(pauses.next()) => {}
                        () = self.out.closed() => return,
                    }
                }
            }
        }
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

    async fn complain(&mut self, trouble: String) -> Result<(), Halt> {
        if !std::mem::replace(&mut self.troubled, true) {
            self.out.send(ChainInput::Trouble(trouble)).await.map_err(|_| Halt::Gone)?;
        }
        Ok(())
    }

    /// The chain has answered: all is well if its newest block is not too old.
    async fn recover(&mut self) -> Result<(), Halt> {
        if let Some(complaint) = self.age.complaint(self.endpoint.shown()) {
            if !self.troubled {
                self.endpoint.pass_over();
            }
            return self.complain(complaint).await;
        }
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
        self.age.note(&head);
        if self.newest == Some(head.hash) {
            return Ok(Progress::CaughtUp);
        }
        self.check_told(&head).await?;
        let target = self.plumb.target(&self.endpoint, &head).await?;
        if let Some(target) = target.filter(|target| self.next <= *target) {
            self.tell_counting(target, &head).await?;
            return Ok(Progress::More);
        }
        if self.tell_seen(&head).await? == Progress::More {
            return Ok(Progress::More);
        }
        self.newest = Some(head.hash);
        Ok(Progress::CaughtUp)
    }

    /// Goes back where what was told as counting is not in the chain any more.
    async fn check_told(&mut self, head: &Head) -> Result<(), Halt> {
        let handled = self.next.saturating_sub(1);
        // Where the head is below what was told, the chain lags or was set back: then nothing is
        // told until it has grown again, as the same or as another.
        if !self.told.has_up_to(head.number.0) && head.number.0 < handled && handled >= self.first {
            return Err(ChainError::Behind { head: head.number.0, handled }.into());
        }
        let Some(fork) = self.told.fork(&self.endpoint, head).await? else { return Ok(()) };
        // Another endpoint that knows another chain: none of them is believed against the other.
        if self.told_by.is_some_and(|line| line != self.endpoint.line()) {
            let url = self.endpoint.shown().to_owned();
            return Err(ChainError::Disagrees { url, block: fork.from }.into());
        }
        let kept = fork.kept.unwrap_or_else(|| self.first.saturating_sub(1));
        let block = match fork.kept {
            Some(kept) => self.endpoint.block(BlockNumber(kept)).await?,
            None => None,
        };
        let time = block.map_or(Timestamp(0), |block| block.time);
        tracing::warn!(kept, "the chain was reorganised below what counted");
        if self.seen.newest().is_some() {
            let from = BlockNumber(kept.saturating_add(1));
            self.tell(ChainInput::Unseen { from }).await?;
        }
        self.seen = Trail::default();
        self.told.cut(kept);
        self.next = kept.saturating_add(1);
        self.skip = None;
        self.newest = None;
        self.tell(ChainInput::Reorganised { kept: BlockNumber(kept), time }).await
    }

    /// Tells all events of the next range up to `target`, and then the block.
    async fn tell_counting(&mut self, target: u64, head: &Head) -> Result<(), Halt> {
        let (end, events) = self.load(self.next, target, head, Telling::AtDepth).await?;
        for (position, event) in events {
            self.tell(ChainInput::Event(position, event)).await?;
        }
        self.tell(ChainInput::Block {
            number: end.number,
            hash: end.hash,
            time: end.time,
            head_number: head.number,
            head_time: head.time,
        })
        .await?;
        self.next = end.number.0.saturating_add(1);
        self.skip = None;
        self.told.add(end.number.0, end.hash);
        self.told_by = Some(self.endpoint.line());
        self.seen.forget(end.number.0);
        Ok(())
    }

    /// Tells what is new above all that counts, and takes back what vanished.
    async fn tell_seen(&mut self, head: &Head) -> Result<Progress, Halt> {
        let counting = self.next.saturating_sub(1);
        if let Some(fork) = self.seen.fork(&self.endpoint, head).await? {
            let kept = fork.kept.unwrap_or(counting);
            self.seen.cut(kept);
            self.tell(ChainInput::Unseen { from: BlockNumber(kept.saturating_add(1)) }).await?;
        }
        let from = self.seen.newest().unwrap_or(counting).saturating_add(1);
        if from > head.number.0 {
            return Ok(Progress::CaughtUp);
        }
        let (end, events) = self.load(from, head.number.0, head, Telling::AtHead).await?;
        for (position, event) in events {
            self.tell(ChainInput::Seen(position, event)).await?;
        }
        self.seen.add(end.number.0, end.hash);
        Ok(if end.number < head.number { Progress::More } else { Progress::CaughtUp })
    }
}
