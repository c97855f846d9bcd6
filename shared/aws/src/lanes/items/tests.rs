use domain::{
    ContentHash, EntryId, Owner, RecordKey, SideIx,
    lane::{Entry, Final, Mode, Outcome, RestoreCause, Write},
    record::Image,
};
use proptest::{collection, option, prelude::*};
use serde_json::{Value, json};

use super::*;

fn lane() -> LaneKey {
    let key: RecordKey = "C-1".parse().unwrap();
    LaneKey { map: "customers".parse().unwrap(), key }
}

/// What an update leaves in the table, over what was there before.
fn stored(update: HeadUpdate, mut item: Item) -> Item {
    let (set, remove) = update.expression.split_once(" REMOVE ").unwrap_or((&update.expression, ""));
    for part in set.strip_prefix("SET ").unwrap().split(", ") {
        let (name, value) = part.split_once(" = ").unwrap();
        item.insert(name.to_owned(), update.values[value].clone());
    }
    for name in remove.split(", ") {
        item.remove(name);
    }
    item
}

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u32>().prop_map(|n| json!(f64::from(n) / 8.0)),
        "\\PC{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(2, 8, 3, |inner| collection::vec(inner, 0..3).prop_map(Value::from))
}

fn side() -> impl Strategy<Value = SideIx> {
    prop_oneof![Just(SideIx::First), Just(SideIx::Second)]
}

fn image() -> impl Strategy<Value = Image> {
    let record = collection::btree_map("\\PC{1,8}", any_value(), 0..6);
    option::of(record).prop_map(|record| match record {
        Some(fields) => Image::Present(fields.into_iter().collect()),
        None => Image::Absent,
    })
}

fn work() -> impl Strategy<Value = Work> {
    let write = (image(), any::<u64>(), option::of(side()), side()).prop_map(|(image, body, origin, shape)| {
        let (id, body) = ("01KAQ5Z3S8XYZABCDEFGHJKMNP".parse().unwrap(), ContentHash(body));
        Work::Write(Write { id, body, origin, shape, mode: Mode::Committed, image })
    });
    let restore =
        side().prop_map(|from| Work::Restore { from, to: from.other(), cause: RestoreCause::CallerRollsBack });
    prop_oneof![4 => write, 1 => restore]
}

fn inflight() -> impl Strategy<Value = ActiveEntry> {
    let direct = option::of((work(), any::<u32>()));
    (any::<u64>(), any::<u128>(), option::of(any::<u128>()), any::<u64>(), direct).prop_map(
        |(seq, id, owner, hash, direct)| ActiveEntry {
            seq,
            entry: EntryId(id),
            owner: owner.map(Owner),
            lease_end: Timestamp(hash),
            writing: PerSide([None, Some(ContentHash(hash))]),
            direct: direct.map(|(work, attempts)| {
                Box::new(Entry { attempts, ..Entry::new(seq, EntryId(id), work, Timestamp(hash)) })
            }),
        },
    )
}

fn memory() -> impl Strategy<Value = SideMemory> {
    let written = collection::vec((any::<u64>(), any::<u64>()), 0..20);
    (option::of(any::<u64>()), option::of("\\PC{0,20}"), written).prop_map(|(reported_version, etag, written)| {
        let mut memory = SideMemory { reported_version, etag, ..SideMemory::default() };
        written.into_iter().for_each(|(seq, hash)| memory.note_written(seq, ContentHash(hash)));
        memory
    })
}

fn recent() -> impl Strategy<Value = Recent> {
    collection::vec((any::<u128>(), option::of(side()), any::<u64>()), 0..20).prop_map(|answers| {
        let mut recent = Recent::default();
        for (id, origin, seq) in answers {
            let outcome = Outcome::Written { crossing: None };
            recent.note(Final { id, origin, body: ContentHash(seq), seq, outcome });
        }
        recent
    })
}

fn head() -> impl Strategy<Value = Head> {
    let numbers = (any::<u128>(), any::<u64>(), 1..u64::MAX, 1..u64::MAX, any::<bool>(), any::<u64>());
    (numbers, option::of(inflight()), recent(), [memory(), memory()]).prop_map(
        |((uid, generation, version, next_seq, parked, at), inflight, recent, sides)| Head {
            unresolved: vec![(LogId(uid), ErrorClass::Timeout); usize::from(parked)],
            map: MapUid(uid),
            generation,
            version,
            next_seq,
            done_seq: next_seq - 1,
            inflight,
            parked,
            not_before: Timestamp(at),
            recent,
            sides: PerSide(sides),
            unreadable: None,
        },
    )
}

proptest! {
    #[test]
    fn a_head_is_read_as_it_was_stored_whatever_was_stored_before(before in head(), now in head()) {
        let log = [LogEvent::Activity(Box::new(testkit::sample::line()))];
        let item = stored(head_update(&before, 0, &lane(), 7, &log).unwrap(), Item::new());
        let told = item["outbox"].as_s().unwrap();
        prop_assert_eq!(crate::outbox::read(told).unwrap(), &log);
        let item = stored(head_update(&now, before.version, &lane(), 7, &[]).unwrap(), item);
        prop_assert_eq!(read_head(&item).unwrap(), (now.clone(), Echoes::default()));
        prop_assert_eq!(item.contains_key("open_pk"), !now.idle());
        prop_assert!(!item.contains_key("outbox"), "what was logged goes with the next change");
    }
}

#[test]
fn a_head_that_is_not_whole_is_an_error() {
    let head = Head::new(MapUid(1), Timestamp(1));
    let whole = stored(head_update(&head, 0, &lane(), 7, &[]).unwrap(), Item::new());
    for (name, value) in [
        ("v", None),
        ("map_uid", None),
        ("version", None),
        ("lane", None),
        ("lane", Some(AttributeValue::B(Blob::new([1])))),
        ("image", Some(deflate(&json!({})).unwrap())),
    ] {
        let mut item = whole.clone();
        item.remove(name);
        item.extend(value.map(|value| (name.to_owned(), value)));
        assert!(
            matches!(read_head(&item), Err(PortError::Permanent(says)) if says.contains("cannot be read")),
            "{name}"
        );
    }
}

#[test]
fn what_a_newer_release_wrote_is_left_to_the_caller_to_try_again() {
    let head = Head::new(MapUid(1), Timestamp(1));
    let mut item = stored(head_update(&head, 0, &lane(), 7, &[]).unwrap(), Item::new());
    item.insert("v".to_owned(), number(HEAD_SCHEMA + 1));
    assert!(matches!(read_head(&item), Err(PortError::Transient(says)) if says.contains("newer release")));
    let mut item = body(&json!({}), None).unwrap();
    item.insert("v".to_owned(), number(BODY_SCHEMA + 1));
    assert!(matches!(read_body::<Value>(&item), Err(PortError::Transient(says)) if says.contains("newer release")));
}
