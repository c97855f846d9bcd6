//! What an operator is told who tries whether Tandem reaches an app on CAP.

use serde_json::{Value, json};

use super::bench::{bench, side};
use crate::stack::{World, together};

#[test]
fn a_side_is_tested_with_and_without_an_entity() {
    together(async |world| {
        let bench = bench(world).await;
        for entity in ["Customers", "Accounts", "Groups"] {
            let tested = test(world, "ledger", json!({"entity": entity})).await;
            assert_eq!(tested["ok"], true, "{tested}");
        }
        let tested = test(world, "ledger", json!({"entity": "Vendors"})).await;
        assert_eq!(tested["ok"], false, "{tested}");
        assert!(tested.to_string().contains("Invalid resource path"), "{tested}");
        let mut stranger = side(bench.ledger.url(), "plain");
        stranger["connector"]["auth"]["user"] = "nobody".into();
        world.admin.put("/sides/stranger", &stranger).await.expect("admin takes it");
        let tested = test(world, "stranger", json!({})).await;
        assert_eq!((&tested["ok"], &tested["failure"]["class"]), (&json!(false), &json!("auth")), "{tested}");
    });
}

async fn test(world: &World, side: &str, request: Value) -> Value {
    world.admin.post(&format!("/sides/{side}/test"), &request).await.expect("admin answers")
}
