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
    use std::{collections::BTreeSet, fs, path::Path};

    use super::*;

    /// What is added to figures anywhere below a folder.
    fn emitted(folder: &Path, found: &mut BTreeSet<String>) {
        for file in fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()) {
            if file.is_dir() {
                emitted(&file, found);
            } else if file.extension().is_some_and(|kind| kind == "rs") {
                let text = fs::read_to_string(&file).unwrap();
                let names = text.split(".add(\"").skip(1).filter_map(|rest| rest.split_once("\","));
                let figures = names.filter(|(_, rest)| rest.split(')').next().unwrap_or("").contains("Unit::"));
                found.extend(figures.map(|(name, _)| name.to_owned()));
            }
        }
    }

    #[test]
    fn alarms_and_the_dashboard_look_at_figures_that_there_are() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let mut there = BTreeSet::new();
        for folder in ["functions", "shared"] {
            emitted(&root.join(folder), &mut there);
        }
        let template = fs::read_to_string(root.join("infra/template.yaml")).unwrap();
        let word = |text: &str| text.chars().take_while(char::is_ascii_alphanumeric).collect::<String>();
        let of_alarms = template.split("Namespace: Tandem\n").skip(1).map(|rest| {
            word(rest.trim_start().strip_prefix("MetricName: ").expect("the name stands behind the namespace"))
        });
        let searched = template.split("MetricName=\\\"").skip(1).map(word);
        let shown = template.split("[\"Tandem\", \"").skip(1).map(word);
        let looked_at: BTreeSet<_> = of_alarms.chain(searched).chain(shown).collect();
        assert!(looked_at.len() > 6, "{looked_at:?}");
        assert_eq!(looked_at.difference(&there).collect::<Vec<_>>(), Vec::<&String>::new(), "nobody emits these");
    }

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
