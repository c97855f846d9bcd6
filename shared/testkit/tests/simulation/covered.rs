//! What the crash matrix must have crashed: every use case, and every method of a port, as the sources have them,
//! but for those that are left out by name, with the reason. One that is crashed must not be left out.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use testkit::CrashedIn;

use crate::left_out::{ELSEWHERE, PARTS, READS};

/// Where crashes happened.
#[derive(Debug, Default)]
pub(crate) struct Covered(BTreeSet<String>);

impl Covered {
    pub(crate) fn note(&mut self, crash: CrashedIn) {
        // The type of a use case's future: `app::admin::maps::put<…>::{{closure}}`.
        if let Some(name) = crash.run.strip_prefix("app::") {
            self.0.insert(name.split('<').next().unwrap_or(name).to_owned());
        }
        self.0.extend(crash.method.map(str::to_owned));
    }

    /// What is wrong with the matrix.
    pub(crate) fn gaps(&self) -> Vec<String> {
        let known = known();
        let left: BTreeSet<_> = READS.into_iter().chain(ELSEWHERE).chain(PARTS).collect();
        let missing = known.iter().filter(|name| !self.0.contains(*name) && !left.contains(name.as_str()));
        let missing = missing.map(|name| format!("{name} has no crash in the matrix"));
        let strange = self.0.iter().filter(|name| !known.contains(*name));
        let strange =
            strange.map(|name| format!("{name} was crashed, and the sources have no such use case or method"));
        let stale = left.iter().filter(|name| self.0.contains(**name) || !known.contains(**name));
        let stale = stale.map(|name| format!("{name} need not be left out"));
        missing.chain(strange).chain(stale).collect()
    }
}

/// `module::use_case` of every public async function, and `Trait.method` of every async method of a port.
fn known() -> BTreeSet<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../app/src");
    let mut files = Vec::new();
    sources(&root, &mut files);
    let mut known = BTreeSet::new();
    for file in files {
        let text = fs::read_to_string(&file).expect("a readable source");
        let text = text.split("#[cfg(test)]").next().unwrap_or_default();
        let module = file.strip_prefix(&root).expect("below the root").with_extension("");
        let module = module.to_str().expect("a plain name").replace('/', "::");
        for (at, _) in text.match_indices("\npub async fn ") {
            known.insert(format!("{module}::{}", name(&text[at + "\npub async fn ".len()..])));
        }
        for port in text.split("\npub trait ").skip(1) {
            let body = port.split("\n}").next().unwrap_or_default();
            let methods = body.split("\n    fn ").skip(1);
            let methods =
                methods.filter(|method| method.split(';').next().is_some_and(|it| it.contains("impl Future")));
            known.extend(methods.map(|method| format!("{}.{}", name(port), name(method))));
        }
    }
    known
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("the sources of app") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|it| it == "rs") && path.file_name().is_some_and(|it| it != "tests.rs") {
            found.push(path);
        }
    }
}

fn name(text: &str) -> &str {
    text.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default()
}
