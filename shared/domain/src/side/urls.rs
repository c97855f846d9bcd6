//! Where a REST app has its entities and records, and in which media type it speaks.

use super::{Connector, ConnectorKind, DeleteMethod};

/// Reports every mistake in them.
pub(super) fn check(connector: &Connector, check: &mut impl FnMut(bool, &str, &str)) {
    let is_rest = connector.protocol() == ConnectorKind::Http;
    for (value, name) in [
        (&connector.entity_url, "entity_url"),
        (&connector.record_url, "record_url"),
        (&connector.create_url, "create_url"),
        (&connector.update_url, "update_url"),
        (&connector.delete_url, "delete_url"),
        (&connector.media_type, "media_type"),
        (&connector.patch_media_type, "patch_media_type"),
    ] {
        let says = "cannot be set for an app that speaks OData";
        check(is_rest || value.is_none(), &format!("connector.{name}"), says);
    }
    for (url, name) in [(&connector.entity_url, "entity_url"), (&connector.create_url, "create_url")] {
        let fits = |url: &String| is_relative(url, &["{entity}"]) && !url.contains('?');
        let says = "must be a path below base_url, with {entity} for the entity, and without query, fragment or `..`";
        check(url.as_ref().is_none_or(fits), &format!("connector.{name}"), says);
    }
    for (url, name) in [
        (&connector.record_url, "record_url"),
        (&connector.update_url, "update_url"),
        (&connector.delete_url, "delete_url"),
    ] {
        let names_key = |url: &String| url.matches("{key}").count() == 1 && !url.contains('?');
        let fits = |url: &String| names_key(url) && is_relative(url, &["{entity}", "{key}"]);
        let says = "must be a path below base_url, with {key} once, {entity} for the entity, and without query, fragment or `..`";
        check(url.as_ref().is_none_or(fits), &format!("connector.{name}"), says);
    }
    let method = connector.delete;
    check(is_rest || method.is_none(), "connector.delete", "cannot be set for an app that speaks OData");
    let by_post = method == Some(DeleteMethod::Post);
    let says = "can be `post` only with a delete_url: a POST to the record's own URL changes it";
    check(!by_post || connector.delete_url.is_some() || !is_rest, "connector.delete", says);
    for (media_type, name) in [(&connector.media_type, "media_type"), (&connector.patch_media_type, "patch_media_type")]
    {
        let says = "must be a media type of JSON such as application/vnd.api+json";
        check(media_type.as_deref().is_none_or(is_json), &format!("connector.{name}"), says);
    }
}

/// Whether it is a path below `base_url` in which only these placeholders stand. It may end with a slash, as Django wants it.
pub(super) fn is_relative(url: &str, placeholders: &[&str]) -> bool {
    let path = url.split('?').next().unwrap_or_default();
    let parts = path.strip_suffix('/').unwrap_or(path);
    let is_path = parts.split('/').all(|part| !part.is_empty() && ![".", ".."].contains(&part));
    let rest = placeholders.iter().fold(url.to_owned(), |rest, name| rest.replace(name, ""));
    is_path
        && url.len() <= 1_024
        && url.is_ascii()
        && !url.contains(['#', '\\', ':', '%', ' '])
        && !url.contains(char::is_control)
        && !rest.contains(['{', '}'])
}

/// The same, with a query in which `:` and what is percent-encoded may stand, too: `search?q=number:{key}`.
pub(super) fn is_query(url: &str, placeholders: &[&str]) -> bool {
    let (path, query) = url.split_once('?').unwrap_or((url, ""));
    is_relative(path, placeholders) && is_relative(&format!("q?{}", query.replace([':', '%'], "")), placeholders)
}

/// `application/json`, or a kind of it, with or without parameters.
fn is_json(media_type: &str) -> bool {
    let name = media_type.split(';').next().unwrap_or_default().trim_end();
    let is_token = |c: char| c.is_ascii_alphanumeric() || "!#$&-^_.+".contains(c);
    let is_name = name.split_once('/').is_some_and(|(kind, sub)| {
        !kind.is_empty()
            && kind.chars().all(is_token)
            && sub.chars().all(is_token)
            && (sub == "json" || sub.ends_with("+json"))
    });
    is_name && media_type.len() <= 128 && media_type.bytes().all(|b| (b' '..=b'~').contains(&b))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::SideConfig;

    fn wrong(kind: &str, name: &str, value: &str) -> Vec<String> {
        let mut connector = json!({"kind": kind, "base_url": "https://a.example/"});
        connector[name] = Value::from(value);
        let side: SideConfig = serde_json::from_value(json!({"connector": connector})).unwrap();
        side.mistakes().into_iter().map(|mistake| mistake.field).collect()
    }

    #[test]
    fn urls_and_media_types_of_a_rest_app_are_checked_and_no_other_app_has_them() {
        for (name, good, bad) in [
            (
                "entity_url",
                &["{entity}/", "v1/{entity}", "rows"][..],
                &["", "/x", "a/../b", "{key}", "{entity}?a=1", "a//"][..],
            ),
            (
                "record_url",
                &["{entity}/{key}/", "{entity}/{key}.json", "v1/{entity}/by-code/{key}"],
                &["{entity}", "{key}/{key}", "../{key}", "{entity}/{key}?x=1", "{entity}/{id}/{key}"],
            ),
            (
                "media_type",
                &["application/json", "application/vnd.api+json", "application/json; charset=utf-8"],
                &["", "json", "text/plain", "/json", "application/json\r\nx: y", "application/xml"],
            ),
            ("create_url", &["{entity}/new", "{entity}/"], &["{key}", "{entity}?a=1", ""]),
            ("update_url", &["{entity}/{key}/update"], &["{entity}", "{entity}/{key}?x=1"]),
            ("delete_url", &["{entity}/delete/{key}"], &["{entity}/delete", "/{key}"]),
            ("patch_media_type", &["application/merge-patch+json"], &["application/json-seq"]),
        ] {
            let field = format!("connector.{name}");
            for value in good {
                assert_eq!(wrong("rest", name, value), [""; 0], "{name} {value}");
                assert_eq!(wrong("dataverse", name, value), std::slice::from_ref(&field), "{name} {value}");
            }
            for value in bad {
                assert_eq!(wrong("rest", name, value), std::slice::from_ref(&field), "{name} {value}");
            }
        }
    }
}
