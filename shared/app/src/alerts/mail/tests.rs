//! Mails as people get them. The snapshots are to be read when they change.

use domain::{
    ErrorClass, LogId,
    id::MapUid,
    lane::{ArchiveCause, Attribution},
    log::{ErrorDisposition, ErrorEvent, LoggedError, Order},
    map::{Cause, FlowStart, StartedBy},
    rule::{AutoResume, Breach, Ending, Rule, RuleConfig},
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
        fate: ErrorDisposition::Refused,
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

fn counted(action: &str) -> Incident {
    let mut errors: Vec<_> = (0..8)
        .map(|n| error(n, &format!("C-{}", 1_001 + n), &format!("Credit limit of C-{} above 1,000,000", 1_001 + n)))
        .collect();
    errors.extend((8..10).map(|n| error(n, "C-2000", "The account is locked by another user")));
    incident("crm refuses customers", action, &errors)
}

fn paused() -> Incident {
    let incident = counted("pause");
    let acted = domain::rule::Acted { at: incident.opened_at.plus_ms(30), state: Some(MapState::Paused), left: None };
    incident.acted(acted)
}

/// As no console is there.
const NO_CONSOLE: Links<'static> = Links { console: "", api: "https://admin.example/" };
const CONSOLE: Links<'static> = Links { console: "https://tandem.example/", api: "https://admin.example/" };

/// The map in a state, by whom.
fn now(state: MapState, actor: &str, cause: Cause) -> Situation {
    let (since, actor, reason) = (NOON.plus_ms(90_150), actor.to_owned(), "told".to_owned());
    Situation { map: Some(Map { state, since, actor, reason, cause, ..map() }), depth: Some(214), trouble: Vec::new() }
}

fn by_rule(incident: &Incident) -> Situation {
    now(MapState::Paused, "tandem", Cause::Rule { rule: incident.rule.clone(), incident: incident.id })
}

fn mail_when(incident: &Incident, kind: NoticeKind, situation: &Situation) -> Mail {
    of_incident(incident, kind, &"kim@example.com".parse().unwrap(), situation, NO_CONSOLE)
}

fn mail(incident: &Incident, kind: NoticeKind) -> Mail {
    mail_when(incident, kind, &by_rule(incident))
}

fn whole(mail: &Mail) -> String {
    format!("{}\n\n{}", mail.subject, mail.text)
}

/// The mail that tells how it ended; a map that runs is there, and nothing waits.
fn over(ending: Ending) -> Mail {
    let runs = Situation { depth: Some(0), ..now(MapState::Running, "tandem", Cause::CaughtUp) };
    let situation = if ending.is_recovery() { runs } else { Situation::default() };
    let seen =
        paused().acknowledged(Attribution { actor: "alex".into(), at: NOON.plus_ms(600_000), reason: "on it".into() });
    mail_when(&seen.recovered(ending, NOON.plus_ms(3_600_000)), NoticeKind::Recovered, &situation)
}

fn flows(how: StartedBy, archived: Option<ArchiveCause>) -> Ending {
    let archived = archived.map(|cause| (cause, "sam".to_owned()));
    Ending::FlowsAgain { began: FlowStart { how, actor: "alex".to_owned(), archived } }
}

/// For a look at it: `TANDEM_MAILS=<folder>` leaves the page there.
fn show(name: &str, mail: &Mail) {
    if let Some(folder) = std::env::var_os("TANDEM_MAILS") {
        std::fs::write(std::path::Path::new(&folder).join(format!("{name}.html")), &mail.html).unwrap();
    }
}

#[test]
fn people_are_told_which_app_does_not_answer_until_it_is_over() {
    let says = "crm has not answered since 2026-11-23T11:58:00.000Z (network)".to_owned();
    let situation = Situation { trouble: vec![says.clone()], ..by_rule(&paused()) };
    let told = |kind| mail_when(&paused(), kind, &situation);
    assert!(told(NoticeKind::Opened).text.contains(&says) && told(NoticeKind::Reminder).html.contains(&says));
    assert!(!told(NoticeKind::Recovered).text.contains(&says));
}

#[test]
fn a_map_that_was_paused() {
    let mail = mail(&paused(), NoticeKind::Opened);
    show("paused", &mail);
    insta::assert_snapshot!("paused_text", whole(&mail));
    insta::assert_snapshot!("paused_html", mail.html);
}

#[test]
fn a_map_that_only_meets_errors_and_one_that_is_still_paused() {
    let told = incident("crm refuses customers", "none", &[error(1, "C-1", "locked")]);
    let runs = now(MapState::Running, "kim", Cause::Operator);
    insta::assert_snapshot!("told_text", whole(&mail_when(&told, NoticeKind::Opened, &runs)));
    let mut asked = paused();
    asked.config.auto_resume = Some(AutoResume { after_minutes: 30, at_most: 3 });
    asked.config.reminder_minutes = Some(60);
    (asked.auto_resumed, asked.probed_at) = (1, Some(NOON.plus_ms(31 * 60_000)));
    let reminder = mail(&asked, NoticeKind::Reminder);
    show("reminder", &reminder);
    insta::assert_snapshot!("reminder_text", whole(&reminder));
    asked.auto_resumed = 3;
    let text = mail(&asked, NoticeKind::Reminder).text;
    assert!(text.contains("already resumed it 3 times") && text.contains("until somebody resumes it"), "{text}");
}

#[test]
fn what_somebody_did_in_the_meantime_is_not_told_otherwise() {
    let mut resumed = now(MapState::CatchingUp, "alex", Cause::Operator);
    resumed.map.as_mut().unwrap().began =
        Some(FlowStart { how: StartedBy::Resumed, actor: "alex".to_owned(), archived: None });
    let mail = mail_when(&paused(), NoticeKind::Reminder, &resumed);
    assert!(
        mail.subject.contains("still catching up") && mail.text.contains("alex has resumed it"),
        "{}",
        whole(&mail)
    );
    assert!(!mail.text.contains("/resume"), "{}", mail.text);
    // The rule found it paused: it is not said to go on.
    let left = domain::rule::Acted { at: NOON, state: None, left: Some("the map was Paused already".to_owned()) };
    let found = counted("pause").acted(left);
    let mail = mail_when(&found, NoticeKind::Opened, &now(MapState::Paused, "alex", Cause::Operator));
    assert!(mail.text.contains("alex had already paused it") && !mail.text.contains("keeps running"), "{}", mail.text);
}

#[test]
fn how_it_ended_is_told_and_only_a_map_that_runs_has_recovered() {
    let caught_up = over(flows(StartedBy::Resumed, None));
    show("recovered", &caught_up);
    insta::assert_snapshot!("recovered_text", whole(&caught_up));
    let stopped = over(Ending::Stopped { by: "alex".to_owned() });
    show("stopped", &stopped);
    insta::assert_snapshot!("stopped_text", whole(&stopped));
    for (ending, subject, says, call) in [
        (
            flows(StartedBy::ByItself, None),
            "customers recovered:",
            "Tandem resumed the map, and it has caught up",
            "/errors",
        ),
        (
            flows(StartedBy::Resumed, Some(ArchiveCause::Discarded)),
            "customers recovered, backlog discarded:",
            "alex resumed the map, and sam discarded the backlog",
            "/archive?cause=discarded",
        ),
        (
            flows(StartedBy::Resumed, Some(ArchiveCause::SkippedToLive)),
            "customers recovered, backlog skipped:",
            "alex resumed the map, and sam skipped the backlog",
            "/archive?cause=skipped_to_live",
        ),
        (flows(StartedBy::Run, None), "customers recovered, run again:", "alex ran the map again", "/maps/customers"),
        (Ending::Quiet, "customers recovered:", "fewer errors", "/maps/customers"),
        (Ending::Stopped { by: "alex".to_owned() }, "customers stopped:", "alex stopped the map", "/run"),
        (Ending::Deleted, "customers deleted:", "the map was deleted", "/incidents/"),
        (Ending::RuleOff, "customers is no longer watched:", "switched off or deleted", "/log/errors"),
    ] {
        let runs = ending.is_recovery();
        let mail = over(ending);
        assert!(mail.subject.contains(subject), "{}", mail.subject);
        assert_eq!(mail.subject.contains("recovered"), runs, "{}", mail.subject);
        assert!(mail.text.contains("This incident is over: ") && mail.text.contains(says), "{}", mail.text);
        assert!(mail.text.contains(call), "{call} in {}", mail.text);
        assert!(!mail.text.contains("map is Paused"), "{}", mail.text);
        assert!(!mail.text.contains("flow again") && (runs || !mail.text.contains("running again")), "{}", mail.text);
    }
}

#[test]
fn a_test_mail() {
    let mail =
        of_test(&rule("crm refuses customers", "pause"), &"kim@example.com".parse().unwrap(), "alex", NO_CONSOLE);
    insta::assert_snapshot!("test_text", whole(&mail));
}

#[test]
fn only_where_there_is_a_console_do_mails_link_to_it() {
    let to = "kim@example.com".parse().unwrap();
    let of = |links| of_incident(&paused(), NoticeKind::Opened, &to, &by_rule(&paused()), links);
    let (without, with) = (of(NO_CONSOLE), of(CONSOLE));
    let everything = |mail: &Mail| format!("{}{}{:?}", mail.text, mail.html, mail.headers);
    assert!(!everything(&without).contains("/#/") && !without.html.contains("href"));
    assert!(without.text.contains("POST https://admin.example/maps/customers/resume"), "{}", without.text);
    let page = format!("https://tandem.example/#/incidents/{}", paused().id);
    assert!(with.text.contains(&page) && with.html.contains(&format!("href=\"{page}\"")));
    let unsubscribe = with.headers.iter().find(|(name, _)| *name == "List-Unsubscribe").unwrap();
    assert!(unsubscribe.1.starts_with("<https://tandem.example/#/rules/crm-refuses"));
    let unknown = of(Links { console: "", api: "" });
    assert!(unknown.text.contains("POST /maps/customers/resume"), "{}", unknown.text);
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
}
