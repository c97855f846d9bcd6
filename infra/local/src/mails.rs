//! Mail on this machine: the emulator accepts it as SES would, and lists it.

use anyhow::Context;
use reqwest::Method;
use serde_json::{Value, json};

use crate::emulator;
use crate::http::{self, Answer};

/// The address that mails come from. SES accepts mail only from a verified address.
pub(crate) const SENDER: &str = "tandem@example.com";

/// A mail that was sent.
#[derive(Debug, Clone)]
pub struct Mail {
    /// Its subject.
    pub subject: String,
    /// Its body as plain text.
    pub text: String,
    /// Its body as HTML.
    pub html: String,
    /// The mail as the emulator lists it.
    pub raw: Value,
}

/// The URL that lists sent mails. Only MiniStack has it.
pub(crate) fn address(emulator: &str) -> String {
    format!("{emulator}/_ministack/ses/messages")
}

/// Verifies [`SENDER`]. An address that is verified already is no error.
pub(crate) async fn verify_sender(endpoint: &str) -> anyhow::Result<()> {
    let request = http::client()?
        .request(Method::POST, format!("{endpoint}/v2/email/identities"))
        .header("authorization", emulator::authorization("ses"))
        .json(&json!({ "EmailIdentity": SENDER }));
    let answer = Answer::of(request).await?;
    let there = answer.status == 409 || answer.body["__type"] == "AlreadyExistsException";
    if there { Ok(()) } else { answer.accepted("verifying the sender of mails").map(drop) }
}

/// Lists the mails that were sent to an address, oldest first.
pub(crate) async fn sent(address: &str, to: &str) -> anyhow::Result<Vec<Mail>> {
    let told = Answer::of(http::client()?.get(address)).await?.accepted("reading mails")?;
    let accounts = told["messages"].as_object().context("the emulator does not list mails")?;
    let all = accounts.values().flat_map(|mails| mails.as_array().cloned().unwrap_or_default());
    let mine = all.filter(|mail| mail["To"].as_array().is_some_and(|all| all.iter().any(|one| one == to)));
    let text = |mail: &Value, name: &str| mail[name].as_str().unwrap_or_default().to_owned();
    Ok(mine
        .map(|raw| Mail {
            subject: text(&raw, "Subject"),
            text: text(&raw, "BodyText"),
            html: text(&raw, "BodyHtml"),
            raw,
        })
        .collect())
}
