//! Tests of the apps over HTTP, with a scripted stand-in for Tandem.

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
