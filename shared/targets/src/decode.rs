//! Turns the bytes of a body into text: removes a compression that nobody asked for, and reads the character set.

mod charset;
mod coding;

use reqwest::header::HeaderMap;

pub(crate) use self::coding::is_compressed;

/// A body as text, without a byte order mark.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Text {
    pub(crate) text: String,
    /// The reason why some characters may be wrong. An error's message may have such characters; a record must not,
    /// because Tandem would copy them.
    pub(crate) flaw: Option<String>,
}

/// The reason why a body cannot be decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Undecodable {
    /// It is longer than the limit, compressed or decompressed.
    TooLarge,
    /// Another reason, as a sentence about the body.
    Because(String),
}

/// Decodes a body. The result has at most `limit_bytes`, however small the compressed body is.
pub(crate) fn decode(body: Vec<u8>, headers: &HeaderMap, limit_bytes: usize) -> Result<Text, Undecodable> {
    let plain = coding::remove(body, headers, limit_bytes)?;
    let text = charset::read(plain, headers)?;
    if text.text.len() > limit_bytes { Err(Undecodable::TooLarge) } else { Ok(text) }
}
