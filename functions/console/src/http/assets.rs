//! Style, script and icon. Their addresses name their content, so a browser may keep them for ever.

use std::sync::LazyLock;

use axum::{
    extract::Path,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use sha2::{Digest, Sha256};

const STYLE: &str = include_str!("../../assets/console.css");
const SCRIPT: &str = include_str!("../../assets/console.js");
const ICON: &str = include_str!("../../assets/icon.svg");

/// The paths of the assets, without the first slash.
pub(crate) struct Assets {
    pub(crate) style: String,
    pub(crate) script: String,
    pub(crate) icon: String,
}

/// The paths of the assets.
pub(crate) static PATHS: LazyLock<Assets> = LazyLock::new(|| Assets {
    style: format!("assets/{}.css", version(STYLE)),
    script: format!("assets/{}.js", version(SCRIPT)),
    icon: format!("assets/{}.svg", version(ICON)),
});

fn version(content: &str) -> String {
    Sha256::digest(content.as_bytes()).iter().take(6).map(|byte| format!("{byte:02x}")).collect()
}

/// Serves an asset.
pub(crate) async fn serve(Path(name): Path<String>) -> Response {
    let path = format!("assets/{name}");
    let (kind, content) = match path {
        path if path == PATHS.style => ("text/css; charset=utf-8", STYLE),
        path if path == PATHS.script => ("text/javascript; charset=utf-8", SCRIPT),
        path if path == PATHS.icon => ("image/svg+xml", ICON),
        _ => return super::reply::Failed(app::error::AppError::UnknownRoute).into_response(),
    };
    let headers = [(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, "public, max-age=31536000, immutable")];
    (StatusCode::OK, headers, content).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_assets_stay_small_and_load_nothing() {
        assert!(STYLE.len() <= 10 * 1024, "{} bytes of style", STYLE.len());
        assert!(SCRIPT.len() <= 4 * 1024, "{} bytes of script", SCRIPT.len());
        for foreign in ["http:", "https:", "data:", "@import", "eval(", "innerHTML"] {
            assert!(!STYLE.contains(foreign) && !SCRIPT.contains(foreign), "{foreign}");
        }
    }
}
