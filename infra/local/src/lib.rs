//! The local tool: the whole of Tandem on one machine, with the template and the command that deploy it to AWS.
//!
//! `cargo local` runs it for people. Tests take [`Stack::start`], or [`Emulator::start`] when they need no functions.
//!
//! **Invariant: nothing is left behind.** Every program that is started ends with this one, also when this one is
//! killed: the emulator sees the pipe to it close, the apps see their parent change.

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
