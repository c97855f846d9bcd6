//! Values and keys.

use futures::future::join_all;
use serde_json::{Value, json};

use super::{Trial, field};
use crate::{stack::together, values::key};

#[test]
fn digits_and_dates_arrive_as_they_were_sent_also_through_a_pause() {
    together(async |world| {
        let mut rank = field("digits", "rank", "");
        // Two numbers that a double cannot tell apart.
        rank["values"] = [(9_007_199_254_740_992_u64, "even"), (9_007_199_254_740_993, "odd")]
            .map(|(number, text)| json!({"digits-a": number, "digits-b": text}))
            .into();
        let mut price = field("digits", "price", "decimal");
        price["types"]["digits-a"] = json!("text");
        let fields = json!({"fields": [
            field("digits", "amount", "decimal"), field("digits", "count", ""), field("digits", "day", "date"), rank, price,
        ]});
        let trial = Trial::start(world, "digits", json!({}), fields).await;
        for paused in [false, true] {
            if paused {
                trial.command("pause", json!({})).await;
            }
            let cases = [
                ("1884518522.1684267241", "123456789012345678901234", "2026-11-24T00:00:00+01:00"),
                ("0.000008675", "18446744073709551616", "2026-11-24"),
                ("12345678901234.5678", "9007199254740993", "9999-12-31T23:59:59Z"),
                ("1.10", "-123456789012345678901234", "2026-11-23T23:30:00-02:00"),
            ];
            let keys: Vec<String> = cases.iter().map(|_| key("DIGITS")).collect();
            for (key, (amount, count, day)) in keys.iter().zip(cases) {
                let number = |text: &str| serde_json::from_str::<Value>(text).expect("a number");
                let told = trial
                    .report(
                        key,
                        json!({"amount": number(amount), "count": number(count), "day": day,
                                             "rank": 9_007_199_254_740_993_u64, "price": amount}),
                    )
                    .await;
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
                assert!(sent.contains(&format!("\"price\":{amount}")) && sent.contains("\"rank\":\"odd\""), "{sent}");
            }
        }
        let told = trial.send(&key("DIGITS"), json!({"record": {"price": "1,5"}})).await;
        assert_eq!((told.status, &told.body["class"]), (422, &json!("mapping")), "{told:?}");
        assert!(told.body.to_string().contains("price"), "which field: {told:?}");
        trial.end().await;
    });
}

#[test]
fn times_of_a_clock_on_the_wall_are_times_of_their_apps_zone_in_both_directions() {
    together(async |world| {
        let mut at = field("zone", "at", "datetime");
        at["types"]["zone-a"] = json!("local_datetime");
        at["nothing"] = json!({"zone-a": "1900-01-01T00:00:00"});
        let mut local = field("zone", "local", "local_datetime");
        local["types"]["zone-b"] = json!("local_datetime");
        let end = |side: &str, zone: &str| json!({"side": format!("zone-{side}"), "entity": "Things", "key_field": "key", "time_zone": zone});
        let fields = json!({
            "sides": [end("a", "Europe/Berlin"), end("b", "America/New_York")],
            "fields": [at, local, field("zone", "day", "date"), field("zone", "stamp", "datetime")],
        });
        let trial = Trial::start(world, "zone", json!({}), fields).await;
        // In Berlin, in UTC, in New York; the hours in which clocks are changed are among them.
        let cases = [
            ("2026-11-24T00:30:00", json!("2026-11-23T23:30:00Z"), "2026-11-23T18:30:00"),
            ("2026-07-01T00:30:00.25", json!("2026-06-30T22:30:00.25Z"), "2026-06-30T18:30:00.25"),
            ("2026-10-25T02:30:00", json!("2026-10-25T00:30:00Z"), "2026-10-24T20:30:00"), // twice: the first
            ("2026-03-29T03:30:00", json!("2026-03-29T01:30:00Z"), "2026-03-28T21:30:00"),
            ("9999-12-31T23:59:59", json!("9999-12-31T23:59:59Z"), "9999-12-31T23:59:59"),
            ("1900-01-01T00:00:00", Value::Null, "1900-01-01T00:00:00"),
        ];
        for (there, utc, new_york) in &cases {
            let day = &there[..10];
            let of_a = json!({"at": there, "local": there, "day": day, "stamp": there});
            let of_b = json!({"at": utc, "local": new_york, "day": day,
                              "stamp": if utc.is_null() { json!("1900-01-01T00:00:00Z") } else { utc.clone() }});
            let key = key("ZONE");
            let told = trial.report(&key, of_a.clone()).await;
            assert_eq!((told.status, told.text("status")), (200, "written"), "{there}: {told:?}");
            assert_eq!(trial.b.record(&key), Some(of_b.clone()), "{there}");
            // Back by a user of the other app, who changes nothing of it, to a record of its own.
            let back = self::key("ZONE");
            let told = trial.report_by_b(&back, of_b).await;
            assert_eq!((told.status, told.text("status")), (200, "written"), "{there}: {told:?}");
            let stamp = if utc.is_null() { json!("1900-01-01T00:00:00Z") } else { utc.clone() };
            assert_eq!(trial.a.record(&back), Some(json!({"at": there, "local": there, "day": day, "stamp": stamp})));
        }
        // An hour that the clocks leave out is shifted; a time with an offset is that time.
        for (there, utc) in [
            ("2026-03-29T02:30:00", "2026-03-29T01:30:00Z"),
            ("2026-11-24T00:00:00+01:00", "2026-11-23T23:00:00Z"),
            ("2026-11-24T00:00:00.000+0100", "2026-11-23T23:00:00Z"),
        ] {
            let key = key("ZONE");
            assert_eq!(trial.report(&key, json!({"at": there, "day": there})).await.status, 200, "{there}");
            let written = trial.b.record(&key).expect("it is there");
            assert_eq!((&written["at"], &written["day"]), (&json!(utc), &json!(there[..10])), "{there}");
        }
        trial.end().await;
    });
}

#[test]
fn a_time_without_a_zone_is_refused_with_its_field_where_no_zone_is_known() {
    together(async |world| {
        let fields = json!({"fields": [field("zoneless", "at", "datetime")]});
        let trial = Trial::start(world, "zoneless", json!({}), fields).await;
        let told = trial.send(&key("ZONE"), json!({"record": {"at": "2026-11-24T00:30:00"}})).await;
        assert_eq!((told.status, &told.body["class"]), (422, &json!("mapping")), "{told:?}");
        let says = told.body.to_string();
        assert!(says.contains("time_zone") && says.contains("at"), "{told:?}");
        trial.end().await;
    });
}

#[test]
fn spellings_of_a_key_that_the_map_calls_equal_name_one_record_in_order() {
    let guid = uuid_of(ulid::Ulid::generate().0);
    let upper = key("C");
    let accented = key("Am\u{e9}lie");
    let cases = [
        (
            "spelling",
            json!({"trim": true, "case": "upper"}),
            upper.clone(),
            vec![upper.to_lowercase(), format!(" {upper} ")],
        ),
        (
            "guids",
            json!({"guid": true}),
            guid.clone(),
            vec![guid.to_uppercase(), format!("{{{}}}", guid.to_uppercase())],
        ),
        ("composed", json!({"compose": true}), accented.clone(), vec![accented.replace('\u{e9}', "e\u{301}")]),
    ];
    together(async |world| {
        join_all(cases.into_iter().map(async |(name, rule, canonical, others)| {
            let trial = Trial::start(world, name, json!({}), json!({"key_rule": rule})).await;
            trial.command("pause", json!({})).await;
            let spellings = [vec![canonical.clone()], others].concat();
            for (at, spelling) in spellings.iter().cycle().take(6).enumerate() {
                let told = trial.report(spelling, json!({"name": format!("v{at}")})).await;
                assert_eq!((told.status, &told.body["ahead"]), (202, &json!(at)), "{name}: {told:?}");
            }
            trial.command("resume", json!({})).await;
            trial.settled(&canonical).await;
            let written: Vec<_> = trial.b.writes().into_iter().map(|asked| (asked.key, asked.body)).collect();
            let wanted = (0..6).map(|at| (canonical.clone(), format!("{{\"name\":\"v{at}\"}}")));
            assert_eq!(written, wanted.collect::<Vec<_>>(), "{name}: each in its order, to one record");
            // Written at once, a spelling goes the same way.
            for (at, spelling) in spellings.iter().enumerate() {
                assert_eq!(trial.report(spelling, json!({"name": at.to_string()})).await.text("status"), "written");
                assert_eq!(trial.b.record(&canonical), Some(json!({"name": at.to_string()})), "{name}");
            }
            trial.end().await;
        }))
        .await;
    });
}

fn uuid_of(number: u128) -> String {
    let hex = format!("{number:032x}");
    [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
}

#[test]
fn forty_writes_with_ids_of_one_millisecond_in_any_order_are_all_taken() {
    together(async |world| {
        let trial = Trial::start(world, "ids", json!({}), json!({})).await;
        let key = key("IDS");
        let made_at = u128::from(crate::settled::now().0) << 80;
        for n in 0..40_u128 {
            // Every fourth is of a server whose clock is two seconds ahead.
            let made_at = made_at + u128::from(n % 4 == 3) * (2_000 << 80);
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
        for (name, update) in [("merge", "patch"), ("posted", "post")] {
            let rest = json!({"connector": {"kind": "rest", "update": update}});
            let trial = Trial::start(world, name, rest, json!({})).await;
            let key = key("REST");
            trial.b.put(&key, json!({"name": "Ada", "colour": "red"}));
            let told = trial.report(&key, json!({"name": "Bob"})).await;
            assert_eq!((told.status, told.text("status")), (200, "written"), "{told:?}");
            assert_eq!(trial.b.record(&key), Some(json!({"name": "Bob", "colour": "red"})));
            trial.end().await;
        }
    });
}

#[test]
fn an_app_that_takes_whole_records_gets_its_own_with_the_mapped_fields_put_into_it() {
    together(async |world| {
        let rest = json!({"connector": {"kind": "rest", "update": "put", "create": "post"}, "request_timeout_ms": 5_000, "call_life_ms": 16_000});
        let trial = Trial::start(world, "whole", rest, json!({})).await;
        trial.b.takes_whole_records();
        let key = key("WHOLE");
        let own = json!({"name": "Ada", "colour": "red", "lines": [{"n": 1}], "address": {"city": "Ulm", "zip": null}});
        trial.b.put(&key, own.clone());
        let written = async |name: &str| {
            let told = trial.report(&key, json!({ "name": name })).await;
            assert_eq!((told.status, told.text("status")), (200, "written"), "{told:?}");
        };
        let mut wanted = own;
        written("Bob").await;
        wanted["name"] = json!("Bob");
        assert_eq!(trial.b.record(&key), Some(wanted.clone()));
        // Its own user changes it between our reading and our writing, once.
        wanted["colour"] = json!("green");
        trial.b.is_edited_meanwhile(&key, wanted.clone());
        written("Eve").await;
        let tags: Vec<_> =
            trial.b.writes_of(&key).into_iter().map(|asked| (asked.method, asked.if_match.is_some())).collect();
        assert_eq!(tags, vec![("PUT".to_owned(), true); 3], "each says which record it replaces");
        wanted["name"] = json!("Eve");
        assert_eq!(trial.b.record(&key), Some(wanted));
        // One that is not there yet is made by POST; one that is deleted is gone.
        let new = self::key("WHOLE");
        let told = trial.report(&new, json!({"name": "New"})).await;
        assert_eq!(told.text("status"), "written", "{told:?}");
        assert_eq!(trial.b.record(&new), Some(json!({"name": "New"})));
        assert_eq!(trial.send(&new, json!({"op": "delete"})).await.status, 200);
        assert_eq!(trial.b.record(&new), None);
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
