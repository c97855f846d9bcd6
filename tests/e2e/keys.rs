//! Record keys of every kind that is allowed.

use serde_json::json;
use ulid::Ulid;

use crate::{
    stack::together,
    values::{customer, id, write},
};

/// Longest key, in bytes.
const KEY_BYTES_MAX: usize = 256;
/// Ends of keys that are hard to carry.
pub(crate) const TAILS: [&str; 19] = [
    "#",
    "#1#H",
    "/",
    "/a//b",
    "'",
    "''",
    "\"",
    "\\",
    " x",
    "%",
    "%2F",
    "?a=1&b=2",
    "+",
    ";,:@",
    "..",
    "(1)",
    "é",
    "e\u{301}",
    "北京 🙂",
];

#[test]
fn a_key_may_hold_anything_and_arrives_as_it_is() {
    together(async |world| {
        let unique = Ulid::generate().to_string();
        let long = |letter: &str| letter.repeat((KEY_BYTES_MAX - unique.len()) / letter.len());
        let mut keys: Vec<String> = TAILS.iter().map(|tail| format!("{unique}{tail}")).collect();
        keys.extend([
            format!("{}{unique}", long("x")),
            format!("{unique}{}", long("🙂")),
            format!("{unique}{}", long("'")),
        ]);
        keys.push(format!("'{unique}"));
        for key in &keys {
            let record = customer(&format!("of {}", key.len()), 1);
            let told = world.sync_write.send(&write(&id(), key, &record)).await.expect("sync-write answers");
            assert_eq!((told.status, told.text("status")), (200, "written"), "{key}: {told:?}");
            let saved = world.finance().edit(key, json!({"CreditLimit": 2})).await.expect("finance answers");
            assert_eq!((saved.status, &saved.body["tandem"]["status"]), (200, &json!("written")), "{key}: {saved:?}");
        }
        for key in &keys {
            let account = world.settled(key).await.crm.unwrap_or_else(|| panic!("{key} is not in crm"));
            assert_eq!(account["name"], format!("of {}", key.len()), "{key}");
            assert_eq!(account["creditlimit"].as_f64(), Some(2.0), "{key}");
        }
    });
}

#[test]
fn an_id_may_be_a_uuid_of_version_7_or_stand_in_a_header() {
    together(async |world| {
        let now = u128::from(crate::settled::now().0);
        let key = crate::values::key("UUID");
        let uuid = format!("{:08x}-{:04x}-7abc-8def-0123456789ab", now >> 16, now & 0xffff);
        let told =
            world.sync_write.send(&write(&uuid, &key, &customer("Contoso", 1))).await.expect("sync-write answers");
        assert_eq!((told.status, told.text("id")), (200, uuid.as_str()), "{told:?}");
        let mut body = write("", &key, &customer("Contoso", 2));
        body.as_object_mut().expect("an object").remove("id");
        let id = id();
        // The message id of the signature, which may be the write's.
        let seconds = crate::requests::seconds();
        let request = crate::requests::Request::post("/writes", &body);
        let secret = &world.stack.endpoints().hmac_secret;
        let told = request.signed_as(secret, &id, seconds).send(world).await;
        assert_eq!((told.status, &told.body["id"]), (200, &json!(id)), "{told:?}");
        world.settled(&key).await;
    });
}
