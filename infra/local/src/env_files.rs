//! `<function>.env`: the environment of a deployed function, for `cargo lambda watch --env-file`.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, ensure};
use serde_json::Value;

use crate::emulator;
use crate::endpoints::Endpoints;
use crate::http::{self, Answer};
use crate::private_file::PrivateFile;

/// The files of a run, one for each function. Dropping this removes them.
#[derive(Debug)]
pub(crate) struct EnvFiles(BTreeMap<&'static str, PrivateFile>);

impl EnvFiles {
    /// Names the files in a work folder, and removes those that a killed run left there.
    pub(crate) fn in_dir(work: &Path, packages: &[&'static str]) -> Self {
        let file = |package: &&'static str| (*package, PrivateFile::in_dir(work, &format!("{package}.env")));
        Self(packages.iter().map(file).collect())
    }

    /// Reads the environment of each function from the emulator, adds the variables that the AWS SDK needs, and writes
    /// it.
    pub(crate) async fn write(&self, endpoints: &Endpoints) -> anyhow::Result<()> {
        for (package, file) in &self.0 {
            let function = endpoints.functions.get(*package).context("a function was not deployed")?;
            let mut variables = deployed(&endpoints.emulator, function).await?;
            variables.extend(emulator::credentials(&endpoints.emulator).into_iter().map(|(k, v)| (k.to_owned(), v)));
            file.write(&env_file(&variables)?)?;
        }
        Ok(())
    }
}

async fn deployed(emulator: &str, function: &str) -> anyhow::Result<BTreeMap<String, String>> {
    let url = format!("{emulator}/2015-03-31/functions/{function}/configuration");
    let request = http::client()?.get(url).header("authorization", emulator::authorization("lambda"));
    let body = Answer::of(request).await?.accepted("reading a function's configuration")?;
    let variables = body.pointer("/Environment/Variables").and_then(Value::as_object);
    let variables = variables.with_context(|| format!("{function} has no environment"))?;
    Ok(variables.iter().map(|(name, value)| (name.clone(), value.as_str().unwrap_or_default().to_owned())).collect())
}

/// Formats one variable per line. Refuses a value with a line break: readers of the format disagree how to write one.
fn env_file(variables: &BTreeMap<String, String>) -> anyhow::Result<String> {
    let line = |(name, value): (&String, &String)| {
        ensure!(!value.contains(['\n', '\r']), "the value of {name} has more than one line");
        Ok(format!("{name}={value}\n"))
    };
    variables.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_one_line() {
        let one = |value: &str| env_file(&BTreeMap::from([("A".to_owned(), value.to_owned())]));
        assert_eq!(one("x=y z").unwrap(), "A=x=y z\n");
        assert!(one("x\ny").unwrap_err().to_string().contains("the value of A"));
    }
}
