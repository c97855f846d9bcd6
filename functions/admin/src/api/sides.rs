//! `/sides`.

use std::sync::Arc;

use app::admin::{
    AdminPorts, Caller, sides,
    view::{Side, Sides, Tested},
};
use axum::{Extension, extract::State, http::StatusCode};
use domain::{SideId, side::SideConfig};

use crate::{
    bodies::TestRequest,
    http::{
        extract::{Condition, Json, Name, OptionalJson},
        reply::{Reply, json, nothing, saved_status, versioned},
    },
};

pub(crate) async fn list<P: AdminPorts>(State(ports): State<Arc<P>>) -> Reply {
    let sides = sides::list(&*ports).await?;
    json(StatusCode::OK, &Sides { sides: sides.into_iter().map(Side::with_health).collect() })
}

pub(crate) async fn get<P: AdminPorts>(State(ports): State<Arc<P>>, Name(id): Name<SideId>) -> Reply {
    let (side, health) = sides::get_with_health(&*ports, &id).await?;
    versioned(StatusCode::OK, side.version, &Side::with_health((side, health)))
}

pub(crate) async fn put<P: AdminPorts>(
    State(ports): State<Arc<P>>,
    Extension(caller): Extension<Caller>,
    Name(id): Name<SideId>,
    Condition(expects): Condition,
    Json(config): Json<SideConfig>,
) -> Reply {
    let (side, saved) = sides::put(&*ports, &caller, id, config, expects).await?;
    versioned(saved_status(saved), side.version, &Side::from(side))
}

pub(crate) async fn delete<P: AdminPorts>(
    State(ports): State<Arc<P>>,
    Extension(caller): Extension<Caller>,
    Name(id): Name<SideId>,
    Condition(expects): Condition,
) -> Reply {
    sides::delete(&*ports, &caller, &id, expects).await?;
    nothing()
}

pub(crate) async fn test<P: AdminPorts>(
    State(ports): State<Arc<P>>,
    Name(id): Name<SideId>,
    OptionalJson(request): OptionalJson<TestRequest>,
) -> Reply {
    let tested = sides::test_connection(&*ports, &id, request.entity.as_deref()).await?;
    json(StatusCode::OK, &Tested::from(tested))
}
