//! When the records of a map are compared without anybody asking for it.

use jiff::{ToSpan, civil, tz::TimeZone};
use serde::{Deserialize, Serialize};

use crate::{mapping::Zone, side::Mistake, time::Timestamp};

/// Longest time between two reconciles, in hours.
const MAX_HOURS: u64 = 7 * 24;
const HOUR_MS: u64 = 60 * 60 * 1_000;
/// How long after its time a reconcile still starts, in milliseconds. One that is missed by more waits for its next time.
pub const STARTS_WITHIN_MS: u64 = HOUR_MS;

/// When a map is reconciled by itself: every so many hours, or at a time of each day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReconcileSchedule {
    /// `6h`, `1d`: whole hours or days, counted from midnight in UTC of 1 January 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub every: Option<String>,
    /// `03:00`: a time of each day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
    /// The zone of `at`. Without: UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<Zone>,
}

impl ReconcileSchedule {
    /// Every mistake in it, each with the field it is in.
    #[must_use]
    pub fn mistakes(&self) -> Vec<Mistake> {
        let mistake = |field: &str, message: &str| {
            vec![Mistake { field: format!("reconcile{field}"), message: message.to_owned() }]
        };
        match (&self.every, &self.at) {
            (None, None) | (Some(_), Some(_)) => mistake("", "must have either `every` or `at`"),
            (Some(_), None) if self.time_zone.is_some() => mistake(".time_zone", "goes with `at`"),
            (Some(every), None) if read_hours(every).is_none() => {
                mistake(".every", "must be whole hours or days, from 1h to 7d, such as 6h")
            }
            (None, Some(at)) if read_time(at).is_none() => mistake(".at", "must be a time of the day, such as 03:00"),
            (Some(_), None) | (None, Some(_)) => Vec::new(),
        }
    }

    /// The first time after `now` at which a reconcile is due.
    #[must_use]
    pub fn next_due(&self, now: Timestamp) -> Option<Timestamp> {
        self.times_around(now).into_iter().find(|due| *due > now)
    }

    /// The last time up to `now` at which a reconcile was due, if it may still start.
    #[must_use]
    pub fn due_now(&self, now: Timestamp) -> Option<Timestamp> {
        let last = self.times_around(now).into_iter().rfind(|due| *due <= now);
        last.filter(|due| now.ms_since(*due) < STARTS_WITHIN_MS)
    }

    /// In words.
    #[must_use]
    pub fn describe(&self) -> String {
        match (&self.every, &self.at, &self.time_zone) {
            (Some(every), ..) => format!("every {every}"),
            (None, Some(at), Some(zone)) => format!("daily at {at}, {}", String::from(zone.clone())),
            (None, at, _) => format!("daily at {}, UTC", at.as_deref().unwrap_or("?")),
        }
    }

    /// Times at which it is due, at least one before and one after `now`, the earliest first.
    fn times_around(&self, now: Timestamp) -> Vec<Timestamp> {
        if let Some(hours) = self.every.as_deref().and_then(read_hours) {
            let last = now.0 / (hours * HOUR_MS);
            return [last, last + 1].map(|n| Timestamp(n * hours * HOUR_MS)).to_vec();
        }
        let Some(time) = self.at.as_deref().and_then(read_time) else { return Vec::new() };
        let at = i64::try_from(now.0).ok().and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
        let Some(utc) = at.map(|at| TimeZone::UTC.to_datetime(at)) else { return Vec::new() };
        let today = self.time_zone.as_ref().map_or(utc, |zone| zone.to_local(utc)).date();
        let days = (-1..=2).filter_map(|n| today.checked_add(n.days()).ok());
        days.filter_map(|day| self.time_on(day, time)).collect()
    }

    fn time_on(&self, day: civil::Date, time: civil::Time) -> Option<Timestamp> {
        let local = day.to_datetime(time);
        let utc = self.time_zone.as_ref().map_or(local, |zone| zone.to_utc(local));
        let at = TimeZone::UTC.to_timestamp(utc).ok()?;
        u64::try_from(at.as_millisecond()).ok().map(Timestamp)
    }
}

fn read_hours(text: &str) -> Option<u64> {
    let (number, hours) = match text.strip_suffix('h') {
        Some(number) => (number, 1),
        None => (text.strip_suffix('d')?, 24),
    };
    let is_plain = !number.is_empty() && number.len() <= 3 && number.bytes().all(|byte| byte.is_ascii_digit());
    let hours = number.parse::<u64>().ok().filter(|_| is_plain)? * hours;
    (1..=MAX_HOURS).contains(&hours).then_some(hours)
}

fn read_time(text: &str) -> Option<civil::Time> {
    let (hour, minute) = text.split_once(':')?;
    let read =
        |part: &str| part.parse::<i8>().ok().filter(|_| part.len() == 2 && part.bytes().all(|b| b.is_ascii_digit()));
    civil::Time::new(read(hour)?, read(minute)?, 0, 0).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schedule(json: serde_json::Value) -> ReconcileSchedule {
        serde_json::from_value(json).unwrap()
    }

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    #[test]
    fn a_time_of_the_day_is_that_of_the_zone_whatever_the_season_is() {
        let vienna = schedule(serde_json::json!({"at": "02:30", "time_zone": "Europe/Vienna"}));
        let utc = schedule(serde_json::json!({"at": "00:00"}));
        for (schedule, now, last, next) in [
            (&vienna, "2026-11-28T01:29:59.999Z", "2026-11-27T01:30:00Z", "2026-11-28T01:30:00Z"),
            (&vienna, "2026-11-28T01:30:00Z", "2026-11-28T01:30:00Z", "2026-11-29T01:30:00Z"),
            (&vienna, "2026-07-01T23:59:00Z", "2026-07-01T00:30:00Z", "2026-07-02T00:30:00Z"),
            // Clocks leave 02:30 out on this day, and show it twice on the other.
            (&vienna, "2026-03-29T01:00:00Z", "2026-03-28T01:30:00Z", "2026-03-29T01:30:00Z"),
            (&vienna, "2026-10-25T00:30:00Z", "2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"),
            (&vienna, "2026-10-25T01:30:00Z", "2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"),
            (&utc, "2026-11-28T00:00:00Z", "2026-11-28T00:00:00Z", "2026-11-29T00:00:00Z"),
            (
                &schedule(serde_json::json!({"every": "6h"})),
                "2026-11-28T07:00:00Z",
                "2026-11-28T06:00:00Z",
                "2026-11-28T12:00:00Z",
            ),
            (
                &schedule(serde_json::json!({"every": "1d"})),
                "2026-11-28T23:59:00Z",
                "2026-11-28T00:00:00Z",
                "2026-11-29T00:00:00Z",
            ),
        ] {
            let (now, last) = (at(now), at(last));
            assert_eq!(schedule.next_due(now), Some(at(next)), "{now}");
            assert_eq!(schedule.due_now(now), Some(last).filter(|due| now.ms_since(*due) < STARTS_WITHIN_MS), "{now}");
            assert_eq!(schedule.due_now(last), Some(last));
            assert_eq!(schedule.due_now(last.plus_ms(STARTS_WITHIN_MS - 1)), Some(last));
        }
        assert_eq!(utc.due_now(at("2026-11-28T01:00:00Z")), None, "it is missed");
    }

    #[test]
    fn every_day_has_one_time_in_every_zone() {
        for zone in ["Europe/Vienna", "America/New_York", "Pacific/Kiritimati", "Pacific/Niue", "Asia/Kathmandu"] {
            let daily = schedule(serde_json::json!({"at": "02:30", "time_zone": zone}));
            let mut now = at("2026-01-01T00:00:00Z");
            for _ in 0..365 {
                let next = daily.next_due(now).unwrap();
                assert!(next > now && next.ms_since(now) <= 25 * HOUR_MS + HOUR_MS, "{zone} {now} {next}");
                now = next;
            }
            let days = now.ms_since(at("2026-01-01T00:00:00Z")) / (24 * HOUR_MS);
            assert!((364..=366).contains(&days), "{zone}: {days}");
        }
    }

    #[test]
    fn mistakes_in_a_schedule_are_named_with_their_fields() {
        for (json, field) in [
            (serde_json::json!({}), "reconcile"),
            (serde_json::json!({"every": "6h", "at": "03:00"}), "reconcile"),
            (serde_json::json!({"every": "6h", "time_zone": "Europe/Vienna"}), "reconcile.time_zone"),
            (serde_json::json!({"every": "0h"}), "reconcile.every"),
            (serde_json::json!({"every": "8d"}), "reconcile.every"),
            (serde_json::json!({"every": "30m"}), "reconcile.every"),
            (serde_json::json!({"every": "+6h"}), "reconcile.every"),
            (serde_json::json!({"at": "24:00"}), "reconcile.at"),
            (serde_json::json!({"at": "3:00"}), "reconcile.at"),
            (serde_json::json!({"at": "+3:00"}), "reconcile.at"),
            (serde_json::json!({"at": "03:60"}), "reconcile.at"),
        ] {
            let wrong = schedule(json);
            let found: Vec<_> = wrong.mistakes().into_iter().map(|mistake| mistake.field).collect();
            assert_eq!(found, [field], "{wrong:?}");
        }
        for json in [
            serde_json::json!({"every": "1h"}),
            serde_json::json!({"every": "168h"}),
            serde_json::json!({"every": "7d"}),
            serde_json::json!({"at": "23:59", "time_zone": "Europe/Vienna"}),
        ] {
            assert_eq!(schedule(json).mistakes(), Vec::new());
        }
    }

    #[test]
    fn a_schedule_is_told_in_words() {
        for (json, words) in [
            (serde_json::json!({"every": "6h"}), "every 6h"),
            (serde_json::json!({"at": "03:00"}), "daily at 03:00, UTC"),
            (serde_json::json!({"at": "03:00", "time_zone": "europe/vienna"}), "daily at 03:00, Europe/Vienna"),
        ] {
            assert_eq!(schedule(json).describe(), words);
        }
    }
}
