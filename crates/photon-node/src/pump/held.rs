//! Payments that wait for room in a busy channel, so that their callers need not try again.

use super::Verdict;
use photon_core::{PayCommand, Rejection};
use photon_wire::ChannelId;
use std::collections::{HashSet, VecDeque};
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

/// Payments that may wait; whoever comes then is told that the channel is busy.
const MOST: usize = 16_384;
/// How long a payment waits before that is its answer.
const LONGEST: Duration = Duration::from_secs(30);

/// A payment of the owner's that is not under way yet.
pub(super) struct Held {
    pub(super) pay: PayCommand,
    pub(super) answer: oneshot::Sender<Verdict>,
    /// What the core said last: where there was no room; none where it was not asked yet.
    refused: Option<(ChannelId, Rejection)>,
    since: Instant,
}

impl Held {
    pub(super) fn new(pay: PayCommand, answer: oneshot::Sender<Verdict>) -> Self {
        Self { pay, answer, refused: None, since: Instant::now() }
    }
}

/// All of them, in the order in which they came.
#[derive(Default)]
pub(super) struct HeldPayments(VecDeque<Held>);

impl HeldPayments {
    /// Behind those that wait already.
    pub(super) fn push(&mut self, held: Held) {
        self.0.push_back(held);
    }

    /// Offers every payment once, first come first served, and keeps those that found no room.
    /// Others to the same channel are not offered behind one of those: they would overtake it, or
    /// only hear the same. Those whose caller went away meanwhile are not made any more: nobody
    /// would learn of them.
    ///
    /// `offer` answers outside where the store failed, inside what the core says; `done` is given
    /// what it said to those that found room, have waited too long, or are too many.
    pub(super) fn offer<Fault>(
        &mut self,
        mut offer: impl FnMut(PayCommand) -> Result<Verdict, Fault>,
        mut done: impl FnMut(oneshot::Sender<Verdict>, Verdict),
    ) -> Result<(), Fault> {
        let mut busy = HashSet::new();
        let now = Instant::now();
        for mut held in std::mem::take(&mut self.0) {
            if held.refused.is_some() && held.answer.is_closed() {
                continue;
            }
            if held.refused.is_none_or(|(channel, _)| !busy.contains(&channel)) {
                let verdict = offer(held.pay.clone())?;
                let Err(rejection @ Rejection::ChannelBusy { channel }) = verdict else {
                    done(held.answer, verdict);
                    continue;
                };
                busy.insert(channel);
                held.refused = Some((channel, rejection));
            }
            match held.refused {
                Some((_, rejection))
                    if self.0.len() >= MOST || now.duration_since(held.since) >= LONGEST =>
                {
                    done(held.answer, Err(rejection));
                }
                Some(_) | None => self.0.push_back(held),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use photon_core::Answer;
    use photon_core::view::Target;
    use photon_wire::{Address, Amount, PaymentId, Token};
    use std::convert::Infallible;

    const BUSY: ChannelId = ChannelId(photon_wire::B256::repeat_byte(1));

    fn held(number: u8) -> Held {
        let account = Address::repeat_byte(1);
        let target = Target { token: Token(account), account, amount: Amount(1) };
        let pay = PayCommand {
            payment: PaymentId([number; 16]),
            target,
            max_fee: Amount::ZERO,
            note: Vec::new(),
            invoice: None,
            locked: false,
            attempts: Vec::new(),
        };
        let (answer, answered) = oneshot::channel();
        // Somebody waits to the end of the test.
        std::mem::forget(answered);
        Held::new(pay, answer)
    }

    /// Offers with room for so many; which were offered, and what was answered.
    fn offer(waiting: &mut HeldPayments, mut room: usize) -> (Vec<u8>, Vec<Verdict>) {
        let (mut offered, mut answered) = (Vec::new(), Vec::new());
        let ended = waiting.offer(
            |pay| {
                offered.push(pay.payment.0[0]);
                if room == 0 {
                    return Ok(Err(Rejection::ChannelBusy { channel: BUSY }));
                }
                room -= 1;
                Ok::<_, Infallible>(Ok(Answer::Payment(pay.payment)))
            },
            |_, verdict| answered.push(verdict),
        );
        assert!(ended.is_ok());
        (offered, answered)
    }

    #[test]
    fn a_busy_channel_answers_nobody_and_keeps_the_order() {
        let mut waiting = HeldPayments::default();
        (1..=4).for_each(|number| waiting.push(held(number)));
        let (offered, answered) = offer(&mut waiting, 1);
        assert_eq!((offered, answered.len()), (vec![1, 2, 3, 4], 1));
        // Known to want the busy channel: one of them asks for all.
        assert_eq!(offer(&mut waiting, 0), (vec![2], Vec::new()));
        waiting.push(held(5));
        let (offered, answered) = offer(&mut waiting, 4);
        assert_eq!((offered, answered.len()), (vec![2, 3, 4, 5], 4));
    }

    #[test]
    fn other_refusals_are_answered_at_once() {
        let mut waiting = HeldPayments::default();
        waiting.push(held(1));
        let mut answered = Vec::new();
        let refuse = |_| Ok::<_, Infallible>(Err(Rejection::PayToSelf));
        assert!(waiting.offer(refuse, |_, verdict| answered.push(verdict)).is_ok());
        assert_eq!(answered, [Err(Rejection::PayToSelf)]);
    }

    #[test]
    fn whose_caller_has_gone_is_not_made_any_more() {
        let mut waiting = HeldPayments::default();
        let (answer, answered) = oneshot::channel();
        waiting.push(Held { answer, ..held(1) });
        waiting.push(held(2));
        assert_eq!(offer(&mut waiting, 0).0, [1, 2]);
        drop(answered);
        assert_eq!(offer(&mut waiting, 2).0, [2]);
    }

    #[test]
    fn nobody_waits_for_ever_and_not_everybody_waits() {
        let busy = Err(Rejection::ChannelBusy { channel: BUSY });
        let mut waiting = HeldPayments::default();
        waiting.push(Held { since: Instant::now() - LONGEST, ..held(1) });
        waiting.push(held(2));
        assert_eq!(offer(&mut waiting, 0).1, std::slice::from_ref(&busy));
        (0..MOST).for_each(|_| waiting.push(held(3)));
        assert_eq!(offer(&mut waiting, 0).1, [busy]);
    }
}
