//! Writes that neither app has yet: both are written, in the map's order.

use serde_json::json;

use crate::{
    outages::open_lane,
    pause::path,
    settled::applied,
    stack::together,
    values::{customer, id, key, same, write},
};

#[test]
fn when_the_first_app_refuses_nothing_is_written() {
    together(async |world| {
        let (key, id) = (key("FIRST"), id());
        // Finance takes no name as long as this; crm would.
        let request = write(&id, &key, &customer(&"n".repeat(120), 1));
        let told = world.sync_write.send(&request).await.expect("sync-write answers");
        assert_eq!((told.status, told.text("code")), (422, "refused"), "{told:?}");
        assert_eq!(told.body["app"]["side"], "finance");
        let says = told.body["app"]["message"].as_str().expect("a message");
        assert!(says.contains("must not be longer than 100 characters"), "in finance's own words: {says}");
        let settled = world.settled(&key).await;
        assert_eq!((settled.finance, settled.crm), (None, None));
        let calls = world.crm().calls(&key).await.expect("crm answers");
        assert!(calls.is_empty(), "crm was not even asked: {calls:?}");
        assert_eq!(
            world.sync_write.send(&request).await.expect("sync-write answers").body,
            told.body,
            "the same answer"
        );
    });
}

#[test]
fn when_the_second_app_refuses_the_half_that_is_written_is_shown() {
    together(async |world| {
        let (key, id) = (key("SECOND"), id());
        let request = write(&id, &key, &customer("Contoso", 2_000_000));
        let told = world.sync_write.send(&request).await.expect("sync-write answers");
        assert_eq!((told.status, told.text("status")), (202, "parked"), "{told:?}");
        assert_eq!(
            (&told.body["half_written"], &told.body["failure"]["side"]),
            (&json!(true), &json!("crm")),
            "{told:?}"
        );
        let record = world.record(&key).await;
        assert!(record.finance.is_some() && record.crm.is_none(), "{record:?}");
        let lane = open_lane(world, &key).await.expect("operators see it");
        assert_eq!((&lane["state"], &lane["half_written"]), (&json!("parked"), &json!(true)), "{lane}");
        assert_eq!(lane["last_failure"]["code"], "0x80040265", "{lane}");
        let again = world.sync_write.send(&request).await.expect("sync-write answers");
        assert_eq!((again.status, again.text("status")), (202, "parked"), "{again:?}");
        let fate = world.sync_write.look_up(local::MAP, &key, &id).await.expect("sync-write answers");
        assert_eq!((fate.status, fate.text("status")), (200, "parked"), "{fate:?}");
        assert_eq!(applied(world.finance(), &key).await, 1);
        // Another record is none the worse for it.
        let other = format!("{key}-2");
        let told = world.sync_write.send(&write(&crate::values::id(), &other, &customer("Other", 1))).await;
        assert_eq!(told.expect("sync-write answers").status, 200);
        let settled = world.settled(&other).await;
        assert!(same(settled.finance.as_ref(), settled.crm.as_ref()) && settled.crm.is_some());
        // Edited, it is another request, for finance too.
        let edit = json!({"command": "edit", "record": {"CreditLimit": 900_000}, "reason": "to see",
                          "entries": [{"key": key, "seq": lane["seq"]}]});
        let told = world.admin.post(&path("entries"), &edit).await.expect("admin answers");
        assert_eq!(told["results"][0]["done"], json!(true), "{told}");
        let settled = world.settled(&key).await;
        assert!(same(settled.finance.as_ref(), settled.crm.as_ref()), "{settled:?}");
        assert_eq!(settled.crm.expect("crm has it")["creditlimit"].as_f64(), Some(900_000.0));
    });
}
