//! The chain client against a chain in this process.

mod faults;
mod fees;
mod follower;
mod life;
mod networks;
mod reverts;
mod stage;
