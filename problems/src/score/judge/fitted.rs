//! A transcript in so many bytes.

use crate::episode::EpisodeStep;

/// A text that is longer than the others may be by no more than this is left whole: the line that says what is
/// missing has about this length.
const LINE: usize = 48;

/// A transcript as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Transcript {
    pub(super) text: String,
    /// Bytes that are missing.
    pub(super) left_out: usize,
}

/// One thing that was said.
struct Said<'a> {
    heading: String,
    text: &'a str,
}

/// The transcript in at most so many bytes; none: not even its headings fit.
pub(super) fn transcript(steps: &[EpisodeStep], bytes: usize) -> Option<Transcript> {
    let said: Vec<Said<'_>> = steps.iter().flat_map(said).collect();
    let longest = said.iter().map(|one| one.text.len()).max().unwrap_or(0);
    let whole = shown(&said, longest);
    if whole.text.len() <= bytes {
        return Some(whole);
    }
    let (mut fits, mut too_long) = (0, longest);
    let mut best = Some(shown(&said, 0)).filter(|shown| shown.text.len() <= bytes)?;
    while too_long - fits > 1 {
        let length = fits + (too_long - fits) / 2;
        let tried = shown(&said, length);
        if tried.text.len() <= bytes {
            (fits, best) = (length, tried);
        } else {
            too_long = length;
        }
    }
    Some(best)
}

fn said(step: &EpisodeStep) -> [Said<'_>; 2] {
    let verdict = serde_json::to_value(step.verdict).unwrap_or_default();
    [
        Said {
            heading: format!("[step {}] the assistant:", step.step),
            text: &step.response,
        },
        Said {
            heading: format!(
                "[step {}] it was answered ({}):",
                step.step,
                verdict.as_str().unwrap_or_default()
            ),
            text: &step.observation,
        },
    ]
}

/// Everything, each text with at most about so many bytes.
fn shown(said: &[Said<'_>], length: usize) -> Transcript {
    let mut shown = Transcript {
        text: String::new(),
        left_out: 0,
    };
    for one in said {
        let text = one.text.trim_end();
        shown.text.push_str(&one.heading);
        shown.text.push('\n');
        if text.len() <= length + LINE {
            shown.text.push_str(text);
        } else {
            let start = text.floor_char_boundary(length / 2);
            let end = text.ceil_char_boundary(text.len() - length / 2);
            shown.left_out += end - start;
            shown.text.push_str(&text[..start]);
            let line = format!("\n({} bytes were left out here)\n", end - start);
            shown.text.push_str(&line);
            shown.text.push_str(&text[end..]);
        }
        shown.text.push('\n');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::super::tests::step;
    use super::*;

    #[test]
    fn the_longest_texts_lose_their_middle_and_the_short_ones_stay() {
        let long = format!("begin {} end", "é".repeat(2_000));
        let steps = [step(1, "I look", &long), step(2, "again", "short")];
        let whole = transcript(&steps, 10_000).unwrap();
        assert_eq!(whole.left_out, 0);
        assert!(whole.text.contains(&long));
        assert!(whole.text.starts_with(
            "[step 1] the assistant:\nI look\n[step 1] it was answered (answered):\nbegin"
        ));

        for bytes in (300..4_000).step_by(37) {
            let cut = transcript(&steps, bytes).unwrap();
            assert!(cut.text.len() <= bytes);
            assert!(cut.text.len() + 60 > bytes, "{} of {bytes}", cut.text.len());
            assert!(cut.text.contains("I look") && cut.text.contains("short"));
            assert!(cut.text.contains("bytes were left out here"));
        }
        let cut = transcript(&steps, 600).unwrap();
        assert!(cut.text.contains("begin é") && cut.text.contains("é end"));
        assert_eq!(transcript(&steps, 60), None);
    }
}
