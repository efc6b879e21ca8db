//! Paying: what is drawn by lot, sealed and checked before the core hears of it.

use super::{NodeHandle, Payment, RequestError, invoices, is_over};
use crate::sealing::random;
use photon_core::view::Target;
use photon_core::{Answer, Attempt, Command, PayCommand, Rejection};
use photon_wire::limits::NOTE_BYTES;
use photon_wire::seal::EncryptionKey;
use photon_wire::{Address, Amount, PaymentId, SecretHash};
use sha2::{Digest as _, Sha256};
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::time::timeout;

/// Routes that one payment may try; a partner is reached by one.
const ATTEMPTS: usize = 3;
/// Bytes of an idempotency key.
const KEY_BYTES: usize = 128;

/// A payment to make.
#[derive(Clone, Debug)]
pub struct PayRequest {
    /// Who, in what, how much.
    pub payee: Payee,
    /// The most that mediators may take in all; none: [`NodeHandle::usual_max_fee`].
    pub max_fee: Option<Amount>,
    /// Whatever the payer wants to say, at most [`NOTE_BYTES`] bytes.
    pub note: Vec<u8>,
    /// The payer's own name for the payment; none: a fresh one, so that nothing is repeated.
    pub idempotency_key: Option<String>,
    /// Which ways are allowed.
    pub way: PayWay,
    /// How long to wait for the end; none does not wait.
    pub wait: Option<Duration>,
}

/// Who is paid.
#[derive(Clone, Debug)]
pub enum Payee {
    /// An account, of its own accord.
    Account(Target),
    /// Whoever made this invoice.
    Invoice {
        /// The text that starts with `photon1`.
        text: String,
        /// Where the invoice leaves the amount open; where it does not, none or the same.
        amount: Option<Amount>,
    },
}

/// Which ways a payment may go.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum PayWay {
    /// Direct to a partner, else by the best route.
    #[default]
    Any,
    /// Only direct.
    Direct,
    /// Only with a lock, even to a partner: gives a proof of payment.
    Locked,
}

/// A payee whose invoice, if there is one, is in order.
struct Checked {
    target: Target,
    invoice: Option<(SecretHash, EncryptionKey)>,
}

pub(super) async fn pay(handle: &NodeHandle, request: PayRequest) -> Result<Payment, RequestError> {
    let PayRequest { payee, max_fee, note, idempotency_key, way, wait } = request;
    if note.len() > NOTE_BYTES {
        return Err(Rejection::NoteTooLong { length: note.len() }.into());
    }
    let payment = name(idempotency_key.as_deref())?;
    let Checked { target, invoice } = check(handle, payee).await?;
    if way == PayWay::Direct && invoice.is_some() {
        // Only a lock gives the payer the secret that the invoice promises.
        return Err(Rejection::NoRoute { target: target.account }.into());
    }
    let attempts = attempts(handle, payment, target, invoice, way, &note).await?;
    let command = Command::Pay(PayCommand {
        payment,
        target,
        max_fee: max_fee.unwrap_or_else(|| handle.usual_max_fee(target.amount)),
        note,
        invoice: invoice.map(|(secret_hash, _)| secret_hash),
        locked: way == PayWay::Locked,
        attempts,
    });
    let end = wait.map(|wait| (wait, handle.shared.payments.end_of(payment)));
    let answered = handle.pump.command(command).await;
    let payment = match answered {
        Ok(Answer::Payment(payment)) => payment,
        Ok(Answer::Done | Answer::Intent(_) | Answer::Channel(..)) => payment,
        Err(error) => {
            drop(end);
            handle.shared.payments.forget(payment);
            return Err(error);
        }
    };
    let record = self::payment(handle, payment).await?;
    match end {
        Some((wait, end)) if !is_over(&record) => Ok(until(handle, record, end, wait).await),
        Some((_, end)) => {
            drop(end);
            handle.shared.payments.forget(payment);
            Ok(record)
        }
        None => Ok(record),
    }
}

pub(super) async fn payment(
    handle: &NodeHandle,
    payment: PaymentId,
) -> Result<Payment, RequestError> {
    let found = handle.shared.history.payment(payment);
    found
        .map_err(|fault| RequestError::Store(fault.to_string()))?
        .ok_or(RequestError::UnknownPayment { payment })
}

pub(super) async fn wait(
    handle: &NodeHandle,
    payment: PaymentId,
    wait: Duration,
) -> Result<Payment, RequestError> {
    let end = handle.shared.payments.end_of(payment);
    match self::payment(handle, payment).await {
        Ok(record) if !is_over(&record) => Ok(until(handle, record, end, wait).await),
        over => {
            drop(end);
            handle.shared.payments.forget(payment);
            over
        }
    }
}

/// Waits until a payment is over, or the time is, or the node stops, which ends no payment. Answers
/// how it stands then, or stood where nobody can be asked any more.
async fn until(
    handle: &NodeHandle,
    begun: Payment,
    end: oneshot::Receiver<()>,
    wait: Duration,
) -> Payment {
    tokio::select! {
        _ = timeout(wait, end) => {}
        () = handle.shared.stop.cancelled() => {}
    }
    handle.shared.payments.forget(begun.id);
    self::payment(handle, begun.id).await.unwrap_or(begun)
}

/// The first 16 bytes of the SHA-256 of the payer's key, or a name drawn by lot.
fn name(key: Option<&str>) -> Result<PaymentId, RequestError> {
    let Some(key) = key else { return Ok(PaymentId(random())) };
    if key.is_empty() || key.len() > KEY_BYTES {
        return Err(RequestError::BadIdempotencyKey { length: key.len(), limit: KEY_BYTES });
    }
    let hash: [u8; 32] = Sha256::digest(key).into();
    let (front, _) = hash.split_first_chunk::<16>().expect("32 bytes begin with 16");
    Ok(PaymentId(*front))
}

async fn check(handle: &NodeHandle, payee: Payee) -> Result<Checked, RequestError> {
    let (text, amount) = match payee {
        Payee::Account(target) => return Ok(Checked { target, invoice: None }),
        Payee::Invoice { text, amount } => (text, amount),
    };
    let invoice = invoices::decode(&text)?;
    let shared = &handle.shared;
    if invoice.domain() != shared.domain {
        let (chain_id, contract) = (invoice.chain_id, invoice.contract);
        return Err(RequestError::InvoiceForeign { chain_id, contract });
    }
    if invoice.target == shared.keys.account() {
        return Err(RequestError::InvoiceOwn);
    }
    // By the later of our time and the chain's, as its target will see it.
    if handle.look(|machine| machine.now()).await?.max(crate::clock::now()) > invoice.expires {
        return Err(Rejection::InvoiceExpired { expired: invoice.expires }.into());
    }
    let amount = match (invoice.amount, amount) {
        (Some(expected), Some(got)) if expected != got => {
            return Err(RequestError::InvoiceAmount { expected, got });
        }
        (Some(amount), _) | (None, Some(amount)) => amount,
        (None, None) => return Err(RequestError::AmountMissing),
    };
    let target = Target { token: invoice.token, account: invoice.target, amount };
    Ok(Checked { target, invoice: Some((invoice.secret_hash, invoice.encryption_key)) })
}

/// What the core may try, first to last; none where the payment can only be direct.
async fn attempts(
    handle: &NodeHandle,
    payment: PaymentId,
    target: Target,
    invoice: Option<(SecretHash, EncryptionKey)>,
    way: PayWay,
    note: &[u8],
) -> Result<Vec<Attempt>, RequestError> {
    let sealer = &handle.shared.sealer;
    let unknown = |_| Rejection::UnknownTarget { target: target.account };
    if let Some((secret_hash, key)) = invoice {
        let attempt = sealer.invoiced(key, payment, target.amount, note, secret_hash);
        return Ok(vec![attempt.map_err(unknown)?]);
    }
    if way == PayWay::Direct {
        return Ok(Vec::new());
    }
    let Some(key) = key_of(handle, target.account).await? else {
        if way == PayWay::Locked {
            return Err(Rejection::UnknownTarget { target: target.account }.into());
        }
        return Ok(Vec::new());
    };
    let attempt = |_| sealer.attempt(key, payment, target.amount, note).map_err(unknown);
    let partner = handle.shared.partners.contains(&target.account);
    let count = if partner { 1 } else { ATTEMPTS };
    Ok((0..count).map(attempt).collect::<Result<_, _>>()?)
}

/// What payments to this account are sealed to; none where nobody has told us.
async fn key_of(
    handle: &NodeHandle,
    account: Address,
) -> Result<Option<EncryptionKey>, RequestError> {
    let sealer = &handle.shared.sealer;
    if let Some(key) = sealer.key_of(&account) {
        return Ok(Some(key));
    }
    let look = move |machine: &photon_core::Machine| {
        machine.node_record(account).map(|record| record.encryption_key)
    };
    let key = handle.look(look).await?;
    if let Some(key) = key {
        sealer.note_key(account, key);
    }
    Ok(key)
}
