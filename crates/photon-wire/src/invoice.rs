//! A request for a payment, as a text that can be sent, printed or scanned; paying it gives the
//! payer the secret, which proves the payment.

use crate::claim::{Claim, Domain};
use crate::codec::{Decode, DecodeError, Encode, Reader, put_bytes};
use crate::limits::DESCRIPTION_BYTES;
use crate::seal::EncryptionKey;
use crate::{Address, Amount, B256, SecretHash, Signature, SigningKey, Timestamp, Token, Verifier};
use alloc::string::String;
use alloc::vec::Vec;
use alloy_primitives::{b256, keccak256};
use bech32::{Bech32m, Hrp};
use core::fmt;

const PREFIX: Hrp = Hrp::parse_unchecked("photon");

/// A request for a payment, signed by the target. A text of it starts with `photon1`.
///
/// Shape: `Invoice(bytes32 contents)` signed by the target, where `contents` is the keccak-256 of
/// the encoding without the signature.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Invoice {
    /// The chain's id.
    pub chain_id: u64,
    /// The contract.
    pub contract: Address,
    /// The token asked for.
    pub token: Token,
    /// Who is to be paid.
    pub target: Address,
    /// How much; none leaves it to the payer.
    pub amount: Option<Amount>,
    /// Of the secret that the target shows when it is paid.
    pub secret_hash: SecretHash,
    /// The payment is sealed to this key.
    pub encryption_key: EncryptionKey,
    /// When it was made.
    pub issued: Timestamp,
    /// The last second at which the target takes the payment.
    pub expires: Timestamp,
    /// For people.
    pub description: String,
    /// Of the target.
    pub signature: Signature,
}

/// Why a text is no invoice.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum InvoiceError {
    /// The text is no bech32m with the prefix `photon`, or mistyped.
    Text,
    /// What is inside does not decode.
    Contents(DecodeError),
    /// The target did not sign it.
    Signature,
}

impl fmt::Display for InvoiceError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text => out.write_str("this is no invoice, or it was mistyped or cut"),
            Self::Contents(error) => write!(out, "the invoice cannot be read: {error}"),
            Self::Signature => out.write_str("the invoice was not signed by its target"),
        }
    }
}

impl core::error::Error for InvoiceError {}

impl Invoice {
    /// Signs it as `key`'s account.
    pub fn sign(mut self, key: &SigningKey) -> Self {
        self.target = key.address();
        self.signature = key.sign(self.digest(&self.domain()));
        self
    }

    /// The network that it is for.
    pub fn domain(&self) -> Domain {
        Domain::new(self.chain_id, self.contract)
    }

    /// The text that starts with `photon1`.
    pub fn to_text(&self) -> String {
        bech32::encode::<Bech32m>(PREFIX, &self.to_bytes())
            .expect("the limit of the description keeps an invoice below bech32's length")
    }

    /// Reads a text, in either case, and checks the target's signature.
    ///
    /// # Errors
    /// It is no invoice; see [`InvoiceError`].
    pub fn from_text(text: &str, verifier: &Verifier) -> Result<Self, InvoiceError> {
        let checked = bech32::primitives::decode::CheckedHrpstring::new::<Bech32m>(text.trim())
            .map_err(|_| InvoiceError::Text)?;
        if checked.hrp() != PREFIX {
            return Err(InvoiceError::Text);
        }
        let bytes: Vec<u8> = checked.byte_iter().collect();
        let invoice = Self::from_bytes(&bytes).map_err(InvoiceError::Contents)?;
        let digest = invoice.digest(&invoice.domain());
        match verifier.signer(digest, &invoice.signature) {
            Ok(signer) if signer == invoice.target => Ok(invoice),
            Ok(_) | Err(_) => Err(InvoiceError::Signature),
        }
    }

    fn encode_contents(&self, out: &mut Vec<u8>) {
        self.chain_id.encode(out);
        self.contract.encode(out);
        self.token.encode(out);
        self.target.encode(out);
        self.amount.encode(out);
        self.secret_hash.encode(out);
        self.encryption_key.encode(out);
        self.issued.encode(out);
        self.expires.encode(out);
        put_bytes(out, self.description.as_bytes());
    }
}

impl Claim for Invoice {
    fn struct_hash(&self) -> B256 {
        const TYPE: B256 =
            b256!("d1c10186a4881cbcf6978fc542a7eda71ea8768ce70863b853e372e468f45b38");
        let mut contents = Vec::new();
        self.encode_contents(&mut contents);
        let mut words = TYPE.to_vec();
        words.extend_from_slice(keccak256(contents).as_slice());
        keccak256(words)
    }
}

impl Encode for Invoice {
    fn encode(&self, out: &mut Vec<u8>) {
        self.encode_contents(out);
        self.signature.encode(out);
    }
}

impl Decode for Invoice {
    fn decode(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            chain_id: u64::decode(input)?,
            contract: Address::decode(input)?,
            token: Token::decode(input)?,
            target: Address::decode(input)?,
            amount: Option::decode(input)?,
            secret_hash: SecretHash::decode(input)?,
            encryption_key: EncryptionKey::decode(input)?,
            issued: Timestamp::decode(input)?,
            expires: Timestamp::decode(input)?,
            description: input.text(DESCRIPTION_BYTES)?,
            signature: Signature::decode(input)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn invoice() -> Invoice {
        let key = SigningKey::from_bytes(&[1; 32]).unwrap();
        Invoice {
            chain_id: 1337,
            contract: Address::repeat_byte(2),
            token: Token(Address::repeat_byte(3)),
            target: Address::ZERO,
            amount: Some(Amount(20)),
            secret_hash: SecretHash(B256::repeat_byte(4)),
            encryption_key: EncryptionKey([5; 32]),
            issued: Timestamp(6),
            expires: Timestamp(7),
            description: "x".repeat(DESCRIPTION_BYTES),
            signature: Signature([0; 65]),
        }
        .sign(&key)
    }

    #[test]
    fn an_invoice_survives_its_text_in_either_case() {
        let verifier = Verifier::new();
        let text = invoice().to_text();
        assert!(text.starts_with("photon1"));
        assert_eq!(Invoice::from_text(&text, &verifier), Ok(invoice()));
        assert_eq!(Invoice::from_text(&text.to_uppercase(), &verifier), Ok(invoice()));
    }

    #[test]
    fn a_mistyped_or_forged_invoice_is_refused() {
        let verifier = Verifier::new();
        let text = invoice().to_text();
        let mistyped = text.replacen("qqqq", "qqqp", 1);
        assert_eq!(Invoice::from_text(&mistyped, &verifier), Err(InvoiceError::Text));
        assert_eq!(Invoice::from_text("", &verifier), Err(InvoiceError::Text));
        let forged = Invoice { amount: Some(Amount(21)), ..invoice() }.to_text();
        assert_eq!(Invoice::from_text(&forged, &verifier), Err(InvoiceError::Signature));
    }
}
