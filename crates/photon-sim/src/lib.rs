#![doc = include_str!("../README.md")]

pub mod call;
pub mod chain;
pub mod contract;
pub mod dice;
pub mod differential;
pub mod model;
pub mod town;
