//! The command, driven as a person or a program drives it.

mod accounts;
mod by_hand;
mod demo;
mod settings;
mod support;
mod usage;
