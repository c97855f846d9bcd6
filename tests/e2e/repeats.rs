//! The same id: the same answer, one effect.

use futures::future::join_all;
use serde_json::json;

use crate::{
    settled::applied,
    stack::together,
    values::{customer, id, key, write},
};

/// One request, sent so often at once.
const AT_ONCE: usize = 10;
/// More writes than a lane remembers answers of.
const MANY: u32 = 18;

#[test]
fn an_id_stands_for_one_request() {
    together(async |world| {
        let (key, id) = (key("REUSED"), id());
        let first = write(&id, &key, &customer("Contoso", 1));
        assert_eq!(world.sync_write.send(&first).await.expect("sync-write answers").status, 200);
        let mut other_mode = first.clone();
        other_mode["mode"] = json!("committed");
        for other in [write(&id, &key, &customer("Contoso", 2)), other_mode] {
            let told = world.sync_write.send(&other).await.expect("sync-write answers");
            assert_eq!((told.status, told.text("code")), (409, "write_id_reused"), "{told:?}");
        }
        let settled = world.settled(&key).await;
        assert_eq!(settled.finance.expect("it is there")["CreditLimit"], 1);
        assert_eq!(applied(world.crm(), &key).await, 1);
    });
}

#[test]
fn many_at_once_have_one_effect_and_one_answer() {
    together(async |world| {
        for _ in 0..3 {
            let (key, id) = (key("AT-ONCE"), id());
            let request = write(&id, &key, &customer("Contoso", 1));
            let told = join_all((0..AT_ONCE).map(|_| world.sync_write.send(&request))).await;
            let told: Vec<_> = told.into_iter().map(|answer| answer.expect("sync-write answers")).collect();
            let (written, others): (Vec<_>, Vec<_>) = told.iter().partition(|answer| answer.status == 200);
            assert!(!written.is_empty(), "{told:?}");
            for answer in &written {
                assert_eq!((answer.text("status"), &answer.body), ("written", &written[0].body), "{told:?}");
            }
            for answer in others {
                assert_eq!((answer.status, answer.text("code")), (409, "write_in_progress"), "{told:?}");
            }
            world.settled(&key).await;
            for app in world.apps() {
                assert_eq!(applied(app, &key).await, 1, "{:?}", app.calls(&key).await);
            }
        }
    });
}

#[test]
fn a_late_repeat_never_overwrites_what_is_newer() {
    together(async |world| {
        let key = key("LATE");
        let request = |id: &str, limit| write(id, &key, &customer("Contoso", limit));
        let first_id = id();
        let first = world.sync_write.send(&request(&first_id, 1)).await.expect("sync-write answers");
        assert_eq!(first.status, 200, "{first:?}");
        assert_eq!(world.sync_write.send(&request(&id(), 2)).await.expect("sync-write answers").status, 200);
        let late = world.sync_write.send(&request(&first_id, 1)).await.expect("sync-write answers");
        assert_eq!((late.status, late.text("version")), (200, first.text("version")), "remembered: {late:?}");
        for limit in 3..=MANY {
            assert_eq!(world.sync_write.send(&request(&id(), limit)).await.expect("sync-write answers").status, 200);
        }
        let late = world.sync_write.send(&request(&first_id, 1)).await.expect("sync-write answers");
        assert_eq!((late.status, late.text("code")), (409, "write_id_too_old"), "forgotten: {late:?}");
        let settled = world.settled(&key).await;
        assert_eq!(settled.finance.expect("it is there")["CreditLimit"], MANY);
        assert_eq!(applied(world.crm(), &key).await, usize::try_from(MANY).expect("few"));
    });
}
