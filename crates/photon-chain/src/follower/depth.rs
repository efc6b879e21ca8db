//! How deep a block must be before it counts.

use crate::endpoint::{Endpoint, Head};
use crate::error::ChainError;
use std::fmt;
use std::str::FromStr;

/// How deep a block must be before what it says counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Depth {
    /// This many blocks lie on top of it; with none the newest counts.
    Blocks(u64),
    /// The chain calls it safe.
    Safe,
    /// The chain calls it final.
    Finalized,
}

impl Depth {
    /// In blocks; of the chain's own words, what stands in for them where a chain does not know
    /// them.
    pub const fn blocks(self) -> u64 {
        match self {
            Self::Blocks(blocks) => blocks,
            Self::Safe => 12,
            Self::Finalized => 64,
        }
    }

    const fn tag(self) -> Option<&'static str> {
        match self {
            Self::Blocks(_) => None,
            Self::Safe => Some("safe"),
            Self::Finalized => Some("finalized"),
        }
    }
}

impl fmt::Display for Depth {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.tag() {
            Some(tag) => out.write_str(tag),
            None => self.blocks().fmt(out),
        }
    }
}

/// The text is neither a number nor one of the chain's words.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("`{0}` is neither a number of blocks nor `safe` or `finalized`")]
pub struct DepthError(String);

impl FromStr for Depth {
    type Err = DepthError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "safe" => Ok(Self::Safe),
            "finalized" => Ok(Self::Finalized),
            number => number.parse().map(Self::Blocks).map_err(|_| DepthError(text.to_owned())),
        }
    }
}

/// Finds the block at the depth.
pub(super) struct Plumb {
    depth: Depth,
    /// Whether it was said that the chain does not know the word.
    said: bool,
}

impl Plumb {
    pub(super) const fn new(depth: Depth) -> Self {
        Self { depth, said: false }
    }

    /// The number of the newest block that counts; none where there is none yet.
    pub(super) async fn target(
        &mut self,
        endpoint: &Endpoint,
        head: &Head,
    ) -> Result<Option<u64>, ChainError> {
        if let Some(tag) = self.depth.tag() {
            match endpoint.tagged(tag).await {
                Ok(Some(block)) => return Ok(Some(block.number.0.min(head.number.0))),
                Ok(None) => self.say(tag, "it knows none"),
                Err(error @ ChainError::Refused { .. }) => self.say(tag, &error.to_string()),
                Err(error) => return Err(error),
            }
        }
        Ok(head.number.0.checked_sub(self.depth.blocks()))
    }

    fn say(&mut self, tag: &str, reason: &str) {
        if !std::mem::replace(&mut self.said, true) {
            let blocks = self.depth.blocks();
            tracing::warn!(
                reason,
                "the chain does not say which block is {tag}; one that lies {blocks} deep counts"
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_depth_is_a_number_or_a_word_of_the_chain() {
        for depth in [Depth::Blocks(0), Depth::Blocks(12), Depth::Safe, Depth::Finalized] {
            assert_eq!(depth.to_string().parse(), Ok(depth));
        }
        for text in ["", "-1", "latest", "3.5", "99999999999999999999"] {
            assert_eq!(text.parse::<Depth>(), Err(DepthError(text.to_owned())));
        }
    }
}
