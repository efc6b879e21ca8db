//! Every path of the API, and its description.

use super::bulk;
use super::problem::{Problem, Refusal};
use super::state::Api;
use super::types::{BulkAnswer, BulkBody};
use super::{agreements, channels, events, history, invoices, node, payments};
use crate::relay;
use axum::http::{HeaderValue, Method, Uri, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use axum::{Json, Router, middleware};
use std::sync::Arc;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{Components, OpenApi, SecurityRequirement};
use utoipa::{Modify, OpenApi as _};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use utoipa_swagger_ui::{Config, SwaggerUi};

const DESCRIPTION_PATH: &str = "/api/v1/openapi.json";

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Photon",
        description = "One node of Photon, an off-chain payment network for tokens.\n\n\
            Amounts are decimal texts in base units of the token. Instants are seconds since \
            1970 in UTC, durations are seconds. Refusals are `application/problem+json` with a \
            stable `code`; refused means that nothing was changed.\n\n\
            Every request needs the token of the node's token file: `Authorization: Bearer …`. The \
            token of `api.read.token` lets look (GET) and nothing else.",
    ),
    components(schemas(Problem, BulkBody, BulkAnswer)),
    // On a port of their own; here they are only described.
    paths(relay::api::about, relay::api::submit, relay::api::one),
    modifiers(&Locked),
    tags(
        (name = "node", description = "The node."),
        (name = "peers", description = "Other nodes."),
        (name = "tokens", description = "Tokens."),
        (name = "channels", description = "Channels."),
        (name = "fees", description = "What this node takes for mediating."),
        (name = "transactions", description = "What this node sends to the chain."),
        (name = "payments", description = "Payments and quotes."),
        (name = "invoices", description = "Invoices."),
        (name = "events", description = "What happens, as it happens."),
        (name = "relay", description = "Gas for accounts without coins, on a port of its own."),
    ),
)]
struct Description;

/// Says that everything needs the token.
struct Locked;

impl Modify for Locked {
    fn modify(&self, description: &mut OpenApi) {
        let scheme = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some("64 hexadecimal digits from the node's token file."))
            .build();
        let components = description.components.get_or_insert_with(Components::new);
        components.add_security_scheme("token", SecurityScheme::Http(scheme));
        let needed = SecurityRequirement::new("token", Vec::<String>::new());
        description.security = Some(vec![needed]);
    }
}

fn described() -> OpenApiRouter<Api> {
    OpenApiRouter::with_openapi(Description::openapi())
        .routes(routes!(node::health))
        .routes(routes!(node::status))
        .routes(routes!(node::peers, node::add_peer))
        .routes(routes!(node::remove_peer))
        .routes(routes!(node::tokens))
        .routes(routes!(node::token))
        .routes(routes!(node::examine))
        .routes(routes!(node::fees, node::set_fees))
        .routes(routes!(channels::list, channels::open))
        .routes(routes!(channels::one))
        .routes(routes!(channels::deposit))
        .routes(routes!(channels::close))
        .routes(routes!(channels::settle))
        .routes(routes!(agreements::withdraw))
        .routes(routes!(agreements::settle, agreements::cancel))
        .routes(routes!(channels::transactions))
        .routes(routes!(channels::transaction))
        .routes(routes!(history::payments, payments::pay))
        .routes(routes!(bulk::bulk))
        .routes(routes!(payments::one))
        .routes(routes!(payments::quote))
        .routes(routes!(history::receipts))
        .routes(routes!(history::invoices, invoices::create))
        .routes(routes!(invoices::decode))
        .routes(routes!(agreements::release))
        .routes(routes!(invoices::one, agreements::cancel_invoice))
        .routes(routes!(events::events))
}

/// All paths, without the guards.
pub(crate) fn router(api: Api) -> Router {
    let (router, description) = described().split_for_parts();
    let description = Arc::new(description);
    let tell = move || {
        let description = Arc::clone(&description);
        async move { Json(&*description).into_response() }
    };
    router
        .with_state(api)
        .route(DESCRIPTION_PATH, get(tell))
        .merge(page())
        .fallback(nothing_here)
        .method_not_allowed_fallback(wrong_method)
}

/// The page to try it, whose parts are all in this program.
fn page() -> Router {
    let config = Config::from(DESCRIPTION_PATH)
        .persist_authorization(true)
        .try_it_out_enabled(true)
        .display_request_duration(true)
        .validator_url("none");
    Router::from(SwaggerUi::new("/docs").config(config)).layer(middleware::map_response(fenced))
}

/// Lets the page load nothing from elsewhere and run no script but its own.
async fn fenced(mut response: Response) -> Response {
    let policy = HeaderValue::from_static(
        "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
         frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    );
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    response
}

async fn nothing_here(uri: Uri) -> Refusal {
    let shown: String = uri.path().chars().take(200).collect();
    Refusal::new("not_found", format!("there is nothing at {shown}"))
}

async fn wrong_method(method: Method, uri: Uri) -> Refusal {
    let shown: String = uri.path().chars().take(200).collect();
    Refusal::new("method_not_allowed", format!("{shown} does not know {method}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_description_is_of_openapi_3_1_and_names_every_path() {
        let description = serde_json::to_value(described().into_openapi()).unwrap();
        assert_eq!(description["openapi"], "3.1.0");
        assert_eq!(description["security"][0]["token"], serde_json::json!([]));
        let paths = description["paths"].as_object().unwrap();
        assert!(paths.len() >= 20, "{:?}", paths.keys());
        let pay = &description["paths"]["/api/v1/payments"]["post"];
        let problem = &pay["responses"]["default"]["content"]["application/problem+json"];
        assert_eq!(problem["schema"]["$ref"], "#/components/schemas/Problem");
    }

    #[test]
    fn every_reference_of_the_description_leads_somewhere() {
        let description = serde_json::to_value(described().into_openapi()).unwrap();
        let text = description.to_string();
        for reference in text.split("\"$ref\":\"").skip(1) {
            let path = reference.split('"').next().unwrap().trim_start_matches('#');
            assert!(description.pointer(path).is_some(), "{path}");
        }
    }

    #[test]
    fn every_operation_has_a_name_of_its_own_and_describes_its_responses() {
        let description = serde_json::to_value(described().into_openapi()).unwrap();
        let items = description["paths"].as_object().unwrap().values();
        let operations: Vec<_> =
            items.flat_map(|item| item.as_object().unwrap().values()).collect();
        let names: std::collections::BTreeSet<_> =
            operations.iter().filter_map(|operation| operation["operationId"].as_str()).collect();
        assert_eq!(names.len(), operations.len());
        for operation in operations {
            for response in operation["responses"].as_object().unwrap().values() {
                assert!(response["description"].is_string(), "{operation}");
            }
        }
    }

    #[test]
    fn no_get_changes_anything() {
        let description = serde_json::to_value(described().into_openapi()).unwrap();
        for (path, item) in description["paths"].as_object().unwrap() {
            assert!(item["get"].get("requestBody").is_none(), "{path}");
        }
    }
}
