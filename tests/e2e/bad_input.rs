//! What must be refused: each is told with the field that is wrong, nothing of it is written, nothing of it is logged.

use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    logs::Logs,
    requests::{Request, Told, seconds},
    stack::{World, together},
    values::{customer, from_finance, id, key},
};

/// Largest body of one write.
const BODY_BYTES_MAX: usize = 256 * 1024;

/// A request that must be refused.
struct Case {
    request: Request,
    status: u16,
    /// The problem's code.
    code: &'static str,
    /// The first field that is named, if the problem is one of fields.
    field: &'static str,
}

/// A write with something in it that no log may hold.
struct Writes {
    key: String,
    canary: String,
}

impl Writes {
    fn new() -> Self {
        Self { key: key("BAD"), canary: format!("canary{}", id()) }
    }

    fn good(&self) -> Value {
        from_finance(&id(), &self.key, &customer(&self.canary, 1), "sync")
    }

    /// A good write with one field changed; null takes it away.
    fn with(&self, field: &str, value: Value) -> Request {
        let mut write = self.good();
        match value {
            Value::Null => drop(write.as_object_mut().expect("an object").remove(field)),
            value => write[field] = value,
        }
        Request::post("/writes", &write)
    }
}

fn refused(request: Request, status: u16, code: &'static str, field: &'static str) -> Case {
    Case { request, status, code, field }
}

fn invalid(request: Request, field: &'static str) -> Case {
    refused(request, 400, "invalid_request", field)
}

fn bodies(writes: &Writes) -> Vec<Case> {
    let with = |field: &str, value: Value| writes.with(field, value);
    let raw = |body: String| Request::new(Method::POST, "/writes", body).header("content-type", "application/json");
    let good = writes.good();
    let canary = &writes.canary;
    let long = customer(&format!("{canary}{}", "x".repeat(BODY_BYTES_MAX)), 1);
    let other_key = json!({"OrganizationName": canary, "CustomerAccount": "other"});
    let in_future = ulid::Ulid::from_parts(ulid::Ulid::generate().timestamp_ms() + 600_000, 1).to_string();
    vec![
        invalid(raw(format!("{{\"id\": \"{canary}")), "body"),
        invalid(raw(format!("[\"{canary}\"]")), "body"),
        invalid(raw(format!("{good} {canary}")), "body"),
        invalid(raw(String::new()), "body"),
        invalid(with("id", json!(5)), "id"),
        invalid(with("id", json!(canary)), "id"),
        invalid(with("id", json!(in_future)), "id"),
        invalid(with("id", Value::Null), "id"), // the signature's message id is none
        invalid(with("map", json!(canary)), "map"),
        invalid(with("map", json!({"is": canary})), "map"),
        invalid(with("map", Value::Null), "body"),
        invalid(with("key", json!("")), "key"),
        invalid(with("key", json!("k".repeat(257))), "key"),
        invalid(with("key", json!(format!("{canary}\n"))), "key"),
        invalid(with("key", json!([canary])), "key"),
        invalid(with("colour", json!(canary)), "colour"),
        invalid(with("op", json!(canary)), "op"),
        invalid(with("op", json!("delete")), "record"),
        invalid(with("mode", json!(canary)), "mode"),
        invalid(with("origin", json!("erp")), "origin"),
        invalid(with("origin", json!(7)), "origin"),
        invalid(with("shape", json!("crm")), "shape"),
        invalid(with("record", json!(canary)), "record"),
        invalid(with("record", Value::Null), "record"),
        invalid(with("record", other_key), "record.CustomerAccount"),
        invalid(with("before", json!([canary])), "before"),
        invalid(with("base", json!(canary)), "base"),
        invalid(with("version", json!(-1)), "version"),
        invalid(with("version", json!(canary)), "version"),
        invalid(with("committed_at", json!(canary)), "committed_at"),
        refused(with("map", json!("suppliers")), 404, "map_not_found", ""),
        refused(with("record", long), 413, "body_too_large", "body"),
        refused(
            with("colour", json!(1)).header("content-type", "text/plain"),
            415,
            "unsupported_media_type",
            "Content-Type",
        ),
        refused(with("colour", json!(1)).without("content-type"), 415, "unsupported_media_type", "Content-Type"),
        invalid(Request::post("/writes/batch", &json!([good])), "body"),
        invalid(Request::post("/writes/batch", &json!({"writes": {"0": good}})), "writes"),
        invalid(Request::post("/writes/batch", &json!({"writes": []})), "writes"),
        invalid(Request::post("/writes/batch", &json!({"writes": vec![&good; 101]})), "writes"),
        invalid(Request::post("/writes/batch", &json!({"writes": [good], "colour": canary})), "colour"),
        invalid(Request::new(Method::GET, &format!("/writes/{canary}?map=customers"), ""), "id"),
        invalid(Request::new(Method::GET, &format!("/writes/{}", id()), ""), "map"),
        refused(
            Request::new(Method::GET, &format!("/writes/{}?map=customers&key=none", id()), ""),
            404,
            "write_not_found",
            "",
        ),
        refused(Request::new(Method::GET, "/writes", ""), 405, "method_not_allowed", ""),
        refused(Request::new(Method::GET, "/elsewhere", ""), 404, "unknown_route", ""),
    ]
}

/// Requests of callers who are not who they say they are, with what they are told.
fn callers(world: &World, writes: &Writes) -> Vec<(Request, &'static str)> {
    let write = || Request::post("/writes", &writes.good());
    let key = &world.stack.endpoints().hmac_secret;
    let other = "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    let mut changed = write().signed(world);
    changed.body.push(b' ');
    vec![
        (write(), "webhook-id is missing"),
        (write().signed(world).without("webhook-id"), "webhook-id is missing"),
        (write().signed(world).without("webhook-timestamp"), "webhook-timestamp is missing"),
        (write().signed(world).without("webhook-signature"), "webhook-signature is missing"),
        (write().signed(world).header("webhook-signature", "v1,AAAA"), "fits none"),
        (write().signed(world).header("webhook-id", "another"), "fits none"),
        (write().signed_with(other, seconds()), "fits none"),
        (changed, "fits none"),
        (write().signed_with(key, seconds() - 400), "minutes old"),
        (write().signed_with(key, seconds() + 400), "in the future"),
        (write().signed(world).header("webhook-timestamp", "soon"), "not a number"),
    ]
}

#[test]
fn a_bad_request_is_told_its_field_and_leaves_no_trace() {
    together(async |world| {
        let writes = Writes::new();
        let logs = Logs::since_now(world);
        let mut cases = bodies(&writes);
        for case in &mut cases {
            case.request = case.request.clone().signed(world);
        }
        let mut requests = cases.len();
        let wrong = mistold(world, cases).await;
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        for (request, says) in callers(world, &writes) {
            let asked = format!("{:?}", request.headers);
            let told = request.send(world).await;
            assert!(is_problem(&told, 401, "unauthenticated"), "{asked}: {told:?}");
            assert!(told.body["detail"].as_str().is_some_and(|detail| detail.contains(says)), "{asked}: {told:?}");
            requests += 1;
        }
        let record = world.record(&writes.key).await;
        assert_eq!((record.finance, record.crm, world.head(&writes.key).await), (None, None, None));

        // And one that is taken: nothing of its body is logged, either.
        let told = Request::post("/writes", &writes.good()).signed(world).send(world).await;
        assert_eq!(told.status, 200, "{told:?}");
        logs.wait_for("sync-write", "request served", requests + 1).await;
        for function in ["sync-write", "resume-drain", "admin"] {
            for secret in [&writes.canary, &writes.key] {
                assert_eq!(logs.find(function, secret).await, Vec::<String>::new(), "in the log of {function}");
            }
        }
    });
}

/// Sends them all; says of each that was told something else than it should be.
async fn mistold(world: &World, cases: Vec<Case>) -> Vec<String> {
    let mut wrong = Vec::new();
    for Case { request, status, code, field } in cases {
        let body = String::from_utf8_lossy(&request.body[..request.body.len().min(300)]).into_owned();
        let asked = format!("{} {} {body}", request.method, request.path);
        let told = request.send(world).await;
        let named = told.body["errors"][0]["field"].as_str().unwrap_or_default();
        if !is_problem(&told, status, code) || named != field {
            wrong.push(format!("{asked}\n  should be {status} {code} `{field}`, is {told:?}"));
        }
    }
    wrong
}

fn is_problem(told: &Told, status: u16, code: &str) -> bool {
    let in_words = |field: &str| told.body[field].as_str().is_some_and(|text| !text.is_empty());
    (told.status, told.body["code"].as_str(), &told.body["status"]) == (status, Some(code), &json!(status))
        && told.kind == "application/problem+json"
        && ["type", "title", "detail"].into_iter().all(in_words)
}

#[test]
fn a_record_that_cannot_be_mapped_is_refused_with_its_field() {
    together(async |world| {
        let key = key("UNMAPPED");
        for (field, value) in
            [("CustomerGroupId", json!("99")), ("OrganizationName", Value::Null), ("OnHold", json!("Maybe"))]
        {
            let mut record = customer("Contoso", 1);
            record[field] = value;
            let request = Request::post("/writes", &from_finance(&id(), &key, &record, "sync")).signed(world);
            let told = request.send(world).await;
            assert_eq!(told.status, 422, "{told:?}");
            assert!(told.body.to_string().contains(field), "{told:?}");
            assert_eq!(told.body["class"], "mapping", "{told:?}");
        }
        let record = world.record(&key).await;
        assert_eq!((record.finance, record.crm), (None, None));
        assert!(world.idle(&key).await);
    });
}

#[test]
fn a_bad_request_of_an_operator_is_told_its_field_and_changes_nothing() {
    together(async |world| {
        let canary = format!("canary{}", id());
        let logs = Logs::since_now(world);
        let before = world.admin.get("/config").await.expect("admin answers");
        let json = |method, path: &str, body: &Value| {
            let request = Request::new(method, path, body.to_string()).header("content-type", "application/json");
            request.for_admin(world, "admin")
        };
        let put = |path: &str, body: &Value| json(Method::PUT, path, body);
        let side = world.admin.get("/sides/crm").await.expect("admin answers")["config"].clone();
        let map = world.admin.get("/maps/customers").await.expect("admin answers")["config"].clone();
        let with = |of: &Value, pointer: &str, value: Value| {
            let mut changed = of.clone();
            *changed.pointer_mut(pointer).expect("it is there") = value;
            changed
        };
        let mut unknown = side.clone();
        unknown["colour"] = json!(canary);
        let cases = vec![
            invalid(
                Request::new(Method::PUT, "/sides/new", "{")
                    .for_admin(world, "admin")
                    .header("content-type", "application/json"),
                "body",
            ),
            invalid(put("/sides/new", &json!([canary])), "body"),
            invalid(put("/sides/new", &unknown), "colour"),
            invalid(put("/sides/New", &side), "side"),
            invalid(put("/sides/new", &with(&side, "/connector/kind", json!(canary))), "connector.kind"),
            invalid(put("/sides/new", &with(&side, "/connector/base_url", json!(canary))), "connector.base_url"),
            invalid(put("/sides/new", &with(&side, "/request_timeout_ms", json!(canary))), "request_timeout_ms"),
            invalid(put("/sides/new", &with(&side, "/capability", json!(canary))), "capability"),
            invalid(put("/maps/new", &with(&map, "/fields/0/names", json!({"finance": 5}))), "fields[0].names.finance"),
            invalid(put("/maps/new", &with(&map, "/sides/0/entity", json!(""))), "sides[0].entity"),
            refused(
                put("/maps/new", &with(&map, "/sides/0/side", json!("erp"))),
                400,
                "invalid_request",
                "fields[0].names.finance",
            ),
            refused(
                put("/maps/customers", &with(&map, "/crossing_window_ms", json!(1))),
                428,
                "version_missing",
                "If-Match",
            ),
            refused(
                put("/sides/crm", &with(&side, "/request_timeout_ms", json!(1_000))).header("if-match", "\"999999\""),
                412,
                "version_changed",
                "If-Match",
            ),
            refused(
                put("/sides/new", &side).header("content-type", "text/plain"),
                415,
                "unsupported_media_type",
                "Content-Type",
            ),
            refused(put("/sides/new", &json!({"colour": "x".repeat(1024 * 1024)})), 413, "body_too_large", "body"),
            refused(put("/sides/new", &side).for_admin(world, "viewer"), 403, "forbidden", "Authorization"),
            refused(put("/sides/new", &side).header("authorization", "Bearer tnd_wrong"), 401, "unauthenticated", ""),
            refused(put("/sides/new", &side).without("authorization"), 401, "unauthenticated", ""),
            invalid(json(Method::POST, "/maps/customers/run", &json!({})), "body"),
            invalid(json(Method::POST, "/maps/customers/stop", &json!({"reason": ""})), "reason"),
            invalid(json(Method::GET, "/maps/customers/open?limit=0", &json!({})), "limit"),
            invalid(json(Method::GET, "/maps/customers/open?colour=red", &json!({})), "colour"),
            refused(json(Method::POST, "/maps/suppliers/run", &json!({"reason": canary})), 404, "map_not_found", ""),
            refused(json(Method::GET, "/sides/erp", &json!({})), 404, "side_not_found", ""),
            refused(json(Method::PATCH, "/sides/crm", &json!({})), 405, "method_not_allowed", ""),
            refused(json(Method::GET, "/elsewhere", &json!({})), 404, "unknown_route", ""),
        ];
        let requests = cases.len();
        let wrong = mistold(world, cases).await;
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        assert_eq!(world.admin.get("/config").await.expect("admin answers"), before);
        logs.wait_for("admin", "request served", requests).await;
        assert_eq!(logs.find("admin", &canary).await, Vec::<String>::new());
    });
}
