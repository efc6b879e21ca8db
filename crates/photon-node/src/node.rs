//! Putting a node together, and taking it apart again.

use crate::api::{self, ApiFault, ApiServer};
use crate::clock;
use crate::config::{ChainConfig, Config};
use crate::events::Events;
use crate::gasless::{self, Gasless};
use crate::handle::{NodeHandle, Totals};
use crate::keys::{KeyError, Keys, statement_verifier};
use crate::outbox::Outside;
use crate::pump::{CHAIN_QUEUE, OWNER_QUEUE, PEER_QUEUE, Pump, PumpSender, Queues};
use crate::relay::{self, RelayServer};
use crate::sealing::Sealer;
use crate::session::{self, Desk, Partners};
use crate::shared::Shared;
use crate::waiting::{Payments, Transactions};
use crate::{chain, peers};
use photon_chain::{Account, ChainError, Endpoint, Network, NetworkFileError};
use photon_core::Input;
use photon_engine::{Engine, Fault};
use photon_net::{Multiaddr, Net};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::runtime::Handle;
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

/// How long the start waits for the chain to say that it is the right one.
const CHAIN_CHECK: Duration = Duration::from_millis(300);
/// How often the chain is asked again.
const CHAIN_CHECK_PAUSE: Duration = Duration::from_secs(5);

/// Why a node did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The data directory cannot be made.
    #[error("data directory {}: {source}", path.display())]
    DataDir {
        /// Which.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The account cannot be opened.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// There is no network.
    #[error(transparent)]
    Network(#[from] NetworkFileError),
    /// It is another chain or contract, or its URL is none.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// The store does not open.
    #[error(transparent)]
    Store(#[from] Fault),
    /// A multiaddress is malformed.
    #[error("{key}: `{address}` is no multiaddress ({reason})")]
    Address {
        /// Of the configuration.
        key: &'static str,
        /// As given.
        address: String,
        /// What is wrong.
        reason: String,
    },
    /// The network of peers cannot be set up.
    #[error(transparent)]
    Net(#[from] photon_net::Error),
    /// The list of sent transactions cannot be read or written.
    #[error("the list of sent transactions: {0}")]
    Journal(#[source] std::io::Error),
    /// The authorizations that were signed cannot be read.
    #[error("the authorizations that were signed: {0}")]
    Authorizations(#[source] std::io::Error),
    /// The HTTP API cannot be served.
    #[error(transparent)]
    Api(#[from] ApiFault),
    /// The pump's thread cannot be started.
    #[error("a thread could not be started: {0}")]
    Thread(#[source] std::io::Error),
}

/// A running node. [`Node::shutdown`] ends it and waits for the end; dropped, it ends by itself.
pub struct Node {
    handle: NodeHandle,
    tasks: Vec<JoinHandle<()>>,
    pump: Option<std::thread::JoinHandle<()>>,
    api: Option<ApiServer>,
    relay: Option<RelayServer>,
}

impl Node {
    /// Starts a node with the account that its configuration names.
    ///
    /// It starts without the chain as well: what needs the chain waits until it answers.
    ///
    /// # Errors
    /// Something that it needs is missing or wrong; the text says what to do.
    pub async fn start(config: Config) -> Result<Self, StartError> {
        make_data_dir(&config.data_dir)?;
        let account = config.account.clone();
        // Opening a keystore takes time on purpose.
        let keys = blocking(move || Keys::load(&account)).await?;
        Self::start_with_keys(config, keys).await
    }

    /// Starts a node with an account that is at hand.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub async fn start_as(config: Config, account: Account) -> Result<Self, StartError> {
        make_data_dir(&config.data_dir)?;
        Self::start_with_keys(config, Keys::of(account)).await
    }

    async fn start_with_keys(config: Config, keys: Keys) -> Result<Self, StartError> {
        let network = Network::load(&config.network)?;
        let (chain, chain_id) = (&config.chain, network.chain_id);
        let endpoint = Endpoint::with_stand_ins(&chain.endpoint, &chain.witnesses, chain_id)?;
        let witnesses: Result<Vec<_>, _> =
            config.chain.witnesses.iter().map(|url| Endpoint::new(url)).collect();
        let witnesses = witnesses?;
        check_chain_ids(&network, &config.chain).await?;
        let verified = check_chain(&network, &endpoint).await?;
        let engine = open_engine(&config, &network, &keys).await?;
        let domain = network.domain();
        let keys = Arc::new(keys);
        let identity = keys.identity(&domain, clock::now());
        let (net, net_events) =
            Net::start(net_config(&config)?, identity, statement_verifier()).await?;
        let stop = CancellationToken::new();
        let gasless = Gasless::open(&config.data_dir, config.relayer.url.as_deref())
            .map_err(StartError::Authorizations)?;
        let history = engine.history();
        let latest = history.notices(None, 1)?.rows.first().map(|(number, _)| *number);
        let shared = Arc::new(Shared {
            domain,
            keys: Arc::clone(&keys),
            net,
            endpoint,
            witnesses,
            chain_trouble: std::sync::Mutex::default(),
            wallet: std::sync::OnceLock::new(),
            gasless,
            history,
            events: Events::new(latest, stop.clone()),
            payments: Payments::default(),
            transactions: Transactions::default(),
            sealer: Sealer::default(),
            totals: Arc::new(Totals::default()),
            partners: Arc::new(Partners::default()),
            wanted: std::sync::Mutex::default(),
            partners_changed: Notify::new(),
            started: SystemTime::now(),
            stop,
            chain_verified: CancellationToken::new(),
            channels: 0.into(),
            open_channels: 0.into(),
            record: std::sync::Mutex::default(),
            failure: std::sync::Mutex::default(),
            config,
            network,
        });
        let mut node = Self::run(shared, engine, net_events, verified)?;
        if let Err(fault) = node.serve().await {
            node.shutdown().await;
            return Err(fault.into());
        }
        gasless::resume(&node.handle);
        info!(
            account = %keys.account(),
            listen = ?node.handle.shared.net.listen_addresses(),
            "the node has started"
        );
        Ok(node)
    }

    fn run(
        shared: Arc<Shared>,
        engine: Engine,
        net_events: photon_net::Events,
        verified: bool,
    ) -> Result<Self, StartError> {
        let (owner, owner_queue) = mpsc::channel(OWNER_QUEUE);
        let (chain, chain_queue) = mpsc::channel(CHAIN_QUEUE);
        let (messages, peer_queue) = mpsc::channel(PEER_QUEUE);
        let (intents, intent_queue) = mpsc::unbounded_channel();
        let pump = PumpSender::new(owner);
        let desk = Desk {
            net: shared.net.clone(),
            domain: shared.domain,
            keys: Arc::clone(&shared.keys),
            partners: Arc::clone(&shared.partners),
            totals: Arc::clone(&shared.totals),
            pump: messages,
            stop: shared.stop.clone(),
        };
        let unfinished = engine.machine().intents();
        for intent in &unfinished {
            shared.transactions.begin(intent);
        }
        let data_dir = shared.config.data_dir.clone();
        chain::start_sender(&shared, &data_dir, &unfinished, intent_queue, chain.clone())
            .map_err(StartError::Journal)?;
        for intent in unfinished {
            // The sender reads them from now on.
            let _ = intents.send(intent);
        }
        let standing = chain::Standing {
            handled: engine.machine().block().map(|block| block.number),
            channels: engine.machine().channels().iter().map(|channel| channel.id).collect(),
        };
        let worker = Pump {
            outside: Outside::new(shared.net.clone(), Arc::clone(&shared), intents),
            keys: Arc::clone(&shared.keys),
            shared: Arc::clone(&shared),
            partners: Arc::clone(&shared.partners),
            queues: Queues { owner: owner_queue, chain: chain_queue, peers: peer_queue },
            stop: shared.stop.clone(),
            engine,
        };
        let runtime = Handle::current();
        let thread = std::thread::Builder::new()
            .name("pump".to_owned())
            .spawn(move || worker.run(&runtime))
            .map_err(StartError::Thread)?;
        let mut tasks = vec![
            tokio::spawn(session::run(desk, net_events)),
            tokio::spawn(peers::run(Arc::clone(&shared), pump.clone())),
        ];
        tasks.push(tokio::spawn(follow(Arc::clone(&shared), standing, chain, verified)));
        peers::dial_configured(&shared);
        let handle = NodeHandle { shared, pump };
        Ok(Self { handle, tasks, pump: Some(thread), api: None, relay: None })
    }

    async fn serve(&mut self) -> Result<(), ApiFault> {
        let config = self.handle.config();
        let (api, relay) = (config.api.clone(), config.relay.clone());
        if api.enabled {
            self.api = Some(api::serve(self.handle(), &api).await?);
        }
        let shared = &self.handle.shared;
        if let (Some(listen), Some(wallet)) = (relay.listen, shared.wallet.get()) {
            self.relay = Some(relay::start(shared, wallet.clone(), &relay, listen).await?);
        }
        Ok(())
    }

    /// The HTTP API, where the configuration wants one.
    pub const fn api(&self) -> Option<&ApiServer> {
        self.api.as_ref()
    }

    /// The relay for others, where the configuration wants one.
    pub const fn relay(&self) -> Option<&RelayServer> {
        self.relay.as_ref()
    }

    /// What the owner can ask of it.
    pub fn handle(&self) -> NodeHandle {
        self.handle.clone()
    }

    /// Completes when the node has stopped by itself or is being stopped; says why where its disk
    /// or its chain left it no choice.
    pub async fn stopped(&self) -> Option<String> {
        self.handle.stopping().await;
        self.handle.shared.failure()
    }

    /// Ends it: the turn under way is finished, sessions are closed, the store is released. A
    /// handle that is kept keeps the store open.
    pub async fn shutdown(mut self) {
        let shared = Arc::clone(&self.handle.shared);
        shared.stop.cancel();
        if let Some(pump) = self.pump.take() {
            let joined = blocking(move || pump.join()).await;
            if joined.is_err() {
                warn!("the pump ended with a panic");
            }
        }
        shared.net.shutdown().await;
        if let Some(api) = self.api.take() {
            api.ended().await;
        }
        if let Some(relay) = self.relay.take() {
            relay.ended().await;
        }
        for task in std::mem::take(&mut self.tasks) {
            // It ends by itself; were it to panic, it would have ended as well.
            let _ = task.await;
        }
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.handle.shared.stop.cancel();
    }
}

/// Follows the chain, once it is known to be the right one.
async fn follow(
    shared: Arc<Shared>,
    standing: chain::Standing,
    pump: mpsc::Sender<Input>,
    verified: bool,
) {
    if !verified {
        let url = shared.endpoint.shown();
        shared.set_chain_trouble(Some(format!("{url} has not answered yet")));
        if pump.send(Input::ChainReachable(false)).await.is_err() {
            return;
        }
        loop {
            let looked = tokio::select! {
                looked = shared.network.verify(&shared.endpoint) => looked,
                () = shared.stop.cancelled() => return,
            };
            match looked {
                Ok(()) => break,
                Err(error) if error.is_transient() => {}
                Err(error) => {
                    shared.fail(error.to_string());
                    shared.stop.cancel();
                    return;
                }
            }
            tokio::select! {
                () = sleep(CHAIN_CHECK_PAUSE) => {}
                () = shared.stop.cancelled() => return,
            }
        }
        shared.set_chain_trouble(None);
        if pump.send(Input::ChainReachable(true)).await.is_err() {
            return;
        }
    }
    shared.chain_verified.cancel();
    chain::start_follower(&shared, standing, pump);
}

/// Refuses to start with an endpoint of another chain; one that does not answer yet is believed
/// only once it has said that it is of the right one.
async fn check_chain_ids(network: &Network, chain: &ChainConfig) -> Result<(), StartError> {
    let expected = network.chain_id;
    for url in std::iter::once(&chain.endpoint).chain(&chain.witnesses) {
        let endpoint = Endpoint::new(url)?;
        let Ok(Ok(got)) = timeout(CHAIN_CHECK, endpoint.chain_id()).await else { continue };
        if got != expected {
            let url = endpoint.shown().to_owned();
            return Err(ChainError::WrongChain { url, got, expected }.into());
        }
    }
    Ok(())
}

/// Whether the chain has said that it is the right one; false where it does not answer in time.
async fn check_chain(network: &Network, endpoint: &Endpoint) -> Result<bool, StartError> {
    match timeout(CHAIN_CHECK, network.verify(endpoint)).await {
        Ok(Ok(())) => Ok(true),
        Ok(Err(error)) if !error.is_transient() => Err(error.into()),
        Ok(Err(error)) => {
            warn!(%error, "the chain does not answer; the node starts without it");
            Ok(false)
        }
        Err(_) => {
            warn!(
                chain = endpoint.shown(),
                "the chain is slow to answer; the node starts without it"
            );
            Ok(false)
        }
    }
}

async fn open_engine(
    config: &Config,
    network: &Network,
    keys: &Keys,
) -> Result<Engine, StartError> {
    let core = photon_core::Config {
        account: keys.account(),
        domain: network.domain(),
        parameters: network.parameters,
        timing: config.timing(),
        fees: config.fees(),
        least_lock: config.payments.least_lock.0,
    };
    let path = config.data_dir.join("store");
    Ok(blocking(move || Engine::open(&path, core)).await?)
}

fn net_config(config: &Config) -> Result<photon_net::Config, StartError> {
    let net = &config.net;
    let discovery = if net.kademlia {
        Some(photon_net::Discovery {
            bootstrap: addresses("net.bootstrap", &net.bootstrap)?,
            external: addresses("net.external", &net.external)?,
        })
    } else {
        None
    };
    Ok(photon_net::Config {
        listen: addresses("net.listen", &net.listen)?,
        local_discovery: net.mdns,
        discovery,
        ..photon_net::Config::default()
    })
}

fn addresses(key: &'static str, texts: &[String]) -> Result<Vec<Multiaddr>, StartError> {
    let parse = |text: &String| {
        text.parse::<Multiaddr>().map_err(|error| StartError::Address {
            key,
            address: text.clone(),
            reason: error.to_string(),
        })
    };
    texts.iter().map(parse).collect()
}

/// Makes the data directory, for its owner only.
fn make_data_dir(path: &Path) -> Result<(), StartError> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt;
        builder.mode(0o700);
    }
    builder.create(path).map_err(|source| StartError::DataDir { path: path.to_owned(), source })
}

/// Does what blocks on a thread that may.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(work).await.expect("what blocks does not panic")
}
