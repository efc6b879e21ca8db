//! What a development chain is like before it starts.

use std::{fmt, net::SocketAddr, path::PathBuf, str::FromStr, time::Duration};

use alloy::primitives::{U256, utils::Unit};
use revm::primitives::hardfork::SpecId;

use crate::error::Error;

/// The mnemonic that every development chain funds; never put real money on it.
pub const TEST_MNEMONIC: &str = "test test test test test test test test test test test junk";

/// The most accounts that can be derived and funded.
pub const MAX_ACCOUNTS: u32 = 1_000;

/// The chain id of Spectrum's main net.
pub const SPECTRUM_CHAIN_ID: u64 = 20_180_430;

/// How a chain behaves; [`Config::default`] suits most tests.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where HTTP and WebSocket are served; port 0 takes a free one.
    pub address: SocketAddr,
    /// The chain id that transactions are signed for.
    pub chain_id: u64,
    /// The rules of the EVM and the transaction types it takes.
    pub hardfork: Hardfork,
    /// When blocks are made.
    pub mining: Mining,
    /// The gas that one block holds.
    pub block_gas_limit: u64,
    /// The base fee of the first block, in wei per gas (from London on).
    pub base_fee: u64,
    /// The base fee never falls below this, in wei per gas.
    pub minimum_base_fee: u64,
    /// The BIP-39 words that the funded accounts come from, at m/44'/60'/0'/0/i.
    pub mnemonic: String,
    /// How many accounts are funded.
    pub accounts: u32,
    /// What each of them has, in wei.
    pub balance: U256,
    /// For how many blocks the state is kept: calls, reorganisations and reverts reach that far.
    pub history: usize,
    /// Where the chain is kept between runs; nowhere if there is none.
    pub state: Option<PathBuf>,
    /// How often the chain is written there while it changes: what a power cut can cost.
    pub save_every: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            address: SocketAddr::from(([127, 0, 0, 1], 0)),
            chain_id: 1337,
            hardfork: Hardfork::default(),
            mining: Mining::Instant,
            block_gas_limit: 30_000_000,
            base_fee: 1_000_000_000,
            minimum_base_fee: 7,
            mnemonic: TEST_MNEMONIC.to_owned(),
            accounts: 10,
            balance: U256::from(10_000) * Unit::ETHER.wei(),
            history: 256,
            state: None,
            save_every: Duration::from_secs(5),
        }
    }
}

impl Config {
    /// A chain like Spectrum: its chain id, its gas prices, legacy transactions only, no base fee.
    ///
    /// Unlike Spectrum it has neither CHAINID nor SELFBALANCE, which Petersburg did not have yet.
    /// Source: SmartMeshFoundation/Spectrum, params/config.go.
    pub fn spectrum() -> Self {
        Self { chain_id: SPECTRUM_CHAIN_ID, hardfork: Hardfork::Petersburg, ..Self::default() }
    }

    /// Refuses values that no chain can run with.
    pub(crate) fn check(&self) -> Result<(), Error> {
        if self.mining == Mining::Interval(Duration::ZERO) {
            return Err(Error::ZeroInterval);
        }
        if self.accounts > MAX_ACCOUNTS {
            return Err(Error::TooManyAccounts { got: self.accounts, max: MAX_ACCOUNTS });
        }
        if self.save_every.is_zero() {
            return Err(Error::ZeroInterval);
        }
        if self.history == 0 {
            return Err(Error::NoHistory);
        }
        Ok(())
    }
}

/// When blocks are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mining {
    /// Each transaction gets a block of its own, before its submission is answered.
    Instant,
    /// A block each time this much wall clock has passed, empty or not.
    Interval(Duration),
    /// Only on request.
    Manual,
}

/// A set of EVM rules, named as Ethereum names them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Hardfork {
    /// Legacy transactions only, no CHAINID, no base fee.
    Petersburg,
    /// Legacy transactions only, with CHAINID, no base fee.
    Istanbul,
    /// Access lists.
    Berlin,
    /// EIP-1559 fees.
    London,
    /// Proof of stake: PREVRANDAO instead of the difficulty.
    Paris,
    /// PUSH0 and withdrawals.
    Shanghai,
    /// MCOPY and transient storage (blob transactions are refused here).
    Cancun,
    /// Code for key accounts (EIP-7702), the calldata floor.
    Prague,
    /// P-256 and the gas cap of one transaction (EIP-7825).
    #[default]
    Osaka,
}

impl Hardfork {
    /// All of them, oldest first.
    pub const ALL: [Self; 9] = [
        Self::Petersburg,
        Self::Istanbul,
        Self::Berlin,
        Self::London,
        Self::Paris,
        Self::Shanghai,
        Self::Cancun,
        Self::Prague,
        Self::Osaka,
    ];

    /// The name in lower case, as commands take it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Petersburg => "petersburg",
            Self::Istanbul => "istanbul",
            Self::Berlin => "berlin",
            Self::London => "london",
            Self::Paris => "paris",
            Self::Shanghai => "shanghai",
            Self::Cancun => "cancun",
            Self::Prague => "prague",
            Self::Osaka => "osaka",
        }
    }

    pub(crate) const fn spec(self) -> SpecId {
        match self {
            Self::Petersburg => SpecId::PETERSBURG,
            Self::Istanbul => SpecId::ISTANBUL,
            Self::Berlin => SpecId::BERLIN,
            Self::London => SpecId::LONDON,
            Self::Paris => SpecId::MERGE,
            Self::Shanghai => SpecId::SHANGHAI,
            Self::Cancun => SpecId::CANCUN,
            Self::Prague => SpecId::PRAGUE,
            Self::Osaka => SpecId::OSAKA,
        }
    }
}

impl fmt::Display for Hardfork {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl FromStr for Hardfork {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        Self::ALL
            .into_iter()
            .find(|hardfork| hardfork.name().eq_ignore_ascii_case(name))
            .ok_or_else(|| Error::UnknownHardfork(name.to_owned()))
    }
}
