//! What a node is told before it starts: by file, overridden by the environment, overridden by
//! the command line.

mod layers;
mod text;

use photon_chain::Depth;
use photon_core::Timing;
use photon_wire::record::FeeSchedule;
use photon_wire::{Amount, Seconds};
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

pub use layers::{ConfigError, Explained, Loaded, Options};
pub use text::{AmountText, Confirmations, PeerAddress, PeerAddressError};

/// All of it. Files say it in TOML; `PHOTON_API_LISTEN` in the environment is `api.listen`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where everything is kept that the node must not forget.
    pub data_dir: PathBuf,
    /// The network file that `photon contracts deploy` wrote: chain, contract, first block.
    pub network: PathBuf,
    /// The chain.
    pub chain: ChainConfig,
    /// Our account.
    pub account: AccountConfig,
    /// Peers.
    pub net: NetConfig,
    /// The HTTP API.
    pub api: ApiConfig,
    /// When waiting stops being safe.
    pub timing: TimingConfig,
    /// What we take for mediating, until it is set over the API.
    pub fees: FeesConfig,
    /// What we pay, and what we take.
    pub payments: PaymentsConfig,
    /// Who pays gas for us.
    pub relayer: RelayerConfig,
    /// Whether, and how much, we pay gas for others.
    pub relay: RelayConfig,
}

/// The chain.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChainConfig {
    /// Its JSON-RPC endpoint: http, https, ws or wss.
    pub endpoint: String,
    /// Further JSON-RPC endpoints of the same chain, of other operators. They stand in for
    /// `endpoint` while it does not answer or stays behind. Where one of them knows other blocks,
    /// or is ahead, locked payments wait; direct ones go on.
    #[serde(deserialize_with = "text::list")]
    pub witnesses: Vec<String>,
    /// How many blocks `endpoint` may be behind a witness.
    pub witness_lag: u64,
    /// Blocks on top of an event before it counts; or `safe` or `finalized`, where the chain says
    /// of blocks that they are.
    pub confirmations: Confirmations,
    /// How old the newest block may be, in seconds, before locked payments wait: about ten times
    /// what a block takes. 0 lets it be as old as it likes.
    pub head_age_seconds: u64,
    /// How often to look for new blocks, in milliseconds; over a WebSocket they are announced.
    /// Witnesses are asked as often.
    pub poll_milliseconds: u64,
}

/// Our account: a keystore file with its password, or a mnemonic.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccountConfig {
    /// A keystore file (V3), as geth and others write it.
    pub keystore: Option<PathBuf>,
    /// The file that holds its password; only its owner may read it.
    pub password_file: Option<PathBuf>,
    /// A file with the twelve or more words of BIP-39; only its owner may read it.
    pub mnemonic_file: Option<PathBuf>,
    /// Which account of the mnemonic, from 0.
    pub mnemonic_index: u32,
}

/// Peers.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NetConfig {
    /// Multiaddresses to listen on; with none this node only dials.
    #[serde(deserialize_with = "text::list")]
    pub listen: Vec<String>,
    /// Multiaddresses under which others reach us, where they differ from those.
    #[serde(deserialize_with = "text::list")]
    pub external: Vec<String>,
    /// Peers to keep a session with: `0xaccount@/ip4/…/tcp/…`, or the account alone.
    #[serde(deserialize_with = "text::list")]
    pub peers: Vec<String>,
    /// Look for peers on the local network, and be seen there.
    pub mdns: bool,
    /// Look up and publish addresses in the distributed hash table.
    pub kademlia: bool,
    /// Nodes to join that table through; each address ends in `/p2p/<peer id>`.
    #[serde(deserialize_with = "text::list")]
    pub bootstrap: Vec<String>,
}

/// The HTTP API.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApiConfig {
    /// Whether there is one.
    pub enabled: bool,
    /// Where it listens. Anything but loopback is for those who know why.
    pub listen: SocketAddr,
    /// The file with the token of full access; made, readable by its owner only, where it is
    /// missing.
    pub token_file: PathBuf,
    /// The file with the token that lets look and nothing else; made as the other one is.
    pub read_token_file: PathBuf,
    /// Web origins that may call it.
    #[serde(deserialize_with = "text::list")]
    pub origins: Vec<String>,
    /// Host names, beside the loopback ones, under which it may be called.
    #[serde(deserialize_with = "text::list")]
    pub hosts: Vec<String>,
}

/// When waiting stops being safe, in seconds; see [`photon_core::Timing`].
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TimingConfig {
    /// What the other five are where they are not set: `standard` for blocks of about twelve
    /// seconds, `development` for a chain with blocks of a second or less.
    pub preset: Preset,
    /// Time to get a secret onto the chain.
    pub reveal_timeout: u64,
    /// What a hop takes on top before it forwards or reveals.
    pub hop_margin: u64,
    /// From now to a new lock's expiration.
    pub lock_duration: u64,
    /// From a lock's expiration until its payee has claimed it.
    pub claim_time: u64,
    /// How long after its expiration a payer takes a lock back.
    pub expire_margin: u64,
}

/// Lengths that belong together.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Preset {
    /// The core's own.
    #[default]
    Standard,
    /// For trying things out, never for tokens that are worth something.
    Development,
}

impl Preset {
    /// The lengths.
    pub fn timing(self) -> Timing {
        match self {
            Self::Standard => Timing::default(),
            Self::Development => Timing {
                reveal_timeout: Seconds(10),
                hop_margin: Seconds(2),
                lock_duration: Seconds(40),
                claim_time: Seconds(20),
                expire_margin: Seconds(3),
            },
        }
    }
}

/// What we take for mediating.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FeesConfig {
    /// For each payment, in base units of the token.
    pub base: AmountText,
    /// Of what is forwarded, at most 1,000,000.
    pub parts_per_million: u32,
}

/// What we pay, and what we take.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PaymentsConfig {
    /// Locks below this are given back: claiming them on the chain would cost more.
    pub least_lock: AmountText,
    /// The most that mediators may take of a payment that does not say: this much,
    pub max_fee_base: AmountText,
    /// and these parts of its amount on top.
    pub max_fee_parts_per_million: u32,
}

/// Whose relay carries what we sign where we own no coins.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RelayerConfig {
    /// Its address: http or https.
    pub url: Option<String>,
    /// How long what we sign is good, in seconds.
    pub valid_seconds: u64,
}

/// The relay that this node is for others. Whoever reaches its port can have gas paid by our
/// account, up to these limits.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RelayConfig {
    /// Where it listens; there is none where this is not set.
    pub listen: Option<SocketAddr>,
    /// Nothing is taken on while gas costs more, in wei.
    pub max_gas_price: AmountText,
    /// The most gas of a day, in UTC.
    pub daily_gas: u64,
    /// Authorizations a minute from one address of the network.
    pub per_minute: u32,
    /// Authorizations an hour of one account.
    pub per_hour: u32,
    /// How long an authorization may be good, in seconds.
    pub longest_seconds: u64,
}

impl Config {
    /// What holds where nothing is said.
    pub fn defaults(data_dir: &Path, preset: Preset) -> Self {
        let timing = preset.timing();
        Self {
            data_dir: data_dir.to_owned(),
            network: data_dir.join("network.toml"),
            chain: ChainConfig {
                endpoint: "http://127.0.0.1:8545".to_owned(),
                witnesses: Vec::new(),
                witness_lag: 3,
                confirmations: match preset {
                    Preset::Standard => Confirmations(Depth::Blocks(3)),
                    Preset::Development => Confirmations(Depth::Blocks(0)),
                },
                head_age_seconds: match preset {
                    Preset::Standard => 120,
                    Preset::Development => 0,
                },
                poll_milliseconds: match preset {
                    Preset::Standard => 1_000,
                    Preset::Development => 100,
                },
            },
            account: AccountConfig {
                keystore: None,
                password_file: None,
                mnemonic_file: None,
                mnemonic_index: 0,
            },
            net: NetConfig {
                listen: vec!["/ip4/0.0.0.0/tcp/9735".to_owned()],
                external: Vec::new(),
                peers: Vec::new(),
                mdns: false,
                kademlia: false,
                bootstrap: Vec::new(),
            },
            api: ApiConfig {
                enabled: true,
                listen: SocketAddr::from(([127, 0, 0, 1], 5001)),
                token_file: data_dir.join("api.token"),
                read_token_file: data_dir.join("api.read.token"),
                origins: Vec::new(),
                hosts: Vec::new(),
            },
            timing: TimingConfig {
                preset,
                reveal_timeout: timing.reveal_timeout.0,
                hop_margin: timing.hop_margin.0,
                lock_duration: timing.lock_duration.0,
                claim_time: timing.claim_time.0,
                expire_margin: timing.expire_margin.0,
            },
            fees: FeesConfig { base: AmountText(Amount::ZERO), parts_per_million: 0 },
            payments: PaymentsConfig {
                least_lock: AmountText(Amount::ZERO),
                max_fee_base: AmountText(Amount(10)),
                max_fee_parts_per_million: 20_000,
            },
            relayer: RelayerConfig { url: None, valid_seconds: 600 },
            relay: RelayConfig {
                listen: None,
                max_gas_price: AmountText(Amount(100_000_000_000)),
                daily_gas: 20_000_000,
                per_minute: 60,
                per_hour: 12,
                longest_seconds: 24 * 3_600,
            },
        }
    }

    /// The lengths as the core takes them.
    pub const fn timing(&self) -> Timing {
        Timing {
            reveal_timeout: Seconds(self.timing.reveal_timeout),
            hop_margin: Seconds(self.timing.hop_margin),
            lock_duration: Seconds(self.timing.lock_duration),
            claim_time: Seconds(self.timing.claim_time),
            expire_margin: Seconds(self.timing.expire_margin),
        }
    }

    /// The fees as the core takes them.
    pub const fn fees(&self) -> FeeSchedule {
        FeeSchedule { base: self.fees.base.0, parts_per_million: self.fees.parts_per_million }
    }

    /// Reads the file, the environment and the options; says also what came from where.
    ///
    /// # Errors
    /// A file cannot be read, or a value is unknown, malformed or out of its range.
    pub fn load(options: &Options) -> Result<Loaded, ConfigError> {
        layers::load(options, std::env::vars_os())
    }

    /// The same with another environment.
    ///
    /// # Errors
    /// As [`Self::load`].
    pub fn load_with(
        options: &Options,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Loaded, ConfigError> {
        let environment = environment.into_iter().map(|(name, value)| (name.into(), value.into()));
        layers::load(options, environment)
    }

    /// Refuses what the types let through.
    fn check(&self) -> Result<(), ConfigError> {
        let out_of_range = |key, expected: &str, got: u128| {
            Err(ConfigError::Range { key, expected: expected.to_owned(), got })
        };
        for (key, parts) in [
            ("fees.parts_per_million", self.fees.parts_per_million),
            ("payments.max_fee_parts_per_million", self.payments.max_fee_parts_per_million),
        ] {
            if parts > 1_000_000 {
                return out_of_range(key, "at most 1000000", parts.into());
            }
        }
        let timing = &self.timing;
        for (key, seconds) in [
            ("timing.reveal_timeout", timing.reveal_timeout),
            ("timing.lock_duration", timing.lock_duration),
            ("timing.claim_time", timing.claim_time),
            ("chain.poll_milliseconds", self.chain.poll_milliseconds),
        ] {
            if seconds == 0 {
                return out_of_range(key, "at least 1", 0);
            }
        }
        let least = timing.reveal_timeout.saturating_add(timing.hop_margin);
        if timing.lock_duration <= least {
            let expected = format!("more than reveal_timeout + hop_margin = {least}");
            return out_of_range("timing.lock_duration", &expected, timing.lock_duration.into());
        }
        let valid = self.relayer.valid_seconds;
        if !(60..=86_400).contains(&valid) {
            return out_of_range("relayer.valid_seconds", "60 to 86400", valid.into());
        }
        let url = self.relayer.url.as_deref().unwrap_or("http://");
        if !["http://", "https://"].iter().any(|scheme| url.starts_with(scheme)) {
            return Err(ConfigError::Url { key: "relayer.url", url: url.to_owned() });
        }
        for peer in &self.net.peers {
            peer.parse::<PeerAddress>()?;
        }
        Ok(())
    }
}
