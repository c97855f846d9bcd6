//! The apps over HTTP, with a Tandem that does as it is told.

mod crm;
mod data_api;
mod edits;
mod finance;
mod habits;
mod keys;
mod lists;
mod page;
mod reports;
mod support;
mod switches;
