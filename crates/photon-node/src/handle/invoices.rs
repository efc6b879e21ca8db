//! Requests for payments.

use super::{NodeHandle, RequestError};
use crate::clock;
use crate::sealing::random;
use photon_core::record::InvoiceRecord;
use photon_core::{Command, Rejection};
use photon_wire::invoice::Invoice;
use photon_wire::limits::DESCRIPTION_BYTES;
use photon_wire::{Address, Amount, Seconds, Secret, SecretHash, Signature, Token, Verifier};

/// How long an invoice is valid that does not say.
const USUAL: Seconds = Seconds(3_600);
/// The longest that one may be: ten years.
const LONGEST: Seconds = Seconds(10 * 365 * 24 * 3_600);

/// An invoice to make.
#[derive(Clone, Debug)]
pub struct InvoiceRequest {
    /// The token asked for.
    pub token: Token,
    /// How much; none leaves it to the payer.
    pub amount: Option<Amount>,
    /// For people.
    pub description: String,
    /// How long it is valid; none: an hour.
    pub valid_for: Option<Seconds>,
    /// Of a secret that the owner keeps; none: the node draws one.
    pub secret_hash: Option<SecretHash>,
}

pub(super) async fn create(
    handle: &NodeHandle,
    request: InvoiceRequest,
) -> Result<Invoice, RequestError> {
    let InvoiceRequest { token, amount, description, valid_for, secret_hash } = request;
    if description.len() > DESCRIPTION_BYTES {
        let (length, limit) = (description.len(), DESCRIPTION_BYTES);
        return Err(RequestError::DescriptionTooLong { length, limit });
    }
    if let Some(amount) = amount.filter(|amount| amount.is_zero() || *amount > Amount::MAX_DEPOSIT)
    {
        return Err(Rejection::BadAmount { amount }.into());
    }
    if token.0 == Address::ZERO {
        return Err(RequestError::NotAToken { token });
    }
    let now = handle.look(|machine| machine.now()).await?.max(clock::now());
    let length = valid_for.unwrap_or(USUAL);
    let expires = now.after(length);
    let (least, most) = (now.after(Seconds(1)), now.after(LONGEST));
    if expires < least || expires > most {
        return Err(RequestError::ExpiryOutOfBounds { expires, least, most });
    }
    let shared = &handle.shared;
    let secret = secret_hash.is_none().then(|| Secret(random()));
    let hash = secret.as_ref().map(Secret::hash).or(secret_hash);
    let hash = hash.expect("either was given, or drawn just now");
    let invoice = Invoice {
        chain_id: shared.domain.chain_id(),
        contract: shared.domain.contract(),
        token,
        target: shared.keys.account(),
        amount,
        secret_hash: hash,
        encryption_key: shared.keys.opening().public(),
        issued: now,
        expires,
        description,
        signature: Signature([0; 65]),
    }
    .sign(shared.keys.signing());
    handle.pump.command(Command::AddInvoice { invoice: invoice.clone(), secret }).await?;
    Ok(invoice)
}

pub(super) fn decode(text: &str) -> Result<Invoice, RequestError> {
    Ok(Invoice::from_text(text, &Verifier::new())?)
}

pub(super) async fn of(
    handle: &NodeHandle,
    secret_hash: SecretHash,
) -> Result<InvoiceRecord, RequestError> {
    let found = handle.shared.history.invoice(secret_hash);
    found
        .map_err(|fault| RequestError::Store(fault.to_string()))?
        .ok_or(RequestError::UnknownInvoice { secret_hash })
}
