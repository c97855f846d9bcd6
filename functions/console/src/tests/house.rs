//! The rules of the house.

use std::{collections::BTreeSet, fs, path::Path};

use crate::pages::PAGES;

fn sources(of: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(of)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.push((path.display().to_string(), fs::read_to_string(&path).unwrap()));
            }
        }
    }
    found
}

#[test]
fn a_page_touches_no_port_and_no_type_of_the_domain() {
    let pages = sources("pages");
    assert!(pages.len() >= 8, "the pages are found");
    for (path, text) in pages {
        for forbidden in ["domain::", "app::ports", "ports::", ".ports.", "aws::", "targets::", "PreEscaped"] {
            assert!(!text.contains(forbidden), "{path} has {forbidden}");
        }
    }
}

#[test]
fn nothing_is_written_into_a_page_unescaped_and_a_part_reads_nothing() {
    for (path, text) in sources("parts") {
        for forbidden in ["PreEscaped", "AdminPorts", ".await", "aws::"] {
            assert!(!text.contains(forbidden), "{path} has {forbidden}");
        }
    }
}

#[test]
fn the_table_of_pages_and_the_router_name_the_same() {
    let router = include_str!("../router.rs");
    let mut in_router = BTreeSet::new();
    for route in router.split(".route(").skip(1) {
        let path = route.split('"').nth(1).unwrap();
        let handlers = route.split(".layer(").next().unwrap();
        for (call, method) in [("get(", "GET"), ("post(", "POST")] {
            if handlers.contains(call) {
                in_router.insert(format!("{method} {path}"));
            }
        }
    }
    let in_table: BTreeSet<_> = PAGES.iter().map(|page| format!("{} {}", page.method, page.path)).collect();
    assert_eq!(in_router, in_table);
}
