//! A function that gets the table's stream through a filter: what becomes of an outbox attribute, and nothing else.

use std::{fs, time::Duration, time::Instant};

use aws_sdk_dynamodb::types::AttributeValue;
use base64::{Engine, engine::general_purpose::STANDARD};
use flate2::Crc;
use reqwest::Method;
use serde_json::{Value, json};

use crate::emulator::{run, table, url};

/// A function that notes each event it is given in a file.
const FUNCTION: &str = r#"#!/usr/bin/env python3
import os, urllib.request
invocation = "http://" + os.environ["AWS_LAMBDA_RUNTIME_API"] + "/2018-06-01/runtime/invocation/"
while True:
    with urllib.request.urlopen(invocation + "next") as event:
        request, body = event.headers["Lambda-Runtime-Aws-Request-Id"], event.read()
    with open(os.environ["NOTES"], "ab") as notes:
        notes.write(body + b"\n")
    urllib.request.urlopen(urllib.request.Request(invocation + request + "/response", data=b"{}"))
"#;
const DEADLINE: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(100);

#[test]
fn a_filtered_stream_brings_what_has_an_outbox_in_order_and_nothing_else() {
    run(async {
        let (db, table) = table().await;
        let described = db.describe_table().table_name(&table).send().await.expect("it is there");
        let stream = described.table.and_then(|table| table.latest_stream_arn).expect("it has a stream");
        let role = role(&table).await;
        let notes = std::env::temp_dir().join(format!("{table}.notes"));
        let function = json!({
            "FunctionName": table, "Runtime": "provided.al2023", "Handler": "bootstrap",
            "Role": role, "Timeout": 30,
            "Code": {"ZipFile": STANDARD.encode(zip("bootstrap", FUNCTION.as_bytes()))},
            "Environment": {"Variables": {"NOTES": notes, "PATH": std::env::var("PATH").unwrap_or_default()}},
        });
        lambda(Method::POST, "functions", &function).await;
        let pattern = json!({"dynamodb": {"NewImage": {"outbox": {"S": [{"exists": true}]}}}});
        let mapping = json!({
            "EventSourceArn": stream, "FunctionName": table, "StartingPosition": "TRIM_HORIZON", "BatchSize": 10,
            "FilterCriteria": {"Filters": [{"Pattern": pattern.to_string()}]},
        });
        lambda(Method::POST, "event-source-mappings", &mapping).await;
        let text = |text: &str| AttributeValue::S(text.to_owned());
        for (sk, outbox) in [("1", false), ("2", true), ("3", false), ("2", false), ("4", true), ("5", true)] {
            let put = db.put_item().table_name(&table).item("pk", text("p")).item("sk", text(sk));
            let put = if outbox { put.item("outbox", text("paused by a rule")) } else { put };
            put.send().await.expect("it is put");
        }
        let deadline = Instant::now() + DEADLINE;
        loop {
            let seen = keys(&fs::read_to_string(&notes).unwrap_or_default());
            if seen.last().is_some_and(|last| last == "5") {
                assert_eq!(seen, ["2", "4", "5"]);
                break;
            }
            assert!(Instant::now() < deadline, "only {seen:?} came");
            tokio::time::sleep(POLL).await;
        }
        lambda(Method::DELETE, &format!("functions/{table}"), &Value::Null).await;
        let _gone = fs::remove_file(notes);
    });
}

/// The sort keys of all records of all events.
fn keys(notes: &str) -> Vec<String> {
    let events = notes.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let records = events.flat_map(|event| event["Records"].as_array().cloned().unwrap_or_default());
    records.filter_map(|record| Some(record["dynamodb"]["Keys"]["sk"]["S"].as_str()?.to_owned())).collect()
}

/// A role for a function that reads streams.
async fn role(name: &str) -> String {
    let allow = |rest: Value| {
        let mut statement = json!({"Effect": "Allow"});
        statement.as_object_mut().expect("an object").extend(rest.as_object().expect("an object").clone());
        json!({"Version": "2012-10-17", "Statement": [statement]}).to_string()
    };
    let trust = allow(json!({"Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}));
    let reads = ["dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:ListStreams"];
    let reads = allow(json!({"Action": reads, "Resource": "*"}));
    for (action, document, text) in
        [("CreateRole", "AssumeRolePolicyDocument", trust), ("PutRolePolicy", "PolicyDocument", reads)]
    {
        let asked =
            [("Action", action), ("Version", "2010-05-08"), ("RoleName", name), ("PolicyName", "s"), (document, &text)];
        let asked: Vec<_> = asked.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
        let request = owner(Method::POST, "iam", "").await.body(asked.join("&"));
        send(request.header("content-type", "application/x-www-form-urlencoded"), action).await;
    }
    format!("arn:aws:iam::000000000000:role/{name}")
}

fn encoded(text: &str) -> String {
    reqwest::Url::parse_with_params("http://x/", [("x", text)]).expect("a URL").query().unwrap_or_default()[2..]
        .to_owned()
}

async fn lambda(method: Method, path: &str, body: &Value) {
    send(owner(method, "lambda", &format!("/2015-03-31/{path}")).await.json(body), path).await;
}

/// A request of the account's owner.
async fn owner(method: Method, service: &str, path: &str) -> reqwest::RequestBuilder {
    let scope = format!("20260101/{}/{service}/aws4_request", local::REGION);
    let client = reqwest::Client::builder().no_proxy().build().expect("a client");
    client
        .request(method, format!("{}{path}", url().await))
        .header("authorization", format!("AWS4-HMAC-SHA256 Credential=test/{scope}, SignedHeaders=host, Signature=0"))
}

async fn send(request: reqwest::RequestBuilder, what: &str) {
    let answer = request.send().await.expect("the emulator answers");
    let (status, text) = (answer.status(), answer.text().await.unwrap_or_default());
    assert!(status.is_success(), "{what}: {status} {text}");
}

/// An archive with one program in it, not compressed.
fn zip(name: &str, content: &[u8]) -> Vec<u8> {
    let mut sum = Crc::new();
    sum.update(content);
    let short = |n: usize| u16::try_from(n).expect("small").to_le_bytes();
    let long = |n: usize| u32::try_from(n).expect("small").to_le_bytes();
    let mut common = [20u16, 0, 0, 0, 33].map(u16::to_le_bytes).concat(); // version, flags, method, time, date
    common.extend([sum.sum().to_le_bytes(), long(content.len()), long(content.len())].concat());
    common.extend([short(name.len()), short(0)].concat());
    let file = [b"PK\x03\x04", &common[..], name.as_bytes(), content].concat();
    let rest = [&[0; 6][..], &(0o100_755_u32 << 16).to_le_bytes(), &long(0)].concat(); // comment, disk, modes, place
    let entry = [b"PK\x01\x02\x14\x03", &common[..], &rest, name.as_bytes()].concat();
    let end = [&[0; 4][..], &short(1), &short(1), &long(entry.len()), &long(file.len()), &[0; 2]].concat();
    [&file[..], &entry, b"PK\x05\x06", &end].concat()
}
