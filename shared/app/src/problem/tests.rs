use domain::{MapState, Timestamp, map::MapCommand, mapping::MappingError};

use super::*;
use crate::ports::Role;

fn list() -> Vec<Mistake> {
    vec![Mistake { field: "fields[0].names".into(), message: "is wrong".into() }]
}

fn says() -> AppSays {
    let (code, message) = (Some("X7".into()), "closed period".into());
    AppSays { side: "erp".parse().unwrap(), class: ErrorClass::Application, code, message }
}

/// Every error, what it becomes, and what `errors` says in the end.
fn table() -> Vec<(AppError, u16, &'static str, &'static str)> {
    use AppError as E;
    use Conflict as C;
    let conflict = AppError::Conflict;
    vec![
        (E::Invalid(list()), 400, "invalid_request", "fields[0].names is wrong"),
        (
            E::UnsupportedMediaType { wanted: "application/json" },
            415,
            "unsupported_media_type",
            "Content-Type must be application/json",
        ),
        (E::TooLarge { limit_bytes: 7 }, 413, "body_too_large", "body has more than 7 bytes"),
        (E::Unauthenticated, 401, "unauthenticated", ""),
        (E::Forbidden { needs: Role::Admin }, 403, "forbidden", "Authorization needs the role admin"),
        (E::NotFound(ResourceKind::Map), 404, "map_not_found", ""),
        (E::NotFound(ResourceKind::Side), 404, "side_not_found", ""),
        (E::NotFound(ResourceKind::Token), 404, "token_not_found", ""),
        (E::NotFound(ResourceKind::Write), 404, "write_not_found", ""),
        (E::NotFound(ResourceKind::Rule), 404, "rule_not_found", ""),
        (E::NotFound(ResourceKind::Group), 404, "group_not_found", ""),
        (E::NotFound(ResourceKind::Incident), 404, "incident_not_found", ""),
        (E::NotFound(ResourceKind::FlaggedAddress), 404, "address_not_flagged", ""),
        (E::NotFound(ResourceKind::FailedEvent), 404, "failed_event_not_found", ""),
        (E::UnknownRoute, 404, "unknown_route", ""),
        (E::MethodNotAllowed { allow: "GET, PUT".into() }, 405, "method_not_allowed", ""),
        (E::VersionMissing { stored: 3 }, 428, "version_missing", "If-Match is missing; the stored version is 3"),
        (
            E::VersionChanged { stored: Some(4) },
            412,
            "version_changed",
            "If-Match does not match the stored version, 4",
        ),
        (E::VersionChanged { stored: None }, 412, "version_changed", "If-Match does not match what is stored now"),
        (E::Exists { stored: 5 }, 412, "exists", "If-None-Match does not hold: version 5 is stored"),
        (
            E::Mapping(MappingError { field: "record.Name".into(), message: "is required".into() }),
            422,
            "mapping",
            "record.Name is required",
        ),
        (E::Port(PortError::Transient("table tandem-x throttled".into())), 503, "unavailable", ""),
        (E::Port(PortError::Permanent("arn:aws:dynamodb denied".into())), 500, "internal", ""),
        (
            conflict(C::SideInUse(vec!["customers".parse().unwrap()])),
            409,
            "side_in_use",
            "side is used by the map customers",
        ),
        (conflict(C::MapActive(MapState::Running)), 409, "map_active", "map is Running"),
        (
            conflict(C::MapSettling { until: Timestamp(10_000), retry_after_s: 9 }),
            409,
            "map_settling",
            "map settles until 1970-01-01T00:00:10Z",
        ),
        (conflict(C::MapNotEmpty), 409, "map_not_empty", ""),
        (
            conflict(C::IllegalCommand { state: MapState::Paused, command: MapCommand::Run }),
            409,
            "illegal_command",
            "map is Paused: it takes resume or stop, not run",
        ),
        (conflict(C::SideMissing(list())), 409, "side_missing", "fields[0].names is wrong"),
        (conflict(C::TokenNameTaken), 409, "token_name_taken", ""),
        (conflict(C::TooManyTokens), 409, "too_many_tokens", ""),
        (conflict(C::TooManyRules), 409, "too_many_rules", ""),
        (conflict(C::GroupInUse(vec!["r".parse().unwrap()])), 409, "group_in_use", "group is named by the rule r"),
        (conflict(C::IncidentOver), 409, "incident_over", ""),
        (E::Refused(says()), 422, "refused", ""),
        (E::NotKept { says: says(), outcome_unknown: true }, 503, "app_unavailable", ""),
        (E::Contended, 503, "contended", ""),
        (conflict(C::WriteIdReused), 409, "write_id_reused", ""),
        (conflict(C::AlreadySo), 409, "already", ""),
        (conflict(C::NewerAccepted), 409, "newer_accepted", ""),
        (
            conflict(C::ArchiveWaits { some: vec![("C-1".parse().unwrap(), domain::EntryId(0))], more: true }),
            409,
            "archive_waits",
            "archive has 00000000000000000000000000 of C-1; archive has more",
        ),
        (conflict(C::WriteIdTooOld), 409, "write_id_too_old", ""),
        (conflict(C::WriteInProgress), 409, "write_in_progress", ""),
        (conflict(C::Blocked(list())), 409, "blocked", "fields[0].names is wrong"),
        (conflict(C::Interrupted(list())), 409, "interrupted", "fields[0].names is wrong"),
    ]
}

#[test]
fn every_error_has_its_status_code_and_words() {
    for (error, status, code, says) in table() {
        let problem = Problem::from(&error);
        let said: Vec<_> = problem.errors.iter().map(|m| format!("{} {}", m.field, m.message)).collect();
        assert_eq!((problem.status, problem.code, &*said.join("; ")), (status, code, says), "{error:?}");
        assert_eq!(problem.r#type, format!("urn:tandem:problem:{code}"));
        assert!(!problem.title.is_empty() && problem.detail.ends_with('.'), "{error:?}");
    }
}

#[test]
fn an_error_about_a_record_names_it_and_is_what_it_was() {
    let (map, key) = ("customers".parse().unwrap(), "C-1".parse().unwrap());
    for (error, ..) in table() {
        let (bare, told) = (Problem::from(&error), Problem::from(&error.clone().about(Subject::entry(&map, &key, 7))));
        let named = matches!(error, AppError::NotFound(_) | AppError::Conflict(_) | AppError::Contended);
        assert_eq!(told.detail.starts_with("Map customers, record C-1, entry 7. "), named, "{told:?}");
        assert_eq!(told.about.is_some(), named, "{error:?}");
        assert_eq!(
            (told.code, told.status, told.errors, told.headers),
            (bare.code, bare.status, bare.errors, bare.headers)
        );
    }
    let lost = AppError::NotFound(ResourceKind::Entry).about(Subject::entry(&map, &key, 7)).about(Subject::map(&map));
    let lost = serde_json::to_value(Problem::from(&lost)).unwrap();
    assert_eq!(
        lost["about"],
        serde_json::json!({"map": "customers", "key": "C-1", "seq": 7}),
        "who is nearest knows best"
    );
    assert!(lost["detail"].as_str().unwrap().contains("`GET /maps/customers/queue/entries?key=`"), "{lost}");
}

#[test]
fn what_a_state_takes_is_what_it_is_changed_by() {
    use MapState::{CatchingUp, Initializing, NotRunning, Paused, Running, Stopped};
    use domain::{
        Map, Timestamp,
        id::MapUid,
        map::{Backlog, MapAnswer},
    };
    let commands = [MapCommand::Run, MapCommand::Pause, MapCommand::Resume(Backlog::SkipToLive), MapCommand::Stop];
    for state in [NotRunning, Initializing, Running, Paused, CatchingUp, Stopped] {
        let side = |name: &str| serde_json::json!({"side": name, "entity": "e", "key_field": "k"});
        let config = serde_json::json!({"sides": [side("finance"), side("crm")], "fields": []});
        let config = serde_json::from_value(config).unwrap();
        let map = Map { state, ..Map::new("customers".parse().unwrap(), MapUid(1), config, "kim", Timestamp(0)) };
        for command in commands {
            let changes = matches!(map.decide(command, "kim", "", Timestamp(0)), MapAnswer::Changed(_));
            let said = takes(state).split([',', ' ']).any(|word| word == command.as_str());
            assert_eq!(said, changes, "{state}: {command:?}");
        }
    }
}

#[test]
fn what_is_internal_is_told_to_the_log_alone() {
    for (error, ..) in table() {
        let Some(internal) = error.internal() else { continue };
        let told = serde_json::to_string(&Problem::from(&error)).unwrap();
        assert!(internal.contains("tandem-x") || internal.contains("arn:"), "{internal}");
        assert!(!told.contains("tandem-x") && !told.contains("arn:"), "{told}");
    }
}

#[test]
fn headers_go_with_the_errors_that_need_them() {
    let headers: Vec<_> = table().iter().flat_map(|(error, ..)| Problem::from(error).headers).collect();
    let wanted = [
        ("www-authenticate", "Bearer realm=\"tandem\"".to_owned()),
        ("allow", "GET, PUT".to_owned()),
        ("retry-after", "1".to_owned()),
        ("retry-after", "9".to_owned()),
        ("retry-after", "1".to_owned()),
        ("retry-after", "1".to_owned()),
    ];
    assert_eq!(headers, wanted);
}

#[test]
fn what_the_app_said_stands_apart_from_what_tandem_says() {
    let refused = serde_json::to_value(Problem::from(&AppError::Refused(says()))).unwrap();
    let wanted = serde_json::json!({"side": "erp", "class": "application", "code": "X7", "message": "closed period"});
    assert_eq!((&refused["app"], &refused["class"]), (&wanted, &"application".into()));
    let not_kept = Problem::from(&AppError::NotKept { says: says(), outcome_unknown: true });
    assert_eq!(not_kept.outcome_unknown, Some(true));
}

#[test]
fn a_mistake_without_a_field_is_one_of_the_body() {
    assert_eq!(Problem::from(&AppError::mistake("", "is not JSON")).errors[0].field, "body");
}

#[test]
fn a_problem_looks_as_rfc_9457_says() {
    let problem = Problem::from(&AppError::mistake("name", "is empty"));
    let json = serde_json::to_value(&problem).unwrap();
    let wanted = serde_json::json!({
        "type": "urn:tandem:problem:invalid_request",
        "title": "The request has mistakes",
        "status": 400,
        "detail": "`errors` names each field and what is wrong with it. Nothing was changed.",
        "code": "invalid_request",
        "errors": [{"field": "name", "message": "is empty"}],
    });
    assert_eq!(json, wanted);
}
