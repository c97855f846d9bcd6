//! What a random world is like, and what must be seen in worlds of that kind.

use app::ports::SyncMap;
use domain::{
    map::{ConflictPolicy, OnUnavailable},
    side::Capability,
};
use testkit::sample;

/// What a world is like.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Kind {
    /// Of both apps, in map order.
    pub(crate) capabilities: [Capability; 2],
    pub(crate) refusals: bool,
    pub(crate) faults: bool,
    /// Operators pause, resume, and do things to entries.
    pub(crate) operators: bool,
    /// Operators stop and run the map, too.
    pub(crate) stops: bool,
    /// The apps do not report what Tandem writes.
    pub(crate) silent: bool,
    /// Their reports do not say what a record was before.
    pub(crate) terse: bool,
    /// The first side is the primary one.
    pub(crate) primary: bool,
    /// Callers are told 503 while the other app is away.
    pub(crate) fails: bool,
    /// The apps of a paused map are probed with one of its changes.
    pub(crate) probes: bool,
}

impl Kind {
    /// Apps of this capability that report everything, and whose calls and functions fail. Each test says what is different.
    pub(crate) const fn faulty(capability: Capability) -> Self {
        Self {
            capabilities: [capability; 2],
            refusals: false,
            faults: true,
            operators: false,
            stops: false,
            silent: false,
            terse: false,
            primary: false,
            fails: false,
            probes: false,
        }
    }

    /// The same with apps of all capabilities in turn, by the seed.
    pub(crate) fn of_all_capabilities(self, seed: u64) -> Self {
        let all = [Capability::Idempotent, Capability::Versioned, Capability::Plain];
        let (one, two) = if seed.is_multiple_of(3) { (seed / 3, seed / 9) } else { (seed, seed) };
        let [one, two] = [one, two].map(|n| all[usize::try_from(n % 3).unwrap_or(0)]);
        Self { capabilities: [one, two], ..self }
    }

    /// The same with a `versioned` app at one side or both, by the seed.
    pub(crate) fn versioned_somewhere(self, seed: u64) -> Self {
        use Capability::{Idempotent, Plain, Versioned};
        let capabilities = match seed % 5 {
            0 => [Versioned, Idempotent],
            1 => [Plain, Versioned],
            _ => [Versioned, Versioned],
        };
        Self { capabilities, ..self }
    }

    /// A function that is frozen in the middle of a call makes the call outlive its bound: nothing helps a plain app then.
    pub(crate) fn freezes(self) -> bool {
        self.faults && !self.capabilities.contains(&Capability::Plain)
    }

    /// A call that creates a record meets no tag: one that is late makes it anew after a deletion. Nothing helps a versioned
    /// app then.
    pub(crate) fn deletes(self) -> bool {
        !self.faults || !self.capabilities.contains(&Capability::Versioned)
    }

    /// The map of such a world, between sides that say what their apps do.
    pub(crate) fn map(self) -> SyncMap {
        let mut map = sample::running(self.capabilities[0]);
        for (side, capability) in map.sides.iter_mut().zip(self.capabilities) {
            side.config.capability = capability;
            side.config.reports_own_writes = !self.silent;
        }
        if self.primary {
            map.map.config.conflict = ConflictPolicy::Primary(map.sides[0].id.clone());
        }
        if self.fails {
            map.map.config.on_unavailable = OnUnavailable::Fail;
        }
        map
    }

    pub(crate) fn must_see(self) -> Vec<&'static str> {
        let mut all = vec!["written", "queued", "crossing"];
        let of_kind: [(bool, &[&'static str]); 8] = [
            (!self.silent, &["skipped"]),
            (self.faults, &["crash"]),
            (self.operators, &["archived", "paused", "conflict"]),
            (self.refusals, &["refused", "parked"]),
            (self.capabilities.contains(&Capability::Versioned), &["tag met", "as wanted"]),
            (self.primary, &["lost to the primary", "won as the primary"]),
            (self.fails, &["unavailable", "restored"]),
            (self.stops, &["stopped", "skipped as stopped", "equal after a stop"]),
        ];
        for (_, what) in of_kind.into_iter().filter(|(is, _)| *is) {
            all.extend(what);
        }
        all
    }

    /// Pairs of state and command, and commands for entries, that operators must have done.
    pub(crate) fn must_do(self) -> &'static [&'static str] {
        match (self.operators, self.stops) {
            (false, _) => &[],
            (true, true) => &["Running stop", "Paused stop", "CatchingUp stop", "Stopped run", "Running pause"],
            (true, false) => &[
                "Running pause",
                "CatchingUp pause",
                "Paused resume CatchUp",
                "Paused resume SkipToLive",
                "Paused resume Discard",
                "CatchingUp resume CatchUp",
                "CatchingUp resume SkipToLive",
                "CatchingUp resume Discard",
                "retry",
                "edit",
                "skip",
                "revert",
                "supersede",
                "cancel",
                "hold",
                "recover",
                "reverse",
            ],
        }
    }
}
