//! Content codings: removes gzip and deflate. Any other coding is an error that names it.

use std::io::Read;

use encoding_rs::Encoding;
use flate2::read::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};
use reqwest::header::{CONTENT_ENCODING, HeaderMap};

use super::Undecodable;

/// Most codings of one body: one of the server, one of a proxy, and one more.
const MAX_CODINGS: usize = 3;
/// The first bytes of gzip data (RFC 1952, with its only method, deflate). No text begins with them.
const GZIP: &[u8] = &[0x1f, 0x8b, 8];
const ZSTD: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];

/// Whether an answer says that its body is compressed.
pub(crate) fn is_compressed(headers: &HeaderMap) -> bool {
    !named(headers).is_empty()
}

/// Removes all codings from a body, the last one first.
pub(super) fn remove(mut body: Vec<u8>, headers: &HeaderMap, limit_bytes: usize) -> Result<Vec<u8>, Undecodable> {
    let codings = named(headers);
    if codings.len() > MAX_CODINGS {
        return Err(Undecodable::Because(format!("its body has {} content codings", codings.len())));
    }
    if body.is_empty() {
        return Ok(body);
    }
    for coding in codings.iter().rev() {
        body = match coding.as_str() {
            // Some proxies remove the compression and leave the header.
            "gzip" | "x-gzip" if !body.starts_with(GZIP) => body,
            "gzip" | "x-gzip" => gunzip(&body, limit_bytes)?,
            "deflate" => inflate(&body, limit_bytes)?,
            other => return Err(unknown(other)),
        };
    }
    // Some servers forget the header.
    if body.starts_with(GZIP) {
        body = gunzip(&body, limit_bytes)?;
    }
    if body.starts_with(ZSTD) { Err(unknown("zstd")) } else { Ok(body) }
}

/// The codings that an answer names, in lower case. Some servers name a character set there, which is left out.
fn named(headers: &HeaderMap) -> Vec<String> {
    let values = headers.get_all(CONTENT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    let names = values.flat_map(|value| value.split(',')).map(|name| name.trim().to_ascii_lowercase());
    let compresses = |name: &String| {
        !name.is_empty() && name != "identity" && name != "none" && Encoding::for_label(name.as_bytes()).is_none()
    };
    names.filter(compresses).collect()
}

fn gunzip(body: &[u8], limit_bytes: usize) -> Result<Vec<u8>, Undecodable> {
    bounded(MultiGzDecoder::new(body), limit_bytes)?.ok_or_else(|| damaged("gzip"))
}

/// Removes `deflate`. By the standard it is zlib (RFC 1950), but some servers leave the zlib header out.
fn inflate(body: &[u8], limit_bytes: usize) -> Result<Vec<u8>, Undecodable> {
    let plain = match bounded(ZlibDecoder::new(body), limit_bytes)? {
        Some(plain) => Some(plain),
        None => bounded(DeflateDecoder::new(body), limit_bytes)?,
    };
    plain.ok_or_else(|| damaged("deflate"))
}

/// Decompresses all data, or stops at the limit. `None`: the data is damaged.
fn bounded(decoder: impl Read, limit_bytes: usize) -> Result<Option<Vec<u8>>, Undecodable> {
    let mut plain = Vec::new();
    let one_more = u64::try_from(limit_bytes).unwrap_or(u64::MAX).saturating_add(1);
    match decoder.take(one_more).read_to_end(&mut plain) {
        Ok(_) if plain.len() > limit_bytes => Err(Undecodable::TooLarge),
        Ok(_) => Ok(Some(plain)),
        Err(_) => Ok(None),
    }
}

fn unknown(coding: &str) -> Undecodable {
    let name: String = coding.chars().take(40).collect();
    Undecodable::Because(format!("its body is compressed with {name}, which Tandem did not ask for and cannot read"))
}

fn damaged(coding: &str) -> Undecodable {
    Undecodable::Because(format!("its body is damaged {coding} data"))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::{
        Compression,
        write::{DeflateEncoder, GzEncoder, ZlibEncoder},
    };

    use super::*;

    const LIMIT: usize = 1_000;

    fn removed(codings: &[&str], body: Vec<u8>) -> Result<Vec<u8>, Undecodable> {
        let mut all = HeaderMap::new();
        for coding in codings {
            all.append(CONTENT_ENCODING, coding.parse().unwrap());
        }
        remove(body, &all, LIMIT)
    }

    fn gzip(plain: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(plain).unwrap();
        encoder.finish().unwrap()
    }

    fn zlib(plain: &[u8]) -> Vec<u8> {
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(plain).unwrap();
        encoder.finish().unwrap()
    }

    fn deflate(plain: &[u8]) -> Vec<u8> {
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(plain).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn gzip_and_deflate_are_removed_whatever_the_header_says_about_them() {
        let plain = b"{\"a\": 1}".as_slice();
        let members = [gzip(b"{\"a\":"), gzip(b" 1}")].concat();
        for (codings, body) in [
            (&["gzip"][..], gzip(plain)),
            (&["X-GZIP"], gzip(plain)),
            (&[], gzip(plain)),
            (&["identity"], gzip(plain)),
            (&["gzip"], plain.to_vec()),
            (&["utf-8"], plain.to_vec()),
            (&["gzip"], members),
            (&["deflate"], zlib(plain)),
            (&["deflate"], deflate(plain)),
            (&["gzip, gzip"], gzip(&gzip(plain))),
            (&["deflate", "gzip"], gzip(&zlib(plain))),
        ] {
            assert_eq!(removed(codings, body).as_deref(), Ok(plain), "{codings:?}");
        }
        assert_eq!(removed(&["gzip"], Vec::new()), Ok(Vec::new()), "an answer without a body");
    }

    #[test]
    fn what_cannot_be_removed_is_named() {
        for (codings, body, says) in [
            (&["br"][..], b"\x0b\x02\x80".to_vec(), "with br,"),
            (&["gzip, br"], b"\x0b\x02\x80".to_vec(), "with br,"),
            (&[], [ZSTD, b"x"].concat(), "with zstd,"),
            (&["gzip"], gzip(b"{}")[..8].to_vec(), "damaged gzip data"),
            (&["deflate"], b"<html>".to_vec(), "damaged deflate data"),
            (&["gzip, gzip, gzip, gzip"], b"x".to_vec(), "4 content codings"),
        ] {
            let Err(Undecodable::Because(why)) = removed(codings, body) else { panic!("{codings:?}") };
            assert!(why.contains(says), "{why}");
        }
    }

    #[test]
    fn a_small_body_that_grows_beyond_the_limit_is_cut_off_at_each_step() {
        let bomb = gzip(&vec![b' '; 10_000_000]);
        assert_eq!(removed(&["gzip"], bomb.clone()), Err(Undecodable::TooLarge));
        assert_eq!(removed(&["gzip, gzip"], gzip(&bomb)), Err(Undecodable::TooLarge));
        assert_eq!(removed(&["deflate"], zlib(&vec![b' '; LIMIT + 1])), Err(Undecodable::TooLarge));
        assert_eq!(removed(&["deflate"], zlib(&[b' '; LIMIT])).unwrap().len(), LIMIT);
    }
}
