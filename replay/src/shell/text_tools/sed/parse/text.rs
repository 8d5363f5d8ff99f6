//! The text of `a`, `i` and `c`.

use super::super::super::Halt;
use super::super::script::Action;
use super::Parser;
use crate::shell::escapes;

impl Parser {
    pub(super) fn text(&mut self, letter: char) -> Result<Action, Halt> {
        self.skip(|c| c == ' ' || c == '\t');
        match self.peek() {
            None => return Err(self.error("expected \\ after `a', `c' or `i'")),
            Some('\n') => {
                return Err(self.error("expected \\ after `a', `c' or `i'"));
            }
            Some('\\') => {
                self.at += 1;
                // A backslash alone: the text is the next line, or what follows if there is any.
                let here = self.at;
                self.skip(|c| c == ' ' || c == '\t');
                match self.peek() {
                    Some('\n') => self.at += 1,
                    None => {}
                    Some(_) => self.at = here,
                }
            }
            Some(_) => {}
        }
        let mut text = String::new();
        while let Some(c) = self.next() {
            match c {
                '\n' => break,
                '\\' => match self.next() {
                    None => {}
                    Some(escaped) => match escapes::control(escaped).filter(|_| escaped != 'b') {
                        // The first character stands for itself.
                        Some(control) if !text.is_empty() => text.push(control),
                        _ => text.push(escaped),
                    },
                },
                c => text.push(c),
            }
        }
        if !text.is_empty() || self.peek().is_some() {
            text.push('\n');
        }
        Ok(match letter {
            'a' => Action::Append(text),
            'i' => Action::Insert(text),
            _ => Action::Change(text),
        })
    }
}
