//! What needs the partner's consent: withdrawing, and ending a channel together. And what the
//! owner decides of payments that are held for him.

use super::{NodeHandle, Numbered, RequestError, Submitted, kind_of};
use photon_core::record::Purpose;
use photon_core::view::NoticeKind;
use photon_core::{Command, Rejection};
use photon_wire::{Amount, ChannelId, Secret, SecretHash};
use std::time::Duration;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::timeout;

/// What became of an agreement.
enum End {
    /// The contract has executed it.
    Executed,
    /// It came to nothing, by this rule.
    Failed(u16),
    /// The transaction of this kind failed.
    Refused(&'static str),
}

impl NodeHandle {
    /// Takes tokens out of an open channel. The partner must be there and consent; payments go on.
    ///
    /// # Errors
    /// The core refuses, the partner declines, it was not executed in time, or the wait was too
    /// short.
    pub async fn withdraw(
        &self,
        channel: ChannelId,
        amount: Amount,
        wait: Option<Duration>,
    ) -> Result<Submitted, RequestError> {
        let us = self.account();
        let end = move |kind: &NoticeKind| {
            if let NoticeKind::Withdrawn { channel: id, participant, .. } = kind {
                return (*id == channel && *participant == us).then_some(End::Executed);
            }
            if let NoticeKind::WithdrawFailed { channel: id, rule } = kind {
                return (*id == channel).then_some(End::Failed(*rule));
            }
            refused(Purpose::Withdraw(channel), kind).or_else(|| over(channel, kind))
        };
        self.agree(Command::Withdraw { channel, amount }, channel, wait, end).await
    }

    /// Ends an open channel together with the partner: one transaction, and no dispute. With
    /// `drain`, new payments are held back until the pending locks are gone; without it, pending
    /// locks refuse it.
    ///
    /// # Errors
    /// The core refuses, the partner declines, it was not executed in time (then the channel goes
    /// on), or the wait was too short.
    pub async fn settle_cooperatively(
        &self,
        channel: ChannelId,
        drain: bool,
        wait: Option<Duration>,
    ) -> Result<Submitted, RequestError> {
        let end = move |kind: &NoticeKind| {
            if let NoticeKind::ChannelSettled { channel: id, .. } = kind {
                return (*id == channel).then_some(End::Executed);
            }
            if let NoticeKind::CooperativeSettleFailed { channel: id, rule } = kind {
                return (*id == channel).then_some(End::Failed(*rule));
            }
            refused(Purpose::CooperativeSettle(channel), kind)
        };
        let command = Command::SettleCooperatively { channel, drain };
        self.agree(command, channel, wait, end).await
    }

    /// Gives up ending a channel together, as long as the partner has not consented.
    ///
    /// # Errors
    /// There is nothing to give up, or it is too late.
    pub async fn cancel_settle(&self, channel: ChannelId) -> Result<(), RequestError> {
        self.pump.command(Command::CancelSettle(channel)).await.map(drop)
    }

    /// Shows the secret of an invoice whose payment is held: it is taken.
    ///
    /// # Errors
    /// We made no such invoice, or the lock ends too soon to take it safely.
    pub async fn release_invoice(&self, secret: Secret) -> Result<(), RequestError> {
        self.pump.command(Command::ReleaseInvoice(secret)).await.map(drop)
    }

    /// Gives an invoice up; what is held for it goes back to its payer.
    ///
    /// # Errors
    /// We made no such invoice, it is over, or its secret is out.
    pub async fn cancel_invoice(&self, invoice: SecretHash) -> Result<(), RequestError> {
        self.pump.command(Command::CancelInvoice(invoice)).await.map(drop)
    }

    async fn agree(
        &self,
        command: Command,
        channel: ChannelId,
        wait: Option<Duration>,
        end: impl Fn(&NoticeKind) -> Option<End>,
    ) -> Result<Submitted, RequestError> {
        let mut live = self.shared.events.live();
        self.pump.command(command).await?;
        if let Some(wait) = wait {
            let ended = timeout(wait, self.ended(&mut live, end)).await;
            match ended.map_err(|_| RequestError::StillPending(wait))?? {
                End::Executed => {}
                End::Failed(rule) => return Err(RequestError::Disagreed { rule }),
                End::Refused(kind) => {
                    let reason = "what was agreed is free again when it is past".to_owned();
                    return Err(RequestError::TransactionFailed { kind, reason });
                }
            }
        }
        let view = self.channel(channel).await?;
        let done = wait.is_some();
        Ok(Submitted { transaction: None, channel, done, offer: None, relayed: None, view })
    }

    async fn ended(
        &self,
        live: &mut Receiver<Numbered>,
        end: impl Fn(&NoticeKind) -> Option<End>,
    ) -> Result<End, RequestError> {
        loop {
            let received = tokio::select! {
                received = live.recv() => received,
                () = self.shared.stop.cancelled() => return Err(RequestError::Stopped),
            };
            match received {
                Ok((_, notice)) => {
                    if let Some(end) = end(&notice.kind) {
                        return Ok(end);
                    }
                }
                // The notice may be among the lost ones; the caller's time bounds the wait.
                Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return Err(RequestError::Stopped),
            }
        }
    }
}

/// Whether the transaction for it failed.
fn refused(wanted: Purpose, kind: &NoticeKind) -> Option<End> {
    let failed = matches!(kind, NoticeKind::TransactionFailed { purpose } if *purpose == wanted);
    failed.then(|| End::Refused(kind_of(&wanted)))
}

/// Whether the channel has come to another end.
fn over(channel: ChannelId, kind: &NoticeKind) -> Option<End> {
    let gone = matches!(kind, NoticeKind::ChannelSettled { channel: id, .. } if *id == channel);
    gone.then(|| End::Failed(Rejection::ClosedMeanwhile.number()))
}
