//! The place in a list where a page begins.

use app::ports::PageError;
use domain::{
    Failure,
    listing::Cursor,
    side::{Connector, ConnectorKind, NextPage},
};

use super::unusable;

/// The place in a list where a page begins. As a [`Cursor`] it is a text: the name of the variant, a colon, and its
/// value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Start,
    /// A link of the app, relative to the side's `base_url`.
    Link(String),
    /// A token of the app.
    Token(String),
    /// The number of a page.
    Page(u64),
    /// The number of rows before the page.
    Offset(u64),
}

impl Place {
    /// The place of a cursor; none means the start.
    ///
    /// # Errors
    /// The cursor was created under other settings of the side, so it leads nowhere.
    pub(super) fn of(connector: &Connector, cursor: Option<&Cursor>) -> Result<Self, PageError> {
        let Some(cursor) = cursor else { return Ok(Self::Start) };
        let place = cursor.as_str().split_once(':').and_then(|(kind, rest)| match kind {
            "link" => Some(Self::Link(rest.to_owned())),
            "token" => Some(Self::Token(rest.to_owned())),
            "page" => rest.parse().ok().map(Self::Page),
            "offset" => rest.parse().ok().map(Self::Offset),
            _ => None,
        });
        place.filter(|place| place.fits(connector)).ok_or_else(|| {
            PageError::CursorExpired(unusable("the side's settings for lists have changed since the last page"))
        })
    }

    fn fits(&self, connector: &Connector) -> bool {
        match (connector.protocol(), self, &connector.list.next) {
            (_, Self::Start, _)
            | (ConnectorKind::Odata, Self::Link(_), _)
            | (ConnectorKind::Http, Self::Link(_), Some(NextPage::Link { .. } | NextPage::LinkHeader))
            | (ConnectorKind::Http, Self::Token(_), Some(NextPage::Token { .. }))
            | (ConnectorKind::Http, Self::Page(_), Some(NextPage::Page { .. }))
            | (ConnectorKind::Http, Self::Offset(_), Some(NextPage::Offset { .. })) => true,
            (_, Self::Link(_) | Self::Token(_) | Self::Page(_) | Self::Offset(_), _) => false,
        }
    }

    /// Whether the app itself has named the place.
    pub(super) fn is_named_by_app(&self) -> bool {
        matches!(self, Self::Link(_) | Self::Token(_))
    }

    /// The cursor of this place. The start has none.
    pub(super) fn cursor(&self) -> Result<Option<Cursor>, Failure> {
        let text = match self {
            Self::Start => return Ok(None),
            Self::Link(link) => format!("link:{link}"),
            Self::Token(token) => format!("token:{token}"),
            Self::Page(page) => format!("page:{page}"),
            Self::Offset(offset) => format!("offset:{offset}"),
        };
        let cursor = Cursor::try_from(text);
        cursor.map(Some).map_err(|says| unusable(&format!("the link or token of the next page {says}")))
    }
}
