//! Patterns of file names, on the files of the episode.

use super::interpreter::{Done, Halt, Shell, unknown_path};
use super::pattern::Pattern;
use crate::files;

impl Shell<'_> {
    /// Adds the names that a field stands for, or the field itself without its quotes.
    pub(super) fn file_names(
        &mut self,
        field: Vec<(String, bool)>,
        names: &mut Vec<String>,
    ) -> Done {
        let is_pattern = !self.state.options.no_file_names
            && field
                .iter()
                .any(|(text, quoted)| !quoted && text.contains(['*', '?', '[']));
        if is_pattern {
            let found = self.matching_paths(&field)?;
            if !found.is_empty() {
                names.extend(found);
                return Ok(());
            }
        }
        names.push(field.into_iter().map(|(text, _)| text).collect());
        Ok(())
    }

    fn matching_paths(&mut self, field: &[(String, bool)]) -> Result<Vec<String>, Halt> {
        let mut components: Vec<Vec<(String, bool)>> = vec![Vec::new()];
        for (text, quoted) in field {
            for (position, part) in text.split('/').enumerate() {
                if position > 0 {
                    components.push(Vec::new());
                }
                if let Some(component) = components.last_mut() {
                    component.push((part.to_owned(), *quoted));
                }
            }
        }
        let last = components.len() - 1;
        let mut paths = vec![String::new()];
        for (position, component) in components.iter().enumerate() {
            let pattern = Pattern::parse(
                component
                    .iter()
                    .map(|(text, quoted)| (text.as_str(), *quoted)),
            );
            let mut longer = Vec::new();
            for path in &paths {
                self.budget.step()?;
                self.budget.compiled(pattern.elements())?;
                if pattern.is_literal() {
                    longer.push(format!("{path}{}", pattern.literal_start()));
                } else {
                    self.names_like(path, &pattern, &mut longer)?;
                }
            }
            paths = longer;
            if position < last {
                for path in &mut paths {
                    path.push('/');
                }
            }
        }
        paths.retain(|path| self.files.read(path).is_some() || self.files.is_folder(path));
        Ok(paths)
    }

    /// Adds the names in a folder that match.
    fn names_like(&self, folder: &str, pattern: &Pattern, paths: &mut Vec<String>) -> Done {
        let absolute = self
            .files
            .resolve(if folder.is_empty() { "." } else { folder });
        let shows_hidden = pattern.literal_start().starts_with('.');
        let matcher = pattern.matcher().map_err(super::blocks::too_large)?;
        let matches = |name: &str| {
            let visible = shows_hidden || !name.starts_with('.');
            visible && matcher.matches(name)
        };
        if absolute == "/" {
            for name in files::root_names() {
                if matches(name) {
                    return Err(unknown_path(&format!("{folder}{name}")).into());
                }
            }
        } else if files::is_of_machine(&absolute) {
            // Nobody recorded what it holds.
            return Err(unknown_path(folder).into());
        }
        for (name, _) in self.files.names_in(&absolute) {
            if matches(&name) {
                paths.push(format!("{folder}{name}"));
            }
        }
        Ok(())
    }
}
