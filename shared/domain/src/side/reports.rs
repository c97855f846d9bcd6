//! What the reports of a side tell of Tandem's own writes: whether `reports_own_writes` says what the app does.

use crate::time::Timestamp;

/// So many notes that the app took a record, without the report of a write of Tandem between them, are no accident: a function
/// makes one every 20 s at most, so they stand for as many writes or more.
const MANY_UNREPORTED: u32 = 50;
/// The shortest time from the first of these notes to a report of the app's own, in milliseconds: reports are sent, but triggers
/// may be minutes late, and functions note what they see up to 20 s late.
const UNREPORTED_FOR_MS: u64 = 10 * 60 * 1_000;

/// What is known of a side's reports.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reports {
    /// When a report last had exactly what Tandem had just written there.
    pub echoed_at: Option<Timestamp>,
    /// When a report last had a change of the app's own.
    pub changed_at: Option<Timestamp>,
    /// How often it was noted since `echoed_at` that the app took a record.
    pub unreported: u32,
    /// When that was first.
    pub unreported_from: Option<Timestamp>,
}

impl Reports {
    /// Notes a report.
    pub fn note(&mut self, is_own: bool, at: Timestamp) {
        if is_own {
            (self.echoed_at, self.unreported, self.unreported_from) = (Some(at), 0, None);
        } else {
            self.changed_at = Some(at);
        }
    }

    /// Notes that the app took a record.
    pub fn note_taken(&mut self, at: Timestamp) {
        self.unreported = self.unreported.saturating_add(1);
        self.unreported_from.get_or_insert(at);
    }

    /// What contradicts the setting `reports_own_writes`, for people.
    #[must_use]
    pub fn contradiction(&self, reports_own_writes: bool) -> Option<String> {
        let is_silent = self.unreported >= MANY_UNREPORTED;
        match (reports_own_writes, self.echoed_at) {
            (true, _) if is_silent => {
                let (from, changed) = self.unreported_from.zip(self.changed_at)?;
                let says = format!(
                    "since {from} it has reported none of the writes of Tandem, though it reported a change at {changed}"
                );
                (changed >= from.plus_ms(UNREPORTED_FOR_MS)).then_some(says)
            }
            (false, Some(at)) if !is_silent => Some(format!("at {at} it reported what Tandem had just written")),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn minutes(count: u64) -> Timestamp {
        Timestamp(1_795_428_000_000).plus_ms(count * 60_000)
    }

    /// So many notes, one each minute from minute 1 on; then a change of a user, at this minute.
    fn silent(notes: u32, changed: Option<u64>) -> Reports {
        let mut reports = Reports::default();
        (1..=u64::from(notes)).for_each(|minute| reports.note_taken(minutes(minute)));
        if let Some(minute) = changed {
            reports.note(false, minutes(minute));
        }
        reports
    }

    #[test]
    fn a_side_that_says_it_reports_is_doubted_when_it_reports_users_and_none_of_many_writes() {
        let told = silent(50, Some(11)).contradiction(true).unwrap();
        assert!(
            told.contains("since 2026-11-23T10:01:00Z") && told.contains("a change at 2026-11-23T10:11:00Z"),
            "{told}"
        );
        assert_eq!(silent(49, Some(11)).contradiction(true), None, "too few");
        assert_eq!(silent(50, Some(10)).contradiction(true), None, "too soon");
        assert_eq!(silent(50, None).contradiction(true), None, "its trigger may be off");
        let mut echoed = silent(50, Some(11));
        echoed.note(true, minutes(60));
        assert_eq!(echoed.contradiction(true), None);
        assert_eq!(silent(50, Some(11)).contradiction(false), None, "as it says");
    }

    #[test]
    fn a_side_that_says_it_does_not_report_is_doubted_when_it_reports_a_write_and_no_more_when_many_followed() {
        let mut reports = silent(7, Some(11));
        assert_eq!(reports.contradiction(false), None);
        reports.note(true, minutes(60));
        assert_eq!(
            reports.contradiction(false).unwrap(),
            "at 2026-11-23T11:00:00Z it reported what Tandem had just written"
        );
        assert_eq!(reports.contradiction(true), None, "as it says");
        (0..50).for_each(|_| reports.note_taken(minutes(61)));
        assert_eq!(reports.contradiction(false), None, "the app was changed meanwhile");
    }
}
