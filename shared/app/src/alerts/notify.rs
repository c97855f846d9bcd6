//! Telling people: one mail to each, at least once, without holding anything up.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    IncidentId, Timestamp,
    rule::{Address, Delivery, Incident, MAX_RECIPIENTS, Notice, Sent},
};
use futures::{FutureExt, StreamExt, future::BoxFuture, stream};

use super::{alone, change, mail};
use crate::ports::{AlertPorts, Alerts, Flagged, MailError, MailPorts, Mailer, PortError};

/// Who has claimed an incident's mails has them for so long; after a crash somebody else sends them, perhaps again.
const CLAIM_MS: u64 = 90_000;
/// Mails sent at the same time. A new SES account may send 14 a second.
const AT_ONCE: usize = 5;
/// Tries of one mail before it is given up: over about two hours.
const MAX_TRIES: u32 = 10;
/// The first wait before another try; it doubles, up to half an hour.
const FIRST_WAIT_MS: u64 = 30_000;
const LONGEST_WAIT_MS: u64 = 30 * 60_000;

/// Sends what is to be sent of an incident; how many mails were taken.
///
/// # Errors
/// The store cannot be reached. Mails that were sent may be sent again.
pub async fn notify<P: MailPorts>(ports: &P, incident: &Incident) -> Result<u64, PortError> {
    let now = ports.now();
    if !incident.mail_waits(now) || incident.sending_until > now {
        return Ok(0);
    }
    let (groups, flagged) = (groups(ports).await?, flagged(ports).await?);
    let claimed = change(ports, incident.id, |read| {
        (read.mail_waits(now) && read.sending_until <= now).then(|| {
            let mut next = read.clone();
            next.version += 1;
            next.sending_until = now.plus_ms(CLAIM_MS);
            address(&mut next, &groups, &flagged, now);
            alone(next)
        })
    });
    let Some(claimed) = claimed.await? else { return Ok(0) };
    let sent = send_all(ports, &claimed, now).await;
    let taken = sent.iter().filter(|(.., sent)| matches!(sent, Sent::Taken { .. })).count() as u64;
    change(ports, incident.id, |read| {
        let mut next = read.clone();
        next.version += 1;
        next.sending_until = Timestamp(0);
        for (notice, to, sent) in &sent {
            settle(&mut next, notice, to, sent);
        }
        fall_back(&mut next);
        Some(alone(next))
    })
    .await?;
    Ok(taken)
}

/// Mails that the mail service could not deliver: those that it had taken came back.
///
/// # Errors
/// The store cannot be reached.
pub async fn bounced<P: AlertPorts>(
    ports: &P,
    to: &Address,
    says: &str,
    incident: Option<IncidentId>,
) -> Result<(), PortError> {
    let now = ports.now();
    ports.alerts().flag(&Flagged { address: to.clone(), at: now, says: says.to_owned() }).await?;
    let Some(incident) = incident else { return Ok(()) };
    change(ports, incident, |read| {
        let mut next = read.clone();
        next.version += 1;
        for notice in &mut next.notices {
            for delivery in notice.to.iter_mut().flatten().filter(|delivery| delivery.to == *to) {
                delivery.sent = Sent::Bounced { at: now, says: says.to_owned() };
            }
        }
        fall_back(&mut next);
        Some(alone(next))
    })
    .await
    .map(drop)
}

async fn groups<P: AlertPorts>(ports: &P) -> Result<BTreeMap<String, BTreeSet<Address>>, PortError> {
    Ok(ports.alerts().groups().await?.into_iter().map(|group| (group.id.to_string(), group.members)).collect())
}

async fn flagged<P: AlertPorts>(ports: &P) -> Result<BTreeMap<Address, String>, PortError> {
    Ok(ports.alerts().flagged().await?.into_iter().map(|flagged| (flagged.address, flagged.says)).collect())
}

/// Decides to whom notices go that were not addressed yet. Groups are as they are now.
fn address(
    incident: &mut Incident,
    groups: &BTreeMap<String, BTreeSet<Address>>,
    flagged: &BTreeMap<Address, String>,
    now: Timestamp,
) {
    let members = incident.config.groups.iter().filter_map(|group| groups.get(group.as_str())).flatten();
    let all: BTreeSet<_> = incident.config.recipients.iter().chain(members).cloned().collect();
    let fresh = |to: Address| match flagged.get(&to) {
        Some(says) => {
            Delivery { sent: Sent::Failed { at: now, says: format!("mail to it came back before: {says}") }, to }
        }
        None => Delivery { to, sent: waiting() },
    };
    for notice in incident.notices.iter_mut().filter(|notice| notice.to.is_none()) {
        notice.to = Some(all.iter().take(MAX_RECIPIENTS).cloned().map(fresh).collect());
    }
    fall_back(incident);
}

fn waiting() -> Sent {
    Sent::Waiting { not_before: Timestamp(0), tries: 0, says: None }
}

/// When nobody of a notice can be told, the rule's fallback is.
fn fall_back(incident: &mut Incident) {
    let Some(fallback) = incident.config.fallback.clone() else { return };
    for to in incident.notices.iter_mut().filter_map(|notice| notice.to.as_mut()) {
        let lost = |delivery: &Delivery| matches!(delivery.sent, Sent::Failed { .. } | Sent::Bounced { .. });
        if to.iter().all(lost) && to.iter().all(|delivery| delivery.to != fallback) {
            to.push(Delivery { to: fallback.clone(), sent: waiting() });
        }
    }
}

type One = (Notice, Address, Sent);

async fn send_all<P: MailPorts>(ports: &P, incident: &Incident, now: Timestamp) -> Vec<One> {
    let depth = mail::depth(ports, incident).await;
    let mut sends: Vec<BoxFuture<'_, One>> = Vec::new();
    for notice in &incident.notices {
        for delivery in notice.to.iter().flatten() {
            if let Sent::Waiting { not_before, tries, .. } = delivery.sent
                && not_before <= now
            {
                sends.push(send(ports, incident, notice, &delivery.to, tries, depth).boxed());
            }
        }
    }
    stream::iter(sends).buffer_unordered(AT_ONCE).collect().await
}

async fn send<P: MailPorts>(
    ports: &P,
    incident: &Incident,
    notice: &Notice,
    to: &Address,
    tries: u32,
    depth: Option<u64>,
) -> One {
    let mail = mail::of_incident(incident, notice.kind, to, depth, ports.console_url());
    let sent = match ports.mailer().send(&mail).await {
        Ok(message_id) => Sent::Taken { at: ports.now(), message_id },
        Err(MailError::Later(says)) if tries + 1 < MAX_TRIES => {
            let wait = FIRST_WAIT_MS.saturating_mul(1 << tries.min(16)).min(LONGEST_WAIT_MS);
            Sent::Waiting { not_before: ports.now().plus_ms(wait), tries: tries + 1, says: Some(says) }
        }
        Err(MailError::Later(says) | MailError::Never(says)) => Sent::Failed { at: ports.now(), says },
    };
    if let Sent::Waiting { says: Some(says), .. } | Sent::Failed { says, .. } = &sent {
        tracing::error!(incident.id = %incident.id, mail.to = to.masked(), says, "a mail was not taken");
    }
    (notice.clone(), to.clone(), sent)
}

/// Notes what became of a mail. One that came back in the meantime stays so.
fn settle(incident: &mut Incident, notice: &Notice, to: &Address, sent: &Sent) {
    let same = |known: &&mut Notice| known.kind == notice.kind && known.at == notice.at;
    let Some(known) = incident.notices.iter_mut().find(same) else { return };
    for delivery in known.to.iter_mut().flatten().filter(|delivery| delivery.to == *to) {
        if matches!(delivery.sent, Sent::Waiting { .. }) {
            delivery.sent = sent.clone();
        }
    }
}
