//! Everything alerting works with, on AWS.

use app::ports::{
    AlertPorts, Applied, Apps, Call, Description, EventPorts, FetchedRecord, MailPorts, Page, PageError, PageRequest,
    RecordAddress,
};
use domain::{
    ErrorClass, Failure, SideId,
    failure::CallEffect,
    listing::Listing,
    side::{Health, Side},
};

use crate::{
    AwsPorts, Clients, DynamoAlerts, DynamoLog, EventBridgeEvents, SesMailer,
    delegate::delegate_ports,
    settings::{Common, Settings},
};

/// Longest and default retention of logs, in days.
const DEFAULT_RETENTION_DAYS: u64 = 90;

/// Further settings of alerting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlertSettings {
    /// Retention of log lines, in days.
    pub retention_days: u64,
    /// The sender of mails. Empty: Tandem cannot send mail.
    pub mail_sender: String,
    /// The SES configuration set that publishes bounces.
    pub mail_configuration_set: Option<String>,
    /// The URL of the console. Empty: there is none.
    pub console_url: String,
    /// The URL of the admin API. Empty: unknown.
    pub api_url: String,
}

impl AlertSettings {
    /// Reads them.
    pub fn read<F: Fn(&str) -> Option<String>>(settings: &mut Settings<F>) -> Self {
        let set = settings.parsed("TANDEM_MAIL_CONFIGURATION_SET", String::new());
        Self {
            retention_days: settings.parsed("TANDEM_LOG_RETENTION_DAYS", DEFAULT_RETENTION_DAYS),
            mail_sender: settings.parsed("TANDEM_MAIL_SENDER", String::new()),
            mail_configuration_set: Some(set).filter(|set| !set.is_empty()),
            console_url: settings.parsed("TANDEM_CONSOLE_URL", String::new()),
            api_url: settings.parsed("TANDEM_API_URL", String::new()),
        }
    }
}

/// The ports of alerting.
#[derive(Debug)]
pub struct AwsAlertPorts<A> {
    shared: AwsPorts<A>,
    log: DynamoLog,
    alerts: DynamoAlerts,
    mailer: SesMailer,
    events: EventBridgeEvents,
    console_url: String,
    api_url: String,
}

impl<A> AwsAlertPorts<A> {
    /// Assembles the ports.
    #[must_use]
    pub fn of(clients: &Clients, common: &Common, settings: &AlertSettings, apps: A) -> Self {
        let days = settings.retention_days;
        let set = settings.mail_configuration_set.as_deref();
        Self {
            shared: AwsPorts::of(clients, common, apps),
            log: DynamoLog::new(clients.db.clone(), &common.table, days),
            alerts: DynamoAlerts::new(clients.db.clone(), &common.table, days),
            mailer: SesMailer::new(clients.ses.clone(), &settings.mail_sender, set),
            events: EventBridgeEvents::new(clients.events.clone(), &common.bus),
            console_url: settings.console_url.clone(),
            api_url: settings.api_url.clone(),
        }
    }
}

delegate_ports!(AwsAlertPorts => AwsPorts);

impl<A: Apps> AlertPorts for AwsAlertPorts<A> {
    type Log = DynamoLog;
    type Alerts = DynamoAlerts;

    fn log(&self) -> &DynamoLog {
        &self.log
    }
    fn alerts(&self) -> &DynamoAlerts {
        &self.alerts
    }
}

impl<A: Apps> MailPorts for AwsAlertPorts<A> {
    type Mailer = SesMailer;

    fn mailer(&self) -> &SesMailer {
        &self.mailer
    }
    fn console_url(&self) -> &str {
        &self.console_url
    }
    fn api_url(&self) -> &str {
        &self.api_url
    }
}

impl<A: Apps> EventPorts for AwsAlertPorts<A> {
    type Events = EventBridgeEvents;

    fn events(&self) -> &EventBridgeEvents {
        &self.events
    }
}

/// For functions that call no app.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoApps;

impl NoApps {
    fn refusal() -> Failure {
        Failure::new(ErrorClass::Network, CallEffect::NotApplied, None, "this function calls no app")
    }
}

impl Apps for NoApps {
    async fn write(&self, _: &Side, _: &Call) -> Result<Applied, Failure> {
        Err(Self::refusal())
    }
    async fn read(&self, _: &Side, _: &RecordAddress) -> Result<Option<FetchedRecord>, Failure> {
        Err(Self::refusal())
    }
    async fn read_page(&self, _: &Side, _: &Listing, _: &PageRequest) -> Result<Page, PageError> {
        Err(Self::refusal().into())
    }
    fn health(&self, _: &SideId) -> Health {
        Health::default()
    }

    async fn sample(&self, _: &Side, _: &str) -> Result<Option<FetchedRecord>, Failure> {
        Err(Self::refusal())
    }
    async fn describe(&self, _: &Side, _: &[String]) -> Result<Option<Description>, Failure> {
        Err(Self::refusal())
    }
    async fn probe(&self, _: &Side, _: Option<&str>) -> Result<(), Failure> {
        Err(Self::refusal())
    }
}
