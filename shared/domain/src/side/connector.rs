//! How an app is spoken to.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Auth, FindSettings, ListSettings};

/// How a side is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConnectorKind {
    /// `OData` v4.
    Odata,
    /// JSON REST by URL template: `{base_url}/{entity}/{key}`.
    Http,
}

/// Which app it is: decides the protocol, and what holds where a connector says nothing itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AppKind {
    /// Any app that speaks `OData` v4.
    Odata,
    /// Any app with a JSON REST API.
    #[serde(alias = "rest")]
    Http,
    /// The Dataverse Web API: records are named by an alternate key, and PATCH makes what is missing.
    Dataverse,
    /// Dynamics 365 Finance & Operations: records of all companies are asked for, and made by POST.
    FinanceOperations,
    /// Dynamics 365 Business Central: records are named by their id, without quotes, and made by POST.
    BusinessCentral,
    /// An `OData` v4 service of SAP: records are made by POST where PATCH does not make them.
    SapOdata,
}

/// How the record key is written in an `OData` URL.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyStyle {
    /// `Accounts('C-1')`.
    #[default]
    Quoted,
    /// `Accounts(42)`: numbers and GUIDs.
    Bare,
    /// `Accounts(accountnumber='C-1')`: an alternate key, as Dataverse wants it.
    Named,
    /// `Accounts(accountnumber=@k0)?@k0='C-1'`: the key as a parameter alias (`OData` v4, *URL Conventions*), for
    /// servers that refuse some characters in a path. In the query they refuse none.
    Alias,
}

/// How often the characters of a key are percent-encoded in a path.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyEncoding {
    /// `A/1` is `A%2F1`, by the standard (RFC 3986).
    #[default]
    Once,
    /// `A/1` is `A%252F1`: for servers that decode a path twice, as ASP.NET Web API does in Finance & Operations.
    Twice,
}

/// How a side is reached.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Connector {
    /// Which app.
    pub kind: AppKind,
    /// Where the entities are found. Ends with `/`.
    pub base_url: String,
    /// How Tandem identifies itself.
    #[serde(default)]
    pub auth: Auth,
    /// How Tandem identifies itself when it copies: when it lists the records of an entity. Another user than that of `auth`
    /// has a quota of its own in apps that count calls by user, so a copy cannot use up that of live writes. Absent: as `auth`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub copy_auth: Option<Auth>,
    /// How the key is written in an `OData` URL. Default: `quoted`; `dataverse`: `named`; `business_central`: `bare`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_style: Option<KeyStyle>,
    /// How often a key is percent-encoded in a path.
    #[serde(default, skip_serializing_if = "is_default")]
    pub key_encoding: KeyEncoding,
    /// Whether Tandem asks the app to answer a write with the record as it has stored it (`OData`: `Prefer:
    /// return=representation`). For apps that store values in another form than they were sent.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub wants_stored_record: bool,
    /// Query parameters of every request. `finance_operations` has `cross-company` = `true` unless it is set here.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub query: BTreeMap<String, String>,
    /// Headers of every request. No secrets: those belong to `auth`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// How a record that is there is changed. Default: `patch`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub update: Option<UpdateMethod>,
    /// How a record that is not there is made. Default: `upsert` for `dataverse`, `post` for the others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub create: Option<CreateMethod>,
    /// Whether Tandem reads a record before it changes it: for apps that answer a change of a record that is not there with success,
    /// or with an error that does not say so. Default: true for `odata` that creates by `post`, false for the others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub looks_first: Option<bool>,
    /// How a record is found whose URL has an id that the app chose. Absent: its key stands in its URL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub find: Option<FindSettings>,
    /// REST: where the records of an entity are made and listed, relative to `base_url`; `{entity}` stands for the entity.
    /// Default: `{entity}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entity_url: Option<String>,
    /// REST: where a record is read, changed and deleted, relative to `base_url`; `{entity}` stands for the entity and `{key}`
    /// for the encoded key, or, with `find`, for the id. Default: `{entity}/{key}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record_url: Option<String>,
    /// REST: where a record is made, if not at `entity_url`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub create_url: Option<String>,
    /// REST: where a record is changed, if not at `record_url`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub update_url: Option<String>,
    /// REST: where a record is deleted, if not at `record_url`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delete_url: Option<String>,
    /// REST: how a record is deleted. Default: `delete`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delete: Option<DeleteMethod>,
    /// REST: where a body has the record, as a JSON pointer (RFC 6901), both in requests and in answers to the reading of one
    /// record. Default: the body is the record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub envelope: Option<String>,
    /// REST: the media type of what is sent and wanted. Default: `application/json`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media_type: Option<String>,
    /// REST: the media type of a `PATCH`. Default: `media_type`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub patch_media_type: Option<String>,
    /// How the records of an entity are listed.
    #[serde(default, skip_serializing_if = "ListSettings::is_default")]
    pub list: ListSettings,
}

/// How a record that is there is changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UpdateMethod {
    /// `PATCH` with the mapped fields; REST: with the meaning of a JSON merge patch (RFC 7396).
    Patch,
    /// The record is read, the mapped fields are put into it, and the whole is `PUT`, with `If-Match` if it has an `ETag`.
    Put,
    /// `POST` of the mapped fields to the record's own URL.
    Post,
}

/// How a record that is not there is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CreateMethod {
    /// The request that changes a record makes it, too.
    Upsert,
    /// `POST` to the entity, when the app says that there is no such record.
    Post,
}

/// How a record is deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeleteMethod {
    /// `DELETE`.
    Delete,
    /// `POST` without a body, to a URL of its own.
    Post,
}

fn is_default(encoding: &KeyEncoding) -> bool {
    *encoding == KeyEncoding::default()
}

impl Connector {
    /// How a record that is there is changed.
    #[must_use]
    pub fn update(&self) -> UpdateMethod {
        self.update.unwrap_or(UpdateMethod::Patch)
    }

    /// How a record that is not there is made.
    #[must_use]
    pub fn create(&self) -> CreateMethod {
        self.create.unwrap_or(match self.kind {
            AppKind::Dataverse => CreateMethod::Upsert,
            AppKind::Odata
            | AppKind::Http
            | AppKind::FinanceOperations
            | AppKind::BusinessCentral
            | AppKind::SapOdata => CreateMethod::Post,
        })
    }

    /// Whether a record is read before it is changed. The standard lets an `OData` app choose what a `PATCH` of a missing record
    /// does: some make the record, some answer 404, simple-odata-server answers 204 and makes nothing, and odata-v4-server answers
    /// 500. So Tandem asks an app that it does not know for the record first.
    #[must_use]
    pub fn looks_first(&self) -> bool {
        self.looks_first.unwrap_or(self.kind == AppKind::Odata && self.create() == CreateMethod::Post)
    }

    /// REST: where the records of an entity are made and listed.
    #[must_use]
    pub fn entity_url(&self) -> &str {
        self.entity_url.as_deref().unwrap_or("{entity}")
    }

    /// REST: where a record is.
    #[must_use]
    pub fn record_url(&self) -> &str {
        self.record_url.as_deref().unwrap_or("{entity}/{key}")
    }

    /// REST: where a record is made.
    #[must_use]
    pub fn create_url(&self) -> &str {
        self.create_url.as_deref().unwrap_or(self.entity_url())
    }

    /// REST: where a record is changed.
    #[must_use]
    pub fn update_url(&self) -> &str {
        self.update_url.as_deref().unwrap_or(self.record_url())
    }

    /// REST: where a record is deleted.
    #[must_use]
    pub fn delete_url(&self) -> &str {
        self.delete_url.as_deref().unwrap_or(self.record_url())
    }

    /// REST: the media type of what is sent and wanted.
    #[must_use]
    pub fn media_type(&self) -> &str {
        self.media_type.as_deref().unwrap_or("application/json")
    }

    /// REST: the media type of a `PATCH`. `application/merge-patch+json` is not the default, although a `PATCH` has that meaning:
    /// an app that does not know it mostly answers 415, but one on Express ignores the body and answers 200.
    #[must_use]
    pub fn patch_media_type(&self) -> &str {
        self.patch_media_type.as_deref().unwrap_or(self.media_type())
    }

    /// How the app is spoken to.
    #[must_use]
    pub fn protocol(&self) -> ConnectorKind {
        match self.kind {
            AppKind::Http => ConnectorKind::Http,
            AppKind::Odata
            | AppKind::Dataverse
            | AppKind::FinanceOperations
            | AppKind::BusinessCentral
            | AppKind::SapOdata => ConnectorKind::Odata,
        }
    }

    /// How the key is written in an `OData` URL.
    #[must_use]
    pub fn key_style(&self) -> KeyStyle {
        self.key_style.unwrap_or(match self.kind {
            AppKind::Dataverse => KeyStyle::Named,
            AppKind::BusinessCentral => KeyStyle::Bare,
            AppKind::Odata | AppKind::Http | AppKind::FinanceOperations | AppKind::SapOdata => KeyStyle::Quoted,
        })
    }

    /// The same connector with the sign-in for copies.
    #[must_use]
    pub fn for_copies(&self) -> Self {
        Self { auth: self.copy_auth.clone().unwrap_or_else(|| self.auth.clone()), ..self.clone() }
    }

    /// Query parameters of every request.
    #[must_use]
    pub fn query(&self) -> BTreeMap<&str, &str> {
        let own = self.query.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let of_kind = (self.kind == AppKind::FinanceOperations).then_some(("cross-company", "true"));
        of_kind.into_iter().chain(own).collect()
    }
}
