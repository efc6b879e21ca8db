//! Defaults, file, environment, command line: each overrides the one before it.

use super::{Config, Preset, text::PeerAddressError};
use figment::providers::Serialized;
use figment::value::{Dict, Map, Tag, Value};
use figment::{Figment, Metadata, Profile, Provider};
use serde::Serialize;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

const PREFIX: &str = "PHOTON_";

/// What the command line said; what is not set is left to the layers below.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Options {
    /// The configuration file, which must be there then; else `config.toml` in the data directory
    /// is read where it is there.
    pub config_file: Option<PathBuf>,
    /// Values by their dotted keys, such as `api.listen`; lists have commas between their parts.
    pub values: Vec<(String, String)>,
}

impl Options {
    /// Adds a value where there is one.
    pub fn set(mut self, key: &str, value: Option<impl ToString>) -> Self {
        self.values.extend(value.map(|value| (key.to_owned(), value.to_string())));
        self
    }
}

/// A configuration and where it came from.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// What holds.
    pub config: Config,
    /// The file that was read.
    pub file: Option<PathBuf>,
    figment: Figment,
}

/// One value and where it came from.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Explained {
    /// Such as `api.listen`.
    pub key: String,
    /// The value as TOML writes it; empty where it is not set. A key in a URL is not shown.
    pub value: String,
    /// `default`, `file <path>`, `environment <name>` or `command line`.
    pub source: String,
}

/// Why there is no configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A file that should be there cannot be read.
    #[error("configuration file {}: {source}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// It is no TOML.
    #[error("configuration file {}: {source}", path.display())]
    Toml {
        /// Which.
        path: PathBuf,
        /// What is wrong, and where.
        source: Box<toml::de::Error>,
    },
    /// A value is unknown or malformed.
    #[error("configuration: {0}")]
    Value(Box<figment::Error>),
    /// A value is out of its range.
    #[error("configuration: {key} is {got}, expected {expected}")]
    Range {
        /// Which.
        key: &'static str,
        /// What it may be.
        expected: String,
        /// What it is.
        got: u128,
    },
    /// A URL is none.
    #[error("configuration: {key}: `{url}` is no URL that begins with http:// or https://")]
    Url {
        /// Which.
        key: &'static str,
        /// As given.
        url: String,
    },
    /// A peer is malformed.
    #[error("configuration: net.peers: {0}")]
    Peer(#[from] PeerAddressError),
    /// Nobody says where to keep data.
    #[error("no home directory is known; set data_dir")]
    NoHome,
}

impl From<figment::Error> for ConfigError {
    fn from(error: figment::Error) -> Self {
        Self::Value(Box::new(error))
    }
}

/// One layer of values, with the word for where they came from.
struct Layer {
    source: String,
    interpolate: fn(&[&str]) -> String,
    values: Dict,
}

impl Provider for Layer {
    fn metadata(&self) -> Metadata {
        let interpolate = self.interpolate;
        Metadata::named(self.source.clone())
            .interpolater(move |_: &Profile, keys: &[&str]| interpolate(keys))
    }

    fn data(&self) -> Result<Map<Profile, Dict>, figment::Error> {
        Ok(Profile::Default.collect(self.values.clone()))
    }
}

fn dotted(keys: &[&str]) -> String {
    keys.join(".")
}

fn variable(keys: &[&str]) -> String {
    format!("{PREFIX}{}", keys.join("_").to_uppercase())
}

pub(super) fn load(
    options: &Options,
    environment: impl IntoIterator<Item = (OsString, OsString)>,
) -> Result<Loaded, ConfigError> {
    let keys = keys();
    let environment = environment_layer(&keys, environment);
    let flags = flag_layer(options);
    // The data directory and the preset decide what the defaults of the others are.
    let early = Figment::new().merge(&environment).merge(&flags);
    let data_dir = early.extract_inner::<PathBuf>("data_dir").ok();
    let usual_dir = data_dir.or_else(home).ok_or(ConfigError::NoHome)?;
    let (file, layer) = file_layer(options, &usual_dir)?;
    let early = Figment::new().merge(&layer).merge(&environment).merge(&flags);
    let data_dir =
        if early.contains("data_dir") { early.extract_inner("data_dir")? } else { usual_dir };
    let preset = if early.contains("timing.preset") {
        early.extract_inner("timing.preset")?
    } else {
        Preset::default()
    };
    let figment = Figment::from(Serialized::defaults(Config::defaults(&data_dir, preset)))
        .merge(layer)
        .merge(environment)
        .merge(flags);
    let config: Config = figment.extract()?;
    config.check()?;
    Ok(Loaded { config, file, figment })
}

/// `~/.photon`.
fn home() -> Option<PathBuf> {
    std::env::home_dir()
        .filter(|home| !home.as_os_str().is_empty())
        .map(|home| home.join(".photon"))
}

fn file_layer(options: &Options, data_dir: &Path) -> Result<(Option<PathBuf>, Layer), ConfigError> {
    let path = options.config_file.clone().unwrap_or_else(|| data_dir.join("config.toml"));
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error)
            if options.config_file.is_none() && error.kind() == std::io::ErrorKind::NotFound =>
        {
            let values = Dict::new();
            return Ok((None, Layer { source: String::new(), interpolate: dotted, values }));
        }
        Err(source) => return Err(ConfigError::File { path, source }),
    };
    let table: toml::Table = toml::from_str(&text)
        .map_err(|source| ConfigError::Toml { path: path.clone(), source: Box::new(source) })?;
    let values = Value::serialize(table)?.into_dict().unwrap_or_default();
    let source = format!("file {}", path.display());
    Ok((Some(path), Layer { source, interpolate: dotted, values }))
}

/// Only what names a key of ours: other programs of the family have variables of their own.
fn environment_layer(
    keys: &[String],
    environment: impl IntoIterator<Item = (OsString, OsString)>,
) -> Layer {
    let mut values = Dict::new();
    for (name, value) in environment {
        let (Some(name), Some(value)) = (name.to_str(), value.to_str()) else { continue };
        let named = |key: &&String| variable(&key.split('.').collect::<Vec<_>>()) == name;
        if let Some(key) = keys.iter().find(named) {
            insert(&mut values, key, value);
        }
    }
    Layer { source: "environment".to_owned(), interpolate: variable, values }
}

fn flag_layer(options: &Options) -> Layer {
    let mut values = Dict::new();
    for (key, value) in &options.values {
        insert(&mut values, key, value);
    }
    Layer { source: "command line".to_owned(), interpolate: dotted, values }
}

/// Puts a text under a dotted key; what looks like a number or a flag becomes one.
fn insert(values: &mut Dict, key: &str, text: &str) {
    if let Some((table, rest)) = key.split_once('.') {
        let empty = || Value::Dict(Tag::Default, Dict::new());
        let inner = values.entry(table.to_owned()).or_insert_with(empty);
        if let Value::Dict(_, inner) = inner {
            insert(inner, rest, text);
        }
        return;
    }
    let value = match text.parse::<u64>() {
        Ok(number) if number.to_string() == text => Value::from(number),
        Ok(_) | Err(_) => match text {
            "true" => Value::from(true),
            "false" => Value::from(false),
            _ => Value::from(text),
        },
    };
    values.insert(key.to_owned(), value);
}

/// Every key there is.
fn keys() -> Vec<String> {
    let config = Config::defaults(Path::new(""), Preset::default());
    let value = Value::serialize(config).expect("a configuration is plain data");
    leaves(&value, "").into_iter().map(|(key, _)| key).collect()
}

fn leaves(value: &Value, key: &str) -> Vec<(String, Value)> {
    match value.as_dict() {
        None => vec![(key.to_owned(), value.clone())],
        Some(dict) => dict
            .iter()
            .flat_map(|(name, inner)| {
                let inner_key = if key.is_empty() { name.clone() } else { format!("{key}.{name}") };
                leaves(inner, &inner_key)
            })
            .collect(),
    }
}

impl Loaded {
    /// Every value and where it came from, by key.
    pub fn explain(&self) -> Vec<Explained> {
        let shown = Value::serialize(&self.config).expect("a configuration is plain data");
        leaves(&shown, "")
            .into_iter()
            .map(|(key, value)| {
                let source = self.source_of(&key);
                Explained { value: show(&key, &value), source, key }
            })
            .collect()
    }

    fn source_of(&self, key: &str) -> String {
        match self.figment.find_metadata(key) {
            Some(metadata) if metadata.name == "environment" => {
                let keys: Vec<&str> = key.split('.').collect();
                format!("environment {}", variable(&keys))
            }
            Some(metadata)
                if metadata.name == "command line" || metadata.name.starts_with("file ") =>
            {
                metadata.name.to_string()
            }
            Some(_) | None => "default".to_owned(),
        }
    }
}

fn show(key: &str, value: &Value) -> String {
    if let Value::Empty(..) = value {
        return String::new();
    }
    if let Some(urls) = value.as_array().filter(|_| key == "chain.witnesses") {
        let urls = urls.iter().filter_map(Value::as_str).map(without_key);
        return format!("{:?}", urls.collect::<Vec<_>>());
    }
    let text = value.as_str().map(str::to_owned);
    match text {
        Some(text) if key == "chain.endpoint" => format!("{:?}", without_key(&text)),
        Some(text) => format!("{text:?}"),
        None => toml::Value::try_from(value).map_or_else(|_| String::new(), |v| v.to_string()),
    }
}

/// A URL as far as the host: providers put their keys behind it, or a password before it.
fn without_key(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return "…".to_owned() };
    let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    let host = authority.rsplit('@').next().unwrap_or_default();
    let hidden = if path.len() > 1 { "/…" } else { path };
    format!("{scheme}://{host}{hidden}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_in_a_url_is_not_shown() {
        for (url, shown) in [
            ("http://127.0.0.1:8545", "http://127.0.0.1:8545"),
            ("https://chain.example/v3/0123456789", "https://chain.example/…"),
            ("wss://me:secret@chain.example", "wss://chain.example"),
            ("https://chain.example?key=1", "https://chain.example/…"),
        ] {
            assert_eq!(without_key(url), shown);
        }
    }
}
