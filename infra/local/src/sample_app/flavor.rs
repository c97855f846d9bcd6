//! What makes one app `finance` and the other `crm`: data, no code.

use super::field::{Field, Kind};

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

/// One app's names, fields and rules.
#[derive(Debug)]
pub(super) struct Flavor {
    /// The side's name in Tandem.
    pub(super) name: &'static str,
    /// The app's name for people.
    pub(super) title: &'static str,
    /// What a record is called on the page.
    pub(super) noun: &'static str,
    /// Path of the OData service, without a slash at its end.
    pub(super) service: &'static str,
    /// Entity set that holds the customers.
    pub(super) entity_set: &'static str,
    /// Name of the key property.
    pub(super) key: &'static str,
    /// All other properties, in the order of the page.
    pub(super) fields: &'static [Field],
}

impl Flavor {
    /// The field of that name.
    pub(super) fn field(&self, name: &str) -> Option<&'static Field> {
        self.fields.iter().find(|field| field.name == name)
    }
}

static FINANCE: Flavor = Flavor {
    name: "finance",
    title: "Finance",
    noun: "customer",
    service: "/data",
    entity_set: "CustomersV3",
    key: "CustomerAccount",
    fields: &[
        Field { name: "OrganizationName", label: "Organization name", kind: Kind::Name { max_chars: 100 } },
        Field { name: "CreditLimit", label: "Credit limit", kind: Kind::Amount { max: None } },
        Field { name: "CustomerGroupId", label: "Customer group", kind: Kind::Choice(&["10", "20", "30"]) },
        Field { name: "PrimaryContactPhone", label: "Contact phone", kind: Kind::Note { max_chars: 40 } },
        Field { name: "OnHold", label: "On hold", kind: Kind::Choice(&["No", "Yes"]) },
    ],
};

static CRM: Flavor = Flavor {
    name: "crm",
    title: "CRM",
    noun: "account",
    service: "/api/data/v9.2",
    entity_set: "accounts",
    key: "accountnumber",
    fields: &[
        Field { name: "name", label: "Account name", kind: Kind::Name { max_chars: 160 } },
        Field { name: "creditlimit", label: "Credit limit", kind: Kind::Amount { max: Some(1_000_000) } },
        Field { name: "category", label: "Category", kind: Kind::Choice(&["Retail", "Wholesale", "Partner"]) },
        Field { name: "telephone1", label: "Main phone", kind: Kind::Note { max_chars: 40 } },
        Field { name: "creditonhold", label: "Credit on hold", kind: Kind::Flag },
    ],
};
