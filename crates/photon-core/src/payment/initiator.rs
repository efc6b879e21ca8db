//! The initiator: picks a route, promises the first hop, and tries another route if it fails.

use crate::channel::check_amount;
use crate::effect::Change;
use crate::input::{Attempt, PayCommand};
use crate::machine::{Answer, Machine};
use crate::record::{LockRole, PaymentRecord};
use crate::reject::Rejection;
use crate::route::{NoRoute, Query, Route};
use crate::view::{NoticeKind, PaymentFailure, PaymentStatus, Quote, Target};
use alloc::collections::BTreeSet;
use alloc::vec::Vec;
use photon_wire::codec::Encode;
use photon_wire::limits::{MEDIATORS, NOTE_BYTES, ONWARD_BYTES};
use photon_wire::message::{Failure, Reason};
use photon_wire::onward::{Hop, Onward};
use photon_wire::{Address, Amount, PaymentId, Secret, SecretHash};

impl Machine {
    /// Starts a payment, or recognises one that was started.
    pub(crate) fn pay(&mut self, pay: PayCommand) -> Result<Answer, Rejection> {
        if let Some(known) = self.payments.get(&pay.payment) {
            let same = known.target == pay.target && known.invoice == pay.invoice;
            return if same {
                Ok(Answer::Payment(pay.payment))
            } else {
                Err(Rejection::PaymentExists { payment: pay.payment })
            };
        }
        self.check_payment(&pay)?;
        let now = self.clock.now();
        let mut record = PaymentRecord {
            id: pay.payment,
            target: pay.target,
            max_fee: pay.max_fee,
            fee: Amount::ZERO,
            route: [self.config.account, pay.target.account].into(),
            note: pay.note,
            invoice: pay.invoice,
            direct: None,
            created: now,
            changed: now,
            status: PaymentStatus::Pending,
            attempts: pay.attempts,
        };
        if pay.locked || pay.invoice.is_some() || !self.pays_directly(&pay.target)? {
            self.try_attempt(&mut record)?;
        } else {
            self.pay_directly(&mut record)?;
        }
        self.change(Change::Payment(record.clone()));
        self.payments.insert(record.id, record);
        Ok(Answer::Payment(pay.payment))
    }

    fn check_payment(&self, pay: &PayCommand) -> Result<(), Rejection> {
        self.check_target(&pay.target)?;
        // A-B-C: two payments of one invoice. Mediating the second, B knows the secret from the
        // first and keeps it.
        if let Some(payment) = pay.invoice.and_then(|hash| self.payment_of(hash)) {
            return Err(Rejection::PaymentExists { payment });
        }
        if pay.note.len() > NOTE_BYTES {
            return Err(Rejection::NoteTooLong { length: pay.note.len() });
        }
        Ok(())
    }

    /// The payment that pays this invoice, or has paid it in this turn. What was paid in earlier
    /// turns the store knows.
    fn payment_of(&self, invoice: SecretHash) -> Option<PaymentId> {
        let pending = || self.payments.values().find(|known| known.invoice == Some(invoice));
        self.just_paid.get(&invoice).copied().or_else(|| pending().map(|twin| twin.id))
    }

    fn check_target(&self, target: &Target) -> Result<(), Rejection> {
        check_amount(target.amount)?;
        if target.account == self.config.account {
            return Err(Rejection::PayToSelf);
        }
        if target.account == Address::ZERO {
            return Err(Rejection::ZeroAddress);
        }
        let has_channels = self
            .channels
            .values()
            .any(|channel| channel.token == target.token && channel.is_open());
        if has_channels { Ok(()) } else { Err(Rejection::NoChannels { token: target.token }) }
    }

    /// Whether the target is a partner that can be paid at once.
    fn pays_directly(&self, target: &Target) -> Result<bool, Rejection> {
        let Some(channel) = self.to(target.token, target.account) else { return Ok(false) };
        if !channel.takes_payments() {
            return Ok(false);
        }
        if !self.online.contains(&target.account) {
            return Err(Rejection::PartnerOffline { partner: target.account });
        }
        Ok(channel.spendable() >= target.amount)
    }

    fn pay_directly(&mut self, record: &mut PaymentRecord) -> Result<(), Rejection> {
        let Target { token, account, amount } = record.target;
        let channel = self.to(token, account).ok_or(Rejection::NoRoute { target: account })?;
        // Who sees no chain sees no closing either: what is paid on must still be disputable.
        let silence = self.clock.local.since(self.clock.head);
        if !self.chain_reachable && silence.plus(silence) > channel.settle_timeout {
            return Err(Rejection::ChainUnavailable);
        }
        let id = channel.id;
        let channel = self.channel_mut(id).ok_or(Rejection::UnknownChannel { channel: id })?;
        let nonce = channel.send_pay(record.id, amount, record.note.clone())?;
        record.direct = Some((id, nonce));
        self.direct.entry((id, nonce)).or_default().push(record.id);
        Ok(())
    }

    /// Promises the first hop of the best route; nothing has changed where that is refused.
    fn try_attempt(&mut self, record: &mut PaymentRecord) -> Result<(), Rejection> {
        if !self.chain_reachable {
            return Err(Rejection::ChainUnavailable);
        }
        let target = record.target;
        let avoid = self.avoided.get(&record.id).cloned().unwrap_or_default();
        let route = self.find_route(&target, record.max_fee, &avoid)?;
        let unknown = Rejection::UnknownTarget { target: target.account };
        let attempt = record.attempts.first().cloned().ok_or(unknown)?;
        // A lock that waits for a public secret is a present to the first hop.
        if self.registered.contains(&attempt.secret_hash) {
            let (hop, reason) = (self.config.account, Reason::DuplicateLock);
            return Err(Rejection::Failed { hop, reason });
        }
        let unreachable = Rejection::NoRoute { target: target.account };
        let first = *route.nodes.get(1).ok_or(unreachable)?;
        let total = *route.amounts.first().ok_or(unreachable)?;
        let packet = packet(&route, attempt.clone());
        if packet.len() > ONWARD_BYTES {
            return Err(unreachable);
        }
        let expiration = self.clock.now().after(self.config.timing.lock_duration);
        let id = self.to(target.token, first).ok_or(unreachable)?.id;
        let channel = self.channel_mut(id).ok_or(unreachable)?;
        let role = LockRole::Initiator(record.id);
        let key = channel.send_lock(total, expiration, attempt.secret_hash, packet, role)?;
        if let Some(lock) = self.lock(key).cloned() {
            self.locks.add(key, &lock);
        }
        record.attempts.remove(0);
        record.fee = route.fee();
        record.route = route.nodes;
        Ok(())
    }

    fn find_route(
        &self,
        target: &Target,
        most_fee: Amount,
        avoid: &BTreeSet<(Address, Address)>,
    ) -> Result<Route, Rejection> {
        let first = |partner: Address| {
            let channel = self.to(target.token, partner)?;
            let usable = channel.takes_payments() && self.online.contains(&partner);
            usable.then(|| channel.spendable())
        };
        let graph =
            self.graphs.get(&target.token).ok_or(Rejection::NoChannels { token: target.token })?;
        let query = Query {
            from: self.config.account,
            to: target.account,
            amount: target.amount,
            most_fee,
            most_mediators: MEDIATORS,
            first: &first,
            avoid,
        };
        graph.route(&query).map_err(|reason| rejection_of(reason, target, most_fee))
    }

    /// What a payment would cost, and over which route. Nothing is sent.
    ///
    /// # Errors
    /// As the payment itself would be refused now.
    pub fn quote(&self, target: Target, most_fee: Amount) -> Result<Quote, Rejection> {
        self.check_target(&target)?;
        if self.pays_directly(&target)? {
            return Ok(Quote {
                route: [self.config.account, target.account].into(),
                total: target.amount,
                fee: Amount::ZERO,
                direct: true,
                trouble_percent: 1,
            });
        }
        let route = self.find_route(&target, most_fee, &BTreeSet::new())?;
        Ok(Quote {
            total: target.amount.saturating_add(route.fee()),
            fee: route.fee(),
            direct: false,
            trouble_percent: self.trouble(&target, &route),
            route: route.nodes,
        })
    }

    /// A guess: each channel of strangers holds anything from nothing to all of its deposits on
    /// the paying side, so it fails with the share of the deposits that the amount is.
    fn trouble(&self, target: &Target, route: &Route) -> u8 {
        let mut success_millionths = 1_000_000_u128;
        let hops = route.nodes.windows(2).zip(&route.amounts).skip(1);
        for (pair, amount) in hops {
            let [from, to] = pair else { continue };
            let capacity = photon_wire::ChannelKey::new(target.token, *from, *to)
                .and_then(|key| self.graph_rows.get(&key.id()))
                .map_or(Amount::ZERO, |row| row.deposit_low.saturating_add(row.deposit_high));
            let left = capacity.saturating_sub(*amount).0.saturating_mul(success_millionths);
            success_millionths = left.checked_div(capacity.0).unwrap_or_default();
        }
        let percent = success_millionths.checked_div(10_000).unwrap_or_default();
        100_u8.saturating_sub(u8::try_from(percent).unwrap_or(100))
    }

    /// The target has it.
    pub(crate) fn payment_arrived(&mut self, id: PaymentId, proof: Option<Secret>) {
        let Some(record) = self.end_payment(id, PaymentStatus::Paid { proof }) else { return };
        if let Some(invoice) = record.invoice {
            self.just_paid.insert(invoice, id);
        }
        let Target { token, account, amount } = record.target;
        let fee = record.fee;
        self.change(Change::Payment(record));
        self.notify(NoticeKind::PaymentSent { payment: id, token, target: account, amount, fee });
    }

    /// Somebody on the route could not go on: another route, or the end.
    pub(crate) fn attempt_failed(&mut self, id: PaymentId, failure: Failure) {
        let Some(mut record) = self.payments.remove(&id) else { return };
        let next = self.next_attempt(&mut record, &failure);
        record.changed = self.clock.now();
        self.change(Change::Payment(record.clone()));
        self.payments.insert(id, record);
        if next.is_err() {
            self.payment_failed(id, PaymentFailure::Hop(failure));
        }
    }

    fn next_attempt(
        &mut self,
        record: &mut PaymentRecord,
        failure: &Failure,
    ) -> Result<(), Rejection> {
        let target = record.target.account;
        let broken = record
            .route
            .windows(2)
            .find_map(|pair| match pair {
                [from, to] if *from == failure.hop && failure.hop != target => Some((*from, *to)),
                _ => None,
            })
            .ok_or(Rejection::NoRoute { target })?;
        self.avoided.entry(record.id).or_default().insert(broken);
        self.try_attempt(record)
    }

    pub(crate) fn payment_failed(&mut self, id: PaymentId, failure: PaymentFailure) {
        let Some(record) = self.end_payment(id, PaymentStatus::Failed(failure)) else { return };
        self.change(Change::Payment(record));
        self.notify(NoticeKind::PaymentFailed { payment: id, failure });
    }

    fn end_payment(&mut self, id: PaymentId, status: PaymentStatus) -> Option<PaymentRecord> {
        let mut record = self.payments.remove(&id)?;
        self.avoided.remove(&id);
        record.status = status;
        record.changed = self.clock.now();
        record.attempts = Vec::new();
        Some(record)
    }
}

/// What the first hop gets beside the lock: the rest of the route, and the target's part.
fn packet(route: &Route, attempt: Attempt) -> Vec<u8> {
    let nodes = route.nodes.iter().skip(2);
    let amounts = route.amounts.iter().skip(1);
    let hops = nodes.zip(amounts).map(|(node, amount)| Hop { node: *node, amount: *amount });
    Onward { hops: hops.collect(), sealed: attempt.sealed }.to_bytes()
}

fn rejection_of(reason: NoRoute, target: &Target, most: Amount) -> Rejection {
    match reason {
        NoRoute::NoChannels => Rejection::NoChannels { token: target.token },
        NoRoute::TargetUnknown | NoRoute::Unreachable | NoRoute::TooLong => {
            Rejection::NoRoute { target: target.account }
        }
        NoRoute::NoCapacity { best, needed } => Rejection::NoCapacity { spendable: best, needed },
        NoRoute::FirstHopsOffline { partner } => Rejection::PartnerOffline { partner },
        NoRoute::FeeTooHigh { fee } => Rejection::FeeTooHigh { most, fee },
    }
}
