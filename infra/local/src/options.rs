//! How a stack is started.

use crate::output::Output;

/// How a stack is started.
#[derive(Debug, Clone)]
pub struct Options {
    /// Work folder under `target/local`; none is `target/local` itself, which `cargo local` uses. Two stacks that run
    /// at the same time need two names.
    pub name: Option<String>,
    /// An emulator that is there already; none starts one.
    pub endpoint: Option<String>,
    /// Port of the emulator; none takes a free one.
    pub port: Option<u16>,
    /// Whether the functions are built with the release profile.
    pub release: bool,
    /// Whether `cargo lambda` is installed too. People want it beside a stack; the stack does not need it.
    pub with_cargo_lambda: bool,
    /// Whether both apps have records from before, and the map does not run yet: [`crate::play`] begins with that.
    pub with_story: bool,
    /// Where progress is told.
    pub output: Output,
}

impl Options {
    /// What tests want: silent, free ports, and a work folder of that name.
    pub fn test(name: &str) -> Self {
        Self {
            name: Some(name.to_owned()),
            endpoint: None,
            port: None,
            release: false,
            with_cargo_lambda: false,
            with_story: false,
            output: Output::silent(),
        }
    }
}
