//! Where one statement ends and the next begins.

/// A text cut at its semicolons, those in quotes and comments aside.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Statements {
    /// Each that a semicolon ends, without it.
    pub(super) ended: Vec<String>,
    /// What follows the last semicolon.
    pub(super) rest: String,
}

/// What a letter is within.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Within {
    Nothing,
    Quotes(char),
    Line,
    Block,
}

impl Statements {
    pub(super) fn of(text: &str) -> Self {
        let mut cut = Self {
            ended: Vec::new(),
            rest: String::new(),
        };
        let mut within = Within::Nothing;
        let mut letters = text.chars().peekable();
        while let Some(letter) = letters.next() {
            let next = letters.peek().copied();
            match (within, letter) {
                (Within::Nothing, ';') => {
                    let statement = std::mem::take(&mut cut.rest);
                    if !is_blank(&statement) {
                        cut.ended.push(statement.trim().to_owned());
                    }
                    continue;
                }
                (Within::Nothing, '\'' | '"') => within = Within::Quotes(letter),
                (Within::Nothing, '-') if next == Some('-') => within = Within::Line,
                (Within::Nothing, '/') if next == Some('*') => within = Within::Block,
                // A doubled quote ends and begins again.
                (Within::Quotes(quote), letter) if letter == quote => within = Within::Nothing,
                (Within::Line, '\n') => within = Within::Nothing,
                (Within::Block, '*') if next == Some('/') => {
                    cut.rest.push(letter);
                    letters.next();
                    cut.rest.push('/');
                    within = Within::Nothing;
                    continue;
                }
                _ => {}
            }
            cut.rest.push(letter);
        }
        cut
    }

    /// All of them, the last one without a semicolon too.
    pub(super) fn all(mut self) -> Vec<String> {
        if !is_blank(&self.rest) {
            self.ended.push(self.rest.trim().to_owned());
        }
        self.ended
    }

    /// Whether nothing was begun and not ended.
    pub(super) fn is_complete(&self) -> bool {
        is_blank(&self.rest)
    }
}

/// Whether there is nothing but comments.
fn is_blank(text: &str) -> bool {
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let end = match rest.get(..2) {
            Some("--") => rest.find('\n').map(|at| at + 1),
            Some("/*") => rest.find("*/").map(|at| at + 2),
            _ => return false,
        };
        match end {
            Some(end) => rest = rest[end..].trim_start(),
            None => return rest.starts_with("--"),
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn semicolons_end_statements() {
        for (text, ended, rest) in [
            ("select 1", vec![], "select 1"),
            ("select 1; select 2;", vec!["select 1", "select 2"], ""),
            ("select ';' ; x", vec!["select ';'"], " x"),
            (
                "select 'it''s;' as \"a;b\";",
                vec!["select 'it''s;' as \"a;b\""],
                "",
            ),
            ("-- a; b\nselect 1;", vec!["-- a; b\nselect 1"], ""),
            ("select /* ; */ 1;;", vec!["select /* ; */ 1"], ""),
            ("select 'open;", vec![], "select 'open;"),
        ] {
            let cut = Statements::of(text);
            assert_eq!(
                (&cut.ended[..], &*cut.rest),
                (
                    &ended.into_iter().map(str::to_owned).collect::<Vec<_>>()[..],
                    rest
                ),
                "{text}"
            );
        }
        assert!(Statements::of("select 1; -- done").is_complete());
        assert!(!Statements::of("select 1; /* open").is_complete());
        assert_eq!(Statements::of("a; b -- c").all(), ["a", "b -- c"]);
        assert!(Statements::of(" \n-- nothing").all().is_empty());
    }
}
