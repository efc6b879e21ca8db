//! The engine with the real core: two nodes in one thread, and a disk that can fail.

mod crash;
mod damage;
mod golden;
mod history;
mod turn;
mod world;
