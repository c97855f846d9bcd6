//! The connectors: implements the port [`Apps`] for the use cases.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use app::ports::{Applied, Apps, Call, Description, FetchedRecord, Page, PageError, PageRequest, RecordAddress};
use domain::{
    ErrorClass, Failure, Record, SideId, Timestamp,
    failure::CallEffect,
    listing::Listing,
    record::Image,
    side::{Auth, Capability, ConnectorKind, CreateMethod, Health, Side, SideConfig, UpdateMethod},
};
use reqwest::StatusCode;

use crate::{
    answer::{Answer, without_effect},
    auth::{Credential, Keyring},
    breaker::Breaker,
    csrf::{self, CsrfTokens},
    guard::Guard,
    plan::{self, Condition, Request, Sends},
    secrets::Secrets,
    wire::{Deadline, Wire, no_time},
};

/// The connect timeout of a side that does not set one. The client for it is created at start.
const USUAL_CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// The connectors of all sides, with their connections, secrets and tokens. A process creates them once.
#[derive(Debug)]
pub struct Connectors<S> {
    wire: Wire,
    keyring: Keyring<S>,
    csrf: CsrfTokens,
    breaker: Breaker,
}

impl<S: Secrets> Connectors<S> {
    /// Creates connectors that call the hosts that `guard` allows, with secrets from `secrets`.
    ///
    /// # Errors
    /// The HTTP client cannot be created, e.g. because the system has no root certificates.
    pub fn new(guard: Guard, secrets: S) -> Result<Self, String> {
        let wire = Wire::new(guard);
        wire.warm(USUAL_CONNECT_TIMEOUT)?;
        Ok(Self { wire, keyring: Keyring::new(secrets), csrf: CsrfTokens::default(), breaker: Breaker::default() })
    }

    /// Sends a request with the side's credentials. If the app refuses them (401), renews them and sends the request
    /// once more. The refused call had no effect, so nothing happens twice.
    pub(crate) async fn send(
        &self,
        side: &SideConfig,
        request: &Request,
        deadline: &Deadline,
    ) -> Result<Answer, Failure> {
        self.wire.check(&request.url)?; // first, so that no secret is read for a host that is not allowed
        let credential = self.credential(side, None, deadline).await?;
        let answer = self.send_with_token(side, &credential, request, deadline).await?;
        if answer.status != StatusCode::UNAUTHORIZED || side.connector.auth == Auth::None {
            return Ok(answer);
        }
        let renewed = self.credential(side, Some(credential.number), deadline).await?;
        if renewed.number == credential.number {
            return Ok(answer);
        }
        self.send_with_token(side, &renewed, request, deadline).await
    }

    /// Sends a request, with a CSRF token if the app has asked for one before. If it asks for one now, fetches a token
    /// and sends the request once more. The refused call had no effect.
    async fn send_with_token(
        &self,
        side: &SideConfig,
        credential: &Credential,
        request: &Request,
        deadline: &Deadline,
    ) -> Result<Answer, Failure> {
        let mut with_token = request.clone();
        self.csrf.put_into(side, &mut with_token);
        let answer = self.send_as(credential, &with_token, deadline).await?;
        if !csrf::is_required(request, &answer) {
            return Ok(answer);
        }
        let mut fetch = plan::probe(side, None)?;
        csrf::ask(&mut fetch);
        fetch.max_answer_bytes = 0; // the token is in the headers
        let fetched = self.send_as(credential, &fetch, deadline).await.map_err(without_effect)?;
        if !self.csrf.keep(side, &fetched) {
            return Ok(answer);
        }
        self.csrf.put_into(side, &mut with_token);
        self.send_as(credential, &with_token, deadline).await
    }

    async fn credential(
        &self,
        side: &SideConfig,
        refused: Option<u64>,
        deadline: &Deadline,
    ) -> Result<Credential, Failure> {
        let credential = self.keyring.credential(&self.wire, &side.connector.auth, refused, deadline);
        tokio::time::timeout_at(deadline.end(), credential).await.unwrap_or_else(|_| Err(no_time()))
    }

    async fn send_as(
        &self,
        credential: &Credential,
        request: &Request,
        deadline: &Deadline,
    ) -> Result<Answer, Failure> {
        let mut request = request.clone();
        credential.put_into(&mut request.headers);
        let mut answer = self.wire.send(&request, deadline).await?;
        answer.hidden.clone_from(&credential.hidden);
        Ok(answer)
    }

    /// Reads a record before a deadline, which may cover earlier calls, too. Returns `None` if the app has no such
    /// record.
    pub(crate) async fn read_within(
        &self,
        side: &SideConfig,
        address: &RecordAddress,
        deadline: &Deadline,
    ) -> Result<Option<(RecordAddress, FetchedRecord)>, Failure> {
        let Some(at) = self.locate(side, address, deadline).await? else { return Ok(None) };
        let request = plan::read(side, &at)?;
        let answer = self.send(side, &request, deadline).await.map_err(without_effect)?;
        if answer.is_absent(&side.connector) {
            return Ok(None);
        }
        if answer.status != StatusCode::OK {
            return Err(without_effect(answer.failure_to_read()));
        }
        let etag = answer.header_etag();
        if answer.has_no_record() {
            return Ok(None);
        }
        let Some(record) = answer.into_enveloped(&side.connector)? else { return Ok(None) };
        if let Some(missing) = address.own_fields().into_iter().find(|field| !record.contains_key(*field)) {
            let message = format!("the answer is no record: it has no {missing}");
            return Err(Failure::new(ErrorClass::OtherHttp, CallEffect::NotApplied, None, &message));
        }
        Ok(Some((at, plan::found(side, record, address, etag))))
    }

    /// Writes a record without a precondition.
    async fn write_once(&self, side: &SideConfig, call: &Call, deadline: &Deadline) -> Result<Applied, Failure> {
        let sends = match &call.image {
            Image::Absent => Sends::Deletion,
            Image::Present(record) => Sends::Change(record),
        };
        let answer =
            self.send(side, &plan::write(side, call, &call.record, sends, &Condition::Always)?, deadline).await?;
        match &call.image {
            Image::Present(record)
                if side.connector.create() == CreateMethod::Post && answer.is_absent(&side.connector) =>
            {
                self.create(side, call, record, deadline).await
            }
            _ => concluded(side, call, &answer),
        }
    }

    /// Creates a missing record. If somebody else creates it at the same time, this fails, and the next attempt changes
    /// it.
    pub(crate) async fn create(
        &self,
        side: &SideConfig,
        call: &Call,
        record: &Record,
        deadline: &Deadline,
    ) -> Result<Applied, Failure> {
        let request = plan::write(side, call, &call.record, Sends::New(record), &Condition::Always)?;
        let answer = self.send(side, &request, deadline).await?;
        concluded(side, call, &answer).map_err(|failure| match answer.is_duplicate(&side.connector) {
            // Finance & Operations says it with 400.
            true => Failure { class: ErrorClass::Conflict, effect: CallEffect::NotApplied, ..failure },
            false => failure,
        })
    }

    async fn probe_once(&self, side: &SideConfig, entity: Option<&str>) -> Result<(), Failure> {
        let mut request = plan::probe(side, entity)?;
        request.max_answer_bytes = 0; // the status is enough
        let answer = self.send(side, &request, &Deadline::of(side, 1)).await?;
        // A REST app may refuse to list (405), or have nothing at its root (404). Either answer shows that it can be
        // reached.
        let unlisted = side.connector.protocol() == ConnectorKind::Http
            && (answer.status == StatusCode::METHOD_NOT_ALLOWED
                || entity.is_none() && answer.is_absent(&side.connector));
        if answer.status.is_success() || unlisted { Ok(()) } else { Err(answer.failure()) }
    }
}

impl<S: Secrets> Apps for Connectors<S> {
    async fn write(&self, Side { id, config: side, .. }: &Side, call: &Call) -> Result<Applied, Failure> {
        self.breaker.check(id, now())?;
        let deadline = Deadline::of(side, u32::try_from(side.requests_per_write()).unwrap_or(1));
        let outcome = if reads_first(side, &call.image) {
            self.write_conditionally(side, call, &deadline).await
        } else {
            self.write_once(side, call, &deadline).await
        };
        let outcome = outcome.map_err(|failure| side.judge(failure));
        self.breaker.note(id, call.ending(&outcome), now());
        outcome
    }

    fn health(&self, side: &SideId) -> Health {
        self.breaker.health(side)
    }

    fn note_report(&self, side: &SideId, is_own: bool, at: Timestamp) {
        self.breaker.note_report(side, is_own, at);
    }

    async fn read(&self, side: &Side, record: &RecordAddress) -> Result<Option<FetchedRecord>, Failure> {
        let found = self.read_within(&side.config, record, &Deadline::of(&side.config, 1)).await?;
        Ok(found.map(|(_, found)| found))
    }

    async fn read_page(&self, side: &Side, listing: &Listing, request: &PageRequest) -> Result<Page, PageError> {
        self.read_list(&side.config, listing, request).await
    }

    async fn sample(&self, side: &Side, entity: &str) -> Result<Option<FetchedRecord>, Failure> {
        self.sample_once(&side.config, entity).await.map_err(without_effect)
    }

    async fn describe(&self, side: &Side, entities: &[String]) -> Result<Option<Description>, Failure> {
        self.read_metadata(&side.config, entities).await.map_err(without_effect)
    }

    async fn probe(&self, side: &Side, entity: Option<&str>) -> Result<(), Failure> {
        self.probe_once(&side.config, entity).await.map_err(without_effect)
    }
}

/// Whether the record is read before it is written. A deletion has a URL of its own in few apps: were that one wrong, its 404 would
/// be taken for a record that is gone already.
fn reads_first(side: &SideConfig, image: &Image) -> bool {
    let connector = &side.connector;
    let for_image = match image {
        Image::Absent => connector.delete_url.is_some(),
        Image::Present(_) => connector.update() == UpdateMethod::Put || connector.looks_first(),
    };
    for_image || connector.find.is_some() || side.capability == Capability::Versioned
}

fn now() -> Timestamp {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(u64::try_from(since_1970.as_millis()).unwrap_or(u64::MAX))
}

/// Turns the answer to a write into its outcome. Deleting a missing record is a success.
pub(crate) fn concluded(side: &SideConfig, call: &Call, answer: &Answer) -> Result<Applied, Failure> {
    let kind = side.connector.protocol();
    if call.image == Image::Absent && answer.is_absent(&side.connector) {
        return Ok(Applied { unchanged: true, ..Applied::default() });
    }
    if !answer.status.is_success() {
        return Err(answer.failure_of_write(kind));
    }
    if let Some(why) = answer.doubt(kind) {
        return Err(answer.doubtful(&why));
    }
    if call.image == Image::Absent {
        return Ok(Applied::default());
    }
    let stored = side.connector.wants_stored_record.then(|| answer.stored(side, &call.record)).flatten();
    Ok(Applied { etag: answer.etag(), stored, unchanged: false })
}
