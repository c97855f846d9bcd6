//! To whom a notice goes, and what became of each of its mails. Nothing here asks anybody.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    Timestamp,
    rule::{Address, Delivery, Incident, MAX_RECIPIENTS, Notice, NoticeKind, Sent},
};

/// After so many tries in vain, a minute and a half, the fallback is told, though the mail is tried on: what the mail service
/// refuses thrice (a sender that is not verified, an account that is paused) waits for an operator, and nobody knows yet.
const TRIES_ALONE: u32 = 3;

/// What decides to whom a notice goes.
pub(super) struct Settings {
    /// The members of each group, as they are now.
    pub(super) groups: BTreeMap<String, BTreeSet<Address>>,
    /// Addresses from which mail came back, and what was said.
    pub(super) flagged: BTreeMap<Address, String>,
}

/// A mail that came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CameBack {
    /// From whom.
    pub to: Address,
    /// The mail service's id of it.
    pub message_id: String,
    /// Why.
    pub says: String,
    /// Whether the next one would, too: the address gets nothing until an operator says so.
    pub lasting: bool,
}

/// A notice, to whom it goes, and how far that is.
pub(super) type One = (Notice, Address, Sent);

impl Settings {
    fn fresh(&self, to: Address, now: Timestamp) -> Delivery {
        let sent = match self.flagged.get(&to) {
            Some(why) => {
                let says = format!(
                    "mail to this address bounced before ({why}). When the cause is fixed, call DELETE /mail/flagged/{to} to send to it again"
                );
                Sent::Failed { at: now, says }
            }
            None => Sent::Waiting { not_before: Timestamp(0), tries: 0, says: None },
        };
        Delivery { to, sent }
    }
}

/// Decides to whom notices go that were not addressed yet.
pub(super) fn address(incident: &mut Incident, settings: &Settings, now: Timestamp) {
    let members = incident.config.groups.iter().filter_map(|group| settings.groups.get(group.as_str())).flatten();
    let all: BTreeSet<_> = incident.config.recipients.iter().chain(members).cloned().collect();
    for notice in incident.notices.iter_mut().filter(|notice| notice.to.is_none()) {
        let fresh = |to: &Address| settings.fresh(to.clone(), now);
        notice.to = Some(all.iter().take(MAX_RECIPIENTS).map(fresh).collect());
    }
    fall_back(incident, settings, now);
}

/// When nobody of a notice can be told, the rule's fallback is; of what is over, only that it is.
pub(super) fn fall_back(incident: &mut Incident, settings: &Settings, now: Timestamp) {
    let Some(fallback) = incident.config.fallback.clone() else { return };
    let over = incident.recovered.is_some();
    let lost = |delivery: &Delivery| match delivery.sent {
        Sent::Failed { .. } | Sent::Bounced { .. } => true,
        Sent::Waiting { tries, .. } => tries >= TRIES_ALONE,
        Sent::Taken { .. } => false,
    };
    let told = incident.notices.iter_mut().filter(|notice| !over || notice.kind == NoticeKind::Recovered);
    for to in told.filter_map(|notice| notice.to.as_mut()) {
        if to.iter().all(lost) && to.iter().all(|delivery| delivery.to != fallback) {
            to.push(settings.fresh(fallback.clone(), now));
        }
    }
}

/// What is to be sent now: which notice, to whom, and how often it was tried.
pub(super) fn due(incident: &Incident, now: Timestamp) -> Vec<(Notice, Address, u32)> {
    let mut due = Vec::new();
    for notice in &incident.notices {
        for delivery in notice.to.iter().flatten() {
            match delivery.sent {
                Sent::Waiting { not_before, tries, .. } if not_before <= now => {
                    due.push((notice.clone(), delivery.to.clone(), tries));
                }
                _ => {}
            }
        }
    }
    due
}

/// Notes what became of a mail. One that came back in the meantime stays so.
pub(super) fn settle(incident: &mut Incident, notice: &Notice, to: &Address, sent: &Sent) {
    let same = |known: &&mut Notice| known.kind == notice.kind && known.at == notice.at;
    let Some(known) = incident.notices.iter_mut().find(same) else { return };
    for delivery in known.to.iter_mut().flatten().filter(|delivery| delivery.to == *to) {
        if matches!(delivery.sent, Sent::Waiting { .. }) {
            delivery.sent = sent.clone();
        }
    }
}

/// Notes that a mail came back: that one, and no other to the same person. Whether it is one of this incident's.
///
/// While somebody is sending, it may have been taken a moment ago without being noted yet: then it is what still waits.
pub(super) fn came_back(incident: &mut Incident, back: &CameBack, now: Timestamp) -> bool {
    let sending = incident.sending_until > now;
    let mut to_them: Vec<&mut Delivery> =
        incident.notices.iter_mut().filter_map(|notice| notice.to.as_mut()).flatten().collect();
    to_them.retain(|delivery| delivery.to == back.to);
    let that = |sent: &Sent| matches!(sent, Sent::Taken { message_id, .. } if *message_id == back.message_id);
    let known = to_them.iter().any(|delivery| that(&delivery.sent));
    let mut noted = false;
    for delivery in to_them {
        if that(&delivery.sent) || !known && sending && matches!(delivery.sent, Sent::Waiting { .. }) {
            delivery.sent = Sent::Bounced { at: now, says: back.says.clone() };
            noted = true;
        }
    }
    noted
}
