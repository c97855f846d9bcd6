//! The `OpenAPI` document: the route table, the schemas derived from what goes over the wire, and those written by hand.

use std::{collections::BTreeMap, sync::LazyLock};

use app::{admin::view, problem::MEDIA_TYPE};
use axum::http::{Method, StatusCode};
use utoipa::openapi::{
    ComponentsBuilder, ContentBuilder, HttpMethod, InfoBuilder, ObjectBuilder, OpenApi, OpenApiBuilder, PathItem,
    PathsBuilder, Ref, RefOr, Required, ResponseBuilder, Schema, SecurityRequirement,
    path::{Operation, OperationBuilder, Parameter, ParameterBuilder, ParameterIn},
    request_body::RequestBodyBuilder,
    schema::Type,
    security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
};

use crate::{
    bodies,
    http::reply::{Reply, typed},
    routes::{ROUTES, Route},
};

/// Schemas of types that are stored as they are: the domain does not know of `OpenAPI`.
const BY_HAND: &str = include_str!("openapi/schemas.json");
/// The one security scheme.
const BEARER: &str = "bearer";

static DOCUMENT: LazyLock<String> = LazyLock::new(|| document().to_json().unwrap_or_default());

pub(crate) async fn serve() -> Reply {
    typed(StatusCode::OK, "application/json", DOCUMENT.clone().into_bytes())
}

/// The document.
pub(crate) fn document() -> OpenApi {
    let info = InfoBuilder::new()
        .title("Tandem")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some("Operators' API: sides, maps, logs, alerts, tokens. Errors are problem+json (RFC 9457)."));
    let mut paths = PathsBuilder::new();
    for route in &ROUTES {
        paths = paths.path(route.path, PathItem::new(method(&route.method), operation(route)));
    }
    OpenApiBuilder::new().info(info.build()).paths(paths.build()).components(Some(components())).build()
}

fn components() -> utoipa::openapi::Components {
    let by_hand: BTreeMap<String, RefOr<Schema>> = serde_json::from_str(BY_HAND).unwrap_or_default();
    let mut nested = Vec::new();
    macro_rules! derived {
        ($builder:expr, $($view:ty),*) => {{
            $(<$view as utoipa::ToSchema>::schemas(&mut nested);)*
            $builder$(.schema_from::<$view>())*
        }};
    }
    let builder = derived!(
        ComponentsBuilder::new(),
        bodies::Health,
        view::Sides,
        view::Side,
        bodies::TestRequest,
        view::Tested,
        view::Maps,
        view::Map,
        bodies::Reason,
        view::OpenLanes,
        view::BacklogView,
        view::Queues,
        view::Paused,
        bodies::Resume,
        bodies::ManyMaps,
        view::MapResults,
        view::Entries,
        view::EntryDetail,
        bodies::EntryCommand,
        view::CommandResults,
        bodies::EntryRef,
        bodies::RetryAll,
        view::RetryPreview,
        view::Archive,
        bodies::Recover,
        bodies::RecoverAll,
        view::RecoveredAll,
        view::ArchivedView,
        view::Conflicts,
        view::ConflictView,
        bodies::PreviewRequest,
        view::Previewed,
        view::Plan,
        view::Tokens,
        bodies::TokenRequest,
        view::NewToken,
        view::Activities,
        view::LoggedErrors,
        view::ErrorsResolved,
        view::ErrorGroups,
        view::FailedEvents,
        view::Rules,
        view::Rule,
        view::RuleTested,
        bodies::DryRun,
        view::DryRunResult,
        view::Explained,
        view::Groups,
        view::Group,
        bodies::Members,
        view::Incidents,
        view::Incident,
        view::FlaggedAddresses,
        bodies::DecideDeletionsRequest,
        bodies::StartSyncRun,
        bodies::StartSyncRuns,
        view::SyncRuns,
        view::SyncCheck,
        view::SyncRunView,
        view::SyncRecords
    );
    let token = "A token begins with `tnd_`; `POST /tokens` makes one.";
    let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some(token)).build();
    builder
        .schemas_from_iter(nested)
        .schemas_from_iter(by_hand)
        .security_scheme(BEARER, SecurityScheme::Http(bearer))
        .build()
}

fn operation(route: &Route) -> Operation {
    let parameters: Vec<_> = parameters(route).collect();
    let mut operation = OperationBuilder::new().summary(Some(route.summary));
    if !parameters.is_empty() {
        operation = operation.parameters(Some(parameters));
    }
    if let Some(role) = route.role {
        operation = operation
            .description(Some(format!("Needs the role {}.", role.as_str())))
            .security(SecurityRequirement::new::<_, [&str; 0], &str>(BEARER, []));
    }
    if let Some(schema) = route.body {
        operation = operation.request_body(Some(body(schema)));
    }
    for (status, schema) in route.answers {
        let mut answer = ResponseBuilder::new().description(says(*status));
        if *schema == "Download" {
            for kind in ["text/csv", "application/x-ndjson"] {
                let text = ObjectBuilder::new().schema_type(Type::String).build();
                answer = answer.content(kind, ContentBuilder::new().schema(Some(text)).build());
            }
        } else if !schema.is_empty() {
            answer = answer.content("application/json", content(schema));
        }
        if *schema == "Document" {
            answer = answer.content("application/yaml", content(schema));
        }
        operation = operation.response(status.to_string(), answer.build());
    }
    let problem = ResponseBuilder::new().description("What went wrong.").content(MEDIA_TYPE, content("Problem"));
    operation.response("default", problem.build()).build()
}

fn body(schema: &str) -> utoipa::openapi::request_body::RequestBody {
    let required = if schema == "TestRequest" { Required::False } else { Required::True };
    let mut body = RequestBodyBuilder::new().required(Some(required)).content("application/json", content(schema));
    if schema == "Document" {
        body = body.content("application/yaml", content(schema));
    }
    body.build()
}

fn parameters(route: &Route) -> impl Iterator<Item = Parameter> {
    let text = || Some(ObjectBuilder::new().schema_type(Type::String).build());
    let parameter = move |name: &str, place: ParameterIn, required: Required, says: &str| {
        ParameterBuilder::new()
            .name(name)
            .parameter_in(place)
            .required(required)
            .description(Some(says))
            .schema(text())
            .build()
    };
    let names = route.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    let names = names.map(move |name| parameter(name, ParameterIn::Path, Required::True, "Its name."));
    let query = route.query.iter().map(move |(name, says)| parameter(name, ParameterIn::Query, Required::False, says));
    let conditions: &[(&str, &str)] = if route.conditional { CONDITIONS } else { &[] };
    let conditions =
        conditions.iter().map(move |(name, says)| parameter(name, ParameterIn::Header, Required::False, says));
    names.chain(query).chain(conditions)
}

const CONDITIONS: &[(&str, &str)] = &[
    ("If-Match", "The `ETag` that this change is based on, or `*` to overwrite whatever is there. An update needs it."),
    ("If-None-Match", "`*`: only if there is nothing yet."),
];

fn content(schema: &str) -> utoipa::openapi::Content {
    ContentBuilder::new().schema(Some(Ref::from_schema_name(schema))).build()
}

fn says(status: u16) -> &'static str {
    StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason()).unwrap_or("Done")
}

fn method(method: &Method) -> HttpMethod {
    match *method {
        Method::PUT => HttpMethod::Put,
        Method::POST => HttpMethod::Post,
        Method::DELETE => HttpMethod::Delete,
        _ => HttpMethod::Get,
    }
}
