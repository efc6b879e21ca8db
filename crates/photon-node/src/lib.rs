#![doc = include_str!("../README.md")]

pub mod api;
mod chain;
mod clock;
pub mod config;
mod events;
mod gasless;
pub mod handle;
mod keys;
mod node;
mod outbox;
mod peers;
mod pump;
mod relay;
mod sealing;
mod session;
mod shared;
mod waiting;

pub use config::Config;
pub use events::{EventStream, EventsFrom};
pub use gasless::Relayed;
pub use handle::NodeHandle;
pub use keys::KeyError;
pub use node::{Node, StartError};
pub use photon_core::view::Target;
pub use relay::RelayServer;
