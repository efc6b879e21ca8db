//! A channel's whole life: opened, funded, closed, disputed, settled.

use crate::stage::{MINTED, Person, SETTLE_TIMEOUT, Stage, event};
use photon_chain::{ChainInput, Done, Mined, Report, SendError};
use photon_wire::claim::{BalanceProof, Claim};
use photon_wire::contract::{Balance, Call, Event, LockClaim, SignedBalance};
use photon_wire::lock::Lock;
use photon_wire::registry::RegistryTree;
use photon_wire::tree::LockTree;
use photon_wire::{Address, Amount, Epoch, LockNumber, Locksroot, Nonce, Secret, Slot, Timestamp};
use std::time::Duration;
use tokio::sync::mpsc::Receiver;

pub(crate) fn signed(stage: &Stage, payer: &Person, nonce: u64, balance: Balance) -> SignedBalance {
    let proof = BalanceProof {
        channel: stage.key().id(),
        epoch: Epoch(1),
        payer: payer.address(),
        nonce: Nonce(nonce),
        transferred: balance.transferred,
        locksroot: balance.locksroot,
    };
    let signature = payer.account.signing_key().sign(proof.digest(&stage.network.domain()));
    SignedBalance {
        nonce: Nonce(nonce),
        transferred: balance.transferred,
        locksroot: balance.locksroot,
        signature,
    }
}

pub(crate) fn mined(done: Result<Done, SendError>) -> Mined {
    match done.unwrap() {
        Done::Mined(mined) => mined,
        Done::ByOthers(revert) => panic!("done by others: {revert}"),
    }
}

/// Alice opens with 1000; Bob deposits 500 of his own.
pub(crate) async fn opened(stage: &mut Stage, inputs: &mut Receiver<ChainInput>) {
    let (key, alice, bob) = (stage.key(), stage.alice.address(), stage.bob.address());
    let open = stage.open(1_000);
    stage.alice.submit(1, open).await;
    assert!(matches!(stage.alice.report().await, Report::Approving { id: 1, .. }));
    assert!(matches!(stage.alice.report().await, Report::Sent { id: 1, .. }));
    mined(stage.alice.outcome().await.result);
    let deposit =
        Call::Deposit { key, epoch: Epoch(1), participant: bob, amount: Amount(500), way: None };
    mined(stage.bob.send(deposit).await);

    let (at, said) = event(inputs).await;
    assert_eq!(said, Event::ChannelOpened { key, epoch: Epoch(1), settle_timeout: SETTLE_TIMEOUT });
    let deposited = |participant, amount| Event::Deposited {
        channel: key.id(),
        epoch: Epoch(1),
        participant,
        deposit: Amount(amount),
    };
    assert_eq!(event(inputs).await, (at, deposited(alice, 1_000)));
    assert_eq!(event(inputs).await.1, deposited(bob, 500));
    assert_eq!(stage.balance(stage.network.contract).await, Amount(1_500));
}

/// The locks of Alice's direction, and the tree of their secrets' registration.
pub(crate) struct Locks {
    pub(crate) tree: LockTree,
    pub(crate) claims: Vec<LockClaim>,
    pub(crate) secrets: Vec<Secret>,
    root: photon_wire::B256,
}

pub(crate) fn locks(now: Timestamp) -> Locks {
    let secrets: Vec<Secret> = [1, 2, 3].map(|seed| Secret([seed; 32])).into();
    let registry = RegistryTree::new(secrets.iter().map(Secret::hash)).unwrap();
    let mut tree = LockTree::default();
    let claim = |(slot, amount, index): (u16, u128, u8)| {
        let lock = Lock {
            number: LockNumber(u64::from(slot) + 100),
            amount: Amount(amount),
            expiration: Timestamp(now.0 + 10_000),
            secret_hash: secrets[usize::from(index)].hash(),
        };
        tree.set(Slot(slot), Some(lock.hash()));
        LockClaim { slot: Slot(slot), lock, index, path: registry.path(index).unwrap() }
    };
    let claims = [(5, 30, 2), (9, 40, 0), (4_095, 25, 1)].map(claim).into();
    Locks { tree, claims, secrets, root: registry.root() }
}

#[tokio::test]
async fn a_channel_lives_and_both_get_what_is_theirs() {
    live(&mut Stage::new().await).await;
}

/// The whole life, on any chain.
pub(crate) async fn live(stage: &mut Stage) {
    let mut inputs = stage.follow_all();
    opened(stage, &mut inputs).await;
    let (key, channel, epoch) = (stage.key(), stage.key().id(), Epoch(1));
    let (token, alice, bob) = (stage.token, stage.alice.address(), stage.bob.address());

    // Alice has paid Bob 100 and promised 95 more in three locks; Bob has paid her 20.
    let mut locks = locks(stage.endpoint.now().await.unwrap());
    let of_alice =
        Balance { transferred: Amount(100), locksroot: locks.tree.root(), ..Balance::default() };
    let of_bob = Balance { transferred: Amount(20), ..Balance::default() };
    let proof = Some(signed(stage, &stage.alice, 3, of_alice));
    let close = Call::Close { token, partner: alice, proof, declared: Amount::ZERO };
    mined(stage.bob.send(close).await);
    let Event::ChannelClosed { update_until, closer, .. } = event(&mut inputs).await.1 else {
        panic!("expected the closing");
    };
    assert_eq!(closer, bob);
    let updated = |payer: Address, nonce, balance: Balance| Event::BalanceUpdated {
        channel,
        epoch,
        payer,
        nonce: Nonce(nonce),
        transferred: balance.transferred,
        locksroot: balance.locksroot,
    };
    assert_eq!(event(&mut inputs).await.1, updated(alice, 3, of_alice));

    let proof = signed(stage, &stage.bob, 1, of_bob);
    mined(stage.alice.send(Call::Update { token, partner: bob, proof, delegated: None }).await);
    assert_eq!(event(&mut inputs).await.1, updated(bob, 1, of_bob));

    // Bob learns three secrets, registers them at once, and claims two locks with one proof.
    mined(stage.bob.send(Call::RegisterSecrets(locks.secrets.clone())).await);
    let registered = Event::SecretsRegistered { root: locks.root, secrets: locks.secrets };
    assert_eq!(event(&mut inputs).await.1, registered);
    let claimed = vec![locks.claims[0].clone(), locks.claims[2].clone()];
    let slots: Vec<Slot> = claimed.iter().map(|claim| claim.slot).collect();
    let multiproof = locks.tree.multiproof(&slots);
    let (partner, balance, delegated) = (alice, of_alice, None);
    let unlock = Call::Unlock { token, partner, balance, locks: claimed, multiproof, delegated };
    mined(stage.bob.send(unlock).await);
    let unlocked = Event::Unlocked {
        channel,
        epoch,
        payer: alice,
        nonce: Nonce(3),
        slots,
        amount: Amount(55),
    };
    assert_eq!(event(&mut inputs).await.1, unlocked);

    // Too early, and then not.
    let balance_of = |who: Address| if who == alice { of_alice } else { of_bob };
    let settle = Call::Settle { key, low: balance_of(key.low()), high: balance_of(key.high()) };
    let early = stage.alice.send(settle.clone()).await;
    assert!(matches!(early, Err(SendError::Reverts(_))), "{early:?}");
    let until = update_until.0 + crate::stage::PARAMETERS.challenge.0;
    stage.jump(Timestamp(until + 1)).await;
    mined(stage.alice.send(settle.clone()).await);
    let paid = |who: Address| Amount(if who == alice { 1_000 - 155 + 20 } else { 500 + 155 - 20 });
    let settled = Event::ChannelSettled {
        channel,
        epoch,
        paid_low: paid(key.low()),
        paid_high: paid(key.high()),
    };
    assert_eq!(event(&mut inputs).await.1, settled);
    assert_eq!(stage.balance(alice).await, Amount(MINTED.0 - 1_000 + paid(alice).0));
    assert_eq!(stage.balance(bob).await, Amount(MINTED.0 - 500 + paid(bob).0));
    assert_eq!(stage.balance(stage.network.contract).await, Amount::ZERO);

    // Whoever comes second finds that it is done.
    assert!(matches!(stage.bob.send(settle).await, Ok(Done::ByOthers(_))));
    let close = Call::Close { token, partner: alice, proof: None, declared: Amount::ZERO };
    assert!(matches!(stage.bob.send(close).await, Ok(Done::ByOthers(_))));
}

#[tokio::test]
async fn an_older_update_is_done_by_the_newer_one() {
    let mut stage = Stage::new().await;
    let mut inputs = stage.follow_all();
    opened(&mut stage, &mut inputs).await;
    let (token, alice, bob) = (stage.token, stage.alice.address(), stage.bob.address());
    mined(
        stage
            .alice
            .send(Call::Close { token, partner: bob, proof: None, declared: Amount::ZERO })
            .await,
    );
    let balance = |transferred| Balance { transferred, ..Balance::default() };
    for (nonce, expected) in [(5, true), (4, false), (5, false)] {
        let proof = signed(&stage, &stage.alice, nonce, balance(Amount(10)));
        let done = stage
            .bob
            .send(Call::Update { token, partner: alice, proof, delegated: None })
            .await
            .unwrap();
        assert_eq!(matches!(done, Done::Mined(_)), expected, "{nonce}");
    }
}

#[tokio::test]
async fn calls_in_flight_share_neither_nonces_nor_allowances() {
    let mut stage = Stage::new().await;
    let (key, bob) = (stage.key(), stage.bob.address());
    let open = stage.open(0);
    mined(stage.alice.send(open).await);
    for seed in 0_u8..10 {
        let id = u64::from(seed);
        let amount = Amount(10 + u128::from(id));
        let deposit = Call::Deposit { key, epoch: Epoch(1), participant: bob, amount, way: None };
        stage.alice.submit(id, deposit).await;
        stage.alice.submit(id + 10, Call::RegisterSecrets(vec![Secret([seed; 32])])).await;
    }
    let mut ids = Vec::new();
    for _ in 0..20 {
        let outcome = stage.alice.outcome().await;
        mined(outcome.result);
        ids.push(outcome.id);
    }
    ids.sort_unstable();
    assert_eq!(ids, (0..20).collect::<Vec<_>>());
    assert_eq!(stage.balance(stage.network.contract).await, Amount(145));
    let (owner, spender) = (stage.alice.address(), stage.network.contract);
    let left = photon_chain::token::allowance(&stage.endpoint, stage.token, owner, spender).await;
    assert_eq!(left.unwrap(), Amount::ZERO);
}

#[tokio::test]
async fn locksroots_of_nothing_settle_too() {
    let mut stage = Stage::new().await;
    let open = stage.open(100);
    mined(stage.alice.send(open).await);
    let (token, bob, key) = (stage.token, stage.bob.address(), stage.key());
    mined(
        stage
            .alice
            .send(Call::Close { token, partner: bob, proof: None, declared: Amount::ZERO })
            .await,
    );
    stage.chain().increase_time(Duration::from_secs(10_000));
    stage.chain().mine(1);
    let nothing = Balance { locksroot: Locksroot::EMPTY, ..Balance::default() };
    mined(stage.bob.send(Call::Settle { key, low: nothing, high: nothing }).await);
    assert_eq!(stage.balance(stage.alice.address()).await, MINTED);
}
