//! `column -t`.

use super::options::{Program, flag, lacks, value};
use super::{Context, ToolResult, inputs, lacking};
use crate::shell::command::CommandOutput;

const COLUMN: Program = Program {
    name: "column",
    usage_code: 1,
    hint: "",
    options: &[
        flag("t table"),
        value("s separator"),
        value("o output-separator"),
        lacks(
            "N table-columns R table-right T table-truncate E table-noextreme d table-noheadings",
        ),
        lacks(
            "e table-header-repeat H table-hide O table-order n table-name J json r tree i tree-id",
        ),
        lacks("p tree-parent L keep-empty-lines c output-width x fillrows W table-wrap l"),
        lacks("table-columns-limit"),
    ],
    ordered: false,
};

/// `column -t`: cells of each line under each other.
pub(super) fn run(arguments: &[String], context: &Context<'_>) -> ToolResult {
    let parsed = COLUMN.parse(arguments)?;
    if !parsed.has("t") {
        return Err(lacking("column", "without -t"));
    }
    let mut output = CommandOutput::answered("");
    let mut rows: Vec<Vec<&str>> = Vec::new();
    for input in inputs::readable("column", 1, &parsed.operands, context, &mut output)? {
        for line in inputs::lines(input.text) {
            if line.chars().all(char::is_whitespace) {
                continue;
            }
            rows.push(match parsed.value("s") {
                Some(separators) => line.split(|c| separators.contains(c)).collect(),
                None => line
                    .split([' ', '\t'])
                    .filter(|cell| !cell.is_empty())
                    .collect(),
            });
        }
    }
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    if rows
        .iter()
        .flatten()
        .any(|cell| cell.chars().any(|c| c.is_control() || is_wide(c)))
    {
        return Err(lacking(
            "column",
            "of characters that take no or two columns",
        ));
    }
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let separator = parsed.value("o").unwrap_or("  ");
    for row in &rows {
        for (column, width) in widths.iter().enumerate() {
            let cell = row.get(column).copied().unwrap_or_default();
            output.stdout.push_str(cell);
            if column + 1 < columns {
                let blanks = width.saturating_sub(cell.chars().count());
                super::print("column", &mut output.stdout, &" ".repeat(blanks))?;
                output.stdout.push_str(separator);
            }
        }
        output.stdout.push('\n');
    }
    Ok(output)
}

/// Whether a character may take another number of columns than one.
fn is_wide(c: char) -> bool {
    u32::from(c) >= 0x300
}

#[cfg(test)]
mod tests {
    use super::super::tests::tool;

    #[test]
    fn cells_are_aligned() {
        let check = |command: &[&str], input: &str, expected: &str| {
            assert_eq!(tool(command, input).stdout, expected, "{command:?}");
        };
        check(&["column", "-t"], "a b\nccc d\n", "a    b\nccc  d\n");
        check(&["column", "-t", "-s:"], "a::b\nz\n", "a    b\nz    \n");
    }
}
