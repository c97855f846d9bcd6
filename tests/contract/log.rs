//! The logs, rules and incidents in DynamoDB, and mail by `SESv2`.

use app::ports::{Mail, MailError, Mailer, Refusal};
use aws::{Clients, DynamoAlerts, DynamoLog, SesMailer};
use testkit::contract;

use crate::emulator::{config, run, table};

const DAYS: u64 = 90;

async fn log() -> DynamoLog {
    let (db, table) = table().await;
    DynamoLog::new(db, &table, DAYS)
}

async fn alerts() -> DynamoAlerts {
    let (db, table) = table().await;
    DynamoAlerts::new(db, &table, DAYS)
}

#[test]
fn errors_are_kept_once_and_listed_newest_first() {
    run(async { contract::errors_are_kept_once_and_listed_newest_first(&log().await).await });
}

#[test]
fn a_reported_error_is_kept_once_by_its_own_id() {
    run(async { contract::a_reported_error_is_kept_once_by_its_own_id(&log().await).await });
}

#[test]
fn errors_of_a_record_are_resolved_up_to_a_time() {
    run(async { contract::errors_of_a_record_are_resolved_up_to_a_time(&log().await).await });
}

#[test]
fn errors_that_are_named_are_resolved() {
    run(async { contract::errors_that_are_named_are_resolved(&log().await).await });
}

#[test]
fn activities_noisy_maps_and_failed_events_are_kept() {
    run(async { contract::activities_noisy_maps_and_failed_events_are_kept(&log().await).await });
}

#[test]
fn rules_and_groups_change_by_their_version() {
    run(async { contract::rules_and_groups_change_by_their_version(&alerts().await).await });
}

#[test]
fn an_incident_changes_with_its_watch_or_not_at_all() {
    run(async { contract::an_incident_changes_with_its_watch_or_not_at_all(&alerts().await).await });
}

#[test]
fn mail_is_taken_from_a_sender_that_is_verified_and_from_no_other() {
    run(async {
        let ses = Clients::from_config(&config().await).ses;
        ses.create_email_identity().email_identity("tandem@example.com").send().await.expect("it is verified");
        let mail = Mail {
            to: "kim@example.com".parse().expect("an address"),
            subject: "[Tandem] customers paused: „ünïcode“".to_owned(),
            text: "text".to_owned(),
            html: "<p>html</p>".to_owned(),
            headers: vec![("References", "<1@incidents.tandem>".to_owned())],
            incident: Some(domain::IncidentId(1)),
        };
        let sent = SesMailer::new(ses.clone(), "tandem@example.com", None).send(&mail).await.expect("it is taken");
        assert!(!sent.is_empty(), "the mail service names it");
        let refused = SesMailer::new(ses.clone(), "eve@elsewhere.example", None).send(&mail).await;
        let Err(MailError::Later(Refusal { code, says })) = refused else { panic!("{refused:?}") };
        assert!(says.starts_with("SES: MessageRejected: ") && says.contains("not verified"), "{says}");
        assert_eq!(code, "MessageRejected", "no address is in what is logged");
        let nobody = SesMailer::new(ses, "", None).send(&mail).await;
        assert!(matches!(nobody, Err(MailError::Never(why)) if why.says.contains("MailSender")));
    });
}
