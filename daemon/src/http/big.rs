//! Answers that may be big: bounded, and made beside the threads that serve everybody.

use axum::http::StatusCode;

use super::error::Refusal;

/// The most rows of one answer: all pods of a large cluster once, or a team table of years of hours.
const MOST_ROWS: usize = 120_000;

/// Does work that may take long where it holds nobody up.
pub(super) async fn off_thread<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Refusal> + Send + 'static,
) -> Result<T, Refusal> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| {
        tracing::error!(%error, "An answer met a defect of the daemon.");
        Err(Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, "defect", "the daemon has a defect here"))
    })
}

/// Counts the rows of an answer and refuses it when they get too many.
#[derive(Debug, Default)]
pub(super) struct RowCount(usize);

impl RowCount {
    pub(super) fn add(&mut self, rows: usize) -> Result<(), Refusal> {
        self.0 = self.0.saturating_add(rows);
        if self.0 <= MOST_ROWS {
            return Ok(());
        }
        Err(Refusal::bad("too-many-rows", format!("that would be more than {MOST_ROWS} rows"))
            .hint("group by less, use longer steps, or ask for a shorter window"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_bounded() {
        let mut count = RowCount::default();
        assert_eq!(count.add(MOST_ROWS), Ok(()));
        assert_eq!(count.add(0), Ok(()));
        assert!(count.add(1).is_err());
        assert!(count.add(usize::MAX).is_err());
    }

    #[tokio::test]
    async fn defect_is_told_and_not_passed_on() {
        let answer: Result<(), Refusal> = off_thread(|| panic!("as a defect would")).await;
        assert_eq!(
            answer,
            Err(Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, "defect", "the daemon has a defect here"))
        );
    }
}
