//! The bytes of every message, so that a change of the format is loud. `PHOTON_GOLDEN=write`
//! writes the file anew; then the version of the protocol has to rise.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use photon_wire::claim::Domain;
use photon_wire::codec::{Decode, Encode};
use photon_wire::lock::Lock;
use photon_wire::message::{
    Acknowledge, AgreeSettle, AgreeWithdraw, Agreement, ChannelStatus, Decline, Dispose,
    DisposedLock, Failure, Hello, Message, Operation, ProposeSettle, Reason, Refuse,
    RequestWithdraw, Update, VERSION,
};
use photon_wire::onward::{ForTarget, Hop, Onward};
use photon_wire::record::{FeeSchedule, NodeRecord};
use photon_wire::seal::EncryptionKey;
use photon_wire::{
    Address, Amount, B256, ChannelId, Epoch, LockHash, LockNumber, Locksroot, Nonce, PaymentId,
    Secret, SecretHash, Signature, SigningKey, Slot, Timestamp,
};
use std::fmt::Write as _;

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/messages.txt");

fn onward() -> Vec<u8> {
    let hop = Hop { node: Address::repeat_byte(0x21), amount: Amount(19) };
    Onward { hops: vec![hop], sealed: vec![0x22; 5] }.to_bytes()
}

fn update() -> Update {
    let lock = Lock {
        number: LockNumber(9),
        amount: Amount(20),
        expiration: Timestamp(1_000),
        secret_hash: SecretHash(B256::repeat_byte(0x05)),
    };
    Update {
        channel: ChannelId(B256::repeat_byte(0x01)),
        epoch: Epoch(2),
        nonce: Nonce(7),
        operations: vec![
            Operation::Pay { payment: PaymentId([0x02; 16]), amount: Amount(3), note: vec![4] },
            Operation::Lock { slot: Slot(4095), lock, onward: onward() },
            Operation::Unlock { slot: Slot(1), secret: Secret([0x07; 32]) },
            Operation::Expire { slot: Slot(2) },
            Operation::Drop { slot: Slot(3) },
        ],
        transferred: Amount(100),
        locked: Amount(20),
        locksroot: Locksroot(B256::repeat_byte(0x08)),
        signature: Signature([0x09; 65]),
    }
}

fn record() -> NodeRecord {
    NodeRecord {
        account: Address::ZERO,
        encryption_key: EncryptionKey([0x31; 32]),
        addresses: vec!["/ip4/127.0.0.1/tcp/9000".to_owned()],
        fees: FeeSchedule { base: Amount(1), parts_per_million: 2 },
        issued: Timestamp(3),
        valid_until: Timestamp(4),
        signature: Signature([0; 65]),
    }
    .sign(&SigningKey::from_bytes(&[1; 32]).unwrap(), &Domain::new(1337, Address::ZERO))
}

fn messages() -> Vec<(&'static str, Message)> {
    let (channel, epoch) = (ChannelId(B256::repeat_byte(0x01)), Epoch(2));
    let failure = Failure { hop: Address::repeat_byte(0x0a), reason: Reason::FeeTooLow };
    let lock = LockHash(B256::repeat_byte(0x0b));
    vec![
        (
            "hello",
            Message::Hello(Hello {
                version: VERSION,
                chain_id: 1337,
                contract: Address::repeat_byte(0x0c),
            }),
        ),
        (
            "reestablish",
            Message::Reestablish(vec![ChannelStatus {
                channel,
                epoch,
                sent: Nonce(3),
                received: Nonce(4),
                asks: true,
            }]),
        ),
        ("update", Message::Update(update())),
        ("acknowledge", Message::Acknowledge(Acknowledge { channel, epoch, nonce: Nonce(5) })),
        ("refuse", Message::Refuse(Refuse { channel, epoch, nonce: Nonce(6), rule: 12 })),
        ("reveal", Message::Reveal(vec![Secret([0x0d; 32]), Secret([0x0e; 32])])),
        (
            "dispose",
            Message::Dispose(Dispose {
                channel,
                epoch,
                locks: vec![DisposedLock { lock, failure }],
                signature: Signature([0x0f; 65]),
            }),
        ),
        ("records", Message::Records(vec![record()])),
    ]
    .into_iter()
    .chain(agreements())
    .collect()
}

fn agreements() -> [(&'static str, Message); 5] {
    let (channel, epoch) = (ChannelId(B256::repeat_byte(0x01)), Epoch(2));
    let (withdrawn, valid_until) = (Amount(50), Timestamp(1_000));
    let (transferred_low, transferred_high) = (Amount(30), Amount(5));
    let (sent, received) = (Nonce(3), Nonce(4));
    let signature = Signature([0x10; 65]);
    let request = RequestWithdraw { channel, epoch, withdrawn, valid_until };
    let agree = AgreeWithdraw { channel, epoch, withdrawn, valid_until, signature };
    let propose = ProposeSettle {
        channel,
        epoch,
        sent,
        received,
        transferred_low,
        transferred_high,
        valid_until,
    };
    let settle =
        AgreeSettle { channel, epoch, transferred_low, transferred_high, valid_until, signature };
    let agreement = Agreement::Settle;
    let decline = Decline { channel, epoch, agreement, valid_until, rule: 30 };
    [
        ("request_withdraw", Message::RequestWithdraw(request)),
        ("agree_withdraw", Message::AgreeWithdraw(agree)),
        ("propose_settle", Message::ProposeSettle(propose)),
        ("agree_settle", Message::AgreeSettle(settle)),
        ("decline", Message::Decline(decline)),
    ]
}

#[test]
fn every_message_has_the_bytes_that_it_always_had() {
    let mut found = String::new();
    for (name, message) in messages() {
        let bytes = message.to_bytes();
        assert_eq!(Message::from_bytes(&bytes), Ok(message));
        writeln!(found, "{name} {}", alloy_primitives::hex::encode(&bytes)).unwrap();
    }
    let for_target = ForTarget {
        payment: PaymentId([0x41; 16]),
        amount: Amount(42),
        secret: Some(Secret([0x43; 32])),
        note: b"for you".to_vec(),
    };
    let bytes = for_target.to_bytes();
    writeln!(found, "for_target {}", alloy_primitives::hex::encode(&bytes)).unwrap();
    if std::env::var_os("PHOTON_GOLDEN").is_some() {
        std::fs::write(FILE, &found).unwrap();
    }
    assert_eq!(found, std::fs::read_to_string(FILE).unwrap());
}

#[test]
fn no_cut_and_no_flipped_byte_of_a_message_panics() {
    for (_, message) in messages() {
        let bytes = message.to_bytes();
        for length in 0..bytes.len() {
            assert!(Message::from_bytes(&bytes[..length]).is_err());
        }
        for index in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[index] ^= 0xff;
            if let Ok(other) = Message::from_bytes(&changed) {
                assert_eq!(other.to_bytes(), changed, "one value, one encoding");
            }
        }
    }
}
