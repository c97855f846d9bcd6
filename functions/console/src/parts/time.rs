//! Times: absolute with the zone, as text that a script may turn into the viewer's zone; relative only beside it.

use domain::Timestamp;
use maud::{Markup, html};

/// A time in the form of RFC 3339, to the second.
pub(crate) fn time(rfc3339: &str) -> Markup {
    html! { time datetime=(rfc3339) title=(rfc3339) { (plain(rfc3339)) " UTC" } }
}

/// The time of day.
pub(crate) fn clock(rfc3339: &str) -> Markup {
    let day_and_time = plain(rfc3339);
    let clock = day_and_time.split_once(' ').map_or(&*day_and_time, |(_, clock)| clock);
    html! { time.clock datetime=(rfc3339) title=(rfc3339) { (clock) " UTC" } }
}

/// How long ago a time is, roughly.
pub(crate) fn ago(rfc3339: &str, now: Timestamp) -> String {
    let Ok(at) = Timestamp::parse(rfc3339) else { return String::new() };
    match now.ms_since(at) / 1_000 {
        s if s < 60 => format!("{s} s"),
        s if s < 60 * 60 => format!("{} min", s / 60),
        s if s < 48 * 60 * 60 => format!("{} h", s / 60 / 60),
        s => format!("{} days", s / 24 / 60 / 60),
    }
}

/// How long something takes, roughly.
pub(crate) fn lasting(seconds: f64) -> String {
    match seconds {
        s if s < 90.0 => format!("{s:.0} s"),
        s if s < 90.0 * 60.0 => format!("{:.0} min", s / 60.0),
        s => format!("{:.1} h", s / 60.0 / 60.0),
    }
}

fn plain(rfc3339: &str) -> String {
    let to_second = rfc3339.get(..19).unwrap_or(rfc3339);
    to_second.replacen('T', " ", 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_says_its_zone_and_how_long_ago_it_is() {
        let noon = "2026-11-23T12:00:00.250Z";
        let text = time(noon).into_string();
        assert!(text.contains("2026-11-23 12:00:00 UTC") && text.contains(noon), "{text}");
        assert!(clock(noon).into_string().contains(">12:00:00 UTC<"));
        let now = Timestamp::parse("2026-11-23T12:08:59Z").unwrap();
        assert_eq!(ago(noon, now), "8 min");
        assert_eq!(ago("2026-11-20T12:00:00Z", now), "3 days");
        assert_eq!(ago("2026-11-23T12:08:50Z", now), "9 s");
        assert_eq!(lasting(240.0), "4 min");
    }
}
