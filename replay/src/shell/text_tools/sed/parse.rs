//! From a script to commands. Errors are told as GNU's sed tells them, with their position.

mod arguments;
mod text;

use std::collections::BTreeMap;

use super::super::{Halt, lacking};
use super::script::{Action, Address, Command, Script};

/// Commands that a script may have.
const COMMANDS: usize = 10_000;

/// Parses the expressions of a script.
pub(super) fn parse(expressions: &[String], extended: bool) -> Result<Script, Halt> {
    let mut joined = String::new();
    let mut starts = Vec::new();
    for expression in expressions {
        starts.push(joined.chars().count());
        joined.push_str(expression);
        joined.push('\n');
    }
    joined.pop();
    let mut parser = Parser {
        chars: joined.chars().collect(),
        at: 0,
        starts,
        extended,
        commands: Vec::new(),
        blocks: Vec::new(),
        labels: BTreeMap::new(),
        jumps: Vec::new(),
    };
    let quiet = joined.starts_with("#n\n") || joined == "#n";
    while parser.command()? {}
    if !parser.blocks.is_empty() {
        parser.at = parser.starts.last().copied().unwrap_or(0);
        return Err(parser.error("unmatched `{'"));
    }
    parser.resolve()?;
    Ok(Script {
        commands: parser.commands,
        quiet,
    })
}

struct Parser {
    chars: Vec<char>,
    at: usize,
    /// Where each expression starts.
    starts: Vec<usize>,
    extended: bool,
    commands: Vec<Command>,
    /// Open blocks.
    blocks: Vec<usize>,
    labels: BTreeMap<String, usize>,
    /// Jumps with their labels.
    jumps: Vec<(usize, String)>,
}

impl Parser {
    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    fn next(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += 1;
        Some(c)
    }

    fn skip(&mut self, skipped: impl Fn(char) -> bool) {
        while self.peek().is_some_and(&skipped) {
            self.at += 1;
        }
    }

    /// An error at the current position.
    fn error(&self, message: &str) -> Halt {
        let number = self
            .starts
            .iter()
            .rposition(|start| *start <= self.at)
            .unwrap_or(0);
        let start = self.starts.get(number).copied().unwrap_or(0);
        let position = self.at.min(self.chars.len()) - start.min(self.chars.len());
        let text = format!(
            "sed: -e expression #{}, char {position}: {message}",
            number + 1
        );
        Halt::failed(text, 1)
    }

    /// Parses a command; false at the end.
    fn command(&mut self) -> Result<bool, Halt> {
        self.skip(|c| c.is_ascii_whitespace() || c == ';');
        if self.peek().is_none() {
            return Ok(false);
        }
        if self.commands.len() >= COMMANDS {
            return Err(lacking("sed", &format!("of more than {COMMANDS} commands")));
        }
        let first = self.address()?;
        let mut last = None;
        if first.is_some() {
            self.skip(|c| c == ' ' || c == '\t');
            if self.peek() == Some(',') {
                self.at += 1;
                self.skip(|c| c == ' ' || c == '\t');
                last = self.second_address()?;
                if last.is_none() {
                    return Err(self.error("unexpected `,'"));
                }
            }
        }
        self.skip(|c| c == ' ' || c == '\t');
        let mut negated = false;
        while self.peek() == Some('!') {
            self.at += 1;
            if std::mem::replace(&mut negated, true) {
                return Err(self.error("multiple `!'s"));
            }
            self.skip(|c| c == ' ' || c == '\t');
        }
        let Some(letter) = self.next() else {
            return Err(self.error("missing command"));
        };
        let before_first = matches!(first, Some(Address::BeforeFirst));
        if before_first && !matches!(last, Some(Address::Matching(_))) {
            return Err(self.error("invalid usage of line address 0"));
        }
        let addresses = usize::from(first.is_some()) + usize::from(last.is_some());
        let position = self.commands.len();
        // The place is taken before the command is read: a block closes behind it.
        self.commands.push(Command {
            first,
            last,
            negated,
            action: Action::Nothing,
        });
        let action = self.action(letter, addresses, position)?;
        if let Some(command) = self.commands.get_mut(position) {
            command.action = action;
        }
        Ok(true)
    }

    fn action(&mut self, letter: char, addresses: usize, position: usize) -> Result<Action, Halt> {
        if addresses == 2 && "qQ".contains(letter) {
            return Err(self.error("command only uses one address"));
        }
        let simple = match letter {
            'd' => Action::Delete,
            'D' => Action::DeleteFirst,
            'p' => Action::Print,
            'P' => Action::PrintFirst,
            'n' => Action::Next,
            'N' => Action::AppendNext,
            'h' => Action::Hold,
            'H' => Action::AppendHold,
            'g' => Action::Get,
            'G' => Action::AppendGet,
            'x' => Action::Exchange,
            '=' => Action::LineNumber,
            'F' => Action::FileName,
            'z' => Action::Zap,
            _ => return self.long_action(letter, addresses, position),
        };
        self.end_of_command()?;
        Ok(simple)
    }

    fn long_action(
        &mut self,
        letter: char,
        addresses: usize,
        position: usize,
    ) -> Result<Action, Halt> {
        match letter {
            '#' if addresses > 0 => Err(self.error("comments don't accept any addresses")),
            '#' => {
                self.skip(|c| c != '\n');
                Ok(Action::Nothing)
            }
            '{' => {
                self.blocks.push(position);
                Ok(Action::Block(usize::MAX))
            }
            '}' => {
                let Some(open) = self.blocks.pop() else {
                    return Err(self.error("unexpected `}'"));
                };
                if addresses > 0 {
                    return Err(self.error("} doesn't want any addresses"));
                }
                if let Some(command) = self.commands.get_mut(open) {
                    command.action = Action::Block(position + 1);
                }
                self.end_of_command()?;
                Ok(Action::Nothing)
            }
            ':' if addresses > 0 => Err(self.error(": doesn't want any addresses")),
            ':' => {
                self.skip(|c| c == ' ' || c == '\t');
                let label = self.label(|c| c.is_whitespace() || c == ';');
                if label.is_empty() {
                    return Err(self.error("\":\" lacks a label"));
                }
                self.labels.insert(label, position);
                Ok(Action::Nothing)
            }
            'b' | 't' | 'T' => {
                self.skip(|c| c == ' ' || c == '\t');
                let label = self.label(|c| c.is_whitespace() || c == ';' || c == '}');
                self.jumps.push((position, label));
                Ok(match letter {
                    'b' => Action::Branch(usize::MAX),
                    't' => Action::BranchIf(usize::MAX),
                    _ => Action::BranchUnless(usize::MAX),
                })
            }
            'q' | 'Q' => {
                self.skip(|c| c == ' ' || c == '\t');
                let code = self.number().unwrap_or(0);
                self.end_of_command()?;
                let code = i32::try_from(code & 0xff).unwrap_or(0);
                Ok(match letter {
                    'q' => Action::Quit(code),
                    _ => Action::QuitSilently(code),
                })
            }
            'a' | 'i' | 'c' => self.text(letter),
            'r' | 'w' => {
                let path = self.file_name()?;
                Ok(match letter {
                    'r' => Action::Read(path),
                    _ => Action::Write(path),
                })
            }
            'y' => self.translation(),
            's' => self.substitution(),
            'e' | 'l' | 'R' | 'W' | 'v' => Err(lacking("sed", &format!("{letter}"))),
            '\n' => Err(self.error("missing command")),
            letter => Err(self.error(&format!("unknown command: `{letter}'"))),
        }
    }

    fn label(&mut self, ends: impl Fn(char) -> bool) -> String {
        let mut label = String::new();
        while let Some(c) = self.peek().filter(|c| !ends(*c)) {
            label.push(c);
            self.at += 1;
        }
        label
    }

    /// A name that goes to the end of the line.
    fn file_name(&mut self) -> Result<String, Halt> {
        self.skip(|c| c == ' ' || c == '\t');
        let name = self.label(|c| c == '\n');
        if name.is_empty() {
            return Err(self.error("missing filename in r/R/w/W commands"));
        }
        Ok(name)
    }

    /// What may follow a command: nothing, a separator, the end of its block.
    fn end_of_command(&mut self) -> Result<(), Halt> {
        self.skip(|c| c == ' ' || c == '\t' || c == '\r');
        match self.peek() {
            None | Some('}' | '#') => Ok(()),
            Some(';' | '\n') => {
                self.at += 1;
                Ok(())
            }
            Some(_) => {
                self.at += 1;
                Err(self.error("extra characters after command"))
            }
        }
    }

    fn resolve(&mut self) -> Result<(), Halt> {
        let end = self.commands.len();
        for (position, label) in std::mem::take(&mut self.jumps) {
            let target = match (label.as_str(), self.labels.get(&label)) {
                ("", _) => end,
                (_, Some(target)) => *target,
                (label, None) => {
                    let message = format!("sed: can't find label for jump to `{label}'");
                    return Err(Halt::failed(message, 4));
                }
            };
            if let Some(command) = self.commands.get_mut(position) {
                command.action = match command.action {
                    Action::BranchIf(_) => Action::BranchIf(target),
                    Action::BranchUnless(_) => Action::BranchUnless(target),
                    _ => Action::Branch(target),
                };
            }
        }
        Ok(())
    }
}
