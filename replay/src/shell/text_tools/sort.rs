//! `sort`.

mod compare;
mod key;

use std::cmp::Ordering;

use super::inputs::{self, Unreadable};
use super::options::{Parsed, Program, flag, lacks, perhaps, value};
use super::{Context, Halt, ToolResult, lacking, write};
use crate::shell::command::CommandOutput;
use compare::Order;
use key::Key;

const SORT: Program = Program {
    name: "sort",
    usage_code: 2,
    hint: "",
    options: &[
        flag("r reverse"),
        flag("n numeric-sort"),
        flag("h human-numeric-sort"),
        flag("g general-numeric-sort"),
        flag("M month-sort"),
        flag("V version-sort"),
        flag("f ignore-case"),
        flag("d dictionary-order"),
        flag("i ignore-nonprinting"),
        flag("b ignore-leading-blanks"),
        flag("u unique"),
        flag("s stable"),
        flag("C"),
        perhaps("check"),
        flag("c"),
        value("sort"),
        value("t field-separator"),
        value("k key"),
        value("o output"),
        value("S buffer-size"),
        value("T temporary-directory"),
        value("parallel"),
        lacks("m merge z zero-terminated R random-sort random-source debug files0-from"),
        lacks("batch-size compress-program"),
    ],
    ordered: false,
};

/// `sort`, by bytes as in the C locale.
pub(super) fn run(arguments: &[String], context: &Context<'_>) -> ToolResult {
    let parsed = SORT.parse(arguments)?;
    let sorting = Sorting::new(&parsed)?;
    let mut all: Vec<&str> = Vec::new();
    for input in inputs::inputs(&parsed.operands, context)? {
        match input {
            Ok(input) => all.extend(inputs::lines(input.text)),
            Err((name, Unreadable::Missing)) => {
                let message = format!("cannot read: {name}: No such file or directory");
                return Err(SORT.error(&message));
            }
            Err((name, Unreadable::Folder)) => {
                return Err(SORT.error(&format!("read failed: {name}: Is a directory")));
            }
        }
    }
    if parsed.has("c") || parsed.has("C") || parsed.has("check") {
        return Ok(sorting.check(&parsed, &all));
    }
    all.sort_by(|a, b| sorting.compare(a, b));
    if sorting.unique {
        all.dedup_by(|a, b| sorting.by_keys(a, b).is_eq());
    }
    let mut text = String::new();
    for line in all {
        text.push_str(line);
        text.push('\n');
    }
    match parsed.value("o") {
        None => Ok(CommandOutput::answered(text)),
        Some(path) => {
            write::replace(path, text, "sort", context)?;
            Ok(CommandOutput::answered(""))
        }
    }
}

struct Sorting {
    keys: Vec<Key>,
    global: Order,
    separator: Option<char>,
    unique: bool,
    stable: bool,
}

impl Sorting {
    fn new(parsed: &Parsed) -> Result<Self, Halt> {
        let global = global_order(parsed)?;
        if let Some(letters) = global.incompatible().filter(|_| !parsed.has("k")) {
            return Err(SORT.error(&format!("options '-{letters}' are incompatible")));
        }
        let separator = match parsed.value("t") {
            None => None,
            Some("") => return Err(SORT.error("empty tab")),
            Some("\\0") => Some('\0'),
            Some(text) => match text.chars().next() {
                Some(separator) if text.len() == 1 => Some(separator),
                _ => return Err(SORT.error(&format!("multi-character tab ‘{text}’"))),
            },
        };
        let mut keys = Vec::new();
        for text in parsed.values("k") {
            let key = Key::parse(text, global).map_err(|message| SORT.error(&message))?;
            if let Some(letters) = key.order.incompatible() {
                return Err(SORT.error(&format!("options '-{letters}' are incompatible")));
            }
            keys.push(key);
        }
        Ok(Self {
            keys,
            global,
            separator,
            unique: parsed.has("u"),
            stable: parsed.has("s"),
        })
    }

    fn by_keys(&self, a: &str, b: &str) -> Ordering {
        if self.keys.is_empty() {
            let (a, b) = match self.global.skip_blanks {
                true => (
                    a.trim_start_matches([' ', '\t']),
                    b.trim_start_matches([' ', '\t']),
                ),
                false => (a, b),
            };
            return self.global.compare(a, b);
        }
        self.keys
            .iter()
            .map(|key| {
                let (a, b) = (key.of(a, self.separator), key.of(b, self.separator));
                key.order.compare(a, b)
            })
            .find(|ordering| ordering.is_ne())
            .unwrap_or(Ordering::Equal)
    }

    /// By keys; the last resort is the whole line.
    fn compare(&self, a: &str, b: &str) -> Ordering {
        let by_keys = self.by_keys(a, b);
        if by_keys.is_ne() || self.stable || self.unique {
            return by_keys;
        }
        match self.global.reverse {
            true => b.cmp(a),
            false => a.cmp(b),
        }
    }

    fn check(&self, parsed: &Parsed, lines: &[&str]) -> CommandOutput {
        let wrong = lines.windows(2).position(|pair| {
            let [a, b] = pair else { return false };
            let ordering = self.compare(a, b);
            ordering.is_gt() || (self.unique && ordering.is_eq())
        });
        let Some(position) = wrong else {
            return CommandOutput::answered("");
        };
        let quiet = parsed.has("C")
            || parsed
                .values("check")
                .any(|v| v == "quiet" || v == "silent");
        let name = parsed.operands.first().map_or("-", String::as_str);
        let line = lines.get(position + 1).copied().unwrap_or_default();
        let mut output = CommandOutput::answered("");
        output.exit_code = 1;
        if !quiet {
            output.stderr = format!("sort: {name}:{}: disorder: {line}\n", position + 2);
        }
        output
    }
}

fn global_order(parsed: &Parsed) -> Result<Order, Halt> {
    let mut order = Order::default();
    for (option, value) in &parsed.options {
        match *option {
            "sort" => {
                let letter = match value.as_str() {
                    "numeric" => 'n',
                    "human-numeric" => 'h',
                    "general-numeric" => 'g',
                    "month" => 'M',
                    "version" => 'V',
                    other => return Err(lacking("sort", &format!("--sort={other}"))),
                };
                order.set(letter);
            }
            letter if letter.len() == 1 => {
                order.set(letter.chars().next().unwrap_or_default());
            }
            _ => {}
        }
    }
    Ok(order)
}

#[cfg(test)]
mod tests {
    use super::super::tests::tool;

    fn check(command: &[&str], input: &str, expected: &str) {
        assert_eq!(tool(command, input).stdout, expected, "{command:?}");
    }

    #[test]
    fn lines_are_ordered() {
        check(&["sort", "-rn"], "9\n10\nx\n", "10\n9\nx\n");
        check(&["sort", "-k2", "-n"], "a 10\nb 9\n", "b 9\na 10\n");
        check(&["sort", "-u"], "b\na\nb\n", "a\nb\n");
        check(&["sort", "-t,", "-k2,2nr"], "a,1\nb,2\n", "b,2\na,1\n");
        check(&["sort", "-h"], "1G\n2K\n3M\n", "2K\n3M\n1G\n");
        check(&["sort", "-V"], "v1.10\nv1.9\n", "v1.9\nv1.10\n");
        check(&["sort", "-M"], "Feb\nJan\n", "Jan\nFeb\n");
        check(&["sort", "-g"], "1e3\n2\n", "2\n1e3\n");
        check(&["sort", "-k1.2,1.3"], "xb\nya\n", "ya\nxb\n");
        let wrong = tool(&["sort", "-c"], "b\na\n");
        assert_eq!(
            (wrong.exit_code, wrong.stderr.as_str()),
            (1, "sort: -:2: disorder: a\n")
        );
    }
}
