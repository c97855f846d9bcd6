//! Metrics in the embedded format: a line of the log that CloudWatch takes for figures, without a call.

use std::{
    io::Write,
    time::{SystemTime, UNIX_EPOCH},
};

use serde_json::{Map, Value, json};

/// The namespace of all of them.
const NAMESPACE: &str = "Tandem";

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Things.
    Count,
    /// Time.
    Milliseconds,
}

/// Figures that have the same dimensions.
#[derive(Debug)]
pub struct Metrics {
    dimensions: Vec<(String, String)>,
    figures: Vec<(&'static str, u64, Unit)>,
}

impl Metrics {
    /// Figures of this stack, with further dimensions. Few values for each: every combination is paid for.
    #[must_use]
    pub fn of(dimensions: &[(&str, &str)]) -> Self {
        let stack = std::env::var("TANDEM_STACK").unwrap_or_else(|_| "tandem".to_owned());
        let more = dimensions.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Self { dimensions: std::iter::once(("Stack".to_owned(), stack)).chain(more).collect(), figures: Vec::new() }
    }

    /// Adds one.
    #[must_use]
    pub fn add(mut self, name: &'static str, value: u64, unit: Unit) -> Self {
        self.figures.push((name, value, unit));
        self
    }

    /// Writes them to standard output, where Lambda takes them up.
    pub fn emit(&self) {
        if self.figures.is_empty() {
            return;
        }
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let line = self.line(u64::try_from(now.as_millis()).unwrap_or(u64::MAX));
        // A figure that cannot be written must not stop what is being counted.
        let _written = writeln!(std::io::stdout().lock(), "{line}");
    }

    fn line(&self, at_ms: u64) -> Value {
        let names: Vec<_> = self.dimensions.iter().map(|(name, _)| name).collect();
        let metrics = self.figures.iter().map(|(name, _, unit)| json!({ "Name": name, "Unit": format!("{unit:?}") }));
        let about = json!({ "Namespace": NAMESPACE, "Dimensions": [names], "Metrics": metrics.collect::<Vec<_>>() });
        let mut line = Map::new();
        line.insert("_aws".to_owned(), json!({ "Timestamp": at_ms, "CloudWatchMetrics": [about] }));
        line.extend(self.dimensions.iter().map(|(name, value)| (name.clone(), json!(value))));
        line.extend(self.figures.iter().map(|(name, value, _)| ((*name).to_owned(), json!(value))));
        Value::Object(line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_what_the_embedded_format_asks_for() {
        let line = Metrics::of(&[("Class", "timeout")]).add("Errors", 3, Unit::Count).line(7);
        let about = &line["_aws"]["CloudWatchMetrics"][0];
        assert_eq!((&line["_aws"]["Timestamp"], &about["Namespace"]), (&json!(7), &json!("Tandem")));
        assert_eq!(about["Dimensions"], json!([["Stack", "Class"]]));
        assert_eq!(about["Metrics"], json!([{"Name": "Errors", "Unit": "Count"}]));
        assert_eq!((&line["Class"], &line["Errors"]), (&json!("timeout"), &json!(3)));
    }
}
