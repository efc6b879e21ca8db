use photon_core::{Change, Config, Effect};
use photon_wire::Digest;
use photon_wire::claim::Claim;

/// What a turn led to, before it is signed and stored. It cannot be run; only
/// [`crate::Engine::commit`] makes something of it that can.
#[derive(Debug)]
#[must_use = "memory is ahead of the disk until the draft is committed"]
pub struct Draft {
    pub(crate) number: u64,
    pub(crate) changes: Vec<Change>,
    pub(crate) effects: Vec<Effect>,
    pub(crate) digests: Vec<Digest>,
}

impl Draft {
    pub(crate) fn new(
        number: u64,
        config: &Config,
        changes: Vec<Change>,
        effects: Vec<Effect>,
    ) -> Self {
        let digests = effects.iter().filter_map(|effect| digest(config, effect)).collect();
        Self { number, changes, effects, digests }
    }

    /// What our account has to sign, in this order, before the draft can be committed.
    pub fn digests(&self) -> &[Digest] {
        &self.digests
    }

    /// Whether nothing happened; then it need not be committed.
    pub const fn is_empty(&self) -> bool {
        self.changes.is_empty() && self.effects.is_empty()
    }
}

/// Updates are promises of ours as the payer, disposals as the payee; agreements are with the
/// partner who asked.
fn digest(config: &Config, effect: &Effect) -> Option<Digest> {
    match effect {
        Effect::SendUpdate { update, .. } => {
            Some(update.proof(config.account).digest(&config.domain))
        }
        Effect::SendDispose { to, dispose } => Some(dispose.disposal(*to).digest(&config.domain)),
        Effect::SendAgreeWithdraw { to, agree } => Some(agree.claim(*to).digest(&config.domain)),
        Effect::SendAgreeSettle { agree, .. } => Some(agree.claim().digest(&config.domain)),
        Effect::Send { .. }
        | Effect::Resend { .. }
        | Effect::Recall { .. }
        | Effect::Submit(_)
        | Effect::Notify(..) => None,
    }
}
