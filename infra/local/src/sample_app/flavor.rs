//! The differences between `finance` and `crm`, as data.

use super::field::{Field, Kind, NO_DATE};

/// The two sample apps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum FlavorName {
    /// The ERP.
    Finance,
    /// The CRM.
    Crm,
}

impl FlavorName {
    /// The flavor with this name.
    pub(super) fn flavor(self) -> &'static Flavor {
        match self {
            Self::Finance => &FINANCE,
            Self::Crm => &CRM,
        }
    }
}

/// The product whose OData dialect an app speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    /// Dynamics 365 Finance & Operations: the company is part of the key, only POST creates records, all errors have
    /// one form.
    FinanceOperations,
    /// The Web API of Dataverse: records have a GUID and an alternate key, and PATCH creates a missing record.
    Dataverse,
}

/// One app's names, fields and rules.
#[derive(Debug)]
pub(super) struct Flavor {
    /// The side's name in Tandem.
    pub(super) name: &'static str,
    /// The app's name for people.
    pub(super) title: &'static str,
    /// The word for a record on the page.
    pub(super) noun: &'static str,
    /// The dialect of its data API.
    pub(super) dialect: Dialect,
    /// Path of the OData service, without a slash at its end.
    pub(super) service: &'static str,
    /// Entity set that holds the customers.
    pub(super) entity_set: &'static str,
    /// Name of the table in the app's errors.
    pub(super) table: &'static str,
    /// Name of the key property.
    pub(super) key: &'static str,
    /// Name of the property that the app itself sets on each record, and its value if all records have the same one. In
    /// finance it is the company, in crm the GUID.
    pub(super) own: (&'static str, Option<&'static str>),
    /// All other properties, in the order in which the page shows them.
    pub(super) fields: &'static [Field],
}

impl Flavor {
    /// The field with this name.
    pub(super) fn field(&self, name: &str) -> Option<&'static Field> {
        self.fields.iter().find(|field| field.name == name)
    }
}

/// The only company that has records.
pub(super) const COMPANY: &str = "usmf";

static FINANCE: Flavor = Flavor {
    name: "finance",
    title: "Finance",
    noun: "customer",
    dialect: Dialect::FinanceOperations,
    service: "/data",
    entity_set: "CustomersV3",
    table: "CustCustomerV3Entity",
    key: "CustomerAccount",
    own: ("dataAreaId", Some(COMPANY)),
    fields: &[
        Field { name: "OrganizationName", label: "Organization name", kind: Kind::Name { max_chars: 100 } },
        Field { name: "CreditLimit", label: "Credit limit", kind: Kind::Amount { max: None } },
        Field { name: "CustomerGroupId", label: "Customer group", kind: Kind::Choice(&["10", "20", "30", "40"]) },
        Field {
            name: "PrimaryContactPhone",
            label: "Contact phone",
            kind: Kind::Note { max_chars: 40, nothing: Some("") },
        },
        Field { name: "OnHold", label: "On hold", kind: Kind::Choice(&["No", "Yes"]) },
        Field {
            name: "ContactPersonId",
            label: "Contact person",
            kind: Kind::Note { max_chars: 40, nothing: Some("") },
        },
        Field {
            name: "CreditLimitExpirationDate",
            label: "Limit expires",
            kind: Kind::Moment { nothing: Some(NO_DATE) },
        },
    ],
};

static CRM: Flavor = Flavor {
    name: "crm",
    title: "CRM",
    noun: "account",
    dialect: Dialect::Dataverse,
    service: "/api/data/v9.2",
    entity_set: "accounts",
    table: "account",
    key: "accountnumber",
    own: ("accountid", None),
    fields: &[
        Field { name: "name", label: "Account name", kind: Kind::Name { max_chars: 160 } },
        Field { name: "creditlimit", label: "Credit limit", kind: Kind::Amount { max: Some(1_000_000) } },
        Field {
            name: "customertypecode",
            label: "Relationship type",
            kind: Kind::Options(&[(3, "Customer"), (9, "Reseller"), (5, "Partner"), (8, "Prospect")]),
        },
        Field { name: "telephone1", label: "Main phone", kind: Kind::Note { max_chars: 40, nothing: None } },
        Field { name: "creditonhold", label: "Credit on hold", kind: Kind::Flag },
        Field { name: "_primarycontactid_value", label: "Primary contact", kind: Kind::Contact },
        Field { name: "new_creditlimitexpires", label: "Limit expires", kind: Kind::Moment { nothing: None } },
    ],
};
