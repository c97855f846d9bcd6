//! What one case searches: the apps, what their users do, and which rule is taken out.

use domain::{
    Map, MapState, SideIx, Timestamp,
    id::MapUid,
    map::{ConflictPolicy, PerSide},
    mapping::FieldWinners,
    side::SideConfig,
};
use serde_json::json;

/// A record's value; `None`: the record does not exist.
pub(crate) type Value = Option<&'static str>;

pub(crate) const A: SideIx = SideIx::First;
pub(crate) const B: SideIx = SideIx::Second;

pub(crate) const START: Timestamp = Timestamp(1_795_428_000_000);
/// Reports that are so far apart do not bounce any more.
pub(crate) const TICK_MS: u64 = domain::limits::BOUNCES_WITHIN_MS;

/// A user saves the record, or deletes it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Edit {
    pub side: SideIx,
    pub value: Value,
    /// The app asks Tandem first, and commits after its answer.
    pub sync: bool,
}

pub(crate) const fn saves(side: SideIx, value: &'static str) -> Edit {
    Edit { side, value: Some(value), sync: false }
}

pub(crate) const fn saves_in_transaction(side: SideIx, value: &'static str) -> Edit {
    Edit { side, value: Some(value), sync: true }
}

pub(crate) const fn deletes(side: SideIx) -> Edit {
    Edit { side, value: None, sync: false }
}

/// In which form an app stores what it gets.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Form {
    AsSent,
    Capitals,
    SmallLetters,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct AppKind {
    /// Its trigger reports what Tandem writes, too.
    pub reports_own_writes: bool,
    /// What the side's setting says of that.
    pub set_to_report: bool,
    /// Its reports say what the record was before.
    pub says_before: bool,
    /// How long its transactions are open at most after their write was accepted.
    pub longest_ticks: u64,
    /// What the side's setting says of that.
    pub set_to_ticks: u64,
    /// Within which time its trigger reports a change; `None`: some time.
    pub reports_within_ticks: Option<u64>,
    pub form: Form,
}

/// Which rule is taken out of the production functions, by taking away what they decide by. Rules that rest on a setting
/// are taken out by a wrong setting.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Mutant {
    None,
    /// The head does not know which place in the lane a side's last report got.
    ReportsHaveNoPlace,
    /// The head does not know when a side reported last.
    ReportsHaveNoTime,
    /// The head does not count bounces.
    BouncesAreNotCounted,
    /// The drain does not look for a winner behind a deletion.
    DeletionsDoNotYield,
    /// A row is applied to the lane as it is.
    HeadsAreNotCompared,
    /// The head is read after the row.
    RowsAreReadBeforeTheHead,
    /// A row counts as read when it is applied.
    RowsCountAsReadWhenApplied,
    /// What the other app has counts as unchanged since it was asked for.
    AnswersCountFromTheQuestion,
    /// What a copy brings is not noted before its call.
    CopiesAreNotAnnounced,
    /// A row brings all of its record, whoever wins what.
    RecordsAreNotMerged,
    /// A record is merged from what an earlier look has found.
    RecordsOfAnEarlierLookAreMerged,
    /// A deletion is carried out though the record that was missing came back.
    RecordsThatCameBackAreDeleted,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Setup {
    /// What users do; those of one app in this order.
    pub edits: &'static [Edit],
    /// The record as each app has it at first.
    pub records: [Value; 2],
    pub apps: [AppKind; 2],
    /// The app that wins when changes cross.
    pub primary: Option<SideIx>,
    /// What an operator may have copied, each from this side.
    pub recoveries: &'static [SideIx],
    /// Runs that copy the record's row, each from this side.
    pub runs: &'static [SideIx],
    /// Records have a size, too, which this side wins; the first side wins the rest. The runs are the two directions of one.
    pub size_winner: Option<SideIx>,
    /// They copy nothing: an operator approves what they propose, which is that the other app's record is deleted, for their side
    /// lacks it. (In production another look follows the approval, and what was changed since the proposal is not looked at
    /// again, but left alone.)
    pub runs_delete: bool,
    /// How long reports may take, as the runs are told.
    pub told_report_ticks: u64,
    /// Each edit comes so late after what was before it that it does not bounce.
    pub users_take_their_time: bool,
    /// Users edit only while nothing else happens, and need not think of all that could.
    pub users_wait: bool,
    /// The map has a rule by which capitals do not matter.
    pub ignores_case: bool,
    /// The map is paused at first.
    pub paused: bool,
    /// How often time may pass at any moment.
    pub ticks: u8,
    /// How often a function may die in an attempt.
    pub crashes: u8,
    /// The lane may end parked, and the apps then differ.
    pub may_park: bool,
    pub mutant: Mutant,
}

impl Setup {
    /// An app that reports all, says what was before, and whose setting is right.
    pub(crate) const APP: AppKind = AppKind {
        reports_own_writes: true,
        set_to_report: true,
        says_before: true,
        longest_ticks: 2,
        set_to_ticks: 2,
        reports_within_ticks: None,
        form: Form::AsSent,
    };

    /// Nobody does anything.
    pub(crate) const QUIET: Self = Self {
        edits: &[],
        records: [Some("white"); 2],
        apps: [Self::APP; 2],
        primary: None,
        recoveries: &[],
        runs: &[],
        size_winner: None,
        runs_delete: false,
        told_report_ticks: 0,
        users_take_their_time: false,
        users_wait: false,
        ignores_case: false,
        paused: false,
        ticks: 0,
        crashes: 0,
        may_park: false,
        mutant: Mutant::None,
    };

    /// What users of this side do, in order.
    pub(crate) fn edits_of(&self, side: SideIx) -> impl Iterator<Item = &'static Edit> {
        self.edits.iter().filter(move |edit| edit.side == side)
    }
}

/// A case with what the production functions ask for.
pub(crate) struct World<'a> {
    pub setup: &'a Setup,
    running: Map,
    paused: Map,
    sides: [SideConfig; 2],
    /// Of each run.
    winners: Vec<FieldWinners>,
}

impl<'a> World<'a> {
    pub(crate) fn new(setup: &'a Setup) -> Self {
        let mut fields =
            vec![json!({"names": {"finance": "Name", "crm": "name"}, "compare": {"ignore_case": setup.ignores_case}})];
        if setup.size_winner.is_some() {
            fields.push(json!({"names": {"finance": "Size", "crm": "size"}}));
        }
        let config = json!({
            "sides": [{"side": "finance", "entity": "customers", "key_field": "id"},
                      {"side": "crm", "entity": "accounts", "key_field": "id"}],
            "fields": fields,
        });
        let mut config: domain::MapConfig = serde_json::from_value(config).expect("the map is readable");
        if let Some(primary) = setup.primary {
            config.conflict = ConflictPolicy::Primary(config.side(primary).side.clone());
        }
        let winners = setup.runs.iter().map(|from| match setup.size_winner {
            Some(winner) if setup.mutant != Mutant::RecordsAreNotMerged => {
                let of_field = [("size".to_owned(), winner)].into();
                FieldWinners::choose(&config, A, &of_field).expect("the size is a field of both sides")
            }
            _ => FieldWinners::all(&config, *from),
        });
        let winners = winners.collect();
        let map = Map::new("customers".parse().expect("it is a name"), MapUid(1), config, "kim", START);
        let side = |app: &AppKind| {
            let connector = json!({"kind": "odata", "base_url": "https://app.example/", "create": "upsert"});
            let side = json!({
                "connector": connector, "capability": "idempotent", "reports_own_writes": app.set_to_report,
                "longest_transaction_ms": app.set_to_ticks * TICK_MS,
            });
            serde_json::from_value(side).expect("the side is readable")
        };
        let (running, paused) =
            (Map { state: MapState::Running, ..map.clone() }, Map { state: MapState::Paused, ..map });
        Self { setup, running, paused, sides: setup.apps.each_ref().map(side), winners }
    }

    pub(crate) fn winners(&self, run: usize) -> &FieldWinners {
        &self.winners[run]
    }

    pub(crate) fn map(&self, paused: bool) -> &Map {
        if paused { &self.paused } else { &self.running }
    }

    pub(crate) fn sides(&self) -> PerSide<&SideConfig> {
        PerSide(self.sides.each_ref())
    }

    pub(crate) fn app(&self, side: SideIx) -> &AppKind {
        &self.setup.apps[side.at()]
    }
}
