//! A call of the contract with every argument free, right or wrong.

use alloy::primitives::Bytes;
use alloy::sol_types::SolCall as _;

use crate::contract::PhotonNetwork;

macro_rules! calls {
    ($($name:ident($call:ident)),* $(,)?) => {
        /// What can be asked of the contract.
        #[derive(Clone, PartialEq, Eq, Debug)]
        pub enum Call {
            $(#[doc = stringify!($call)] $name(PhotonNetwork::$call),)*
            /// Several in one, all or none.
            Multicall(Vec<Call>),
        }

        impl Call {
            /// The names of all kinds.
            pub const KINDS: &[&str] = &[$(stringify!($name),)* "Multicall"];

            /// The name of the kind.
            pub const fn kind(&self) -> &'static str {
                match self {
                    $(Self::$name(_) => stringify!($name),)*
                    Self::Multicall(_) => "Multicall",
                }
            }

            /// The input of the transaction.
            pub fn encode(&self) -> Bytes {
                match self {
                    $(Self::$name(call) => call.abi_encode().into(),)*
                    Self::Multicall(calls) => {
                        let calls = calls.iter().map(Self::encode).collect();
                        PhotonNetwork::multicallCall { calls }.abi_encode().into()
                    }
                }
            }
        }
    };
}

calls! {
    Open(openCall),
    OpenAuthorized(openAuthorizedCall),
    Deposit(depositCall),
    DepositAuthorized(depositAuthorizedCall),
    CancelAuthorization(cancelAuthorizationCall),
    Withdraw(withdrawCall),
    CooperativeSettle(cooperativeSettleCall),
    Close(closeCall),
    Update(updateCall),
    Unlock(unlockCall),
    RegisterSecrets(registerSecretsCall),
    Punish(punishCall),
    Settle(settleCall),
    SettleMany(settleManyCall),
    ClaimCredit(claimCreditCall),
}
