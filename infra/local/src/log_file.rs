//! Reads the ends of log files, for progress messages and error messages.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

/// Most bytes that are read from the end of a file.
const TAIL_BYTES_MAX: u64 = 16 * 1024;

/// Returns the last `count` lines that are not blank, or none when there is no such file.
pub(crate) fn tail(path: &Path, count: usize) -> Vec<String> {
    let mut end = Vec::new();
    if let Ok(mut file) = File::open(path) {
        let length = file.metadata().map_or(0, |meta| meta.len());
        let _cut_short = file
            .seek(SeekFrom::Start(length.saturating_sub(TAIL_BYTES_MAX)))
            .and_then(|_| file.take(TAIL_BYTES_MAX).read_to_end(&mut end));
    }
    let text = String::from_utf8_lossy(&end);
    let lines: Vec<&str> = text.lines().map(str::trim_end).filter(|line| !line.trim().is_empty()).collect();
    lines.iter().skip(lines.len().saturating_sub(count)).map(|line| (*line).to_owned()).collect()
}

/// Formats the end of a log for an error message: the name of the file, then its last lines, indented.
pub(crate) fn excerpt(path: &Path) -> String {
    let lines = tail(path, 15);
    format!("the end of {}:\n    {}", path.display(), lines.join("\n    "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tail_is_the_last_lines_that_say_something() {
        let path = std::env::temp_dir().join(format!("tandem-tail-{}", std::process::id()));
        std::fs::write(&path, "one\ntwo\n\nthree  \n\n").unwrap();
        assert_eq!(tail(&path, 2), ["two", "three"]);
        assert_eq!(tail(&path, 9).len(), 3);
        std::fs::remove_file(&path).unwrap();
        assert!(tail(&path, 2).is_empty());
    }
}
