//! A conditional promise: paid if its secret becomes known in time.

use crate::codec::Encode;
use crate::{Amount, LockHash, LockNumber, SecretHash, Timestamp};
use alloc::vec::Vec;
use alloy_primitives::keccak256;

/// What a payer promises to whoever of the next hop learns the secret before the expiration.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Lock {
    /// Unique for ever in its direction and epoch, so a disposal of it names nothing else.
    pub number: LockNumber,
    /// What the payee gets.
    pub amount: Amount,
    /// The last second at which a registration of the secret still counts.
    pub expiration: Timestamp,
    /// The hash of the secret.
    pub secret_hash: SecretHash,
}

impl Lock {
    /// The lock's leaf in the tree.
    ///
    /// Source: `contracts/src/libraries`, keccak256(0x00 ‖ number ‖ secretHash ‖ amount ‖
    /// expiration): 65 bytes, while inner nodes hash 64.
    pub fn hash(&self) -> LockHash {
        let mut bytes = Vec::with_capacity(65);
        bytes.push(0);
        self.number.encode(&mut bytes);
        self.secret_hash.encode(&mut bytes);
        self.amount.encode(&mut bytes);
        self.expiration.encode(&mut bytes);
        LockHash(keccak256(bytes))
    }
}

crate::fields_codec!(Lock { number, amount, expiration, secret_hash });

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::{Decode, DecodeError, Reader};

    #[test]
    fn every_field_is_in_the_hash() {
        let lock = Lock {
            number: LockNumber(1),
            amount: Amount(2),
            expiration: Timestamp(3),
            secret_hash: SecretHash::default(),
        };
        let others = [
            Lock { number: LockNumber(2), ..lock },
            Lock { amount: Amount(3), ..lock },
            Lock { expiration: Timestamp(4), ..lock },
            Lock { secret_hash: SecretHash(crate::B256::repeat_byte(1)), ..lock },
        ];
        assert!(others.iter().all(|other| other.hash() != lock.hash()));
        assert_eq!(Lock::from_bytes(&lock.to_bytes()), Ok(lock));
        assert_eq!(Lock::from_bytes(&[0; 65]), Err(DecodeError::Trailing(1)));
        assert!(Lock::decode(&mut Reader::new(&[0; 63])).is_err());
    }
}
