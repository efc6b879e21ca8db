//! Every statement that is signed, as EIP-712 typed data: one type for each meaning.
//!
//! In Photon Go a cooperative-settle signature was also a valid balance proof, and whole channels
//! could be stolen with it (C-01); a type hash of its own for each claim makes that impossible.
//! Source: `contracts/src/libraries`, where the contract hashes the same claims.

use crate::{
    Address, Amount, B256, ChannelId, ChannelKey, Digest, Epoch, LockHash, Locksroot, Nonce,
    Seconds, Timestamp, Token,
};
use alloc::vec::Vec;
use alloy_primitives::{U256, b256, keccak256};

/// Where a claim holds: one contract on one chain.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Domain {
    chain_id: u64,
    contract: Address,
    separator: B256,
}

impl Domain {
    /// The domain of the contract at this address of the chain with this id.
    pub fn new(chain_id: u64, contract: Address) -> Self {
        const TYPE: B256 =
            b256!("8b73c3c69bb8fe3d512ecc4cf759cc79239f7b179b0ffacaa9a75d522b39400f");
        const NAME: B256 =
            b256!("b593b9264905cda6df9548630036715879939973d3fd181f86c4c6f307e08f38");
        const VERSION: B256 =
            b256!("c89efdaa54c0f20c7adf612882df0950f5a951637e0307cdcb4c672f298b8bc6");
        let separator =
            Words::of(TYPE).word(NAME).word(VERSION).number(chain_id.into()).address(contract);
        Self { chain_id, contract, separator: separator.hash() }
    }

    /// The chain's id.
    pub const fn chain_id(&self) -> u64 {
        self.chain_id
    }

    /// The contract.
    pub const fn contract(&self) -> Address {
        self.contract
    }

    /// Source: EIP-712, `domainSeparator`.
    pub const fn separator(&self) -> B256 {
        self.separator
    }
}

/// A statement that can be signed.
pub trait Claim {
    /// Source: EIP-712, `hashStruct`.
    fn struct_hash(&self) -> B256;

    /// What is signed: the claim within its domain.
    fn digest(&self, domain: &Domain) -> Digest {
        let mut bytes = [0; 66];
        let (prefix, rest) = bytes.split_at_mut(2);
        prefix.copy_from_slice(&[0x19, 0x01]);
        let (separator, hash) = rest.split_at_mut(32);
        separator.copy_from_slice(domain.separator.as_slice());
        hash.copy_from_slice(self.struct_hash().as_slice());
        Digest(keccak256(bytes))
    }
}

/// The 32-byte words of a struct's encoding, its type hash first.
struct Words {
    bytes: [u8; 256],
    used: usize,
}

impl Words {
    fn of(type_hash: B256) -> Self {
        Self { bytes: [0; 256], used: 0 }.word(type_hash)
    }

    fn word(mut self, word: B256) -> Self {
        let end = self.used.saturating_add(32);
        self.bytes
            .get_mut(self.used..end)
            .expect("no claim has more than eight words")
            .copy_from_slice(word.as_slice());
        self.used = end;
        self
    }

    fn number(self, number: u128) -> Self {
        self.word(B256::from(U256::from(number)))
    }

    fn address(self, address: Address) -> Self {
        self.word(address.into_word())
    }

    fn hash(self) -> B256 {
        keccak256(self.bytes.split_at(self.used).0)
    }
}

/// The payer's latest word on a direction: what the payee may take on the chain.
///
/// Shape: `BalanceProof(bytes32 channelId,uint64 epoch,address payer,uint64 nonce,
/// uint128 transferred,bytes32 locksroot)`, signed by the payer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BalanceProof {
    /// The channel.
    pub channel: ChannelId,
    /// Its life.
    pub epoch: Epoch,
    /// Whose direction this is.
    pub payer: Address,
    /// Rises by one with each proof.
    pub nonce: Nonce,
    /// All that was ever paid in this direction and epoch.
    pub transferred: Amount,
    /// Commits to the pending locks.
    pub locksroot: Locksroot,
}

impl BalanceProof {
    fn words(&self, type_hash: B256) -> Words {
        Words::of(type_hash)
            .word(self.channel.0)
            .number(self.epoch.0.into())
            .address(self.payer)
            .number(self.nonce.0.into())
            .number(self.transferred.0)
            .word(self.locksroot.0)
    }
}

impl Claim for BalanceProof {
    fn struct_hash(&self) -> B256 {
        self.words(b256!("f9f862e89515521ed9b64365625acafd9e846ef8871835f8c9d85c69669b5e1e")).hash()
    }
}

/// The payee's consent that `delegate` submits exactly this proof and claims the locks in it.
///
/// Shape: as [`BalanceProof`], then `address delegate`; signed by the payee.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Delegation {
    /// The proof that may be submitted.
    pub proof: BalanceProof,
    /// Who may; never zero.
    pub delegate: Address,
}

impl Claim for Delegation {
    fn struct_hash(&self) -> B256 {
        self.proof
            .words(b256!("a48a854561ef45fb9a486e5ed0d24542e24f77461292e6c492d8629a6d0d3b09"))
            .address(self.delegate)
            .hash()
    }
}

/// The final totals, agreed by both; the channel ends with them. Each is paid what it put in, less
/// what it took out, plus what it got, less what it gave: so a deposit that somebody slips in after
/// the signatures goes to whose deposit it is, and breaks nothing.
///
/// Shape: `CooperativeSettle(bytes32 channelId,uint64 epoch,uint128 transferredLow,
/// uint128 transferredHigh,uint64 validUntil)`, signed by both.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CooperativeSettle {
    /// The channel.
    pub channel: ChannelId,
    /// Its life.
    pub epoch: Epoch,
    /// All that the participant with the lower address has transferred in this epoch, locks that
    /// were paid included.
    pub transferred_low: Amount,
    /// All that the other has.
    pub transferred_high: Amount,
    /// The last second at which the contract accepts it.
    pub valid_until: Timestamp,
}

impl Claim for CooperativeSettle {
    fn struct_hash(&self) -> B256 {
        Words::of(b256!("e1962cdaaa42e20c17cf5488bc02f1ae013c6b5058c9f39b7b78f8ad72f60865"))
            .word(self.channel.0)
            .number(self.epoch.0.into())
            .number(self.transferred_low.0)
            .number(self.transferred_high.0)
            .number(self.valid_until.0.into())
            .hash()
    }
}

/// Takes tokens out of an open channel; `withdrawn` is the participant's running total.
///
/// Shape: `Withdraw(bytes32 channelId,uint64 epoch,address participant,uint128 withdrawn,
/// uint64 validUntil)`, signed by both.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Withdraw {
    /// The channel.
    pub channel: ChannelId,
    /// Its life.
    pub epoch: Epoch,
    /// Who gets the tokens.
    pub participant: Address,
    /// All that the participant will ever have withdrawn in this epoch.
    pub withdrawn: Amount,
    /// The last second at which the contract accepts it.
    pub valid_until: Timestamp,
}

impl Claim for Withdraw {
    fn struct_hash(&self) -> B256 {
        Words::of(b256!("7abe4f8f6964abdd62614c3d1311b2b08e14f3c90e589313d8cb5ee73c5c3fb9"))
            .word(self.channel.0)
            .number(self.epoch.0.into())
            .address(self.participant)
            .number(self.withdrawn.0)
            .number(self.valid_until.0.into())
            .hash()
    }
}

/// The payee gives these locks up, for ever; claiming one afterwards is punished.
///
/// Shape: `Disposal(bytes32 channelId,uint64 epoch,address payer,bytes32[] locks)`, signed by
/// the payee.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Disposal {
    /// The channel.
    pub channel: ChannelId,
    /// Its life.
    pub epoch: Epoch,
    /// Whose direction the locks are in.
    pub payer: Address,
    /// The hashes of the locks.
    pub locks: Vec<LockHash>,
}

impl Claim for Disposal {
    fn struct_hash(&self) -> B256 {
        let mut list = Vec::with_capacity(self.locks.len().saturating_mul(32));
        self.locks.iter().for_each(|lock| list.extend_from_slice(lock.0.as_slice()));
        Words::of(b256!("13eb7714e426521b7909280d0a2c49259722573b97a3aed845d4d711703489ee"))
            .word(self.channel.0)
            .number(self.epoch.0.into())
            .address(self.payer)
            .word(keccak256(list))
            .hash()
    }
}

/// Lets anybody open and fund a channel for `participant`, once.
///
/// Shape: `OpenAuthorization(address token,address participant,address partner,
/// uint64 settleTimeout,uint128 amount,uint256 nonce,uint64 validUntil)`, signed by the
/// participant.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OpenAuthorization {
    /// The token.
    pub token: Token,
    /// For whom the channel is opened, and who pays the first deposit.
    pub participant: Address,
    /// The other side.
    pub partner: Address,
    /// The channel's settle timeout.
    pub settle_timeout: Seconds,
    /// The first deposit.
    pub amount: Amount,
    /// Used once.
    pub nonce: U256,
    /// The last second at which the contract accepts it.
    pub valid_until: Timestamp,
}

impl Claim for OpenAuthorization {
    fn struct_hash(&self) -> B256 {
        Words::of(b256!("7d289e658da4e0796fbc6171d9dfdac2e8078df5ed67a198e9ed4d0a72159829"))
            .address(self.token.0)
            .address(self.participant)
            .address(self.partner)
            .number(self.settle_timeout.0.into())
            .number(self.amount.0)
            .word(self.nonce.into())
            .number(self.valid_until.0.into())
            .hash()
    }
}

/// Lets anybody deposit for `participant`, from his own tokens, once.
///
/// Shape: `DepositAuthorization(bytes32 channelId,uint64 epoch,address participant,
/// uint128 amount,uint256 nonce,uint64 validUntil)`, signed by the participant.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DepositAuthorization {
    /// The channel. Signed is its id alone; the call to the contract needs all of it.
    pub key: ChannelKey,
    /// Its life.
    pub epoch: Epoch,
    /// Who deposits.
    pub participant: Address,
    /// How much.
    pub amount: Amount,
    /// Used once.
    pub nonce: U256,
    /// The last second at which the contract accepts it.
    pub valid_until: Timestamp,
}

impl Claim for DepositAuthorization {
    fn struct_hash(&self) -> B256 {
        Words::of(b256!("49daefa1448eb9e7aebf93bcf777a4a3571b7fd88d1accf81c6f4c98c7f10b71"))
            .word(self.key.id().0)
            .number(self.epoch.0.into())
            .address(self.participant)
            .number(self.amount.0)
            .word(self.nonce.into())
            .number(self.valid_until.0.into())
            .hash()
    }
}

/// Binds the key of a transport to an account, for a while: the account's key can stay elsewhere.
///
/// Shape: `TransportKey(address account,bytes32 transportKey,uint64 validUntil)`, signed by the
/// account; never seen by the contract.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TransportKey {
    /// The account.
    pub account: Address,
    /// The Ed25519 public key that the transport authenticates.
    pub transport_key: [u8; 32],
    /// The last second at which a peer accepts it.
    pub valid_until: Timestamp,
}

impl Claim for TransportKey {
    fn struct_hash(&self) -> B256 {
        Words::of(b256!("a45d343438fb1d23660ca5f22f201fab62d7ef1526ed0cf07b06d485b78ae9c8"))
            .address(self.account)
            .word(B256::new(self.transport_key))
            .number(self.valid_until.0.into())
            .hash()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::collections::BTreeSet;

    #[test]
    fn type_hashes_are_those_of_the_type_strings() {
        let types = [
            (
                "BalanceProof(bytes32 channelId,uint64 epoch,address payer,uint64 nonce,\
                 uint128 transferred,bytes32 locksroot)",
                "f9f862e89515521ed9b64365625acafd9e846ef8871835f8c9d85c69669b5e1e",
            ),
            (
                "Delegation(bytes32 channelId,uint64 epoch,address payer,uint64 nonce,\
                 uint128 transferred,bytes32 locksroot,address delegate)",
                "a48a854561ef45fb9a486e5ed0d24542e24f77461292e6c492d8629a6d0d3b09",
            ),
            (
                "CooperativeSettle(bytes32 channelId,uint64 epoch,uint128 transferredLow,\
                 uint128 transferredHigh,uint64 validUntil)",
                "e1962cdaaa42e20c17cf5488bc02f1ae013c6b5058c9f39b7b78f8ad72f60865",
            ),
            (
                "Withdraw(bytes32 channelId,uint64 epoch,address participant,uint128 withdrawn,\
                 uint64 validUntil)",
                "7abe4f8f6964abdd62614c3d1311b2b08e14f3c90e589313d8cb5ee73c5c3fb9",
            ),
            (
                "Disposal(bytes32 channelId,uint64 epoch,address payer,bytes32[] locks)",
                "13eb7714e426521b7909280d0a2c49259722573b97a3aed845d4d711703489ee",
            ),
            (
                "OpenAuthorization(address token,address participant,address partner,\
                 uint64 settleTimeout,uint128 amount,uint256 nonce,uint64 validUntil)",
                "7d289e658da4e0796fbc6171d9dfdac2e8078df5ed67a198e9ed4d0a72159829",
            ),
            (
                "DepositAuthorization(bytes32 channelId,uint64 epoch,address participant,\
                 uint128 amount,uint256 nonce,uint64 validUntil)",
                "49daefa1448eb9e7aebf93bcf777a4a3571b7fd88d1accf81c6f4c98c7f10b71",
            ),
            (
                "TransportKey(address account,bytes32 transportKey,uint64 validUntil)",
                "a45d343438fb1d23660ca5f22f201fab62d7ef1526ed0cf07b06d485b78ae9c8",
            ),
        ];
        for (text, hash) in types {
            assert_eq!(alloc::format!("{:x}", keccak256(text)), hash);
        }
    }

    #[test]
    fn the_same_fields_under_another_type_are_another_digest() {
        let domain = Domain::new(1, Address::ZERO);
        let proof = BalanceProof {
            channel: ChannelId::default(),
            epoch: Epoch(0),
            payer: Address::ZERO,
            nonce: Nonce(0),
            transferred: Amount(0),
            locksroot: Locksroot::EMPTY,
        };
        let zero = Timestamp(0);
        let digests: BTreeSet<Digest> = [
            proof.digest(&domain),
            Delegation { proof, delegate: Address::ZERO }.digest(&domain),
            CooperativeSettle {
                channel: proof.channel,
                epoch: proof.epoch,
                transferred_low: Amount(0),
                transferred_high: Amount(0),
                valid_until: zero,
            }
            .digest(&domain),
            Withdraw {
                channel: proof.channel,
                epoch: proof.epoch,
                participant: Address::ZERO,
                withdrawn: Amount(0),
                valid_until: zero,
            }
            .digest(&domain),
        ]
        .into();
        assert_eq!(digests.len(), 4);
        assert!(!digests.contains(&proof.digest(&Domain::new(2, Address::ZERO))));
    }
}
