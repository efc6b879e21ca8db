//! What a refusal looks like to a person.

use crate::stage::{MINTED, Stage};
use photon_chain::{ContractError, Revert, SendError};
use photon_wire::contract::Call;
use photon_wire::{Address, Amount, Seconds, Token};

fn revert(error: SendError) -> Revert {
    match error {
        SendError::Reverts(revert) => revert,
        other => panic!("expected a revert, got {other:?}"),
    }
}

#[tokio::test]
async fn a_timeout_out_of_bounds_is_told_with_the_bounds() {
    let mut stage = Stage::new().await;
    let open = Call::Open {
        token: stage.token,
        partner: stage.bob.address(),
        settle_timeout: Seconds(59),
        amount: Amount(1),
        way: None,
    };
    let revert = revert(stage.alice.send(open).await.unwrap_err());
    assert_eq!(revert.to_string(), "settle timeout is 59 s, expected 60 s to 86400 s");
    let Revert::Contract(ContractError::SettleTimeoutOutOfBounds(bounds)) = revert else {
        panic!("expected the contract's error, got {revert:?}");
    };
    assert_eq!((bounds.least, bounds.greatest, bounds.got), (60, 86_400, 59));
}

#[tokio::test]
async fn a_second_opening_and_a_channel_with_oneself_are_refused() {
    let mut stage = Stage::new().await;
    let open = stage.open(0);
    stage.alice.send(open.clone()).await.unwrap();
    let again = stage.alice.send(open).await.unwrap_err();
    assert_eq!(again.to_string(), "the channel is open, expected not there");
    assert!(!again.is_transient());
    let (token, partner) = (stage.token, stage.alice.address());
    let own =
        Call::Open { token, partner, settle_timeout: Seconds(600), amount: Amount(0), way: None };
    let own = stage.alice.send(own).await.unwrap_err();
    assert_eq!(own.to_string(), format!("{partner} and {partner} cannot have a channel"));
}

#[tokio::test]
async fn tokens_that_are_missing_are_told_before_anything_is_sent() {
    let mut stage = Stage::new().await;
    let before = stage.chain().block_number();
    let needed = MINTED.0 + 1;
    let open = stage.open(needed);
    let error = stage.alice.send(open).await.unwrap_err();
    assert!(
        matches!(error, SendError::TooFewTokens { balance, needed: told, .. }
            if balance == MINTED.0 && told == needed),
        "{error:?}"
    );
    let nowhere = Token(Address::repeat_byte(9));
    let partner = stage.bob.address();
    let open = Call::Open {
        token: nowhere,
        partner,
        settle_timeout: Seconds(600),
        amount: Amount(1),
        way: None,
    };
    let error = stage.alice.send(open).await.unwrap_err();
    assert_eq!(error.to_string(), format!("no token at {}", nowhere.0));
    assert_eq!(stage.chain().block_number(), before);
}

#[tokio::test]
async fn a_token_says_what_it_lacks() {
    let stage = Stage::new().await;
    let error = stage
        .alice
        .wallet
        .transfer(stage.token, stage.bob.address(), Amount(MINTED.0 + 1))
        .await
        .unwrap_err();
    assert_eq!(error.to_string(), "the token balance is 10000, needed 10001");
}

#[tokio::test]
async fn an_account_without_coins_is_told_so() {
    let mut stage = Stage::new().await;
    stage.chain().set_balance(stage.alice.address(), 1_u64.try_into().unwrap());
    let open = stage.open(0);
    let error = stage.alice.send(open).await.unwrap_err();
    assert!(
        matches!(error, SendError::TooFewCoins { balance: 1, needed, .. } if needed > 21_000),
        "{error:?}"
    );
}
