//! A case, what is expected of it, and the macro that makes a test of each.

use crate::explore::explore;
use crate::setup::Setup;

pub(crate) struct Case {
    pub name: &'static str,
    pub expected: Expected,
    pub setup: Setup,
}

#[derive(Clone, Copy)]
pub(crate) enum Expected {
    /// No violation, and exactly this many states and transitions.
    Holds { states: usize, transitions: usize },
    /// The mutant of this rule is found, with a violation whose text contains this.
    Breaks { rule: u8, with: &'static str },
}

pub(crate) const fn holds(states: usize, transitions: usize) -> Expected {
    Expected::Holds { states, transitions }
}

pub(crate) const fn breaks(rule: u8, with: &'static str) -> Expected {
    Expected::Breaks { rule, with }
}

impl Case {
    pub(crate) fn run(&self) {
        let search = explore(&self.setup);
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
                let violation = broken.violation.to_string();
                assert!(violation.contains(with), "rule {rule} should be broken with {with:?}, not: {broken}");
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
        pub(crate) const CASES: &[$crate::case::Case] = &[
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
