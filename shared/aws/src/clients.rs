//! SDK clients, built once per sandbox.

use std::time::Duration;

use aws_config::{BehaviorVersion, SdkConfig, retry::RetryConfig, timeout::TimeoutConfig};

/// The SDK sets no operation time-out of its own; without one a lost packet would hold a caller's transaction open.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(4);
const OPERATION_TIMEOUT: Duration = Duration::from_secs(10);

/// SDK clients of one sandbox.
#[derive(Clone, Debug)]
pub struct Clients {
    /// DynamoDB.
    pub db: aws_sdk_dynamodb::Client,
    /// EventBridge.
    pub events: aws_sdk_eventbridge::Client,
    /// `SESv2`.
    pub ses: aws_sdk_sesv2::Client,
    /// SQS.
    pub sqs: aws_sdk_sqs::Client,
    /// SSM.
    pub ssm: aws_sdk_ssm::Client,
}

impl Clients {
    /// Clients for the environment's account and region, or for `AWS_ENDPOINT_URL`.
    pub async fn connect() -> Self {
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .operation_attempt_timeout(ATTEMPT_TIMEOUT)
            .operation_timeout(OPERATION_TIMEOUT)
            .build();
        let config = aws_config::defaults(BehaviorVersion::latest())
            .retry_config(RetryConfig::standard().with_max_attempts(4))
            .timeout_config(timeouts)
            .load()
            .await;
        Self::from_config(&config)
    }

    /// Clients with a configuration of the caller's.
    #[must_use]
    pub fn from_config(config: &SdkConfig) -> Self {
        Self {
            db: aws_sdk_dynamodb::Client::new(config),
            events: aws_sdk_eventbridge::Client::new(config),
            ses: aws_sdk_sesv2::Client::new(config),
            sqs: aws_sdk_sqs::Client::new(config),
            ssm: aws_sdk_ssm::Client::new(config),
        }
    }
}
