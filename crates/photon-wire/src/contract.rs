//! Contract events and calls.
