//! What a request says, read strictly: unknown fields and wrong kinds are refused with a code.

use super::problem::{Answer, Refusal};
use super::types::Malformed;
use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use serde::de::DeserializeOwned;
use std::str::FromStr;
use std::time::Duration;
use tokio::time::timeout;

/// The most bytes of a body.
pub(crate) const BODY_BYTES: usize = 1024 * 1024;
/// The longest that a request may wait.
const MOST_WAIT: Duration = Duration::from_secs(600);

/// The longest that a body may be on its way.
const BODY_TIME: Duration = Duration::from_secs(30);

/// A body of JSON.
pub(crate) struct Body<T>(pub(crate) T);

/// A body of JSON, or none.
pub(crate) struct OptionalBody<T>(pub(crate) T);

/// A part of the path.
pub(crate) struct Named<T>(pub(crate) T);

/// What stands behind the question mark.
pub(crate) struct Params<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Answer<Self> {
        check_kind(request.headers())?;
        let bytes = bytes(request, state).await?;
        read(&bytes).map(Self)
    }
}

impl<S: Send + Sync, T: DeserializeOwned + Default> FromRequest<S> for OptionalBody<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Answer<Self> {
        let kind = check_kind(request.headers());
        let bytes = bytes(request, state).await?;
        if bytes.is_empty() {
            return Ok(Self(T::default()));
        }
        kind?;
        Ok(Self(read::<Option<T>>(&bytes)?.unwrap_or_default()))
    }
}

fn check_kind(headers: &HeaderMap) -> Answer<()> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence = kind.and_then(|kind| kind.split(';').next()).map(str::trim);
    match essence {
        Some(essence) if essence.eq_ignore_ascii_case("application/json") => Ok(()),
        Some(_) | None => Err(Refusal::new(
            "unsupported_media_type",
            format!("the body is `{}`, expected application/json", kind.unwrap_or_default()),
        )),
    }
}

async fn bytes<S: Send + Sync>(request: Request, state: &S) -> Answer<Bytes> {
    let arriving = timeout(BODY_TIME, Bytes::from_request(request, state)).await;
    let arrived = arriving.map_err(|_| {
        let detail = format!("the body took longer than {} s", BODY_TIME.as_secs());
        Refusal::new("too_slow", detail)
    })?;
    arrived.map_err(|rejection| {
        if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
            let detail = format!("the body is larger than {BODY_BYTES} bytes");
            Refusal::new("body_too_large", detail)
        } else {
            Refusal::malformed("the body did not arrive whole")
        }
    })
}

/// Reads JSON; what is wrong with it is said with the field that it is in.
pub(crate) fn read<T: DeserializeOwned>(bytes: &[u8]) -> Answer<T> {
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let path = error.path().to_string();
        refusal(&path, &error.into_inner())
    })?;
    json.end().map_err(|error| refusal(".", &error))?;
    Ok(value)
}

fn refusal(path: &str, error: &serde_json::Error) -> Refusal {
    let message = error.to_string();
    let said = match message.rfind(" at line ") {
        Some(end) if error.is_data() => message.get(..end).unwrap_or(&message),
        Some(_) | None => &message,
    };
    let at = if path == "." { String::new() } else { format!("{path}: ") };
    match Malformed::code_in(said) {
        Some((code, detail)) => Refusal::new(code, format!("{at}{detail}")),
        None if said.starts_with("unknown field") => {
            Refusal::new("unknown_field", format!("{at}{said}"))
        }
        None => Refusal::malformed(format!("{at}{said}")),
    }
}

impl<S: Send + Sync, T: FromStr<Err = Malformed>> FromRequestParts<S> for Named<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Answer<Self> {
        let Path(text) = Path::<String>::from_request_parts(parts, state)
            .await
            .map_err(|rejection| Refusal::malformed(rejection.body_text()))?;
        Ok(Self(text.parse()?))
    }
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Params<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Answer<Self> {
        match Query::<T>::from_request_parts(parts, state).await {
            Ok(Query(params)) => Ok(Self(params)),
            Err(rejection) => {
                let text = rejection.body_text();
                let said =
                    text.strip_prefix("Failed to deserialize query string: ").unwrap_or(&text);
                // Where it knows the parameter, its name is in front.
                let bare = said.split_once(": ").map_or(said, |(_, rest)| rest);
                Err(match Malformed::code_in(said).or_else(|| Malformed::code_in(bare)) {
                    Some((code, detail)) => Refusal::new(code, detail),
                    None if bare.starts_with("unknown field") => {
                        Refusal::new("unknown_field", bare)
                    }
                    None => Refusal::malformed(said),
                })
            }
        }
    }
}

/// How long a request wants to wait; none where it does not.
pub(crate) fn wait(seconds: Option<u64>) -> Answer<Option<Duration>> {
    let Some(seconds) = seconds else { return Ok(None) };
    let wait = Duration::from_secs(seconds);
    if wait > MOST_WAIT {
        let most = MOST_WAIT.as_secs();
        let detail = format!("wait_seconds is {seconds}, expected at most {most}");
        return Err(Refusal::malformed(detail));
    }
    Ok((seconds > 0).then_some(wait))
}

#[cfg(test)]
mod tests {
    use super::super::types::{OpenBody, PaymentBody};
    use super::*;

    const ACCOUNT: &str = "0x5B38Da6a701c568545dCfcB03FcB875f56beddC4";

    fn code<T: DeserializeOwned>(json: &str) -> String {
        let refusal = read::<T>(json.as_bytes()).err().expect("it should be refused");
        let problem = refusal.into_problem();
        assert!(matches!(problem.status, 400..500), "{problem:?}");
        problem.code
    }

    #[test]
    fn a_wrong_body_is_refused_with_its_code() {
        let pay = |rest: &str| code::<PaymentBody>(&format!("{{\"target\": \"{ACCOUNT}\"{rest}}}"));
        assert_eq!(pay(", \"amount\": -1"), "bad_amount");
        assert_eq!(pay(", \"amount\": 1.5"), "bad_amount");
        assert_eq!(pay(", \"amount\": \"1.5\""), "bad_amount");
        assert_eq!(pay(", \"amount\": 20"), "bad_amount");
        assert_eq!(pay(", \"amount\": []"), "malformed");
        assert_eq!(pay(", \"token\": \"0x12\""), "bad_address");
        assert_eq!(pay(", \"amuont\": \"20\""), "unknown_field");
        assert_eq!(pay(", \"way\": \"around\""), "malformed");
        assert_eq!(pay(", \"wait_seconds\": -1"), "malformed");
        assert_eq!(code::<OpenBody>("{}"), "malformed");
        assert_eq!(code::<OpenBody>("[]"), "malformed");
        assert_eq!(code::<PaymentBody>(""), "malformed");
        assert_eq!(code::<PaymentBody>("{} {}"), "malformed");
    }

    #[test]
    fn a_refusal_names_the_field() {
        let json = format!("{{\"target\": \"{ACCOUNT}\", \"amount\": \"-5\"}}");
        let problem = read::<PaymentBody>(json.as_bytes()).err().unwrap().into_problem();
        assert!(problem.detail.starts_with("amount: `-5` is not"), "{}", problem.detail);
    }

    #[test]
    fn a_wait_has_a_limit() {
        assert_eq!(wait(None), Ok(None));
        assert_eq!(wait(Some(0)), Ok(None));
        assert_eq!(wait(Some(5)), Ok(Some(Duration::from_secs(5))));
        assert!(wait(Some(601)).is_err());
    }
}
