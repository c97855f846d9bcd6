use proptest::prelude::*;
use serde_json::json;

use super::*;

/// The map of the sample apps.
pub(crate) fn customers() -> MapConfig {
    serde_json::from_value(json!({
        "sides": [
            {"side": "finance", "entity": "CustomersV3", "key_field": "CustomerAccount"},
            {"side": "crm", "entity": "accounts", "key_field": "accountnumber"}],
        "fields": [
            {"names": {"finance": "Name", "crm": "name"}, "required": true},
            {"names": {"finance": "Limit", "crm": "limit"}, "types": {"finance": "decimal", "crm": "decimal"}},
            {"names": {"finance": "Group", "crm": "category"},
             "values": [{"finance": "10", "crm": "Retail"}, {"finance": "20", "crm": "Wholesale"}]},
            {"names": {"finance": "OnHold", "crm": "hold"},
             "values": [{"finance": "Yes", "crm": true}, {"finance": "No", "crm": false}], "default": {"finance": "No", "crm": false}},
            {"names": {"crm": "source"}, "constant": {"crm": "finance"}, "only_to": "crm"}]
    }))
    .unwrap()
}

fn image(value: Value) -> Image {
    Image::Present(value.as_object().unwrap().clone())
}

#[test]
fn a_record_becomes_what_the_other_side_calls_it_and_back() {
    let finance = image(json!({"Name": "Ada", "Limit": 10.50, "Group": "20", "OnHold": "Yes", "Unmapped": 1}));
    let crm = translate(&customers(), SideIx::First, &finance).unwrap();
    assert_eq!(
        crm,
        image(json!({"name": "Ada", "limit": 10.5, "category": "Wholesale", "hold": true, "source": "finance"}))
    );
    let back = translate(&customers(), SideIx::Second, &crm).unwrap();
    assert_eq!(back, image(json!({"Name": "Ada", "Limit": 10.5, "Group": "20", "OnHold": "Yes"})));
}

#[test]
fn a_mapping_failure_names_the_field_and_not_the_value() {
    for (record, field, says) in [
        (json!({"Limit": 1}), "Name", "required"),
        (json!({"Name": "  "}), "Name", "empty"),
        (json!({"Name": "x", "Group": "secret"}), "Group", "no pair"),
        (json!({"Name": "x", "Limit": "secret"}), "Limit", "decimal"),
    ] {
        let error = translate(&customers(), SideIx::First, &image(record)).unwrap_err();
        assert_eq!(error.field, field);
        assert!(error.message.contains(says) && !error.message.contains("secret"), "{error:?}");
    }
}

#[test]
fn a_number_is_compared_to_at_most_thirty_decimals() {
    for (decimals, wrong) in [(0, false), (30, false), (31, true)] {
        let mut map = customers();
        map.fields[1].compare.decimals = Some(decimals);
        let found = map.mistakes().into_iter().any(|mistake| mistake.field == "fields[1].compare.decimals");
        assert_eq!(found, wrong, "{decimals}");
    }
}

#[test]
fn digits_arrive_as_they_were_sent_in_plain_notation() {
    let mut map = customers();
    map.fields[1].types.clear();
    for (sent, arrives) in [
        ("1884518522.1684267241", "1884518522.1684267241"),
        ("12345678901234.5678", "12345678901234.5678"),
        ("123456789012345678901234", "123456789012345678901234"),
        ("1.10", "1.10"),
        ("8.675e-6", "0.000008675"),
        (r#"[{"deep": 1e3}]"#, r#"[{"deep":1000}]"#),
        (r#""1.10""#, r#""1.10""#),
    ] {
        let record = format!(r#"{{"Name": "x", "Limit": {sent}}}"#);
        let crm = translate(&map, SideIx::First, &image(serde_json::from_str(&record).unwrap())).unwrap();
        assert_eq!(serde_json::to_value(&crm).unwrap()["present"]["limit"].to_string(), arrives);
    }
    let too_long = image(serde_json::from_str(r#"{"Name": "x", "Limit": 1e999}"#).unwrap());
    assert_eq!(translate(&map, SideIx::First, &too_long).unwrap_err().field, "Limit");
}

#[test]
fn pairs_tell_the_longest_numbers_apart_however_they_are_written() {
    let mut map = customers();
    map.fields[2].values = serde_json::from_str(
        r#"[{"finance": 9007199254740992, "crm": "even"}, {"finance": 9007199254740993, "crm": "odd"}]"#,
    )
    .unwrap();
    for (sent, wanted) in [("9007199254740992", "even"), ("9007199254740993.0", "odd"), ("9.007199254740993e15", "odd")]
    {
        let record = format!(r#"{{"Name": "x", "Group": {sent}}}"#);
        let crm = translate(&map, SideIx::First, &image(serde_json::from_str(&record).unwrap())).unwrap();
        assert_eq!(serde_json::to_value(&crm).unwrap()["present"]["category"], wanted);
    }
}

#[test]
fn a_lookup_is_carried_both_ways_and_its_echo_is_known() {
    let mut map = customers();
    let lookup = json!({"names": {"finance": "ContactId", "crm": "primarycontactid"}, "lookup": {"crm": {"entity": "contacts"}}});
    map.fields.push(serde_json::from_value(lookup).unwrap());
    assert_eq!(map.mistakes(), []);
    let guid = "0f8fad5b-d9cb-469f-a165-70867728950e";
    let crm = |contact: Value| translate(&map, SideIx::First, &image(json!({"Name": "x", "ContactId": contact})));
    let Image::Present(bound) = crm(json!(guid.to_uppercase())).unwrap() else { panic!() };
    assert_eq!(bound["primarycontactid@odata.bind"], format!("/contacts({guid})"));
    assert!(!bound.contains_key("primarycontactid"));
    let Image::Present(removed) = crm(Value::Null).unwrap() else { panic!() };
    assert_eq!(removed["primarycontactid@odata.bind"], Value::Null);
    assert_eq!(crm(json!("Kim")).unwrap_err().field, "ContactId");
    let reported = image(json!({"name": "x", "_primarycontactid_value": guid}));
    let Image::Present(finance) = translate(&map, SideIx::Second, &reported).unwrap() else { panic!() };
    assert_eq!(finance["ContactId"], guid);
    let hash = |image: &Image| crate::ContentHash::of(&carried(&map, SideIx::Second, image));
    let written = image(json!({"name": "x", "primarycontactid@odata.bind": format!("/contacts({guid})")}));
    assert_eq!(hash(&written), hash(&reported), "its report is the echo of what was written");
    let Image::Present(own) = carried(&map, SideIx::Second, &reported) else { panic!() };
    let back = as_written(&map, SideIx::Second, own).unwrap();
    assert_eq!(back["primarycontactid@odata.bind"], format!("/contacts({guid})"), "written back to its own app");
    assert!(!back.contains_key("primarycontactid"));
    assert_ne!(hash(&reported), hash(&image(json!({"name": "x", "_primarycontactid_value": null}))));
    assert!(has_carried_field(&map, SideIx::Second, json!({"_primarycontactid_value": null}).as_object().unwrap()));
}

#[test]
fn a_missing_value_takes_the_default_of_the_side_it_goes_to() {
    let Image::Present(crm) = translate(&customers(), SideIx::First, &image(json!({"Name": "x"}))).unwrap() else {
        panic!()
    };
    assert_eq!(crm["hold"], json!(false));
    assert_eq!(crm["limit"], Value::Null);
}

#[test]
fn what_is_carried_ignores_what_is_not_mapped_and_how_numbers_are_written() {
    let map = customers();
    let one = carried(&map, SideIx::First, &image(json!({"Name": "x", "Limit": 10, "Other": 1})));
    let two = carried(&map, SideIx::First, &image(json!({"Name": "x", "Limit": "10.00", "Other": 2})));
    assert_eq!(crate::ContentHash::of(&one), crate::ContentHash::of(&two));
    let crm = carried(&map, SideIx::Second, &image(json!({"name": "x", "source": "import"})));
    assert!(matches!(crm, Image::Present(record) if !record.contains_key("source")), "only_to is not carried back");
}

#[test]
fn a_record_has_a_carried_field_or_is_none() {
    let has = |side, value: Value| has_carried_field(&customers(), side, value.as_object().unwrap());
    assert!(has(SideIx::First, json!({"Limit": null})) && has(SideIx::Second, json!({"hold": true})));
    assert!(!has(SideIx::First, json!({"name": "x", "Other": 1})) && !has(SideIx::Second, json!({"source": "x"})));
}

#[test]
fn a_filter_lets_matching_records_through_and_every_delete() {
    let filters: Vec<Filter> =
        serde_json::from_value(json!([{"field": "Group", "in": ["10", "20"]}, {"field": "Test", "not_in": [true]}]))
            .unwrap();
    assert!(passes(&filters, &image(json!({"Group": "10"}))));
    assert!(!passes(&filters, &image(json!({"Group": "30"}))));
    assert!(!passes(&filters, &image(json!({"Group": "10", "Test": true}))));
    assert!(passes(&filters, &Image::Absent));
}

proptest! {
    /// What goes over and comes back is what the guards call the same content: no endless bouncing.
    #[test]
    fn there_and_back_again_is_the_same_content(name in "[a-zA-Z ]{0,8}x", limit in proptest::option::of(-1_000_000i64..1_000_000), group in 0..2usize, hold in any::<bool>()) {
        let map = customers();
        let limit = limit.map(|cents| json!(cents as f64 / 100.0)).unwrap_or(Value::Null);
        let (group, hold) = (["10", "20"][group], if hold { "Yes" } else { "No" });
        let finance = image(json!({"Name": name, "Limit": limit, "Group": group, "OnHold": hold}));
        let back = translate(&map, SideIx::Second, &translate(&map, SideIx::First, &finance).unwrap()).unwrap();
        let hash = |image: &Image| crate::ContentHash::of(&carried(&map, SideIx::First, image));
        prop_assert_eq!(hash(&finance), hash(&back));
    }
}

#[test]
fn a_member_of_a_record_is_a_field_by_its_name_or_as_a_reference_is_written_and_read() {
    let field = |value: Value| -> FieldMapping { serde_json::from_value(value).unwrap() };
    let finance: SideId = "finance".parse().unwrap();
    let plain = field(json!({"names": {"finance": "ContactId"}}));
    let lookup = field(json!({"names": {"finance": "ContactId"}, "lookup": {"finance": {"entity": "contacts"}}}));
    for (member, in_plain, in_lookup) in [
        ("ContactId", true, true),
        ("ContactId@odata.bind", false, true),
        ("_ContactId_value", false, true),
        ("Contact", false, false),
    ] {
        assert_eq!(plain.is_called(&finance, member), in_plain, "{member}");
        assert_eq!(lookup.is_called(&finance, member), in_lookup, "{member}");
    }
}

/// A date and a reference, as Finance & Operations has them: never null.
fn never_null() -> MapConfig {
    let mut map = customers();
    for field in [
        json!({"names": {"finance": "Expires", "crm": "expires"}, "types": {"finance": "datetime", "crm": "datetime"},
               "nothing": {"finance": "1900-01-01T00:00:00Z"}}),
        json!({"names": {"finance": "ContactId", "crm": "primarycontactid"}, "nothing": {"finance": ""},
               "lookup": {"crm": {"entity": "contacts"}}}),
    ] {
        map.fields.push(serde_json::from_value(field).unwrap());
    }
    assert_eq!(map.mistakes(), []);
    map
}

#[test]
fn what_a_side_has_for_nothing_is_read_as_none_and_written_for_it() {
    let map = never_null();
    for none in ["1900-01-01T00:00:00Z", "1900-01-01T00:00:00.000Z", "1900-01-01T01:00:00+01:00"] {
        let finance = image(json!({"Name": "x", "Expires": none, "ContactId": ""}));
        let Image::Present(crm) = translate(&map, SideIx::First, &finance).unwrap() else { panic!() };
        assert_eq!((&crm["expires"], &crm["primarycontactid@odata.bind"]), (&Value::Null, &Value::Null), "{none}");
    }
    let crm = image(json!({"name": "x", "expires": null, "_primarycontactid_value": null}));
    let Image::Present(finance) = translate(&map, SideIx::Second, &crm).unwrap() else { panic!() };
    assert_eq!((&finance["Expires"], &finance["ContactId"]), (&json!("1900-01-01T00:00:00Z"), &json!("")));
    let crm = image(json!({"name": "x", "expires": "2026-12-31T12:00:00Z"}));
    let Image::Present(finance) = translate(&map, SideIx::Second, &crm).unwrap() else { panic!() };
    assert_eq!(finance["Expires"], "2026-12-31T12:00:00Z");
}

#[test]
fn a_report_of_what_a_side_has_for_nothing_is_the_echo_of_a_write_without_a_value() {
    let map = never_null();
    let hash = |record: Value| crate::ContentHash::of(&compared(&map, SideIx::First, &image(record)));
    let none = hash(json!({"Name": "x", "Expires": "1900-01-01T00:00:00.0Z", "ContactId": ""}));
    assert_eq!(none, hash(json!({"Name": "x", "Expires": null, "ContactId": null})));
    assert_ne!(none, hash(json!({"Name": "x", "Expires": "1900-01-02T00:00:00Z"})));
    let own = json!({"Expires": null, "ContactId": null});
    let back = as_written(&map, SideIx::First, own.as_object().unwrap().clone()).unwrap();
    assert_eq!((&back["Expires"], &back["ContactId"]), (&json!("1900-01-01T00:00:00Z"), &json!("")));
}

#[test]
fn a_field_is_read_by_its_former_name_where_the_new_one_is_missing() {
    let mut map = customers();
    let field = map.fields.iter_mut().find(|field| field.names.values().any(|name| name == "Name")).unwrap();
    let finance: SideId = "finance".parse().unwrap();
    field.names.insert(finance.clone(), "FullName".to_owned());
    field.former_names.insert(finance.clone(), "Name".to_owned());
    assert!(field.is_called(&finance, "Name") && field.is_called(&finance, "FullName"));
    assert_eq!(mistakes(&map), []);
    let sent = |record: Value| {
        let Image::Present(record) = translate(&map, SideIx::First, &image(record)).unwrap() else { panic!() };
        record["name"].clone()
    };
    assert_eq!(sent(json!({"Name": "Ada", "OnHold": "No"})), "Ada", "a change that has waited");
    assert_eq!(sent(json!({"Name": "Ada", "FullName": "Bob", "OnHold": "No"})), "Bob");
    map.fields.iter_mut().for_each(|field| drop(field.former_names.insert(finance.clone(), "OnHold".to_owned())));
    assert!(
        mistakes(&map).iter().all(|mistake| mistake.field.contains("former_names.finance"))
            && !mistakes(&map).is_empty()
    );
}

#[test]
fn a_time_without_a_zone_becomes_the_same_moment_on_the_other_side() {
    let field = |one: &str, other: &str| {
        let mut map = customers();
        map.fields = vec![
            serde_json::from_value(json!({
                "names": {"finance": "At", "crm": "at"}, "types": {"finance": one, "crm": other},
                "nothing": {"finance": "1900-01-01T00:00:00"},
            }))
            .unwrap(),
        ];
        map.sides[0].time_zone = Some("Europe/Berlin".to_owned().try_into().unwrap());
        map.sides[1].time_zone = Some("America/New_York".to_owned().try_into().unwrap());
        map
    };
    let told = |map: &MapConfig, from: SideIx, value: Value| {
        let name = map.fields[0].names[&map.side(from).side].clone();
        let record = Image::Present(Record::from_iter([(name, value)]));
        let Image::Present(record) = translate(map, from, &record).unwrap() else { panic!("it is there") };
        record.into_iter().next().unwrap().1
    };
    use SideIx::{First, Second};
    let map = field("local_datetime", "datetime");
    assert_eq!(map.mistakes(), []);
    assert_eq!(told(&map, First, json!("2026-11-23T11:00:00")), "2026-11-23T10:00:00Z");
    assert_eq!(told(&map, Second, json!("2026-11-23T10:00:00Z")), "2026-11-23T11:00:00");
    assert_eq!(told(&map, Second, json!("2026-11-23T05:00:00")), "2026-11-23T11:00:00", "read in New York");
    assert_eq!(told(&map, First, json!("1900-01-01T00:00:00")), Value::Null);
    assert_eq!(told(&map, Second, Value::Null), "1900-01-01T00:00:00");
    let both_local = field("local_datetime", "local_datetime");
    assert_eq!(told(&both_local, First, json!("2026-11-23T11:00:00")), "2026-11-23T05:00:00");
    let mut alike = both_local.clone();
    alike.sides[1].time_zone = alike.sides[0].time_zone.clone();
    assert_eq!(told(&alike, First, json!("2026-03-29T02:30:00")), "2026-03-29T02:30:00", "as it is written");
    let dated = field("local_datetime", "date");
    assert_eq!(told(&dated, First, json!("2026-11-23T00:30:00")), "2026-11-23", "as it is written");
    let report = |value: &str| Image::Present(Record::from_iter([("At".to_owned(), json!(value))]));
    let same = |one: &str, other: &str| carried(&map, First, &report(one)) == carried(&map, First, &report(other));
    assert!(same("2026-11-23T11:00:00", "2026-11-23T10:00:00Z"), "an echo, however the app writes it");
    let mut untyped = field("local_datetime", "datetime");
    untyped.fields[0].types.remove(&"finance".parse().unwrap());
    assert_eq!(told(&untyped, First, json!("2026-11-23T11:00:00")), "2026-11-23T10:00:00Z");
    untyped.sides[0].time_zone = None;
    assert!(translate(&untyped, First, &report("2026-11-23T11:00:00")).unwrap_err().message.contains("time_zone"));
    let mut without = map;
    without.sides[0].time_zone = None;
    assert_eq!(without.mistakes()[0].field, "fields[0].types.finance");
}
