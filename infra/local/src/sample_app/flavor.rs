//! What makes one app `finance` and the other `crm`: data, no code.

use super::field::{Field, Kind, NO_DATE};

/// The two apps there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum FlavorName {
    /// The ERP.
    Finance,
    /// The CRM.
    Crm,
}

impl FlavorName {
    /// The flavor of that name.
    pub(super) fn flavor(self) -> &'static Flavor {
        match self {
            Self::Finance => &FINANCE,
            Self::Crm => &CRM,
        }
    }
}

/// How an app's data API speaks, where two OData services differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    /// Dynamics 365 Finance & Operations: the company is part of the key, POST makes records, all errors have one form.
    FinanceOperations,
    /// The Web API of Dataverse: records have a GUID and an alternate key, PATCH makes what is missing.
    Dataverse,
}

/// One app's names, fields and rules.
#[derive(Debug)]
pub(super) struct Flavor {
    /// The side's name in Tandem.
    pub(super) name: &'static str,
    /// The app's name for people.
    pub(super) title: &'static str,
    /// What a record is called on the page.
    pub(super) noun: &'static str,
    /// How its data API speaks.
    pub(super) dialect: Dialect,
    /// Path of the OData service, without a slash at its end.
    pub(super) service: &'static str,
    /// Entity set that holds the customers.
    pub(super) entity_set: &'static str,
    /// What the app calls the table in its errors.
    pub(super) table: &'static str,
    /// Name of the key property.
    pub(super) key: &'static str,
    /// Name of the property that the app gives each record by itself, and its value if it is the same for all: the company.
    pub(super) own: (&'static str, Option<&'static str>),
    /// All other properties, in the order of the page.
    pub(super) fields: &'static [Field],
}

impl Flavor {
    /// The field of that name.
    pub(super) fn field(&self, name: &str) -> Option<&'static Field> {
        self.fields.iter().find(|field| field.name == name)
    }
}

/// The only company of the sample.
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
