//! Lines of a CSV file (RFC 4180), safe to be opened with a spreadsheet.

/// The first line, after a byte order mark: without one, Excel takes UTF-8 for the code page of the machine.
pub(super) fn header(columns: &str) -> String {
    format!("\u{feff}{columns}\r\n")
}

/// One line.
pub(super) fn line(cells: &[String]) -> String {
    let cells: Vec<_> = cells.iter().map(|cell| escaped(cell)).collect();
    cells.join(",") + "\r\n"
}

/// A cell that no spreadsheet takes for a formula (see OWASP, CSV injection) or for a number that it would round or shorten.
fn escaped(cell: &str) -> String {
    let formula = cell.starts_with(['=', '+', '-', '@', '\t', '\r', '＝', '＋', '－', '＠']);
    let cell = if formula || is_altered_number(cell) { format!("'{cell}") } else { cell.to_owned() };
    if cell.contains([',', '"', '\r', '\n', '\'']) { format!("\"{}\"", cell.replace('"', "\"\"")) } else { cell }
}

/// Whether a spreadsheet would show other digits: it drops leading zeros, keeps 15 digits, and reads `1E5` as 100000.
fn is_altered_number(cell: &str) -> bool {
    let digits = cell.bytes().filter(u8::is_ascii_digit).count();
    let is_number = digits > 0 && cell.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'E' | b'e'));
    let leading_zero = cell.starts_with('0') && cell.len() > 1 && !cell.starts_with("0.");
    is_number && (leading_zero || digits > 15 || cell.contains(['E', 'e']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_quoted_where_it_must_be_and_is_never_a_formula() {
        for (cell, wanted) in [
            ("plain", "plain"),
            ("a,b", "\"a,b\""),
            ("say \"hi\"", "\"say \"\"hi\"\"\""),
            ("=HYPERLINK(\"http://x\")", "\"'=HYPERLINK(\"\"http://x\"\")\""),
            ("@SUM(A1)", "\"'@SUM(A1)\""),
            ("-1+1", "\"'-1+1\""),
            ("two\nlines", "\"two\nlines\""),
            ("＝1+1", "\"'＝1+1\""),
            ("00012", "\"'00012\""),
            ("1E5", "\"'1E5\""),
            ("12345678901234567", "\"'12345678901234567\""),
            ("123456789012345", "123456789012345"),
            ("0", "0"),
            ("0.5", "0.5"),
            ("E5", "\"'E5\""),
            ("2026-11-23T10:00:00Z", "2026-11-23T10:00:00Z"),
        ] {
            assert_eq!(escaped(cell), wanted);
        }
    }
}
