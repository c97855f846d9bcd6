//! What apps in the field send and answer, against the deployed bundle: each of these once went wrong. What the sample apps can
//! play is in `habits` and `presets`.

mod answers;
mod copies;
mod damaged;
mod echoes;
mod failing;
mod lists;
mod stub;
mod values;

use reqwest::Method;
use serde_json::{Value, json};

use self::stub::Stub;
use crate::{cap::bench::settled, stack::World, values::id};

/// Two apps with a map between them, of a test's own.
struct Trial<'a> {
    world: &'a World,
    map: String,
    a: Stub,
    b: Stub,
}

impl<'a> Trial<'a> {
    /// `with` is merged into the map's settings; the map carries `name` unless it says otherwise.
    async fn start(world: &'a World, name: &str, of_b: Value, with: Value) -> Self {
        let (a, b) = (Stub::start().await, Stub::start().await);
        for (stub, at, more) in [(&a, "a", json!({})), (&b, "b", of_b)] {
            let mut side = json!({
                "connector": {"kind": "odata", "base_url": stub.url, "create": "upsert"},
                "capability": "idempotent", "reports_own_writes": false, "longest_transaction_ms": 0,
                "call_life_ms": 6_000, "request_timeout_ms": 5_000,
            });
            merge(&mut side, &more);
            world.admin.put(&format!("/sides/{name}-{at}"), &side).await.expect("admin takes the side");
        }
        let end = |at: &str| json!({"side": format!("{name}-{at}"), "entity": "Things", "key_field": "key"});
        let mut map = json!({"sides": [end("a"), end("b")], "fields": [field(name, "name", "")]});
        merge(&mut map, &with);
        let trial = Self { world, map: format!("trial-{name}"), a, b };
        world.admin.put(&trial.path(""), &map).await.expect("admin takes the map");
        trial.command("run", json!({})).await;
        trial
    }

    fn path(&self, rest: &str) -> String {
        format!("/maps/{}{rest}", self.map)
    }

    async fn command(&self, command: &str, mut with: Value) {
        with["reason"] = json!("a test");
        // Functions remember a map for a second.
        let command = if command == "pause" { "pause?wait=20" } else { command };
        self.world.admin.post(&self.path(&format!("/{command}")), &with).await.expect("the map takes the command");
    }

    /// `a` reports a change that stands already.
    async fn report(&self, key: &str, record: Value) -> local::Answer {
        self.send(key, json!({"record": record, "mode": "committed"})).await
    }

    /// The same by `b`.
    async fn report_by_b(&self, key: &str, record: Value) -> local::Answer {
        let origin = format!("{}-b", self.map.trim_start_matches("trial-"));
        self.send(key, json!({"record": record, "mode": "committed", "origin": origin})).await
    }

    async fn send(&self, key: &str, with: Value) -> local::Answer {
        let origin = format!("{}-a", self.map.trim_start_matches("trial-"));
        let mut write = json!({"id": id(), "map": self.map, "key": key, "op": "upsert", "origin": origin});
        merge(&mut write, &with);
        self.world.sync_write.send(&write).await.expect("sync-write answers")
    }

    async fn settled(&self, key: &str) {
        settled(self.world, &self.map, key).await;
    }

    async fn get(&self, path: &str) -> Value {
        self.world.admin.get(&self.path(path)).await.unwrap_or_else(|error| panic!("{path}: {error:#}"))
    }

    /// A command on the next entry of some records; each must be done.
    async fn of_each(&self, command: &str, keys: &[String], seq: u64) {
        let entries: Vec<_> = keys.iter().map(|key| json!({"key": key, "seq": seq})).collect();
        let request = json!({"command": command, "entries": entries, "reason": "a test"});
        let told = self.world.admin.post(&self.path("/entries"), &request).await.expect("admin answers");
        let results = told["results"].as_array().expect("a list");
        assert!(results.iter().all(|result| result["done"] == true), "{command}: {told}");
    }

    /// Both apps answer as usual, and nothing waits: what this test has left must not keep the sweep busy.
    async fn end(self) {
        self.a.is_well();
        self.b.is_well();
        let stop = json!({"reason": "the test is over"});
        let stopped = self.world.admin.call(Method::POST, &self.path("/stop"), Some(&stop)).await;
        assert!(stopped.expect("admin answers").status < 300);
    }
}

/// A field that has the same name in both apps.
fn field(trial: &str, name: &str, kind: &str) -> Value {
    let both = |value: &str| json!({format!("{trial}-a"): value, format!("{trial}-b"): value});
    let mut field = json!({"names": both(name)});
    if !kind.is_empty() {
        field["types"] = both(kind);
    }
    field
}

fn merge(into: &mut Value, from: &Value) {
    for (name, value) in from.as_object().into_iter().flatten() {
        if value.is_object() && into[name].is_object() {
            merge(&mut into[name], value);
        } else {
            into[name] = value.clone();
        }
    }
}
