//! The records that the two apps of the story had before Tandem. A customer has a number from 0; [`key`] gives its key.

use serde_json::{Value, json};

/// Number of customers in finance.
pub(crate) const CUSTOMERS: usize = 2_000;
/// One customer out of so many has an account in crm.
const ACCOUNT_EVERY: usize = 33;
/// Number of accounts in crm.
pub(crate) const ACCOUNTS: usize = 60;
/// Number of accounts that differ from their customer: three out of four.
pub(crate) const DIFFERENT: usize = ACCOUNTS / 4 * 3;
/// Number of customers with a credit limit above the one that crm allows.
pub(crate) const TOO_MUCH: usize = 20;
/// Number of customers whose contact crm does not have.
pub(crate) const NO_CONTACT: usize = 12;
/// Number of customers in a group that the map does not know.
pub(crate) const NEW_GROUP: usize = 8;
/// That group, and the option in crm that an admin maps it to later.
pub(crate) const GROUP: (&str, i64) = ("40", 8);
/// The groups that the map knows, and their options in crm.
const GROUPS: [(&str, i64); 3] = [("10", 3), ("20", 9), ("30", 5)];
/// A contact that was deleted in crm, and one that is there.
const DELETED_CONTACT: &str = "5f1c0a52-6a0b-4a8e-9d5e-0c1d2e3f4a99";
pub(crate) const CONTACT: &str = "5f1c0a52-6a0b-4a8e-9d5e-0c1d2e3f4a01";

/// What is special about a customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Only finance has it, and crm will take it.
    Plain,
    /// Both apps have it. The number counts the customers of this kind.
    InBoth(usize),
    /// Its limit is too high for crm.
    TooMuch,
    /// Its contact is not in crm.
    NoContact,
    /// The map does not know its group.
    NewGroup,
}

pub(crate) fn kind(n: usize) -> Kind {
    let nth = |first: usize, every: usize, count: usize| {
        let steps = n.checked_sub(first).filter(|steps| steps.is_multiple_of(every))? / every;
        (steps < count).then_some(steps)
    };
    // The arms exclude each other: these series have no number in common.
    match () {
        () if nth(7, 100, TOO_MUCH).is_some() => Kind::TooMuch,
        () if nth(13, 150, NO_CONTACT).is_some() => Kind::NoContact,
        () if nth(22, 240, NEW_GROUP).is_some() => Kind::NewGroup,
        () => nth(0, ACCOUNT_EVERY, ACCOUNTS).map_or(Kind::Plain, Kind::InBoth),
    }
}

/// The numbers of all customers of a kind.
pub(crate) fn numbers(wanted: impl Fn(Kind) -> bool) -> Vec<usize> {
    (0..CUSTOMERS).filter(|n| wanted(kind(*n))).collect()
}

/// The key of a customer.
pub(crate) fn key(n: usize) -> String {
    format!("C-{}", 10_001 + n)
}

/// Whether a key is that of a record from before Tandem: the keys of all others are shorter.
pub(crate) fn is_from_before(key: &str) -> bool {
    key.len() == key_bytes()
}

fn key_bytes() -> usize {
    key(0).len()
}

fn name(n: usize) -> String {
    format!("Customer {}", 10_001 + n)
}

/// The records of finance: keys and fields.
pub(crate) fn customers() -> Vec<(String, Value)> {
    let customer = |n: usize| {
        let mut customer = json!({
            "OrganizationName": name(n), "CreditLimit": 1_000 + n, "CustomerGroupId": GROUPS[n % 3].0,
            "PrimaryContactPhone": "+1 555 0100", "OnHold": "No",
        });
        match kind(n) {
            Kind::TooMuch => customer["CreditLimit"] = 2_000_000.into(),
            Kind::NoContact => customer["ContactPersonId"] = DELETED_CONTACT.into(),
            Kind::NewGroup => customer["CustomerGroupId"] = GROUP.0.into(),
            Kind::Plain | Kind::InBoth(_) => {}
        }
        (key(n), customer)
    };
    (0..CUSTOMERS).map(customer).collect()
}

/// The records of crm: keys and fields.
pub(crate) fn accounts() -> Vec<(String, Value)> {
    let account = |n: usize| {
        let Kind::InBoth(nth) = kind(n) else { return None };
        let mut account = json!({
            "name": name(n), "creditlimit": 1_000 + n, "customertypecode": GROUPS[n % 3].1,
            "telephone1": "+1 555 0100", "creditonhold": false,
        });
        match nth % 4 {
            0 => account["name"] = format!("{} Ltd", name(n)).into(),
            1 => account["creditlimit"] = 500.into(),
            2 => account["telephone1"] = Value::Null,
            _ => {}
        }
        Some((key(n), account))
    };
    (0..CUSTOMERS).filter_map(account).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_as_many_of_each_kind_as_the_story_says() {
        let count = |wanted: fn(Kind) -> bool| numbers(wanted).len();
        assert_eq!(count(|kind| kind == Kind::TooMuch), TOO_MUCH);
        assert_eq!(count(|kind| kind == Kind::NoContact), NO_CONTACT);
        assert_eq!(count(|kind| kind == Kind::NewGroup), NEW_GROUP);
        assert_eq!(count(|kind| matches!(kind, Kind::InBoth(_))), ACCOUNTS);
        assert_eq!(count(|kind| matches!(kind, Kind::InBoth(nth) if nth % 4 != 3)), DIFFERENT);
        assert_eq!((customers().len(), accounts().len()), (CUSTOMERS, ACCOUNTS));
    }

    #[test]
    fn a_record_from_before_is_told_from_those_of_the_story_that_follows() {
        assert!(is_from_before(&key(0)) && is_from_before(&key(CUSTOMERS - 1)));
        assert!(!is_from_before(super::super::KEY) && !is_from_before("C-3000"));
    }
}
