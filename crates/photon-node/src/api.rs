//! The HTTP API: everything of the node, as JSON, for whoever knows the token.

mod agreements;
mod bulk;
mod channels;
mod codes;
pub(crate) mod connections;
mod events;
pub(crate) mod extract;
mod guard;
mod history;
mod invoices;
mod node;
mod payments;
mod problem;
mod routes;
mod server;
mod state;
mod token;
pub mod types;

pub use codes::advice;
pub use problem::Problem;
pub(crate) use problem::{Answer, Problems, Refusal};
pub use server::{ApiFault, ApiServer, serve};
pub use token::TokenError;
