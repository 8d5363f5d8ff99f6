//! Columns by elastic tab stops: a column is as wide as its widest cell in adjoining lines.

/// Aligns tab-separated cells. The last cell of a line belongs to no column.
pub(super) fn align(text: &str, minimum: usize, padding: usize) -> String {
    align_on(&mut Vec::new(), text, minimum, padding)
}

/// Aligns lines that come after others: columns are as wide as they have been at least.
pub(super) fn align_on(
    known: &mut Vec<usize>,
    text: &str,
    minimum: usize,
    padding: usize,
) -> String {
    let lines: Vec<Vec<&str>> = text
        .split_inclusive('\n')
        .map(|line| line.trim_end_matches('\n').split('\t').collect())
        .collect();
    let mut widths: Vec<Vec<usize>> = lines
        .iter()
        .map(|cells| vec![0; cells.len().saturating_sub(1)])
        .collect();
    let columns = widths.iter().map(Vec::len).max().unwrap_or(0);
    for column in 0..columns {
        let mut first = 0;
        while first < lines.len() {
            let run = widths[first..]
                .iter()
                .take_while(|line| line.len() > column)
                .count();
            let widest = lines[first..first + run]
                .iter()
                .map(|cells| cells[column].chars().count() + padding)
                .max()
                .unwrap_or(0)
                .max(known.get(column).copied().unwrap_or(minimum));
            for line in &mut widths[first..first + run] {
                line[column] = widest;
            }
            first += run.max(1);
        }
    }
    for line in &widths {
        known.resize(known.len().max(line.len()), minimum);
        for (known, width) in known.iter_mut().zip(line) {
            *known = (*known).max(*width);
        }
    }
    let mut out = String::with_capacity(text.len() * 2);
    for (position, (cells, widths)) in lines.iter().zip(&widths).enumerate() {
        for (column, cell) in cells.iter().enumerate() {
            out.push_str(cell);
            if let Some(width) = widths.get(column) {
                out.extend(std::iter::repeat_n(' ', width - cell.chars().count()));
            }
        }
        if position + 1 < lines.len() || text.ends_with('\n') {
            out.push('\n');
        }
    }
    out
}

/// Text without what would move a terminal's cursor.
pub(super) fn escape(text: &str) -> String {
    text.replace('\x1b', "^[").replace('\r', "\\r")
}

#[cfg(test)]
mod tests {
    use super::align;

    #[test]
    fn columns_end_with_their_block() {
        assert_eq!(
            align("A:\tx\nLong name:\ty\nno cells\nB:\tz\n", 0, 2),
            "A:          x\nLong name:  y\nno cells\nB:  z\n"
        );
        assert_eq!(
            align("NAME\tAGE\tX\na\t1\tb\n", 6, 3),
            "NAME   AGE   X\na      1     b\n"
        );
        assert_eq!(align("a\tb\t\n", 6, 3), "a     b     \n");
        assert_eq!(align("é\tx\nab\ty", 0, 1), "é  x\nab y");
    }
}
