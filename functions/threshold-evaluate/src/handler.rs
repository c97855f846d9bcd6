//! Parse, one call, answer.

use app::{
    alerts::{CameBack, TickCounts, bounced, tick, tick_one},
    ports::MailPorts,
};
use aws::metrics::{Metrics, Unit};
use domain::{IncidentId, Timestamp, rule::Address};
use lambda_runtime::Error;
use serde_json::{Value, json};

/// Nothing new is begun in the last part of an invocation.
const RESERVE_MS: u64 = 15_000;

/// Until when something new may be begun. `deadline` is Lambda's, in milliseconds since 1970.
pub(crate) fn time_limit(deadline: u64) -> Timestamp {
    Timestamp(deadline).minus_ms(RESERVE_MS)
}

/// Notes mail that came back, or does everything that is due.
pub(crate) async fn handle<P: MailPorts>(ports: &P, event: &Value, until: Timestamp) -> Result<Value, Error> {
    if event["source"] == "aws.ses" {
        return came_back(ports, &event["detail"]).await;
    }
    // An incident's event handles that incident alone: in a flood, each event would otherwise handle all of them.
    let of_incident = event["source"] == "tandem.incident";
    let incident = event["detail"]["incident"].as_str().filter(|_| of_incident);
    let ticked = match incident.and_then(|id| id.parse::<IncidentId>().ok()) {
        Some(incident) => tick_one(ports, incident, until).await,
        None => tick(ports, until).await,
    };
    let ticked = ticked.map_err(|error| {
        tracing::error!(%error, "could not evaluate some rules");
        error
    })?;
    tell(&ticked, incident.is_none());
    Ok(json!({ "maps": ticked.maps, "opened": ticked.opened, "mails": ticked.mails, "recovered": ticked.recovered }))
}

/// What is counted of a run. `whole`: everything that was due was looked at.
fn tell(ticked: &TickCounts, whole: bool) {
    tracing::info!(
        maps = ticked.maps,
        opened = ticked.opened,
        incidents = ticked.incidents,
        mails = ticked.mails,
        mails_failed = ticked.mails_failed,
        recovered = ticked.recovered,
        left = ticked.left,
        "evaluated"
    );
    let mut metrics = Metrics::of(&[])
        .add("Mails", ticked.mails, Unit::Count)
        .add("MailsFailed", ticked.mails_failed, Unit::Count)
        .add("NotEvaluated", ticked.left, Unit::Count);
    if whole {
        metrics =
            metrics.add("OpenIncidents", ticked.incidents, Unit::Count).add("NoisyMaps", ticked.maps, Unit::Count);
    }
    metrics.emit();
    if ticked.opened > 0 {
        Metrics::of(&[]).add("Incidents", ticked.opened, Unit::Count).emit();
    }
    for ms in &ticked.paused_after_ms {
        Metrics::of(&[]).add("ErrorToPause", *ms, Unit::Milliseconds).emit();
    }
}

/// A bounce or complaint, as SES publishes it: <https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-contents.html>.
///
/// Of whatever kind a bounce is, nobody has read the mail: SES tells of a transient one (a full mailbox) when it has given
/// up, or when somebody's absence note came back. But the next mail may be read, so an address is flagged for permanent
/// ones alone.
async fn came_back<P: MailPorts>(ports: &P, detail: &Value) -> Result<Value, Error> {
    let kind = detail["eventType"].as_str().unwrap_or_default();
    let bounce = &detail["bounce"];
    let (recipients, says, lasting) = match kind {
        "Bounce" => {
            let (kind, why) =
                (bounce["bounceType"].as_str(), bounce["bounceSubType"].as_str().unwrap_or("Undetermined"));
            match kind {
                Some("Permanent") => (&bounce["bouncedRecipients"], format!("bounced: {why}"), true),
                _ => (&bounce["bouncedRecipients"], format!("bounced for the time being: {why}"), false),
            }
        }
        "Complaint" => {
            (&detail["complaint"]["complainedRecipients"], "the recipient complained about it".to_owned(), true)
        }
        _ => return Ok(json!({ "bounced": 0, "flagged": 0 })),
    };
    let incident = detail["mail"]["tags"]["incident"][0].as_str().and_then(|id| id.parse::<IncidentId>().ok());
    let message_id = detail["mail"]["messageId"].as_str().unwrap_or_default();
    let (mut back, mut flagged) = (0, 0);
    for recipient in recipients.as_array().into_iter().flatten() {
        let Some(to) = recipient["emailAddress"].as_str().and_then(|text| text.parse::<Address>().ok()) else {
            tracing::warn!(kind, "could not parse an address that the mail service names; it is not flagged");
            continue;
        };
        let mail = CameBack { to, message_id: message_id.to_owned(), says: says.clone(), lasting };
        bounced(ports, &mail, incident).await?;
        back += 1;
        flagged += u64::from(lasting);
    }
    tracing::warn!(kind, bounced = back, flagged, "a mail bounced");
    Metrics::of(&[]).add("MailsBounced", back, Unit::Count).emit();
    Ok(json!({ "bounced": back, "flagged": flagged }))
}
