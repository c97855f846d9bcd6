//! Mail by `SESv2`.

use app::ports::{Mail, MailError, Mailer, Refusal};
use aws_sdk_sesv2::{
    Client,
    error::{DisplayErrorContext, ProvideErrorMetadata, SdkError},
    types::{Body, Content, Destination, EmailContent, Message, MessageHeader, MessageTag},
};

/// The one code after which the same mail is never taken. Whatever else SES refuses for (throttled, paused, not allowed, a
/// sender that is not verified), an operator may mend while it is tried again.
const NEVER: &str = "BadRequestException";
/// Longest text of an error that is kept.
const MAX_SAYS: usize = 300;

/// Mail by `SESv2`.
#[derive(Clone, Debug)]
pub struct SesMailer {
    ses: Client,
    sender: String,
    /// Its events (bounces, complaints) come over EventBridge.
    configuration_set: Option<String>,
}

impl SesMailer {
    /// Mail from this sender. Without one nothing can be sent.
    #[must_use]
    pub fn new(ses: Client, sender: &str, configuration_set: Option<&str>) -> Self {
        Self { ses, sender: sender.to_owned(), configuration_set: configuration_set.map(str::to_owned) }
    }
}

impl Mailer for SesMailer {
    async fn send(&self, mail: &Mail) -> Result<String, MailError> {
        if self.sender.is_empty() {
            let says = "this deployment has no sender: set its parameter MailSender";
            return Err(MailError::Never(Refusal::new("no sender", says)));
        }
        let never = |error: aws_sdk_sesv2::error::BuildError| {
            MailError::Never(Refusal::new("mail cannot be built", error.to_string()))
        };
        let content = |text: &str| Content::builder().data(text).charset("UTF-8").build();
        let body =
            Body::builder().text(content(&mail.text).map_err(never)?).html(content(&mail.html).map_err(never)?).build();
        let mut message = Message::builder().subject(content(&mail.subject).map_err(never)?).body(body);
        for (name, value) in &mail.headers {
            message = message.headers(MessageHeader::builder().name(*name).value(value).build().map_err(never)?);
        }
        let mut send = self
            .ses
            .send_email()
            .from_email_address(&self.sender)
            .destination(Destination::builder().to_addresses(mail.to.as_str()).build())
            .content(EmailContent::builder().simple(message.build()).build())
            .set_configuration_set_name(self.configuration_set.clone());
        if let Some(incident) = mail.incident {
            let tag = MessageTag::builder().name("incident").value(incident.to_string());
            send = send.email_tags(tag.build().map_err(never)?);
        }
        let sent = send.send().await.map_err(refused)?;
        Ok(sent.message_id.unwrap_or_default())
    }
}

fn refused<E>(error: SdkError<E>) -> MailError
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    let (later, code, says) = match &error {
        SdkError::ServiceError(service) => {
            let (code, says) = (service.err().code().unwrap_or("no code"), service.err().message().unwrap_or_default());
            (code != NEVER, code, format!("SES: {code}: {says}"))
        }
        SdkError::ConstructionFailure(_) => {
            (false, "request cannot be built", "SES: the request cannot be built".to_owned())
        }
        _ => (true, "not reached", format!("SES cannot be reached: {}", DisplayErrorContext(&error))),
    };
    let refusal = Refusal::new(code, domain::failure::shorten(&says, MAX_SAYS));
    if later { MailError::Later(refusal) } else { MailError::Never(refusal) }
}
