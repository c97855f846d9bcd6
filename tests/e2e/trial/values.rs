//! Values and keys.

use serde_json::{Value, json};

use super::{Trial, field};
use crate::{stack::together, values::key};

#[test]
fn digits_and_dates_arrive_as_they_were_sent_also_through_a_pause() {
    together(async |world| {
        let fields = json!({"fields": [
            field("digits", "amount", "decimal"), field("digits", "count", ""), field("digits", "day", "date"),
        ]});
        let trial = Trial::start(world, "digits", json!({}), fields).await;
        for paused in [false, true] {
            if paused {
                trial.command("pause", json!({})).await;
            }
            let cases = [
                ("1884518522.1684267241", "123456789012345678901234", "2026-11-24T00:00:00+01:00"),
                ("0.000008675", "18446744073709551616", "2026-11-24"),
                ("12345678901234.5678", "9007199254740993", "9999-12-31"),
            ];
            let keys: Vec<String> = cases.iter().map(|_| key("DIGITS")).collect();
            for (key, (amount, count, day)) in keys.iter().zip(cases) {
                let number = |text: &str| serde_json::from_str::<Value>(text).expect("a number");
                let told =
                    trial.report(key, json!({"amount": number(amount), "count": number(count), "day": day})).await;
                assert_eq!(told.status, if paused { 202 } else { 200 }, "{told:?}");
            }
            if paused {
                trial.command("resume", json!({})).await;
            }
            for (key, (amount, count, day)) in keys.iter().zip(cases) {
                trial.settled(key).await;
                let sent = trial.b.writes_of(key)[0].body.clone();
                assert!(sent.contains(&format!("\"amount\":{amount}")), "{sent}");
                assert!(sent.contains(&format!("\"count\":{count}")) && sent.contains(&day[..10]), "{sent}");
            }
        }
        trial.end().await;
    });
}

#[test]
fn spellings_of_a_key_that_the_map_calls_equal_name_one_record_in_order() {
    together(async |world| {
        let trial =
            Trial::start(world, "spelling", json!({}), json!({"key_rule": {"trim": true, "case": "upper"}})).await;
        let canonical = key("C");
        trial.command("pause", json!({})).await;
        let spellings = [canonical.clone(), canonical.to_lowercase(), format!(" {canonical} ")];
        for (at, spelling) in spellings.iter().cycle().take(6).enumerate() {
            let told = trial.report(spelling, json!({"name": format!("v{at}")})).await;
            assert_eq!((told.status, &told.body["ahead"]), (202, &json!(at)), "{told:?}");
        }
        trial.command("resume", json!({})).await;
        trial.settled(&canonical).await;
        let names: Vec<_> = trial.b.writes_of(&canonical).into_iter().map(|asked| asked.body).collect();
        assert_eq!(names, (0..6).map(|at| format!("{{\"name\":\"v{at}\"}}")).collect::<Vec<_>>());
        trial.end().await;
    });
}

#[test]
fn forty_writes_with_ids_of_one_millisecond_in_any_order_are_all_taken() {
    together(async |world| {
        let trial = Trial::start(world, "ids", json!({}), json!({})).await;
        let key = key("IDS");
        let made_at = u128::from(crate::settled::now().0) << 80;
        for n in 0..40_u128 {
            let id = ulid::Ulid(made_at | (n * 7_919 % 41) << 40);
            let told = trial.send(&key, json!({"id": id.to_string(), "record": {"name": format!("v{n}")}})).await;
            assert_eq!((told.status, told.text("status")), (200, "written"), "{n}: {told:?}");
        }
        let first = ulid::Ulid(made_at);
        let again = trial.send(&key, json!({"id": first.to_string(), "record": {"name": "v0"}})).await;
        assert_eq!((again.status, again.text("code")), (409, "write_id_too_old"), "{again:?}");
        assert_eq!(trial.b.record(&key), Some(json!({"name": "v39"})));
        trial.end().await;
    });
}

#[test]
fn a_rest_app_keeps_the_fields_that_the_map_does_not_carry() {
    together(async |world| {
        let rest = json!({"connector": {"kind": "rest"}});
        let trial = Trial::start(world, "merge", rest, json!({})).await;
        let key = key("REST");
        trial.b.put(&key, json!({"name": "Ada", "colour": "red"}));
        let told = trial.report(&key, json!({"name": "Bob"})).await;
        assert_eq!((told.status, told.text("status")), (200, "written"), "{told:?}");
        assert_eq!(trial.b.record(&key), Some(json!({"name": "Bob", "colour": "red"})));
        trial.end().await;
    });
}

#[test]
fn a_record_that_is_nested_too_deep_is_refused_at_the_door_and_hides_nothing() {
    together(async |world| {
        let trial = Trial::start(world, "nested", json!({}), json!({})).await;
        trial.command("pause", json!({})).await;
        let nested = (0..124).fold(json!(1), |inner, _| json!([inner]));
        let key = key("DEEP");
        let told = trial.report(&key, json!({"name": nested})).await;
        assert_eq!(told.status, 400, "{told:?}");
        assert!(told.body.to_string().contains("nests lists and objects"), "{told:?}");
        assert_eq!(trial.report(&key, json!({"name": "flat"})).await.status, 202);
        for list in ["/queue", "/queue/entries", "/open"] {
            world.admin.get(&trial.path(list)).await.expect("it is listed");
        }
        trial.command("resume", json!({})).await;
        trial.settled(&key).await;
        assert_eq!(trial.b.record(&key), Some(json!({"name": "flat"})));
        trial.end().await;
    });
}
