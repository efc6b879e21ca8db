//! Payments through the engine, everything durable, without signatures and network:
//! `cargo bench -p photon-engine --bench engine [payments]`.

use photon_core::view::Target;
use photon_core::{Command, Config, Input, PayCommand, SignedMessage, Timing};
use photon_engine::{Action, Engine, Fault};
use photon_wire::claim::Domain;
use photon_wire::codec::Decode;
use photon_wire::contract::{Event, Parameters, Position};
use photon_wire::message::{Acknowledge, ChannelStatus, Message};
use photon_wire::record::FeeSchedule;
use photon_wire::{
    Address, Amount, BlockNumber, ChannelId, ChannelKey, Epoch, Nonce, PaymentId, Seconds,
    Signature, Timestamp, Token,
};
use std::path::Path;
use std::time::{Duration, Instant};

const US: Address = Address::repeat_byte(1);
const PARTNER: Address = Address::repeat_byte(2);
const TOKEN: Token = Token(Address::repeat_byte(3));
const EPOCH: Epoch = Epoch(1);

fn config() -> Config {
    Config {
        account: US,
        domain: Domain::new(1, Address::repeat_byte(4)),
        parameters: Parameters {
            least_settle_timeout: Seconds(100),
            greatest_settle_timeout: Seconds(1_000_000),
            challenge: Seconds(100),
        },
        timing: Timing::default(),
        fees: FeeSchedule::default(),
        least_lock: Amount(1),
    }
}

/// One turn; the frames that leave.
fn turn(engine: &mut Engine, inputs: Vec<Input>) -> Result<Vec<Vec<u8>>, Fault> {
    for input in inputs {
        engine.step(input)?.expect("the bench breaks no rule");
    }
    let draft = engine.draft()?;
    let signatures = vec![Signature([0; 65]); draft.digests().len()];
    let frames = engine.commit(draft, signatures)?.filter_map(|action| match action {
        Action::Send { frames, .. } => Some(frames),
        Action::Submit(_) | Action::Notify { .. } => None,
    });
    Ok(frames.flatten().collect())
}

fn begin(engine: &mut Engine) -> Result<(), Fault> {
    let key = ChannelKey::new(TOKEN, US, PARTNER).expect("two accounts");
    let time = Timestamp(1_800_000_000);
    let position = Position { block: BlockNumber(1), time, index: 0 };
    let opened = Event::ChannelOpened { key, epoch: EPOCH, settle_timeout: Seconds(100_000) };
    let deposit = Amount::MAX_DEPOSIT;
    let deposited = Event::Deposited { channel: key.id(), epoch: EPOCH, participant: US, deposit };
    turn(
        engine,
        vec![
            Input::Contract(position, opened),
            Input::Contract(position, deposited),
            Input::Block { number: BlockNumber(1), time, head_time: time },
            Input::Connected(PARTNER),
            Input::Message(in_step(key.id())),
        ],
    )?;
    Ok(())
}

/// Nothing is signed before the partner has said where it stands.
fn in_step(channel: ChannelId) -> SignedMessage {
    let none = Nonce(0);
    let status = ChannelStatus { channel, epoch: EPOCH, sent: none, received: none, asks: false };
    let message = Message::Reestablish(vec![status]);
    SignedMessage { from: PARTNER, message, signer: None, opened: Vec::new() }
}

fn payment(number: u64) -> Input {
    let mut id = [0; 16];
    // Names are drawn by lot, so neighbours in time are not neighbours in the store.
    id[..8].copy_from_slice(&number.wrapping_mul(0x9E37_79B9_7F4A_7C15).to_be_bytes());
    id[8..].copy_from_slice(&number.wrapping_mul(0xD1B5_4A32_D192_ED03).to_be_bytes());
    Input::Command(Command::Pay(PayCommand {
        payment: PaymentId(id),
        target: Target { token: TOKEN, account: PARTNER, amount: Amount(1) },
        max_fee: Amount(0),
        note: Vec::new(),
        invoice: None,
        locked: false,
        attempts: Vec::new(),
    }))
}

/// What the partner says to our updates.
fn acknowledgements(frames: &[Vec<u8>]) -> Vec<Input> {
    let mut updates = frames.iter().filter_map(|frame| match Message::from_bytes(frame) {
        Ok(Message::Update(update)) => Some(update),
        _ => None,
    });
    let last = updates.next_back().map(|update| {
        let acknowledge =
            Acknowledge { channel: update.channel, epoch: EPOCH, nonce: update.nonce };
        Input::Message(SignedMessage {
            from: PARTNER,
            message: Message::Acknowledge(acknowledge),
            signer: None,
            opened: Vec::new(),
        })
    });
    last.into_iter().collect()
}

/// Pays in batches: one turn pays, the next is told of it and pays again.
fn pay(engine: &mut Engine, first: u64, count: u64, batch: u64) -> Result<Vec<Duration>, Fault> {
    let mut times = Vec::new();
    let mut inputs = Vec::new();
    let mut number = first;
    while number < first + count {
        inputs.extend((number..number + batch).map(payment));
        number += batch;
        let start = Instant::now();
        let frames = turn(engine, inputs)?;
        times.push(start.elapsed());
        inputs = acknowledgements(&frames);
    }
    turn(engine, inputs)?;
    Ok(times)
}

fn report(name: &str, batch: u64, mut times: Vec<Duration>) {
    times.sort_unstable();
    let spent: Duration = times.iter().sum();
    let turns = times.len() as f64 / spent.as_secs_f64();
    println!(
        "{name:<12} {batch:>5} a turn: {turns:>7.0} turns/s {:>8.0} payments/s  p50 {:>8.1?}  \
         p99 {:>8.1?}  resident {} MB",
        turns * batch as f64,
        times[times.len() / 2],
        times[times.len() * 99 / 100],
        resident() / 1024,
    );
}

fn resident() -> u64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|rest| rest.split_whitespace().next()?.parse().ok()).unwrap_or_default()
}

fn disk(path: &Path) -> u64 {
    use std::os::unix::fs::MetadataExt;
    let Ok(entries) = std::fs::read_dir(path) else { return 0 };
    let size = |entry: std::fs::DirEntry| match entry.metadata() {
        Ok(data) if data.is_dir() => disk(&entry.path()),
        Ok(data) => data.blocks() * 512,
        Err(_) => 0,
    };
    entries.flatten().map(size).sum()
}

fn main() -> Result<(), Fault> {
    let argument = std::env::args().skip(1).find_map(|argument| argument.parse::<u64>().ok());
    let payments = argument.unwrap_or(200_000);
    let space = tempfile::tempdir_in(".").expect("the bench can write here");
    let start = Instant::now();
    let mut engine = Engine::open(space.path(), config())?;
    println!("made in {:?}, resident {} MB", start.elapsed(), resident() / 1024);
    begin(&mut engine)?;
    let mut first = 0;
    for (batch, count) in [(1, 5_000), (10, 20_000), (100, 50_000), (1_000, 100_000)] {
        report("early", batch, pay(&mut engine, first, count, batch)?);
        first += count;
    }
    pay(&mut engine, first, payments, 1_000)?;
    first += payments;
    for (batch, count) in [(1, 5_000), (1_000, 100_000)] {
        report("late", batch, pay(&mut engine, first, count, batch)?);
        first += count;
    }
    drop(engine);
    println!("{first} payments, {} bytes on disk each", disk(space.path()) / first);
    let start = Instant::now();
    let engine = Engine::open(space.path(), config())?;
    println!("opened in {:?}", start.elapsed());
    let history = engine.history();
    let start = Instant::now();
    let page = history.payments(&Default::default(), None, 100)?;
    println!("a page of {} in {:?}", page.rows.len(), start.elapsed());
    std::thread::sleep(Duration::from_secs(3));
    println!("idle, resident {} MB", resident() / 1024);
    Ok(())
}
