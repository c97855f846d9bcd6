//! `$metadata`: the description that an `OData` app gives of its entities.

mod csdl;

#[cfg(test)]
pub(crate) use self::csdl::describe;

use app::ports::Description;
use domain::{
    Failure,
    side::{ConnectorKind, SideConfig},
};
use reqwest::header::{ACCEPT, ACCEPT_ENCODING, HeaderValue};

use crate::{
    answer::unreadable, connectors::Connectors, limits::MAX_METADATA_BYTES, path, plan, secrets::Secrets,
    wire::Deadline,
};

impl<S: Secrets> Connectors<S> {
    /// Reads the description of these entities from `$metadata`. `None`: the app does not speak `OData`.
    pub(crate) async fn read_metadata(
        &self,
        side: &SideConfig,
        entities: &[String],
    ) -> Result<Option<Description>, Failure> {
        if side.connector.protocol() != ConnectorKind::Odata {
            return Ok(None);
        }
        let url = path::under(&path::base(&side.connector)?, "$metadata")?;
        let mut request = plan::get(side, url)?;
        request.headers.insert(ACCEPT, HeaderValue::from_static("application/xml"));
        // It has megabytes, and Tandem uses no ETag of it that a compressing server could mark.
        request.headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
        request.max_answer_bytes = MAX_METADATA_BYTES;
        let answer = self.send(side, &request, &Deadline::of(side, 1)).await?;
        if !answer.status.is_success() {
            return Err(answer.failure());
        }
        let described = csdl::describe(&answer.into_text()?, entities);
        described.map(Some).map_err(|why| unreadable(&format!("$metadata is not as in OData: {why}")))
    }
}
