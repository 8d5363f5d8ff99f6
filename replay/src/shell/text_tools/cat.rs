//! `cat`.

use super::options::{Program, flag};
use super::{Context, ToolResult, inputs, print};
use crate::shell::command::CommandOutput;

const CAT: Program = Program {
    name: "cat",
    usage_code: 1,
    hint: "",
    options: &[
        flag("n number"),
        flag("b number-nonblank"),
        flag("s squeeze-blank"),
        flag("A show-all"),
        flag("E show-ends"),
        flag("T show-tabs"),
        flag("v show-nonprinting"),
        flag("e"),
        flag("t"),
        flag("u"),
    ],
    ordered: false,
};

/// `cat`.
pub(super) fn run(arguments: &[String], context: &Context<'_>) -> ToolResult {
    let parsed = CAT.parse(arguments)?;
    let any = |names: &[&str]| names.iter().any(|name| parsed.has(name));
    let mut output = CommandOutput::answered("");
    let mut printer = Printer {
        number_all: parsed.has("n") && !parsed.has("b"),
        number_filled: parsed.has("b"),
        squeeze: parsed.has("s"),
        ends: any(&["A", "E", "e"]),
        tabs: any(&["A", "T", "t"]),
        marks: any(&["A", "v", "e", "t"]),
        number: 0,
        blank: false,
        in_line: false,
        out: String::new(),
    };
    for input in inputs::readable("cat", 1, &parsed.operands, context, &mut output)? {
        for line in input.text.split_inclusive('\n') {
            printer.line(line);
        }
        print("cat", &mut output.stdout, &std::mem::take(&mut printer.out))?;
    }
    Ok(output)
}

struct Printer {
    number_all: bool,
    number_filled: bool,
    squeeze: bool,
    ends: bool,
    tabs: bool,
    marks: bool,
    number: usize,
    blank: bool,
    /// Whether the last text ended within a line.
    in_line: bool,
    out: String,
}

impl Printer {
    fn line(&mut self, line: &str) {
        let ended = line.ends_with('\n');
        let body = line.strip_suffix('\n').unwrap_or(line);
        let starts = !std::mem::replace(&mut self.in_line, !ended);
        let blank = body.is_empty() && starts;
        if std::mem::replace(&mut self.blank, blank) && blank && self.squeeze {
            return;
        }
        if starts && (self.number_all || (self.number_filled && !blank)) {
            self.number += 1;
            self.out.push_str(&format!("{:6}\t", self.number));
        }
        for c in body.chars() {
            self.character(c);
        }
        if ended {
            if self.ends {
                self.out.push('$');
            }
            self.out.push('\n');
        }
    }

    fn character(&mut self, c: char) {
        match c {
            '\t' if self.tabs => self.out.push_str("^I"),
            '\t' => self.out.push('\t'),
            '\r' if self.ends && !self.marks => self.out.push_str("^M"),
            c if !self.marks => self.out.push(c),
            c => {
                for byte in c.encode_utf8(&mut [0; 4]).bytes() {
                    self.marked(byte);
                }
            }
        }
    }

    fn marked(&mut self, byte: u8) {
        let low = byte & 0x7f;
        if byte >= 0x80 {
            self.out.push_str("M-");
        }
        match low {
            0..32 => {
                self.out.push('^');
                self.out.push(char::from(low + 64));
            }
            127 => self.out.push_str("^?"),
            low => self.out.push(char::from(low)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::tool;

    #[test]
    fn lines_are_numbered_and_marked() {
        let check = |option: &str, input: &str, expected: &str| {
            assert_eq!(tool(&["cat", option], input).stdout, expected);
        };
        check("-n", "a\n\nb", "     1\ta\n     2\t\n     3\tb");
        check("-b", "a\n\nb\n", "     1\ta\n\n     2\tb\n");
        check("-A", "a\té\u{1}\n", "a^IM-CM-)^A$\n");
        check("-s", "a\n\n\nb\n", "a\n\nb\n");
    }
}
