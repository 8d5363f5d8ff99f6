//! Lines of an answer that never ends.

use std::pin::Pin;

use futures::AsyncBufRead;
use futures::io::AsyncBufReadExt;
use http::Method;

use super::ClusterError;

/// Longest line that is kept in memory; a longer one is cut into pieces of this size.
const LONGEST_LINE: usize = 32 << 20;

/// The lines of a watch or of a followed log.
pub struct LineStream {
    path: String,
    reader: Pin<Box<dyn AsyncBufRead + Send>>,
    partial: Vec<u8>,
}

impl LineStream {
    pub(super) fn new(path: &str, reader: Pin<Box<dyn AsyncBufRead + Send>>) -> Self {
        Self {
            path: path.to_owned(),
            reader,
            partial: Vec::new(),
        }
    }

    /// Returns the next line without its line feed; none at the end.
    ///
    /// A caller may drop the future and ask again: what was read so far is kept.
    pub async fn next_line(&mut self) -> Result<Option<Vec<u8>>, ClusterError> {
        loop {
            let available = self
                .reader
                .fill_buf()
                .await
                .map_err(|error| ClusterError::Broken {
                    method: Method::GET,
                    path: self.path.clone(),
                    reason: error.to_string(),
                })?;
            if available.is_empty() {
                let rest = std::mem::take(&mut self.partial);
                return Ok((!rest.is_empty()).then_some(rest));
            }
            let end = available.iter().position(|byte| *byte == b'\n');
            let taken = end.unwrap_or(available.len());
            self.partial.extend_from_slice(&available[..taken]);
            let consumed = taken + usize::from(end.is_some());
            self.reader.as_mut().consume(consumed);
            if end.is_some() || self.partial.len() >= LONGEST_LINE {
                return Ok(Some(std::mem::take(&mut self.partial)));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn lines_end_at_line_feeds_and_the_last_needs_none() {
        let bytes: &[u8] = b"one\n\ntwo\xff\nthree";
        let mut lines = LineStream::new("/", Box::pin(bytes));
        let mut seen = Vec::new();
        while let Some(line) = lines.next_line().await.unwrap() {
            seen.push(line);
        }
        assert_eq!(seen, [&b"one"[..], b"", b"two\xff", b"three"]);
    }
}
