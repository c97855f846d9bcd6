//! The connection test: reaches an app, asks it harmless questions, and says what the answers mean for the settings.

use domain::{ErrorClass, Failure, SideId, side::Side};

use super::{
    doubt_reports,
    examine::{examine, subjects},
    findings::{Finding, judge_reports},
    get,
};
use crate::{
    admin::AdminPorts,
    error::AppError,
    ports::{Apps, ConfigStore, Gauges},
};

/// What a connection test found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectionTest {
    /// How long it took, in milliseconds.
    pub took_ms: u64,
    /// What stood in the way, and what may help.
    pub failure: Option<(Failure, String)>,
    /// What the app answered to the questions. Empty if it was not reached, or if no entity is known.
    pub findings: Vec<Finding>,
}

/// Tries to reach a side, and asks about `entity`, or about the entities of the maps that use the side. Reads a few single
/// records and the app's description of itself; writes nothing.
///
/// # Errors
/// There is no such side, or the store does not answer. That the app does not answer is no error but the result.
pub async fn test_connection<P: AdminPorts>(
    ports: &P,
    id: &SideId,
    entity: Option<&str>,
) -> Result<ConnectionTest, AppError> {
    let side = get(ports, id).await?;
    let begun = ports.now();
    let failure = reach(ports, &side, entity).await;
    let findings = if failure.is_none() {
        let maps = ports.store().list_maps().await?;
        let health = ports.lanes().noted_health(id).await?;
        let doubt = doubt_reports(&side, &health).map(|found| judge_reports(&side, &found));
        let mut findings = examine(ports, &side, subjects(&maps, id, entity)).await;
        findings.extend(doubt);
        findings
    } else {
        Vec::new()
    };
    Ok(ConnectionTest { took_ms: ports.now().ms_since(begun), failure, findings })
}

/// Tries to reach the app of a side. If it does not answer as it should: why, and what may help.
pub(in crate::admin) async fn reach<P: AdminPorts>(
    ports: &P,
    side: &Side,
    entity: Option<&str>,
) -> Option<(Failure, String)> {
    let failure = ports.apps().probe(side, entity).await.err()?;
    let hint = hint(failure.class, side);
    Some((failure, hint))
}

/// What an operator may look at, by class of error.
fn hint(class: ErrorClass, side: &Side) -> String {
    let host = host(&side.config.connector.base_url);
    match class {
        ErrorClass::Network => {
            format!(
                "Nothing answered at {host}. Check connector.base_url, the firewall, and the hosts this deployment allows."
            )
        }
        ErrorClass::Timeout => {
            format!(
                "{host} did not answer within {} ms. Is it overloaded, or the time too short?",
                side.config.request_timeout_ms
            )
        }
        ErrorClass::Auth => {
            format!(
                "{host} does not accept the credentials. Check connector.auth, the stored secret, and the user's rights."
            )
        }
        ErrorClass::Throttled => format!("{host} asks for fewer calls. Try again later."),
        ErrorClass::Unavailable => format!("{host} answers, and says that the app is not available."),
        ErrorClass::BadRequest | ErrorClass::Application => {
            format!("{host} answers, and refuses the question. Check connector.kind and the entity's name.")
        }
        ErrorClass::OtherHttp => {
            format!(
                "{host} answers, but not as the app would. Check the path in connector.base_url and the entity's name."
            )
        }
        ErrorClass::Conflict => format!("{host} answers with a conflict, which a read should never meet."),
        ErrorClass::Mapping => "The record cannot be mapped.".to_owned(),
    }
}

fn host(base_url: &str) -> &str {
    let rest = base_url.split_once("://").map_or(base_url, |(_, rest)| rest);
    rest.split('/').next().unwrap_or(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_class_of_error_has_a_hint_that_says_where_to_look() {
        let config = serde_json::json!({"connector": {"kind": "odata", "base_url": "https://erp.example:8443/data/"}});
        let side = Side { id: "erp".parse().unwrap(), config: serde_json::from_value(config).unwrap(), version: 1 };
        for class in ErrorClass::ALL {
            let hint = hint(class, &side);
            assert!(class == ErrorClass::Mapping || hint.contains("erp.example:8443"), "{class}: {hint}");
        }
        assert!(super::hint(ErrorClass::Network, &side).starts_with("Nothing answered at erp.example:8443."));
    }
}
