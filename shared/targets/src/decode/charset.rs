//! Character sets: the byte order mark decides, then the character set that the answer names, then UTF-8.

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};
use reqwest::header::{CONTENT_TYPE, HeaderMap};

use super::{Text, Undecodable};

/// Bytes at the beginning of a body in which its XML declaration is searched for `encoding`.
const DECLARATION_BYTES: usize = 200;

/// Reads the text of a body whose content codings have been removed.
pub(super) fn read(mut body: Vec<u8>, headers: &HeaderMap) -> Result<Text, Undecodable> {
    if is_utf32(&body) {
        return Err(Undecodable::Because("its body is in UTF-32, which Tandem cannot read".to_owned()));
    }
    let (told, after_mark) = match Encoding::for_bom(&body) {
        Some((encoding, mark_bytes)) => (Some(encoding), mark_bytes),
        None => (utf16(&body).or_else(|| named(headers)).or_else(|| declared(&body)), 0),
    };
    // JSON is UTF-8 whatever charset an old server names (RFC 8259), and other text is hardly ever valid UTF-8 by
    // chance.
    let is_utf8 = after_mark == 0 && !body.is_ascii() && std::str::from_utf8(&body).is_ok();
    let told = told.filter(|told| !is_utf8 || [UTF_16BE, UTF_16LE].contains(told));
    let encoding = told.unwrap_or(UTF_8);
    if encoding == UTF_8 && after_mark == 0 {
        match String::from_utf8(body) {
            Ok(text) => return Ok(Text { text, flaw: None }),
            Err(error) => body = error.into_bytes(),
        }
    }
    let (text, malformed) = encoding.decode_without_bom_handling(&body[after_mark..]);
    if !malformed {
        return Ok(Text { text: text.into_owned(), flaw: None });
    }
    let flaw = match told {
        Some(encoding) => format!("its body is not {}, although it says so", encoding.name()),
        None => "its body is not UTF-8, and it names no other character set".to_owned(),
    };
    // Old apps answer in the character set of Windows without naming it, so that is the best guess for an error
    // message.
    let text = if encoding == UTF_8 { WINDOWS_1252.decode_without_bom_handling(&body).0 } else { text };
    Ok(Text { text: text.into_owned(), flaw: Some(flaw) })
}

fn is_utf32(body: &[u8]) -> bool {
    matches!(body, [0xff, 0xfe, 0, 0, ..] | [0, 0, 0xfe, 0xff, ..] | [0, 0, 0, _, ..] | [1..=0x7f, 0, 0, 0, ..])
}

/// Detects UTF-16 without a mark: JSON and XML begin with an ASCII character, so one of the first two bytes is zero.
fn utf16(body: &[u8]) -> Option<&'static Encoding> {
    match body {
        [0, 1..=0x7f, ..] => Some(UTF_16BE),
        [1..=0x7f, 0, ..] => Some(UTF_16LE),
        _ => None,
    }
}

/// The `charset` of the media type.
fn named(headers: &HeaderMap) -> Option<&'static Encoding> {
    let kind = headers.get(CONTENT_TYPE)?.to_str().ok()?;
    let label = kind.split(';').skip(1).find_map(|parameter| {
        let (name, label) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case("charset").then(|| label.trim().trim_matches(['"', '\'']))
    })?;
    Encoding::for_label(label.as_bytes())
}

/// The `encoding` of an XML declaration. A declaration that is readable as ASCII is not UTF-16, whatever it says.
fn declared(body: &[u8]) -> Option<&'static Encoding> {
    let start = String::from_utf8_lossy(&body[..body.len().min(DECLARATION_BYTES)]);
    let declaration = start.trim_start().strip_prefix("<?xml")?.split_once("?>")?.0;
    let value = declaration.split_once("encoding")?.1.trim_start().strip_prefix('=')?.trim_start();
    let label = value.strip_prefix(['"', '\''])?.split(['"', '\'']).next()?;
    Encoding::for_label(label.as_bytes()).filter(|encoding| encoding.is_ascii_compatible())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(kind: &str, body: &[u8]) -> (String, bool) {
        let headers = HeaderMap::from_iter([(CONTENT_TYPE, kind.parse().unwrap())]);
        let read = read(body.to_vec(), &headers).unwrap();
        (read.text, read.flaw.is_some())
    }

    fn utf16(text: &str, order: fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(order).collect()
    }

    #[test]
    fn the_mark_the_pattern_of_zeros_or_the_label_names_the_character_set() {
        let plain = "{\"a\": \"Zoë 北 €\"}";
        let latin = "{\"a\": \"Zoë €\"}";
        let in_latin = b"{\"a\": \"Zo\xeb \x80\"}";
        for (kind, body, wanted) in [
            ("application/json", plain.as_bytes().to_vec(), plain),
            ("application/json", format!("\u{feff}{plain}").into_bytes(), plain),
            ("application/json; charset=iso-8859-1", format!("\u{feff}{plain}").into_bytes(), plain),
            ("application/json;charset=ISO-8859-1", in_latin.to_vec(), latin),
            ("application/json; odata.metadata=minimal; charset=\"windows-1252\"", in_latin.to_vec(), latin),
            ("application/json", utf16(plain, u16::to_le_bytes), plain),
            ("application/json", utf16(plain, u16::to_be_bytes), plain),
            ("application/json; charset=utf-16", utf16(plain, u16::to_be_bytes), plain),
            ("application/json; charset=utf-8", utf16(&format!("\u{feff}{plain}"), u16::to_be_bytes), plain),
            ("application/json", utf16(&format!("\u{feff}{plain}"), u16::to_le_bytes), plain),
            ("application/json; charset=klingon", plain.as_bytes().to_vec(), plain),
        ] {
            assert_eq!(text(kind, &body), (wanted.to_owned(), false), "{kind} {body:?}");
        }
        let declared = b"<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><error>Zo\xeb</error>";
        assert!(text("application/xml", declared).0.ends_with("Zoë</error>"));
        let wrongly = b"<?xml version='1.0' encoding='utf-16'?><error/>";
        assert!(!text("application/xml", wrongly).1, "it is ASCII");
    }

    #[test]
    fn what_is_wrong_or_only_guessed_is_flawed() {
        for (kind, body, wanted) in [
            ("text/plain", b"Zo\xeb".as_slice(), "Zoë"),
            ("text/plain; charset=utf-8", b"Zo\xeb", "Zoë"),
            ("text/plain; charset=shift_jis", b"a\xff", "a\u{fffd}"),
            ("text/plain", b"\xff\xfea", "\u{fffd}"),
        ] {
            assert_eq!(text(kind, body), (wanted.to_owned(), true), "{kind}");
        }
    }

    #[test]
    fn utf32_is_named() {
        let encoded = |order: fn(u32) -> [u8; 4]| "{}".chars().flat_map(|c| order(c.into())).collect::<Vec<_>>();
        for body in [encoded(u32::to_le_bytes), encoded(u32::to_be_bytes), b"\xff\xfe\0\0{\0\0\0".to_vec()] {
            assert!(matches!(read(body, &HeaderMap::new()), Err(Undecodable::Because(why)) if why.contains("UTF-32")));
        }
    }
}
