//! What is asked where the partner has to consent.

use super::{Decimal, HexHash};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What to take out of an open channel.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WithdrawBody {
    /// How much.
    pub amount: Decimal,
    /// How long to wait for the chain, in seconds, at most 600; none does not wait.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(maximum = 600)]
    pub wait_seconds: Option<u64>,
}

/// How to end a channel together. The body may also be left out.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SettleTogetherBody {
    /// Hold new payments back until the pending locks are gone; else pending locks refuse it.
    #[serde(default)]
    pub drain: bool,
    /// How long to wait for the chain, in seconds, at most 600; none does not wait.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(maximum = 600)]
    pub wait_seconds: Option<u64>,
}

/// The secret of an invoice that was made for its hash.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReleaseBody {
    /// 32 bytes; their SHA-256 names the invoice.
    pub secret: HexHash,
}

impl std::fmt::Debug for ReleaseBody {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("ReleaseBody").finish_non_exhaustive()
    }
}
