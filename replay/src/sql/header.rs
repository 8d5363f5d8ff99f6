//! What a SQL file says of itself in the comments that begin with `-- title:`, `-- parameter:` and
//! `-- column:`.

/// The header of a view or a named query.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Header {
    /// One line: what it shows.
    pub title: &'static str,
    /// What it takes: `-- parameter: NAME = 'DEFAULT' : TEXT`.
    pub parameters: Vec<Parameter>,
    /// Its columns, name and meaning: `-- column: NAME : TEXT`.
    pub columns: Vec<(&'static str, &'static str)>,
}

/// A parameter of a named query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    /// Its name.
    pub name: &'static str,
    /// Its value where none is given.
    pub default: &'static str,
    /// What it does.
    pub description: &'static str,
}

impl Header {
    /// Reads the header of a file.
    #[must_use]
    pub fn parse(sql: &'static str) -> Self {
        let mut header = Self::default();
        for line in sql.lines().filter_map(|line| line.strip_prefix("-- ")) {
            let Some((word, rest)) = line.split_once(": ") else {
                continue;
            };
            match (word, rest.split_once(" : ")) {
                ("title", _) => header.title = rest,
                ("parameter", Some((left, description))) => {
                    let (name, default) = left.split_once('=').unwrap_or((left, ""));
                    header.parameters.push(Parameter {
                        name: name.trim(),
                        default: default.trim().trim_matches('\''),
                        description,
                    });
                }
                ("column", Some(column)) => header.columns.push(column),
                _ => {}
            }
        }
        header
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titles_parameters_and_columns_are_read() {
        let header = Header::parse(
            "-- title: who: and when\n-- parameter: since = '5m' : from when on\n-- column: at : when : it was\n-- A comment.\nSELECT 1",
        );
        assert_eq!(header.title, "who: and when");
        assert_eq!(header.parameters[0].name, "since");
        assert_eq!(header.parameters[0].default, "5m");
        assert_eq!(header.parameters[0].description, "from when on");
        assert_eq!(header.columns, [("at", "when : it was")]);
    }
}
