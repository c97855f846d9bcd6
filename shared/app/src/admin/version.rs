//! The version that a change is based on: the headers `If-Match` and `If-None-Match`.

use crate::error::AppError;

/// The stored version that the caller expects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Precondition {
    /// The request has no condition.
    Unsaid,
    /// Nothing is stored: `If-None-Match: *`.
    Nothing,
    /// Any version is stored: `If-Match: *`.
    Anything,
    /// This version is stored: `If-Match: "3"`.
    Version(u64),
}

/// The effect of a save.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SaveResult {
    /// The item is new.
    Created,
    /// The item was changed.
    Updated,
    /// The item was in the requested state already.
    Unchanged,
}

impl Precondition {
    /// Reads the two headers.
    ///
    /// # Errors
    /// Both headers are present, or one has another form.
    pub fn from_headers(if_match: Option<&str>, if_none_match: Option<&str>) -> Result<Self, AppError> {
        match (if_match.map(str::trim), if_none_match.map(str::trim)) {
            (None, None) => Ok(Self::Unsaid),
            (Some(_), Some(_)) => Err(AppError::mistake("If-None-Match", "cannot go together with If-Match")),
            (Some("*"), None) => Ok(Self::Anything),
            (Some(tag), None) => version(tag).map(Self::Version).ok_or_else(|| {
                AppError::mistake("If-Match", "must be * or one version in quotes as an ETag has it, like \"3\"")
            }),
            (None, Some("*")) => Ok(Self::Nothing),
            (None, Some(_)) => Err(AppError::mistake("If-None-Match", "must be *")),
        }
    }

    /// Returns the version that the store must find: 0 if nothing may be stored.
    ///
    /// # Errors
    /// The stored version is another one, or an update has no condition.
    pub fn check(self, stored: Option<u64>) -> Result<u64, AppError> {
        match (stored, self) {
            (None, Self::Unsaid | Self::Nothing) => Ok(0),
            (None, Self::Anything | Self::Version(_)) => Err(AppError::VersionChanged { stored: None }),
            (Some(stored), Self::Unsaid) => Err(AppError::VersionMissing { stored }),
            (Some(stored), Self::Nothing) => Err(AppError::Exists { stored }),
            (Some(stored), Self::Anything) => Ok(stored),
            (Some(stored), Self::Version(version)) if version == stored => Ok(stored),
            (Some(stored), Self::Version(_)) => Err(AppError::VersionChanged { stored: Some(stored) }),
        }
    }

    /// Like [`Self::check`], for a deletion, which needs no condition.
    ///
    /// # Errors
    /// The stored version is another one.
    pub fn check_deletion(self, stored: u64) -> Result<u64, AppError> {
        match self {
            Self::Unsaid => Ok(stored),
            said => said.check(Some(stored)),
        }
    }
}

fn version(tag: &str) -> Option<u64> {
    let digits = tag.strip_prefix('"')?.strip_suffix('"')?;
    digits.parse().ok().filter(|_| digits.bytes().all(|b| b.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_headers_name_the_version_that_the_caller_expects() {
        use Precondition::{Anything, Nothing, Unsaid, Version};
        for (if_match, if_none_match, wanted) in [
            (None, None, Ok(Unsaid)),
            (Some("*"), None, Ok(Anything)),
            (Some(" \"12\" "), None, Ok(Version(12))),
            (None, Some("*"), Ok(Nothing)),
            (Some("12"), None, Err("If-Match")),
            (Some("W/\"12\""), None, Err("If-Match")),
            (Some("\"1\", \"2\""), None, Err("If-Match")),
            (Some("\"+1\""), None, Err("If-Match")),
            (Some("\"\""), None, Err("If-Match")),
            (None, Some("\"1\""), Err("If-None-Match")),
            (Some("*"), Some("*"), Err("If-None-Match")),
        ] {
            let got = Precondition::from_headers(if_match, if_none_match).map_err(|error| match error {
                AppError::Invalid(mistakes) => mistakes[0].field.clone(),
                other => panic!("{other:?}"),
            });
            assert_eq!(got, wanted.map_err(str::to_owned), "{if_match:?} {if_none_match:?}");
        }
    }

    #[test]
    fn a_change_goes_through_when_the_expected_version_is_stored() {
        use Precondition::{Anything, Nothing, Unsaid, Version};
        for (expects, stored, wanted) in [
            (Unsaid, None, Ok(0)),
            (Nothing, None, Ok(0)),
            (Anything, None, Err(AppError::VersionChanged { stored: None })),
            (Version(1), None, Err(AppError::VersionChanged { stored: None })),
            (Unsaid, Some(3), Err(AppError::VersionMissing { stored: 3 })),
            (Nothing, Some(3), Err(AppError::Exists { stored: 3 })),
            (Anything, Some(3), Ok(3)),
            (Version(3), Some(3), Ok(3)),
            (Version(2), Some(3), Err(AppError::VersionChanged { stored: Some(3) })),
        ] {
            assert_eq!(expects.check(stored), wanted, "{expects:?} {stored:?}");
        }
        assert_eq!(Unsaid.check_deletion(3), Ok(3));
        assert_eq!(Version(2).check_deletion(3), Err(AppError::VersionChanged { stored: Some(3) }));
    }
}
