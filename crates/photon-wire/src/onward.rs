//! What a lock carries for those after the next hop. Nothing outside this module depends on what
//! is in it but through [`Onward`] and [`ForTarget`].
//!
//! Version 1 shows a mediator the rest of the route and the amounts after it, never the initiator.

use crate::codec::{Decode, DecodeError, Encode, Reader, put_bytes, put_list};
use crate::limits::{MEDIATORS, NOTE_BYTES, ONWARD_BYTES};
use crate::{Address, Amount, PaymentId, Secret};
use alloc::vec::Vec;

const VERSION: u8 = 1;

/// One step of the rest of a route.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Hop {
    /// The next node.
    pub node: Address,
    /// What to lock for it.
    pub amount: Amount,
}

crate::fields_codec!(Hop { node, amount });

/// The packet beside a lock.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Onward {
    /// The rest of the route; empty at the target.
    pub hops: Vec<Hop>,
    /// For the target's eyes: a sealed [`ForTarget`].
    pub sealed: Vec<u8>,
}

impl Onward {
    /// The packet for the next hop, and where it goes; none at the target.
    pub fn peel(&self) -> Option<(Hop, Self)> {
        let (next, rest) = self.hops.split_first()?;
        Some((*next, Self { hops: rest.to_vec(), sealed: self.sealed.clone() }))
    }
}

impl Encode for Onward {
    fn encode(&self, out: &mut Vec<u8>) {
        out.push(VERSION);
        put_list(out, &self.hops);
        put_bytes(out, &self.sealed);
    }
}

impl Decode for Onward {
    fn decode(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let version = u8::decode(input)?;
        if version != VERSION {
            return Err(DecodeError::Tag { what: "onward packet", got: version });
        }
        const HOP: usize = 36;
        let hops = input.list(MEDIATORS.saturating_add(1), HOP)?;
        Ok(Self { hops, sealed: input.bytes(ONWARD_BYTES)? })
    }
}

/// What only the target may read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ForTarget {
    /// The payer's name for the payment.
    pub payment: PaymentId,
    /// What the target shall get at least; a mediator that keeps more is found out.
    pub amount: Amount,
    /// Opens the lock; none where the target knows it, from its invoice.
    pub secret: Option<Secret>,
    /// Whatever the payer wants to say.
    pub note: Vec<u8>,
}

impl Encode for ForTarget {
    fn encode(&self, out: &mut Vec<u8>) {
        self.payment.encode(out);
        self.amount.encode(out);
        self.secret.encode(out);
        put_bytes(out, &self.note);
    }
}

impl Decode for ForTarget {
    fn decode(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            payment: PaymentId::decode(input)?,
            amount: Amount::decode(input)?,
            secret: Option::decode(input)?,
            note: input.bytes(NOTE_BYTES)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_hop_sees_the_rest_of_the_route_and_the_target_sees_none() {
        let hop = |byte| Hop { node: Address::repeat_byte(byte), amount: Amount(byte.into()) };
        let packet = Onward { hops: [hop(1), hop(2)].into(), sealed: [9; 40].into() };
        let (first, rest) = packet.peel().unwrap();
        assert_eq!((first, rest.hops.as_slice()), (hop(1), [hop(2)].as_slice()));
        let (second, last) = rest.peel().unwrap();
        assert_eq!(second, hop(2));
        assert_eq!(last.peel(), None);
        assert_eq!(Onward::from_bytes(&packet.to_bytes()), Ok(packet));
    }
}
