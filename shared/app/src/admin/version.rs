//! Which version of a thing a change is based on: the headers `If-Match` and `If-None-Match`.

use crate::error::AppError;

/// What the caller believes to be stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expects {
    /// They do not say.
    Unsaid,
    /// Nothing: `If-None-Match: *`.
    Nothing,
    /// Something, whatever it is: `If-Match: *`.
    Anything,
    /// This version: `If-Match: "3"`.
    Version(u64),
}

/// What a save did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Saved {
    /// It is new.
    Created,
    /// It was changed.
    Updated,
    /// It was like that already.
    Unchanged,
}

impl Expects {
    /// Reads the two headers.
    ///
    /// # Errors
    /// Both are there, or one is not of the forms above.
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

    /// The version that the store must find; 0 when it must find nothing.
    ///
    /// # Errors
    /// What is stored is not what the caller believes, or the caller does not say what they believe.
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

    /// As [`Self::check`], for a deletion: it need not say anything.
    ///
    /// # Errors
    /// What is stored is not what the caller believes.
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
    fn the_headers_say_what_the_caller_believes() {
        use Expects::{Anything, Nothing, Unsaid, Version};
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
            let got = Expects::from_headers(if_match, if_none_match).map_err(|error| match error {
                AppError::Invalid(mistakes) => mistakes[0].field.clone(),
                other => panic!("{other:?}"),
            });
            assert_eq!(got, wanted.map_err(str::to_owned), "{if_match:?} {if_none_match:?}");
        }
    }

    #[test]
    fn a_change_goes_through_when_what_is_believed_is_stored() {
        use Expects::{Anything, Nothing, Unsaid, Version};
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
