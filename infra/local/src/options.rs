//! The options with which a stack starts.

use crate::output::Output;

/// The options of [`Stack::start`](crate::Stack::start).
#[derive(Debug, Clone)]
pub struct Options {
    /// Name of the work folder under `target/local`. `None` is `target/local` itself, which `cargo local` uses. Two
    /// stacks that run at the same time need two names.
    pub name: Option<String>,
    /// URL of an emulator that runs already. `None` starts one.
    pub endpoint: Option<String>,
    /// Port of the emulator. `None` takes a free one.
    pub port: Option<u16>,
    /// Whether the functions are built with the release profile.
    pub release: bool,
    /// Whether `cargo lambda` is installed, too. The stack does not need it; people invoke single functions with it.
    pub with_cargo_lambda: bool,
    /// Whether both apps have records that were never synced, and the map does not run yet. [`crate::play`] needs that.
    pub with_story: bool,
    /// Where progress is reported.
    pub output: Output,
}

impl Options {
    /// The options of tests: silent, on free ports, with the work folder `name`.
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
