//! `/rules`, `/groups`, `/incidents` and `/mail`.

use std::sync::Arc;

use app::{
    admin::{
        AdminPorts, Caller, incidents, rules,
        view::{
            DryRunResult, Explained, FlaggedAddress, FlaggedAddresses, Group, Groups, Incident, Incidents, Rule,
            RuleTested, Rules, TestMail, WouldBreach,
        },
    },
    error::AppError,
    ports::Alerts,
};
use axum::{
    Extension,
    extract::State,
    http::{HeaderMap, StatusCode, header},
};
use domain::{
    GroupId, IncidentId, RuleId, Timestamp,
    rule::{Address, RuleConfig},
};

use crate::{
    bodies::{DryRun, Members, Reason},
    http::{
        extract::{Condition, Json, Name, Params},
        page::page_limit,
        reply::{Reply, json, nothing, saved_status, versioned},
    },
};

pub(crate) async fn list<P: AdminPorts>(State(ports): State<Arc<P>>) -> Reply {
    let rules = ports.alerts().rules().await?;
    json(StatusCode::OK, &Rules { rules: rules.into_iter().map(Rule::from).collect() })
}

pub(crate) async fn get<P: AdminPorts>(State(ports): State<Arc<P>>, Name(id): Name<RuleId>) -> Reply {
    let rule = rules::get(&*ports, &id).await?;
    versioned(StatusCode::OK, rule.version, &Rule::from(rule))
}

pub(crate) async fn put<P: AdminPorts>(
    State(ports): State<Arc<P>>,
    Extension(caller): Extension<Caller>,
    Name(id): Name<RuleId>,
    Condition(expects): Condition,
    Json(config): Json<RuleConfig>,
) -> Reply {
    let (rule, saved) = rules::put(&*ports, &caller, id, config, expects).await?;
    versioned(saved_status(saved), rule.version, &Rule::from(rule))
}

pub(crate) async fn delete<P: AdminPorts>(
    State(ports): State<Arc<P>>,
    Extension(caller): Extension<Caller>,
    Name(id): Name<RuleId>,
    Condition(expects): Condition,
) -> Reply {
    rules::delete(&*ports, &caller, &id, expects).await?;
    nothing()
}

pub(crate) async fn test<P: AdminPorts>(
    State(ports): State<Arc<P>>,
    Extension(caller): Extension<Caller>,
    Name(id): Name<RuleId>,
    headers: HeaderMap,
) -> Reply {
    // The API is where this request went to.
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let sent = rules::send_test_mails(&*ports, &caller, &id, &format!("https://{host}")).await?;
    let mail = |(to, result): rules::TestMail| {
        let taken = result.is_ok();
        TestMail { to: to.to_string(), taken, says: result.unwrap_or_else(|says| says) }
    };
    json(StatusCode::OK, &RuleTested { mails: sent.into_iter().map(mail).collect() })
}

pub(crate) async fn dry_run<P: AdminPorts>(State(ports): State<Arc<P>>, Json(request): Json<DryRun>) -> Reply {
    let time = |name: &str, text: &str| Timestamp::parse(text).map_err(|says| AppError::mistake(name, &says));
    let from = time("from", &request.from)?;
    let until = request.until.as_deref().map_or_else(|| Ok(ports.now()), |text| time("until", text))?;
    let (breaches, complete) = rules::dry_run(&*ports, &request.config, from, until).await?;
    json(StatusCode::OK, &DryRunResult { breaches: breaches.into_iter().map(WouldBreach::from).collect(), complete })
}

pub(crate) async fn explain<P: AdminPorts>(
    State(ports): State<Arc<P>>,
    Name(id): Name<RuleId>,
    params: Params,
) -> Reply {
    params.known(&["map"])?;
    let map = params.parsed("map")?.ok_or_else(|| AppError::mistake("map", "must name a map"))?;
    let rule = rules::get(&*ports, &id).await?;
    let explanation = rules::explain(&*ports, &id, &map).await?;
    json(StatusCode::OK, &Explained::of(&rule.config, explanation))
}

pub(crate) async fn groups<P: AdminPorts>(State(ports): State<Arc<P>>) -> Reply {
    let groups = ports.alerts().groups().await?;
    json(StatusCode::OK, &Groups { groups: groups.into_iter().map(Group::from).collect() })
}

pub(crate) async fn put_group<P: AdminPorts>(
    State(ports): State<Arc<P>>,
    Extension(caller): Extension<Caller>,
    Name(id): Name<GroupId>,
    Condition(expects): Condition,
    Json(members): Json<Members>,
) -> Reply {
    let (group, saved) = rules::put_group(&*ports, &caller, id, members.members, expects).await?;
    versioned(saved_status(saved), group.version, &Group::from(group))
}

pub(crate) async fn delete_group<P: AdminPorts>(
    State(ports): State<Arc<P>>,
    Name(id): Name<GroupId>,
    Condition(expects): Condition,
) -> Reply {
    rules::delete_group(&*ports, &id, expects).await?;
    nothing()
}

pub(crate) async fn incidents<P: AdminPorts>(State(ports): State<Arc<P>>, params: Params) -> Reply {
    params.known(&["before", "limit"])?;
    let (before, limit) = (params.parsed::<IncidentId>("before")?, page_limit(&params)?);
    let found = ports.alerts().incidents(before, limit).await?;
    let next = (found.len() == limit).then(|| found.last().map(|incident| incident.id.to_string())).flatten();
    json(StatusCode::OK, &Incidents { incidents: found.into_iter().map(Incident::from).collect(), next })
}

pub(crate) async fn incident<P: AdminPorts>(State(ports): State<Arc<P>>, Name(id): Name<IncidentId>) -> Reply {
    json(StatusCode::OK, &Incident::from(incidents::get(&*ports, id).await?))
}

pub(crate) async fn acknowledge<P: AdminPorts>(
    State(ports): State<Arc<P>>,
    Extension(caller): Extension<Caller>,
    Name(id): Name<IncidentId>,
    Json(reason): Json<Reason>,
) -> Reply {
    let incident = incidents::acknowledge(&*ports, &caller, id, &reason.reason).await?;
    json(StatusCode::OK, &Incident::from(incident))
}

pub(crate) async fn flagged<P: AdminPorts>(State(ports): State<Arc<P>>) -> Reply {
    let flagged = ports.alerts().flagged().await?;
    json(StatusCode::OK, &FlaggedAddresses { addresses: flagged.into_iter().map(FlaggedAddress::from).collect() })
}

pub(crate) async fn unflag<P: AdminPorts>(State(ports): State<Arc<P>>, Name(address): Name<Address>) -> Reply {
    incidents::unflag(&*ports, &address).await?;
    nothing()
}
