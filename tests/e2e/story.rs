//! The story that `cargo local` tells, as tests.

use serde_json::json;

use crate::{
    settled::applied,
    stack::together,
    values::{customer, id, key, same, write},
};

#[test]
fn an_edit_on_either_page_appears_in_the_other_app() {
    together(async |world| {
        let key = key("STORY");
        let saved = world.finance().edit(&key, customer("Contoso", 50_000)).await.expect("finance answers");
        assert_eq!((saved.status, saved.body["tandem"]["status"].as_str()), (200, Some("written")), "{saved:?}");
        let settled = world.settled(&key).await;
        assert_eq!(settled.crm.expect("crm has it")["name"], "Contoso");

        let saved = world.crm().edit(&key, json!({"creditlimit": 75_000, "customertypecode": 9})).await;
        assert_eq!(saved.expect("crm answers").status, 200);
        let settled = world.settled(&key).await.finance.expect("finance has it");
        assert_eq!((&settled["CreditLimit"], &settled["CustomerGroupId"]), (&json!(75_000), &json!("20")));
        assert_eq!((applied(world.finance(), &key).await, applied(world.crm(), &key).await), (1, 1), "no ping-pong");
    });
}

#[test]
fn a_deletion_on_either_page_deletes_in_the_other_app() {
    together(async |world| {
        for deletes_in_crm in [false, true] {
            let key = key("DELETE");
            let saved = world.finance().edit(&key, customer("Contoso", 1)).await.expect("finance answers");
            assert_eq!(saved.status, 200, "{saved:?}");
            world.settled(&key).await;
            let app = if deletes_in_crm { world.crm() } else { world.finance() };
            let deleted = app.delete(&key).await.expect("the app answers");
            assert_eq!(deleted.status, 200, "{deleted:?}");
            let settled = world.settled(&key).await;
            assert_eq!((settled.finance, settled.crm), (None, None));
            // And the key can be used again.
            assert_eq!(world.crm().edit(&key, json!({"name": "Again"})).await.expect("crm answers").status, 200);
            assert!(world.settled(&key).await.finance.is_some());
        }
    });
}

#[test]
fn the_same_request_twice_changes_nothing_the_second_time() {
    together(async |world| {
        let (key, id) = (key("TWICE"), id());
        let request = write(&id, &key, &customer("Contoso", 80_000));
        let first = world.sync_write.send(&request).await.expect("sync-write answers");
        assert_eq!((first.status, first.text("status")), (200, "written"), "{first:?}");
        let second = world.sync_write.send(&request).await.expect("sync-write answers");
        assert_eq!((second.status, second.text("version")), (200, first.text("version")), "{second:?}");
        world.settled(&key).await;
        assert_eq!((applied(world.finance(), &key).await, applied(world.crm(), &key).await), (1, 1));
    });
}

#[test]
fn a_refused_edit_changes_nothing_and_says_why() {
    together(async |world| {
        let key = key("REFUSED");
        assert_eq!(world.finance().edit(&key, customer("Contoso", 5)).await.expect("finance answers").status, 200);
        let before = world.settled(&key).await;
        let refused = world.finance().edit(&key, json!({"CreditLimit": 2_000_000})).await.expect("finance answers");
        assert_eq!(refused.status, 422, "{refused:?}");
        assert!(refused.text("error").contains("1,000,000"), "{refused:?}");
        assert_eq!(refused.body["problem"]["code"], "refused");
        assert_eq!(world.settled(&key).await, before);
        assert!(same(before.finance.as_ref(), before.crm.as_ref()));
        // A record that never was is not made, either.
        let never = format!("{key}-never");
        assert_eq!(world.finance().edit(&never, customer("x", 2_000_000)).await.expect("finance answers").status, 422);
        let settled = world.settled(&never).await;
        assert_eq!((settled.finance, settled.crm), (None, None));
    });
}
