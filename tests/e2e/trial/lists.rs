//! Lists as apps in the field give them: each is told by the run, and none makes it lose or invent a record.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, Instant},
};

use futures::future::join_all;
use serde_json::{Value, json};

use super::{
    Trial,
    stub::{Asked, Reply},
};
use crate::{
    stack::{World, together},
    syncs::check_sums,
};

const DEADLINE: Duration = Duration::from_secs(120);
const POLL: Duration = Duration::from_millis(200);
const ROW_BYTES: usize = 10_000_000;
/// Records that `a` has, three a page.
const RECORDS: usize = 6;

/// What a run comes to.
enum Ends {
    /// It is through, and so many rows were listed twice.
    Through { repeated: u64 },
    /// It is through, and lists the row of the second page as failed, in these words.
    Fails(&'static str),
    /// It asks an operator, in these words.
    Asks(&'static str),
}

/// A list of `a`: its name, what is answered to a request of it (and to the how-manieth), and what the run comes to. `None`: the usual page.
struct List {
    name: &'static str,
    answers: fn(page: usize, request: usize) -> Option<Reply>,
    ends: Ends,
}

const LISTS: [List; 7] = [
    List { name: "well", answers: |_, _| None, ends: Ends::Through { repeated: 0 } },
    List { name: "circle", answers: |page, _| (page == 2).then(|| rows(2, Some(1))), ends: Ends::Asks("in a circle") },
    List {
        name: "twice",
        answers: |page, _| match page {
            // The app numbers its pages anew while they are read.
            2 => Some(rows(1, Some(3))),
            3 => Some(rows(2, None)),
            _ => None,
        },
        ends: Ends::Through { repeated: 3 },
    },
    List {
        name: "login",
        answers: |page, request| {
            let login = || Reply::Http(200, "text/html", "<html><body>Sign in</body></html>".to_owned());
            (page == 2 && request < 3).then(login)
        },
        ends: Ends::Through { repeated: 0 },
    },
    List {
        name: "throttled",
        answers: |page, request| {
            (page == 2 && request < 3).then(|| Reply::Http(429, "application/json", "{}".to_owned()))
        },
        ends: Ends::Through { repeated: 0 },
    },
    List {
        name: "expired",
        answers: |page, request| {
            (page == 2 && request < 3).then(|| Reply::Http(401, "application/json", "{}".to_owned()))
        },
        ends: Ends::Through { repeated: 0 },
    },
    List {
        name: "huge",
        answers: |page, _| {
            let row = json!({"key": "K-huge", "name": "x".repeat(ROW_BYTES)});
            (page == 2).then(|| Reply::Http(200, "application/json", json!({ "value": [row] }).to_string()))
        },
        ends: Ends::Fails("the row has 10000"),
    },
];

#[test]
fn lists_in_a_circle_with_pages_twice_of_another_form_too_large_or_withheld_are_told_and_lose_no_record() {
    together(async |world| {
        join_all(LISTS.iter().map(|list| compared(world, list))).await;
    });
}

async fn compared(world: &World, list: &'static List) {
    let name = list.name;
    let trial = Trial::start(world, name, json!({}), json!({})).await;
    for n in 0..RECORDS {
        trial.a.put(&record(n), json!({"name": "Ada"}));
    }
    let requests = AtomicUsize::new(0);
    trial.a.answers(move |asked: &Asked| {
        let page = asked.page()?;
        let request = requests.fetch_add(1, Ordering::SeqCst) + 1;
        Some((list.answers)(page, request).unwrap_or_else(|| rows(page, (page == 1).then_some(2))))
    });
    let run = json!({"kind": "dry_run", "reason": "what does it list?"});
    let run = world.admin.post(&trial.path("/syncs"), &run).await.expect("admin starts it");
    let run = trial.path(&format!("/syncs/{}", run["id"].as_str().expect("an id")));
    let deadline = Instant::now() + DEADLINE;
    let ended = loop {
        let run = world.admin.get(&run).await.expect("admin answers");
        check_sums(&run);
        if run["state"] != "running" {
            break run;
        }
        assert!(Instant::now() < deadline, "{name}: {run}");
        tokio::time::sleep(POLL).await;
    };
    match &list.ends {
        Ends::Through { repeated } => {
            assert_eq!(ended["state"], "finished", "{name}: {ended}");
            let leg = &ended["legs"][format!("{name}-a")];
            assert_eq!(leg["inserted"], RECORDS, "{name}: {ended}");
            assert_eq!(leg["skipped_for"]["repeated"].as_u64().unwrap_or(0), *repeated, "{name}: {ended}");
        }
        Ends::Fails(words) => {
            let leg = &ended["legs"][format!("{name}-a")];
            assert_eq!((&ended["state"], &leg["failed"]), (&json!("finished"), &json!(1)), "{name}: {ended}");
            assert!(ended["causes"][0]["message"].as_str().is_some_and(|says| says.starts_with(words)), "{ended}");
        }
        Ends::Asks(words) => {
            assert_eq!(
                (&ended["state"], &ended["stall"]["side"]),
                (&json!("paused"), &json!(format!("{name}-a"))),
                "{ended}"
            );
            let why = ended["stall"]["why"].as_str().unwrap_or_default();
            assert!(why.contains(words), "{name}: {why}");
            let cancel = json!({"reason": "the test is over"});
            world.admin.post(&format!("{run}/cancel"), &cancel).await.expect("admin cancels it");
        }
    }
    assert_eq!(trial.b.writes(), [], "{name}: a dry run writes nothing");
    trial.end().await;
}

fn record(n: usize) -> String {
    format!("K-{n}")
}

/// The rows of a page, and the link to the next one.
fn rows(page: usize, next: Option<usize>) -> Reply {
    let rows: Vec<Value> = ((page - 1) * 3..page * 3).map(|n| json!({"key": record(n), "name": "Ada"})).collect();
    let mut body = json!({ "value": rows });
    if let Some(next) = next {
        body["@odata.nextLink"] = json!(format!("Things?page={next}"));
    }
    Reply::Http(200, "application/json", body.to_string())
}
