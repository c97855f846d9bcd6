//! Many measurements as a few numbers.

use std::time::Duration;

/// Durations of the same thing, measured again and again.
#[derive(Debug, Default)]
pub struct Durations(Vec<Duration>);

impl Durations {
    /// Adds one.
    pub fn add(&mut self, took: Duration) {
        self.0.push(took);
    }

    /// The duration that this share of them does not exceed, in milliseconds; the nearest measured one.
    ///
    /// # Panics
    /// When nothing was measured, which is a mistake in the bench.
    #[must_use]
    pub fn quantile_ms(&self, share: f64) -> f64 {
        assert!(!self.0.is_empty(), "nothing was measured");
        let mut sorted = self.0.clone();
        sorted.sort_unstable();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a place in the list")]
        let at = ((sorted.len() as f64 * share).ceil() as usize).clamp(1, sorted.len()) - 1;
        sorted[at].as_secs_f64() * 1_000.0
    }

    /// Median and 99th percentile in milliseconds.
    #[must_use]
    pub fn p50_p99_ms(&self) -> (f64, f64) {
        (self.quantile_ms(0.5), self.quantile_ms(0.99))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantile_is_one_of_the_measurements() {
        let mut durations = Durations::default();
        (1..=100).rev().for_each(|ms| durations.add(Duration::from_millis(ms)));
        assert_eq!(durations.p50_p99_ms(), (50.0, 99.0));
        assert_eq!((durations.quantile_ms(0.0), durations.quantile_ms(1.0)), (1.0, 100.0));
    }
}
