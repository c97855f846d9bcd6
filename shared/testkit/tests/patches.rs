//! The patches of mistakes apply to the sources as they are: a patch that does not would show nothing.

use std::{fs, path::Path, process::Command};

#[test]
fn every_patch_of_a_mistake_applies_and_says_what_finds_it() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap();
    let mut count = 0;
    let mut wrong = Vec::new();
    for entry in fs::read_dir(root.join("shared/testkit/mistakes")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let text = fs::read_to_string(&path).unwrap();
        for header in ["# invariant: ", "# worlds: ", "# says: "] {
            if !text.lines().any(|line| line.starts_with(header)) {
                wrong.push(format!("{name} has no header `{header}`"));
            }
        }
        let checked = Command::new("git").args(["apply", "--check"]).arg(&path).current_dir(root).output().unwrap();
        if !checked.status.success() {
            wrong.push(format!("{name} does not apply: {}", String::from_utf8_lossy(&checked.stderr)));
        }
        count += 1;
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(count > 0, "there are no patches");
}
