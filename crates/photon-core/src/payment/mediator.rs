//! The mediator: takes a lock, keeps its fee, passes the rest on with the same expiration.

use crate::machine::Machine;
use crate::record::{LockKey, LockRole};
use crate::reject::Rejection;
use photon_wire::codec::Encode;
use photon_wire::limits::ONWARD_BYTES;
use photon_wire::message::Reason;
use photon_wire::onward::{Hop, Onward};

impl Machine {
    /// Forwards a payer's lock, or says why not; then nothing was forwarded.
    ///
    /// One expiration serves the whole path, because a secret that is registered in time makes
    /// every lock of the path safe.
    pub(crate) fn forward(&mut self, key: LockKey, hop: Hop, rest: &Onward) -> Result<(), Reason> {
        let incoming = self.lock(key).ok_or(Reason::NoChannel)?.lock;
        self.check_time_left(incoming.expiration)?;
        let token = self.with(key.channel).map_err(|_| Reason::NoChannel)?.token;
        let channel = self.to(token, hop.node).ok_or(Reason::NoChannel)?;
        let id = channel.id;
        if id == key.channel || !channel.takes_payments() {
            return Err(Reason::NoChannel);
        }
        if !self.online.contains(&hop.node) {
            return Err(Reason::PartnerOffline);
        }
        let fee = incoming.amount.checked_sub(hop.amount).ok_or(Reason::FeeTooLow)?;
        let asked = self.fees(Some(id)).fee(hop.amount).ok_or(Reason::FeeTooLow)?;
        if fee < asked {
            return Err(Reason::FeeTooLow);
        }
        let packet = rest.to_bytes();
        if packet.len() > ONWARD_BYTES {
            return Err(Reason::BadPacket);
        }
        let channel = self.channel_mut(id).ok_or(Reason::NoChannel)?;
        let outgoing = channel
            .send_lock(
                hop.amount,
                incoming.expiration,
                incoming.secret_hash,
                packet,
                LockRole::Onward(key),
            )
            .map_err(|rejection| reason_of(&rejection))?;
        if let Some(record) = self.lock(outgoing).cloned() {
            self.locks.add(outgoing, &record);
        }
        if let Some(record) = self.lock_mut(key) {
            record.role = LockRole::Forwarded(outgoing);
            record.fee = fee;
        }
        Ok(())
    }
}

/// What a mediator tells its payer of its own channel's refusal.
fn reason_of(rejection: &Rejection) -> Reason {
    match rejection.code() {
        "insufficient_balance" => Reason::InsufficientBalance,
        "channel_busy" => Reason::ChannelBusy,
        "bad_amount" => Reason::AmountTooSmall,
        _ => Reason::NoChannel,
    }
}
