//! Up to 100 writes in one request.

use serde_json::{Value, json};

use crate::{
    requests::Request,
    stack::together,
    values::{customer, id, key, write},
};

const WRITES: usize = 100;
const KEYS: usize = 9;
/// Each so many-th write has a mistake.
const MISTAKE_EACH: usize = 10;

#[test]
fn each_write_of_a_batch_has_its_answer_in_its_place_and_each_record_its_order() {
    together(async |world| {
        let keys: Vec<String> = (0..KEYS).map(|_| key("BATCH")).collect();
        let wrong = |at: usize| at.is_multiple_of(MISTAKE_EACH);
        let writes: Vec<Value> = (0..WRITES)
            .map(|at| {
                let limit = u32::try_from(at).expect("few");
                let mut write = write(&id(), &keys[at % KEYS], &customer("Contoso", limit));
                if wrong(at) {
                    write["colour"] = json!("red");
                }
                write
            })
            .collect();
        let told = Request::post("/writes/batch", &json!({ "writes": writes })).signed(world).send(world).await;
        assert_eq!(told.status, 200, "{told:?}");
        let answers = told.body["answers"].as_array().expect("a list");
        assert_eq!(answers.len(), WRITES);
        for (at, (write, told)) in writes.iter().zip(answers).enumerate() {
            let (status, answer) = (&told["status_code"], &told["answer"]);
            if wrong(at) {
                assert_eq!(
                    (status, &answer["errors"][0]["field"]),
                    (&json!(400), &json!(format!("writes[{at}].colour")))
                );
            } else {
                assert_eq!((status, &answer["id"]), (&json!(200), &write["id"]), "{at}: {told}");
            }
        }
        for (at, key) in keys.iter().enumerate() {
            let settled = world.settled(key).await;
            let last = (0..WRITES).rfind(|n| n % KEYS == at && !wrong(*n)).expect("there are some");
            assert_eq!(settled.crm.expect("crm has it")["creditlimit"].as_f64(), Some(last as f64));
            let asked = (0..WRITES).filter(|n| n % KEYS == at && !wrong(*n)).map(|n| &answers[n]["answer"]["version"]);
            let calls = world.crm().calls(key).await.expect("crm answers");
            let applied: Vec<_> =
                calls.iter().filter(|call| call["applied"] == true).map(|call| &call["version"]).collect();
            assert_eq!(applied, asked.collect::<Vec<_>>(), "in the order of the request");
        }
    });
}
