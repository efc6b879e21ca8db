use crate::bindings::{DepositReceiver, PhotonNetwork, TestToken};
use alloy::primitives::{Address, Bytes, U256};
use alloy::sol_types::{Panic, PanicKind, Revert as Message, SolError, SolInterface};
use photon_wire::contract::{Call, Means};
use std::fmt;

/// Every custom error of the contract, with its values.
pub use PhotonNetwork::PhotonNetworkErrors as ContractError;

/// Every custom error of the deposit receiver that the contract has not.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ReceiverError {
    /// What came with the tokens is no instruction: this many bytes.
    UnknownInstruction(U256),
    /// Only a token may tell that it was allowed to be spent.
    NotTheToken {
        /// The token.
        token: Address,
        /// Who told it.
        caller: Address,
    },
    /// Only Photon's contract may ask for what lies there.
    NotTheNetwork {
        /// The contract.
        network: Address,
        /// Who asked.
        caller: Address,
    },
    /// Only an owner may open a channel with his tokens.
    NotTheOwner {
        /// Whose tokens.
        owner: Address,
        /// Who sent them.
        operator: Address,
    },
}

const NONE: u8 = 0;
const OPEN: u8 = 1;
const CLOSED: u8 = 2;

mod standard {
    #![allow(missing_docs, clippy::all)]
    alloy::sol! {
        /// The errors of most tokens. Source: ERC-6093.
        #[derive(Debug, PartialEq, Eq)]
        interface Erc20 {
            error ERC20InsufficientBalance(address sender, uint256 balance, uint256 needed);
            error ERC20InsufficientAllowance(address spender, uint256 allowance, uint256 needed);
            error ERC20InvalidReceiver(address receiver);
        }
    }
}

/// Why a contract refused a call.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Revert {
    /// Photon's contract, with a custom error.
    Contract(ContractError),
    /// Photon's deposit receiver, with a custom error.
    Receiver(ReceiverError),
    /// A token: this account has less than it should give.
    TokenBalance {
        /// What it has.
        balance: U256,
        /// What it should give.
        needed: U256,
    },
    /// A token: this spender may take less than it wants.
    TokenAllowance {
        /// What it may take.
        allowance: U256,
        /// What it wants.
        needed: U256,
    },
    /// A token does not give to this address.
    TokenReceiver(Address),
    /// Words of the contract (`Error(string)`).
    Message(String),
    /// A fault within the contract (`Panic(uint256)`).
    Panic(U256),
    /// Data that we cannot read; empty where the contract said nothing.
    Unknown(Bytes),
}

impl Revert {
    /// Reads what a call that reverted returned.
    pub fn decode(data: &[u8]) -> Self {
        if let Ok(error) = ContractError::abi_decode(data) {
            return Self::Contract(error);
        }
        if let Some(error) = of_receiver(data) {
            return Self::Receiver(error);
        }
        if let Some(revert) = of_token(data) {
            return revert;
        }
        if let Ok(Message { reason }) = Message::abi_decode(data) {
            return Self::Message(reason);
        }
        if let Ok(Panic { code }) = Panic::abi_decode(data) {
            return Self::Panic(code);
        }
        Self::Unknown(Bytes::copy_from_slice(data))
    }

    /// Whether it says that what the call wants was done already, so that nothing is left to do.
    pub const fn means_done(&self, call: &Call) -> bool {
        let Self::Contract(error) = self else { return false };
        match (call, error) {
            (Call::Close { .. }, ContractError::WrongPhase(phase)) => phase.got != OPEN,
            (Call::Settle { .. }, ContractError::WrongPhase(phase)) => phase.got != CLOSED,
            // The dispute is over, with whatever was said in time.
            (Call::Update { .. } | Call::Unlock { .. }, ContractError::WrongPhase(phase)) => {
                phase.got == NONE
            }
            (Call::Update { .. }, ContractError::StaleNonce(stale)) => stale.stored >= stale.got,
            (Call::Withdraw { .. }, ContractError::StaleWithdrawal(stale)) => {
                stale.stored >= stale.got
            }
            (Call::CooperativeSettle { .. }, ContractError::WrongPhase(phase)) => phase.got == NONE,
            (Call::Punish { .. }, ContractError::NotClaimed(_))
            | (Call::CancelAuthorization { .. }, ContractError::AuthorizationUsed(_))
            | (Call::ClaimCredit { .. }, ContractError::NoCredit(_)) => true,
            _ => false,
        }
    }
}

fn of_receiver(data: &[u8]) -> Option<ReceiverError> {
    use DepositReceiver::{NotTheNetwork, NotTheOwner, NotTheToken, UnknownInstruction};
    if let Ok(error) = UnknownInstruction::abi_decode(data) {
        return Some(ReceiverError::UnknownInstruction(error.length));
    }
    if let Ok(NotTheToken { token, caller }) = NotTheToken::abi_decode(data) {
        return Some(ReceiverError::NotTheToken { token, caller });
    }
    if let Ok(NotTheNetwork { network, caller }) = NotTheNetwork::abi_decode(data) {
        return Some(ReceiverError::NotTheNetwork { network, caller });
    }
    let NotTheOwner { owner, operator } = NotTheOwner::abi_decode(data).ok()?;
    Some(ReceiverError::NotTheOwner { owner, operator })
}

impl fmt::Display for ReceiverError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownInstruction(length) => {
                write!(
                    out,
                    "an instruction of {length} bytes came with the tokens, expected 64 or 96"
                )
            }
            Self::NotTheToken { token, caller } => {
                write!(out, "{caller} speaks for token {token}, expected the token itself")
            }
            Self::NotTheNetwork { network, caller } => {
                write!(out, "{caller} asks for tokens, expected the contract {network}")
            }
            Self::NotTheOwner { owner, operator } => {
                write!(out, "{operator} cannot open a channel with tokens of {owner}")
            }
        }
    }
}

fn of_token(data: &[u8]) -> Option<Revert> {
    use TestToken::TestTokenErrors as Ours;
    use standard::Erc20::Erc20Errors as Standard;
    if let Ok(error) = Standard::abi_decode(data) {
        return Some(match error {
            Standard::ERC20InsufficientBalance(error) => {
                Revert::TokenBalance { balance: error.balance, needed: error.needed }
            }
            Standard::ERC20InsufficientAllowance(error) => {
                Revert::TokenAllowance { allowance: error.allowance, needed: error.needed }
            }
            Standard::ERC20InvalidReceiver(error) => Revert::TokenReceiver(error.receiver),
        });
    }
    Ours::abi_decode(data).ok().map(|error| match error {
        Ours::InsufficientBalance(error) => {
            Revert::TokenBalance { balance: error.balance, needed: error.needed }
        }
        Ours::InsufficientAllowance(error) => {
            Revert::TokenAllowance { allowance: error.allowance, needed: error.needed }
        }
    })
}

impl fmt::Display for Revert {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Contract(error) => out.write_str(&sentence(error)),
            Self::Receiver(error) => error.fmt(out),
            Self::TokenBalance { balance, needed } => {
                write!(out, "the token balance is {balance}, needed {needed}")
            }
            Self::TokenAllowance { allowance, needed } => {
                write!(out, "the token allowance is {allowance}, needed {needed}")
            }
            Self::TokenReceiver(receiver) => write!(out, "the token does not give to {receiver}"),
            Self::Message(message) => write!(out, "the contract says: {message}"),
            Self::Panic(code) => match u32::try_from(*code).ok().and_then(PanicKind::from_number) {
                Some(kind) => write!(out, "the contract panicked: {kind}"),
                None => write!(out, "the contract panicked with code {code}"),
            },
            Self::Unknown(data) if data.is_empty() => {
                out.write_str("the contract refused without a reason")
            }
            Self::Unknown(data) => write!(out, "the contract refused with {data}"),
        }
    }
}

/// A phase as the contract numbers them.
const fn phase(number: u8) -> &'static str {
    match number {
        NONE => "not there",
        OPEN => "open",
        CLOSED => "closed",
        _ => "in an unknown phase",
    }
}

/// Who checks the signature of a relayed deposit.
fn authority(means: u8, token: Address) -> String {
    if means == Means::Permit2.number() { "Permit2".to_owned() } else { format!("token {token}") }
}

macro_rules! sentences {
    ($($name:ident($error:ident): $text:literal $(, $value:expr)*;)*) => {
        fn sentence(error: &ContractError) -> String {
            match error {
                $(ContractError::$name($error) => format!($text $(, $value)*),)*
            }
        }
    };
}

sentences! {
    AmountTooLarge(e): "amount is {}, at most {} fits", e.got, e.limit;
    AuthorizationRefused(e):
        "{} refused the signature of {} over {}, or the transfer",
        authority(e.means, e.token), e.participant, e.amount;
    AuthorizationUsed(e): "{} has used or cancelled the authorization with nonce {} already",
        e.participant, e.nonce;
    BalanceOutOfRange(e): "the lower address would get {} of the {} that the channel holds",
        e.balanceLow, e.held;
    ClaimExpired(e): "the claim was good until {}, it is {}", e.validUntil, e.timestamp;
    EpochsExhausted(e): "the pair had {} channels already, and can have no more", e.epoch;
    GasTooLow(e): "gas left is {}, needed {}", e.got, e.needed;
    InvalidParameters(e):
        "settle timeouts from {} s to {} s with a challenge of {} s make no sense",
        e.leastSettleTimeout, e.greatestSettleTimeout, e.challenge;
    InvalidParticipants(e): "{} and {} cannot have a channel", e.participant, e.partner;
    InvalidSignature(e): "the signature is not by {} over this claim", e.signer;
    MalformedProof(e): "the multiproof has {} siblings, expected {}", e.got, e.expected;
    MalformedRegistration(e): "registration {} of the call is malformed", e.registration;
    NoCredit(e): "{} has no credit of token {}", e.owner, e.token;
    NoLocks(_e): "no locks to unlock";
    NoPermit2(e): "this chain has no Permit2 at {}", e.expected;
    NonceTooLarge(e): "nonce is {}, at most {} fits", e.got, e.limit;
    NotAToken(e): "no token at {}", e.token;
    NotAscending(e): "{} comes after {}, expected ascending order", e.got, e.previous;
    NotClaimed(e): "the lock in slot {} is not claimed", e.slot;
    NotDisposed(e): "lock {} is not in the disposal", e.lock;
    NotRegistered(e): "no registration was shown for lock {} of the call", e.place;
    NotTheReceiver(e): "{} is not the deposit receiver {}", e.caller, e.receiver;
    NothingReceived(e): "token {} took {} but nothing arrived", e.token, e.amount;
    Reentered(_e): "the token called back into a deposit";
    RegisteredTooLate(e): "the secret was registered at {}, the lock expired at {}",
        e.registered, e.expiration;
    SealedByDeclaration(e): "the payee of {} closed with a declaration, nothing newer counts",
        e.payer;
    SendToTheReceiver(e): "tokens with a word go to the deposit receiver {}", e.receiver;
    SettleTimeoutOutOfBounds(e): "settle timeout is {} s, expected {} s to {} s",
        e.got, e.least, e.greatest;
    SlotOutOfRange(e): "slot is {}, expected below {}", e.got, e.limit;
    StaleNonce(e): "nonce is {}, stored is {} already", e.got, e.stored;
    StaleWithdrawal(e): "withdrawn is {}, stored is {} already", e.got, e.stored;
    TooEarly(e): "it is {}, the time for this begins after {}", e.timestamp, e.after_;
    TooLate(e): "it is {}, the time for this was over after {}", e.timestamp, e.until;
    TransferFailed(e): "token {} refused {} from {} to {}", e.token, e.amount, e.from, e.to;
    UnknownRegistration(e): "no secrets were registered under {}", e.root;
    WithdrawalTooLarge(e): "withdrawals are {}, deposits only {}", e.withdrawals, e.deposits;
    WrongBalance(e): "another balance than this is stored for {}", e.payer;
    WrongEpoch(e): "epoch is {}, got {}", e.current, e.got;
    WrongNumberOfSecrets(e): "{} secrets at once, expected 1 to {}", e.got, e.limit;
    WrongPhase(e): "the channel is {}, expected {}", phase(e.got), phase(e.expected);
    WrongRoot(e): "the locks have root {}, expected {}", e.got, e.expected;
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy::primitives::hex;
    use photon_wire::contract::SignedBalance;
    use photon_wire::{Amount, ChannelKey, Locksroot, Nonce, Signature, Token};

    fn wrong_phase(expected: u8, got: u8) -> Revert {
        let error = PhotonNetwork::WrongPhase { expected, got };
        Revert::decode(&error.abi_encode())
    }

    #[test]
    fn refusals_of_contracts_and_tokens_become_sentences() {
        let needed = U256::from(7);
        let balance = standard::Erc20::ERC20InsufficientBalance {
            sender: Address::ZERO,
            balance: U256::from(3),
            needed,
        };
        let allowance =
            TestToken::InsufficientAllowance { spender: Address::ZERO, allowance: needed, needed };
        let message = Message { reason: "SafeMath: overflow".to_owned() };
        let sentences = [
            (balance.abi_encode(), "the token balance is 3, needed 7"),
            (allowance.abi_encode(), "the token allowance is 7, needed 7"),
            (message.abi_encode(), "the contract says: SafeMath: overflow"),
            (Panic { code: U256::from(0x11) }.abi_encode(), "the contract panicked: "),
            (Panic { code: U256::from(0xff) }.abi_encode(), "the contract panicked with code 255"),
            (Vec::new(), "the contract refused without a reason"),
            (hex!("01020304").into(), "the contract refused with 0x01020304"),
            (
                PhotonNetwork::StaleNonce { stored: 5, got: 4 }.abi_encode(),
                "nonce is 4, stored is 5 already",
            ),
            (
                PhotonNetwork::BalanceOutOfRange {
                    balanceLow: alloy::primitives::I256::MINUS_ONE,
                    held: U256::from(9),
                }
                .abi_encode(),
                "the lower address would get -1 of the 9 that the channel holds",
            ),
            (
                PhotonNetwork::AuthorizationUsed { participant: Address::ZERO, nonce: needed }
                    .abi_encode(),
                "0x0000000000000000000000000000000000000000 has used or cancelled the \
                 authorization with nonce 7 already",
            ),
            (
                PhotonNetwork::AuthorizationRefused {
                    means: 2,
                    token: Address::ZERO,
                    participant: Address::ZERO,
                    amount: needed,
                }
                .abi_encode(),
                "Permit2 refused the signature of 0x0000000000000000000000000000000000000000 \
                 over 7, or the transfer",
            ),
            (
                DepositReceiver::UnknownInstruction { length: needed }.abi_encode(),
                "an instruction of 7 bytes came with the tokens, expected 64 or 96",
            ),
            (
                DepositReceiver::NotTheToken { token: Address::ZERO, caller: Address::ZERO }
                    .abi_encode(),
                "0x0000000000000000000000000000000000000000 speaks for token",
            ),
            (PhotonNetwork::Reentered {}.abi_encode(), "the token called back into a deposit"),
        ];
        for (data, sentence) in sentences {
            let shown = Revert::decode(&data).to_string();
            assert!(shown.starts_with(sentence), "{shown}");
        }
        let shown = wrong_phase(OPEN, CLOSED).to_string();
        assert_eq!(shown, "the channel is closed, expected open");
    }

    #[test]
    fn what_somebody_else_did_already_is_done() {
        let (token, partner) = (Token(Address::ZERO), Address::repeat_byte(1));
        let key = ChannelKey::new(token, Address::ZERO, partner).unwrap();
        let close = Call::Close { token, partner, proof: None, declared: Amount::ZERO };
        let settle = Call::Settle { key, low: Default::default(), high: Default::default() };
        let proof = SignedBalance {
            nonce: Nonce(4),
            transferred: Amount(0),
            locksroot: Locksroot::EMPTY,
            signature: Signature([0; 65]),
        };
        let update = Call::Update { token, partner, proof, delegated: None };
        assert!(wrong_phase(OPEN, CLOSED).means_done(&close));
        assert!(wrong_phase(OPEN, NONE).means_done(&close));
        assert!(wrong_phase(CLOSED, NONE).means_done(&settle));
        assert!(wrong_phase(CLOSED, NONE).means_done(&update));
        assert!(!wrong_phase(CLOSED, OPEN).means_done(&update));
        let stale = PhotonNetwork::StaleNonce { stored: 4, got: 4 };
        assert!(Revert::decode(&stale.abi_encode()).means_done(&update));
        assert!(!Revert::decode(&stale.abi_encode()).means_done(&close));
        let settle_timeout = photon_wire::Seconds(1);
        let open = Call::Open { token, partner, settle_timeout, amount: Amount(1), way: None };
        assert!(!wrong_phase(NONE, OPEN).means_done(&open));
    }
}
