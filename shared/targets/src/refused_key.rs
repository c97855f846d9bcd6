//! Refusals of a key because of its characters. IIS, Apache, Tomcat and many proxies refuse a path with an encoded `/`
//! or `+` without asking the app.

use app::ports::RecordAddress;
use domain::{
    ErrorClass, Failure,
    failure::CallEffect,
    side::{Connector, ConnectorKind, KeyEncoding, KeyStyle},
};
use reqwest::StatusCode;

use crate::answer::Answer;

/// Characters that servers are known to refuse in a path even if they are encoded.
const REFUSED: &str = "/\\+#%&:*?<>\"|";

/// A key in a path, with characters that servers are known to refuse there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct KeyInPath {
    field: String,
    key: String,
    suspects: String,
    is_odata: bool,
    help: &'static str,
}

impl KeyInPath {
    /// Finds the suspect characters of a record's key. `None`: it has none, or it is not in the path.
    pub(crate) fn of(connector: &Connector, record: &RecordAddress) -> Option<Self> {
        let is_odata = connector.protocol() == ConnectorKind::Odata;
        if is_odata && connector.key_style() == KeyStyle::Alias {
            return None;
        }
        let parts: Vec<_> = record.parts().ok()?.into_iter().map(|part| part.text).collect();
        let is_in_key = |suspect: &char| parts.iter().any(|part| part.contains(*suspect));
        let suspects: String = REFUSED.chars().filter(is_in_key).collect();
        let help = match (is_odata, connector.key_encoding) {
            (true, KeyEncoding::Once) => "try `connector.key_style`: `alias`, or `connector.key_encoding`: `twice`",
            (true, KeyEncoding::Twice) => "try `connector.key_style`: `alias`",
            (false, KeyEncoding::Once) => "let that server accept it, or try `connector.key_encoding`: `twice`",
            (false, KeyEncoding::Twice) => "let that server accept it",
        };
        let (field, key) = (record.key_field.clone(), parts.join(", "));
        (!suspects.is_empty()).then_some(Self { field, key, suspects, is_odata, help })
    }
}

impl Answer {
    /// The failure of a request, if a server seems to have refused its path because of the record's key. It concerns
    /// this record and the settings, so its class is `mapping`. A web page with 404 may also mean that the app is down,
    /// so its effect is not a refusal.
    pub(crate) fn refused_key(&self) -> Option<Failure> {
        let key = self.key_in_path.as_ref()?;
        let effect = match self.status {
            StatusCode::BAD_REQUEST => CallEffect::Refused,
            StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED if self.is_page() => CallEffect::NotApplied,
            StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED => CallEffect::Refused,
            _ => return None,
        };
        if !self.is_of_another_server(key.is_odata) {
            return None;
        }
        let KeyInPath { field, key, suspects, help, .. } = key;
        let (status, said) = (self.status.as_u16(), self.said().message);
        let said = said.map(|said| format!(". It says: {said}")).unwrap_or_default();
        let message = format!(
            "HTTP {status}, and not in the app's words: a server seems to refuse the key `{key}` for {suspects} in a path; \
             {help}{said}"
        );
        let message = self.blot(message);
        Some(Failure::new(ErrorClass::Mapping, effect, Some(field.clone()), &message))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::*;

    fn suspects(more: serde_json::Value, fixed: serde_json::Value, key: &str) -> Option<(String, &'static str)> {
        let mut connector = json!({"kind": "odata", "base_url": "https://a/"});
        connector.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let (entity, key_field, key) = ("e".to_owned(), "k".to_owned(), key.parse().unwrap());
        let (key_types, fixed_key) = (BTreeMap::new(), serde_json::from_value(fixed).unwrap());
        let record = RecordAddress { entity, key_field, key_types, fixed_key, key };
        KeyInPath::of(&serde_json::from_value(connector).unwrap(), &record).map(|key| (key.suspects, key.help))
    }

    #[test]
    fn only_characters_that_stand_in_the_path_are_suspect_and_the_help_is_what_is_not_set_yet() {
        for key in ["C-1", "O'Neil, (Jr.) & Sons".trim_end_matches(" & Sons"), "ü ; = @ !"] {
            assert_eq!(suspects(json!({}), json!({"n": 7}), key), None, "{key}");
        }
        for suspect in REFUSED.chars() {
            let (found, _) = suspects(json!({}), json!({}), &format!("A{suspect}1")).unwrap();
            assert_eq!(found, suspect.to_string());
        }
        assert_eq!(suspects(json!({}), json!({"company": "a+b"}), "A/1").unwrap().0, "/+");
        assert_eq!(suspects(json!({"key_style": "alias"}), json!({}), "A/1"), None);
        for (more, says) in [
            (json!({}), "`alias`, or"),
            (json!({"key_encoding": "twice"}), "try `connector.key_style`: `alias`"),
            (json!({"kind": "http"}), "accept it, or try `connector.key_encoding`"),
            (json!({"kind": "http", "key_encoding": "twice"}), "let that server accept it"),
        ] {
            let (_, help) = suspects(more, json!({}), "A/1").unwrap();
            assert!(help.contains(says), "{help}");
        }
    }
}
