//! `cargo mistakes`: shows that the check of each invariant finds a mistake.
//!
//! Lies are told by the ports of the simulated world, in one test. Each patch under `shared/testkit/mistakes` puts one
//! mistake into a scratch copy of the sources, and exactly the check that its header names must find it there.

use std::{
    error::Error,
    fs, io,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, ExitCode, Output},
};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// One line of the table.
struct Row {
    mistake: String,
    invariants: String,
    /// The seed of the first world in which it was found; else what was found instead.
    found: std::result::Result<String, String>,
}

/// A patch with its header: lines of the form `# name: value` before the difference.
struct Patch {
    path: PathBuf,
    text: String,
}

impl Patch {
    fn header(&self, name: &str) -> Result<&str> {
        let prefix = format!("# {name}: ");
        let value = self.text.lines().find_map(|line| line.strip_prefix(&prefix));
        value.ok_or_else(|| format!("{} has no header `{name}`", self.path.display()).into())
    }
}

fn main() -> ExitCode {
    let rows = root().and_then(|root| {
        let mut rows = tell_lies(&root)?;
        rows.extend(apply_patches(&root)?);
        Ok(rows)
    });
    let rows = match rows {
        Ok(rows) => rows,
        Err(error) => {
            let _ = writeln!(io::stderr(), "could not look for the mistakes: {error}");
            return ExitCode::FAILURE;
        }
    };
    let mut out = io::stdout().lock();
    let _ = writeln!(out, "| mistake | invariant | world | found |\n|---|---|---|---|");
    for Row { mistake, invariants, found } in &rows {
        let _ = match found {
            Ok(seed) => writeln!(out, "| {mistake} | {invariants} | {seed} | yes |"),
            Err(instead) => writeln!(out, "| {mistake} | {invariants} | | NO: {instead} |"),
        };
    }
    let missed = rows.iter().filter(|row| row.found.is_err()).count();
    let _ = writeln!(out, "\n{} mistakes, {missed} of them not found", rows.len());
    if missed == 0 && !rows.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The root of the workspace.
fn root() -> Result<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).ok_or("the workspace has no root")?;
    Ok(root.to_path_buf())
}

/// Runs the test in which ports lie. It prints one line for each lie that was found.
fn tell_lies(root: &Path) -> Result<Vec<Row>> {
    let mut test = cargo(root);
    test.args(["--workspace", "--test", "simulation", "a_port_that_behaves_as_a_mistake_would", "--", "--nocapture"]);
    let output = test.output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    let found = said.lines().filter_map(|line| line.strip_suffix(" | found"));
    let mut rows: Vec<Row> = found
        .filter_map(|line| {
            let mut cells = line.split(" | ").map(str::to_owned);
            Some(Row { mistake: cells.next()?, invariants: cells.next()?, found: Ok(cells.next()?) })
        })
        .collect();
    for line in said.lines().filter(|line| line.contains("was not found as")) {
        rows.push(Row { mistake: "a lie".to_owned(), invariants: String::new(), found: Err(line.to_owned()) });
    }
    if rows.is_empty() {
        return Err(format!("the test of the lies did not run:\n{said}").into());
    }
    Ok(rows)
}

fn apply_patches(root: &Path) -> Result<Vec<Row>> {
    let scratch = root.join("target/mistakes/tree");
    copy_sources(root, &scratch)?;
    let mut paths: Vec<_> = fs::read_dir(root.join("shared/testkit/mistakes"))?
        .collect::<io::Result<Vec<_>>>()?
        .into_iter()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "patch"))
        .collect();
    paths.sort();
    paths.into_iter().map(|path| try_patch(&scratch, path)).collect()
}

/// Copies what git knows of the sources. A file that is the same already keeps its time, so that little is built again.
fn copy_sources(root: &Path, scratch: &Path) -> Result<()> {
    let listed = checked(Command::new("git").args(["ls-files", "-z"]).current_dir(root))?;
    for name in String::from_utf8(listed.stdout)?.split('\0').filter(|name| !name.is_empty()) {
        let Ok(wanted) = fs::read(root.join(name)) else { continue };
        let to = scratch.join(name);
        if fs::read(&to).is_ok_and(|there| there == wanted) {
            continue;
        }
        fs::create_dir_all(to.parent().ok_or("a file without a folder")?)?;
        fs::write(&to, wanted)?;
    }
    Ok(())
}

fn try_patch(scratch: &Path, path: PathBuf) -> Result<Row> {
    let patch = Patch { text: fs::read_to_string(&path)?, path };
    let mistake = patch.path.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned());
    let _ = writeln!(io::stderr(), "{mistake} …");
    git_apply(scratch, &patch.path, &[])?;
    let mut test = cargo(scratch);
    test.args(["-p", "testkit", "--test", "simulation", "the_mistake_of_a_patch", "--", "--ignored", "--nocapture"])
        .env("CARGO_TARGET_DIR", scratch.with_file_name("target"))
        .env("TANDEM_MISTAKE_SAYS", patch.header("says")?)
        .env("TANDEM_MISTAKE_WORLDS", patch.header("worlds")?);
    let output = test.output();
    git_apply(scratch, &patch.path, &["--reverse"])?;
    let output = output?;
    let said = String::from_utf8_lossy(&output.stderr);
    let seed = said.lines().find_map(|line| line.strip_prefix("found in world "));
    let found = match seed.filter(|_| output.status.success()) {
        Some(seed) => Ok(seed.to_owned()),
        None => {
            let why = said.lines().find(|line| line.starts_with("not found as") || line.starts_with("error"));
            Err(why.unwrap_or("the test did not run").to_owned())
        }
    };
    Ok(Row { mistake, invariants: patch.header("invariant")?.to_owned(), found })
}

fn git_apply(tree: &Path, patch: &Path, options: &[&str]) -> Result<()> {
    let mut apply = Command::new("git");
    // The scratch copy lies within the repository: without this, git would apply the patch there.
    apply.arg("apply").args(options).arg(patch).current_dir(tree);
    apply.env("GIT_CEILING_DIRECTORIES", tree.parent().ok_or("a tree without a folder")?);
    checked(&mut apply).map(drop)
}

fn cargo(root: &Path) -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.arg("test").current_dir(root);
    cargo
}

fn checked(command: &mut Command) -> Result<Output> {
    let output = command.output()?;
    if output.status.success() {
        return Ok(output);
    }
    Err(format!("{command:?} failed: {}", String::from_utf8_lossy(&output.stderr)).into())
}
