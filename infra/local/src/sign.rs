//! `cargo local sign`: authenticates a sample event anew, for the run that is up.

use std::path::Path;
use std::time::SystemTime;

use anyhow::Context;
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::Value;
use standardwebhooks::{HEADER_WEBHOOK_ID, HEADER_WEBHOOK_SIGNATURE, HEADER_WEBHOOK_TIMESTAMP, Webhook};

use crate::endpoints::Endpoints;

/// Reads a function URL event and returns it as its caller would send it now. A signed request gets a new id, time and
/// signature. A request with a bearer token gets the token of this run. Any other event stays as it is.
pub(crate) fn sign_file(event: &Path, endpoints: &Endpoints) -> anyhow::Result<String> {
    let text = std::fs::read(event).with_context(|| format!("{} cannot be read", event.display()))?;
    let event: Value = serde_json::from_slice(&text).with_context(|| format!("{} is not JSON", event.display()))?;
    let id = ulid::Ulid::generate().to_string();
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?.as_secs();
    Ok(serde_json::to_string_pretty(&sign(event, endpoints, &id, now.cast_signed())?)? + "\n")
}

fn sign(mut event: Value, endpoints: &Endpoints, id: &str, seconds: i64) -> anyhow::Result<Value> {
    let header = |name: &str| event.pointer(&format!("/headers/{name}")).and_then(Value::as_str).map(str::to_owned);
    if header("authorization").is_some_and(|value| value.starts_with("Bearer ")) {
        let token = endpoints.tokens.get("admin").context("the run has no admin token")?;
        event["headers"]["authorization"] = format!("Bearer {token}").into();
        return Ok(event);
    }
    let Some(sample_id) = header(HEADER_WEBHOOK_ID) else { return Ok(event) };
    let in_base64 = event["isBase64Encoded"] == true;
    let body = event.get("body").and_then(Value::as_str).map(|text| match in_base64 {
        true => Ok(String::from_utf8(STANDARD.decode(text)?)?),
        false => Ok::<_, anyhow::Error>(text.to_owned()),
    });
    // The id of the message is the id of the write: a new message is a new write.
    let body = body.transpose().context("the body is not text")?.map(|body| body.replace(&sample_id, id));
    let signed = body.as_deref().unwrap_or_default();
    event["headers"][HEADER_WEBHOOK_SIGNATURE] =
        Webhook::new(&endpoints.hmac_secret)?.sign(id, seconds, signed.as_bytes())?.into();
    event["headers"][HEADER_WEBHOOK_ID] = id.into();
    event["headers"][HEADER_WEBHOOK_TIMESTAMP] = seconds.to_string().into();
    if let Some(body) = body {
        event["body"] = if in_base64 { STANDARD.encode(body) } else { body }.into();
    }
    Ok(event)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::*;

    const ID: &str = "01KB1AAAAAAAAAAAAAAAAAAAAA";

    fn endpoints() -> Endpoints {
        Endpoints {
            tokens: BTreeMap::from([("admin".to_owned(), "of-this-run".to_owned())]),
            hmac_secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".to_owned(),
            ..Endpoints::default()
        }
    }

    fn sample(headers: Value, body: &str, in_base64: bool) -> Value {
        json!({"rawPath": "/writes", "headers": headers, "isBase64Encoded": in_base64, "body": body})
    }

    fn verify(event: &Value, body: &str) {
        let signature = Webhook::new(&endpoints().hmac_secret).unwrap().sign(ID, 7, body.as_bytes()).unwrap();
        let wanted = json!({"webhook-id": ID, "webhook-timestamp": "7", "webhook-signature": signature});
        assert_eq!(event["headers"], wanted);
    }

    #[test]
    fn a_signed_event_is_a_new_write_with_a_signature_of_its_own() {
        let headers = json!({"webhook-id": "old", "webhook-timestamp": "1", "webhook-signature": "v1,x"});
        let signed = sign(sample(headers.clone(), r#"{"id": "old"}"#, false), &endpoints(), ID, 7).unwrap();
        let body = format!(r#"{{"id": "{ID}"}}"#);
        assert_eq!(signed["body"], body);
        verify(&signed, &body);
        let encoded = sample(headers, &STANDARD.encode(r#"{"id": "old"}"#), true);
        let signed = sign(encoded, &endpoints(), ID, 7).unwrap();
        assert_eq!(signed["body"], STANDARD.encode(&body));
        verify(&signed, &body);
    }

    #[test]
    fn an_operators_event_has_the_token_of_this_run_and_other_events_stay_as_they_are() {
        let event = sample(json!({"authorization": "Bearer tnd_first"}), "", false);
        let signed = sign(event, &endpoints(), ID, 7).unwrap();
        assert_eq!(signed["headers"]["authorization"], "Bearer of-this-run");
        let scheduled = json!({"source": "aws.scheduler", "detail": {}});
        assert_eq!(sign(scheduled.clone(), &endpoints(), ID, 7).unwrap(), scheduled);
    }

    #[test]
    fn a_file_that_is_no_event_is_named() {
        let error = sign_file(Path::new("/nonexistent.json"), &endpoints()).unwrap_err();
        assert!(error.to_string().contains("/nonexistent.json"), "{error}");
    }
}
