use serde_json::json;

use super::*;

#[test]
fn the_apps_own_words_are_found_in_every_form_in_use() {
    for (body, code, message, explained) in [
        (
            json!({"error": {"code": "0x80040237", "message": "A record with matching key values already exists."}}),
            Some("0x80040237"),
            Some("A record with matching key values already exists."),
            true,
        ),
        (
            json!({"error": {"code": "", "message": "An error has occurred.",
                "innererror": {"message": "Customer group X is not found.", "stacktrace": "at …"}}}),
            None,
            Some("An error has occurred. Customer group X is not found."),
            true,
        ),
        (
            json!({"error": {"code": "x", "message": "Same.", "innererror": {"message": "Same."}}}),
            Some("x"),
            Some("Same."),
            true,
        ),
        (json!({"error": {}}), None, None, false),
        (
            json!({"type": "https://a.example/out-of-credit", "title": "No credit.", "detail": "Balance is 30."}),
            Some("https://a.example/out-of-credit"),
            Some("No credit: Balance is 30."),
            true,
        ),
        (json!({"type": "about:blank", "title": "Bad Request"}), None, Some("Bad Request"), false),
        (json!({"title": "Bad", "detail": "name is empty", "code": 17}), Some("17"), Some("Bad: name is empty"), true),
        (json!({"message": "Bad Request"}), None, Some("Bad Request"), false),
        (json!({"message": "m", "code": "E1"}), Some("E1"), Some("m"), true),
        (
            json!({"error": "invalid_client", "error_description": "AADSTS7000215"}),
            Some("invalid_client"),
            Some("AADSTS7000215"),
            true,
        ),
        (json!({"message": 7, "code": null}), None, None, false),
        (json!(["x"]), None, None, false),
        (json!("x"), None, None, false),
    ] {
        let wanted = Explanation { code: code.map(Into::into), message: message.map(Into::into), explained };
        assert_eq!(explain(&body.to_string(), "application/json"), wanted, "{body}");
    }
}

#[test]
fn a_page_or_a_part_of_an_answer_is_not_listened_to() {
    for body in ["<html>Bad Gateway</html>", "", "{\"message\": \"cut o", "\u{fffd}", "no such host"] {
        assert_eq!(explain(body, "text/html"), Explanation::default());
    }
}

fn said(body: &str, media_type: &str) -> (Option<String>, Option<String>, bool) {
    let Explanation { code, message, explained } = explain(body, media_type);
    (code, message, explained)
}

#[test]
fn the_words_about_single_fields_are_found() {
    for (body, code, message) in [
        (
            json!({"type": "about:blank", "title": "One or more validation errors occurred.",
                   "errors": {"Name": ["The Name field is required.", "Too short"]}}),
            None,
            "One or more validation errors occurred. The Name field is required. Name: Too short",
        ),
        (
            json!({"error": {"code": "SY/530", "message": {"lang": "en", "value": "Customer 4711 is blocked"}}}),
            Some("SY/530"),
            "Customer 4711 is blocked",
        ),
        (
            json!({"error": {"code": "BadRequest", "message": "Invalid input.", "target": "Customer", "details": [
                {"code": "x", "target": "Name", "message": "Provide the missing value."}, {"target": "b", "message": "b is bad"}]}}),
            Some("BadRequest"),
            "Customer: Invalid input. Name: Provide the missing value. b is bad",
        ),
        (
            json!([{"message": "Required fields are missing: [LastName]", "errorCode": "REQUIRED_FIELD_MISSING", "fields": ["LastName"]},
                   {"message": "bad value", "fields": ["City"]}]),
            Some("REQUIRED_FIELD_MISSING"),
            "Required fields are missing: [LastName]; City: bad value",
        ),
        (
            json!({"errors": [{"title": "Invalid Attribute", "detail": "must contain three characters.", "source": {"pointer": "/data/attributes/name"}}]}),
            None,
            "/data/attributes/name: must contain three characters.",
        ),
        (
            json!({"detail": [{"loc": ["body", "limit", 0], "msg": "value is not a valid decimal", "type": "type_error"}]}),
            None,
            "body.limit.0: value is not a valid decimal",
        ),
        (
            json!({"error": {"code": "", "message": "An error has occurred.", "innererror": {"message": "Write failed for table row",
                   "internalexception": {"message": "Customer group X does not exist."}}}}),
            None,
            "An error has occurred. Write failed for table row; Customer group X does not exist.",
        ),
        (
            json!({"message": "Validation failed", "errors": ["name is empty", "limit is negative"]}),
            None,
            "Validation failed; name is empty; limit is negative",
        ),
    ] {
        let (found, says, explained) = said(&body.to_string(), "application/json");
        assert_eq!((found.as_deref(), says.as_deref(), explained), (code, Some(message), true), "{body}");
    }
}

#[test]
fn xml_and_plain_text_are_read_and_html_is_not() {
    let xml = r#"<?xml version="1.0"?><m:error xmlns:m="http://docs.oasis-open.org/odata/ns/metadata"><m:code>005056</m:code>
        <m:message xml:lang="en">Limit &lt; 0 &amp; blocked</m:message></m:error>"#;
    let wanted = (Some("005056".to_owned()), Some("Limit < 0 & blocked".to_owned()), true);
    assert_eq!(said(xml, "application/xml"), wanted);
    let plain = said("The customer is blocked.\n", "text/plain");
    assert_eq!(plain, (None, Some("The customer is blocked.".to_owned()), false));
    for page in ["<!DOCTYPE html><html><body><error>x</error></body></html>", "<html><h1>502</h1></html>"] {
        assert_eq!(said(page, "text/html"), (None, None, false), "{page}");
    }
    assert_eq!(said("<p>login</p>", "text/plain"), (None, None, false));
}

#[test]
fn of_many_messages_the_first_are_taken() {
    let many: Vec<_> = (0..20).map(|n| format!("m{n:02}")).collect();
    let (_, message, _) = said(&json!({"errors": many}).to_string(), "application/json");
    assert_eq!(message.as_deref(), Some("m00; m01; m02; m03; m04"));
}

#[test]
fn an_answer_that_is_nothing_but_messages_by_field_is_the_apps_own_word() {
    let json = "application/json";
    let body = r#"{"name": ["This field is required."], "price": ["A valid number is required."]}"#;
    let says = "name: This field is required. price: A valid number is required.";
    assert_eq!(said(body, json), (None, Some(says.to_owned()), true));
    for other in [r#"{"name": "x"}"#, r#"{"name": []}"#, r#"{"names": ["x"], "id": 7}"#, "{}"] {
        assert_eq!(said(other, json), (None, None, false), "{other}");
    }
    let eve = r#"{"_status": "ERR", "_issues": {"name": "required field"},
        "_error": {"code": 422, "message": "Insertion failure: 1 document(s) contain(s) error(s)"}}"#;
    let (code, message, explained) = said(eve, json);
    assert_eq!((code.as_deref(), explained), (Some("422"), true));
    let message = message.unwrap();
    assert!(message.contains("name: required field") && message.contains("Insertion failure"), "{message}");
}
