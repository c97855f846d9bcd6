use serde_json::json;

use super::*;

fn side() -> serde_json::Value {
    json!({"connector": {"kind": "odata", "base_url": "https://erp.example/data/",
           "auth": {"kind": "api_key", "header": "x-api-key", "secret": "ssm:/tandem/erp"}}, "capability": "idempotent"})
}

#[test]
fn a_side_needs_little() {
    let side: SideConfig = serde_json::from_value(side()).unwrap();
    assert_eq!(side.mistakes(), []);
    assert_eq!(side.request_timeout_ms, 10_000);
}

/// What a side was stored with before there were kinds of apps means the same today.
#[test]
fn a_stored_side_with_its_key_style_is_read_and_written_back_as_it_was() {
    let mut stored = side();
    stored["connector"]["key_style"] = json!("quoted");
    let read: SideConfig = serde_json::from_value(stored.clone()).unwrap();
    assert_eq!((read.connector.key_style(), read.connector.protocol()), (KeyStyle::Quoted, ConnectorKind::Odata));
    assert_eq!(serde_json::to_value(&read).unwrap()["connector"]["key_style"], json!("quoted"));
    let rest: SideConfig =
        serde_json::from_value(json!({"connector": {"kind": "rest", "base_url": "https://a/"}})).unwrap();
    assert_eq!(rest.connector.protocol(), ConnectorKind::Http);
}

#[test]
fn an_app_brings_its_key_style_and_query_and_what_a_side_sets_itself_wins() {
    let connector = |kind: &str, more: serde_json::Value| -> Connector {
        let mut all = json!({"kind": kind, "base_url": "https://a/"});
        all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        serde_json::from_value(all).unwrap()
    };
    for (kind, style) in
        [("odata", KeyStyle::Quoted), ("dataverse", KeyStyle::Named), ("business_central", KeyStyle::Bare)]
    {
        assert_eq!(connector(kind, json!({})).key_style(), style, "{kind}");
        assert_eq!(connector(kind, json!({"key_style": "quoted"})).key_style(), KeyStyle::Quoted, "{kind}");
        assert!(connector(kind, json!({})).query().is_empty(), "{kind}");
    }
    let query =
        |more| connector("finance_operations", more).query().into_iter().map(|(a, b)| format!("{a}={b}")).collect();
    let queries: [Vec<_>; 2] = [json!({}), json!({"query": {"cross-company": "false", "x": "1"}})].map(query);
    assert_eq!(queries, [vec!["cross-company=true"], vec!["cross-company=false", "x=1"]]);
}

#[test]
fn a_secret_is_a_reference_never_a_value() {
    let mut inline = side();
    inline["connector"]["auth"]["secret"] = json!("hunter2");
    let error = serde_json::from_value::<SideConfig>(inline).unwrap_err().to_string();
    assert!(error.contains("ssm:/name") && !error.contains("hunter2"), "{error}");
    let named = SecretRef::try_from("secretsmanager:erp/key".to_owned()).unwrap();
    assert_eq!(named.parameter_name(), "/aws/reference/secretsmanager/erp/key");
}

#[test]
fn a_reference_to_a_secret_has_a_kind_and_a_name_and_is_written_back_as_it_was() {
    let longest = format!("ssm:/{}", "n".repeat(507));
    for good in ["ssm:/a", "secretsmanager:a", longest.as_str()] {
        assert_eq!(String::from(SecretRef::try_from(good.to_owned()).unwrap()), good);
    }
    let too_long = format!("{longest}n");
    for bad in ["", "ssm:", "ssm:/", "ssm:name", "secretsmanager:", "env:NAME", "ssm:/a b", "ssm:/ü", &too_long] {
        assert!(SecretRef::try_from(bad.to_owned()).is_err(), "{bad}");
    }
}

#[test]
fn each_setting_is_checked_at_its_limits() {
    let wrong = |path: &str, value: serde_json::Value| {
        let mut side = side();
        *side.pointer_mut(path).unwrap() = value;
        let side: SideConfig = serde_json::from_value(side).unwrap();
        side.mistakes().into_iter().map(|mistake| mistake.field).collect::<Vec<_>>().join(" ")
    };
    let url = |chars: usize| format!("https://erp.example/{}/", "u".repeat(chars - 21));
    for good in ["http://erp/", "https://erp.example:8080/a/b/", &url(1_024)] {
        assert_eq!(wrong("/connector/base_url", json!(good)), "", "{good}");
    }
    for bad in [
        "https://erp/data",
        "https:///data/",
        "https://",
        "//erp/",
        "https://e?a/",
        "https://e#a/",
        "https://u@e/",
        "https://e /",
        &url(1_025),
    ] {
        assert_eq!(wrong("/connector/base_url", json!(bad)), "connector.base_url", "{bad}");
    }
    assert_eq!(wrong("/connector/auth/header", json!("h".repeat(64))), "");
    for bad in [String::new(), "h".repeat(65), "x_key".to_owned()] {
        assert_eq!(wrong("/connector/auth/header", json!(bad)), "connector.auth.header");
    }
    let basic = |user: &str| wrong("/connector/auth", json!({"kind": "basic", "user": user, "secret": "ssm:/s"}));
    assert_eq!(basic(&"u".repeat(256)), "");
    for bad in ["", "a:b", "a\nb", &"u".repeat(257)] {
        assert_eq!(basic(bad), "connector.auth.user");
    }
    let oauth2 = |token_url: &str, client_id: &str| {
        let auth = json!({"kind": "oauth2", "token_url": token_url, "client_id": client_id, "secret": "ssm:/s"});
        wrong("/connector/auth", auth)
    };
    assert_eq!(oauth2("https://login.example/token", "c"), "");
    assert_eq!(oauth2("https://login.example/token?x", "c"), "connector.auth.token_url");
    assert_eq!(oauth2("https://login.example/token", ""), "connector.auth.client_id");
}

#[test]
fn fixed_headers_and_queries_are_checked() {
    let wrong = |name: &str, value: serde_json::Value| {
        let mut side = side();
        side["connector"][name] = value;
        let side: SideConfig = serde_json::from_value(side).unwrap();
        side.mistakes().into_iter().map(|mistake| mistake.field).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(wrong("query", json!({"cross-company": "true", "x": ""})), "");
    assert_eq!(wrong("query", json!({"": "x"})), "connector.query");
    assert_eq!(wrong("headers", json!({"Company": "Contoso Ltd."})), "");
    for (name, value) in
        [("If-Match", "*"), ("Authorization", "x"), ("a b", "x"), ("x", "a\r\nb"), ("x", "ü"), ("", "x")]
    {
        assert_eq!(wrong("headers", json!({name: value})), format!("connector.headers.{name}"));
    }
}

#[test]
fn settings_of_odata_are_refused_elsewhere_and_an_alias_takes_the_key_out_of_the_path() {
    let wrong = |kind: &str, more: serde_json::Value| {
        let mut side = side();
        side["connector"]["kind"] = json!(kind);
        side["connector"].as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let side: SideConfig = serde_json::from_value(side).unwrap();
        side.mistakes().into_iter().map(|mistake| mistake.field).collect::<Vec<_>>().join(" ")
    };
    for kind in ["odata", "dataverse", "finance_operations", "business_central", "sap_odata"] {
        assert_eq!(wrong(kind, json!({"key_style": "alias", "query": {"x": "1"}})), "", "{kind}");
        assert_eq!(wrong(kind, json!({"key_style": "named", "key_encoding": "twice", "query": {"@x": "1"}})), "");
    }
    assert_eq!(wrong("http", json!({"key_encoding": "twice"})), "");
    assert_eq!(wrong("dataverse", json!({"wants_stored_record": true})), "");
    assert_eq!(wrong("http", json!({"wants_stored_record": true})), "connector.wants_stored_record");
    assert_eq!(wrong("http", json!({"key_style": "alias"})), "connector.key_style");
    assert_eq!(wrong("odata", json!({"key_style": "alias", "key_encoding": "twice"})), "connector.key_encoding");
    assert_eq!(wrong("odata", json!({"key_style": "alias", "query": {"@k": "1"}})), "connector.query");
}

#[test]
fn a_write_takes_as_many_requests_as_the_app_needs() {
    let requests = |kind: &str, more: serde_json::Value| {
        let mut connector = json!({"kind": kind, "base_url": "https://a.example/"});
        connector.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let side: SideConfig =
            serde_json::from_value(json!({"connector": connector, "capability": "idempotent"})).unwrap();
        side.requests_per_write()
    };
    assert_eq!(requests("odata", json!({})), 3, "it is read first");
    assert_eq!(requests("odata", json!({"create": "upsert"})), 1);
    assert_eq!(requests("odata", json!({"looks_first": false})), 2);
    assert_eq!(requests("sap_odata", json!({})), 2);
    assert_eq!(requests("dataverse", json!({})), 1);
    assert_eq!(requests("http", json!({})), 2);
    assert_eq!(requests("http", json!({"create": "upsert"})), 1);
    assert_eq!(requests("http", json!({"update": "put"})), 3);
    assert_eq!(requests("http", json!({"delete_url": "{entity}/{key}/delete"})), 3);
    assert_eq!(requests("http", json!({"find": {"id_field": "id", "url": "{entity}?code={key}"}})), 4);
}

#[test]
fn every_mistake_is_named_with_its_field() {
    let mut wrong = side();
    wrong["connector"]["base_url"] = json!("ftp://erp");
    wrong["connector"]["auth"]["header"] = json!("x key");
    wrong["request_timeout_ms"] = json!(60_000);
    let wrong: SideConfig = serde_json::from_value(wrong).unwrap();
    let fields: Vec<_> = wrong.mistakes().into_iter().map(|m| m.field).collect();
    assert_eq!(fields, ["connector.base_url", "connector.auth.header", "request_timeout_ms"]);
}

#[test]
fn a_transaction_is_open_for_two_minutes_unless_the_side_says_otherwise() {
    let mut one = side();
    let config: SideConfig = serde_json::from_value(one.clone()).unwrap();
    assert_eq!(config.longest_transaction_ms, 120_000);
    let stored = serde_json::to_value(&config).unwrap();
    assert!(stored.get("longest_transaction_ms").is_none(), "an older release refuses a member that it does not know");
    for (ms, mistakes) in [(0, 0), (900_000, 0), (900_001, 1)] {
        one["longest_transaction_ms"] = json!(ms);
        let config: SideConfig = serde_json::from_value(one.clone()).unwrap();
        assert_eq!(serde_json::to_value(&config).unwrap()["longest_transaction_ms"], json!(ms));
        assert_eq!(config.mistakes().len(), mistakes, "{ms}");
    }
}

#[test]
fn we_wait_no_longer_than_a_call_lives_and_a_function_runs() {
    let says = |capability: &str, request_timeout_ms: u64, call_life_ms: u64| {
        let mut one = side();
        one["capability"] = json!(capability);
        one["connector"]["create"] = json!("upsert");
        (one["request_timeout_ms"], one["call_life_ms"]) = (json!(request_timeout_ms), json!(call_life_ms));
        let mistakes = serde_json::from_value::<SideConfig>(one).unwrap().mistakes();
        mistakes.into_iter().map(|m| format!("{} {}", m.field, m.message)).collect::<Vec<_>>().join("; ")
    };
    for capability in ["plain", "idempotent", "versioned"] {
        assert_eq!(says(capability, 4_999, 5_000), "");
        let told = says(capability, 5_000, 5_000);
        assert!(told.starts_with("request_timeout_ms must be below call_life_ms, 5000:"), "{capability}: {told}");
    }
    assert_eq!(says("plain", 45_000, 60_000), "");
    assert_eq!(says("plain", 45_001, 60_000), "request_timeout_ms must be 100 to 45000");
    assert_eq!(says("versioned", 15_000, 60_000), "");
    let told = says("versioned", 15_001, 60_000);
    assert_eq!(told, "request_timeout_ms must be 100 to 15000: a write to a versioned side may take three requests");
    let mut posts = side();
    (posts["connector"]["looks_first"], posts["request_timeout_ms"], posts["call_life_ms"]) =
        (json!(false), json!(30_000), json!(60_000));
    let told = serde_json::from_value::<SideConfig>(posts).unwrap().mistakes();
    assert_eq!(told[0].message, "must be 100 to 22500: a write to this side may take two requests");
    assert_eq!(says("plain", 1_000, 0), "call_life_ms must be 1000 to 900000", "one mistake is told once");
}
