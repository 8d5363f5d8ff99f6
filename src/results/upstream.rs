//! An episode as a session of AIOpsLab: when it began and ended, and all of AIOpsLab's figures.

use aiopslab_problems::episode::{EpisodeResult, TraceItem};
use aiopslab_problems::task::Task;
use camino::Utf8Path;
use jiff::Timestamp;
use serde_json::{Value, json};
use tiktoken_rs::cl100k_base_singleton;

use super::measurements;
use crate::exit::Failure;
use crate::session::{Measurement, Totals};

/// Bytes that are tokenized at a time: the tokenizer panics on a million spaces.
const AT_A_TIME: usize = 1 << 19;

/// When an episode began, and what it took.
pub(crate) struct Times {
    started: Timestamp,
    totals: Totals,
}

impl Times {
    /// Reads a `timing.jsonl`; none: the episode was broken off, or is of a version that did not say so.
    ///
    /// # Errors
    /// When the file can't be read, or is of a later version.
    pub(crate) fn read(path: &Utf8Path) -> Result<Option<Self>, Failure> {
        let (mut started, mut totals) = (None, None);
        for measurement in measurements(path)? {
            match measurement {
                Measurement::Header(header) => started = Some(header.started),
                Measurement::End(end) => totals = Some(end),
                Measurement::Step(_) => {}
            }
        }
        let times = started.zip(totals);
        Ok(times.map(|(started, totals)| Self { started, totals }))
    }

    /// The beginning, as AIOpsLab tells it.
    pub(crate) fn start(&self) -> f64 {
        seconds(self.started)
    }
}

/// Makes a session of a result: its times, and AIOpsLab's figures, those first that are measured.
pub(crate) fn as_session(mut result: EpisodeResult, times: &Times) -> EpisodeResult {
    let time = match result.task {
        Task::Detection => "TTD",
        Task::Localization => "TTL",
        Task::Analysis => "TTA",
        Task::Mitigation => "TTM",
    };
    let took = json!(times.totals.elapsed_ms / 1e3);
    let scored = std::mem::take(&mut result.results);
    result.results.insert(time.to_owned(), took);
    result.results.extend(scored);
    count_tokens(&mut result);
    result.start_time = Some(times.start());
    result.end_time = Some(seconds(times.totals.ended));
    result
}

/// Adds `in_tokens` and `out_tokens` to the figures of a result. They are AIOpsLab's: what was said, by one
/// encoding whatever the model, and no bill. What a provider told is the result's `usage`.
pub(crate) fn count_tokens(result: &mut EpisodeResult) {
    let counted = counted(&result.trace);
    result.results.extend(counted);
}

/// Tokens of all that the environment said, and of all that the agent did, each as one text.
fn counted(trace: &[TraceItem]) -> [(String, Value); 2] {
    [("in_tokens", false), ("out_tokens", true)].map(|(name, is_agents)| {
        let items = trace
            .iter()
            .filter(|item| (item.role == "assistant") == is_agents);
        let text: String = items.map(|item| item.content.as_str()).collect();
        (name.to_owned(), json!(tokens(&text)))
    })
}

/// Tokens of a text by the encoding `cl100k_base`; names of special tokens are text like any other.
fn tokens(mut text: &str) -> u64 {
    let encoding = cl100k_base_singleton();
    let mut count = 0;
    while !text.is_empty() {
        let (now, later) = text.split_at(cut(text));
        count += encoding.count_ordinary(now) as u64;
        text = later;
    }
    count
}

/// Where a text is cut: at its end, or else before a line that does not begin with white space, as no token
/// reaches into such a line. A text without one is cut anywhere, which is a token or two more.
fn cut(text: &str) -> usize {
    if text.len() <= AT_A_TIME {
        return text.len();
    }
    let most = text.floor_char_boundary(AT_A_TIME);
    let mut lines = text[..most].rmatch_indices('\n').map(|(end, _)| end + 1);
    let line = lines.find(|start| !text[*start..].starts_with(char::is_whitespace));
    line.unwrap_or(most)
}

/// Seconds since the epoch, to the microsecond as Python tells them.
fn seconds(moment: Timestamp) -> f64 {
    moment.as_microsecond() as f64 / 1e6
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_those_of_aiopslab() {
        let said = [
            (
                "assistant",
                "I look.\n```\nexec_shell(\"cat <|endoftext|>\")\n```",
            ),
            ("env", "a.txt\nHello, wor"),
            ("assistant", "```\nsubmit(\"Yes\")\n```"),
            ("env", "ld!"),
        ];
        let trace = said.map(|(role, content)| TraceItem {
            role: role.to_owned(),
            content: content.to_owned(),
        });
        // By OpenAI's own tiktoken, of each side's texts joined.
        let told = counted(&trace);
        assert_eq!(told[0], ("in_tokens".to_owned(), json!(7)));
        assert_eq!(told[1], ("out_tokens".to_owned(), json!(23)));
        assert_eq!(counted(&[])[0].1, json!(0));
    }

    #[test]
    fn a_long_text_is_cut_where_no_token_is() {
        let long = format!("{}\n  {}", "a\n".repeat(9), "b".repeat(AT_A_TIME));
        assert_eq!(cut(&long), 16);
        assert_eq!(cut(&long[16..]), AT_A_TIME);
        assert_eq!(cut("a\nb"), 3);
        assert_eq!(cut(&" ".repeat(2 * AT_A_TIME)), AT_A_TIME);
    }
}
