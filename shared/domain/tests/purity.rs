//! The rules stay pure: what `domain` is built from does no IO. (Clocks and hash maps are banned by its clippy.toml.)

use std::process::Command;

/// Everything in the tree of normal dependencies, with why it is harmless. Whoever adds one says so here.
const ALLOWED: [&str; 27] = [
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
    "libc", // cpufeatures: asks the processor what it can do
    "memchr",
    "proc-macro2", // derives, at build time
    "quote",
    "serde",
    "serde_core",
    "serde_derive",
    "serde_json",
    "sha2",
    "syn",
    "typenum",
    "ulid",
    "unicode-ident",
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
