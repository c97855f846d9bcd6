use serde_json::{Value, json};

use super::*;
use crate::{mapping::tests::customers, record::Image};
use SideIx::{First, Second};

fn record(value: Value) -> Record {
    value.as_object().unwrap().clone()
}

fn chosen(of_field: &[(&str, SideIx)]) -> FieldWinners {
    let of_field = of_field.iter().map(|(name, side)| ((*name).to_owned(), *side)).collect();
    FieldWinners::choose(&customers(), First, &of_field).unwrap()
}

fn in_finance() -> Record {
    record(json!({"Name": "Ada", "Limit": 10.50, "Group": "20", "OnHold": "Yes"}))
}

fn in_crm() -> Record {
    record(json!({"name": "Bob", "limit": 7, "category": "Retail", "hold": false, "source": "web", "owner": "kim"}))
}

#[test]
fn each_side_gets_what_the_other_one_wins_and_keeps_the_rest() {
    let (map, winners) = (customers(), chosen(&[("limit", Second), ("Group", Second)]));
    let to_crm = winners.merge(&map, First, &in_finance(), &in_crm()).unwrap().unwrap();
    let in_crm_then = json!({"name": "Ada", "limit": 7, "category": "Retail", "hold": true, "source": "finance"});
    assert_eq!(to_crm, record(in_crm_then), "with what is only written there, and no field that is not mapped");
    let to_finance = winners.merge(&map, Second, &in_crm(), &in_finance()).unwrap().unwrap();
    assert_eq!(to_finance, record(json!({"Name": "Ada", "Limit": 7, "Group": "10", "OnHold": "Yes"})));
    for (from, one, other) in [(First, &to_finance, &to_crm), (Second, &to_crm, &to_finance)] {
        let (wanted, there) = winners.compare(&map, from, one, other).unwrap();
        assert_eq!(wanted, there, "both have the same afterwards");
        assert_eq!(winners.merge(&map, from, one, other).unwrap().as_ref(), Some(other), "and nothing is left to do");
    }
}

#[test]
fn either_direction_may_come_first_or_alone() {
    let (map, winners) = (customers(), chosen(&[("limit", Second)]));
    let to_crm = winners.merge(&map, First, &in_finance(), &in_crm()).unwrap().unwrap();
    let to_finance = winners.merge(&map, Second, &in_crm(), &in_finance()).unwrap().unwrap();
    assert_eq!(winners.merge(&map, Second, &to_crm, &in_finance()).unwrap().unwrap(), to_finance);
    assert_eq!(winners.merge(&map, First, &to_finance, &in_crm()).unwrap().unwrap(), to_crm);
}

#[test]
fn a_side_is_compared_by_the_fields_that_the_other_one_wins() {
    let (map, winners) = (customers(), chosen(&[("limit", Second)]));
    let (wanted, there) = winners.compare(&map, First, &in_finance(), &in_crm()).unwrap();
    assert_eq!(wanted, record(json!({"name": "Ada", "category": "Wholesale", "hold": true})));
    assert_eq!(there, record(json!({"name": "Bob", "category": "Retail", "hold": false})));
    let (wanted, there) = winners.compare(&map, Second, &in_crm(), &in_finance()).unwrap();
    assert_eq!((wanted, there), (record(json!({"Limit": 7})), record(json!({"Limit": 10.5}))));
}

#[test]
fn records_have_one_fingerprint_if_no_side_lacks_what_the_other_one_wins() {
    let map = customers();
    for winners in [chosen(&[]), chosen(&[("limit", Second)]), FieldWinners::all(&map, Second)] {
        let same = |finance: &Record, crm: &Record| {
            winners.fingerprint(&map, First, finance).unwrap() == winners.fingerprint(&map, Second, crm).unwrap()
        };
        let alike = record(json!({"name": "Ada", "limit": 10.5, "category": "Wholesale", "hold": true}));
        assert!(same(&in_finance(), &alike));
        for (field, other) in [("name", json!("Bob")), ("limit", json!(7)), ("hold", json!(false))] {
            let mut differs = alike.clone();
            differs.insert(field.to_owned(), other);
            assert!(!same(&in_finance(), &differs), "{field}");
        }
        let mut one_way = alike;
        one_way.insert("source".to_owned(), json!("web"));
        assert!(same(&in_finance(), &one_way), "what flows one way only is not compared");
    }
}

/// Finance has it, crm gets it, and nothing of it is carried back.
#[test]
fn a_field_that_flows_one_way_makes_no_difference_in_the_other() {
    let mut map = customers();
    map.fields[2].only_to = Some("crm".parse().unwrap());
    let winners = FieldWinners::all(&map, Second);
    let alike = record(json!({"name": "Ada", "limit": 10.5, "category": "Retail", "hold": true}));
    let (wanted, there) = winners.compare(&map, Second, &alike, &in_finance()).unwrap();
    assert_eq!(wanted, there);
    assert!(!FieldWinners::all(&map, First).wins_any(&map, Second) && winners.wins_any(&map, Second));
}

#[test]
fn one_side_that_wins_all_has_its_record_copied_as_it_is() {
    let (map, winners) = (customers(), chosen(&[]));
    assert_eq!(winners.merge(&map, First, &in_finance(), &in_crm()), Ok(None));
    assert!(winners.wins_any(&map, First) && !winners.wins_any(&map, Second));
    let both = chosen(&[("hold", Second)]);
    assert!(both.wins_any(&map, First) && both.wins_any(&map, Second));
}

#[test]
fn a_value_that_cannot_be_mapped_is_an_error_where_its_side_wins() {
    let (map, winners) = (customers(), chosen(&[("Group", Second)]));
    let mut odd = in_finance();
    odd.insert("Group".to_owned(), json!("99"));
    assert!(winners.merge(&map, First, &odd, &in_crm()).is_ok(), "it is not written to crm");
    assert!(winners.fingerprint(&map, First, &odd).is_ok());
    assert_eq!(chosen(&[]).compare(&map, First, &odd, &in_crm()).unwrap_err().field, "Group");
    let mut odd = in_crm();
    odd.insert("category".to_owned(), json!("Space"));
    assert_eq!(winners.merge(&map, Second, &odd, &in_finance()).unwrap_err().field, "category");
}

#[test]
fn a_lookup_and_a_blank_that_a_side_keeps_are_written_as_they_are_read() {
    let mut map = customers();
    let lookup =
        json!({"names": {"finance": "Contact", "crm": "contactid"}, "lookup": {"crm": {"entity": "contacts"}}});
    let blank = json!({"names": {"finance": "Memo", "crm": "memo"}, "nothing": {"crm": "-"}});
    map.fields.extend([lookup, blank].map(|field| serde_json::from_value(field).unwrap()));
    let of_field = BTreeMap::from([("Contact".to_owned(), Second), ("memo".to_owned(), Second)]);
    let winners = FieldWinners::choose(&map, First, &of_field).unwrap();
    let mut there = in_crm();
    let id = "6f9619ff-8b86-d011-b42d-00c04fc964ff";
    there.extend(record(json!({"_contactid_value": id, "memo": "-"})));
    let merged = winners.merge(&map, First, &in_finance(), &there).unwrap().unwrap();
    assert_eq!(merged["contactid@odata.bind"], json!(format!("/contacts({id})")));
    assert_eq!(merged["memo"], json!("-"));
    let rewritten = crate::mapping::rewritten(&map, Second, &merged).unwrap();
    assert_eq!(rewritten, merged, "a merged record that waits in its lane is written as it is");
    assert_eq!(crate::mapping::compared(&map, Second, &Image::Present(merged.clone())), {
        let mut wanted = record(json!({"name": "Ada", "limit": 10.5, "category": "Wholesale", "hold": true}));
        wanted.extend(record(json!({"contactid": id, "memo": null})));
        Image::Present(wanted)
    });
}

#[test]
fn every_winner_that_cannot_be_is_named_with_the_reason() {
    let mut map = customers();
    map.fields.push(serde_json::from_value(json!({"names": {"finance": "name", "crm": "alias"}})).unwrap());
    map.fields.push(
        serde_json::from_value(json!({"names": {"finance": "Origin", "crm": "origin"}, "constant": {"crm": "x"}}))
            .unwrap(),
    );
    for (of_field, says) in [
        (vec![("colour", First)], vec!["winner_of_field.colour: is no field of the map"]),
        (
            vec![("name", First)],
            vec!["winner_of_field.name: is a name of two fields: name the field as on the other side"],
        ),
        (vec![("Name", First), ("alias", Second)], vec![]),
        (
            vec![("Limit", First), ("limit", Second)],
            vec!["winner_of_field.limit: is the field Limit, too: name it once"],
        ),
        (
            vec![("source", First)],
            vec!["winner_of_field.source: is not written from finance to crm: finance cannot win it"],
        ),
        (
            vec![("source", Second)],
            vec!["winner_of_field.source: is not written from crm to finance: crm cannot win it"],
        ),
        (
            vec![("Origin", First)],
            vec!["winner_of_field.Origin: is not written from finance to crm: finance cannot win it"],
        ),
        (
            vec![("Origin", Second)],
            vec!["winner_of_field.Origin: is the constant of the map on crm: crm cannot win it"],
        ),
    ] {
        let of_field = of_field.into_iter().map(|(name, side): (&str, _)| (name.to_owned(), side)).collect();
        let found = FieldWinners::choose(&map, First, &of_field).err().unwrap_or_default();
        let found: Vec<_> = found.iter().map(|mistake| format!("{}: {}", mistake.field, mistake.message)).collect();
        assert_eq!(found, says);
    }
    map.fields[1].only_to = Some("crm".parse().unwrap());
    let of_field = BTreeMap::from([("limit".to_owned(), Second)]);
    assert!(FieldWinners::choose(&map, First, &of_field).is_err(), "it flows to crm only");
}
