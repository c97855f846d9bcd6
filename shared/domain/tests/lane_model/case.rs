//! A case, what is expected of it, and the macro that makes a test of each.

use std::fmt;

/// A case of a model, whose setups are `S`.
pub(crate) struct Case<S> {
    pub name: &'static str,
    pub expected: Expected,
    pub setup: S,
}

/// A setup of either model.
pub(crate) trait Searched {
    fn search(&self) -> Findings;
}

pub(crate) struct Findings {
    pub states: usize,
    pub transitions: usize,
    pub broken: Option<Broken>,
}

pub(crate) struct Broken {
    pub violation: String,
    pub trace: Vec<String>,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.violation)?;
        self.trace.iter().try_for_each(|action| write!(f, "\n    {action}"))
    }
}

#[derive(Clone, Copy)]
pub(crate) enum Expected {
    /// No violation, and exactly this many states and transitions.
    Holds { states: usize, transitions: usize },
    /// The mutant of this rule is found, with a violation whose text contains this.
    Breaks { rule: u8, with: &'static str },
    /// No rule is taken out. It is a limit that is known, and the violation is found.
    IsLimited { with: &'static str },
}

pub(crate) const fn holds(states: usize, transitions: usize) -> Expected {
    Expected::Holds { states, transitions }
}

pub(crate) const fn is_limited(with: &'static str) -> Expected {
    Expected::IsLimited { with }
}

pub(crate) const fn breaks(rule: u8, with: &'static str) -> Expected {
    Expected::Breaks { rule, with }
}

impl<S: Searched> Case<S> {
    pub(crate) fn run(&self) {
        let search = self.setup.search();
        match (self.expected, search.broken) {
            (Expected::Holds { states, transitions }, None) => {
                let found = (search.states, search.transitions);
                assert_eq!(
                    found,
                    (states, transitions),
                    "it holds, but the (states, transitions) searched are not the expected ones"
                );
            }
            (Expected::Holds { .. }, Some(broken)) => panic!("a promise is broken: {broken}"),
            (Expected::Breaks { rule, with }, Some(broken)) => {
                assert!(broken.violation.contains(with), "rule {rule} should be broken with {with:?}, not: {broken}");
            }
            (Expected::IsLimited { with }, Some(broken)) => {
                assert!(broken.violation.contains(with), "the limit should be {with:?}, not: {broken}");
            }
            (Expected::IsLimited { .. }, None) => {
                panic!("the limit is gone after {} states: say that it holds", search.states);
            }
            (Expected::Breaks { rule, .. }, None) => {
                panic!("without rule {rule} nothing breaks in {} states: the case shows nothing", search.states);
            }
        }
    }
}

/// Makes `CASES` and one test per case of `name: expectation, setup;`.
macro_rules! cases {
    ($($(#[$doc:meta])* $name:ident: $expected:expr, $setup:expr;)+) => {
        pub(crate) const CASES: &[$crate::case::Case<Setup>] = &[
            $($crate::case::Case { name: stringify!($name), expected: $expected, setup: $setup }),+
        ];

        $(
            $(#[$doc])*
            #[test]
            fn $name() {
                let case = CASES.iter().find(|case| case.name == stringify!($name));
                case.expect("every test is made from a case").run();
            }
        )+
    };
}

pub(crate) use cases;
