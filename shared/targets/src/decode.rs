//! Turns the bytes of a body into text: removes a compression that nobody asked for, and reads the character set.

mod charset;
mod coding;

use reqwest::header::HeaderMap;

pub(crate) use self::coding::is_compressed;

/// A body as text, without a byte order mark.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Text {
    pub(crate) text: String,
    /// Why some characters may be wrong. Good enough for the words of an error; a record with wrong characters would be copied.
    pub(crate) flaw: Option<String>,
}

/// Why a body has no text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Undecodable {
    /// It is longer than the limit, as it came or without its compression.
    TooLarge,
    /// What it is instead, as a sentence about it.
    Because(String),
}

/// Decodes a body. What comes out has at most `limit_bytes`, however small the compressed body is.
pub(crate) fn decode(body: Vec<u8>, headers: &HeaderMap, limit_bytes: usize) -> Result<Text, Undecodable> {
    let plain = coding::remove(body, headers, limit_bytes)?;
    let text = charset::read(plain, headers)?;
    if text.text.len() > limit_bytes { Err(Undecodable::TooLarge) } else { Ok(text) }
}
