//! A service for accounts without coins: it carries what they signed to the chain, and pays for
//! the gas. Off unless `relay.listen` is set. On a port of its own, open to whoever reaches it.

pub(crate) mod api;
mod book;
mod limits;

use crate::api::connections::{self, Bounds};
use crate::api::types::{AuthorizationBody, RelayView, RelayedView};
use crate::api::{Answer, ApiFault, Refusal};
use crate::clock;
use crate::config::RelayConfig;
use crate::gasless::id_of;
use crate::shared::Shared;
use book::Book;
use limits::{Budget, Windows};
use photon_chain::{
    ChainError, Done, Intent, Limits, Report, SendError, Sender, SenderConfig, Wallet,
};
use photon_wire::contract::Call;
use photon_wire::{Address, Amount, B256, Timestamp};
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::net::TcpListener;
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinHandle;
use tracing::{info, warn};

/// Strangers get little room and little time.
const BOUNDS: Bounds = Bounds { connections: 256, headers: Duration::from_secs(10) };
/// An authorization must be good for so long, or it would be past before it is mined.
const LEAST_VALID: u64 = 15;
/// No honest opening takes as much gas, by whichever token.
const MOST_GAS: u64 = 1_000_000;
/// How long an answer waits for the transaction's hash.
const FOR_HASH: Duration = Duration::from_secs(5);

/// The service while it runs. Ends by itself with the node.
#[derive(Debug)]
pub struct RelayServer {
    address: SocketAddr,
    tasks: [JoinHandle<()>; 2],
}

impl RelayServer {
    /// Where it listens, with the port that it got.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Waits until it has ended, which it does when the node stops.
    pub(crate) async fn ended(self) {
        let [serving, reading] = self.tasks;
        // A task that broke off has told its reason already.
        let _ = serving.await;
        reading.abort();
    }
}

/// What the handlers share.
pub(crate) struct Relay {
    shared: Arc<Shared>,
    wallet: Wallet,
    sender: Sender,
    config: RelayConfig,
    book: Mutex<Book>,
    callers: Mutex<Windows<IpAddr>>,
    accounts: Mutex<Windows<Address>>,
    budget: Mutex<Budget>,
    /// Something in the book has changed.
    changed: Notify,
}

/// Serves until the node stops.
pub(crate) async fn start(
    shared: &Arc<Shared>,
    wallet: Wallet,
    config: &RelayConfig,
    listen: SocketAddr,
) -> Result<RelayServer, ApiFault> {
    let refused = |source| ApiFault::Relay { address: listen, source };
    let budget = Budget::open(&shared.config.data_dir.join("relay.gas"), config.daily_gas);
    let contract = shared.network.contract;
    let (sender, reports) = Sender::start(wallet.clone(), contract, SenderConfig::default());
    let relay = Arc::new(Relay {
        shared: Arc::clone(shared),
        wallet,
        sender,
        config: config.clone(),
        book: Mutex::default(),
        callers: Mutex::new(Windows::new(config.per_minute, Duration::from_secs(60))),
        accounts: Mutex::new(Windows::new(config.per_hour, Duration::from_secs(3_600))),
        budget: Mutex::new(budget.map_err(refused)?),
        changed: Notify::new(),
    });
    let listener = TcpListener::bind(listen).await.map_err(refused)?;
    let address = listener.local_addr().map_err(refused)?;
    info!(%address, "the relay listens; whoever reaches it can have gas paid, up to its limits");
    let reading = tokio::spawn(read(Arc::clone(&relay), reports));
    let stop = shared.stop.clone();
    let serving = tokio::spawn(connections::serve(listener, api::router(relay), BOUNDS, stop));
    Ok(RelayServer { address, tasks: [serving, reading] })
}

/// Takes in what became of the transactions.
async fn read(relay: Arc<Relay>, mut reports: mpsc::Receiver<Report>) {
    while let Some(report) = reports.recv().await {
        relay.on_report(report);
    }
}

impl Relay {
    /// What this relay is.
    pub(crate) fn view(&self) -> RelayView {
        RelayView {
            chain_id: self.shared.network.chain_id,
            contract: crate::api::types::HexAddress(self.shared.network.contract),
            account: crate::api::types::HexAddress(self.wallet.address()),
            longest: self.config.longest_seconds,
        }
    }

    /// How far an authorization is; none where it is unknown.
    pub(crate) fn of(&self, id: B256) -> Option<RelayedView> {
        lock(&self.book).of(id)
    }

    /// Takes an authorization on, or says how far it is where it was taken before.
    pub(crate) async fn submit(
        &self,
        body: &AuthorizationBody,
        from: IpAddr,
    ) -> Answer<RelayedView> {
        if !self.shared.chain_verified.is_cancelled() {
            let detail = "the relay's chain has not said yet that it is the right one";
            return Err(Refusal::new("chain_unavailable", detail));
        }
        self.check_network(body)?;
        let call = body.call().map_err(Refusal::malformed)?;
        let id = id_of(&call, &self.shared.domain)
            .ok_or_else(|| Refusal::malformed("the call is no authorization"))?;
        if let Some(known) = self.known(id) {
            return Ok(known);
        }
        self.check_caller(from)?;
        self.check_valid(body)?;
        if body.amount.0 > Amount::MAX_DEPOSIT {
            let detail = format!("amount is {}, at most {} fits", body.amount, Amount::MAX_DEPOSIT);
            return Err(Refusal::new("bad_amount", detail));
        }
        let gas = self.gas_of(&call).await?;
        // Only now is it known that the account itself signed: before, anybody could use its share
        // up in its name.
        self.check_account(body.participant.0)?;
        let Some(number) = lock(&self.book).begin(id, Timestamp(body.valid_until)) else {
            return Ok(self.known(id).unwrap_or_else(|| book::sending(id)));
        };
        if let Err(refusal) = self.check_budget(gas) {
            lock(&self.book).forget(id);
            return Err(refusal);
        }
        let deadline = Some(Timestamp(body.valid_until));
        let intent = Intent { id: number, call, deadline, earlier: Vec::new() };
        // Between this estimate and the sender's, or when it is mined, a token of a stranger may
        // begin to burn gas, and the price may climb: no more is paid than was taken.
        let fee_per_gas = Some(self.config.max_gas_price.0.0);
        let limits = Limits { gas: Some(gas), fee_per_gas };
        if self.sender.submit_within(intent, limits).await.is_err() {
            lock(&self.book).forget(id);
            return Err(Refusal::new("stopping", "the node is stopping"));
        }
        info!(%id, participant = %body.participant, "an authorization is relayed");
        Ok(self.first_word(id).await)
    }

    /// One that is on its way or done; what failed may be tried again.
    fn known(&self, id: B256) -> Option<RelayedView> {
        lock(&self.book).of(id).filter(|view| view.reason.is_none())
    }

    fn check_network(&self, body: &AuthorizationBody) -> Answer<()> {
        let network = &self.shared.network;
        if (body.chain_id, body.contract.0) == (network.chain_id, network.contract) {
            return Ok(());
        }
        let ours = format!("chain {}, contract {}", network.chain_id, network.contract);
        let theirs = format!("chain {}, contract {}", body.chain_id, body.contract);
        let detail = format!("this relay is for {ours}; the authorization is for {theirs}");
        Err(Refusal::new("relay_other_network", detail))
    }

    fn check_caller(&self, from: IpAddr) -> Answer<()> {
        if lock(&self.callers).take(from, Instant::now()) {
            return Ok(());
        }
        let detail = format!("more than {} authorizations a minute", self.config.per_minute);
        Err(Refusal::new("relay_too_many", detail))
    }

    fn check_account(&self, participant: Address) -> Answer<()> {
        if lock(&self.accounts).take(participant, Instant::now()) {
            return Ok(());
        }
        let most = self.config.per_hour;
        let detail = format!("more than {most} authorizations of {participant} an hour");
        Err(Refusal::new("relay_too_many", detail))
    }

    fn check_valid(&self, body: &AuthorizationBody) -> Answer<()> {
        let now = clock::now().0;
        let (least, most) =
            (now.saturating_add(LEAST_VALID), now.saturating_add(self.config.longest_seconds));
        if (least..=most).contains(&body.valid_until) {
            return Ok(());
        }
        let got = body.valid_until;
        let detail = format!("it is good until {got}, expected {least} to {most}");
        Err(Refusal::new("relay_validity", detail))
    }

    /// The gas to allow, which is some more than it would take now; a revert shows here, before any
    /// gas is spent.
    async fn gas_of(&self, call: &Call) -> Answer<u64> {
        let price = self.wallet.endpoint().gas_price().await.map_err(|error| silent(&error))?;
        let most = self.config.max_gas_price.0.0;
        if price > most {
            let detail = format!("gas costs {price} wei now, this relay pays at most {most}");
            return Err(Refusal::new("relay_gas_price", detail));
        }
        let (endpoint, from) = (self.wallet.endpoint(), self.wallet.address());
        match photon_chain::estimate(endpoint, self.shared.network.contract, from, call).await {
            Ok(gas) => allowed(gas),
            Err(SendError::Chain(error)) if error.is_transient() => Err(silent(&error)),
            Err(error @ SendError::TooFewCoins { .. }) => {
                warn!(%error, "the relay has no coins left");
                Err(Refusal::new("relay_budget", "this relay has no coins left"))
            }
            Err(error) => Err(Refusal::new("relay_reverts", error.to_string())),
        }
    }

    fn check_budget(&self, gas: u64) -> Answer<()> {
        let taken = lock(&self.budget).take(gas, clock::now());
        match taken {
            Ok(true) => Ok(()),
            Ok(false) => {
                let detail =
                    format!("it takes {gas} gas, more than is left of this relay's budget today");
                Err(Refusal::new("relay_budget", detail))
            }
            Err(error) => {
                warn!(%error, "the relay cannot write down what it spends; it spends nothing");
                Err(Refusal::new("relay_budget", "this relay cannot write down what it spends"))
            }
        }
    }

    /// How far it is once there is a transaction, or after a moment.
    async fn first_word(&self, id: B256) -> RelayedView {
        let waiting = async {
            loop {
                let changed = self.changed.notified();
                let view = self.of(id).unwrap_or_else(|| book::sending(id));
                if view.hash.is_some() || view.reason.is_some() {
                    return view;
                }
                changed.await;
            }
        };
        let word = tokio::time::timeout(FOR_HASH, waiting).await;
        word.unwrap_or_else(|_| self.of(id).unwrap_or_else(|| book::sending(id)))
    }

    fn on_report(&self, report: Report) {
        let mut book = lock(&self.book);
        match report {
            Report::Approving { .. } => {}
            Report::Sent { id, sent } => book.sent(id, sent.hash),
            Report::Outcome(outcome) => match outcome.result {
                Ok(Done::Mined(mined)) => {
                    let (hash, gas) = (mined.hash, mined.gas_used);
                    info!(%hash, gas, "an authorization is in the chain");
                    book.done(outcome.id, Some(mined.hash));
                }
                Ok(Done::ByOthers(_)) => book.done(outcome.id, None),
                Err(error) => {
                    warn!(%error, "an authorization came to nothing");
                    book.failed(outcome.id, error.to_string());
                }
            },
        }
        drop(book);
        self.changed.notify_waiters();
    }
}

fn allowed(estimate: u64) -> Answer<u64> {
    let gas = estimate.saturating_add(estimate / 4);
    if gas <= MOST_GAS {
        return Ok(gas);
    }
    let detail = format!("it takes {gas} gas, this relay pays for at most {MOST_GAS}");
    Err(Refusal::new("relay_budget", detail))
}

fn silent(error: &ChainError) -> Refusal {
    Refusal::new("chain_unavailable", format!("the relay's chain does not answer: {error}"))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quarter_more_gas_is_allowed_and_charged_and_no_token_gets_more_than_a_million() {
        assert_eq!(allowed(200_000).unwrap(), 250_000);
        assert_eq!(allowed(800_000).unwrap(), MOST_GAS);
        assert!(allowed(800_004).is_err());
        assert!(allowed(u64::MAX).is_err());
    }
}
