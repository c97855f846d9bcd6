//! Notifying people: one mail to each, at least once, without holding anything up.

mod deliveries;

use domain::{
    IncidentId, Timestamp,
    rule::{Address, Incident, Notice, Sent},
};
use futures::future::join_all;

pub use self::deliveries::CameBack;
use self::deliveries::{One, Settings, address, came_back, due, fall_back, settle};
use super::{alone, change_incident, mail};
use crate::ports::{AlertPorts, Alerts, Flagged, MailError, MailPorts, Mailer, PortError};

/// A run's claim of an incident's mails lasts so long, counted from the last mail. After a crash another run sends them,
/// perhaps again.
const CLAIM_MS: u64 = 90_000;
/// Mails sent at the same time; what became of them is noted before the next ones are sent. A new SES account may send
/// 14 a second.
const AT_ONCE: usize = 5;
/// Tries of one mail before it is given up: over about two hours.
const MAX_TRIES: u32 = 10;
/// The first wait before another try; it doubles, up to half an hour.
const FIRST_WAIT_MS: u64 = 30_000;
const LONGEST_WAIT_MS: u64 = 30 * 60_000;

/// Mails that were tried.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MailCounts {
    /// The mail service took them.
    pub taken: u64,
    /// It did not.
    pub failed: u64,
}

/// Sends the mails of an incident that are due. It begins none after `until`: the next run goes on.
///
/// # Errors
/// The store cannot be reached. Mails that were sent may be sent again.
pub async fn notify<P: MailPorts>(ports: &P, incident: &Incident, until: Timestamp) -> Result<MailCounts, PortError> {
    let now = ports.now();
    if !incident.mail_waits(now) || incident.sending_until > now || now >= until {
        return Ok(MailCounts::default());
    }
    let settings = settings(ports).await?;
    let claimed = change_incident(ports, incident.id, |read| {
        (read.mail_waits(now) && read.sending_until <= now).then(|| {
            let mut next = read.clone();
            next.version += 1;
            address(&mut next, &settings, now);
            if !due(&next, now).is_empty() {
                next.sending_until = now.plus_ms(CLAIM_MS);
            }
            alone(next)
        })
    });
    let Some(claimed) = claimed.await? else { return Ok(MailCounts::default()) };
    send_all(ports, &claimed, &settings, now, until).await
}

async fn settings<P: AlertPorts>(ports: &P) -> Result<Settings, PortError> {
    let groups = ports.alerts().groups().await?.into_iter().map(|group| (group.id.to_string(), group.members));
    let flagged = ports.alerts().flagged().await?.into_iter().map(|flagged| (flagged.address, flagged.says));
    Ok(Settings { groups: groups.collect(), flagged: flagged.collect() })
}

/// Mail came back, or somebody complained about it.
///
/// # Errors
/// The store cannot be reached.
pub async fn bounced<P: AlertPorts>(ports: &P, back: &CameBack, incident: Option<IncidentId>) -> Result<(), PortError> {
    let now = ports.now();
    if back.lasting {
        let flagged = Flagged { address: back.to.clone(), at: now, says: back.says.clone() };
        ports.alerts().flag(&flagged).await?;
    }
    let Some(incident) = incident else { return Ok(()) };
    let settings = settings(ports).await?;
    change_incident(ports, incident, |read| {
        let mut next = read.clone();
        came_back(&mut next, back, now).then(|| {
            next.version += 1;
            fall_back(&mut next, &settings, now);
            alone(next)
        })
    })
    .await
    .map(drop)
}

/// Sends a few mails at a time, so that a slow mail service, or the end of the invocation, costs no more than those.
async fn send_all<P: MailPorts>(
    ports: &P,
    incident: &Incident,
    settings: &Settings,
    now: Timestamp,
    until: Timestamp,
) -> Result<MailCounts, PortError> {
    let mut counts = MailCounts::default();
    let due = due(incident, now);
    if due.is_empty() {
        return Ok(counts);
    }
    let situation = mail::Situation::of(ports, incident).await;
    let mut chunks = due.chunks(AT_ONCE).peekable();
    while let Some(chunk) = chunks.next() {
        let sends = chunk.iter().map(|(notice, to, tries)| send(ports, incident, notice, to, *tries, &situation));
        let sent = join_all(sends).await;
        let taken = sent.iter().filter(|(.., sent)| matches!(sent, Sent::Taken { .. })).count() as u64;
        counts.taken += taken;
        counts.failed += sent.len() as u64 - taken;
        let (now, last) = (ports.now(), chunks.peek().is_none());
        let over = last || now >= until;
        change_incident(ports, incident.id, |read| {
            let mut next = read.clone();
            next.version += 1;
            next.sending_until = if over { Timestamp(0) } else { now.plus_ms(CLAIM_MS) };
            for (notice, to, sent) in &sent {
                settle(&mut next, notice, to, sent);
            }
            fall_back(&mut next, settings, now);
            Some(alone(next))
        })
        .await?;
        if over {
            break;
        }
    }
    Ok(counts)
}

async fn send<P: MailPorts>(
    ports: &P,
    incident: &Incident,
    notice: &Notice,
    to: &Address,
    tries: u32,
    situation: &mail::Situation,
) -> One {
    let mail = mail::of_incident(incident, notice.kind, to, situation, mail::Links::of(ports));
    let sent = match ports.mailer().send(&mail).await {
        Ok(message_id) => Sent::Taken { at: ports.now(), message_id },
        Err(error) => {
            let again = matches!(error, MailError::Later(_)) && tries + 1 < MAX_TRIES;
            let refusal = error.refusal();
            // The words may name an address: they are on the incident, and not in the log.
            let (to, code) = (to.masked(), &refusal.code);
            tracing::error!(incident.id = %incident.id, mail.to = to, mail.code = code, tries, "could not send a mail; the incident says whether it is tried again");
            if again {
                let wait = FIRST_WAIT_MS.saturating_mul(1 << tries.min(16)).min(LONGEST_WAIT_MS);
                let not_before = ports.now().plus_ms(wait);
                Sent::Waiting { not_before, tries: tries + 1, says: Some(refusal.says) }
            } else {
                Sent::Failed { at: ports.now(), says: refusal.says }
            }
        }
    };
    (notice.clone(), to.clone(), sent)
}
