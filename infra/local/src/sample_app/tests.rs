//! The apps over HTTP, with a Tandem that does as it is told.

mod data_api;
mod edits;
mod keys;
mod page;
mod reports;
mod support;
mod switches;
