//! What the two functions that operators call share: `admin` and `console` answer with files, hand errors to their guard, and
//! log each request in the same way.

mod failed;
mod file;
mod log_line;

pub use self::{
    failed::{Failed, Reply},
    file::{deadline, file},
    log_line::LogLine,
};
