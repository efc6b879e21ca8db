#![doc = include_str!("../README.md")]

mod budget;
mod config;
mod dialer;
mod directory;
mod discovery;
mod event;
mod frame;
mod gate;
mod handler;
mod hub;
mod identity;
mod net;
mod outbox;
mod record;
mod session;
mod stats;
mod transport;

pub use alloy_primitives::Address;
pub use config::{Config, Discovery, Limits, Timing};
pub use directory::{Direction, PeerInfo, Presence};
pub use event::{DisconnectReason, Events, NetEvent};
pub use frame::{MAX_FRAME, MAX_STATEMENT};
pub use identity::{Identity, VerifyStatement};
pub use libp2p::{Multiaddr, PeerId};
pub use net::{Error, Net, SendError};
pub use stats::Stats;
