//! Decoding, recovering signers and opening what is sealed to us: everything that costs.

use super::bucket::Bucket;
use lru::LruCache;
use photon_core::{OpenedLock, SignedMessage};
use photon_wire::claim::{Claim, Domain};
use photon_wire::codec::{Decode, DecodeError};
use photon_wire::message::{Message, Operation, Update};
use photon_wire::onward::{ForTarget, Onward};
use photon_wire::record::NodeRecord;
use photon_wire::seal::{OpeningKey, Sealed, SharedKey};
use photon_wire::{Address, Seconds, SecretHash, Timestamp, Verifier};
use std::num::NonZeroUsize;
use std::time::Instant;

/// Shared keys that a worker remembers: agreeing on one costs as much as a signature.
const SHARED_KEYS: NonZeroUsize = NonZeroUsize::new(4_096).expect("4096 is not zero");
/// Accounts whose latest record a worker remembers as checked.
const CHECKED_RECORDS: NonZeroUsize = NonZeroUsize::new(16_384).expect("16384 is not zero");
/// How far a record may come from the future: clocks differ.
const RECORD_HASTE: Seconds = Seconds(3_600);
/// The longest that a record may count.
const RECORD_LENGTH: Seconds = Seconds(7 * 24 * 3_600);

/// What no honest node sends.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub(crate) enum Garbage {
    /// The bytes are no message.
    #[error("its message does not decode: {0}")]
    Undecodable(#[from] DecodeError),
    /// A second hello.
    #[error("it said hello again")]
    SecondHello,
    /// Frames without end before the hello.
    #[error("it sent too many frames before its hello")]
    NoHello,
    /// A record that its account did not sign.
    #[error("it passed on a node record that {0} did not sign")]
    ForgedRecord(Address),
    /// Messages without end about channels that we do not have.
    #[error("it sent too many messages without having a channel with us")]
    NotPartner,
}

/// A message that may go to the core.
#[derive(Debug)]
pub(crate) struct Verified {
    /// None where nothing is left of it.
    pub(crate) message: Option<SignedMessage>,
    /// How many updates are in it.
    pub(crate) updates: u64,
}

/// One worker's tools.
pub(crate) struct Verify {
    account: Address,
    domain: Domain,
    verifier: Verifier,
    opening: OpeningKey,
    shared: LruCache<[u8; 32], SharedKey>,
    checked: LruCache<Address, Timestamp>,
}

impl Verify {
    /// For messages to `account`.
    pub(crate) fn new(account: Address, domain: Domain, opening: OpeningKey) -> Self {
        Self {
            account,
            domain,
            verifier: Verifier::new(),
            opening,
            shared: LruCache::new(SHARED_KEYS),
            checked: LruCache::new(CHECKED_RECORDS),
        }
    }

    /// Whether these bytes can only be node records: the one thing that strangers may say.
    pub(crate) fn is_records(bytes: &[u8]) -> bool {
        const RECORDS_TAG: u8 = 8;
        bytes.first() == Some(&RECORDS_TAG)
    }

    /// Checks one message of `from`.
    ///
    /// A wrong signature on an update or a disposal is not garbage but a broken rule: the core is
    /// told who signed, stops the direction and tells the owner.
    pub(crate) fn message(
        &mut self,
        from: Address,
        bytes: &[u8],
        records: &mut Bucket,
        now: Timestamp,
    ) -> Result<Verified, Garbage> {
        let message = Message::from_bytes(bytes)?;
        let mut signer = None;
        let mut opened = Vec::new();
        let mut updates = 0;
        let message = match message {
            Message::Hello(_) => return Err(Garbage::SecondHello),
            Message::Update(update) => {
                updates = 1;
                let digest = update.proof(from).digest(&self.domain);
                signer = self.verifier.signer(digest, &update.signature).ok();
                if signer == Some(from) {
                    opened = self.open_all(&update);
                }
                Message::Update(update)
            }
            Message::Dispose(dispose) => {
                let digest = dispose.disposal(self.account).digest(&self.domain);
                signer = self.verifier.signer(digest, &dispose.signature).ok();
                Message::Dispose(dispose)
            }
            Message::AgreeWithdraw(agree) => {
                let digest = agree.claim(self.account).digest(&self.domain);
                signer = self.verifier.signer(digest, &agree.signature).ok();
                Message::AgreeWithdraw(agree)
            }
            Message::AgreeSettle(agree) => {
                let digest = agree.claim().digest(&self.domain);
                signer = self.verifier.signer(digest, &agree.signature).ok();
                Message::AgreeSettle(agree)
            }
            Message::Records(list) => {
                let list = self.records(list, records, now)?;
                if list.is_empty() {
                    return Ok(Verified { message: None, updates });
                }
                Message::Records(list)
            }
            other @ (Message::Reestablish(_)
            | Message::Acknowledge(_)
            | Message::Refuse(_)
            | Message::Reveal(_)
            | Message::RequestWithdraw(_)
            | Message::ProposeSettle(_)
            | Message::Decline(_)) => other,
        };
        let message = Some(SignedMessage { from, message, signer, opened });
        Ok(Verified { message, updates })
    }

    /// The records that are worth telling: new to us, of our time, and signed.
    fn records(
        &mut self,
        list: Vec<NodeRecord>,
        bucket: &mut Bucket,
        now: Timestamp,
    ) -> Result<Vec<NodeRecord>, Garbage> {
        let mut fresh = Vec::new();
        for record in list {
            let known = self.checked.get(&record.account).is_some_and(|at| *at >= record.issued);
            let of_our_time = record.issued <= now.after(RECORD_HASTE)
                && record.valid_until > now
                && record.valid_until <= record.issued.after(RECORD_LENGTH);
            if known || !of_our_time || !bucket.take(Instant::now()) {
                continue;
            }
            if record.verify(&self.verifier, &self.domain).is_err() {
                return Err(Garbage::ForgedRecord(record.account));
            }
            self.checked.put(record.account, record.issued);
            fresh.push(record);
        }
        Ok(fresh)
    }

    /// The locks of an update that end at us.
    fn open_all(&mut self, update: &Update) -> Vec<OpenedLock> {
        let mut opened = Vec::new();
        for (operation, said) in update.operations.iter().enumerate() {
            if let Operation::Lock { lock, onward, .. } = said
                && let Some(contents) = self.open(onward, lock.secret_hash)
            {
                opened.push(OpenedLock { operation, contents });
            }
        }
        opened
    }

    /// What the initiator says to us; none where the lock goes on, or what is sealed is not for us.
    fn open(&mut self, onward: &[u8], secret_hash: SecretHash) -> Option<ForTarget> {
        let onward = Onward::from_bytes(onward).ok()?;
        if !onward.hops.is_empty() {
            return None;
        }
        let sealed = Sealed::parse(&onward.sealed).ok()?;
        if !self.shared.contains(&sealed.encapsulated) {
            let key = self.opening.accept(&sealed.encapsulated).ok()?;
            self.shared.put(sealed.encapsulated, key);
        }
        let key = self.shared.get(&sealed.encapsulated)?;
        let plain = sealed.open(key, secret_hash.0.as_slice()).ok()?;
        ForTarget::from_bytes(&plain).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use photon_wire::codec::Encode;
    use photon_wire::lock::Lock;
    use photon_wire::record::FeeSchedule;
    use photon_wire::seal::EncryptionKey;
    use photon_wire::{
        Amount, ChannelId, Epoch, LockNumber, Locksroot, Nonce, PaymentId, Secret, Signature,
        SigningKey, Slot,
    };

    const NOW: Timestamp = Timestamp(1_000_000);

    fn key(number: u8) -> SigningKey {
        SigningKey::from_bytes(&[number; 32]).unwrap()
    }

    fn domain() -> Domain {
        Domain::new(1337, Address::repeat_byte(9))
    }

    fn bucket() -> Bucket {
        Bucket::of(true, Instant::now())
    }

    fn verify() -> Verify {
        Verify::new(key(1).address(), domain(), OpeningKey::derive(&[1; 32]))
    }

    fn record(account: u8) -> NodeRecord {
        NodeRecord {
            account: Address::ZERO,
            encryption_key: EncryptionKey([1; 32]),
            addresses: Vec::new(),
            fees: FeeSchedule::default(),
            issued: NOW,
            valid_until: NOW.after(Seconds(60)),
            signature: Signature([0; 65]),
        }
        .sign(&key(account), &domain())
    }

    fn locked(to: &OpeningKey, bound: Option<SecretHash>) -> Update {
        let sealer = crate::sealing::Sealer::default();
        let attempt =
            sealer.attempt(to.public(), PaymentId([3; 16]), Amount(5), b"for you").unwrap();
        let onward = Onward { hops: Vec::new(), sealed: attempt.sealed }.to_bytes();
        let lock = Lock {
            number: LockNumber(1),
            amount: Amount(5),
            expiration: NOW.after(Seconds(60)),
            secret_hash: bound.unwrap_or(attempt.secret_hash),
        };
        let mut update = Update {
            channel: ChannelId::default(),
            epoch: Epoch(1),
            nonce: Nonce(1),
            operations: vec![
                Operation::Unlock { slot: Slot(9), secret: Secret([2; 32]) },
                Operation::Lock { slot: Slot(0), lock, onward },
            ],
            transferred: Amount(0),
            locked: Amount(5),
            locksroot: Locksroot::EMPTY,
            signature: Signature([0; 65]),
        };
        let digest = update.proof(key(2).address()).digest(&domain());
        update.signature = key(2).sign(digest);
        update
    }

    fn learned(update: Update, from: Address) -> SignedMessage {
        let bytes = Message::Update(update).to_bytes();
        verify().message(from, &bytes, &mut bucket(), NOW).unwrap().message.unwrap()
    }

    #[test]
    fn a_lock_for_us_is_opened_and_its_signer_is_named() {
        let signed = learned(locked(&OpeningKey::derive(&[1; 32]), None), key(2).address());
        assert_eq!(signed.signer, Some(key(2).address()));
        let [opened] = signed.opened.as_slice() else { panic!("{:?}", signed.opened) };
        assert_eq!((opened.operation, opened.contents.note.as_slice()), (1, b"for you".as_slice()));
    }

    #[test]
    fn a_lock_for_another_or_of_another_secret_stays_shut() {
        let other = learned(locked(&OpeningKey::derive(&[8; 32]), None), key(2).address());
        assert!(other.opened.is_empty());
        let hash = Some(SecretHash::default());
        let swapped = learned(locked(&OpeningKey::derive(&[1; 32]), hash), key(2).address());
        assert!(swapped.opened.is_empty());
    }

    #[test]
    fn what_another_signed_is_told_as_such_and_not_opened() {
        let signed = learned(locked(&OpeningKey::derive(&[1; 32]), None), key(3).address());
        assert_ne!(signed.signer, Some(key(3).address()));
        assert!(signed.opened.is_empty());
    }

    #[test]
    fn garbage_is_refused_and_never_a_panic() {
        let mut verify = verify();
        let from = key(2).address();
        let mut refused = |bytes: &[u8]| verify.message(from, bytes, &mut bucket(), NOW).is_err();
        let update = Message::Update(locked(&OpeningKey::derive(&[1; 32]), None)).to_bytes();
        for length in 0..update.len() {
            assert!(refused(&update[..length]));
        }
        for tag in 0..=255 {
            assert!(refused(&[tag, 255, 255, 255, 255]), "tag {tag}");
        }
        let hello =
            photon_wire::message::Hello { version: 1, chain_id: 1337, contract: Address::ZERO };
        assert!(refused(&Message::Hello(hello).to_bytes()));
        let forged = NodeRecord { account: key(5).address(), ..record(4) };
        assert!(refused(&Message::Records(vec![record(3), forged]).to_bytes()));
    }

    #[test]
    fn a_record_is_checked_once_and_told_once() {
        let mut verify = verify();
        let bytes = Message::Records(vec![record(3), record(4), record(3)]).to_bytes();
        let from = key(2).address();
        let first = verify.message(from, &bytes, &mut bucket(), NOW).unwrap().message;
        let Some(SignedMessage { message: Message::Records(told), .. }) = first else {
            panic!("{first:?}");
        };
        assert_eq!(told, [record(3), record(4)]);
        assert!(verify.message(from, &bytes, &mut bucket(), NOW).unwrap().message.is_none());
        let past = NOW.after(Seconds(61));
        let late = Message::Records(vec![record(5)]).to_bytes();
        assert!(verify.message(from, &late, &mut bucket(), past).unwrap().message.is_none());
    }
}
