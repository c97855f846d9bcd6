//! How a record is found whose URL has an id that the app chose.

use serde::{Deserialize, Serialize};

use super::{Capability, ConnectorKind, CreateMethod, SideConfig, list::is_pointer, urls::is_query};

/// How the record with a key is found, and where it has the id by which the app names it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FindSettings {
    /// The field that has the id.
    pub id_field: String,
    /// REST: where records are asked for by key, relative to `base_url`; `{entity}` stands for the entity and `{key}` for the
    /// encoded key. The answer is a list, as `list.rows` says, or the record. `OData` needs none: `$filter` names the key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

/// Reports every mistake in it, and in the place where a body has the record.
pub(super) fn check(side: &SideConfig, check: &mut impl FnMut(bool, &str, &str)) {
    let connector = &side.connector;
    let is_rest = connector.protocol() == ConnectorKind::Http;
    if let Some(pointer) = &connector.envelope {
        check(is_rest, "connector.envelope", "cannot be set for an app that speaks OData");
        let fits = is_pointer(pointer) && !pointer.is_empty() && !pointer.split('/').skip(1).any(str::is_empty);
        check(fits, "connector.envelope", "must be a JSON pointer such as /data");
    }
    let Some(find) = &connector.find else { return };
    let is_name = !find.id_field.is_empty() && find.id_field.len() <= 128;
    check(is_name, "connector.find.id_field", "must be the name of a field, of at most 128 characters");
    match &find.url {
        Some(url) => {
            check(is_rest, "connector.find.url", "cannot be set for an app that speaks OData: $filter names the key");
            let fits = url.matches("{key}").count() == 1 && is_query(url, &["{entity}", "{key}"]);
            let says =
                "must be a path below base_url, with {key} once, {entity} for the entity, and without fragment or `..`";
            check(!is_rest || fits, "connector.find.url", says);
        }
        None => check(!is_rest, "connector.find.url", "must be set for a REST app, e.g. to {entity}?number={key}"),
    }
    let makes = connector.create() == CreateMethod::Post;
    check(makes, "connector.create", "must be `post` with connector.find: the app chooses the id of a new record");
    let says = "must be `plain` or `idempotent` with connector.find: no If-Match stops a creation that comes late, and it would make a \
                second record";
    check(side.capability != Capability::Versioned, "capability", says);
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::SideConfig;

    fn wrong(kind: &str, connector: &Value, capability: &str) -> Vec<String> {
        let mut all = json!({"kind": kind, "base_url": "https://a.example/"});
        all.as_object_mut().unwrap().extend(connector.as_object().unwrap().clone());
        let side: SideConfig =
            serde_json::from_value(json!({"connector": all, "capability": capability, "request_timeout_ms": 5_000}))
                .unwrap();
        side.mistakes().into_iter().map(|mistake| mistake.field).collect()
    }

    #[test]
    fn a_find_is_checked_field_by_field() {
        for (kind, find, mistakes) in [
            ("rest", json!({"id_field": "id", "url": "{entity}?code={key}"}), &[][..]),
            ("rest", json!({"id_field": "id", "url": "search/{entity}?q=code:{key}&x=%22"}), &[]),
            ("rest", json!({"id_field": "id", "url": "{entity}/by-code/{key}"}), &[]),
            ("rest", json!({"id_field": "id"}), &["connector.find.url"]),
            ("odata", json!({"id_field": "id"}), &[]),
            ("odata", json!({"id_field": "", "url": "x?{key}"}), &["connector.find.id_field", "connector.find.url"]),
        ] {
            assert_eq!(wrong(kind, &json!({"find": find}), "plain"), mistakes, "{kind} {find}");
        }
        for url in [
            "",
            "{entity}",
            "{key}?{key}",
            "../{key}",
            "https://evil/{key}",
            "{entity}?q={key}#a",
            "x:y/{key}",
            "{id}?{key}",
        ] {
            let find = json!({"find": {"id_field": "id", "url": url}});
            assert_eq!(wrong("rest", &find, "plain"), ["connector.find.url"], "{url}");
        }
    }

    #[test]
    fn what_would_make_a_second_record_is_refused() {
        let find = json!({"id_field": "id", "url": "{entity}?code={key}"});
        assert_eq!(wrong("rest", &json!({"find": find}), "versioned"), ["capability"]);
        assert_eq!(wrong("rest", &json!({"find": find}), "idempotent"), [""; 0]);
        assert_eq!(wrong("rest", &json!({"find": find, "create": "upsert"}), "plain"), ["connector.create"]);
    }

    #[test]
    fn an_envelope_is_a_pointer_of_a_rest_app() {
        for (kind, pointer, is_wrong) in [
            ("rest", "/data", false),
            ("rest", "/data/attributes", false),
            ("odata", "/data", true),
            ("rest", "", true),
            ("rest", "data", true),
            ("rest", "/", true),
            ("rest", "/a//b", true),
        ] {
            let wanted: &[&str] = if is_wrong { &["connector.envelope"] } else { &[] };
            assert_eq!(wrong(kind, &json!({"envelope": pointer}), "plain"), wanted, "{kind} {pointer}");
        }
    }
}
