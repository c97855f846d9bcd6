//! Golden events: the same files that `cargo lambda invoke --data-file` takes.

use std::{collections::BTreeSet, path::PathBuf, sync::Arc};

use app::{
    admin::{
        Caller,
        syncs::{RunCommand, StartSync, command, start},
    },
    ingest::ingest,
    ports::{Alerts, Ports, Role, SyncRuns},
};
use domain::{
    ErrorClass, IncidentId,
    log::LogEvent,
    rule::Sent,
    side::Capability,
    sync::{RunState, Selection, SyncKind, SyncRun},
};
use serde_json::{Value, json};
use testkit::{SimWorld, sample};

use crate::handler::handle;

fn event(name: &str) -> Value {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../events").join(name);
    serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap()
}

fn world() -> Arc<SimWorld> {
    SimWorld::new(1, sample::running(Capability::Idempotent))
}

#[tokio::test]
async fn each_minute_what_is_due_is_done() {
    let world = world();
    world.alerts.put_rule(sample::rule(1));
    let until = world.now().plus_ms(60_000);
    let nothing = handle(&*world, &event("threshold-evaluate-minute.json"), until).await.unwrap();
    assert_eq!(nothing, json!({"maps": 0, "opened": 0, "mails": 0, "recovered": 0}));
    let error = sample::error(world.now(), 1, "C-1", ErrorClass::Application);
    ingest(&*world, &[LogEvent::Error(Box::new(error))]).await.unwrap();
    let told = handle(&*world, &event("threshold-evaluate-minute.json"), until).await.unwrap();
    assert_eq!((&told["maps"], &told["mails"]), (&json!(1), &json!(1)));
    assert_eq!(world.mailer.taken()[0].to.as_str(), "kim@example.com");
}

#[tokio::test]
async fn an_event_of_an_incident_has_that_one_worked_on_and_no_other() {
    let world = world();
    world.alerts.put_rule(sample::rule(1));
    let mut other = sample::rule(1);
    other.id = "other".parse().unwrap();
    world.alerts.put_rule(other);
    let error = sample::error(world.now(), 1, "C-1", ErrorClass::Application);
    ingest(&*world, &[LogEvent::Error(Box::new(error))]).await.unwrap();
    let [one, other] = &world.alerts.all_incidents()[..] else { panic!("one incident for each rule") };
    let until = world.now().plus_ms(60_000);
    let mut opened = event("out-incident-opened.json");
    opened["detail"]["incident"] = json!(one.id.to_string());
    let told = handle(&*world, &opened, until).await.unwrap();
    assert_eq!(told, json!({"maps": 0, "opened": 0, "mails": 1, "recovered": 0}));
    assert_eq!(world.mailer.taken().iter().map(|mail| mail.incident).collect::<Vec<_>>(), [Some(one.id)]);
    handle(&*world, &opened, until).await.unwrap();
    assert_eq!(world.mailer.taken().len(), 1, "told twice, mailed once");
    handle(&*world, &event("threshold-evaluate-minute.json"), until).await.unwrap();
    assert_eq!(world.mailer.taken().last().unwrap().incident, Some(other.id));
}

/// An incident of which kim was told, by the mail service's id of that mail, and what comes back names both.
async fn told(world: &SimWorld) -> IncidentId {
    let mut rule = sample::rule(1);
    rule.config.fallback = Some("boss@example.com".parse().unwrap());
    world.alerts.put_rule(rule);
    let error = sample::error(world.now(), 1, "C-1", ErrorClass::Application);
    ingest(world, &[LogEvent::Error(Box::new(error))]).await.unwrap();
    handle(world, &event("threshold-evaluate-minute.json"), world.now().plus_ms(60_000)).await.unwrap();
    world.alerts.all_incidents()[0].id
}

async fn comes_back(world: &SimWorld, mail: &str, incident: IncidentId, change: impl Fn(&mut Value)) -> Value {
    let mut back = event(mail);
    back["detail"]["mail"]["tags"]["incident"][0] = json!(incident.to_string());
    back["detail"]["mail"]["messageId"] = json!("mail-1");
    change(&mut back["detail"]);
    handle(world, &back, world.now()).await.unwrap()
}

/// To whom the incident's first notice went, and what is said of it.
fn deliveries(world: &SimWorld) -> Vec<(String, &'static str)> {
    let state = |sent: &Sent| match sent {
        Sent::Waiting { .. } => "waiting",
        Sent::Taken { .. } => "taken",
        Sent::Failed { .. } => "failed",
        Sent::Bounced { .. } => "bounced",
    };
    let to = world.alerts.all_incidents()[0].notices[0].to.clone().unwrap();
    to.iter().map(|one| (one.to.to_string(), state(&one.sent))).collect()
}

#[tokio::test]
async fn a_mail_that_comes_back_is_told_to_the_fallback_and_its_address_flagged_if_the_next_would_come_back_too() {
    let pairs = |pairs: &[(&str, &'static str)]| -> Vec<(String, &'static str)> {
        pairs.iter().map(|(to, state)| ((*to).to_owned(), *state)).collect()
    };
    let lost = pairs(&[("kim@example.com", "bounced"), ("boss@example.com", "waiting")]);
    let transient = |detail: &mut Value| {
        detail["bounce"]["bounceType"] = json!("Transient");
        detail["bounce"]["bounceSubType"] = json!("MailboxFull");
    };
    let (bounced, complaint) = ("threshold-evaluate-mail-bounced.json", "threshold-evaluate-mail-complaint.json");
    for (mail, change, flagged) in [
        (bounced, (&|_: &mut Value| {}) as &dyn Fn(&mut Value), Some("bounced: General")),
        (bounced, &transient, None),
        (complaint, &|_: &mut Value| {}, Some("the recipient complained about it")),
    ] {
        let world = world();
        let incident = told(&world).await;
        assert_eq!(deliveries(&world), pairs(&[("kim@example.com", "taken")]));
        let answer = comes_back(&world, mail, incident, change).await;
        assert_eq!(answer, json!({"bounced": 1, "flagged": u64::from(flagged.is_some())}), "{mail}");
        assert_eq!(deliveries(&world), lost, "{mail}");
        let says = world.alerts.flagged().await.unwrap().first().map(|flagged| flagged.says.clone());
        assert_eq!(says.as_deref(), flagged, "{mail}");
    }
    let world = world();
    let incident = told(&world).await;
    let other = |detail: &mut Value| detail["mail"]["messageId"] = json!("mail-of-another-day");
    comes_back(&world, bounced, incident, other).await;
    assert_eq!(deliveries(&world), pairs(&[("kim@example.com", "taken")]), "another mail came back");
    let unreadable = |detail: &mut Value| detail["bounce"]["bouncedRecipients"][0]["emailAddress"] = json!("x");
    let answer = comes_back(&world, bounced, incident, unreadable).await;
    assert_eq!(answer, json!({"bounced": 0, "flagged": 0}), "no address of ours");
}

/// The samples in `events/` are what is published: the same names, and no field more or less.
#[tokio::test]
async fn the_samples_of_published_events_are_true() {
    let world = world();
    world.alerts.put_rule(sample::rule(1));
    let mut error = sample::error(world.now(), 1, "C-1", ErrorClass::Application);
    error.fate = domain::log::ErrorDisposition::Parked;
    let mut events = vec![LogEvent::Error(Box::new(error))];
    let mut published = Vec::new();
    for _ in 0..3 {
        ingest(&*world, &events).await.unwrap();
        published.extend(world.events.take());
        events = [world.alerts.take_log(), world.lanes.take_log()].concat();
    }
    published.extend(events_of_sync_runs(&world).await);
    let fields = |detail: &Value| -> BTreeSet<String> { detail.as_object().unwrap().keys().cloned().collect() };
    for (name, source, kind) in [
        ("out-map-state-changed.json", "tandem.map", "Map State Changed"),
        ("out-incident-opened.json", "tandem.incident", "Incident Opened"),
        ("out-incident-acted.json", "tandem.incident", "Incident Acted"),
        ("out-write-parked.json", "tandem.write", "Write Parked"),
        ("out-sync-run-started.json", "tandem.sync", "Sync Run Started"),
        ("out-sync-run-paused.json", "tandem.sync", "Sync Run Paused"),
        ("out-sync-run-resumed.json", "tandem.sync", "Sync Run Resumed"),
        ("out-sync-run-cancelled.json", "tandem.sync", "Sync Run Cancelled"),
        ("out-sync-run-finished.json", "tandem.sync", "Sync Run Finished"),
    ] {
        let sample = event(name);
        assert_eq!((&sample["source"], &sample["detail-type"]), (&json!(source), &json!(kind)), "{name}");
        let known =
            published.iter().find(|event| event.kind == kind).unwrap_or_else(|| panic!("{kind} was not published"));
        assert_eq!((known.source, fields(&known.detail)), (source, fields(&sample["detail"])), "{name}");
        if source == "tandem.sync" {
            assert_eq!(fields(&known.detail["legs"][0]), fields(&sample["detail"]["legs"][0]), "{name}");
        }
    }
}

/// What is published of a run that an operator steers, and of one that finishes.
async fn events_of_sync_runs(world: &SimWorld) -> Vec<app::ports::Event> {
    let map = world.map().map;
    let kim = Caller { name: "kim".to_owned(), role: Role::Operator };
    let wanted = StartSync {
        kind: SyncKind::Reconcile,
        winner: None,
        winner_of_field: None,
        legs: Vec::new(),
        selection: Selection::All,
        parent: None,
        despite: Vec::new(),
        reason: "to test".to_owned(),
    };
    let steered = start(world, &kim, &map.id, &wanted).await.unwrap();
    for wanted in [RunCommand::Pause, RunCommand::Resume, RunCommand::Cancel] {
        command(world, &kim, &map.id, steered.id, (wanted, "to test")).await.unwrap();
    }
    let begun = start(world, &kim, &map.id, &wanted).await.unwrap();
    let through = SyncRun { state: RunState::Finished, version: begun.version + 1, ..begun.clone() };
    world.sync_runs.save_run(&map, &through, Some(&begun), &[]).await.unwrap();
    ingest(world, &world.sync_runs.take_log()).await.unwrap();
    world.events.take()
}
