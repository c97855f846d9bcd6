//! Two people save the same record on both pages at the same moment.

use std::time::Duration;

use futures::future::join_all;
use local::Answer;
use serde_json::{Value, json};

use crate::{
    stack::{World, together},
    values::{customer, key},
};

/// Records that two people each work on, and how often they save: 200 times in all.
const RECORDS: u32 = 4;
const ROUNDS: u32 = 50;
/// One that waits for the other for ever would be seen here.
const ROUND_DEADLINE: Duration = Duration::from_secs(30);
/// Rounds in which the two met: if they no longer do, this test shows nothing.
const CROSSINGS_MIN: u32 = RECORDS * ROUNDS / 2;

#[test]
fn two_people_saving_at_once_end_with_one_record_and_the_crossing_is_told() {
    together(async |world| {
        let crossings: u32 = join_all((0..RECORDS).map(|_| two_people(world))).await.into_iter().sum();
        assert!(crossings >= CROSSINGS_MIN, "only {crossings} of {} rounds crossed", RECORDS * ROUNDS);
    });
}

/// How many rounds crossed.
async fn two_people(world: &World) -> u32 {
    let key = key("CROSS");
    assert_eq!(world.finance().edit(&key, customer("Contoso", 0)).await.expect("finance answers").status, 200);
    world.settled(&key).await;
    let mut crossings = 0;
    for round in 1..=ROUNDS {
        let (in_finance, in_crm) = (2 * round, 2 * round + 1);
        let (finance, crm) = futures::join!(
            world.finance().edit(&key, json!({"CreditLimit": in_finance, "PrimaryContactPhone": phone(in_finance)})),
            world.crm().edit(&key, json!({"creditlimit": in_crm, "telephone1": phone(in_crm)})),
        );
        let saved = [finance.expect("finance answers"), crm.expect("crm answers")];
        assert!(saved.iter().all(|saved| saved.status == 200), "round {round}: {saved:?}");
        let settled = world.settled_within(&key, ROUND_DEADLINE).await;
        let record = settled.unwrap_or_else(|says| panic!("round {round}: {says}\n{saved:?}")).finance;
        let record = record.expect("it is there");
        let limit = record["CreditLimit"].as_f64();
        let winner = [in_finance, in_crm].into_iter().find(|one| Some(f64::from(*one)) == limit);
        let winner = winner.unwrap_or_else(|| panic!("round {round}: {record} is neither's"));
        assert_eq!(record["PrimaryContactPhone"], phone(winner), "round {round}: a mixture of both");
        crossings += u32::from(crossed(world, &key, &saved).await);
    }
    crossings
}

fn phone(number: u32) -> Value {
    format!("+1 555 {number}").into()
}

/// Whether `GET /writes/{id}` tells of a crossing for one of the two.
async fn crossed(world: &World, key: &str, saved: &[Answer; 2]) -> bool {
    for saved in saved {
        let fate = world.sync_write.look_up(local::MAP, key, saved.text("id")).await.expect("sync-write answers");
        assert_eq!((fate.status, fate.text("status")), (200, "written"), "{fate:?} of {saved:?}");
        if fate.body["crossing"]["winner"].is_string() {
            return true;
        }
    }
    false
}
