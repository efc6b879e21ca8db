#![doc = include_str!("../README.md")]

mod draft;
mod engine;
mod fault;
mod history;
mod last;
mod load;
mod migrate;
mod outbox;
mod outgoing;
mod rows;
mod store;
mod tables;
#[cfg(test)]
mod tests;
mod torn;

pub use draft::Draft;
pub use engine::Engine;
pub use fault::{Cause, Fault};
pub use history::{
    History, PAGE_ROWS, Page, PaymentFilter, PaymentStanding, ReceiptFilter, TimeCursor,
};
pub use outbox::{Action, Outbox};
