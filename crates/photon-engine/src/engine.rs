use crate::draft::Draft;
use crate::fault::Fault;
use crate::history::History;
use crate::last::LastCommit;
use crate::load;
use crate::migrate;
use crate::outbox::{Action, Gathered, Outbox};
use crate::outgoing::Outgoing;
use crate::rows::Writer;
use crate::store::{Batch, Store};
use crate::tables::{self, record, value};
use photon_core::record::PaymentRecord;
use photon_core::{Answer, Command, Config, Effect, Input, Machine, PayCommand, Rejection, Turn};
use photon_wire::codec::Encode;
use photon_wire::message::Message;
use photon_wire::{Address, ChannelId, Nonce, PaymentId, SecretHash, Signature};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

/// A machine whose every word is durable before it is said.
///
/// A turn is: [`Engine::step`] for all that waits, [`Engine::draft`], sign its digests,
/// [`Engine::commit`], run the outbox. Between a draft and its commit nothing else is possible.
/// After a fault of `commit` memory may be ahead of the disk: everything is refused until the
/// store is opened anew.
pub struct Engine {
    machine: Machine,
    store: Arc<Store>,
    outgoing: Outgoing,
    /// The payments that are pending in the store.
    pending: BTreeSet<PaymentId>,
    last: LastCommit,
    commits: u64,
    standing: Standing,
    drafts: u64,
}

/// What may come next.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Standing {
    Ready,
    Drafted(u64),
    Poisoned,
}

impl Engine {
    /// Opens the store in this directory, or makes it, and restores the machine from it. Nothing
    /// leaves by itself; the caller submits the machine's intents again.
    ///
    /// # Errors
    /// The store is in use, damaged, of a newer format, or not this account's on this network.
    pub fn open(path: &Path, config: Config) -> Result<Self, Fault> {
        let store = Store::open(&path.join("rows"))?;
        migrate::prepare(&store, &config)?;
        let (mut last, remembered) = LastCommit::open(&path.join("last-commit"))?;
        let commits = commits(&store)?;
        if let Some(remembered) = remembered.filter(|remembered| *remembered > commits) {
            return Err(Fault::Stale { path: path.into(), stored: commits, remembered });
        }
        last.remember(commits).map_err(|error| Fault::io(path.into(), "written", error))?;
        let view = store.view();
        let snapshot = load::snapshot(&view)?;
        let outgoing = Outgoing::load(&view, &snapshot.channels)?;
        drop(view);
        let pending = snapshot.payments.iter().map(|payment| payment.id).collect();
        Ok(Self {
            machine: Machine::restore(config, snapshot),
            store: Arc::new(store),
            outgoing,
            pending,
            last,
            commits,
            standing: Standing::Ready,
            drafts: 0,
        })
    }

    /// Takes one input, in memory. What it leads to is in the next [`Engine::draft`]; the answer
    /// may be given to whoever asked only when that is committed.
    ///
    /// # Errors
    /// Outside: the store, nothing has changed. Inside: a rule is broken, nothing has changed.
    pub fn step(&mut self, input: Input) -> Result<Result<Answer, Rejection>, Fault> {
        match self.standing {
            Standing::Ready => {}
            Standing::Drafted(expected) => {
                return Err(self.poison(Fault::LostDraft { expected, got: self.drafts }));
            }
            Standing::Poisoned => return Err(Fault::Poisoned),
        }
        if let Input::Command(command) = &input
            && let Some(answer) = self.known(command)?
        {
            return Ok(answer);
        }
        Ok(self.machine.step(input))
    }

    /// The answer to a command about something that the machine no longer knows, because it has
    /// ended: only the store remembers.
    fn known(&self, command: &Command) -> Result<Option<Result<Answer, Rejection>>, Fault> {
        match command {
            Command::Pay(pay) => {
                if let Some(known) = self.known_payment(pay.payment)? {
                    return Ok(Some(same_payment(&known, pay)));
                }
                let paid = self.payment_of(pay.invoice)?;
                Ok(paid.map(|payment| Err(Rejection::PaymentExists { payment })))
            }
            Command::AddInvoice { invoice, .. } => {
                let known = self.knows_invoice(invoice.secret_hash)?;
                Ok(known.then_some(Err(Rejection::InvoiceExists)))
            }
            Command::OpenChannel { .. }
            | Command::Deposit { .. }
            | Command::CloseChannel(_)
            | Command::SettleChannel(_)
            | Command::Withdraw { .. }
            | Command::SettleCooperatively { .. }
            | Command::CancelSettle(_)
            | Command::ReleaseInvoice(_)
            | Command::CancelInvoice(_)
            | Command::SetFees { .. }
            | Command::AddRecords(_) => Ok(None),
        }
    }

    fn known_payment(&self, id: PaymentId) -> Result<Option<PaymentRecord>, Fault> {
        if self.machine.payment(id).is_some() {
            return Ok(None);
        }
        // Still pending in the store: it has ended within this turn.
        let ended_now = self.pending.contains(&id);
        let key =
            if ended_now { tables::pending_payment(id) } else { tables::finished_payment(id) };
        self.store.read(&key)?.map(|bytes| record(&key, &bytes)).transpose()
    }

    /// The payment that paid this invoice of somebody else.
    ///
    /// A-B-C: A pays C's invoice a second time. B knows the secret from the first time, keeps the
    /// second payment, and C never sees it.
    fn payment_of(&self, invoice: Option<SecretHash>) -> Result<Option<PaymentId>, Fault> {
        let Some(hash) = invoice else { return Ok(None) };
        let key = tables::settled_invoice(hash);
        self.store.read(&key)?.map(|bytes| record(&key, &bytes)).transpose()
    }

    /// Whether there was ever an invoice of this hash: its secret is out once it is paid.
    fn knows_invoice(&self, hash: SecretHash) -> Result<bool, Fault> {
        for key in [tables::paid_invoice(hash), tables::unpaid_invoice(hash)] {
            if self.store.read(&key)?.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Closes the turn. Unless it is empty, it has to be committed next.
    ///
    /// # Errors
    /// An earlier commit failed, or an earlier draft was never committed.
    pub fn draft(&mut self) -> Result<Draft, Fault> {
        match self.standing {
            Standing::Ready => {}
            Standing::Drafted(expected) => {
                return Err(self.poison(Fault::LostDraft { expected, got: self.drafts }));
            }
            Standing::Poisoned => return Err(Fault::Poisoned),
        }
        let Turn { changes, effects } = self.machine.turn();
        self.drafts = self.drafts.saturating_add(1);
        let draft = Draft::new(self.drafts, self.machine.config(), changes, effects);
        if !draft.is_empty() {
            self.standing = Standing::Drafted(self.drafts);
        }
        Ok(draft)
    }

    /// Makes a draft durable, with one sync, and releases what may leave then. The signatures are
    /// our account's, of [`Draft::digests`], in their order.
    ///
    /// # Errors
    /// The store cannot be written. Nothing may leave, and this engine does nothing any more.
    pub fn commit(&mut self, draft: Draft, signatures: Vec<Signature>) -> Result<Outbox, Fault> {
        let result = self.check_draft(&draft, &signatures);
        let result = result.and_then(|()| self.store_draft(draft, signatures));
        match result {
            Ok(outbox) => {
                self.standing = Standing::Ready;
                Ok(outbox)
            }
            Err(fault) => Err(self.poison(fault)),
        }
    }

    fn check_draft(&self, draft: &Draft, signatures: &[Signature]) -> Result<(), Fault> {
        let (expected, got) = (self.drafts, draft.number);
        match self.standing {
            Standing::Poisoned => return Err(Fault::Poisoned),
            Standing::Drafted(waiting) if waiting == got => {}
            Standing::Ready if draft.is_empty() && expected == got => {}
            Standing::Drafted(_) | Standing::Ready => {
                return Err(Fault::LostDraft { expected, got });
            }
        }
        let (expected, got) = (draft.digests.len(), signatures.len());
        if expected == got { Ok(()) } else { Err(Fault::Signatures { expected, got }) }
    }

    fn store_draft(&mut self, draft: Draft, signatures: Vec<Signature>) -> Result<Outbox, Fault> {
        let store = Arc::clone(&self.store);
        let mut writer = Writer {
            store: &store,
            outgoing: &mut self.outgoing,
            pending: &mut self.pending,
            batch: Batch::default(),
            account: self.machine.config().account,
        };
        draft.changes.into_iter().try_for_each(|change| writer.change(change))?;
        let recalls = recalls(&draft.effects);
        let gathered = gather(&mut writer, draft.effects, signatures)?;
        let mut batch = writer.batch;
        if !batch.is_empty() {
            self.commits = self.commits.saturating_add(1);
            batch.put(tables::commits(), value(&self.commits));
            store.commit(batch)?;
            let fault = |error| Fault::io(store.path().into(), "written", error);
            self.last.remember(self.commits).map_err(fault)?;
        }
        for (channel, after) in recalls {
            let recollection = Box::new(load::recollection(&store.view(), channel, after)?);
            // What it leads to is in the next draft.
            let answer = self.machine.step(Input::Recalled { channel, recollection });
            answer.expect("what the store recalls breaks no rule");
        }
        Ok(gathered.release())
    }

    fn poison(&mut self, fault: Fault) -> Fault {
        self.standing = Standing::Poisoned;
        fault
    }

    /// The state, to be asked.
    pub const fn machine(&self) -> &Machine {
        &self.machine
    }

    /// What is past, for any thread.
    pub fn history(&self) -> History {
        History::new(&self.store)
    }

    #[cfg(test)]
    pub(crate) fn store(&self) -> &Store {
        &self.store
    }
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Engine")
            .field("path", &self.store.path())
            .field("commits", &self.commits)
            .field("standing", &self.standing)
            .finish_non_exhaustive()
    }
}

/// The same question as the machine asks of a payment that is still pending.
fn same_payment(known: &PaymentRecord, pay: &PayCommand) -> Result<Answer, Rejection> {
    if known.target == pay.target && known.invoice == pay.invoice {
        Ok(Answer::Payment(known.id))
    } else {
        Err(Rejection::PaymentExists { payment: known.id })
    }
}

fn commits(store: &Store) -> Result<u64, Fault> {
    let key = tables::commits();
    store.read(&key)?.map_or(Ok(0), |bytes| record(&key, &bytes))
}

/// Turns effects into actions; signed updates become rows on the way.
fn gather(
    writer: &mut Writer<'_>,
    effects: Vec<Effect>,
    signatures: Vec<Signature>,
) -> Result<Gathered, Fault> {
    let mut gathered = Gathered::default();
    let mut missed = missed(&effects);
    let mut signatures = signatures.into_iter();
    let mut next = || signatures.next().expect("signatures were counted against the digests");
    for effect in effects {
        match effect {
            Effect::SendUpdate { to, mut update } => {
                update.signature = next();
                gathered.send(to, writer.update(update));
            }
            Effect::SendDispose { to, mut dispose } => {
                dispose.signature = next();
                gathered.send(to, Message::Dispose(dispose).to_bytes());
            }
            Effect::SendAgreeWithdraw { to, mut agree } => {
                agree.signature = next();
                gathered.send(to, Message::AgreeWithdraw(agree).to_bytes());
            }
            Effect::SendAgreeSettle { to, mut agree } => {
                agree.signature = next();
                gathered.send(to, Message::AgreeSettle(agree).to_bytes());
            }
            Effect::Send { to, message } => gathered.send(to, message.to_bytes()),
            // Answered once this turn is stored.
            Effect::Recall { .. } => {}
            Effect::Resend { to, channel, .. } => {
                if let Some(after) = missed.remove(&(to, channel)) {
                    resend(writer, &mut gathered, to, channel, after)?;
                }
            }
            Effect::Submit(intent) => gathered.add(Action::Submit(Box::new(intent))),
            Effect::Notify(number, notice) => gathered.add(Action::Notify { number, notice }),
        }
    }
    Ok(gathered)
}

/// What the machine wants to know of the store.
fn recalls(effects: &[Effect]) -> Vec<(ChannelId, Nonce)> {
    let recalls = effects.iter().filter_map(|effect| match effect {
        Effect::Recall { channel, after } => Some((*channel, *after)),
        Effect::SendUpdate { .. }
        | Effect::SendDispose { .. }
        | Effect::SendAgreeWithdraw { .. }
        | Effect::SendAgreeSettle { .. }
        | Effect::Send { .. }
        | Effect::Resend { .. }
        | Effect::Submit(_)
        | Effect::Notify(..) => None,
    });
    recalls.collect()
}

/// What each partner misses in each channel. A-B: A asks 500 times within one turn, with a few
/// bytes each, and B must not gather 500 times what A never acknowledged.
fn missed(effects: &[Effect]) -> BTreeMap<(Address, ChannelId), Nonce> {
    let mut missed = BTreeMap::new();
    for effect in effects {
        if let Effect::Resend { to, channel, after } = effect {
            let least = missed.entry((*to, *channel)).or_insert(*after);
            *least = (*least).min(*after);
        }
    }
    missed
}

/// The stored updates after a nonce, byte for byte as they were first sent. The machine asks for
/// them before it closes the turn's own updates, so all of them are in the store.
fn resend(
    writer: &Writer<'_>,
    gathered: &mut Gathered,
    to: Address,
    channel: ChannelId,
    after: Nonce,
) -> Result<(), Fault> {
    for nonce in writer.outgoing.after(channel, after) {
        let key = tables::update(channel, nonce);
        let row = writer.store.read(&key)?.ok_or(Fault::MissingUpdate { channel, nonce })?;
        gathered.send(to, tables::contents(&key, &row)?.to_vec());
    }
    Ok(())
}
