//! `tr`, on bytes as GNU's.

mod set;

use super::options::{Program, flag};
use super::{Context, Halt, ToolResult, text};
use crate::shell::command::CommandOutput;
use set::Set;

const TR: Program = Program {
    name: "tr",
    usage_code: 1,
    hint: "",
    options: &[
        flag("c complement C"),
        flag("d delete"),
        flag("s squeeze-repeats"),
        flag("t truncate-set1"),
    ],
    ordered: true,
};

/// `tr`: translates, deletes, squeezes.
pub(super) fn run(arguments: &[String], context: &Context<'_>) -> ToolResult {
    let parsed = TR.parse(arguments)?;
    let (delete, squeeze) = (parsed.has("d"), parsed.has("s"));
    let translating = parsed.operands.len() == 2 && !delete;
    let (first, second) = operands(&parsed.operands, delete, squeeze)?;
    let refused = |message: String| TR.error(&message);
    let first = Set::parse(first).map_err(refused)?;
    let second = second.map(Set::parse).transpose().map_err(refused)?;
    first.check_first().map_err(refused)?;
    if !translating && let Some(second) = &second {
        second.check_squeezed().map_err(refused)?;
    }
    let complement = parsed.has("c");
    let members = match complement {
        true => first.complement(),
        false => first.members(None),
    };
    let mut squeezed = [false; 256];
    let mut deleted = [false; 256];
    let mut map: [u8; 256] = std::array::from_fn(|byte| byte as u8);
    if translating {
        let second = second.as_ref().unwrap_or(&first);
        let truncate = parsed.has("t");
        let to = second
            .translation(&first, &members, complement, truncate)
            .map_err(refused)?;
        for (from, to) in members.iter().zip(&to) {
            set(&mut map, *from, *to);
        }
        if squeeze {
            to.iter().for_each(|byte| set(&mut squeezed, *byte, true));
        }
    } else {
        if delete {
            members
                .iter()
                .for_each(|byte| set(&mut deleted, *byte, true));
        }
        if squeeze {
            let squeezing = match (&second, delete) {
                (Some(second), true) => second.members(None),
                _ => members,
            };
            squeezing
                .iter()
                .for_each(|byte| set(&mut squeezed, *byte, true));
        }
    }
    let get = |table: &[bool; 256], byte: u8| table.get(usize::from(byte)) == Some(&true);
    let mut out: Vec<u8> = Vec::new();
    let mut last = None;
    for byte in context.stdin().bytes().filter(|byte| !get(&deleted, *byte)) {
        let byte = map.get(usize::from(byte)).copied().unwrap_or(byte);
        if last == Some(byte) && get(&squeezed, byte) {
            continue;
        }
        last = Some(byte);
        out.push(byte);
    }
    Ok(CommandOutput::answered(text("tr", out)?))
}

fn set<T>(table: &mut [T; 256], byte: u8, value: T) {
    if let Some(slot) = table.get_mut(usize::from(byte)) {
        *slot = value;
    }
}

fn operands(
    operands: &[String],
    delete: bool,
    squeeze: bool,
) -> Result<(&str, Option<&str>), Halt> {
    let two = delete == squeeze;
    match operands {
        [] => Err(TR.usage("missing operand")),
        [first] if two => {
            let why = match delete {
                true => "Two strings must be given when both deleting and squeezing repeats.",
                false => "Two strings must be given when translating.",
            };
            Err(TR.usage(&format!("missing operand after ‘{first}’\n{why}")))
        }
        [first] => Ok((first, None)),
        [_, extra] if delete && !squeeze => {
            let why = "Only one string may be given when deleting without squeezing repeats.";
            Err(TR.usage(&format!("extra operand ‘{extra}’\n{why}")))
        }
        [first, second] => Ok((first, Some(second))),
        [_, _, extra, ..] => Err(TR.usage(&format!("extra operand ‘{extra}’"))),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::tool;

    #[test]
    fn characters_are_translated() {
        let check = |command: &[&str], input: &str, expected: &str| {
            assert_eq!(tool(command, input).stdout, expected, "{command:?}");
        };
        check(&["tr", "a-z", "A-Z"], "abc-é", "ABC-é");
        check(&["tr", "[:upper:]", "[:lower:]"], "ABC", "abc");
        check(&["tr", "-d", "\\n\""], "\"a\"\nb\n", "ab");
        check(&["tr", "-s", " "], "a   b", "a b");
        check(&["tr", ",", "\\n"], "a,b", "a\nb");
        check(&["tr", "-cd", "[:digit:]"], "a1b2", "12");
        check(&["tr", "abc", "x"], "abcd", "xxxd");
        check(&["tr", "-c", "a", "[b*]"], "axy", "abb");
        check(&["tr", "-s", "a-z", "A-Z"], "aabb", "AB");
        check(&["tr", "-t", "abc", "x"], "abc", "xbc");
    }
}
