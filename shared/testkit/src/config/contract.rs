//! What every store of maps, sides and tokens must do: run against the one in memory and the one in DynamoDB.
//!
//! The store may hold other things; those named `contract-…` must not be there before and are gone afterwards.

use app::ports::{CommitError, ConfigStore, Role, Session, Token, Tokens};
use domain::{
    Map, MapConfig, MapId, SideId, Timestamp,
    id::MapUid,
    map::{MapAnswer, MapCommand},
    side::{Side, SideConfig},
};
use serde_json::json;

use crate::sample::line;

/// A store of maps and sides: what is saved is read back, and a save or deletion that names another version than the
/// stored one changes nothing.
///
/// # Panics
/// The store breaks the contract.
pub async fn config_store_contract<S: ConfigStore>(store: &S) {
    sides(store).await;
    maps(store).await;
}

async fn sides<S: ConfigStore>(store: &S) {
    let id: SideId = "contract-erp".parse().expect("a good name");
    let first = Side { id: id.clone(), config: side_config("https://erp.example/data/"), version: 1 };
    let second = Side { config: side_config("https://erp.example/v2/"), version: 2, ..first.clone() };
    assert_eq!(store.side(&id).await, Ok(None));
    assert_eq!(store.delete_side(&id, 1, &line()).await, Err(CommitError::Stale), "there is nothing to delete");
    assert_eq!(store.save_side(&second, 1, &line()).await, Err(CommitError::Stale), "there is nothing to change");
    assert_eq!(store.save_side(&first, 0, &line()).await, Ok(()));
    assert_eq!(store.side(&id).await, Ok(Some(first.clone())));
    assert_eq!(store.save_side(&second, 0, &line()).await, Err(CommitError::Stale), "it is not made twice");
    assert_eq!(store.save_side(&second, 1, &line()).await, Ok(()));
    assert_eq!(store.save_side(&second, 1, &line()).await, Err(CommitError::Stale), "the version has moved on");
    let listed = store.list_sides().await.expect("sides are listed");
    assert!(listed.contains(&second) && listed.is_sorted_by_key(|side| &side.id), "{listed:?}");
    assert_eq!(store.delete_side(&id, 1, &line()).await, Err(CommitError::Stale));
    assert_eq!(store.delete_side(&id, 2, &line()).await, Ok(()));
    assert_eq!(store.side(&id).await, Ok(None));
}

async fn maps<S: ConfigStore>(store: &S) {
    let id: MapId = "contract-customers".parse().expect("a good name");
    let map = Map::new(id.clone(), MapUid(u128::MAX >> 2), map_config(), "kim", Timestamp(1_795_428_000_000));
    let MapAnswer::Changed(running) = map.decide(MapCommand::Run, "ann", "go-live", Timestamp(1_795_428_000_001))
    else {
        unreachable!("a new map can be run")
    };
    assert_eq!(store.map(&id).await, Ok(None));
    assert_eq!(store.save_map(&running, 1, &line()).await, Err(CommitError::Stale), "there is nothing to change");
    assert_eq!(store.save_map(&map, 0, &line()).await, Ok(()));
    assert_eq!(store.map(&id).await, Ok(Some(map.clone())), "numbers, uid and texts come back as they were");
    assert_eq!(store.save_map(&map, 0, &line()).await, Err(CommitError::Stale), "it is not made twice");
    assert_eq!(store.save_map(&running, 1, &line()).await, Ok(()));
    let listed = store.list_maps().await.expect("maps are listed");
    assert!(listed.contains(&running) && listed.is_sorted_by_key(|map| &map.id), "{listed:?}");
    assert_eq!(store.open_lanes(&running, 10).await, Ok(Vec::new()));
    assert_eq!(store.delete_map(&id, 1, &line()).await, Err(CommitError::Stale), "it was run in the meantime");
    assert_eq!(store.delete_map(&id, 2, &line()).await, Ok(()));
    assert_eq!(store.map(&id).await, Ok(None));
}

/// A store of tokens: one is found by its hash alone, and not any more once it is taken back.
///
/// # Panics
/// The store breaks the contract.
pub async fn tokens_contract<T: Tokens>(tokens: &T) {
    let (id, name) = ("contract-1".to_owned(), "Contract #1 – ünïcode".to_owned());
    let token = Token { id, name, role: Role::Operator, created_at: Timestamp(1_795_428_000_000) };
    let other = Token { id: "contract-2".to_owned(), name: "other".to_owned(), ..token.clone() };
    let (hash, other_hash) = ("ab".repeat(32), "cd".repeat(32));
    assert_eq!(tokens.token(&hash).await, Ok(None));
    assert_eq!(tokens.delete_token(&token.id).await, Ok(false));
    assert_eq!(tokens.save_token(&hash, &token).await, Ok(()));
    assert_eq!(tokens.save_token(&other_hash, &other).await, Ok(()));
    assert_eq!(tokens.token(&hash).await, Ok(Some(token.clone())));
    let listed = tokens.list_tokens().await.expect("tokens are listed");
    assert!(listed.contains(&token) && listed.contains(&other), "{listed:?}");
    assert_eq!(tokens.delete_token(&token.id).await, Ok(true));
    assert_eq!(tokens.token(&hash).await, Ok(None));
    assert_eq!(tokens.token(&other_hash).await, Ok(Some(other.clone())), "only the one that is named goes");
    assert_eq!(tokens.delete_token(&other.id).await, Ok(true));
    sessions_contract(tokens).await;
}

async fn sessions_contract<T: Tokens>(tokens: &T) {
    let at = Timestamp(4_795_428_000_000); // far ahead: no store forgets it in mid-test
    let (hash, other_hash) = ("ef".repeat(32), "01".repeat(32));
    let session = Session { token: "ab".repeat(32), opened_at: at, used_at: at };
    let used = Session { used_at: at.plus_ms(7), ..session.clone() };
    assert_eq!(tokens.session(&hash).await, Ok(None));
    assert_eq!(tokens.open_session(&hash, &session, at.plus_ms(1_000)).await, Ok(()));
    assert_eq!(tokens.open_session(&other_hash, &session, at.plus_ms(1_000)).await, Ok(()));
    assert_eq!(tokens.session(&hash).await, Ok(Some(session.clone())));
    assert_eq!(tokens.touch_session(&hash, &used, at.plus_ms(1_000)).await, Ok(()));
    assert_eq!(tokens.session(&hash).await, Ok(Some(used.clone())));
    assert_eq!(tokens.close_session(&hash).await, Ok(()));
    assert_eq!(tokens.session(&hash).await, Ok(None));
    assert_eq!(tokens.close_session(&hash).await, Ok(()), "a repeat does no harm");
    assert_eq!(tokens.touch_session(&hash, &used, at.plus_ms(1_000)).await, Ok(()));
    assert_eq!(tokens.session(&hash).await, Ok(None), "a session that is over stays over");
    assert_eq!(tokens.session(&other_hash).await, Ok(Some(session)), "only the one that is named goes");
}

/// The settings of a side that is reached with an API key.
fn side_config(base_url: &str) -> SideConfig {
    let auth = json!({"kind": "api_key", "header": "x-api-key", "secret": "ssm:/tandem/erp"});
    let config =
        json!({"connector": {"kind": "odata", "base_url": base_url, "auth": auth}, "capability": "idempotent"});
    serde_json::from_value(config).expect("a good side")
}

/// A map with numbers of all kinds in it: the store must give them back as they are.
fn map_config() -> MapConfig {
    let config = json!({
        "sides": [
            {"side": "contract-erp", "entity": "Customers", "key_field": "Account", "filter": [{"field": "Test", "not_in": [true, 1.5]}]},
            {"side": "contract-crm", "entity": "accounts", "key_field": "number"}],
        "fields": [
            {"names": {"contract-erp": "Name", "contract-crm": "name"}, "required": true},
            {"names": {"contract-erp": "Limit", "contract-crm": "limit"},
             "types": {"contract-erp": "decimal", "contract-crm": "decimal"},
             "default": {"contract-crm": 9_007_199_254_740_993_i64, "contract-erp": 0.1}},
            {"names": {"contract-erp": "Group", "contract-crm": "category"},
             "values": [{"contract-erp": 10, "contract-crm": "Ünï\"code"}, {"contract-erp": 20.5, "contract-crm": ""}]}],
        "conflict": {"primary": "contract-erp"},
        "on_unavailable": "fail",
    });
    serde_json::from_value(config).expect("a good map")
}
