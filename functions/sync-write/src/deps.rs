//! What the function works with, made once per sandbox.

use std::fmt::Display;

use app::ports::{Config as _, Ports};
use aws::{AwsPorts, Clients, SsmSecrets};
use callers::Callers;
use targets::{Connectors, Guard};

use crate::config::Config;

/// What the function works with.
pub(crate) struct Deps {
    pub(crate) callers: Callers,
    pub(crate) world: AwsPorts<Connectors<SsmSecrets>>,
}

/// Connects, and warms what the first request needs: the keys of the callers and the connection to DynamoDB. TLS is
/// the most of a cold start.
pub(crate) async fn connect(config: &Config) -> Result<Deps, String> {
    let clients = Clients::connect().await;
    let secrets = SsmSecrets::new(clients.ssm.clone());
    let guard = Guard::new(&config.common.allowed_hosts, config.common.allow_private)?;
    let world = AwsPorts::of(&clients, &config.common, Connectors::new(guard, secrets.clone())?);
    let callers = Callers::new(config.auth.clone(), secrets);
    let (keys, maps) = futures::join!(callers.warm(), world.config().maps());
    warmed("the keys of the callers", keys);
    warmed("the maps", maps.map(|_| ()));
    Ok(Deps { callers, world })
}

/// What could not be warmed is tried again by the first request that needs it.
fn warmed(what: &str, result: Result<(), impl Display>) {
    if let Err(error) = result {
        tracing::warn!(%error, "could not read {what} at start");
    }
}
