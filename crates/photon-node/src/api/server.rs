//! The server: the paths behind their guards, on one address, until the node stops.

use super::connections::{self, Bounds};
use super::extract::BODY_BYTES;
use super::guard::{self, Guard};
use super::routes;
use super::state::Api;
use super::token::{Token, TokenError};
use crate::config::ApiConfig;
use crate::handle::NodeHandle;
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{HeaderValue, Method, header};
use axum::middleware::from_fn_with_state;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tower_http::cors::{AllowOrigin, CorsLayer};
use tracing::{info, warn};

/// As many as there are requests at once, and half a minute of silence.
const BOUNDS: Bounds = Bounds { connections: guard::REQUESTS, headers: Duration::from_secs(30) };

/// Why the API does not run.
#[derive(Debug, thiserror::Error)]
pub enum ApiFault {
    /// The address cannot be listened on.
    #[error("the API cannot listen on {address}: {source}; set api.listen to another address")]
    Listen {
        /// Which.
        address: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
    /// The relay cannot be served.
    #[error("the relay cannot listen on {address}: {source}; set relay.listen to another address")]
    Relay {
        /// Which.
        address: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
    /// There is no token.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// An origin of the list is none.
    #[error("api.origins: `{origin}` is no origin such as https://wallet.example")]
    Origin {
        /// As given.
        origin: String,
    },
}

/// The API while it runs. Ends by itself with the node.
#[derive(Debug)]
pub struct ApiServer {
    address: SocketAddr,
    token: Token,
    task: JoinHandle<()>,
}

impl ApiServer {
    /// Where it listens, with the port that it got.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What opens it. Not for logs.
    pub fn token(&self) -> &str {
        self.token.reveal()
    }

    /// Waits until it has ended, which it does when the node stops.
    pub async fn ended(self) {
        // A task that broke off has told its reason already.
        let _ = self.task.await;
    }
}

/// Serves the API of a node until it stops.
///
/// # Errors
/// The address is taken, or the token file cannot be used.
pub async fn serve(node: NodeHandle, config: &ApiConfig) -> Result<ApiServer, ApiFault> {
    let token = Token::load(&config.token_file)?;
    let read_token = Token::load(&config.read_token_file)?;
    let guard = Guard::new(token.clone(), read_token, config);
    let router = guarded(routes::router(Api::new(node.clone())), guard, config)?;
    let refused = |source| ApiFault::Listen { address: config.listen, source };
    let listener = TcpListener::bind(config.listen).await.map_err(refused)?;
    let address = listener.local_addr().map_err(refused)?;
    if !address.ip().is_loopback() {
        warn!(%address, "the API is open to other machines, and not encrypted");
    }
    info!(%address, "the API listens");
    let stop = node.stop_token();
    let task = tokio::spawn(connections::serve(listener, router, BOUNDS, stop));
    Ok(ApiServer { address, token, task })
}

/// The guards around all paths, the outermost last.
fn guarded(router: Router, guard: Guard, config: &ApiConfig) -> Result<Router, ApiFault> {
    let mut router = router
        .layer(DefaultBodyLimit::max(BODY_BYTES))
        .layer(from_fn_with_state(guard.clone(), guard::token));
    if !config.origins.is_empty() {
        router = router.layer(cors(&config.origins)?);
    }
    Ok(router.layer(from_fn_with_state(guard, guard::names)))
}

/// Lets browsers show the answers to pages of these origins.
fn cors(origins: &[String]) -> Result<CorsLayer, ApiFault> {
    let read = |origin: &String| {
        HeaderValue::from_str(origin)
            .ok()
            .filter(|_| origin.contains("://") && !origin.ends_with('/'))
            .ok_or_else(|| ApiFault::Origin { origin: origin.clone() })
    };
    let origins: Vec<HeaderValue> = origins.iter().map(read).collect::<Result<_, _>>()?;
    let idempotency_key = header::HeaderName::from_static("idempotency-key");
    let last_event_id = header::HeaderName::from_static("last-event-id");
    Ok(CorsLayer::new()
        .allow_origin(AllowOrigin::list(origins))
        .allow_methods([Method::GET, Method::POST, Method::PUT, Method::DELETE])
        .allow_headers([
            header::AUTHORIZATION,
            header::CONTENT_TYPE,
            idempotency_key,
            last_event_id,
        ]))
}
