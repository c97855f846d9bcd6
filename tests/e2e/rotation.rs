//! The key that callers sign with is exchanged without a break.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::{
    requests::{Request, seconds, service},
    stack::{World, alone},
    values::{customer, id, key, write},
};

/// A function reads the keys anew when a signature fits none, and not more often than every few seconds.
const DEADLINE: Duration = Duration::from_secs(30);
const POLL: Duration = Duration::from_millis(200);
const NEW: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

#[test]
fn while_the_key_is_exchanged_both_are_good() {
    alone(async |world| {
        let old = world.stack.endpoints().hmac_secret.clone();
        let key = key("ROTATED");
        let signed_with = async |secret: &str| {
            let body = write(&id(), &key, &customer("Contoso", 1));
            Request::post("/writes", &body).signed_with(secret, seconds()).send(world).await.status
        };
        assert_eq!(signed_with(NEW).await, 401);
        set_keys(world, &format!("{old} {NEW}")).await;
        let deadline = Instant::now() + DEADLINE;
        while signed_with(NEW).await != 200 {
            assert!(Instant::now() < deadline, "the new key is not taken");
            tokio::time::sleep(POLL).await;
        }
        assert_eq!(signed_with(&old).await, 200, "the old one is good as well");
        set_keys(world, &old).await;
        world.settled(&key).await;
    });
}

/// The parameter that the stack was deployed with.
async fn set_keys(world: &World, keys: &str) {
    let parameter = json!({"Name": "/tandem/local/hmac", "Value": keys, "Type": "SecureString", "Overwrite": true});
    service(world, "ssm", "AmazonSSM.PutParameter", &parameter).await;
}
