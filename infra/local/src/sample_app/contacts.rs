//! The contacts of `crm` to which accounts can refer. They never change.

/// A contact.
#[derive(Debug)]
pub(super) struct Contact {
    /// Its GUID.
    pub(super) id: &'static str,
    /// Its alternate key.
    pub(super) number: &'static str,
    /// Its name.
    pub(super) name: &'static str,
}

/// The entity set.
pub(super) const ENTITY_SET: &str = "contacts";
/// The column of the GUID.
pub(super) const ID: &str = "contactid";
/// The column of the alternate key.
pub(super) const NUMBER: &str = "externaluseridentifier";

/// All contacts.
pub(super) const CONTACTS: [Contact; 3] = [
    Contact { id: "5f1c0a52-6a0b-4a8e-9d5e-0c1d2e3f4a01", number: "CP-1", name: "Ann Beebe" },
    Contact { id: "5f1c0a52-6a0b-4a8e-9d5e-0c1d2e3f4a02", number: "CP-2", name: "Karl Chen" },
    Contact { id: "5f1c0a52-6a0b-4a8e-9d5e-0c1d2e3f4a03", number: "CP-3", name: "Rosa Ortiz" },
];

/// The contact with this GUID.
pub(super) fn by_id(id: &str) -> Option<&'static Contact> {
    CONTACTS.iter().find(|contact| contact.id.eq_ignore_ascii_case(id))
}

/// The contact with this alternate key.
pub(super) fn by_number(number: &str) -> Option<&'static Contact> {
    CONTACTS.iter().find(|contact| contact.number == number)
}
