//! The README names the tests that show its promises: they must be there.

use std::{
    fs,
    path::{Path, PathBuf},
};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The folder of a package.
fn package(name: &str) -> PathBuf {
    let folders = ["shared", "functions", "."].map(|folder| root().join(folder).join(name));
    folders.into_iter().find(|folder| folder.join("Cargo.toml").exists()).unwrap_or_else(|| panic!("no package {name}"))
}

/// Whether a test that `cargo test` finds by this name is in this folder: its function, its module, or its line in a table.
fn is_there(folder: &Path, name: &str) -> bool {
    fs::read_dir(folder).expect("a folder").flatten().any(|entry| {
        let path = entry.path();
        if path.is_dir() {
            return path.file_name().is_some_and(|folder| folder != "target") && is_there(&path, name);
        }
        let source = path.extension().is_some_and(|extension| extension == "rs");
        let module = path.file_stem().is_some_and(|stem| stem == name);
        let text = || fs::read_to_string(&path).expect("a source");
        source && (module || text().contains(&format!("fn {name}")) || text().contains(&format!("    {name}")))
    })
}

#[test]
fn every_promise_names_tests_that_are_there() {
    let readme = fs::read_to_string(root().join("README.md")).expect("the README");
    let mut promises = 0;
    let promise = |line: &&str| line.strip_prefix("| P").is_some_and(|rest| rest.starts_with(char::is_numeric));
    for line in readme.lines().filter(promise) {
        promises += 1;
        let commands: Vec<_> = line.split('`').filter(|part| part.starts_with("cargo test ")).collect();
        assert!(!commands.is_empty(), "{line} names no test");
        for command in commands {
            let words: Vec<_> = command.split_whitespace().skip(2).collect();
            let ["-p", name, rest @ ..] = &words[..] else { panic!("{command} names no package") };
            let filter = match rest {
                ["--test", _, filter @ ..] | ["--lib", filter @ ..] | filter => filter,
            };
            for filter in filter {
                assert!(is_there(&package(name), filter), "`{command}` runs no test");
            }
        }
    }
    assert_eq!(promises, 9);
}
