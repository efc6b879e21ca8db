#![doc = include_str!("../README.md")]
#![no_std]
#![cfg_attr(not(test), deny(clippy::indexing_slicing, clippy::arithmetic_side_effects))]

extern crate alloc;

mod agreement;
pub mod channel;
mod config;
mod effect;
mod input;
mod machine;
mod onchain;
pub mod payment;
mod peer;
pub mod record;
mod reject;
mod reorganised;
pub mod route;
pub mod view;

pub use config::{Config, Timing};
pub use effect::{Change, Effect, Intent, IntentId, Notice, Turn};
pub use input::{Attempt, Command, Input, OpenedLock, PayCommand, SignedMessage};
pub use machine::{Answer, Machine};
pub use reject::Rejection;
