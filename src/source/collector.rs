//! The rows of an answer as they arrive, held to the limits of their statement: the same for every database.

use std::time::Duration;

use serde_json::Value;

use super::{Column, Limits, Rows, Truncation, text};

/// Rows between two chances for other tasks, and for our own deadline: some drivers never wait while rows arrive.
const BREATH: usize = 256;

/// Takes rows until a limit is reached.
pub(super) struct Collector {
    limits: Limits,
    bytes: usize,
    /// What was taken. Columns may be set when they are known.
    pub rows: Rows,
}

impl Collector {
    pub fn new(limits: Limits, columns: Vec<Column>) -> Self {
        Self { limits, bytes: 0, rows: Rows { columns, ..Rows::default() } }
    }

    /// Whether the row that has arrived may be read. One that may not proves that there are more.
    pub fn has_room(&mut self) -> bool {
        let full = self.rows.rows.len() >= self.limits.max_rows;
        if full {
            self.rows.truncated = Some(Truncation::Rows);
        }
        !full
    }

    /// Takes a row; false if it goes beyond the bytes, and nothing more can be taken.
    pub fn take(&mut self, row: Vec<Value>) -> bool {
        self.bytes += row.iter().map(|value| text::weight(value) + 1).sum::<usize>();
        if self.bytes > self.limits.max_bytes {
            self.overflow();
            return false;
        }
        self.rows.rows.push(row);
        true
    }

    /// Something arrives that alone is more than the bytes.
    pub fn overflow(&mut self) {
        self.rows.truncated = Some(Truncation::Bytes);
    }

    /// Now and then lets others run.
    pub async fn breathe(&self) {
        if self.rows.rows.len() % BREATH == BREATH - 1 {
            tokio::task::yield_now().await;
        }
    }

    pub fn finish(self, elapsed: Duration) -> Rows {
        Rows { elapsed, ..self.rows }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn rows_are_taken_until_a_limit_is_reached() {
        let collected = |max_rows, max_bytes, arriving: usize| {
            let limits = Limits { timeout: Duration::MAX, max_rows, max_bytes };
            let mut collector = Collector::new(limits, Vec::new());
            for _ in 0..arriving {
                if !collector.has_room() || !collector.take(vec![json!("x".repeat(10))]) {
                    break;
                }
            }
            let rows = collector.finish(Duration::ZERO);
            (rows.rows.len(), rows.truncated)
        };
        assert_eq!(collected(3, 1000, 3), (3, None));
        assert_eq!(collected(3, 1000, 4), (3, Some(Truncation::Rows)));
        assert_eq!(collected(0, 1000, 1), (0, Some(Truncation::Rows)));
        assert_eq!(collected(3, 30, 3), (2, Some(Truncation::Bytes)));
        assert_eq!(collected(3, 5, 1), (0, Some(Truncation::Bytes)));
    }
}
