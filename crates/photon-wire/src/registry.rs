//! The secret registry tree.
