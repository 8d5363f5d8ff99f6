//! `test` and `[`.

use crate::shell::conditions::{compare_numbers, compare_texts};
use crate::shell::interpreter::{Done, Halt, Shell, unavailable};
use crate::shell::limits;

/// Why there is no answer.
enum Trouble {
    Message(String),
    Halt(Halt),
}

impl From<Halt> for Trouble {
    fn from(halt: Halt) -> Self {
        Self::Halt(halt)
    }
}

/// Sets the status to 0, 1, or to 2 after a mistake.
pub(super) fn run(shell: &mut Shell<'_>, name: &str, arguments: &[String]) -> Done {
    let mut words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    if name == "[" && words.pop() != Some("]") {
        return shell.misused(2, "[: missing `]'");
    }
    let mut test = Expression {
        shell,
        words: &words,
        position: 0,
        depth: 0,
    };
    match test.whole() {
        Ok(holds) => {
            shell.status = i32::from(!holds);
            Ok(())
        }
        Err(Trouble::Halt(halt)) => Err(halt),
        Err(Trouble::Message(message)) => shell.misused(2, &format!("{name}: {message}")),
    }
}

struct Expression<'t, 's, 'a> {
    shell: &'t mut Shell<'s>,
    words: &'t [&'a str],
    position: usize,
    depth: usize,
}

const BINARY: [&str; 14] = [
    "=", "==", "!=", "<", ">", "-eq", "-ne", "-lt", "-le", "-gt", "-ge", "-nt", "-ot", "-ef",
];

fn is_unary(word: &str) -> bool {
    word.strip_prefix('-')
        .is_some_and(|letter| letter.len() == 1 && "abcdefghknoprstuvwxzGLNOSR".contains(letter))
}

impl Expression<'_, '_, '_> {
    /// POSIX decides by the number of words; longer expressions are read by precedence.
    fn whole(&mut self) -> Result<bool, Trouble> {
        match *self.words {
            [] => Ok(false),
            [word] => Ok(!word.is_empty()),
            ["!", word] => Ok(word.is_empty()),
            [operator, operand] if is_unary(operator) => Ok(self.shell.unary(operator, operand)?),
            [operator, _] => Err(Trouble::Message(format!(
                "{operator}: unary operator expected"
            ))),
            [left, operator, right] if BINARY.contains(&operator) => {
                self.binary(left, operator, right)
            }
            [left, "-a", right] => Ok(!left.is_empty() && !right.is_empty()),
            [left, "-o", right] => Ok(!left.is_empty() || !right.is_empty()),
            ["!", ..] if self.words.len() <= 4 => self.rest_negated(),
            ["(", word, ")"] => Ok(!word.is_empty()),
            [_, operator, _] => Err(Trouble::Message(format!(
                "{operator}: binary operator expected"
            ))),
            _ => {
                let holds = self.or()?;
                if self.position < self.words.len() {
                    return Err(Trouble::Message("too many arguments".to_owned()));
                }
                Ok(holds)
            }
        }
    }

    fn rest_negated(&mut self) -> Result<bool, Trouble> {
        let words = self.words.get(1..).unwrap_or_default();
        let mut rest = Expression {
            shell: &mut *self.shell,
            words,
            position: 0,
            depth: 0,
        };
        Ok(!rest.whole()?)
    }

    fn next(&mut self) -> Option<&str> {
        let word = self.words.get(self.position).copied();
        self.position += 1;
        word
    }

    fn peek(&self, ahead: usize) -> Option<&str> {
        self.words.get(self.position + ahead).copied()
    }

    fn or(&mut self) -> Result<bool, Trouble> {
        let mut holds = self.and()?;
        while self.peek(0) == Some("-o") {
            self.position += 1;
            let right = self.and()?;
            holds = holds || right;
        }
        Ok(holds)
    }

    fn and(&mut self) -> Result<bool, Trouble> {
        let mut holds = self.one()?;
        while self.peek(0) == Some("-a") {
            self.position += 1;
            let right = self.one()?;
            holds = holds && right;
        }
        Ok(holds)
    }

    fn one(&mut self) -> Result<bool, Trouble> {
        if self.depth >= limits::NESTING {
            return Err(Trouble::Message("too many arguments".to_owned()));
        }
        self.depth += 1;
        let holds = self.one_inside();
        self.depth -= 1;
        holds
    }

    fn one_inside(&mut self) -> Result<bool, Trouble> {
        let is_binary = self
            .peek(1)
            .is_some_and(|operator| BINARY.contains(&operator));
        if is_binary && self.peek(2).is_some() {
            let words = self.words;
            let at = self.position;
            self.position += 3;
            if let (Some(left), Some(operator), Some(right)) =
                (words.get(at), words.get(at + 1), words.get(at + 2))
            {
                return self.binary(left, operator, right);
            }
        }
        match self.peek(0) {
            Some("!") => {
                self.position += 1;
                Ok(!self.one()?)
            }
            Some("(") => {
                self.position += 1;
                let holds = self.or()?;
                if self.next() != Some(")") {
                    return Err(Trouble::Message("`)' expected".to_owned()));
                }
                Ok(holds)
            }
            Some(operator) if is_unary(operator) && self.peek(1).is_some() => {
                let operator = operator.to_owned();
                self.position += 1;
                let operand = self.next().unwrap_or_default().to_owned();
                Ok(self.shell.unary(&operator, &operand)?)
            }
            Some(word) => {
                let holds = !word.is_empty();
                self.position += 1;
                Ok(holds)
            }
            None => Err(Trouble::Message("argument expected".to_owned())),
        }
    }

    fn binary(&mut self, left: &str, operator: &str, right: &str) -> Result<bool, Trouble> {
        match operator {
            "=" | "==" => Ok(left == right),
            "!=" => Ok(left != right),
            "<" | ">" => Ok(compare_texts(left, operator, right)),
            "-nt" | "-ot" | "-ef" => Err(Trouble::Halt(
                unavailable(&format!("test {operator}")).into(),
            )),
            _ => Ok(compare_numbers(integer(left)?, operator, integer(right)?)),
        }
    }
}

fn integer(text: &str) -> Result<i64, Trouble> {
    text.trim()
        .parse()
        .map_err(|_| Trouble::Message(format!("{text}: integer expression expected")))
}
