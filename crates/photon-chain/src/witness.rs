use crate::endpoint::Endpoint;
use crate::error::ChainError;
use photon_wire::BlockNumber;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

/// How long a comparison with one witness may take, so that a slow one does not hold up the rest.
const PATIENCE: Duration = Duration::from_secs(5);

/// How many verdicts may wait to be read.
const QUEUE: usize = 16;

/// How endpoints are compared.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct WitnessConfig {
    /// How often.
    pub poll: Duration,
    /// How many blocks must lie on top of those whose hashes are compared.
    pub depth: u64,
    /// How many blocks the primary may be behind a witness.
    pub lag_blocks: u64,
}

impl Default for WitnessConfig {
    /// A look each second, at the depth and with the lag of three blocks.
    fn default() -> Self {
        Self { poll: Duration::from_secs(1), depth: 3, lag_blocks: 3 }
    }
}

/// What the witnesses say of the primary. URLs are shown without what may be secret.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// All that have been heard know the same chain.
    Agree,
    /// The primary is behind a witness by more than it may be.
    Behind {
        /// The witness.
        url: String,
        /// By how many blocks, when it was noticed.
        blocks: u64,
    },
    /// A witness has another block than the primary.
    Disagree {
        /// The witness.
        url: String,
        /// The height at which it was noticed.
        block: BlockNumber,
    },
    /// A witness does not answer: told once, until it was heard again. What it said before still
    /// holds.
    Silent {
        /// The witness.
        url: String,
    },
}

/// Compares what the primary knows with what the witnesses know; must be called within a tokio
/// runtime. The task ends when the receiver is dropped. Only changes are told; nothing is while
/// the primary does not answer. A disagreement weighs more than a lag.
pub fn watch(
    primary: Endpoint,
    witnesses: Vec<Endpoint>,
    config: WitnessConfig,
) -> mpsc::Receiver<Verdict> {
    let (out, receiver) = mpsc::channel(QUEUE);
    let witnesses = witnesses.into_iter().map(Witness::new).collect();
    tokio::spawn(Watch { primary, witnesses, config, told: None, out }.run());
    receiver
}

/// One of those who are asked.
struct Witness {
    endpoint: Endpoint,
    /// The highest block that it has shown last.
    height: Option<u64>,
    finding: Finding,
    silent: bool,
}

/// What one witness says of the primary.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Finding {
    Agrees,
    Ahead(u64),
    Differs(u64),
}

/// What a comparison led to.
enum Look {
    Found {
        height: u64,
        finding: Finding,
    },
    /// Only the primary answered, which is at this height.
    Silent {
        primary: u64,
    },
    /// The primary did not answer, or its chain changed meanwhile.
    Nothing,
}

impl Witness {
    const fn new(endpoint: Endpoint) -> Self {
        Self { endpoint, height: None, finding: Finding::Agrees, silent: false }
    }

    fn verdict(&self) -> Verdict {
        let url = self.endpoint.shown().to_owned();
        match self.finding {
            Finding::Agrees => Verdict::Agree,
            Finding::Ahead(blocks) => Verdict::Behind { url, blocks },
            Finding::Differs(block) => Verdict::Disagree { url, block: BlockNumber(block) },
        }
    }

    /// Takes in what a comparison led to; true where it has fallen silent with it.
    fn note(&mut self, look: &Look, lag: u64) -> bool {
        match *look {
            Look::Found { height, finding } => {
                self.height = Some(height);
                self.finding = finding;
                self.silent = false;
                false
            }
            Look::Silent { primary } => {
                // A primary that has caught up with what the witness showed last is not behind.
                if matches!(self.finding, Finding::Ahead(_))
                    && self.height.is_none_or(|height| height.saturating_sub(primary) <= lag)
                {
                    self.finding = Finding::Agrees;
                }
                !std::mem::replace(&mut self.silent, true)
            }
            Look::Nothing => false,
        }
    }
}

struct Watch {
    primary: Endpoint,
    witnesses: Vec<Witness>,
    config: WitnessConfig,
    told: Option<Verdict>,
    out: mpsc::Sender<Verdict>,
}

impl Watch {
    async fn run(mut self) {
        let out = self.out.clone();
        while !self.witnesses.is_empty() {
            tokio::select! {
                looked = self.look() => if looked.is_none() { return },
                () = out.closed() => return,
            }
            tokio::select! {
                () = sleep(self.config.poll) => {}
                () = out.closed() => return,
            }
        }
    }

    /// Asks all of them once, and tells what has changed; none where nobody listens any more.
    async fn look(&mut self) -> Option<()> {
        let mut looks = JoinSet::new();
        for (index, witness) in self.witnesses.iter().enumerate() {
            let (primary, witness) = (self.primary.clone(), witness.endpoint.clone());
            let config = self.config;
            looks.spawn(async move { (index, compare(&primary, &witness, config).await) });
        }
        let mut heard = false;
        while let Some(look) = looks.join_next().await {
            let Ok((index, look)) = look else { continue };
            let Some(witness) = self.witnesses.get_mut(index) else { continue };
            heard |= matches!(look, Look::Found { .. });
            if witness.note(&look, self.config.lag_blocks) {
                let url = witness.endpoint.shown().to_owned();
                self.out.send(Verdict::Silent { url }).await.ok()?;
            }
        }
        self.tell(heard).await
    }

    async fn tell(&mut self, heard: bool) -> Option<()> {
        let verdict = worst(self.witnesses.iter().map(Witness::verdict));
        // Before anybody was heard there is nobody who agrees.
        let news = match &self.told {
            Some(told) => !same(told, &verdict),
            None => heard,
        };
        if news {
            self.told = Some(verdict.clone());
            self.out.send(verdict).await.ok()?;
        }
        Some(())
    }
}

/// The gravest, and of equally grave ones the first.
fn worst(verdicts: impl Iterator<Item = Verdict>) -> Verdict {
    let weight = |verdict: &Verdict| match verdict {
        Verdict::Disagree { .. } => 0,
        Verdict::Behind { .. } => 1,
        Verdict::Agree | Verdict::Silent { .. } => 2,
    };
    verdicts.min_by_key(weight).unwrap_or(Verdict::Agree)
}

/// Whether the one adds nothing to the other but another number.
fn same(one: &Verdict, other: &Verdict) -> bool {
    match (one, other) {
        (Verdict::Agree, Verdict::Agree) => true,
        (Verdict::Behind { url: one, .. }, Verdict::Behind { url: other, .. })
        | (Verdict::Disagree { url: one, .. }, Verdict::Disagree { url: other, .. })
        | (Verdict::Silent { url: one }, Verdict::Silent { url: other }) => one == other,
        (
            Verdict::Agree
            | Verdict::Behind { .. }
            | Verdict::Disagree { .. }
            | Verdict::Silent { .. },
            _,
        ) => false,
    }
}

async fn compare(primary: &Endpoint, witness: &Endpoint, config: WitnessConfig) -> Look {
    let head = within(witness, witness.head()).await;
    // The primary is asked last: blocks that are made between the answers do not put it behind.
    let Ok(ours) = primary.head().await else { return Look::Nothing };
    let silent = Look::Silent { primary: ours.number.0 };
    let Some(head) = head else { return silent };
    let compared = BlockNumber(head.number.0.min(ours.number.0).saturating_sub(config.depth));
    let Some(theirs) = within(witness, witness.block(compared)).await else { return silent };
    let Ok(ours_there) = primary.block(compared).await else { return Look::Nothing };
    let (Some(theirs), Some(ours_there)) = (theirs, ours_there) else { return Look::Nothing };
    let ahead = head.number.0.saturating_sub(ours.number.0);
    let finding = if theirs.hash != ours_there.hash {
        Finding::Differs(compared.0)
    } else if ahead > config.lag_blocks {
        Finding::Ahead(ahead)
    } else {
        Finding::Agrees
    };
    Look::Found { height: head.number.0, finding }
}

/// A witness's answer; none where it does not give one in time.
async fn within<T>(
    witness: &Endpoint,
    answer: impl Future<Output = Result<T, ChainError>>,
) -> Option<T> {
    match timeout(PATIENCE, answer).await {
        Ok(Ok(answer)) => Some(answer),
        Ok(Err(error)) => {
            tracing::debug!(url = witness.shown(), %error, "a witness does not answer");
            None
        }
        Err(_) => {
            tracing::debug!(url = witness.shown(), "a witness does not answer in time");
            None
        }
    }
}
