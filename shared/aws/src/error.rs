//! SDK errors, classified here and nowhere else.

use app::ports::{CommitError, PortError};
use aws_sdk_dynamodb::{
    error::{DisplayErrorContext, ProvideErrorMetadata, SdkError},
    operation::{
        delete_item::DeleteItemError, put_item::PutItemError, transact_write_items::TransactWriteItemsError,
        update_item::UpdateItemError,
    },
};

/// Codes after which a retry of the same request may succeed.
const TRANSIENT: [&str; 9] = [
    "ProvisionedThroughputExceededException",
    "ThrottlingException",
    "RequestLimitExceeded",
    "InternalServerError",
    "InternalFailure",
    "ServiceUnavailable",
    "TransactionInProgressException",
    "TransactionConflictException",
    "LimitExceededException",
];

/// An SDK error as a port error.
pub(crate) fn port<E>(error: SdkError<E>) -> PortError
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    let transient = match &error {
        SdkError::TimeoutError(_) | SdkError::DispatchFailure(_) | SdkError::ResponseError(_) => true,
        SdkError::ServiceError(service) => {
            service.err().code().is_some_and(|code| TRANSIENT.contains(&code))
                || service.raw().status().is_server_error()
        }
        _ => false,
    };
    let text = DisplayErrorContext(error).to_string();
    if transient { PortError::Transient(text) } else { PortError::Permanent(text) }
}

/// A failed conditional update.
pub(crate) fn update(error: SdkError<UpdateItemError>) -> CommitError {
    match error.as_service_error() {
        Some(UpdateItemError::ConditionalCheckFailedException(_)) => CommitError::Stale,
        _ => CommitError::Port(port(error)),
    }
}

/// Returns whether a conditional update met its condition.
pub(crate) fn unless_condition<T>(sent: Result<T, SdkError<UpdateItemError>>) -> Result<bool, PortError> {
    match sent.map_err(update) {
        Ok(_) => Ok(true),
        Err(CommitError::Stale | CommitError::Duplicate) => Ok(false),
        Err(CommitError::Port(error)) => Err(error),
    }
}

/// A failed conditional put.
pub(crate) fn put(error: SdkError<PutItemError>) -> CommitError {
    match error.as_service_error() {
        Some(PutItemError::ConditionalCheckFailedException(_)) => CommitError::Stale,
        _ => CommitError::Port(port(error)),
    }
}

/// A failed conditional deletion.
pub(crate) fn delete(error: SdkError<DeleteItemError>) -> CommitError {
    match error.as_service_error() {
        Some(DeleteItemError::ConditionalCheckFailedException(_)) => CommitError::Stale,
        _ => CommitError::Port(port(error)),
    }
}

/// A cancelled transaction. Actions at `markers` (by index) have a condition that fails when this was done before.
pub(crate) fn transaction(error: SdkError<TransactWriteItemsError>, markers: &[usize]) -> CommitError {
    let Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) = error.as_service_error() else {
        return CommitError::Port(port(error));
    };
    let failed = |code: &str| -> Vec<usize> {
        let reasons = cancelled.cancellation_reasons().iter().enumerate();
        reasons.filter(|(_, reason)| reason.code() == Some(code)).map(|(at, _)| at).collect()
    };
    let conditions = failed("ConditionalCheckFailed");
    if !conditions.is_empty() {
        // The head takes precedence: if it has changed as well, the next read finds the marker.
        return if conditions.iter().all(|at| markers.contains(at)) {
            CommitError::Duplicate
        } else {
            CommitError::Stale
        };
    }
    if !failed("TransactionConflict").is_empty() {
        return CommitError::Stale;
    }
    let throttled = !failed("ThrottlingError").is_empty() || !failed("ProvisionedThroughputExceeded").is_empty();
    let text = DisplayErrorContext(error).to_string();
    CommitError::Port(if throttled { PortError::Transient(text) } else { PortError::Permanent(text) })
}
