//! Who may call: whoever knows the token, under a name that is ours, not through a foreign page.

use super::problem::{Answer, Refusal};
use super::token::Token;
use crate::config::ApiConfig;
use crate::session::Bucket;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;
use tokio::sync::Semaphore;

/// Requests that are worked on at once, streams included.
pub(crate) const REQUESTS: usize = 1_024;

/// Requests a second, and at once, of all who hold the token that only looks.
const READERS: (u32, u32) = (200, 1_000);
/// The same of all who hold none: a page that tries thousands of requests must not keep the node
/// busy with saying no.
const STRANGERS: (u32, u32) = (50, 500);

/// What a guard knows.
#[derive(Clone, Debug)]
pub(crate) struct Guard(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    token: Token,
    read_token: Token,
    origins: Vec<String>,
    hosts: Vec<String>,
    listen: IpAddr,
    requests: Arc<Semaphore>,
    readers: Mutex<Bucket>,
    strangers: Mutex<Bucket>,
}

/// Who calls.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Caller {
    /// Knows the token of full access.
    Owner,
    /// Knows the token that only looks.
    Reader,
}

impl Guard {
    pub(crate) fn new(token: Token, read_token: Token, config: &ApiConfig) -> Self {
        let bucket = |(rate, most)| Mutex::new(Bucket::new(rate, most, Instant::now()));
        Self(Arc::new(Inner {
            token,
            read_token,
            readers: bucket(READERS),
            strangers: bucket(STRANGERS),
            origins: config.origins.clone(),
            hosts: config.hosts.iter().map(|host| host.to_ascii_lowercase()).collect(),
            listen: config.listen.ip(),
            requests: Arc::new(Semaphore::new(REQUESTS)),
        }))
    }

    /// Refuses names that are not ours: a page of another site can make its own name mean this
    /// machine, and would be of our origin then (DNS rebinding).
    fn check_host<'a>(&self, headers: &'a HeaderMap) -> Answer<&'a str> {
        let mut all = headers.get_all(header::HOST).iter();
        let host = all.next().and_then(|host| host.to_str().ok()).unwrap_or_default();
        let name = host_name(host).to_ascii_lowercase();
        let known = self.0.hosts.contains(&name) || self.is_loopback(&name);
        if known && all.next().is_none() {
            return Ok(host);
        }
        let detail = format!("`{host}` is no name of this node");
        Err(Refusal::new("host_forbidden", detail))
    }

    fn is_loopback(&self, name: &str) -> bool {
        let bare = name.trim_start_matches('[').trim_end_matches(']');
        name == "localhost"
            || bare.parse::<IpAddr>().is_ok_and(|address| {
                address.is_loopback() || (address == self.0.listen && !address.is_unspecified())
            })
    }

    /// Browsers say from which page a request comes; our own page and those of the list may.
    fn check_origin(&self, headers: &HeaderMap, host: &str) -> Answer<()> {
        let Some(origin) = headers.get(header::ORIGIN) else { return Ok(()) };
        let origin = origin.to_str().unwrap_or_default();
        let own = ["http", "https"].iter().any(|scheme| {
            origin
                .strip_prefix(scheme)
                .and_then(|rest| rest.strip_prefix("://"))
                .is_some_and(|name| name.eq_ignore_ascii_case(host))
        });
        if own || self.0.origins.iter().any(|allowed| allowed == origin) {
            return Ok(());
        }
        Err(Refusal::new("origin_forbidden", format!("pages of `{origin}` may not call this node")))
    }

    /// Whoever may do this: the owner everything, a reader what changes nothing.
    fn check_caller(&self, request: &Request) -> Answer<()> {
        match self.caller(request.headers()) {
            Ok(Caller::Owner) => Ok(()),
            Ok(Caller::Reader) if only_looks(request) => take(&self.0.readers, READERS),
            Ok(Caller::Reader) => {
                let detail = "this token only looks; the one in api.token_file does more";
                Err(Refusal::new("read_only", detail))
            }
            Err(refusal) => take(&self.0.strangers, STRANGERS).and(Err(refusal)),
        }
    }

    fn caller(&self, headers: &HeaderMap) -> Answer<Caller> {
        let offered = headers
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.split_once(' '))
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
            .map(|(_, token)| token.trim());
        match offered {
            Some(token) if self.0.token.is(token) => Ok(Caller::Owner),
            Some(token) if self.0.read_token.is(token) => Ok(Caller::Reader),
            Some(_) => Err(Refusal::new("unauthorized", "the token is wrong")),
            None => {
                let detail = "send `Authorization: Bearer` with the token of the token file";
                Err(Refusal::new("unauthorized", detail))
            }
        }
    }
}

/// One more, unless there were too many.
fn take(bucket: &Mutex<Bucket>, (rate, _): (u32, u32)) -> Answer<()> {
    if bucket.lock().unwrap_or_else(PoisonError::into_inner).take(Instant::now()) {
        return Ok(());
    }
    let detail = format!("more than {rate} requests a second without the token of full access");
    Err(Refusal::new("too_many_requests", detail))
}

/// No GET changes anything, but for the one that becomes a stream of payments.
fn only_looks(request: &Request) -> bool {
    matches!(*request.method(), Method::GET | Method::HEAD)
        && request.uri().path() != "/api/v1/payments/bulk"
        && !request.headers().contains_key(header::UPGRADE)
}

/// The name in a Host header, without the port.
fn host_name(host: &str) -> &str {
    if host.starts_with('[') {
        return host.find(']').and_then(|end| host.get(..=end)).unwrap_or(host);
    }
    host.rsplit_once(':').map_or(host, |(name, _)| name)
}

/// What anybody on this machine may see: whether the node is there, and the API's description.
fn is_public(path: &str) -> bool {
    matches!(path, "/health" | "/docs" | "/api/v1/openapi.json") || path.starts_with("/docs/")
}

/// Refuses foreign names and pages, for every path.
pub(crate) async fn names(State(guard): State<Guard>, request: Request, next: Next) -> Response {
    let headers = request.headers();
    let checked = guard.check_host(headers).and_then(|host| guard.check_origin(headers, host));
    let mut response = match checked {
        Ok(()) => next.run(request).await,
        Err(refusal) => refusal.into_response(),
    };
    let headers = response.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

/// Refuses whoever does not know the token, and more requests than the node works on at once.
pub(crate) async fn token(State(guard): State<Guard>, request: Request, next: Next) -> Response {
    if !is_public(request.uri().path())
        && let Err(refusal) = guard.check_caller(&request)
    {
        return refusal.into_response();
    }
    let Ok(_permit) = guard.0.requests.try_acquire() else {
        let detail = format!("{REQUESTS} requests are worked on already");
        return Refusal::new("busy", detail).into_response();
    };
    next.run(request).await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guard() -> Guard {
        let folder = tempfile::tempdir().unwrap();
        let token = |name: &str| Token::load(&folder.path().join(name)).unwrap();
        let config = ApiConfig {
            enabled: true,
            listen: "127.0.0.1:5001".parse().unwrap(),
            token_file: folder.path().join("api.token"),
            read_token_file: folder.path().join("api.read.token"),
            origins: vec!["https://wallet.example".to_owned()],
            hosts: vec!["Hub.example".to_owned()],
        };
        Guard::new(token("api.token"), token("api.read.token"), &config)
    }

    fn headers(pairs: &[(header::HeaderName, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.clone(), value.parse().unwrap())).collect()
    }

    fn host(host: &str) -> HeaderMap {
        headers(&[(header::HOST, host)])
    }

    #[test]
    fn only_names_of_ours_are_answered() {
        let guard = guard();
        for ours in
            ["localhost", "LOCALHOST:5001", "127.0.0.1:5001", "[::1]:5001", "hub.example:443"]
        {
            assert!(guard.check_host(&host(ours)).is_ok(), "{ours}");
        }
        for foreign in
            ["", "evil.example", "evil.example:5001", "localhost.evil.example", "192.0.2.1:5001"]
        {
            assert!(guard.check_host(&host(foreign)).is_err(), "{foreign}");
        }
        assert!(guard.check_host(&HeaderMap::new()).is_err());
    }

    #[test]
    fn only_pages_of_ours_or_of_the_list_may_call() {
        let guard = guard();
        let check = |origin: &str| {
            let headers = headers(&[(header::ORIGIN, origin)]);
            guard.check_origin(&headers, "127.0.0.1:5001").is_ok()
        };
        assert!(guard.check_origin(&HeaderMap::new(), "127.0.0.1:5001").is_ok());
        assert!(check("http://127.0.0.1:5001"));
        assert!(check("https://wallet.example"));
        for foreign in
            ["null", "https://evil.example", "http://127.0.0.1:8080", "https://wallet.example.evil"]
        {
            assert!(!check(foreign), "{foreign}");
        }
    }

    fn asked(guard: &Guard, method: &str, path: &str, value: &str) -> Answer<()> {
        let request = Request::builder().method(method).uri(path);
        let request = request.header(header::AUTHORIZATION, value);
        guard.check_caller(&request.body(axum::body::Body::empty()).unwrap())
    }

    fn code(answer: Answer<()>) -> String {
        answer.expect_err("it is refused").into_problem().code
    }

    #[test]
    fn only_the_token_opens() {
        let guard = guard();
        let token = guard.0.token.reveal();
        for right in [&format!("Bearer {token}"), &format!("bearer {token}")] {
            assert!(asked(&guard, "POST", "/api/v1/payments", right).is_ok());
        }
        for wrong in [token, "Bearer", "Bearer ", &format!("Basic {token}"), "Bearer 00"] {
            let answer = asked(&guard, "GET", "/api/v1/node", wrong);
            assert_eq!(code(answer), "unauthorized", "{wrong}");
        }
        assert!(guard.caller(&HeaderMap::new()).is_err());
    }

    #[test]
    fn the_token_of_a_reader_lets_look_and_nothing_else() {
        let guard = guard();
        let bearer = format!("Bearer {}", guard.0.read_token.reveal());
        assert_ne!(guard.0.read_token, guard.0.token);
        for (method, path) in [("GET", "/api/v1/node"), ("GET", "/api/v1/payments")] {
            assert!(asked(&guard, method, path, &bearer).is_ok(), "{method} {path}");
        }
        for (method, path) in [
            ("POST", "/api/v1/payments"),
            ("GET", "/api/v1/payments/bulk"),
            ("DELETE", "/api/v1/peers/0x00"),
            ("PUT", "/api/v1/fees"),
        ] {
            assert_eq!(code(asked(&guard, method, path, &bearer)), "read_only", "{method} {path}");
        }
    }

    #[test]
    fn whoever_does_not_know_the_token_is_soon_told_to_wait() {
        let guard = guard();
        let try_once = || code(asked(&guard, "GET", "/api/v1/node", "Bearer 00"));
        let codes: Vec<_> = (0..2_000).map(|_| try_once()).collect();
        assert_eq!(codes.first().map(String::as_str), Some("unauthorized"));
        assert_eq!(codes.last().map(String::as_str), Some("too_many_requests"));
        let token = format!("Bearer {}", guard.0.token.reveal());
        assert!(asked(&guard, "GET", "/api/v1/node", &token).is_ok(), "the owner is let in");
    }

    #[test]
    fn little_is_public() {
        for path in ["/health", "/docs", "/docs/", "/docs/index.html", "/api/v1/openapi.json"] {
            assert!(is_public(path), "{path}");
        }
        for path in ["/", "/api/v1/node", "/docsx", "/api/v1/openapi.json/", "/health/"] {
            assert!(!is_public(path), "{path}");
        }
    }
}
