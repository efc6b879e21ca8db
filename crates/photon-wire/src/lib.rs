#![doc = include_str!("../README.md")]
#![no_std]
#![cfg_attr(not(test), deny(clippy::indexing_slicing, clippy::arithmetic_side_effects))]

extern crate alloc;

mod amount;
pub mod claim;
pub mod codec;
pub mod contract;
mod id;
pub mod invoice;
pub mod limits;
pub mod lock;
pub mod message;
pub mod onward;
pub mod record;
pub mod registry;
pub mod seal;
mod secret;
mod signature;
mod time;
pub mod tree;

pub use alloy_primitives::{Address, B256};
pub use amount::Amount;
pub use id::{
    BlockNumber, ChannelId, ChannelKey, Epoch, LockHash, LockNumber, Locksroot, Nonce, PaymentId,
    Slot, Token,
};
pub use secret::{Secret, SecretHash};
pub use signature::{Digest, PublicKey, Signature, SignatureError, SigningKey, Verifier};
pub use time::{Seconds, Timestamp};
