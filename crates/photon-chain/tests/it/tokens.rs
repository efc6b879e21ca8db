//! Every kind of token, examined and put into channels.

use crate::faults::peculiar;
use crate::stage::{Person, SETTLE_TIMEOUT, Stage};
use alloy::consensus::{SignableTransaction, TxEnvelope, TxLegacy};
use alloy::eips::Encodable2718;
use alloy::primitives::{Bytes, TxKind, U64, U256, keccak256};
use alloy::signers::SignerSync;
use photon_chain::token::{
    Authorization, AuthorizeError, Funding, Gasless, Oddity, PERMIT2, authorize, examine,
};
use photon_chain::{Done, Endpoint, Revert, SendError, estimate};
use photon_wire::claim::{DepositAuthorization, OpenAuthorization};
use photon_wire::contract::Way;
use photon_wire::{Address, Amount, B256, ChannelKey, Epoch, Timestamp, Token};
use serde_json::{Value, json};

const AMOUNT: Amount = Amount(1_000);

/// One chain with the contract, and how its odd tokens are made.
pub(crate) struct Market {
    pub(crate) stage: Stage,
}

impl Market {
    async fn new() -> Self {
        Self { stage: Stage::new().await }
    }

    /// Deploys a token by the name of its artefact, and gives Alice some.
    async fn token(&self, artefact: &str) -> Token {
        let token = Token(self.deploy(bytecode(artefact, "bytecode")).await);
        self.stage
            .alice
            .wallet
            .mint(token, self.stage.alice.address(), Amount(10_000))
            .await
            .unwrap();
        token
    }

    async fn request<T: alloy::rpc::json_rpc::RpcRecv>(
        &self,
        method: &'static str,
        parameters: Value,
    ) -> T {
        self.stage.rpc.request(method, parameters).await.unwrap()
    }

    /// Signs, sends, and waits for the receipt.
    async fn transact(&self, by: &Person, to: TxKind, input: Bytes) -> Value {
        let chain_id: U64 = self.request("eth_chainId", json!([])).await;
        let transaction = TxLegacy {
            chain_id: Some(chain_id.to()),
            nonce: self.transactions_of(by.address()).await,
            gas_price: 20_000_000_000,
            gas_limit: 3_000_000,
            to,
            value: U256::ZERO,
            input,
        };
        let hash = transaction.signature_hash();
        let signature = by.account.signer().sign_hash_sync(&hash).unwrap();
        let raw = TxEnvelope::from(transaction.into_signed(signature)).encoded_2718();
        let sent: B256 = self.request("eth_sendRawTransaction", json!([Bytes::from(raw)])).await;
        loop {
            let receipt: Value = self.request("eth_getTransactionReceipt", json!([sent])).await;
            if !receipt.is_null() {
                assert_eq!(receipt["status"], "0x1", "{receipt}");
                return receipt;
            }
            tokio::task::yield_now().await;
        }
    }

    async fn deploy(&self, code: Bytes) -> Address {
        let receipt = self.transact(&self.stage.alice, TxKind::Create, code).await;
        receipt["contractAddress"].as_str().unwrap().parse().unwrap()
    }

    async fn transactions_of(&self, account: Address) -> u64 {
        let count: U64 = self.request("eth_getTransactionCount", json!([account, "latest"])).await;
        count.to()
    }

    async fn set_code(&self, at: Address, code: &Bytes) {
        let _: Value = self.request("anvil_setCode", json!([at, code])).await;
    }

    async fn ask(&self, to: Address, signature: &str, words: &[B256]) -> Bytes {
        let call = json!({ "to": to, "data": input(signature, words) });
        self.request("eth_call", json!([call, "latest"])).await
    }

    /// Alice sends any call.
    async fn tell(&self, to: Address, signature: &str, words: &[B256]) {
        self.transact(&self.stage.alice, TxKind::Call(to), input(signature, words)).await;
    }

    fn open(&self, token: Token) -> Funding {
        let partner = self.stage.bob.address();
        Funding::Open { token, partner, settle_timeout: SETTLE_TIMEOUT, amount: AMOUNT }
    }

    fn key(&self, token: Token) -> ChannelKey {
        ChannelKey::new(token, self.stage.alice.address(), self.stage.bob.address()).unwrap()
    }

    fn deposit(&self, token: Token, epoch: u32) -> Funding {
        let participant = self.stage.alice.address();
        Funding::Deposit { key: self.key(token), epoch: Epoch(epoch), participant, amount: AMOUNT }
    }

    async fn examine(&self, funding: &Funding) -> photon_chain::token::Examination {
        let (endpoint, contract) = (&self.stage.endpoint, self.stage.network.contract);
        examine(endpoint, contract, self.stage.alice.address(), funding).await.unwrap()
    }

    async fn ways(&self, funding: &Funding) -> Vec<Way> {
        self.examine(funding).await.ways.iter().map(|offer| offer.way).collect()
    }

    /// What the contract holds for Alice in her channel with Bob.
    async fn credited(&self, token: Token) -> Amount {
        {
            let (alice, bob) = (self.stage.alice.address(), self.stage.bob.address());
            let words = [token.0, alice, bob].map(address_word);
            let contract = self.stage.network.contract;
            let answer = self.ask(contract, "channel(address,address,address)", &words).await;
            let of_alice = if alice < bob { 7 } else { 8 };
            Amount(U256::from_be_slice(&answer[32 * of_alice..][..32]).to())
        }
    }

    /// Opens and then deposits by this way, and sees what is credited.
    async fn goes_by(&mut self, token: Token, way: Option<Way>, brings: Amount) {
        let open = self.open(token).call(way);
        let Done::Mined(opened) = self.stage.alice.send(open).await.unwrap() else { panic!() };
        assert_eq!(self.credited(token).await, brings);
        let deposit = self.deposit(token, 1).call(way);
        let Done::Mined(deposited) = self.stage.alice.send(deposit).await.unwrap() else {
            panic!()
        };
        assert_eq!(self.credited(token).await, Amount(2 * brings.0));
        println!("{token:?} {way:?}: open {} gas, deposit {}", opened.gas_used, deposited.gas_used);
    }
}

fn input(signature: &str, words: &[B256]) -> Bytes {
    let mut input = keccak256(signature)[..4].to_vec();
    words.iter().for_each(|word| input.extend_from_slice(word.as_slice()));
    input.into()
}

/// Of an artefact of the contract's tests.
fn bytecode(name: &str, kind: &str) -> Bytes {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../contracts/artefacts/");
    let text = std::fs::read_to_string(format!("{path}{name}.json")).unwrap();
    let artefact: Value = serde_json::from_str(&text).unwrap();
    artefact[kind].as_str().unwrap().parse().unwrap()
}

fn address_word(address: Address) -> B256 {
    address.into_word()
}

const TRUE: B256 = B256::with_last_byte(1);

/// Each kind goes by its own way, on this chain.
pub(crate) async fn every_kind(mut market: Market) {
    let plain = market.stage.token;
    assert_eq!(market.ways(&market.open(plain)).await, [Way::Allowance]);
    market.goes_by(plain, None, AMOUNT).await;

    for (artefact, way) in [
        ("Erc1363Token", Way::Erc1363),
        ("Erc677Token", Way::Erc677),
        ("ApproveAndCallToken", Way::ApproveAndCall),
        ("FallbackToken", Way::Erc223),
    ] {
        let token = market.token(artefact).await;
        let ways = market.ways(&market.open(token)).await;
        assert!(ways.contains(&way) && ways.contains(&Way::Allowance), "{artefact}: {ways:?}");
        market.goes_by(token, Some(way), AMOUNT).await;
    }
    let pure = market.token("Erc223Token").await;
    assert_eq!(market.ways(&market.open(pure)).await, [Way::Erc223]);
    market.goes_by(pure, None, AMOUNT).await;

    let permitting = market.token("PermitToken").await;
    let found = market.examine(&market.open(permitting)).await;
    assert_eq!(found.gasless, [Gasless::Permit]);
    market.goes_by(permitting, Some(Way::Permit), AMOUNT).await;

    let signing = market.token("AuthorizationToken").await;
    let found = market.examine(&market.open(signing)).await;
    assert_eq!(found.gasless, [Gasless::ReceiveWithAuthorization]);
    market.goes_by(signing, Some(Way::ReceiveWithAuthorization), AMOUNT).await;

    let silent = market.token("SilentToken").await;
    market.goes_by(silent, None, AMOUNT).await;
}

#[tokio::test]
async fn every_kind_of_token_goes_by_its_own_way() {
    every_kind(Market::new().await).await;
}

#[tokio::test]
async fn coins_are_wrapped_on_the_way_and_never_unasked() {
    let mut market = Market::new().await;
    let wrapped = market.stage.alice.wallet.deploy_wrapped_native().await.unwrap();
    let funding = market.open(wrapped);
    let found = market.examine(&funding).await;
    assert_eq!(found.ways.iter().map(|offer| offer.way).collect::<Vec<_>>(), [Way::Native]);
    assert_eq!(found.ways[0].arrives, Some(AMOUNT));
    assert_eq!(found.cheapest(), None);
    let refused = market.stage.alice.send(funding.call(None)).await.unwrap_err();
    assert!(matches!(refused, SendError::TooFewTokens { balance: 0, needed: 1_000, .. }));
    market.goes_by(wrapped, Some(Way::Native), AMOUNT).await;
}

#[tokio::test]
async fn the_cheapest_way_is_taken_and_a_standing_allowance_counts() {
    let mut market = Market::new().await;
    let token = market.token("PermitToken").await;
    let open = market.open(token);
    let found = market.examine(&open).await;
    let gas = |way| found.by(way).unwrap().gas;
    assert!(gas(Way::Permit) < gas(Way::Allowance), "{found:?}");
    assert_eq!(found.cheapest().unwrap().way, Way::Permit);
    assert_eq!(found.by(Way::Allowance).unwrap().transactions, 2);
    let many = B256::from(U256::from(1_000_000));
    let contract = market.stage.network.contract;
    market.tell(token.0, "approve(address,uint256)", &[address_word(contract), many]).await;
    let found = market.examine(&open).await;
    assert_eq!(found.cheapest().unwrap().way, Way::Allowance);
    assert_eq!((found.cheapest().unwrap().transactions, found.gasless[0]), (1, Gasless::Allowance));
    let measured = found.cheapest().unwrap().gas;
    let Done::Mined(mined) = market.stage.alice.send(open.call(None)).await.unwrap() else {
        panic!()
    };
    let off = measured.abs_diff(mined.gas_used);
    assert!(off < mined.gas_used / 5, "measured {measured}, took {}", mined.gas_used);
}

#[tokio::test]
async fn a_fee_is_known_before_anything_is_sent() {
    let mut market = Market::new().await;
    let token = market.token("FeeToken").await;
    let found = market.examine(&market.open(token)).await;
    let fee = Oddity::TakesFee { sent: AMOUNT, arrives: Amount(900) };
    assert_eq!((found.arrives, found.oddities.as_slice()), (Some(Amount(900)), &[fee.clone()][..]));
    assert_eq!(fee.to_string(), "of 1000 only 900 would arrive: the token keeps 100");
    assert_eq!(found.check(), Ok(()));
    market.goes_by(token, None, Amount(900)).await;
}

#[tokio::test]
async fn the_way_that_brings_most_goes_before_the_cheapest() {
    let market = Market::new().await;
    let token = market.token("Erc677Token").await;
    market.tell(token.0, "setGreedy(bool)", &[TRUE]).await;
    let found = market.examine(&market.open(token)).await;
    assert_eq!(found.by(Way::Erc677).unwrap().arrives, Some(Amount(900)));
    assert_eq!(found.cheapest().unwrap().way, Way::Allowance);
    assert!(found.oddities.is_empty(), "{found:?}");
}

#[tokio::test]
async fn odd_tokens_are_refused_with_the_reason_and_nothing_is_sent() {
    let mut market = Market::new().await;
    let alice = market.stage.alice.address();
    let denying = market.token("DenyingToken").await;
    market.tell(denying.0, "deny(bool)", &[TRUE]).await;
    let blocking = market.token("BlockingToken").await;
    let contract = market.stage.network.contract;
    market.tell(blocking.0, "setBlocked(address,bool)", &[address_word(contract), TRUE]).await;
    let nowhere = Token(Address::repeat_byte(0x77));
    let no_token = Token(contract);
    let poor = market.stage.alice.wallet.deploy_token("Poor", "POOR", 6).await.unwrap();
    let before = market.transactions_of(alice).await;
    let expected = [
        (denying, "returns_false", "answers `false`"),
        (nowhere, "no_code", "no contract is at 0x7777"),
        (no_token, "not_a_token", "is no token"),
        (poor, "balance_too_small", "the token balance is 0, needed 1000"),
    ];
    for (token, word, sentence) in expected {
        let found = market.examine(&market.open(token)).await;
        let oddity = found.check().unwrap_err();
        assert_eq!(oddity.as_str(), word);
        assert!(oddity.to_string().contains(sentence), "{oddity}");
        assert_eq!((found.ways.as_slice(), found.gasless.as_slice()), (&[][..], &[][..]), "{word}");
        let call = market.open(token).call(None);
        let refused = market.stage.alice.send(call).await.unwrap_err();
        assert!(!refused.is_transient(), "{refused}");
    }
    // This one refuses plain transfers to the contract alone: the contract pulls.
    assert_eq!(market.ways(&market.open(blocking)).await, [Way::Allowance]);
    assert_eq!(market.transactions_of(alice).await, before);
}

#[tokio::test]
async fn a_way_that_the_token_does_not_offer_is_refused() {
    let mut market = Market::new().await;
    let token = market.stage.token;
    for way in Way::ALL.into_iter().filter(|way| *way != Way::Allowance) {
        let refused = market.stage.alice.send(market.open(token).call(Some(way))).await;
        let refused = refused.unwrap_err();
        assert!(matches!(refused, SendError::NoSuchWay { way: Some(no), .. } if no == way));
        assert!(refused.to_string().contains(way.as_str()), "{refused}");
    }
}

#[tokio::test]
async fn what_the_contract_would_refuse_is_told_in_its_words() {
    let mut market = Market::new().await;
    let token = market.stage.token;
    market.stage.alice.send(market.open(token).call(None)).await.unwrap();
    let again = market.examine(&market.open(token)).await;
    let Err(Oddity::Refuses(Revert::Contract(revert))) = again.check() else { panic!("{again:?}") };
    let told = Oddity::Refuses(Revert::Contract(revert)).to_string();
    assert_eq!(told, "the token would refuse: the channel is open, expected not there");
}

fn opening(market: &Market, token: Token, nonce: u64) -> OpenAuthorization {
    OpenAuthorization {
        token,
        participant: market.stage.alice.address(),
        partner: market.stage.bob.address(),
        settle_timeout: SETTLE_TIMEOUT,
        amount: AMOUNT,
        nonce: U256::from(nonce),
        valid_until: Timestamp(u64::MAX >> 1),
    }
}

/// Alice signs, Bob pays for the gas.
pub(crate) async fn relayed(market: &mut Market, token: Token, gasless: Gasless) {
    let (endpoint, contract) = (market.stage.endpoint.clone(), market.stage.network.contract);
    let account = market.stage.alice.account.clone();
    let before = market.transactions_of(account.address()).await;
    // The contract and Permit2 count nonces of all tokens together.
    let number = 2 * Gasless::ALL.iter().position(|kind| *kind == gasless).unwrap() as u64;
    let open = opening(market, token, number);
    let deposit = DepositAuthorization {
        key: market.key(token),
        epoch: Epoch(1),
        participant: open.participant,
        amount: AMOUNT,
        nonce: U256::from(number + 1),
        valid_until: open.valid_until,
    };
    for (authorization, sum) in
        [(Authorization::Open(open), AMOUNT), (Authorization::Deposit(deposit), Amount(2_000))]
    {
        let call = authorize(&endpoint, contract, &account, &authorization, Some(gasless)).await;
        let call = call.unwrap();
        let bob = market.stage.bob.address();
        assert!(estimate(&endpoint, contract, bob, &call).await.unwrap() > 50_000);
        let Done::Mined(mined) = market.stage.bob.send(call.clone()).await.unwrap() else {
            panic!()
        };
        println!("{gasless}: {} gas", mined.gas_used);
        assert_eq!(market.credited(token).await, sum);
        // A second time it is worth nothing.
        estimate(&endpoint, contract, bob, &call).await.unwrap_err();
    }
    assert_eq!(market.transactions_of(account.address()).await, before);
}

#[tokio::test]
async fn a_relayer_brings_what_an_owner_signed_by_every_means() {
    let mut market = Market::new().await;
    let token = market.token("PermitToken").await;
    relayed(&mut market, token, Gasless::Permit).await;
    let token = market.token("AuthorizationToken").await;
    relayed(&mut market, token, Gasless::ReceiveWithAuthorization).await;
    let many = B256::from(U256::from(1_000_000));
    let token = market.token("HookToken").await;
    let contract = address_word(market.stage.network.contract);
    market.tell(token.0, "approve(address,uint256)", &[contract, many]).await;
    relayed(&mut market, token, Gasless::Allowance).await;
    let token = market.token("HookToken").await;
    market.set_code(PERMIT2, &bytecode("Permit2Double", "deployedBytecode")).await;
    market.tell(token.0, "approve(address,uint256)", &[address_word(PERMIT2), many]).await;
    relayed(&mut market, token, Gasless::Permit2).await;
    market.goes_by_permit2(token).await;
}

impl Market {
    /// The channel is there already: Alice deposits herself.
    async fn goes_by_permit2(&mut self, token: Token) {
        let before = self.credited(token).await;
        let deposit = self.deposit(token, 1).call(Some(Way::Permit2));
        self.stage.alice.send(deposit).await.unwrap();
        assert_eq!(self.credited(token).await, Amount(before.0 + AMOUNT.0));
    }
}

#[tokio::test]
async fn nothing_is_signed_where_no_signature_moves_the_token() {
    let market = Market::new().await;
    let (endpoint, contract) = (&market.stage.endpoint, market.stage.network.contract);
    let (alice, bob) = (&market.stage.alice.account, &market.stage.bob.account);
    let authorization = Authorization::Open(opening(&market, market.stage.token, 1));
    let refused = authorize(endpoint, contract, alice, &authorization, None).await.unwrap_err();
    assert!(matches!(&refused, AuthorizeError::NoMeans { tried, .. } if tried.len() == 4));
    assert!(refused.to_string().contains("receive-with-authorization"), "{refused}");
    let refused = authorize(endpoint, contract, bob, &authorization, None).await.unwrap_err();
    assert!(matches!(refused, AuthorizeError::OtherAccount { .. }));
}

#[tokio::test]
async fn a_token_that_names_anothers_domain_gets_no_signature() {
    let market = Market::new().await;
    let token = market.token("PermitToken").await;
    // The code of the honest token at another address, with DOMAIN_SEPARATOR() answering for the
    // honest one: `return 0x..` before everything else.
    let liar = Address::repeat_byte(0x55);
    let separator = market.ask(token.0, "DOMAIN_SEPARATOR()", &[]).await;
    let code = [&[0x7f][..], &separator, &[0x60, 0, 0x52, 0x60, 0x20, 0x60, 0, 0xf3]].concat();
    market.set_code(liar, &code.into()).await;
    let endpoint = &market.stage.endpoint;
    let contract = market.stage.network.contract;
    let alice = &market.stage.alice.account;
    let authorization = Authorization::Open(opening(&market, Token(liar), 1));
    for gasless in [Gasless::Permit, Gasless::ReceiveWithAuthorization] {
        let refused =
            authorize(endpoint, contract, alice, &authorization, Some(gasless)).await.unwrap_err();
        assert!(matches!(refused, AuthorizeError::Domain { contract, .. } if contract == liar));
        assert!(refused.to_string().ends_with("not signed"), "{refused}");
    }
}

/// As an old chain: a third parameter is one too many.
fn old(question: &Value) -> Option<Value> {
    let many = question["params"].as_array().is_some_and(|parameters| parameters.len() > 2);
    let message = "too many arguments, want at most 2";
    many.then(|| json!({ "error": { "code": -32602, "message": message } }))
}

#[tokio::test]
async fn where_no_code_can_be_replaced_the_ways_are_tried_one_by_one() {
    let mut market = Market::new().await;
    let funding = |market: &Market, token| market.open(token);
    let fee = market.token("FeeToken").await;
    let hooked = market.token("Erc1363Token").await;
    let pure = market.token("Erc223Token").await;
    let denying = market.token("DenyingToken").await;
    market.tell(denying.0, "deny(bool)", &[TRUE]).await;
    let wrapped = market.stage.alice.wallet.deploy_wrapped_native().await.unwrap();
    market.stage.endpoint =
        Endpoint::new(&peculiar(market.stage.chain().url(), old).await).unwrap();

    let found = market.examine(&funding(&market, fee)).await;
    assert_eq!((found.arrives, found.oddities.as_slice()), (None, &[][..]));
    assert_eq!(found.cheapest().unwrap().way, Way::Allowance);
    let ways = market.ways(&funding(&market, hooked)).await;
    assert_eq!(ways, [Way::Erc1363, Way::Allowance]);
    assert_eq!(market.ways(&funding(&market, pure)).await, [Way::Erc223]);
    assert_eq!(market.ways(&funding(&market, wrapped)).await, [Way::Native]);
    let refused = market.examine(&funding(&market, denying)).await.check().unwrap_err();
    assert_eq!(refused, Oddity::ReturnsFalse);

    let contract = market.stage.network.contract;
    let many = B256::from(U256::from(1_000_000));
    market.tell(fee.0, "approve(address,uint256)", &[address_word(contract), many]).await;
    let found = market.examine(&funding(&market, fee)).await;
    assert_eq!(found.arrives, Some(Amount(900)), "an allowance stands: the contract tells");
}

#[tokio::test]
async fn a_token_that_blocks_the_account_is_told_before_anything_is_sent() {
    let mut market = Market::new().await;
    let token = market.token("HookToken").await;
    // Called before each pull; nothing is there to be called.
    let nobody = address_word(Address::repeat_byte(0x66));
    market.tell(token.0, "setHook(address)", &[nobody]).await;
    let found = market.examine(&market.open(token)).await;
    let Err(Oddity::Refuses(revert)) = found.check() else { panic!("{found:?}") };
    assert!(revert.to_string().contains("refused 1000"), "{revert}");
    let before = market.transactions_of(market.stage.alice.address()).await;
    let refused = market.stage.alice.send(market.open(token).call(None)).await.unwrap_err();
    assert!(matches!(refused, SendError::Reverts(_)), "{refused}");
    assert_eq!(market.transactions_of(market.stage.alice.address()).await, before);
}
