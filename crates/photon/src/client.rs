//! Speaks with a running node's HTTP API.

use crate::failure::Failure;
use anyhow::Context as _;
use clap::Args;
use photon_node::api::Problem;
use photon_node::api::types::{HexAddress, NodeStatus, TokenView};
use photon_node::config::{Config, Options};
use reqwest::{Method, RequestBuilder, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The file in the data directory that says where the API of the running node is.
pub(crate) const ADDRESS_FILE: &str = "api.address";

/// The code of what goes on after the request has ended.
const STILL_PENDING: &str = "still_pending";

/// How long a node may take to take a connection.
const CONNECT: Duration = Duration::from_secs(5);

/// Where the node is and how to be let in.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Which node")]
pub(crate) struct ApiArgs {
    /// Its API, such as http://127.0.0.1:5001
    #[arg(long, value_name = "URL", env = "PHOTON_API", hide_env_values = true)]
    api: Option<String>,
    /// The token of its API
    #[arg(long, value_name = "TOKEN", env = "PHOTON_API_TOKEN", hide_env_values = true)]
    api_token: Option<String>,
    /// A file with that token
    #[arg(long, value_name = "FILE", env = "PHOTON_API_TOKEN_FILE", hide_env_values = true)]
    api_token_file: Option<PathBuf>,
    /// Its data directory, where address and token are found
    #[arg(long, value_name = "DIRECTORY", env = "PHOTON_DATA_DIR", hide_env_values = true)]
    data_dir: Option<PathBuf>,
    /// Print the API's JSON, for programs
    #[arg(long)]
    pub(crate) json: bool,
}

/// What the chain's own coin is called on every network.
const NATIVE: &str = "native";

/// A token that was named.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Meant {
    pub(crate) token: HexAddress,
    /// Whether it was named as the coin that it wraps.
    pub(crate) native: bool,
}

/// An answer: what it says, and how it says it.
#[derive(Debug)]
pub(crate) struct Answer<T> {
    pub(crate) value: T,
    /// As the API wrote it.
    pub(crate) text: String,
}

/// A node, as seen over its API.
pub(crate) struct Client {
    http: reqwest::Client,
    base: String,
    token: Option<String>,
    json: bool,
}

impl ApiArgs {
    /// Finds the node; nothing is asked yet.
    pub(crate) fn client(&self) -> anyhow::Result<Client> {
        let data_dir = self.data_dir.as_ref().map(|path| path.display().to_string());
        let loaded = Config::load(&Options::default().set("data_dir", data_dir));
        // A configuration that cannot be read is only wanted where the command line is silent.
        let base = match &self.api {
            Some(url) => url.clone(),
            None => address(&loaded.as_ref().map_err(broken)?.config, self.data_dir.is_some())?,
        };
        let token_file = match (&self.api_token, &self.api_token_file) {
            (Some(_), _) => None,
            (None, Some(file)) => Some(file.clone()),
            (None, None) => loaded.as_ref().ok().map(|loaded| loaded.config.api.token_file.clone()),
        };
        let token = match (&self.api_token, token_file) {
            (Some(token), _) => Some(token.trim().to_owned()),
            (None, Some(file)) => read_token(&file, self.api_token_file.is_some())?,
            (None, None) => None,
        };
        let base = base.trim_end_matches('/').trim_end_matches("/api/v1").to_owned();
        if !base.starts_with("http://") {
            return Err(Failure::usage(format!(
                "`{base}` is no URL such as http://127.0.0.1:5001"
            )));
        }
        let http = reqwest::Client::builder().connect_timeout(CONNECT).build()?;
        Ok(Client { http, base, token, json: self.json })
    }
}

fn broken(error: &photon_node::config::ConfigError) -> anyhow::Error {
    anyhow::anyhow!("{error}")
}

/// Where the node says that it is, or else where its configuration puts it. A directory that was
/// asked for must say it itself: another node's API must not get this node's token.
fn address(config: &Config, asked_for: bool) -> anyhow::Result<String> {
    match std::fs::read_to_string(config.data_dir.join(ADDRESS_FILE)) {
        Ok(address) => Ok(format!("http://{}", address.trim())),
        Err(_) if asked_for => Err(anyhow::Error::new(Failure::Unreachable {
            url: config.data_dir.display().to_string(),
            reason: "no node runs with this data directory".to_owned(),
        })),
        Err(_) => Ok(format!("http://{}", config.api.listen)),
    }
}

/// The token in a file; a file that nobody asked for may be missing.
fn read_token(file: &Path, asked_for: bool) -> anyhow::Result<Option<String>> {
    match std::fs::read_to_string(file) {
        Ok(token) => Ok(Some(token.trim().to_owned())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && !asked_for => Ok(None),
        Err(error) => Err(error).with_context(|| format!("token file {}", file.display())),
    }
}

impl Client {
    /// Asks for something.
    pub(crate) async fn get<T: DeserializeOwned>(&self, path: &str) -> anyhow::Result<Answer<T>> {
        self.read(self.request(Method::GET, path)).await
    }

    /// Asks for something with parameters; those that are none are left out.
    pub(crate) async fn list<T: DeserializeOwned>(
        &self,
        path: &str,
        parameters: &[(&str, Option<String>)],
    ) -> anyhow::Result<Answer<T>> {
        let mut path = path.to_owned();
        let mut separator = '?';
        for (name, value) in parameters {
            if let Some(value) = value {
                path = format!("{path}{separator}{name}={}", escaped(value));
                separator = '&';
            }
        }
        self.get(&path).await
    }

    /// Has something done.
    pub(crate) async fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
    ) -> anyhow::Result<Answer<T>> {
        self.read(self.request(Method::POST, path).json(body)).await
    }

    /// Has something done that needs no answer.
    pub(crate) async fn tell(&self, path: &str, body: &impl Serialize) -> anyhow::Result<()> {
        self.send(self.request(Method::POST, path).json(body)).await.map(|_| ())
    }

    /// Sets something.
    pub(crate) async fn put<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
    ) -> anyhow::Result<Answer<T>> {
        self.read(self.request(Method::PUT, path).json(body)).await
    }

    /// Removes something.
    pub(crate) async fn delete(&self, path: &str) -> anyhow::Result<()> {
        self.send(self.request(Method::DELETE, path)).await.map(|_| ())
    }

    /// Opens a stream.
    pub(crate) async fn stream(&self, path: &str) -> anyhow::Result<Response> {
        self.send(self.request(Method::GET, path)).await
    }

    /// The token that is meant: an address, a name of the network file, a symbol that one token of
    /// the network has, or the chain's own coin, which goes into channels wrapped.
    pub(crate) async fn token(&self, text: &str) -> anyhow::Result<Meant> {
        if text.starts_with("0x") {
            let token = super::commands::address(text).map_err(Failure::usage)?;
            return Ok(Meant { token, native: false });
        }
        let wrapped = self.get::<NodeStatus>("/node").await?.value.wrapped_native;
        if text.eq_ignore_ascii_case(NATIVE) {
            let none =
                || Failure::refused("no_wrapped_native", "the network file names no wrapped coin");
            return Ok(Meant { token: wrapped.ok_or_else(none)?, native: true });
        }
        let tokens: Answer<Vec<TokenView>> = self.get("/tokens").await?;
        let called = |token: &TokenView, name: &str| {
            token.symbol.as_deref().is_some_and(|it| it.eq_ignore_ascii_case(name))
        };
        // The owner's own word for a token goes before what tokens call themselves: anybody can
        // make one with the symbol of another, and open a channel with us for it.
        let is_named = |token: &&TokenView| token.name.as_deref() == Some(text);
        if let Some(token) = tokens.value.iter().find(is_named) {
            return Ok(Meant { token: token.token, native: false });
        }
        let named: Vec<&TokenView> =
            tokens.value.iter().filter(|token| called(token, text)).collect();
        match named.as_slice() {
            [token] => Ok(Meant { token: token.token, native: false }),
            [] => {
                // The coin of a chain is called as its wrapped one, without the W.
                let symbol = format!("W{text}");
                let coin = tokens.value.iter().find(|it| Some(it.token) == wrapped);
                match coin.filter(|coin| called(coin, &symbol)) {
                    Some(coin) => Ok(Meant { token: coin.token, native: true }),
                    None => Err(Failure::usage(format!(
                        "no token of this network has the name or the symbol `{text}`"
                    ))),
                }
            }
            [..] => Err(Failure::usage(format!(
                "{} tokens have the symbol `{text}`; say which by its address",
                named.len()
            ))),
        }
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.http.request(method, format!("{}/api/v1{path}", self.base));
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    async fn read<T: DeserializeOwned>(
        &self,
        request: RequestBuilder,
    ) -> anyhow::Result<Answer<T>> {
        let answer = self.send(request).await?;
        let text = answer.text().await.map_err(|error| self.unreachable(&error))?;
        let value = serde_json::from_str(&text)
            .with_context(|| format!("{} does not answer as a node of this version", self.base))?;
        Ok(Answer { value, text })
    }

    async fn send(&self, request: RequestBuilder) -> anyhow::Result<Response> {
        let answer = request.send().await.map_err(|error| self.unreachable(&error))?;
        let status = answer.status();
        if status.is_success() {
            return Ok(answer);
        }
        let text = answer.text().await.map_err(|error| self.unreachable(&error))?;
        match serde_json::from_str::<Problem>(&text) {
            Ok(problem) if self.json => {
                let code = if problem.code == STILL_PENDING { 4 } else { 1 };
                Err(Failure::Json { text, code }.into())
            }
            Ok(problem) if problem.code == STILL_PENDING => {
                Err(Failure::Pending(problem.detail).into())
            }
            Ok(problem) => Err(Failure::Refused(Box::new(problem)).into()),
            Err(_) => Err(anyhow::anyhow!("{} answers {status}; is it a node?", self.base)),
        }
    }

    fn unreachable(&self, error: &reqwest::Error) -> anyhow::Error {
        let mut reason: &dyn std::error::Error = error;
        while let Some(source) = reason.source() {
            reason = source;
        }
        Failure::Unreachable { url: self.base.clone(), reason: reason.to_string() }.into()
    }
}

/// A value as it may stand in a URL.
fn escaped(value: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    value
        .bytes()
        .map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_a_meaning_in_a_url_is_escaped() {
        assert_eq!(escaped("0xAb-1_~."), "0xAb-1_~.");
        assert_eq!(escaped("a&b=c d/\u{e9}"), "a%26b%3Dc%20d%2F%C3%A9");
    }
}
