//! What the adapters take for granted of DynamoDB, shown on the emulator: else the tests above would prove nothing.

use std::collections::HashMap;

use aws_sdk_dynamodb::{
    Client,
    operation::transact_write_items::TransactWriteItemsError,
    types::{AttributeValue, ConditionCheck, Put, ReturnValuesOnConditionCheckFailure, TransactWriteItem, Update},
};
use futures::future::join_all;

use crate::emulator::{run, table};

/// Writers at the same time.
const WRITERS: usize = 20;

#[test]
fn a_condition_that_fails_changes_nothing_and_shows_what_is_there() {
    run(async {
        let (db, table) = table().await;
        put(&db, &table, "a", "1").await;
        let update = db
            .update_item()
            .table_name(&table)
            .set_key(Some(key("a")))
            .update_expression("SET n = :n REMOVE gone")
            .condition_expression("n = :was")
            .expression_attribute_values(":n", number("3"))
            .expression_attribute_values(":was", number("2"))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let error = update.send().await.expect_err("n is 1").into_service_error();
        assert!(error.is_conditional_check_failed_exception(), "{error:?}");
        assert_eq!(value(&db, &table, "a").await.as_deref(), Some("1"));
    });
}

#[test]
fn a_transaction_is_all_or_nothing_and_names_what_stood_against_it() {
    run(async {
        let (db, table) = table().await;
        put(&db, &table, "there", "1").await;
        let fresh = |sk: &str| {
            let item = item(sk, "9");
            let put =
                Put::builder().table_name(&table).set_item(Some(item)).condition_expression("attribute_not_exists(pk)");
            TransactWriteItem::builder().put(put.build().expect("complete")).build()
        };
        let check = ConditionCheck::builder()
            .table_name(&table)
            .set_key(Some(key("missing")))
            .condition_expression("attribute_exists(pk)");
        let check = TransactWriteItem::builder().condition_check(check.build().expect("complete")).build();
        let actions = vec![fresh("new"), fresh("there"), check];
        let error =
            db.transact_write_items().set_transact_items(Some(actions)).send().await.expect_err("two stand against it");
        let TransactWriteItemsError::TransactionCanceledException(cancelled) = error.into_service_error() else {
            panic!("another error");
        };
        let codes: Vec<_> =
            cancelled.cancellation_reasons().iter().map(|reason| reason.code().unwrap_or("-")).collect();
        assert_eq!(
            codes,
            ["None", "ConditionalCheckFailed", "ConditionalCheckFailed"],
            "one for each action, in order"
        );
        assert_eq!(value(&db, &table, "new").await, None);
        assert_eq!(value(&db, &table, "there").await.as_deref(), Some("1"));
        let sent = db.transact_write_items().transact_items(fresh("new")).transact_items(fresh("newer")).send().await;
        assert!(sent.is_ok(), "{sent:?}");
        assert_eq!(value(&db, &table, "newer").await.as_deref(), Some("9"));
    });
}

#[test]
fn of_many_conditional_updates_at_once_one_wins() {
    run(async {
        let (db, table) = table().await;
        put(&db, &table, "a", "0").await;
        let update = |in_transaction: bool| {
            let (db, table) = (db.clone(), table.clone());
            async move {
                if in_transaction {
                    let update = Update::builder()
                        .table_name(table)
                        .set_key(Some(key("a")))
                        .update_expression("SET n = :n")
                        .condition_expression("n = :was")
                        .expression_attribute_values(":n", number("1"))
                        .expression_attribute_values(":was", number("0"));
                    let update = TransactWriteItem::builder().update(update.build().expect("complete")).build();
                    db.transact_write_items().transact_items(update).send().await.is_ok()
                } else {
                    let update = db
                        .update_item()
                        .table_name(table)
                        .set_key(Some(key("a")))
                        .update_expression("SET n = :n")
                        .condition_expression("n = :was")
                        .expression_attribute_values(":n", number("1"))
                        .expression_attribute_values(":was", number("0"));
                    update.send().await.is_ok()
                }
            }
        };
        let won = join_all((0..WRITERS).map(|n| update(n % 2 == 0))).await;
        assert_eq!(won.into_iter().filter(|won| *won).count(), 1);
    });
}

type Item = HashMap<String, AttributeValue>;

fn number(text: &str) -> AttributeValue {
    AttributeValue::N(text.to_owned())
}

fn key(sk: &str) -> Item {
    let text = |value: &str| AttributeValue::S(value.to_owned());
    Item::from([("pk".to_owned(), text("p")), ("sk".to_owned(), text(sk))])
}

fn item(sk: &str, n: &str) -> Item {
    let mut item = key(sk);
    item.insert("n".to_owned(), number(n));
    item
}

async fn put(db: &Client, table: &str, sk: &str, n: &str) {
    db.put_item().table_name(table).set_item(Some(item(sk, n))).send().await.expect("it is put");
}

async fn value(db: &Client, table: &str, sk: &str) -> Option<String> {
    let got = db.get_item().table_name(table).set_key(Some(key(sk))).consistent_read(true).send().await;
    got.expect("it is read").item?.get("n")?.as_n().ok().cloned()
}
