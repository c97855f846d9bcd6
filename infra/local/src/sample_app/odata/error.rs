//! Errors of the data API, each in the form of the product that the app imitates.

use axum::body::Body;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use serde_json::{Value, json};

use super::super::field::Refusal;
use super::super::flavor::{Dialect, Flavor};

/// Namespace of the exceptions in the OData service of Finance & Operations.
const NAMESPACE: &str = "Microsoft.Dynamics.Platform.Integration.Services.OData";

/// The error that answers a call.
#[derive(Debug)]
pub(super) struct ODataError {
    status: StatusCode,
    /// The sample's own name for it.
    code: &'static str,
    message: String,
    /// The property whose value the app refuses.
    target: Option<String>,
    header: Option<(&'static str, String)>,
}

impl ODataError {
    /// Creates an error about the call as a whole.
    pub(super) fn new(status: StatusCode, code: &'static str, message: &str) -> Self {
        Self { status, code, message: message.to_owned(), target: None, header: None }
    }

    /// Adds a header to the answer.
    pub(super) fn with_header(mut self, name: &'static str, value: &str) -> Self {
        self.header = Some((name, value.to_owned()));
        self
    }

    /// The error of reading a missing record.
    pub(super) fn missing(flavor: &Flavor) -> Self {
        let message = match flavor.dialect {
            Dialect::FinanceOperations => "No resource was found for the key".to_owned(),
            Dialect::Dataverse => {
                format!("A record with the specified key values does not exist in {} entity", flavor.table)
            }
        };
        Self::new(StatusCode::NOT_FOUND, "RecordNotFound", &message)
    }

    /// The error of changing or deleting a missing record. Finance & Operations does not use 404 for it.
    pub(super) fn missing_for_change(flavor: &Flavor) -> Self {
        match flavor.dialect {
            Dialect::FinanceOperations => {
                let message = "No resources were found when selecting for update.";
                Self::new(StatusCode::BAD_REQUEST, "RecordNotFound", message)
            }
            Dialect::Dataverse => Self::missing(flavor),
        }
    }

    /// The error of creating a record that exists already.
    pub(super) fn exists(flavor: &Flavor, key: &str) -> Self {
        let (status, message) = match flavor.dialect {
            Dialect::FinanceOperations => {
                let message = format!(
                    "Cannot create a record in Customers (CustTable). Customer account: {key}.\nThe record already exists."
                );
                (StatusCode::BAD_REQUEST, message)
            }
            Dialect::Dataverse => {
                (StatusCode::PRECONDITION_FAILED, "A record with matching key values already exists.".to_owned())
            }
        };
        Self::new(status, "RecordExists", &message)
    }

    #[cfg(test)]
    pub(super) fn status(&self) -> StatusCode {
        self.status
    }

    /// The answer, in the app's own form.
    pub(super) fn answer(self, flavor: &Flavor) -> Response {
        let body = match flavor.dialect {
            Dialect::FinanceOperations => self.of_finance(flavor),
            Dialect::Dataverse => json!({"error": {"code": dataverse_code(self.code), "message": self.message}}),
        };
        let mut response = Response::new(Body::from(body.to_string()));
        *response.status_mut() = self.status;
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        response.headers_mut().insert("odata-version", HeaderValue::from_static("4.0"));
        if let Some((name, value)) = self.header
            && let Ok(value) = HeaderValue::from_str(&value)
        {
            response.headers_mut().insert(name, value);
        }
        response
    }

    /// The error body of Finance & Operations. Its outer message is always the same. The inner one has the lines of the
    /// Infolog, each with its severity, if a write failed.
    fn of_finance(&self, flavor: &Flavor) -> Value {
        let (table, says) = (flavor.table, self.message.trim_end_matches('.'));
        let infolog = match (&self.target, self.code) {
            (_, "RecordExists") => Some(format!("Info: {}.", self.message)),
            (Some(field), _) => {
                Some(format!("Warning: {says}.; Warning: validateField failed on field '{table}.{field}'."))
            }
            (None, "ChangesBlocked") => {
                Some(format!("Warning: {says}.; Warning: validateWrite failed on data source 'CustTable (CustTable)'."))
            }
            (None, _) => None,
        };
        let inner = match infolog {
            Some(lines) => json!({
                "message": format!("Write failed for table row of type '{table}'. Infolog: {lines}"),
                "type": format!("{NAMESPACE}.AxODataWriteException"),
                "stacktrace": "",
                "internalexception": {"message": self.message, "type": "System.Exception", "stacktrace": ""},
            }),
            None => json!({
                "message": self.message, "type": format!("{NAMESPACE}.ODataArgumentException"), "stacktrace": "",
            }),
        };
        json!({"error": {"code": "", "message": "An error has occurred.", "innererror": inner}})
    }
}

/// The error code of Dataverse for an error of the sample. The comments have the names from its documentation.
fn dataverse_code(code: &str) -> &'static str {
    match code {
        "ValueTooLong" => "0x80044331",                             // StringLengthTooLong
        "InvalidChoice" => "0x8004431a",                            // PicklistValueOutOfRange
        "CreditLimitExceeded" | "ChangesBlocked" => "0x80040265",   // IsvAborted: by a plug-in
        "UnknownProperty" | "MalformedBody" => "0x80048d19",        // InvalidPayload
        "RecordNotFound" => "0x80060891",                           // RecordNotFoundByEntityKey
        "ContactNotFound" | "IdNotFound" => "0x80040217",           // ObjectDoesNotExist
        "RecordExists" => "0x80040237",                             // DuplicateRecord
        "PreconditionFailed" => "0x80060882",                       // ConcurrencyVersionMismatch
        "TooManyRequests" => "0x80072322",                          // NumberOfRequestsExceeded
        "ResourceNotFound" | "BadKey" | "BadQuery" => "0x80060888", // InvalidUri
        "InternalError" | "ServiceUnavailable" | "DatabaseFailed" => "0x80040216", // UnexpectedError
        _ => "0x80040203",                                          // InvalidArgument
    }
}

impl From<Refusal> for ODataError {
    fn from(refusal: Refusal) -> Self {
        let Refusal { code, target, message } = refusal;
        Self { status: StatusCode::BAD_REQUEST, code, message, target, header: None }
    }
}

impl From<rusqlite::Error> for ODataError {
    fn from(error: rusqlite::Error) -> Self {
        tracing::error!(%error, "could not use the database; the call gets 500");
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "DatabaseFailed", "The database failed")
    }
}
