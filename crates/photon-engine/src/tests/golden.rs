//! The bytes of every kind of row. A change here is a change of the format: it needs a migration
//! step, and then `PHOTON_GOLDEN=write cargo test -p photon-engine golden` for the new file.

use super::world::{NOW, domain, id, invoice, key};
use crate::outgoing::Outgoing;
use crate::rows::Writer;
use crate::store::{Batch, Key, Store, Table};
use crate::tables;
use photon_core::record::{
    AgreementsRecord, BalanceFact, BlockRecord, ChannelRecord, ClaimsRecord, DisputeRecord,
    EndRecord, EndedRecord, Fact, FactRecord, GraphRecord, IntentRecord, InvoiceRecord, LockChange,
    LockFate, LockKey, LockRecord, LockRole, PaymentRecord, Purpose, ReceiptRecord,
    RegistrationRecord, SettlingRecord, SettlingStage, StandingRecord, Terms, WithdrawalRecord,
};
use photon_core::view::{NoticeKind, PaymentFailure, PaymentStatus, Target};
use photon_core::{Attempt, Change, Intent, IntentId, Notice};
use photon_wire::contract::{Balance, Call, SignedBalance};
use photon_wire::lock::Lock;
use photon_wire::message::{Dispose, DisposedLock, Failure, Operation, Reason, Update};
use photon_wire::record::{FeeSchedule, NodeRecord};
use photon_wire::seal::EncryptionKey;
use photon_wire::{
    Address, Amount, B256, BlockNumber, ChannelId, Epoch, LockHash, LockNumber, Locksroot, Nonce,
    Seconds, Secret, SecretHash, Signature, Slot, Timestamp, Token,
};
use std::fmt::Write;

const GOLDEN: &str = include_str!("../../tests/golden/rows.txt");

fn address(byte: u8) -> Address {
    Address::repeat_byte(byte)
}

fn hash(byte: u8) -> B256 {
    B256::repeat_byte(byte)
}

fn channel() -> ChannelRecord {
    let end = |byte: u8| EndRecord {
        deposit: Amount(u128::from(byte) * 1_000),
        withdrawn: Amount(0),
        nonce: Nonce(byte.into()),
        transferred: Amount(byte.into()),
        next_number: LockNumber(2),
    };
    ChannelRecord {
        id: ChannelId(hash(0x11)),
        token: Token(address(0x22)),
        partner: address(0x33),
        epoch: Epoch(4),
        settle_timeout: Seconds(5_000),
        ours: end(6),
        theirs: end(7),
        acknowledged: Nonce(5),
        proof: Some(SignedBalance {
            nonce: Nonce(7),
            transferred: Amount(7),
            locksroot: Locksroot(hash(0x44)),
            signature: Signature([0x55; 65]),
        }),
        stopped: Some(13),
        closing: true,
        dispute: Some(DisputeRecord {
            closer: address(0x33),
            update_until: Timestamp(NOW + 100),
            ours: Balance { transferred: Amount(6), ..Balance::default() },
            theirs: Balance { locksroot: Locksroot(hash(0x44)), ..Balance::default() },
            theirs_nonce: Nonce(7),
        }),
        standing: standing(),
        agreements: agreements(),
    }
}

fn standing() -> StandingRecord {
    let block = BlockNumber(70);
    let balance = Balance { locksroot: Locksroot(hash(0x44)), ..Balance::default() };
    StandingRecord {
        facts: vec![FactRecord { fact: Fact::Closed, block, doubted: true }],
        balances: vec![BalanceFact { block, ours: false, nonce: Nonce(7), balance }],
        claims: ClaimsRecord { nonce: Nonce(6), slots: vec![Slot(3)] },
    }
}

fn agreements() -> AgreementsRecord {
    let (withdrawn, valid_until) = (Amount(50), Timestamp(NOW + 9));
    let (transferred_low, transferred_high) = (Amount(6), Amount(7));
    let terms = Terms { transferred_low, transferred_high, valid_until };
    let stage = SettlingStage::Executing(terms, Signature([0x59; 65]));
    AgreementsRecord {
        ours: Some(WithdrawalRecord {
            withdrawn,
            valid_until,
            signature: Some(Signature([0x5a; 65])),
        }),
        theirs: Some(WithdrawalRecord { withdrawn, valid_until, signature: None }),
        settling: Some(SettlingRecord { stage, until: valid_until }),
        history: Some(Nonce(2)),
        disposed: true,
    }
}

fn changed_lock() -> LockChange {
    let lock = lock(LockRole::Refused, LockFate::Open).lock;
    LockChange { slot: Slot(3), lock, added: true }
}

fn lock(role: LockRole, fate: LockFate) -> LockRecord {
    LockRecord {
        lock: Lock {
            number: LockNumber(1),
            amount: Amount(20),
            expiration: Timestamp(NOW + 2_400),
            secret_hash: SecretHash(hash(0x66)),
        },
        role,
        fate,
        registered: Some(RegistrationRecord {
            time: Timestamp(NOW),
            root: hash(0x77),
            index: 3,
            path: vec![hash(0x78), hash(0x79)],
        }),
        unlocked: true,
        fee: Amount(1),
    }
}

fn payment(number: u8, status: PaymentStatus) -> PaymentRecord {
    PaymentRecord {
        id: id(number),
        target: Target {
            token: Token(address(0x22)),
            account: address(0x88),
            amount: Amount(1 << 90),
        },
        max_fee: Amount(10),
        fee: Amount(3),
        route: vec![address(0x01), address(0x33), address(0x88)],
        note: b"tea".to_vec(),
        invoice: Some(SecretHash(hash(0x66))),
        direct: Some((ChannelId(hash(0x11)), Nonce(6))),
        created: Timestamp(NOW),
        changed: Timestamp(NOW + 1),
        status,
        attempts: vec![Attempt {
            secret: Some(Secret([0x99; 32])),
            secret_hash: SecretHash(hash(0x66)),
            sealed: vec![1, 2, 3],
        }],
    }
}

fn channel_changes() -> Vec<Change> {
    let id = ChannelId(hash(0x11));
    let ours = LockKey { channel: id, ours: true, slot: Slot(0) };
    let theirs = LockKey { channel: id, ours: false, slot: Slot(4_095) };
    let failure = Failure { hop: address(0x33), reason: Reason::ChannelBusy };
    vec![
        Change::Channel(Box::new(channel())),
        Change::Lock(ours, lock(LockRole::Onward(theirs), LockFate::Claimed(Secret([0x98; 32])))),
        Change::Lock(theirs, lock(LockRole::Forwarded(ours), LockFate::Disposed(failure))),
        Change::Disposal(
            id,
            Dispose {
                channel: id,
                epoch: Epoch(4),
                locks: vec![DisposedLock { lock: LockHash(hash(0xAA)), failure }],
                signature: Signature([0x56; 65]),
            },
        ),
    ]
}

fn node() -> NodeRecord {
    NodeRecord {
        account: address(0xBB),
        encryption_key: EncryptionKey([0xBC; 32]),
        addresses: vec!["/ip4/127.0.0.1/tcp/9000".into()],
        fees: FeeSchedule { base: Amount(1), parts_per_million: 200 },
        issued: Timestamp(NOW),
        valid_until: Timestamp(NOW + 1_000),
        signature: Signature([0x57; 65]),
    }
}

fn other_changes() -> Vec<Change> {
    let id = ChannelId(hash(0x11));
    let (open, secret) = invoice(&key(1), 0x40, 20);
    let (paid, other) = invoice(&key(1), 0x41, 20);
    let purpose = Purpose::Settle(id);
    let intent = Intent {
        id: IntentId(9),
        call: Call::RegisterSecrets(vec![Secret([0x97; 32])]),
        deadline: Some(Timestamp(NOW + 60)),
    };
    vec![
        Change::Payment(payment(1, PaymentStatus::Pending)),
        Change::Payment(payment(2, PaymentStatus::Paid { proof: Some(Secret([0x96; 32])) })),
        Change::Payment(payment(3, PaymentStatus::Failed(PaymentFailure::Expired))),
        Change::Receipt(ReceiptRecord {
            number: 1,
            payment: super::world::id(5),
            token: Token(address(0x22)),
            channel: id,
            partner: address(0x33),
            amount: Amount(20),
            note: b"tea".to_vec(),
            invoice: None,
            at: Timestamp(NOW),
        }),
        Change::Invoice(InvoiceRecord {
            invoice: open,
            secret: Some(secret),
            paid: None,
            cancelled: false,
        }),
        Change::Invoice(InvoiceRecord {
            invoice: paid,
            secret: Some(other),
            paid: Some(Amount(21)),
            cancelled: false,
        }),
        Change::Intent(IntentRecord { intent, purpose }),
        Change::Graph(GraphRecord {
            channel: id,
            token: Token(address(0x22)),
            low: address(0x01),
            high: address(0x33),
            deposit_low: Amount(5),
            deposit_high: Amount(6),
            open: true,
        }),
        Change::Node(node()),
        Change::Block(BlockRecord { number: BlockNumber(77), time: Timestamp(NOW) }),
        Change::Registered(vec![Secret([0x97; 32]).hash()]),
        Change::History(id, Nonce(6), vec![changed_lock()]),
        Change::Ended(id, EndedRecord { epoch: Epoch(3), block: BlockNumber(60) }),
        Change::Fees(None, FeeSchedule { base: Amount(1), parts_per_million: 2 }),
        Change::Fees(Some(id), FeeSchedule { base: Amount(3), parts_per_million: 4 }),
        Change::Notice(
            1,
            Notice { at: Timestamp(NOW), kind: NoticeKind::TransactionFailed { purpose } },
        ),
    ]
}

fn update() -> Update {
    Update {
        channel: ChannelId(hash(0x11)),
        epoch: Epoch(4),
        nonce: Nonce(6),
        operations: vec![Operation::Expire { slot: Slot(1) }],
        transferred: Amount(6),
        locked: Amount(0),
        locksroot: Locksroot::EMPTY,
        signature: Signature([0x58; 65]),
    }
}

fn written() -> String {
    let space = tempfile::tempdir().unwrap();
    let store = Store::open(space.path()).unwrap();
    crate::migrate::prepare(&store, &super::world::config(key(1).address())).unwrap();
    let mut writer = Writer {
        store: &store,
        outgoing: &mut Outgoing::default(),
        pending: &mut Default::default(),
        batch: Batch::default(),
        account: address(0x01),
    };
    for change in channel_changes().into_iter().chain(other_changes()) {
        writer.change(change).unwrap();
    }
    writer.update(update());
    let mut batch = writer.batch;
    batch.put(tables::commits(), tables::value(&3_u64));
    let own = [tables::format(), tables::owner()];
    let own = own.map(|key| (store.read(&key).unwrap().unwrap(), key));
    own.into_iter().for_each(|(value, key)| batch.put(key, value));
    let mut text = String::new();
    for (key, value) in batch.into_rows() {
        write!(text, "{key} ").unwrap();
        match value {
            Some(value) => value.iter().for_each(|byte| write!(text, "{byte:02x}").unwrap()),
            None => text.push_str("gone"),
        }
        text.push('\n');
    }
    text
}

#[test]
fn rows_have_the_golden_bytes() {
    assert_eq!(domain().chain_id(), 1337);
    let written = written();
    if std::env::var_os("PHOTON_GOLDEN").is_some() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/rows.txt");
        std::fs::write(path, &written).unwrap();
        return;
    }
    let pairs = written.lines().zip(GOLDEN.lines());
    pairs.for_each(|(got, expected)| assert_eq!(got, expected));
    assert_eq!(written.lines().count(), GOLDEN.lines().count());
}

#[test]
fn golden_rows_are_read_back_as_they_were_written() {
    let space = tempfile::tempdir().unwrap();
    let store = Store::open(space.path()).unwrap();
    let mut outgoing = Outgoing::default();
    let mut writer = Writer {
        store: &store,
        outgoing: &mut outgoing,
        pending: &mut Default::default(),
        batch: Batch::default(),
        account: address(0x01),
    };
    for change in channel_changes().into_iter().chain(other_changes()) {
        writer.change(change).unwrap();
    }
    writer.update(update());
    store.commit(writer.batch).unwrap();
    let view = store.view();
    let snapshot = crate::load::snapshot(&view).unwrap();
    let changes: Vec<_> = channel_changes().into_iter().chain(other_changes()).collect();
    assert_eq!(snapshot.channels, [channel()]);
    for (key, record) in &snapshot.locks {
        assert!(changes.contains(&Change::Lock(*key, record.clone())));
    }
    assert_eq!(snapshot.locks.len(), 2);
    assert_eq!(snapshot.payments, [payment(1, PaymentStatus::Pending)]);
    assert_eq!((snapshot.invoices.len(), snapshot.intents.len()), (1, 1));
    assert_eq!(snapshot.registered, [Secret([0x97; 32]).hash()]);
    assert_eq!((snapshot.nodes, snapshot.graph.len()), (vec![node()], 1));
    assert_eq!(snapshot.fees.len(), 2);
    assert_eq!((snapshot.next_notice, snapshot.next_receipt), (2, 2));
    let ended = EndedRecord { epoch: Epoch(3), block: BlockNumber(60) };
    assert_eq!(snapshot.ended, [(ChannelId(hash(0x11)), ended)]);
    let id = ChannelId(hash(0x11));
    let known = crate::load::recollection(&view, id, Nonce(5)).unwrap();
    assert_eq!(known.history, [(Nonce(6), vec![changed_lock()])]);
    assert_eq!(known.disposals.len(), 1);
    assert!(crate::load::recollection(&view, id, Nonce(6)).unwrap().history.is_empty());
    let outgoing = Outgoing::load(&view, &snapshot.channels).unwrap();
    assert!(outgoing.after(ChannelId(hash(0x11)), Nonce(0)).eq([Nonce(6)]));

    let mut outgoing = outgoing;
    let mut writer = Writer {
        store: &store,
        outgoing: &mut outgoing,
        pending: &mut Default::default(),
        batch: Batch::default(),
        account: address(1),
    };
    writer.change(Change::ChannelGone(ChannelId(hash(0x11)))).unwrap();
    let gone = writer.batch.into_rows();
    assert!(gone.iter().all(|(_, value)| value.is_none()));
    assert_eq!(gone.len(), 6, "channel, two locks, disposal, history, update");
}

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len() / 2).map(|at| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).unwrap()).collect()
}

#[test]
fn rows_of_the_first_format_are_brought_forward() {
    let space = tempfile::tempdir().unwrap();
    let store = Store::open(space.path()).unwrap();
    let mut batch = Batch::default();
    for line in include_str!("../../tests/golden/rows-1.txt").lines() {
        let (key, value) = line.split_once(' ').unwrap();
        let (table, name) = key.split_once('/').unwrap();
        let tables = [Table::State, Table::Outgoing, Table::Payments, Table::History];
        let table = tables.into_iter().find(|known| known.name() == table).unwrap();
        if value != "gone" {
            batch.put(Key { table, bytes: bytes(name) }, bytes(value));
        }
    }
    store.commit(batch).unwrap();
    crate::migrate::prepare(&store, &super::world::config(key(1).address())).unwrap();
    let view = store.view();
    let snapshot = crate::load::snapshot(&view).unwrap();
    let channel = ChannelRecord {
        standing: StandingRecord::default(),
        agreements: AgreementsRecord::default(),
        ..channel()
    };
    assert_eq!(snapshot.channels, [channel]);
    let (open, secret) = invoice(&key(1), 0x40, 20);
    let expected =
        InvoiceRecord { invoice: open, secret: Some(secret), paid: None, cancelled: false };
    assert_eq!(snapshot.invoices, [expected]);
    assert_eq!((snapshot.locks.len(), snapshot.intents.len()), (2, 1));
    let (_, secret) = invoice(&key(1), 0x41, 20);
    let name = tables::paid_invoice(secret.hash());
    let paid: InvoiceRecord = tables::record(&name, &store.read(&name).unwrap().unwrap()).unwrap();
    assert_eq!((paid.secret, paid.paid), (Some(secret), Some(Amount(21))));
}
