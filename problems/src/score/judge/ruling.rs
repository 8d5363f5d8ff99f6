//! What a judge's answer says.

use std::fmt;
use std::sync::LazyLock;

use regex::Regex;
use serde::{Deserialize, Serialize};

/// What a judge said of an episode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ruling {
    /// From 1 to 10.
    Rating(u8),
    /// Nothing that is a rating, which is no number: not 0, not -1.
    Unparsable(Unparsable),
}

/// Why an answer is no rating.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unparsable {
    /// There is no number in double brackets.
    NoRating,
    /// There is more than one.
    SeveralRatings,
    /// It is not on the last line.
    NotLast,
    /// It is no whole number from 1 to 10.
    OutOfRange,
}

impl fmt::Display for Unparsable {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::NoRating => "no rating",
            Self::SeveralRatings => "several ratings",
            Self::NotLast => "a rating that is not on the last line",
            Self::OutOfRange => "a rating that is no whole number from 1 to 10",
        })
    }
}

impl Ruling {
    /// Reads an answer: exactly one number in double brackets, on the last line that is not empty.
    #[must_use]
    pub fn read(answer: &str) -> Self {
        match rating(answer) {
            Ok(rating) => Self::Rating(rating),
            Err(why) => Self::Unparsable(why),
        }
    }

    /// The rating; none: there is none.
    #[must_use]
    pub fn rating(self) -> Option<u8> {
        match self {
            Self::Rating(rating) => Some(rating),
            Self::Unparsable(_) => None,
        }
    }
}

fn rating(answer: &str) -> Result<u8, Unparsable> {
    static NUMBER: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r"\[\[\s*([+-]?[0-9][0-9.,/]*)\s*\]\]").ok());
    let answer = answer.trim_end();
    let numbers = NUMBER
        .iter()
        .flat_map(|number| number.captures_iter(answer));
    let numbers: Vec<_> = numbers.filter_map(|found| found.get(1)).collect();
    let number = match numbers.as_slice() {
        [] => return Err(Unparsable::NoRating),
        [only] => only,
        _ => return Err(Unparsable::SeveralRatings),
    };
    if answer[number.end()..].contains('\n') {
        return Err(Unparsable::NotLast);
    }
    let rating = number.as_str().parse().ok();
    rating
        .filter(|rating| (1..=10).contains(rating))
        .ok_or(Unparsable::OutOfRange)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn one_whole_number_on_the_last_line_is_a_rating_and_nothing_else() {
        for (answer, expected) in [
            ("It saw the pods.\n[[8]]", Ok(8)),
            ("[[1]]", Ok(1)),
            ("Rating: **[[ 10 ]]**.\n\n", Ok(10)),
            ("it ran `[[ -f x ]]` [[...]]\n[[3]]", Ok(3)),
            ("", Err(Unparsable::NoRating)),
            ("8 of 10", Err(Unparsable::NoRating)),
            ("[8]", Err(Unparsable::NoRating)),
            ("[[good]]", Err(Unparsable::NoRating)),
            ("[[8", Err(Unparsable::NoRating)),
            ("[[8]] or rather [[7]]", Err(Unparsable::SeveralRatings)),
            ("[[8]]\n[[8]]", Err(Unparsable::SeveralRatings)),
            ("[[8]]\nbecause it looked", Err(Unparsable::NotLast)),
            ("[[0]]", Err(Unparsable::OutOfRange)),
            ("[[11]]", Err(Unparsable::OutOfRange)),
            ("[[-1]]", Err(Unparsable::OutOfRange)),
            ("[[7.5]]", Err(Unparsable::OutOfRange)),
            ("[[8/10]]", Err(Unparsable::OutOfRange)),
            ("[[99999999999999999999]]", Err(Unparsable::OutOfRange)),
        ] {
            assert_eq!(rating(answer), expected, "{answer:?}");
        }
    }

    #[test]
    fn what_is_no_rating_is_kept_as_no_number() {
        let unparsable = Ruling::read("[[0]]");
        assert_eq!(unparsable.rating(), None);
        assert_eq!(json!(unparsable), json!({"unparsable": "out_of_range"}));
        assert_eq!(json!(Ruling::read("[[4]]")), json!({"rating": 4}));
    }
}
