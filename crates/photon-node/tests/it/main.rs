//! The node from outside.
