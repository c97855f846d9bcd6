//! Mail on this machine: the emulator takes it as SES would, and shows it.

use anyhow::Context;
use reqwest::Method;
use serde_json::{Value, json};

use crate::emulator;
use crate::http::{self, Answer};

/// The sender. SES takes no mail of a sender that was not verified.
pub(crate) const SENDER: &str = "tandem@example.com";

/// A mail that was sent.
#[derive(Debug, Clone)]
pub struct Mail {
    /// Its subject.
    pub subject: String,
    /// As plain text.
    pub text: String,
    /// As HTML.
    pub html: String,
    /// All that the emulator tells of it.
    pub raw: Value,
}

/// Where mails are shown. Only the emulator that comes with this tool shows them.
pub(crate) fn address(emulator: &str) -> String {
    format!("{emulator}/_ministack/ses/messages")
}

/// Verifies the sender.
pub(crate) async fn verify_sender(endpoint: &str) -> anyhow::Result<()> {
    let request = http::client()?
        .request(Method::POST, format!("{endpoint}/v2/email/identities"))
        .header("authorization", emulator::authorization("ses"))
        .json(&json!({ "EmailIdentity": SENDER }));
    let answer = Answer::of(request).await?;
    let there = answer.status == 409 || answer.body["__type"] == "AlreadyExistsException";
    if there { Ok(()) } else { answer.accepted("verifying the sender of mails").map(drop) }
}

/// The mails that were sent to an address, the oldest first.
pub(crate) async fn sent(address: &str, to: &str) -> anyhow::Result<Vec<Mail>> {
    let told = Answer::of(http::client()?.get(address)).await?.accepted("reading mails")?;
    let accounts = told["messages"].as_object().context("the emulator tells no mails")?;
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
