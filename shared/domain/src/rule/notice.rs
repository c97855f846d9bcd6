//! Who is told what of an incident, and how far each mail is.

use serde::{Deserialize, Serialize};

use super::{Address, Incident};
use crate::time::Timestamp;

/// Notices that an incident keeps.
const MAX_NOTICES: usize = 12;

/// Something that people are told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// What.
    pub kind: NoticeKind,
    /// Since when.
    pub at: Timestamp,
    /// To whom; `None`: not decided yet.
    pub to: Option<Vec<Delivery>>,
}

/// What people are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoticeKind {
    /// The threshold was reached.
    Opened,
    /// It was reached again before the incident was over.
    Again,
    /// Nobody has acknowledged it.
    Reminder,
    /// It is over.
    Recovered,
}

impl NoticeKind {
    /// Its name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::Again => "again",
            Self::Reminder => "reminder",
            Self::Recovered => "recovered",
        }
    }
}

/// One mail to one person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    /// To whom.
    pub to: Address,
    /// How far it is.
    pub sent: Sent,
}

/// How far a mail is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Sent {
    /// It is still to be sent.
    Waiting {
        /// Not before this time.
        not_before: Timestamp,
        /// Tries so far.
        tries: u32,
        /// Why the last one failed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        says: Option<String>,
    },
    /// The mail service took it.
    Taken {
        /// When.
        at: Timestamp,
        /// The mail service's id of it.
        message_id: String,
    },
    /// It cannot be sent.
    Failed {
        /// When that was clear.
        at: Timestamp,
        /// Why.
        says: String,
    },
    /// It was taken and came back, or its recipient complained about it.
    Bounced {
        /// When.
        at: Timestamp,
        /// Why.
        says: String,
    },
}

impl Notice {
    /// Whether nothing of it is left to be sent.
    fn is_settled(&self) -> bool {
        let waits = |delivery: &Delivery| matches!(delivery.sent, Sent::Waiting { .. });
        self.to.as_ref().is_some_and(|to| !to.iter().any(waits))
    }
}

impl Incident {
    /// People are to be told.
    pub fn tell(&mut self, kind: NoticeKind, now: Timestamp) {
        if self.notices.len() >= MAX_NOTICES {
            self.notices.remove(self.least());
        }
        self.notices.push(Notice { kind, at: now, to: None });
    }

    /// The notice that is missed least when there are too many: a reminder, the oldest, and one that is still to be sent
    /// only if all are. The first notice stays.
    fn least(&self) -> usize {
        let others = || self.notices.iter().enumerate().skip(1);
        let reminder = |notice: &Notice| notice.kind == NoticeKind::Reminder;
        let settled = others().find(|(_, notice)| reminder(notice) && notice.is_settled());
        let settled = settled.or_else(|| others().find(|(_, notice)| notice.is_settled()));
        let any = settled.or_else(|| others().find(|(_, notice)| reminder(notice)));
        any.map_or(1, |(at, _)| at)
    }

    /// Whether people are to be reminded now.
    #[must_use]
    pub fn reminds(&self, now: Timestamp) -> bool {
        let Some(minutes) = self.config.reminder_minutes else { return false };
        let last = self.notices.last().map_or(self.opened_at, |notice| notice.at);
        self.recovered.is_none() && self.acknowledged.is_none() && now.ms_since(last) >= u64::from(minutes) * 60_000
    }

    /// Whether a mail of it is to be sent now.
    #[must_use]
    pub fn mail_waits(&self, now: Timestamp) -> bool {
        let due = |delivery: &Delivery| matches!(delivery.sent, Sent::Waiting { not_before, .. } if not_before <= now);
        self.notices.iter().any(|notice| notice.to.as_ref().is_none_or(|to| to.iter().any(due)))
    }

    /// Whether any mail of it is not settled.
    #[must_use]
    pub fn mail_pending(&self) -> bool {
        self.mail_waits(Timestamp::NEVER)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        id::{IncidentId, LogId, MapUid},
        map::Map,
        mapping::tests::customers,
        rule::{Breach, Rule, tests::rule},
    };

    fn incident() -> Incident {
        let map = Map::new("customers".parse().unwrap(), MapUid(1), customers(), "kim", Timestamp(1));
        let (actor, changed_at) = ("kim".to_owned(), Timestamp(0));
        let rule = Rule { id: "r".parse().unwrap(), config: rule(1, 1), version: 1, actor, changed_at };
        let breach = Breach { first_at: Timestamp(1), last_at: Timestamp(1), errors: vec![LogId(1)] };
        Incident::open(IncidentId(1), &rule, &map, &breach, &[], Timestamp(1))
    }

    fn settle(notice: &mut Notice) {
        let sent = Sent::Taken { at: Timestamp(9), message_id: "m".to_owned() };
        notice.to = Some(vec![Delivery { to: "kim@example.com".parse().unwrap(), sent }]);
    }

    #[test]
    fn people_are_reminded_until_somebody_has_seen_it_or_it_is_over() {
        let minute = Timestamp(1).plus_ms(60_000);
        assert!(!incident().reminds(Timestamp::NEVER), "the rule does not ask for it");
        let mut one = incident();
        one.config.reminder_minutes = Some(1);
        assert!(one.reminds(minute) && !one.reminds(minute.minus_ms(1)));
        one.tell(NoticeKind::Reminder, minute);
        assert!(!one.reminds(minute) && one.reminds(minute.plus_ms(60_000)));
        let none = Incident { notices: Vec::new(), ..one.clone() };
        assert!(none.reminds(minute), "since it was opened");
        let by = crate::lane::Attribution { actor: "kim".to_owned(), at: minute, reason: String::new() };
        assert!(!one.acknowledged(by).reminds(Timestamp::NEVER));
        assert!(!one.recovered(crate::rule::Ending::Quiet, minute).reminds(Timestamp::NEVER));
    }

    #[test]
    fn a_mail_waits_until_it_is_due_and_is_pending_until_it_is_settled() {
        let mut one = incident();
        assert!(one.mail_waits(Timestamp(0)), "its recipients are not known yet");
        let sent = Sent::Waiting { not_before: Timestamp(9), tries: 1, says: None };
        one.notices[0].to = Some(vec![Delivery { to: "kim@example.com".parse().unwrap(), sent }]);
        assert!(!one.mail_waits(Timestamp(8)) && one.mail_waits(Timestamp(9)) && one.mail_pending());
        settle(&mut one.notices[0]);
        assert!(!one.mail_pending());
    }

    #[test]
    fn a_kind_has_one_name() {
        use NoticeKind::{Again, Opened, Recovered, Reminder};
        for kind in [Opened, Again, Reminder, Recovered] {
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
        }
    }

    #[test]
    fn of_too_many_notices_the_one_that_is_settled_goes_first() {
        let mut one = incident();
        for n in 1..MAX_NOTICES as u64 {
            one.tell(if n == 5 { NoticeKind::Again } else { NoticeKind::Reminder }, Timestamp(n + 1));
        }
        settle(&mut one.notices[0]);
        let mut after = |settled: &[usize]| {
            settled.iter().for_each(|at| settle(&mut one.notices[*at]));
            let before: Vec<_> = one.notices.iter().map(|notice| notice.at).collect();
            one.tell(NoticeKind::Recovered, Timestamp(99));
            let gone = before.iter().position(|at| !one.notices.iter().any(|notice| notice.at == *at));
            assert_eq!((one.notices.len(), one.notices[0].kind), (MAX_NOTICES, NoticeKind::Opened));
            gone
        };
        assert_eq!(after(&[5, 7]), Some(7), "a reminder that was sent");
        assert_eq!(after(&[]), Some(5), "then another one that was sent");
        assert_eq!(after(&[]), Some(1), "then the oldest reminder");
    }
}
