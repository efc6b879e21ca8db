//! The loop: takes what waits, steps, signs, commits, and only then lets anything out.

mod held;

use crate::clock;
use crate::handle::RequestError;
use crate::keys::Keys;
use crate::outbox::Outside;
use crate::session::{Partners, add};
use crate::shared::Shared;
use held::{Held, HeldPayments};
use photon_core::view::ChannelState;
use photon_core::{Answer, Command, Input, Machine, Rejection};
use photon_engine::{Engine, Fault};
use photon_wire::Address;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Interval, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;
use tracing::{debug, error, info, warn};

/// Requests of the owner that may wait.
pub(crate) const OWNER_QUEUE: usize = 16_384;
/// Inputs of the chain that may wait.
pub(crate) const CHAIN_QUEUE: usize = 1_024;
/// Inputs of peers that may wait.
pub(crate) const PEER_QUEUE: usize = 4_096;

/// The most of each queue that one turn takes.
const OWNER_SHARE: usize = 4_096;
const CHAIN_SHARE: usize = 1_024;
const PEER_SHARE: usize = 512;

/// How often frames that found a peer's queue full are offered again.
const BACKLOG_PAUSE: Duration = Duration::from_millis(5);
/// Messages of one peer that the core may refuse between two ticks of the clock before the
/// session is dropped.
const REFUSALS: u32 = 1_000;

/// Everything that reaches the pump.
enum Event {
    Owner(Request),
    Chain(Input),
    Peer(Input),
    Tick,
}

/// What the owner asks.
pub(crate) enum Request {
    /// To be done, and answered once it is durable.
    Command(Box<Command>, oneshot::Sender<Verdict>),
    /// To be looked at, after what was asked before is durable.
    Look(Look),
}

/// What the core says to a command.
type Verdict = Result<Answer, Rejection>;

/// A question that is put to the machine.
type Look = Box<dyn FnOnce(&Machine) + Send>;

/// Hands requests to the pump.
#[derive(Clone)]
pub(crate) struct PumpSender(mpsc::Sender<Request>);

impl PumpSender {
    pub(crate) fn new(sender: mpsc::Sender<Request>) -> Self {
        Self(sender)
    }

    /// Has a command done; the answer comes once it is durable.
    pub(crate) async fn command(&self, command: Command) -> Result<Answer, RequestError> {
        let (answer, answered) = oneshot::channel();
        self.send(Request::Command(Box::new(command), answer)).await?;
        Ok(answered.await.map_err(|_| RequestError::Stopped)??)
    }

    /// Asks the machine something.
    pub(crate) async fn look<T: Send + 'static>(
        &self,
        question: impl FnOnce(&Machine) -> T + Send + 'static,
    ) -> Result<T, RequestError> {
        let (answer, answered) = oneshot::channel();
        let look = move |machine: &Machine| {
            // Whoever asked may have gone.
            let _ = answer.send(question(machine));
        };
        self.send(Request::Look(Box::new(look))).await?;
        answered.await.map_err(|_| RequestError::Stopped)
    }

    async fn send(&self, request: Request) -> Result<(), RequestError> {
        self.0.send(request).await.map_err(|_| RequestError::Stopped)
    }
}

/// The receiving ends of the queues.
pub(crate) struct Queues {
    pub(crate) owner: mpsc::Receiver<Request>,
    pub(crate) chain: mpsc::Receiver<Input>,
    pub(crate) peers: mpsc::Receiver<Input>,
}

/// The loop and all that only it touches.
pub(crate) struct Pump {
    pub(crate) engine: Engine,
    pub(crate) keys: Arc<Keys>,
    pub(crate) shared: Arc<Shared>,
    pub(crate) partners: Arc<Partners>,
    pub(crate) outside: Outside,
    pub(crate) queues: Queues,
    pub(crate) stop: CancellationToken,
}

/// What a turn answers once it is durable.
#[derive(Default)]
struct Answers {
    commands: Vec<(oneshot::Sender<Verdict>, Verdict)>,
    looks: Vec<Look>,
}

/// Ends the node with its pump, however that ends: a node without one answers nobody.
struct Ending(Arc<Shared>);

impl Drop for Ending {
    fn drop(&mut self) {
        if std::thread::panicking() {
            error!("the pump broke off; the node stops");
            self.0.fail("a fault in this program, told above; start the node again".to_owned());
        }
        self.0.stop.cancel();
        debug!("the pump has stopped");
    }
}

impl Pump {
    /// Runs on a thread of its own until the node stops or the disk fails; commits block.
    pub(crate) fn run(mut self, runtime: &Handle) {
        let mut ticks = {
            let _entered = runtime.enter();
            let mut ticks = interval(Duration::from_secs(1));
            ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
            ticks
        };
        let _ending = Ending(Arc::clone(&self.shared));
        self.look_at_channels();
        let mut refusals = HashMap::new();
        let mut batch = Vec::new();
        let mut held = HeldPayments::default();
        while let Some(first) = runtime.block_on(self.first(&mut ticks)) {
            if matches!(first, Event::Tick) {
                refusals.clear();
            }
            batch.push(first);
            self.take_waiting(&mut batch);
            if let Err(fault) = self.turn(&mut batch, &mut held, &mut refusals) {
                error!(%fault, "the store failed; the node stops rather than sign on");
                self.shared.fail(fault.to_string());
                break;
            }
            // A busy node has no pause in which to do it.
            if self.outside.has_backlog() {
                self.outside.flush();
            }
        }
    }

    /// Waits for something to do; none once the node stops. The owner and the chain come first.
    async fn first(&mut self, ticks: &mut Interval) -> Option<Event> {
        loop {
            let backlog = self.outside.has_backlog();
            tokio::select! {
                biased;
                () = self.stop.cancelled() => return None,
                _ = ticks.tick() => return Some(Event::Tick),
                Some(request) = self.queues.owner.recv() => return Some(Event::Owner(request)),
                Some(input) = self.queues.chain.recv() => return Some(Event::Chain(input)),
                Some(input) = self.queues.peers.recv() => return Some(Event::Peer(input)),
                () = tokio::time::sleep(BACKLOG_PAUSE), if backlog => self.outside.flush(),
            }
        }
    }

    /// Adds what else waits, up to each queue's share.
    fn take_waiting(&mut self, batch: &mut Vec<Event>) {
        let queues = &mut self.queues;
        let owner = std::iter::from_fn(|| queues.owner.try_recv().ok()).take(OWNER_SHARE);
        batch.extend(owner.map(Event::Owner));
        let chain = std::iter::from_fn(|| queues.chain.try_recv().ok()).take(CHAIN_SHARE);
        batch.extend(chain.map(Event::Chain));
        let peers = std::iter::from_fn(|| queues.peers.try_recv().ok()).take(PEER_SHARE);
        batch.extend(peers.map(Event::Peer));
    }

    /// One turn: steps, one batch of signatures, one commit, and then the effects and answers.
    fn turn(
        &mut self,
        batch: &mut Vec<Event>,
        held: &mut HeldPayments,
        refusals: &mut HashMap<Address, u32>,
    ) -> Result<(), Fault> {
        let totals = Arc::clone(&self.shared.totals);
        add(&totals.turns);
        let mut answers = Answers::default();
        let mut on_chain = false;
        for event in batch.drain(..) {
            match event {
                Event::Owner(Request::Command(command, answer)) => {
                    if let Command::Pay(pay) = *command {
                        held.push(Held::new(pay, answer));
                    } else {
                        let result = self.step(Input::Command(*command))?;
                        answers.commands.push((answer, result));
                    }
                }
                Event::Owner(Request::Look(look)) => answers.looks.push(look),
                Event::Chain(input) => {
                    on_chain = true;
                    if let Err(rejection) = self.step(input)? {
                        warn!(%rejection, "the core refused what the chain says");
                    }
                }
                Event::Peer(input) => self.step_peer(input, refusals)?,
                Event::Tick => {
                    if let Err(rejection) = self.step(Input::Clock(clock::now()))? {
                        warn!(%rejection, "the core refused the time");
                    }
                }
            }
        }
        // After what peers said: that is what makes room in channels.
        held.offer(
            |pay| self.step(Input::Command(Command::Pay(pay))),
            |answer, result| answers.commands.push((answer, result)),
        )?;
        let draft = self.engine.draft()?;
        if !draft.is_empty() {
            let signatures = self.keys.sign_all(draft.digests());
            let signed = u64::try_from(signatures.len()).unwrap_or_default();
            totals.signed.fetch_add(signed, std::sync::atomic::Ordering::Relaxed);
            let outbox = self.engine.commit(draft, signatures)?;
            add(&totals.commits);
            for action in outbox {
                self.outside.run(action);
            }
        }
        if on_chain {
            self.look_at_channels();
        }
        for (answer, result) in answers.commands {
            // Whoever asked may have gone.
            let _ = answer.send(result);
        }
        for look in answers.looks {
            look(self.engine.machine());
        }
        Ok(())
    }

    /// Outside: the store failed. Inside: a rule is broken.
    fn step(&mut self, input: Input) -> Result<Verdict, Fault> {
        let result = self.engine.step(input)?;
        let totals = &self.shared.totals;
        add(if result.is_ok() { &totals.steps } else { &totals.rejections });
        Ok(result)
    }

    fn step_peer(
        &mut self,
        input: Input,
        refusals: &mut HashMap<Address, u32>,
    ) -> Result<(), Fault> {
        let from = match &input {
            Input::Message(signed) => Some(signed.from),
            Input::Disconnected(account) => {
                self.outside.forget(*account);
                info!(peer = %account, "peer disconnected");
                None
            }
            Input::Connected(_)
            | Input::Command(_)
            | Input::Contract(..)
            | Input::Seen(..)
            | Input::Unseen { .. }
            | Input::Reorganised { .. }
            | Input::Recalled { .. }
            | Input::Block { .. }
            | Input::Clock(_)
            | Input::ChainReachable(_)
            | Input::Submitted { .. } => None,
        };
        let Err(rejection) = self.step(input)? else { return Ok(()) };
        let Some(from) = from else { return Ok(()) };
        debug!(peer = %from, code = rejection.code(), %rejection, "a message was refused");
        let count = refusals.entry(from).or_insert(0_u32);
        *count = count.saturating_add(1);
        if *count == REFUSALS {
            warn!(peer = %from, %rejection, "too many refused messages; the session is dropped");
            self.shared.net.drop_peer(from);
        }
        Ok(())
    }

    /// Tells the workers and the network who our partners are.
    fn look_at_channels(&mut self) {
        let channels = self.engine.machine().channels();
        let open = channels.iter().filter(|c| matches!(c.state, ChannelState::Open)).count();
        self.shared.note_channels(channels.len(), open);
        let accounts = channels.into_iter().map(|channel| channel.partner).collect();
        if self.partners.replace(accounts) {
            self.shared.partners_changed.notify_one();
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::Node;
    use crate::config::{Config, Options};
    use photon_chain::{Account, Network};
    use photon_wire::contract::Parameters;
    use photon_wire::{Address, BlockNumber, Seconds};
    use std::collections::BTreeMap;
    use std::path::Path;
    use std::time::Duration;
    use tokio::time::timeout;

    /// A node on a chain that nobody answers for.
    async fn node(dir: &Path) -> Node {
        let network = Network {
            name: None,
            chain_id: 1,
            contract: Address::repeat_byte(1),
            deploy_block: BlockNumber(0),
            parameters: Parameters {
                least_settle_timeout: Seconds(5),
                greatest_settle_timeout: Seconds(100_000),
                challenge: Seconds(2),
            },
            wrapped_native: None,
            tokens: BTreeMap::new(),
        };
        let file = dir.join("network.toml");
        network.save(&file).unwrap();
        let options = Options::default()
            .set("data_dir", Some(dir.join("node").display()))
            .set("network", Some(file.display()))
            .set("chain.endpoint", Some("http://127.0.0.1:1"))
            .set("net.listen", Some("/ip4/127.0.0.1/tcp/0"))
            .set("api.enabled", Some(false));
        let config = Config::load_with(&options, []).unwrap().config;
        Node::start_as(config, Account::from_bytes(&[7; 32]).unwrap()).await.unwrap()
    }

    #[tokio::test]
    async fn a_pump_that_breaks_off_ends_its_node() {
        let dir = tempfile::tempdir().unwrap();
        let node = node(dir.path()).await;
        let broken = node.handle().look(|_| panic!("on purpose")).await;
        assert!(broken.is_err_and(|error| error.code() == "stopping"));
        let reason = timeout(Duration::from_secs(5), node.stopped()).await.unwrap();
        assert!(reason.is_some_and(|reason| reason.starts_with("a fault in this program")));
        node.shutdown().await;
    }
}
