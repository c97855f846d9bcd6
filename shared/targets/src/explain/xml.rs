//! `OData` errors in XML, which some servers send even if the request asks for JSON.

/// Code and message of `<error><code>…</code><message>…</message></error>`, with or without a prefix. `None`: the text
/// is something else, for example an HTML page.
pub(super) fn error(text: &str) -> Option<(Option<String>, Option<String>)> {
    let error = text.starts_with('<').then(|| element(text, "error"))??;
    let (code, message) = (element(error, "code"), element(error, "message"));
    let words = |text: &str| Some(text.trim()).filter(|text| !text.is_empty() && !text.contains('<')).map(unescape);
    Some((code.and_then(words), message.and_then(words)))
}

/// The content of the first element with this name.
fn element<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let mut rest = text;
    loop {
        let (tag, after) = rest.split_once('<')?.1.split_once('>')?;
        let full = tag.split_whitespace().next().unwrap_or_default();
        if full.rsplit(':').next() == Some(name) && !tag.ends_with('/') {
            return after.split_once(&format!("</{full}>")).map(|(inside, _)| inside);
        }
        rest = after;
    }
}

fn unescape(text: &str) -> String {
    [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&apos;", "'"), ("&amp;", "&")]
        .iter()
        .fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
}
