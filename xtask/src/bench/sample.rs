//! Times and their percentiles.

use std::time::{Duration, Instant};

/// Measured times.
#[derive(Default)]
pub(crate) struct Sample(Vec<Duration>);

impl Sample {
    /// Times one call.
    pub(crate) fn time<T, E>(&mut self, call: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
        let start = Instant::now();
        let result = call()?;
        self.0.push(start.elapsed());
        Ok(result)
    }

    pub(crate) fn push(&mut self, time: Duration) {
        self.0.push(time);
    }

    /// The value below which `percent` of all lie.
    pub(crate) fn percentile(&self, percent: usize) -> Duration {
        let mut sorted = self.0.clone();
        sorted.sort_unstable();
        let last = sorted.len().saturating_sub(1);
        sorted.get((sorted.len() * percent / 100).min(last)).copied().unwrap_or_default()
    }

    pub(crate) fn median(&self) -> Duration {
        self.percentile(50)
    }
}

/// Milliseconds with three digits.
pub(crate) fn ms(time: Duration) -> String {
    format!("{:.3} ms", time.as_secs_f64() * 1e3)
}

/// How often `unit` fits into `time`.
pub(crate) fn ratio(time: Duration, unit: Duration) -> f64 {
    time.as_secs_f64() / unit.as_secs_f64().max(1e-9)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_of_the_sorted_times() {
        let mut sample = Sample::default();
        for n in (1..=100).rev() {
            sample.push(Duration::from_millis(n));
        }
        assert_eq!(sample.median(), Duration::from_millis(51));
        assert_eq!(sample.percentile(99), Duration::from_millis(100));
        assert_eq!(Sample::default().median(), Duration::ZERO);
    }
}
