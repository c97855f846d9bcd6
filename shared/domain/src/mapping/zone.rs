//! Time zones: for apps that store times of the clock on the wall.

use jiff::{
    civil,
    tz::{TimeZone, TimeZoneDatabase},
};
use serde::{Deserialize, Serialize};

/// A time zone by its IANA name, e.g. `Europe/Berlin`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Zone {
    name: String,
    rules: TimeZone,
}

impl TryFrom<String> for Zone {
    type Error = &'static str;
    fn try_from(name: String) -> Result<Self, Self::Error> {
        let rules = TimeZoneDatabase::bundled().get(&name);
        let rules = rules.map_err(|_| "must be the IANA name of a time zone, such as Europe/Berlin")?;
        Ok(Self { name: rules.iana_name().unwrap_or(&name).to_owned(), rules })
    }
}

impl From<Zone> for String {
    fn from(zone: Zone) -> String {
        zone.name
    }
}

impl Zone {
    /// The time in UTC at which clocks in the zone show `local`. In the hour that they show twice, the first; in the hour that they
    /// leave out, what they would show without the change.
    pub(crate) fn to_utc(&self, local: civil::DateTime) -> civil::DateTime {
        let at = || self.rules.to_ambiguous_timestamp(local).compatible().ok();
        let utc = if is_a_time(local) { at() } else { None };
        utc.map_or(local, |at| TimeZone::UTC.to_datetime(at))
    }

    /// What clocks in the zone show at a time in UTC.
    pub(crate) fn to_local(&self, utc: civil::DateTime) -> civil::DateTime {
        let at = if is_a_time(utc) { TimeZone::UTC.to_timestamp(utc).ok() } else { None };
        at.map_or(utc, |at| self.rules.to_datetime(at))
    }
}

/// Apps write "no date" and "for ever" as a time at the beginning or the end of their calendar. Those stay as they are written.
fn is_a_time(time: civil::DateTime) -> bool {
    (1901..=9998).contains(&time.year())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn zone(name: &str) -> Zone {
        name.to_owned().try_into().unwrap()
    }

    #[test]
    fn an_hour_that_clocks_show_twice_is_the_first_and_one_that_they_leave_out_is_shifted() {
        let (berlin, new_york) = (zone("Europe/Berlin"), zone("America/New_York"));
        for (zone, local, utc, back) in [
            (&berlin, "2026-11-23T11:00:00", "2026-11-23T10:00:00", "2026-11-23T11:00:00"),
            (&berlin, "2026-07-01T00:30:00.25", "2026-06-30T22:30:00.25", "2026-07-01T00:30:00.25"),
            (&berlin, "2026-10-25T02:30:00", "2026-10-25T00:30:00", "2026-10-25T02:30:00"), // twice
            (&berlin, "2026-03-29T02:30:00", "2026-03-29T01:30:00", "2026-03-29T03:30:00"), // never
            (&new_york, "2026-11-01T01:30:00", "2026-11-01T05:30:00", "2026-11-01T01:30:00"),
            (&new_york, "2026-03-08T02:30:00", "2026-03-08T07:30:00", "2026-03-08T03:30:00"),
            (&zone("Asia/Kathmandu"), "2026-11-23T05:45:00", "2026-11-23T00:00:00", "2026-11-23T05:45:00"),
            (&berlin, "0001-01-01T00:00:00", "0001-01-01T00:00:00", "0001-01-01T00:00:00"),
            (&berlin, "1900-01-01T00:00:00", "1900-01-01T00:00:00", "1900-01-01T00:00:00"),
            (&new_york, "9999-12-31T23:59:59", "9999-12-31T23:59:59", "9999-12-31T23:59:59"),
        ] {
            let told = zone.to_utc(local.parse().unwrap());
            assert_eq!(
                (told.to_string(), zone.to_local(told).to_string()),
                (utc.to_owned(), back.to_owned()),
                "{local}"
            );
        }
        // The second of the two hours is shown by the same clock.
        assert_eq!(berlin.to_local("2026-10-25T01:30:00".parse().unwrap()).to_string(), "2026-10-25T02:30:00");
    }

    #[test]
    fn a_zone_is_named_as_the_database_names_it() {
        assert_eq!(String::from(zone("europe/berlin")), "Europe/Berlin");
        for wrong in ["", "Berlin", "+01:00", "CET+1"] {
            assert!(Zone::try_from(wrong.to_owned()).is_err(), "{wrong}");
        }
    }
}
