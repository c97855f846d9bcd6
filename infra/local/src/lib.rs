//! The local tool: runs all of Tandem on one machine, with the template and the command that deploy it to AWS.
//!
//! People run it as `cargo local`. Tests call [`Stack::start`], or [`Emulator::start`] when they need no functions.
//!
//! **Invariant: nothing is left running.** Every program that this one starts ends with it, even if it is killed: the
//! emulator sees the pipe to this process close, and the apps see their parent process change.

mod admin;
mod apps;
mod blocked;
mod cap;
mod cli;
mod deploy;
mod emulator;
mod endpoints;
mod env_files;
mod functions;
mod http;
mod layout;
mod lock;
mod log_file;
mod mails;
mod npm;
mod options;
mod output;
mod port;
mod private_file;
mod process;
mod python;
mod sample_app;
mod secrets;
mod seed;
mod sign;
mod sign_in;
mod stack;
mod story;
mod sync_write;
mod tools;

pub use admin::Admin;
pub use apps::App;
pub use blocked::Blocked;
pub use cap::Cap;
pub use cli::run;
pub use emulator::{Emulator, REGION};
pub use endpoints::Endpoints;
pub use functions::FUNCTIONS;
pub use http::Answer;
pub use mails::Mail;
pub use options::Options;
pub use output::Output;
pub use seed::MAP;
pub use stack::Stack;
pub use story::play;
pub use sync_write::SyncWrite;
