//! Sync runs and what they note.

use app::ports::{ActiveRun, CommitError, FindingChange, FindingList, SyncRuns, finding_place};
use aws::DynamoSyncRuns;
use aws_sdk_dynamodb::types::AttributeValue;
use domain::{
    ContentHash, ErrorClass, Failure, Map, Timestamp,
    failure::CallEffect,
    id::{MapUid, SyncRunId},
    lane::KnownPast,
    log::LogEvent,
    map::{PerSide, SideIx},
    sync::{
        Deletion, DeletionFate, FailedCopy, Finding, FindingState, LookAgain, RunMemory, RunPhase, RunStart, RunState,
        Selection, SyncChoice, SyncKind, SyncRun,
    },
};

use crate::emulator::{run, table};

fn map() -> Map {
    Map::new("customers".parse().expect("a name"), MapUid(7), testkit::sample::customers(), "test", Timestamp(5))
}

fn sync_run(id: u128, version: u64) -> SyncRun {
    let map = map();
    SyncRun {
        id: SyncRunId(id),
        map: map.id,
        uid: map.uid,
        choice: SyncChoice {
            kind: SyncKind::InitialSync,
            winner: SideIx::First,
            winner_of_field: [("limit".to_owned(), SideIx::Second)].into(),
            legs: PerSide::default(),
            selection: Selection::All,
            parent: None,
        },
        state: RunState::Running,
        version,
        started_by: "kim".to_owned(),
        reason: "to test".to_owned(),
        steered: None,
        began: Timestamp(5),
        ended: None,
        phase: RunPhase::Listing,
        progress: Default::default(),
        join: Default::default(),
        counts: PerSide::default(),
        causes: Vec::new(),
        to_look_at: 0,
        noted: 0,
        speed: Default::default(),
        expected_rows: PerSide::default(),
        stall: None,
        waits: 0,
        lease: None,
        start: RunStart::default(),
        memory: RunMemory::default(),
    }
}

fn look(key: &str, due: u64) -> Finding {
    let look = LookAgain::first(Timestamp(due));
    Finding { leg: SideIx::First, key: key.parse().expect("a key"), state: FindingState::LookAgain(look) }
}

fn deletion() -> Deletion {
    Deletion { fate: DeletionFate::Proposed, at: Timestamp(5), look: None, past: KnownPast::default() }
}

#[test]
fn a_run_is_saved_on_its_version_with_what_it_notes_and_is_active_until_it_is_over() {
    run(async {
        let (db, table) = table().await;
        let runs = DynamoSyncRuns::new(db.clone(), &table);
        let (map, first, second) = (map(), sync_run(1 << 90, 1), sync_run(2 << 90, 1));
        assert_eq!(runs.run(&map, first.id).await, Ok(None));
        let changes = [look("b", 20), look("a", 30), look("c", 9)].map(FindingChange::Put);
        assert_eq!(runs.save_run(&map, &first, None, &changes).await, Ok(()));
        assert_eq!(runs.save_run(&map, &first, None, &[]).await, Err(CommitError::Stale), "it is not made twice");
        let beside = runs.save_run(&map, &second, None, &[]).await;
        assert_eq!(beside, Err(CommitError::Stale), "one run of a map writes at a time");
        let second = SyncRun { choice: SyncChoice { kind: SyncKind::Reconcile, ..second.choice }, ..second };
        assert_eq!(runs.save_run(&map, &second, None, &[]).await, Ok(()), "what only reads may run beside it");
        let told = async |run: &SyncRun| {
            let (pk, sk) = (format!("Y#{}", run.uid), format!("{:032x}", run.id.0));
            let get =
                db.get_item().table_name(&table).key("pk", AttributeValue::S(pk)).key("sk", AttributeValue::S(sk));
            let found = get.consistent_read(true).send().await;
            let item = found.expect("the run is read").item.expect("it is stored");
            item.get("outbox").map(|text| aws::outbox::read(text.as_s().expect("a text")).expect("it can be read"))
        };
        let line =
            |run: &SyncRun, before| run.line_since(before, &map).map(|line| vec![LogEvent::Activity(Box::new(line))]);
        assert!(line(&first, None).is_some() && told(&first).await == line(&first, None), "its start is told");
        assert_eq!(runs.run(&map, first.id).await, Ok(Some(first.clone())));
        let listed = async |before, limit| runs.runs(&map, before, limit).await.expect("runs are listed");
        assert_eq!(listed(None, 10).await, [second.clone(), first.clone()], "newest first");
        assert_eq!(listed(Some(second.id), 10).await.as_slice(), std::slice::from_ref(&first));
        assert_eq!(listed(None, 1).await.as_slice(), std::slice::from_ref(&second));
        let found = async |after: Option<&Finding>, limit| {
            let after = after.map(finding_place);
            let found = runs.findings(first.id, FindingList::LookAgain, after.as_deref(), limit).await;
            found.expect("findings are listed").into_iter().map(|finding| finding.key.to_string()).collect::<Vec<_>>()
        };
        assert_eq!(found(None, 10).await, ["c", "b", "a"], "the first to be looked at first");
        assert_eq!(
            (found(None, 2).await, found(Some(&look("b", 20)), 2).await),
            (vec!["c".into(), "b".into()], vec!["a".into()])
        );
        let active = |run: &SyncRun| ActiveRun { map: run.map.clone(), run: run.id };
        assert_eq!(runs.active_runs().await, Ok(vec![active(&first), active(&second)]));
        let moved_on = SyncRun { to_look_at: 9, version: 2, ..second.clone() };
        assert_eq!(runs.save_run(&map, &moved_on, Some(&second), &[]).await, Ok(()));
        assert_eq!(told(&second).await, None, "what was told goes with the next change");
        let over = SyncRun { state: RunState::Finished, version: 2, ..first.clone() };
        let moved = [
            FindingChange::Delete(look("c", 9)),
            FindingChange::Put(look("c", 9)),
            FindingChange::Delete(look("b", 20)),
        ];
        assert_eq!(
            runs.save_run(&map, &over, Some(&SyncRun { version: 7, ..first.clone() }), &moved).await,
            Err(CommitError::Stale)
        );
        assert_eq!(found(None, 10).await, ["c", "b", "a"], "nothing of it is stored");
        assert_eq!(runs.save_run(&map, &over, Some(&first), &moved).await, Ok(()));
        assert_eq!(told(&over).await, line(&over, Some(&first)));
        assert_eq!(
            (found(None, 10).await, runs.active_runs().await),
            (vec!["c".into(), "a".into()], Ok(vec![active(&second)]))
        );
        // A run takes what another one has proposed from its list, with its own commit or not at all.
        let proposed = Finding { state: FindingState::Deletion(deletion()), ..look("d", 1) };
        let listing = SyncRun { version: 3, ..moved_on.clone() };
        let put = [FindingChange::Put(proposed.clone())];
        assert_eq!(runs.save_run(&map, &listing, Some(&moved_on), &put).await, Ok(()));
        let listed = async || runs.findings(second.id, FindingList::Deletions, None, 10).await;
        assert_eq!(listed().await, Ok(vec![proposed.clone()]));
        let decides = SyncRun { choice: listing.choice.clone(), ..sync_run(4 << 90, 1) };
        let rejected = Finding {
            state: FindingState::Deletion(Deletion { fate: DeletionFate::Rejected, ..deletion() }),
            ..proposed.clone()
        };
        let changes = [FindingChange::Put(rejected.clone()), FindingChange::DeleteOf(second.id, proposed.clone())];
        let stale = SyncRun { version: 5, ..decides.clone() };
        assert_eq!(runs.save_run(&map, &decides, Some(&stale), &changes).await, Err(CommitError::Stale));
        assert_eq!(listed().await, Ok(vec![proposed]));
        assert_eq!(runs.save_run(&map, &decides, None, &changes).await, Ok(()));
        assert_eq!(listed().await, Ok(Vec::new()));
        assert_eq!(runs.findings(decides.id, FindingList::Deletions, None, 10).await, Ok(vec![rejected]));
        assert_eq!(runs.forget_active(&active(&decides)).await, Ok(()));
        let third = sync_run(3 << 90, 1);
        assert_eq!(runs.save_run(&map, &third, None, &[]).await, Ok(()), "the one before is over");
        assert_eq!(runs.forget_active(&active(&third)).await, Ok(()));
        assert_eq!(runs.forget_active(&active(&second)).await, Ok(()));
        assert_eq!(runs.active_runs().await, Ok(Vec::new()));
    });
}

#[test]
fn the_failure_of_a_record_is_found_by_its_cause_and_key() {
    run(async {
        let (db, table) = table().await;
        let (runs, map, first) = (DynamoSyncRuns::new(db, &table), map(), sync_run(1 << 90, 1));
        let (crm, key) = ("crm".parse().expect("a name"), "C-10".parse().expect("a key"));
        let refused = Failure::new(ErrorClass::Application, CallEffect::Refused, None, "no");
        let failed =
            FailedCopy { content: Some(ContentHash(7)), ..FailedCopy::of(&refused, &crm, &key, None, Timestamp(5)) };
        let state = FindingState::Failed(failed.clone());
        let put = [FindingChange::Put(Finding { leg: SideIx::First, key, state })];
        assert_eq!(runs.save_run(&map, &first, None, &put).await, Ok(()));
        let of = async |cause: u64, leg, key: &str| {
            let key = key.parse().expect("a key");
            runs.failure(first.id, ContentHash(cause), (leg, &key)).await.expect("it is read")
        };
        let cause = failed.cause.0;
        assert_eq!(of(cause, SideIx::First, "C-10").await, Some(failed));
        assert_eq!([of(cause, SideIx::First, "C-1").await, of(cause, SideIx::Second, "C-10").await], [None, None]);
        assert_eq!(of(cause ^ 1, SideIx::First, "C-10").await, None);
    });
}
