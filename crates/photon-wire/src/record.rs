//! What a node says of itself to everybody: where it listens, how to seal for it, what it takes.

use crate::claim::{Claim, Domain};
use crate::codec::{Decode, DecodeError, Encode, Reader, put_bytes, put_length};
use crate::limits::{ADDRESS_BYTES, RECORD_ADDRESSES};
use crate::seal::EncryptionKey;
use crate::{Address, Amount, B256, Signature, SignatureError, SigningKey, Timestamp, Verifier};
use alloc::string::String;
use alloc::vec::Vec;
use alloy_primitives::{b256, keccak256};

/// What a mediator takes for forwarding: `base + amount forwarded × parts per million`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct FeeSchedule {
    /// For each payment.
    pub base: Amount,
    /// Of what is forwarded, at most 1,000,000.
    pub parts_per_million: u32,
}

impl FeeSchedule {
    /// The fee for forwarding `amount`; none on overflow.
    pub fn fee(&self, amount: Amount) -> Option<Amount> {
        self.base.checked_add(amount.parts_per_million(self.parts_per_million)?)
    }
}

impl Encode for FeeSchedule {
    fn encode(&self, out: &mut Vec<u8>) {
        self.base.encode(out);
        self.parts_per_million.encode(out);
    }
}

impl Decode for FeeSchedule {
    fn decode(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let schedule =
            Self { base: Amount::decode(input)?, parts_per_million: u32::decode(input)? };
        if schedule.parts_per_million > 1_000_000 {
            return Err(DecodeError::Range("parts per million"));
        }
        Ok(schedule)
    }
}

/// A node's statement about itself, passed on by everybody.
///
/// Shape: `NodeRecord(address account,bytes32 encryptionKey,bytes32 contents)` signed by the
/// account, where `contents` is the keccak-256 of the encoding without the signature.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NodeRecord {
    /// Who speaks.
    pub account: Address,
    /// Payments to the account are sealed to this key.
    pub encryption_key: EncryptionKey,
    /// Where it listens, as multiaddresses.
    pub addresses: Vec<String>,
    /// What it takes for forwarding.
    pub fees: FeeSchedule,
    /// When it was made; a later record replaces an earlier one.
    pub issued: Timestamp,
    /// The last second at which it counts.
    pub valid_until: Timestamp,
    /// Of the account.
    pub signature: Signature,
}

impl NodeRecord {
    /// Bytes of the shortest record.
    pub const LEAST_BYTES: usize = 155;

    /// Makes a record of `key`'s account.
    pub fn sign(mut self, key: &SigningKey, domain: &Domain) -> Self {
        self.account = key.address();
        self.signature = key.sign(self.digest(domain));
        self
    }

    /// Checks that the account made it.
    ///
    /// # Errors
    /// It is not the account's signature.
    pub fn verify(&self, verifier: &Verifier, domain: &Domain) -> Result<(), SignatureError> {
        if verifier.signer(self.digest(domain), &self.signature)? == self.account {
            Ok(())
        } else {
            Err(SignatureError::NoSigner)
        }
    }

    fn encode_contents(&self, out: &mut Vec<u8>) {
        self.account.encode(out);
        self.encryption_key.encode(out);
        put_length(out, self.addresses.len());
        self.addresses.iter().for_each(|address| put_bytes(out, address.as_bytes()));
        self.fees.encode(out);
        self.issued.encode(out);
        self.valid_until.encode(out);
    }
}

impl Claim for NodeRecord {
    fn struct_hash(&self) -> B256 {
        const TYPE: B256 =
            b256!("180190f0734ba8113799d5378e5740595493eb387d1404bf87f73877471e86c4");
        let mut contents = Vec::new();
        self.encode_contents(&mut contents);
        let mut words = TYPE.to_vec();
        words.extend_from_slice(self.account.into_word().as_slice());
        words.extend_from_slice(&self.encryption_key.0);
        words.extend_from_slice(keccak256(contents).as_slice());
        keccak256(words)
    }
}

impl Encode for NodeRecord {
    fn encode(&self, out: &mut Vec<u8>) {
        self.encode_contents(out);
        self.signature.encode(out);
    }
}

impl Decode for NodeRecord {
    fn decode(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let account = Address::decode(input)?;
        let encryption_key = EncryptionKey::decode(input)?;
        let count = input.length(RECORD_ADDRESSES, 2)?;
        let mut addresses = Vec::with_capacity(count);
        for _ in 0..count {
            addresses.push(input.text(ADDRESS_BYTES)?);
        }
        Ok(Self {
            account,
            encryption_key,
            addresses,
            fees: FeeSchedule::decode(input)?,
            issued: Timestamp::decode(input)?,
            valid_until: Timestamp::decode(input)?,
            signature: Signature::decode(input)?,
        })
    }
}
