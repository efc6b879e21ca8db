//! The chain that stories are told on: the contract, tokens of each manner, three rich people.

use std::rc::Rc;

use alloy::primitives::{Address, Bytes, U256};
use alloy::sol_types::SolCall as _;
use photon_wire::claim::Domain;
use photon_wire::{SigningKey, Verifier};
use revm::primitives::hardfork::SpecId;

use crate::chain::{CHAIN_ID, Called, Chain, State};
use crate::contract::{self, BlockingToken, FeeToken, Terms, TestToken};
use crate::model::{Flaw, Manner, Model, Setting};

/// When stories begin.
pub const START: u64 = 1_000_000;

/// What the contract is made with.
pub const TERMS: Terms = Terms { least: 100, greatest: 10_000, challenge: 50 };

/// What each of the three has of each token.
const PLENTY: u128 = 1 << 120;

/// One person.
#[derive(Clone, Debug)]
pub struct Person {
    /// Signs.
    pub key: SigningKey,
    /// His account.
    pub account: Address,
}

/// Everything that stories share.
pub struct Stage {
    /// The chain.
    pub chain: Chain,
    /// Alice, Bob and Carol.
    pub people: [Person; 3],
    /// What is signed in.
    pub domain: Domain,
    network: Address,
    tokens: [(Manner, Address); 3],
    base: State,
    verifier: Rc<Verifier>,
}

impl Stage {
    /// Deploys all and gives everybody plenty.
    pub fn new(rules: SpecId) -> Self {
        let mut chain = Chain::new(rules, START);
        let people = [1, 2, 3].map(|number| {
            let key = SigningKey::from_bytes(&[number; 32]).expect("small numbers are keys");
            Person { account: key.address(), key }
        });
        let deployer = Address::repeat_byte(0xde);
        let mut deploy = |code| chain.deploy(deployer, code).expect("the code deploys");
        let network = deploy(contract::network_code(TERMS));
        let tokens = [
            (Manner::Plain, deploy(contract::token_code())),
            (Manner::Fee, deploy(FeeToken::BYTECODE.clone())),
            (Manner::Blocking, deploy(BlockingToken::BYTECODE.clone())),
        ];
        for person in &people {
            for (_, token) in tokens {
                let mint = TestToken::mintCall { to: person.account, amount: U256::from(PLENTY) };
                let approve = TestToken::approveCall { spender: network, amount: U256::MAX };
                for input in [mint.abi_encode(), approve.abi_encode()] {
                    let done = chain.call(person.account, token, input.into());
                    assert!(matches!(done, Called::Done { .. }), "the token works: {done:?}");
                }
            }
        }
        let base = chain.state();
        let domain = Domain::new(CHAIN_ID, network);
        let verifier = Rc::new(Verifier::new());
        Self { chain, people, domain, network, tokens, base, verifier }
    }

    /// A new story, with a token of this manner: the chain is as it was at first.
    pub fn begin(&mut self, manner: Manner, flaw: Option<Flaw>) -> Model {
        self.chain.set_state(self.base.clone());
        self.chain.set_time(START);
        let known = self.tokens.iter().find(|(known, _)| *known == manner);
        let token = known.map(|(_, token)| *token).unwrap_or_default();
        let (network, terms, domain) = (self.network, TERMS, self.domain);
        let setting = Setting { network, token, manner, terms, domain };
        let purses =
            self.people.iter().map(|person| (person.account, U256::from(PLENTY))).collect();
        Model::new(setting, purses, Rc::clone(&self.verifier), flaw)
    }

    /// What a question is answered, decoded.
    ///
    /// # Panics
    /// The contract refuses the question, which it never may.
    pub fn ask<C: alloy::sol_types::SolCall>(&mut self, to: Address, call: &C) -> C::Return {
        let input = Bytes::from(call.abi_encode());
        let Called::Done { output, .. } = self.chain.view(to, input) else {
            panic!("{} was not answered", C::SIGNATURE)
        };
        C::abi_decode_returns(&output).expect("the answer is of the declared type")
    }
}
