//! Mail in single cases: a mail service that refuses or is slow, mail that comes back, reminders.

use std::{collections::BTreeSet, sync::Arc};

use app::{
    admin::{incidents::acknowledge, map_commands::switch},
    alerts::{CameBack, bounced, tick},
    ingest::ingest,
    ports::{Alerts, MailError, Ports, Refusal},
};
use domain::{
    ErrorClass, MapState,
    log::LogEvent,
    map::{Backlog, MapCommand},
    rule::{Notice, Sent},
    side::Capability,
};
use futures::future::{Either, select};
use testkit::{SimWorld, sample};

use crate::operator::kim;

const MINUTE: u64 = 60_000;

/// Mail that is refused is tried again, holds nothing up, and the fallback is told when nobody else can be.
#[test]
fn mail_that_is_refused_delays_nothing_and_is_tried_again() {
    let world = SimWorld::new(3, sample::running(Capability::Idempotent));
    let mut rule = sample::rule(1);
    rule.config.fallback = Some("boss@example.com".parse().unwrap());
    world.alerts.put_rule(rule);
    world.mailer.set_refuses(Some(MailError::Later(Refusal::new("ThrottlingException", "SES: ThrottlingException"))));
    let played = Arc::clone(&world);
    world.executor.spawn(async move {
        let world = played;
        let event = sample::error(world.now(), 1, "C-1", ErrorClass::Application);
        ingest(&*world, &[LogEvent::Error(Box::new(event))]).await.unwrap();
        assert_eq!(world.map().map.state, MapState::Paused, "no mail is waited for");
        let ticked = async || tick(&*world, world.now().plus_ms(MINUTE)).await.unwrap();
        let sent = || world.alerts.all_incidents()[0].notices[0].to.clone().unwrap();
        ticked().await;
        assert!(
            matches!(&sent()[0].sent, Sent::Waiting { tries: 1, says: Some(says), .. } if says.contains("Throttling"))
        );
        world.mailer.set_refuses(None);
        world.executor.sleep(MINUTE).await;
        ticked().await;
        assert!(matches!(sent()[0].sent, Sent::Taken { .. }));
        // It comes back, and another person is told.
        let incident = world.alerts.all_incidents()[0].id;
        bounced(&*world, &back("kim@example.com", "mail-1"), Some(incident)).await.unwrap();
        ticked().await;
        let told: Vec<_> =
            sent().iter().map(|one| (one.to.to_string(), matches!(one.sent, Sent::Taken { .. }))).collect();
        assert_eq!(told, [("kim@example.com".to_owned(), false), ("boss@example.com".to_owned(), true)]);
    });
    assert!(world.executor.run(1_000_000));
    assert_eq!(world.mailer.taken().len(), 2);
}

/// A mail that came back for good.
fn back(to: &str, message_id: &str) -> CameBack {
    CameBack {
        to: to.parse().expect("an address"),
        message_id: message_id.to_owned(),
        says: "bounced: General".to_owned(),
        lasting: true,
    }
}

/// How far the mails of each notice of the one incident are.
fn told(world: &SimWorld) -> Vec<Vec<(String, &'static str)>> {
    let state = |sent: &Sent| match sent {
        Sent::Waiting { .. } => "waiting",
        Sent::Taken { .. } => "taken",
        Sent::Failed { .. } => "failed",
        Sent::Bounced { .. } => "bounced",
    };
    let [incident] = &world.alerts.all_incidents()[..] else { panic!("one incident") };
    let one = |notice: &Notice| {
        let name = |to: &str| to.trim_end_matches("@example.com").to_owned();
        notice.to.iter().flatten().map(|delivery| (name(delivery.to.as_str()), state(&delivery.sent))).collect()
    };
    incident.notices.iter().map(one).collect()
}

/// What came back is that mail. Another one to the same person was read.
#[test]
fn a_mail_that_comes_back_says_nothing_of_the_others() {
    let world = SimWorld::new(3, sample::running(Capability::Idempotent));
    let mut rule = sample::rule(1);
    rule.config.fallback = Some("boss@example.com".parse().unwrap());
    world.alerts.put_rule(rule);
    let played = Arc::clone(&world);
    world.executor.spawn(async move {
        let world = played;
        let event = sample::error(world.now(), 1, "C-1", ErrorClass::Application);
        ingest(&*world, &[LogEvent::Error(Box::new(event))]).await.unwrap();
        let ticked = async || tick(&*world, world.now().plus_ms(MINUTE)).await.unwrap();
        ticked().await;
        let id = world.map().map.id;
        switch(&*world, &kim(), &id, MapCommand::Resume(Backlog::CatchUp), "mended").await.unwrap();
        world.sweep().await;
        ticked().await;
        let pair = |name: &str, state| (name.to_owned(), state);
        assert_eq!(told(&world), [vec![pair("kim", "taken")], vec![pair("kim", "taken")]]);
        let incident = world.alerts.all_incidents()[0].id;
        bounced(&*world, &back("kim@example.com", "mail-2"), Some(incident)).await.unwrap();
        ticked().await;
        let recovered = vec![pair("kim", "bounced"), pair("boss", "taken")];
        assert_eq!(told(&world), [vec![pair("kim", "taken")], recovered.clone()], "kim had read the first one");
        // The first one, too, hours later: nobody is told any more that the map was paused.
        bounced(&*world, &back("kim@example.com", "mail-1"), Some(incident)).await.unwrap();
        ticked().await;
        assert_eq!(told(&world), [vec![pair("kim", "bounced")], recovered]);
    });
    assert!(world.executor.run(1_000_000));
    assert_eq!(world.mailer.taken().len(), 3);
}

/// What the mail service refuses again and again waits for an operator: the fallback need not wait for that, too.
#[test]
fn the_fallback_is_told_after_three_tries_unless_mail_to_it_came_back() {
    for flagged in [false, true] {
        let world = SimWorld::new(3, sample::running(Capability::Idempotent));
        let mut rule = sample::rule(1);
        rule.config.fallback = Some("boss@example.com".parse().unwrap());
        world.alerts.put_rule(rule);
        let refusal = Refusal::new("MessageRejected", "SES: MessageRejected: kim@example.com is not verified");
        world.mailer.set_refuses_for("kim@example.com".parse().unwrap(), MailError::Later(refusal));
        let played = Arc::clone(&world);
        world.executor.spawn(async move {
            let world = played;
            if flagged {
                bounced(&*world, &back("boss@example.com", "x"), None).await.unwrap();
                assert_eq!(world.alerts.flagged().await.unwrap().len(), 1);
            }
            let event = sample::error(world.now(), 1, "C-1", ErrorClass::Application);
            ingest(&*world, &[LogEvent::Error(Box::new(event))]).await.unwrap();
            for _ in 0..5 {
                let ticked = tick(&*world, world.now().plus_ms(MINUTE)).await.unwrap();
                assert!(ticked.mails + ticked.mails_failed <= 2);
                world.executor.sleep(MINUTE).await;
            }
            let boss = ("boss".to_owned(), if flagged { "failed" } else { "taken" });
            assert_eq!(told(&world), [vec![("kim".to_owned(), "waiting"), boss]], "and kim's is tried on");
            let [incident] = &world.alerts.all_incidents()[..] else { panic!("one incident") };
            let says = incident.notices[0].to.iter().flatten().map(|delivery| format!("{:?}", delivery.sent));
            let says: Vec<_> = says.collect();
            assert!(!flagged || says[1].contains("DELETE /mail/flagged/boss@example.com"), "{says:?}");
        });
        assert!(world.executor.run(1_000_000));
    }
}

/// A mail service that takes ten seconds for each of fifty mails: what was sent within the time is noted, the rest is
/// sent by the next run, and nobody gets two.
#[test]
fn a_slow_mail_service_costs_no_mail_and_doubles_none() {
    let world = SimWorld::new(3, sample::running(Capability::Idempotent));
    let mut rule = sample::rule(1);
    rule.config.recipients = (0..50).map(|n| format!("p{n}@example.com").parse().unwrap()).collect();
    world.alerts.put_rule(rule);
    world.mailer.set_takes_ms(10_000);
    let played = Arc::clone(&world);
    world.executor.spawn(async move {
        let world = played;
        let event = sample::error(world.now(), 1, "C-1", ErrorClass::Application);
        ingest(&*world, &[LogEvent::Error(Box::new(event))]).await.unwrap();
        let (first, until) = (world.now(), world.now().plus_ms(75_000));
        let ticked = tick(&*world, until).await.unwrap();
        assert_eq!((ticked.mails, world.mailer.taken().len()), (40, 40));
        assert!(world.now().ms_since(first) <= 85_000, "what is begun in time ends in time");
        // This one is killed in the middle of its second part.
        let killed = tick(&*world, world.now().plus_ms(75_000));
        let over = world.executor.sleep(15_000);
        futures::pin_mut!(killed, over);
        assert!(matches!(select(killed, over).await, Either::Right(_)));
        assert_eq!(told(&world)[0].iter().filter(|(_, state)| *state == "taken").count(), 45);
        world.executor.sleep(2 * MINUTE).await;
        tick(&*world, world.now().plus_ms(75_000)).await.unwrap();
        assert!(told(&world)[0].iter().all(|(_, state)| *state == "taken"));
    });
    assert!(world.executor.run(1_000_000));
    let to: BTreeSet<_> = world.mailer.taken().into_iter().map(|mail| mail.to).collect();
    assert_eq!((to.len(), world.mailer.taken().len()), (50, 50));
}

/// People are reminded until somebody has seen it; the recovery is told to all.
#[test]
fn reminders_end_with_the_acknowledgement() {
    let world = SimWorld::new(3, sample::running(Capability::Idempotent));
    let mut rule = sample::rule(1);
    rule.config.reminder_minutes = Some(10);
    world.alerts.put_rule(rule);
    let played = Arc::clone(&world);
    world.executor.spawn(async move {
        let world = played;
        let event = sample::error(world.now(), 1, "C-1", ErrorClass::Application);
        ingest(&*world, &[LogEvent::Error(Box::new(event))]).await.unwrap();
        let pass = async |minutes: u64| {
            for _ in 0..minutes {
                world.executor.sleep(MINUTE).await;
                tick(&*world, world.now().plus_ms(MINUTE)).await.unwrap();
            }
        };
        let subjects = || world.mailer.taken().into_iter().map(|mail| mail.subject).collect::<Vec<_>>();
        pass(22).await;
        assert_eq!(subjects().len(), 3, "opened, and two reminders: {:?}", subjects());
        let incident = world.alerts.all_incidents()[0].id;
        acknowledge(&*world, &kim(), incident, "on it").await.unwrap();
        pass(30).await;
        assert_eq!(subjects().len(), 3);
        let id = world.map().map.id;
        switch(&*world, &kim(), &id, MapCommand::Resume(Backlog::CatchUp), "mended").await.unwrap();
        world.sweep().await;
        pass(1).await;
        assert!(subjects()[3].contains("recovered"), "{:?}", subjects());
        assert!(world.alerts.all_incidents()[0].recovered.is_some());
    });
    assert!(world.executor.run(1_000_000));
}
