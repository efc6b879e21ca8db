//! When waiting stops being safe. All deadlines are in chain seconds; "now" is the later of the
//! chain's newest time and our own when we ask whether it is still safe, and the confirmed time of
//! the chain when we ask whether it is over.

use crate::machine::{Answer, Machine};
use crate::record::{LockFate, LockKey, LockRecord, LockRole, Purpose};
use crate::reject::Rejection;
use crate::view::PaymentFailure;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use photon_wire::contract::Call;
use photon_wire::limits::REGISTRATION_SECRETS;
use photon_wire::message::{Failure, Reason};
use photon_wire::{Secret, SecretHash, Timestamp};

impl Machine {
    /// Whether a secret that we learn now can still be brought onto the chain in time.
    pub(crate) fn is_safe_to_pay(&self, expiration: Timestamp) -> bool {
        self.clock.now().after(self.config.timing.reveal_timeout) < expiration
    }

    /// Whether a new lock leaves the next node enough time (E1).
    pub(crate) fn check_time_left(&self, expiration: Timestamp) -> Result<(), Reason> {
        let timing = &self.config.timing;
        let needed = timing.reveal_timeout.plus(timing.hop_margin);
        if self.clock.now().after(needed) < expiration {
            Ok(())
        } else {
            Err(Reason::ExpirationTooSoon)
        }
    }

    /// What every payee demands of a lock before it relies on it.
    pub(crate) fn check_acceptable(&self, key: LockKey) -> Result<(), Reason> {
        let (Some(channel), Some(record)) = (self.channels.get(&key.channel), self.lock(key))
        else {
            return Err(Reason::NoChannel);
        };
        if !self.chain_reachable {
            return Err(Reason::ChainUnavailable);
        }
        if !channel.takes_payments() {
            return Err(Reason::NoChannel);
        }
        if record.lock.amount < self.config.least_lock {
            return Err(Reason::AmountTooSmall);
        }
        // E2. A-B: A closes at once; B must be able to claim the lock before the dispute ends,
        // even if the secret comes at the last moment.
        let dispute_end = self.clock.now().after(channel.settle_timeout);
        if record.lock.expiration.after(self.config.timing.claim_time) > dispute_end {
            return Err(Reason::ExpirationTooLate);
        }
        // A-B-C: the secret was registered before there was a lock. C can claim at any time, while
        // B sees a lock that nobody has registered, and lets A take its own back.
        if self.registered.contains(&record.lock.secret_hash) {
            return Err(Reason::DuplicateLock);
        }
        // One live lock for each hash and direction: else one secret, shown once, pays two locks.
        let twins = self.locks.with_hash(record.lock.secret_hash);
        if twins.iter().any(|twin| *twin != key && !twin.ours && !self.is_given_back(*twin)) {
            return Err(Reason::DuplicateLock);
        }
        Ok(())
    }

    fn is_given_back(&self, key: LockKey) -> bool {
        self.lock(key).is_some_and(|record| matches!(record.fate, LockFate::Disposed(_)))
    }

    /// Looks after every deadline that time may have reached.
    pub(crate) fn on_time(&mut self) -> Result<Answer, Rejection> {
        self.register_due();
        self.give_back_held();
        self.take_back_expired();
        self.settle_disputes();
        Ok(Answer::Done)
    }

    /// E4: a payee that knows the secret and is not paid yet makes the secret public in time.
    fn register_due(&mut self) {
        let past = self.clock.past();
        let soon = self.clock.now().after(self.config.timing.reveal_timeout);
        let mut due: BTreeMap<SecretHash, (Secret, Timestamp)> = BTreeMap::new();
        for (expiration, key) in &self.locks.by_expiration {
            let Some(channel) = self.channels.get(&key.channel) else { continue };
            let Some(record) = channel.lock(*key) else { continue };
            let LockFate::Claimed(secret) = &record.fate else { continue };
            // In a dispute nothing is paid off the chain any more.
            let is_due = *expiration <= soon || channel.dispute.is_some();
            let hash = record.lock.secret_hash;
            if key.ours || !is_due || *expiration < past || record.registered.is_some() {
                continue;
            }
            if !self.registering.contains(&hash) {
                due.insert(hash, (secret.clone(), *expiration));
            }
        }
        let due: Vec<(SecretHash, (Secret, Timestamp))> = due.into_iter().collect();
        for chunk in due.chunks(REGISTRATION_SECRETS) {
            let secrets = chunk.iter().map(|(_, (secret, _))| secret.clone()).collect();
            let deadline = chunk.iter().map(|(_, (_, expiration))| *expiration).min();
            self.registering.extend(chunk.iter().map(|(hash, _)| *hash));
            let call = Call::RegisterSecrets(secrets);
            self.submit(Purpose::Register, call, deadline)
                .expect("each registration is a purpose of its own");
        }
    }

    /// E5: a payer takes a lock back only when it is past for good and was not registered.
    fn take_back_expired(&mut self) {
        let past = self.clock.past().before(self.config.timing.expire_margin);
        let expired: Vec<LockKey> = self
            .locks
            .by_expiration
            .range(..(past, LockKey::default()))
            .map(|(_, key)| *key)
            .filter(|key| key.ours)
            .collect();
        expired.into_iter().for_each(|key| self.take_back(key));
    }

    /// Whether its secret was registered in time, as deep as we demand or only seen.
    fn is_registered(&self, record: &LockRecord) -> bool {
        let seen = self.seen_registered.get(&record.lock.secret_hash);
        let in_time = seen.is_some_and(|(time, _)| *time <= record.lock.expiration);
        record.registered.is_some() || in_time
    }

    fn take_back(&mut self, key: LockKey) {
        let Some(record) = self.lock(key).cloned() else { return };
        if self.is_registered(&record) {
            return;
        }
        // We have been paid for it: late is better than never.
        if let (LockRole::Owed, LockFate::Claimed(secret)) = (&record.role, &record.fate) {
            self.pay_on(key, secret, true);
            return;
        }
        let Some(channel) = self.channel_mut(key.channel) else { return };
        if channel.can_sign() {
            channel.send_expire(key.slot).expect("an open channel always takes an expiry");
            self.locks.remove(key, &record);
        }
        // Past and not registered it will never be claimed, even where the channel takes no
        // updates any more; who was told of a disposal has heard so already.
        if matches!(record.fate, LockFate::Disposed(_)) {
            return;
        }
        match record.role {
            LockRole::Initiator(payment) => self.payment_failed(payment, PaymentFailure::Expired),
            LockRole::Onward(_)
            | LockRole::Forwarded(_)
            | LockRole::Target { .. }
            | LockRole::Refused
            | LockRole::Owed => {
                let failure = Failure { hop: self.partner_of(key), reason: Reason::Rejected };
                self.outgoing_failed(key, &record, failure);
            }
        }
    }
}
