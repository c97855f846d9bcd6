//! `cargo local`. All of it is in the library, for tests.

use std::process::ExitCode;

fn main() -> ExitCode {
    local::run()
}
