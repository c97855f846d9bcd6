//! Mails as people get them. The snapshots are to be read when they change.

use domain::{
    ErrorClass, LogId, Map, MapState, Timestamp,
    id::MapUid,
    lane::Stamp,
    log::{ErrorEvent, Fate, LoggedError, Order},
    rule::{Breach, Rule, RuleConfig},
};
use serde_json::json;

use super::*;

const NOON: Timestamp = Timestamp(1_795_435_200_000);

fn rule(title: &str, action: &str) -> Rule {
    let config: RuleConfig = serde_json::from_value(json!({
        "title": title, "classes": ["application"], "threshold": 10, "window_minutes": 15, "action": action,
        "recipients": ["kim@example.com"],
    }))
    .unwrap();
    let id = "crm-refuses".parse().unwrap();
    Rule { id, config, version: 1, actor: "kim".to_owned(), changed_at: Timestamp(0) }
}

fn map() -> Map {
    let config = serde_json::from_value(json!({
        "sides": [{"side": "finance", "entity": "e", "key_field": "k"}, {"side": "crm", "entity": "e", "key_field": "k"}],
        "fields": [],
    }));
    Map::new("customers".parse().unwrap(), MapUid(7), config.unwrap(), "kim", Timestamp(0))
}

fn error(n: u64, key: &str, message: &str) -> LoggedError {
    let at = NOON.plus_ms(n * 10_000);
    LoggedError::new(ErrorEvent {
        id: LogId::of(at, Order::Change(0), &[&n.to_be_bytes()]),
        at,
        happened_at: None,
        map: "customers".parse().unwrap(),
        uid: MapUid(7),
        epoch: 1,
        from: Some("finance".parse().unwrap()),
        to: "crm".parse().unwrap(),
        key: Some(key.parse().unwrap()),
        entry: None,
        seq: Some(1),
        write: None,
        attempt: 1,
        class: ErrorClass::Application,
        code: Some("0x80040265".to_owned()),
        message: message.to_owned(),
        fate: Fate::Refused,
        payload: None,
    })
}

fn incident(title: &str, action: &str, errors: &[LoggedError]) -> Incident {
    let (first, last) = (errors.first().unwrap().event.at, errors.last().unwrap().event.at);
    let ids = errors.iter().rev().map(|error| error.event.id).collect();
    let breach = Breach { first_at: first, last_at: last, errors: ids };
    let all: Vec<_> = errors.iter().rev().collect();
    Incident::open(IncidentId(1_u128 << 100), &rule(title, action), &map(), &breach, &all, last.plus_ms(120))
}

fn paused() -> Incident {
    let mut errors: Vec<_> = (0..8)
        .map(|n| error(n, &format!("C-{}", 1_001 + n), &format!("Credit limit of C-{} above 1,000,000", 1_001 + n)))
        .collect();
    errors.extend((8..10).map(|n| error(n, "C-2000", "The account is locked by another user")));
    let incident = incident("crm refuses customers", "pause", &errors);
    let acted = domain::rule::Acted { at: incident.opened_at.plus_ms(30), state: Some(MapState::Paused), left: None };
    incident.acted(acted)
}

fn mail(incident: &Incident, kind: NoticeKind) -> Mail {
    of_incident(incident, kind, &"kim@example.com".parse().unwrap(), Some(214), "https://tandem.example/")
}

#[test]
fn a_map_that_was_paused() {
    let mail = mail(&paused(), NoticeKind::Opened);
    insta::assert_snapshot!("paused_text", format!("{}\n\n{}", mail.subject, mail.text));
    insta::assert_snapshot!("paused_html", mail.html);
}

#[test]
fn a_map_that_only_meets_errors_and_one_that_recovered() {
    let told = incident("crm refuses customers", "none", &[error(1, "C-1", "locked")]);
    insta::assert_snapshot!("told_text", mail(&told, NoticeKind::Opened).text);
    let seen = paused().acknowledged(Stamp { actor: "alex".into(), at: NOON, reason: "on it".into() });
    insta::assert_snapshot!("reminder_text", mail(&seen, NoticeKind::Reminder).text);
    let over = seen.recovered("the map was resumed and has caught up", NOON.plus_ms(3_600_000));
    insta::assert_snapshot!("recovered_text", mail(&over, NoticeKind::Recovered).text);
}

#[test]
fn a_test_mail() {
    let mail = of_test(
        &rule("crm refuses customers", "pause"),
        &"kim@example.com".parse().unwrap(),
        "alex",
        "https://t.example",
    );
    insta::assert_snapshot!("test_text", format!("{}\n\n{}", mail.subject, mail.text));
}

#[test]
fn nothing_that_an_app_or_operator_says_becomes_html_or_a_header() {
    let evil = "<script>alert(1)</script>\" onmouseover=\"x";
    let incident = incident(evil, "pause", &[error(1, "<b>k</b>", evil)]);
    let mail = mail(&incident, NoticeKind::Opened);
    assert!(!mail.html.contains("<script") && !mail.html.contains("<b>k") && !mail.html.contains("\" onmouseover"));
    assert!(mail.html.contains("&lt;script&gt;alert(1)&lt;/script&gt;"), "it is shown as it is");
    let header = |text: &str| text.chars().any(char::is_control);
    let breaks = super::super::mail::one_line("a\r\nBcc: eve@example.com");
    assert!(!header(&breaks) && !header(&mail.subject), "{breaks:?}");
    assert!(mail.headers.iter().all(|(_, value)| !header(value)));
    assert!(mail.subject.chars().count() <= MAX_SUBJECT_CHARS);
}

#[test]
fn the_mails_of_an_incident_are_one_thread() {
    let (one, other) = (mail(&paused(), NoticeKind::Opened), mail(&paused(), NoticeKind::Recovered));
    let of = |mail: &Mail, name: &str| {
        mail.headers.iter().find(|(known, _)| *known == name).map(|(_, value)| value.clone()).unwrap()
    };
    for name in ["References", "In-Reply-To"] {
        assert_eq!(of(&one, name), of(&other, name));
    }
    assert!(of(&one, "List-Unsubscribe").starts_with("<https://tandem.example/#/rules/crm-refuses"));
}

#[test]
fn nobody_is_told_that_changes_flow_again_because_a_map_was_stopped() {
    let over = paused().recovered("the map was stopped", NOON);
    let mail = mail(&over, NoticeKind::Recovered);
    assert!(mail.text.contains("over because the map was stopped"), "{}", mail.text);
    assert!(!mail.text.contains("normal") && !mail.text.contains("flow again"), "{}", mail.text);
}
