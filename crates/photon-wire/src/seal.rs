//! Encryption for one reader: HPKE (RFC 9180) agrees on a key once, and each payment then costs
//! one pass of ChaCha20-Poly1305 and no curve arithmetic.

use crate::codec::{Decode, DecodeError, Encode, Reader, put_bytes};
use crate::limits::ONWARD_BYTES;
use alloc::vec::Vec;
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{ChaCha20Poly1305, Nonce};
use core::fmt;
use hpke::aead::ChaCha20Poly1305 as HpkeAead;
use hpke::kdf::HkdfSha256;
use hpke::kem::X25519HkdfSha256;
use hpke::rand_core::CryptoRng;
use hpke::{Deserializable, Kem, OpModeR, OpModeS, Serializable};
use zeroize::Zeroizing;

const PURPOSE: &[u8] = b"photon payment 1";

type PrivateKey = <X25519HkdfSha256 as Kem>::PrivateKey;

/// An X25519 public key, to which payments are sealed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct EncryptionKey(pub [u8; 32]);

impl Encode for EncryptionKey {
    fn encode(&self, out: &mut Vec<u8>) {
        self.0.encode(out);
    }
}

impl Decode for EncryptionKey {
    fn decode(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        input.array().map(Self)
    }
}

/// Sealed bytes do not open, or cannot be made.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SealError;

impl fmt::Display for SealError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("the sealed part is not for this key, or was changed")
    }
}

impl core::error::Error for SealError {}

/// The key that sealer and opener share; `encapsulated` lets the opener find it.
#[derive(Clone)]
pub struct SharedKey {
    encapsulated: [u8; 32],
    cipher: ChaCha20Poly1305,
}

impl fmt::Debug for SharedKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("SharedKey(..)")
    }
}

impl SharedKey {
    fn new(encapsulated: [u8; 32], key: &[u8; 32]) -> Self {
        Self { encapsulated, cipher: ChaCha20Poly1305::new(&(*key).into()) }
    }

    /// Agrees on a new key with the reader. Make a new one every few thousand seals: one key
    /// shows mediators that its payments have the same initiator.
    ///
    /// # Errors
    /// `reader` is no valid key.
    pub fn agree(reader: &EncryptionKey, random: &mut impl CryptoRng) -> Result<Self, SealError> {
        let public =
            <X25519HkdfSha256 as Kem>::PublicKey::from_bytes(&reader.0).map_err(|_| SealError)?;
        let (encapsulated, context) = hpke::setup_sender_with_rng::<
            HpkeAead,
            HkdfSha256,
            X25519HkdfSha256,
        >(&OpModeS::Base, &public, PURPOSE, random)
        .map_err(|_| SealError)?;
        let mut key = Zeroizing::new([0; 32]);
        context.export(PURPOSE, key.as_mut_slice()).map_err(|_| SealError)?;
        Ok(Self::new(encapsulated.to_bytes().into(), &key))
    }

    /// Seals; `number` must never be used twice with this key, and `bound` must be shown again to
    /// open (it ties the sealed bytes to their lock).
    ///
    /// # Errors
    /// The plain bytes do not fit.
    pub fn seal(&self, number: u64, plain: &[u8], bound: &[u8]) -> Result<Vec<u8>, SealError> {
        let sealed = self
            .cipher
            .encrypt(&nonce(number), Payload { msg: plain, aad: bound })
            .map_err(|_| SealError)?;
        let mut out = Vec::with_capacity(sealed.len().saturating_add(42));
        self.encapsulated.encode(&mut out);
        number.encode(&mut out);
        put_bytes(&mut out, &sealed);
        if out.len() <= ONWARD_BYTES { Ok(out) } else { Err(SealError) }
    }
}

fn nonce(number: u64) -> Nonce {
    let mut bytes = [0; 12];
    bytes.split_at_mut(4).1.copy_from_slice(&number.to_be_bytes());
    bytes.into()
}

/// The private half of an [`EncryptionKey`]. Prints as nothing.
#[derive(Clone)]
pub struct OpeningKey {
    private: PrivateKey,
    public: EncryptionKey,
}

impl fmt::Debug for OpeningKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("OpeningKey(..)")
    }
}

impl OpeningKey {
    /// The key that follows from these secret bytes.
    pub fn derive(seed: &[u8; 32]) -> Self {
        let (private, public) = X25519HkdfSha256::derive_keypair(seed);
        Self { private, public: EncryptionKey(public.to_bytes().into()) }
    }

    /// The public half.
    pub const fn public(&self) -> EncryptionKey {
        self.public
    }

    /// The shared key that its sealer encapsulated in these 32 bytes.
    ///
    /// # Errors
    /// They are no valid encapsulation.
    pub fn accept(&self, encapsulated: &[u8; 32]) -> Result<SharedKey, SealError> {
        let given = <X25519HkdfSha256 as Kem>::EncappedKey::from_bytes(encapsulated)
            .map_err(|_| SealError)?;
        let context = hpke::setup_receiver::<HpkeAead, HkdfSha256, X25519HkdfSha256>(
            &OpModeR::Base,
            &self.private,
            &given,
            PURPOSE,
        )
        .map_err(|_| SealError)?;
        let mut key = Zeroizing::new([0; 32]);
        context.export(PURPOSE, key.as_mut_slice()).map_err(|_| SealError)?;
        Ok(SharedKey::new(*encapsulated, &key))
    }
}

/// Sealed bytes, taken apart.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Sealed {
    /// Names the shared key.
    pub encapsulated: [u8; 32],
    number: u64,
    bytes: Vec<u8>,
}

impl Sealed {
    /// Takes the outside apart; opens nothing.
    ///
    /// # Errors
    /// The bytes are not of this form.
    pub fn parse(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut input = Reader::new(bytes);
        let sealed = Self {
            encapsulated: input.array()?,
            number: u64::decode(&mut input)?,
            bytes: input.bytes(ONWARD_BYTES)?,
        };
        input.finish()?;
        Ok(sealed)
    }

    /// What was sealed.
    ///
    /// # Errors
    /// Another key, another bound, or changed bytes.
    pub fn open(&self, key: &SharedKey, bound: &[u8]) -> Result<Zeroizing<Vec<u8>>, SealError> {
        key.cipher
            .decrypt(&nonce(self.number), Payload { msg: &self.bytes, aad: bound })
            .map(Zeroizing::new)
            .map_err(|_| SealError)
    }
}
