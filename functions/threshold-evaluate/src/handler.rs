//! Parse, one call, answer.

use app::{
    alerts::{bounced, tick},
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
    let ticked = tick(ports, until).await.map_err(|error| {
        tracing::error!(%error, "rules could not be judged");
        error
    })?;
    tracing::info!(
        maps = ticked.maps,
        opened = ticked.opened,
        incidents = ticked.incidents,
        mails = ticked.mails,
        recovered = ticked.recovered,
        "evaluated"
    );
    Metrics::of(&[])
        .add("OpenIncidents", ticked.incidents, Unit::Count)
        .add("NoisyMaps", ticked.maps, Unit::Count)
        .add("Mails", ticked.mails, Unit::Count)
        .emit();
    Ok(json!({ "maps": ticked.maps, "opened": ticked.opened, "mails": ticked.mails, "recovered": ticked.recovered }))
}

/// A bounce or complaint, as SES publishes it: <https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-contents.html>.
async fn came_back<P: MailPorts>(ports: &P, detail: &Value) -> Result<Value, Error> {
    let kind = detail["eventType"].as_str().unwrap_or_default();
    let (recipients, says) = match kind {
        // A transient bounce, like a full mailbox, says nothing of the next mail.
        "Bounce" if detail["bounce"]["bounceType"] == "Permanent" => {
            let recipients = &detail["bounce"]["bouncedRecipients"];
            (recipients, format!("bounced: {}", detail["bounce"]["bounceSubType"].as_str().unwrap_or("permanently")))
        }
        "Complaint" => (&detail["complaint"]["complainedRecipients"], "the recipient complained about it".to_owned()),
        _ => return Ok(json!({ "flagged": 0 })),
    };
    let incident = detail["mail"]["tags"]["incident"][0].as_str().and_then(|id| id.parse::<IncidentId>().ok());
    let mut flagged = 0;
    for recipient in recipients.as_array().into_iter().flatten() {
        let Some(address) = recipient["emailAddress"].as_str().and_then(|text| text.parse::<Address>().ok()) else {
            tracing::warn!(kind, "the mail service names an address that cannot be read");
            continue;
        };
        bounced(ports, &address, &says, incident).await?;
        flagged += 1;
    }
    tracing::warn!(kind, flagged, "mail came back");
    Ok(json!({ "flagged": flagged }))
}
