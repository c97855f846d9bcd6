//! What the codes of an app mean.

use super::SideConfig;
use crate::failure::{CallEffect, ErrorClass, Failure};

/// Codes in one list.
const MAX_CODES: usize = 100;
/// Characters of one code: what is kept of it in a [`Failure`].
const MAX_CODE_CHARS: usize = 100;
/// What a list of codes must be.
pub(super) const WANTED: &str = "must be at most 100 codes of 1 to 100 characters";
/// Of apps that many people use: Salesforce answers 400 with it to a record that somebody else is writing.
const KNOWN_TRANSIENT: [&str; 1] = ["UNABLE_TO_LOCK_ROW"];

pub(super) fn are_well_formed(codes: &[String]) -> bool {
    codes.len() <= MAX_CODES && codes.iter().all(|code| (1..=MAX_CODE_CHARS).contains(&code.chars().count()))
}

pub(super) fn contain(codes: &[String], code: &str) -> bool {
    codes.iter().any(|known| known.eq_ignore_ascii_case(code))
}

impl SideConfig {
    /// The failure of a write as the settings of this side have it: its lists of codes decide before the HTTP status does.
    #[must_use]
    pub fn judge(&self, failure: Failure) -> Failure {
        let Some(code) = failure.code.as_deref() else { return failure };
        let is_known = KNOWN_TRANSIENT.iter().any(|known| known.eq_ignore_ascii_case(code));
        if contain(&self.final_codes, code) {
            return Failure { effect: CallEffect::Refused, class: ErrorClass::Application, ..failure };
        }
        if contain(&self.transient_codes, code) || is_known {
            let class = match failure.class {
                ErrorClass::Application | ErrorClass::BadRequest | ErrorClass::OtherHttp => ErrorClass::Conflict,
                class => class,
            };
            return Failure { effect: CallEffect::NotApplied, class, ..failure };
        }
        failure
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn side() -> SideConfig {
        let config = json!({
            "connector": {"kind": "odata", "base_url": "https://erp.example/data/"},
            "transient_codes": ["LOCKED", "0x80072324"], "final_codes": ["500", "AxODataWriteException"],
        });
        serde_json::from_value(config).unwrap()
    }

    #[test]
    fn the_lists_of_a_side_decide_before_the_status_does() {
        use CallEffect::{NotApplied, Refused, Unknown};
        use ErrorClass as C;
        for (class, effect, code, wanted) in [
            (C::Application, Refused, Some("locked"), (C::Conflict, NotApplied)),
            (C::Application, Refused, Some("UNABLE_TO_LOCK_ROW"), (C::Conflict, NotApplied)),
            (C::Unavailable, Unknown, Some("0X80072324"), (C::Unavailable, NotApplied)),
            (C::OtherHttp, Unknown, Some("LOCKED"), (C::Conflict, NotApplied)), // a 500; of this record alone
            (C::OtherHttp, Unknown, Some("500"), (C::Application, Refused)),
            (C::OtherHttp, Unknown, Some("AxODataWriteException"), (C::Application, Refused)),
            (C::Application, Refused, Some("E42"), (C::Application, Refused)),
            (C::Network, Unknown, None, (C::Network, Unknown)),
        ] {
            let judged = side().judge(Failure::new(class, effect, code.map(str::to_owned), "no"));
            assert_eq!((judged.class, judged.effect), wanted, "{code:?}");
        }
    }

    #[test]
    fn lists_are_checked_and_a_code_stands_in_one_of_them() {
        let mistakes = |transient: Vec<String>, last: Vec<String>| {
            let side = SideConfig { transient_codes: transient, final_codes: last, ..side() };
            side.mistakes().into_iter().map(|mistake| mistake.field).collect::<Vec<_>>()
        };
        assert!(side().mistakes().is_empty());
        assert_eq!(mistakes(vec![String::new()], vec!["x".repeat(101)]), ["transient_codes", "final_codes"]);
        assert_eq!(mistakes(vec!["a".to_owned(); 101], vec![]), ["transient_codes"]);
        assert_eq!(mistakes(vec!["Locked".to_owned()], vec!["LOCKED".to_owned()]), ["final_codes"]);
    }
}
