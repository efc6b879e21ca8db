use alloc::boxed::Box;
use alloy_primitives::{Address, B256, keccak256};
use core::fmt;
use secp256k1::{
    All, Message, Secp256k1, SecretKey,
    ecdsa::{RecoverableSignature, RecoveryId},
};

/// The 32 bytes that are signed: of a claim, its EIP-712 digest.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Digest(pub B256);

/// A recoverable ECDSA signature on secp256k1: `r ‖ s ‖ v`, low `s`, `v` 27 or 28.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Signature(pub [u8; 65]);

impl fmt::Debug for Signature {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Signature({})", B256::from_slice(self.r()))
    }
}

impl Signature {
    fn r(&self) -> &[u8] {
        self.0.split_at(32).0
    }
}

/// Why bytes are no signature of anybody.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SignatureError {
    /// `v` is neither 27 nor 28.
    RecoveryId(u8),
    /// `s` is in the upper half of the curve order: the contract refuses it as malleable.
    HighS,
    /// No public key made this.
    NoSigner,
}

impl fmt::Display for SignatureError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::RecoveryId(v) => write!(out, "signature v is {v}, expected 27 or 28"),
            Self::HighS => out.write_str("signature s is in the upper half of the curve order"),
            Self::NoSigner => out.write_str("no key made this signature"),
        }
    }
}

impl core::error::Error for SignatureError {}

/// The uncompressed public key of an account, without its leading tag.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PublicKey(pub [u8; 64]);

impl PublicKey {
    fn of(key: &secp256k1::PublicKey) -> Self {
        let (_, coordinates) = key.serialize_uncompressed().split_first_chunk::<1>().map_or_else(
            || unreachable!("a serialised key has 65 bytes"),
            |(tag, rest)| (*tag, <[u8; 64]>::try_from(rest).unwrap_or([0; 64])),
        );
        Self(coordinates)
    }

    /// The last 20 bytes of the key's keccak-256.
    pub fn address(&self) -> Address {
        Address::from_raw_public_key(&self.0)
    }
}

/// Recovers signers. Cheap to use, not to make: make one a thread.
pub struct Verifier(Box<Secp256k1<All>>);

impl Default for Verifier {
    fn default() -> Self {
        Self::new()
    }
}

impl Verifier {
    /// A new context.
    pub fn new() -> Self {
        Self(Box::new(Secp256k1::new()))
    }

    /// Who signed `digest`.
    ///
    /// # Errors
    /// Exactly where the contract's check refuses: another `v`, a high `s`, no such key.
    pub fn signer(&self, digest: Digest, signature: &Signature) -> Result<Address, SignatureError> {
        let (bytes, v) = signature.0.split_at(64);
        let v = v.first().copied().unwrap_or_default();
        let id = match v {
            27 => RecoveryId::Zero,
            28 => RecoveryId::One,
            other => return Err(SignatureError::RecoveryId(other)),
        };
        let recoverable =
            RecoverableSignature::from_compact(bytes, id).map_err(|_| SignatureError::NoSigner)?;
        let mut normal = recoverable.to_standard();
        let given = normal;
        normal.normalize_s();
        if normal != given {
            return Err(SignatureError::HighS);
        }
        let key = self
            .0
            .recover_ecdsa(Message::from_digest(digest.0.0), &recoverable)
            .map_err(|_| SignatureError::NoSigner)?;
        Ok(PublicKey::of(&key).address())
    }
}

/// An account's key. Prints as its address.
#[derive(Clone)]
pub struct SigningKey {
    key: SecretKey,
    address: Address,
    context: Secp256k1<All>,
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "SigningKey({})", self.address)
    }
}

impl SigningKey {
    /// The key with these big-endian bytes; none outside `1..` curve order.
    pub fn from_bytes(bytes: &[u8; 32]) -> Option<Self> {
        let context = Secp256k1::new();
        let key = SecretKey::from_byte_array(*bytes).ok()?;
        let address = PublicKey::of(&key.public_key(&context)).address();
        Some(Self { key, address, context })
    }

    /// The account.
    pub const fn address(&self) -> Address {
        self.address
    }

    /// Signs; the same digest always gives the same signature (RFC 6979).
    pub fn sign(&self, digest: Digest) -> Signature {
        let message = Message::from_digest(digest.0.0);
        let (id, compact) =
            self.context.sign_ecdsa_recoverable(message, &self.key).serialize_compact();
        let mut bytes = [0; 65];
        let (body, v) = bytes.split_at_mut(64);
        body.copy_from_slice(&compact);
        v.fill(if matches!(id, RecoveryId::Zero) { 27 } else { 28 });
        Signature(bytes)
    }

    /// Keccak-256 of this key's bytes and `purpose`: a seed for another key that follows from it.
    pub fn derive(&self, purpose: &[u8]) -> [u8; 32] {
        let mut input = self.key.secret_bytes().to_vec();
        input.extend_from_slice(purpose);
        keccak256(input).0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> SigningKey {
        SigningKey::from_bytes(&[7; 32]).unwrap()
    }

    #[test]
    fn a_signature_names_its_signer_and_nobody_else() {
        let digest = Digest(B256::repeat_byte(3));
        let signature = key().sign(digest);
        assert_eq!(Verifier::new().signer(digest, &signature), Ok(key().address()));
        let other = Verifier::new().signer(Digest(B256::repeat_byte(4)), &signature);
        assert_ne!(other, Ok(key().address()));
    }

    #[test]
    fn the_upper_half_of_s_is_refused_as_by_the_contract() {
        let digest = Digest(B256::repeat_byte(3));
        let signature = key().sign(digest);
        let order = alloy_primitives::U256::from_be_bytes(alloy_primitives::hex!(
            "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141"
        ));
        let s = alloy_primitives::U256::from_be_slice(&signature.0[32..64]);
        let mut malleated = signature;
        malleated.0[32..64].copy_from_slice(&(order - s).to_be_bytes::<32>());
        malleated.0[64] = 55 - malleated.0[64];
        assert_eq!(Verifier::new().signer(digest, &malleated), Err(SignatureError::HighS));
    }

    #[test]
    fn another_v_is_refused() {
        let digest = Digest(B256::ZERO);
        let mut signature = key().sign(digest);
        signature.0[64] = 0;
        let verdict = Verifier::new().signer(digest, &signature);
        assert_eq!(verdict, Err(SignatureError::RecoveryId(0)));
    }
}
