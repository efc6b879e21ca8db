use crate::bindings::{input, pulls};
use crate::error::{ChainError, SendError};
use crate::pauses::Pauses;
use crate::pending::{Look, Pending};
use crate::revert::Revert;
use crate::token::{self, Funding, Prepared, Step};
use crate::wallet::{Draft, Mined, Note, SentTransaction, Wallet};
use photon_wire::contract::{Call, Way};
use photon_wire::{Address, Amount, Timestamp, Token};
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Mutex, mpsc};
use tokio::task::{JoinError, JoinSet};

/// The longest pause between two tries at a chain that does not answer, before its random part.
const LONGEST_PAUSE: Duration = Duration::from_secs(15);
/// How often the chain may refuse to be asked before the intent fails with the refusal.
const REFUSALS: usize = 10;

/// A call that we want to see in the chain.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Intent {
    /// The caller's name for it; it comes back in every [`Report`].
    pub id: u64,
    /// What to tell the contract.
    pub call: Call,
    /// When it is too late; fees rise towards it.
    pub deadline: Option<Timestamp>,
    /// What the journal of [`Sender::start_with_journal`] wrote of this intent before a restart,
    /// oldest first. With it nothing is sent twice; without it a deposit that was under way may
    /// be made twice.
    pub earlier: Vec<SentTransaction>,
}

/// The most that a call may cost: of one that is sent for somebody else, who may want it dear.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Limits {
    /// Its gas; without it, what it is estimated to take, and a quarter more.
    pub gas: Option<u64>,
    /// The fee for each gas, in wei, where it is less than [`crate::WalletConfig`] allows. It does
    /// not hold while a transaction without it waits: that one has a later nonce, so a limited one
    /// that stays in the pool would keep the account's own answers out of the chain.
    pub fee_per_gas: Option<u128>,
}

/// What becomes of intents.
#[derive(Debug)]
pub enum Report {
    /// The token was asked to let the contract take what the call needs.
    Approving {
        /// The intent.
        id: u64,
        /// The approval's transaction.
        sent: SentTransaction,
    },
    /// The call was sent, for the first time or with a greater fee.
    Sent {
        /// The intent.
        id: u64,
        /// The transaction.
        sent: SentTransaction,
    },
    /// Nothing more comes of this intent.
    Outcome(Outcome),
}

/// What became of an intent.
#[derive(Debug)]
pub struct Outcome {
    /// The intent.
    pub id: u64,
    /// Whether it is done.
    pub result: Result<Done, SendError>,
}

/// How an intent came to be done.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Done {
    /// By our transaction.
    Mined(Mined),
    /// By somebody else: the contract says that nothing is left to do.
    ByOthers(Revert),
}

/// The limits of a [`Sender`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SenderConfig {
    /// How many intents may wait to be begun.
    pub queue: usize,
    /// How many may be under way, beside those that pull tokens, which go one at a time.
    pub in_flight: usize,
    /// How many reports may wait to be read.
    pub reports: usize,
}

impl Default for SenderConfig {
    fn default() -> Self {
        Self { queue: 1_024, in_flight: 64, reports: 1_024 }
    }
}

/// Gets calls into the chain. Cheap to clone; it stops when the last clone is dropped, and leaves
/// what is under way to itself.
#[derive(Clone)]
pub struct Sender(mpsc::Sender<(Intent, Limits)>);

impl Sender {
    /// Starts to carry calls to the contract; must be called within a tokio runtime.
    ///
    /// The reports must be read: where they are not, nothing more is sent.
    pub fn start(
        wallet: Wallet,
        contract: Address,
        config: SenderConfig,
    ) -> (Self, mpsc::Receiver<Report>) {
        Self::start_with_journal(wallet, contract, config, |_, _| Ok(()))
    }

    /// As [`Sender::start`]; `journal` is called with the intent's id before each sending of its
    /// call, and must make it durable: what it wrote goes into [`Intent::earlier`] after a
    /// restart. [`Report::Sent`] comes too late for that, since the process may end between the
    /// sending and the report. Where the journal fails, nothing is sent and it is tried again.
    pub fn start_with_journal(
        wallet: Wallet,
        contract: Address,
        config: SenderConfig,
        journal: impl Fn(u64, SentTransaction) -> io::Result<()> + Send + Sync + 'static,
    ) -> (Self, mpsc::Receiver<Report>) {
        let journal = Arc::new(journal);
        let (intents, queue) = mpsc::channel(config.queue.max(1));
        let (reports, receiver) = mpsc::channel(config.reports.max(1));
        let pulling = Mutex::new(());
        let carrier = Arc::new(Carrier { wallet, contract, pulling, reports, journal });
        tokio::spawn(carry_all(carrier, queue, config.in_flight.max(1)));
        (Self(intents), receiver)
    }

    /// Hands an intent over; waits where too many wait already.
    ///
    /// # Errors
    /// Where the sender has stopped.
    pub async fn submit(&self, intent: Intent) -> Result<(), SendError> {
        self.submit_within(intent, Limits::default()).await
    }

    /// As [`Sender::submit`], for at most so much.
    ///
    /// # Errors
    /// Where the sender has stopped.
    pub async fn submit_within(&self, intent: Intent, limits: Limits) -> Result<(), SendError> {
        self.0.send((intent, limits)).await.map_err(|_| SendError::Stopped)
    }
}

struct Carrier {
    wallet: Wallet,
    contract: Address,
    /// Held from looking at the allowance until it is used up, so that calls do not share one.
    pulling: Mutex<()>,
    reports: mpsc::Sender<Report>,
    journal: Arc<Journal>,
}

type Journal = dyn Fn(u64, SentTransaction) -> io::Result<()> + Send + Sync;

/// A hundred openings wait for each other for an hour: they must not take the places of what has a
/// deadline.
async fn carry_all(
    carrier: Arc<Carrier>,
    mut queue: mpsc::Receiver<(Intent, Limits)>,
    in_flight: usize,
) {
    let (mut under_way, mut pulling) = (JoinSet::new(), JoinSet::new());
    loop {
        tokio::select! {
            intent = queue.recv(), if under_way.len() < in_flight => {
                let Some((intent, limits)) = intent else { return };
                let carrier = Arc::clone(&carrier);
                let places =
                    if pulls(&intent.call).is_some() { &mut pulling } else { &mut under_way };
                places.spawn(async move { carrier.carry(&intent, limits).await });
            }
            Some(ended) = under_way.join_next() => look_at(ended),
            Some(ended) = pulling.join_next() => look_at(ended),
        }
    }
}

fn look_at(ended: Result<(), JoinError>) {
    if let Err(error) = ended {
        tracing::error!(%error, "an intent was dropped");
    }
}

impl Carrier {
    async fn carry(&self, intent: &Intent, limits: Limits) {
        let result = self.done(intent, limits).await;
        if let Err(error) = &result {
            tracing::warn!(id = intent.id, %error, "an intent came to nothing");
        }
        self.report(Report::Outcome(Outcome { id: intent.id, result })).await;
    }

    async fn report(&self, report: Report) {
        // Nobody reads any more: the node stops.
        let _ = self.reports.send(report).await;
    }

    async fn done(&self, intent: &Intent, limits: Limits) -> Result<Done, SendError> {
        let pulls = pulls(&intent.call);
        let _pulling = match pulls {
            Some(_) => Some(self.pulling.lock().await),
            None => None,
        };
        let mut earlier = intent.earlier.clone();
        let mut pauses = Pauses::new(self.wallet.config().poll, LONGEST_PAUSE);
        let mut refusals: usize = 0;
        loop {
            let error = match self.attempt(intent, limits, pulls, &mut earlier).await {
                Ok(mined) => return Ok(Done::Mined(mined)),
                Err(error) => error,
            };
            if let Some(revert) = error.revert().filter(|revert| revert.means_done(&intent.call)) {
                return Ok(Done::ByOthers(revert.clone()));
            }
            if matches!(error, SendError::Chain(ChainError::Refused { .. })) {
                refusals = refusals.saturating_add(1);
            }
            if !error.is_transient() || refusals >= REFUSALS || self.too_late(intent).await {
                return Err(error);
            }
            tracing::debug!(id = intent.id, %error, "an intent is tried again");
            tokio::time::sleep(pauses.next()).await;
        }
    }

    /// Whether the deadline is past, by the chain's time, or by ours where the chain is silent.
    async fn too_late(&self, intent: &Intent) -> bool {
        let Some(deadline) = intent.deadline else { return false };
        let now = match self.wallet.endpoint().now().await {
            Ok(now) => now,
            Err(_) => Timestamp(
                std::time::SystemTime::now()
                    .duration_since(std::time::UNIX_EPOCH)
                    .map_or(0, |since| since.as_secs()),
            ),
        };
        now > deadline
    }

    async fn attempt(
        &self,
        intent: &Intent,
        limits: Limits,
        pulls: Option<(Token, Amount)>,
        earlier: &mut Vec<SentTransaction>,
    ) -> Result<Mined, SendError> {
        let id = intent.id;
        let step = match Funding::of(&intent.call).filter(|_| pulls.is_some()) {
            Some(funding) => self.funded(id, &funding, &intent.call, earlier).await?,
            None => Step::new(self.contract, input(&intent.call, self.wallet.address())),
        };
        let journal = Arc::clone(&self.journal);
        let note = Note(Some(Arc::new(move |sent| journal(id, sent))));
        let draft = Draft { deadline: intent.deadline, note, limits, ..Draft::from(step) };
        let pending = self.wallet.begin(draft, earlier).await?;
        earlier.clear();
        let told = |sent| Report::Sent { id, sent };
        self.wait(pending, told).await
    }

    /// Waits until it is mined, however long the chain is silent meanwhile.
    async fn wait(
        &self,
        mut pending: Pending,
        told: impl Fn(SentTransaction) -> Report,
    ) -> Result<Mined, SendError> {
        if let Some(sent) = pending.sent() {
            self.report(told(sent)).await;
        }
        let usual = self.wallet.config().poll;
        let mut pauses = Pauses::new(usual, LONGEST_PAUSE);
        loop {
            let mut pause = usual;
            match pending.look().await {
                Ok(Look::Mined(mined)) => return Ok(mined),
                Ok(Look::Waiting) => pauses.reset(),
                Ok(Look::Sent(sent)) => {
                    pauses.reset();
                    self.report(told(sent)).await;
                }
                // Not the end of it: a nonce that somebody else took is.
                Err(error @ (SendError::Chain(_) | SendError::Journal(_)))
                    if error.is_transient() =>
                {
                    tracing::debug!(%error, "cannot look for a receipt");
                    pause = pauses.next();
                }
                Err(error) => return Err(error),
            }
            tokio::time::sleep(pause).await;
        }
    }

    /// How the deposit is made: by the way that is wanted, or the cheapest that the token offers.
    /// What has to be allowed first is allowed and mined here, and not more of it than is needed.
    async fn funded(
        &self,
        id: u64,
        funding: &Funding,
        call: &Call,
        earlier: &[SentTransaction],
    ) -> Result<Step, SendError> {
        let (endpoint, account) = (self.wallet.endpoint(), self.wallet.account());
        let wanted = way_of(call);
        let prepared = token::prepare(endpoint, self.contract, account, funding, wanted).await;
        if !earlier.is_empty() {
            // An earlier process sent it: it may be mined, and then nothing can be prepared.
            return match prepared {
                Err(error) if error.is_transient() => Err(error),
                Err(_) => Ok(Step::new(self.contract, input(call, account.address()))),
                Ok(prepared) => Ok(prepared.step),
            };
        }
        let Prepared { way, approvals, step } = prepared?;
        tracing::debug!(id, %way, approvals = approvals.len(), "a deposit has its way");
        for approval in approvals {
            let pending = self.wallet.begin(Draft::from(approval), &[]).await?;
            self.wait(pending, |sent| Report::Approving { id, sent }).await?;
        }
        Ok(step)
    }
}

/// The way that the call wants.
const fn way_of(call: &Call) -> Option<Way> {
    match call {
        Call::Open { way, .. } | Call::Deposit { way, .. } => *way,
        Call::Close { .. }
        | Call::Update { .. }
        | Call::Unlock { .. }
        | Call::RegisterSecrets(_)
        | Call::Settle { .. }
        | Call::Withdraw { .. }
        | Call::CooperativeSettle { .. }
        | Call::Punish { .. }
        | Call::SettleMany { .. }
        | Call::OpenAuthorized { .. }
        | Call::DepositAuthorized { .. }
        | Call::CancelAuthorization { .. }
        | Call::ClaimCredit { .. } => None,
    }
}
