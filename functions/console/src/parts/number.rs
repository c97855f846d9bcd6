//! Numbers for people.

use app::admin::console::Counted;

/// A number with commas between thousands.
pub(crate) fn number(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A number that was counted up to a limit.
pub(crate) fn counted(n: Counted) -> String {
    format!("{}{}", number(n.count), if n.more { "+" } else { "" })
}

/// A number and its noun: `1 change`, `2 changes`.
pub(crate) fn of(n: u64, noun: &str) -> String {
    format!("{} {noun}{}", number(n), if n == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_readable() {
        assert_eq!([0, 999, 1_000, 1_234_567].map(number), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!(counted(Counted { count: 100, more: true }), "100+");
        assert_eq!((of(1, "change"), of(1_200, "change")), ("1 change".to_owned(), "1,200 changes".to_owned()));
    }
}
