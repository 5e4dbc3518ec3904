//! The rows of `/allocation` as JSON, written while they are sent: a piece is made when the client has taken the one before.

use std::convert::Infallible;

use axum::body::{Body, Bytes};
use axum::http::{HeaderValue, header};
use axum::response::Response;
use futures::stream;

use super::Envelope;
use super::rows::Rows;

/// A piece is sent once it has so many bytes: some forty rows, made in less than a millisecond.
const PIECE: usize = 1 << 16;

/// The answer with all steps, each a map from the name of a row to the row.
pub(super) fn answer(sets: Vec<Rows>, warnings: &[String]) -> Response {
    let mut answer = Response::new(Body::from_stream(stream::iter(Pieces::new(sets, warnings))));
    answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    answer
}

/// Where the text is.
#[derive(Debug)]
enum At {
    /// Before all steps.
    Start,
    /// Within a step, before its first row or after some.
    Within { rows: Box<Rows>, begun: bool },
    /// After a step.
    Between,
    /// All is told.
    End,
}

struct Pieces {
    sets: std::vec::IntoIter<Rows>,
    at: At,
    /// What stands before and behind the steps.
    around: (String, String),
}

impl Pieces {
    fn new(sets: Vec<Rows>, warnings: &[String]) -> Self {
        let empty = text(&Envelope::new(Vec::<()>::new(), warnings));
        // Written by hand only where the steps go.
        let (before, behind) = empty.split_once("[]").unwrap_or_default();
        let around = (format!("{before}["), format!("]{behind}"));
        Self { sets: sets.into_iter(), at: At::Start, around }
    }

    /// Writes the next row, or what stands between steps; false once all is written.
    fn write(&mut self, piece: &mut String) -> bool {
        match &mut self.at {
            At::Start => piece.push_str(&self.around.0),
            At::Between if self.sets.len() > 0 => piece.push(','),
            At::Between => {}
            At::End => return false,
            At::Within { rows, begun } => {
                let Some(row) = rows.next() else {
                    piece.push('}');
                    self.at = At::Between;
                    return true;
                };
                if std::mem::replace(begun, true) {
                    piece.push(',');
                }
                piece.push_str(&text(&row.name));
                piece.push(':');
                piece.push_str(&text(&row));
                return true;
            }
        }
        self.at = match self.sets.next() {
            Some(rows) => {
                piece.push('{');
                At::Within { rows: Box::new(rows), begun: false }
            }
            None => {
                piece.push_str(&self.around.1);
                At::End
            }
        };
        true
    }
}

impl Iterator for Pieces {
    type Item = Result<Bytes, Infallible>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut piece = String::with_capacity(PIECE + PIECE / 4);
        while piece.len() < PIECE && self.write(&mut piece) {}
        (!piece.is_empty()).then(|| Ok(piece.into()))
    }
}

/// As JSON. What is told here has names for keys and plain values, which cannot fail.
fn text(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}
