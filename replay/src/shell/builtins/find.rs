//! `find` on the files of the episode.

use aiopslab_problems::environment::Verdict;

use super::programs;
use crate::shell::blocks::too_large;
use crate::shell::interpreter::{Done, Halt, Shell, unavailable, unknown_path};
use crate::shell::limits;
use crate::shell::pattern::{Matcher, Pattern};
use futures::future::BoxFuture;

/// An expression that is asked of every path.
#[derive(Debug)]
enum Test {
    And(Vec<Test>),
    Or(Vec<Test>),
    Not(Box<Test>),
    Name {
        pattern: Matcher,
        folded: bool,
    },
    Path {
        pattern: Matcher,
        folded: bool,
    },
    /// Whether it is a folder.
    Type(bool),
    Empty,
    /// Characters with the unit `c`.
    Size(std::cmp::Ordering, usize),
    True,
    Print(char),
    Delete,
    /// `-exec … ;`
    Run(Vec<String>),
    /// `-exec … +`, by its position among those.
    Collect(usize),
}

/// All that was asked for.
#[derive(Debug, Default)]
struct Request {
    least_depth: usize,
    most_depth: Option<usize>,
    /// Commands of `-exec … +`.
    collected: Vec<Vec<String>>,
    acts: bool,
}

/// A path that was found.
struct Found {
    path: String,
    depth: usize,
    is_folder: bool,
}

/// `find`
pub(super) async fn run(shell: &mut Shell<'_>, arguments: &[String]) -> Done {
    let starts = arguments
        .iter()
        .take_while(|word| !(word.starts_with('-') || matches!(word.as_str(), "(" | "!")))
        .count();
    let (starts, expression) = arguments
        .split_at_checked(starts)
        .unwrap_or((arguments, &[]));
    let mut parser = Parser {
        words: expression,
        position: 0,
        depth: 0,
        request: Request::default(),
    };
    let test = if expression.is_empty() {
        Test::True
    } else {
        parser.or()?
    };
    if parser.position < expression.len() {
        return Err(unavailable(&format!("find {}", expression.join(" "))).into());
    }
    let request = parser.request;
    let test = if request.acts {
        test
    } else {
        Test::And(vec![test, Test::Print('\n')])
    };
    let current = [".".to_owned()];
    let starts = if starts.is_empty() { &current } else { starts };
    shell.status = 0;
    let mut found = Vec::new();
    for start in starts {
        collect(shell, start, &request, &mut found)?;
    }
    let status = shell.status;
    let mut collected = vec![Vec::new(); request.collected.len()];
    for item in &found {
        shell.budget.step()?;
        evaluate(shell, &test, item, &mut collected).await?;
    }
    shell.status = status;
    for (command, paths) in request.collected.iter().zip(collected) {
        if paths.is_empty() {
            continue;
        }
        let mut words: Vec<String> = command.clone();
        words.extend(paths);
        if let Some((name, arguments)) = words.split_first() {
            let code = programs::status_of(shell, name, arguments).await?;
            shell.status = status.max(i32::from(code != 0));
        }
    }
    Ok(())
}

/// Finds everything at and below a path.
fn collect(shell: &mut Shell<'_>, start: &str, request: &Request, found: &mut Vec<Found>) -> Done {
    if shell.files.read(start).is_none() && !shell.files.is_folder(start) {
        if !shell.files.is_known(start) {
            return Err(unknown_path(start).into());
        }
        shell.status = 1;
        shell.verdict = shell.verdict.max(Verdict::Empty);
        return shell.print(2, &format!("find: ‘{start}’: No such file or directory\n"));
    }
    let is_folder = shell.files.read(start).is_none();
    if is_folder && !shell.files.is_complete(start) {
        return Err(unknown_path(start).into());
    }
    let mut pending = vec![Found {
        path: start.to_owned(),
        depth: 0,
        is_folder,
    }];
    while let Some(item) = pending.pop() {
        shell.budget.step()?;
        if item.is_folder && request.most_depth.is_none_or(|most| item.depth < most) {
            let mut inside: Vec<Found> = shell
                .files
                .names_in(&item.path)
                .into_iter()
                .map(|(name, is_folder)| Found {
                    path: format!("{}/{name}", item.path.trim_end_matches('/')),
                    depth: item.depth + 1,
                    is_folder,
                })
                .collect();
            inside.reverse();
            pending.append(&mut inside);
        }
        if item.depth >= request.least_depth {
            found.push(item);
        }
    }
    Ok(())
}

fn evaluate<'t>(
    shell: &'t mut Shell<'_>,
    test: &'t Test,
    item: &'t Found,
    collected: &'t mut Vec<Vec<String>>,
) -> BoxFuture<'t, Result<bool, Halt>> {
    Box::pin(async move {
        Ok(match test {
            Test::And(tests) => {
                for test in tests {
                    if !evaluate(shell, test, item, collected).await? {
                        return Ok(false);
                    }
                }
                true
            }
            Test::Or(tests) => {
                for test in tests {
                    if evaluate(shell, test, item, collected).await? {
                        return Ok(true);
                    }
                }
                false
            }
            Test::Not(test) => !evaluate(shell, test, item, collected).await?,
            Test::Name { pattern, folded } => {
                let name = item.path.trim_end_matches('/').rsplit('/').next();
                matches(pattern, name.unwrap_or("/"), *folded)
            }
            Test::Path { pattern, folded } => matches(pattern, &item.path, *folded),
            Test::Type(folder) => item.is_folder == *folder,
            Test::Empty if item.is_folder => shell.files.names_in(&item.path).is_empty(),
            Test::Empty => shell.files.read(&item.path).is_some_and(str::is_empty),
            Test::Size(ordering, size) => {
                let length = shell.files.read(&item.path).map(str::len);
                length.is_some_and(|length| length.cmp(size) == *ordering)
            }
            Test::True => true,
            Test::Print(end) => {
                shell.print(1, &format!("{}{end}", item.path))?;
                true
            }
            Test::Delete => {
                if item.is_folder {
                    shell.files.remove_folder(&item.path);
                } else {
                    shell.files.remove(&item.path);
                }
                true
            }
            Test::Run(command) => {
                let words: Vec<String> = command
                    .iter()
                    .map(|word| word.replace("{}", &item.path))
                    .collect();
                match words.split_first() {
                    Some((name, arguments)) => {
                        programs::status_of(shell, name, arguments).await? == 0
                    }
                    None => true,
                }
            }
            Test::Collect(position) => {
                if let Some(paths) = collected.get_mut(*position) {
                    paths.push(item.path.clone());
                }
                true
            }
        })
    })
}

fn matches(pattern: &Matcher, text: &str, folded: bool) -> bool {
    if folded {
        pattern.matches(&text.to_lowercase())
    } else {
        pattern.matches(text)
    }
}

/// Reads the expression.
struct Parser<'a> {
    words: &'a [String],
    position: usize,
    depth: usize,
    request: Request,
}

impl<'a> Parser<'a> {
    fn peek(&self) -> Option<&'a str> {
        self.words.get(self.position).map(String::as_str)
    }

    fn next(&mut self) -> Option<&'a str> {
        let word = self.peek();
        self.position += 1;
        word
    }

    fn or(&mut self) -> Result<Test, Halt> {
        let mut tests = vec![self.and()?];
        while matches!(self.peek(), Some("-o" | "-or")) {
            self.position += 1;
            tests.push(self.and()?);
        }
        Ok(Test::Or(tests))
    }

    fn and(&mut self) -> Result<Test, Halt> {
        let mut tests = vec![self.one()?];
        loop {
            match self.peek() {
                None | Some("-o" | "-or" | ")") => return Ok(Test::And(tests)),
                Some("-a" | "-and") => self.position += 1,
                Some(_) => tests.push(self.one()?),
            }
        }
    }

    fn one(&mut self) -> Result<Test, Halt> {
        if self.depth > limits::NESTING {
            return Err(limits::exceeded("expressions of this depth").into());
        }
        self.depth += 1;
        let test = self.one_inside();
        self.depth -= 1;
        test
    }

    fn one_inside(&mut self) -> Result<Test, Halt> {
        let Some(word) = self.next() else {
            return Err(unavailable("find with an incomplete expression").into());
        };
        Ok(match word {
            "!" | "-not" => Test::Not(Box::new(self.one()?)),
            "(" => {
                let test = self.or()?;
                if self.next() != Some(")") {
                    return Err(unavailable("find with unmatched brackets").into());
                }
                test
            }
            "-name" | "-iname" | "-path" | "-ipath" | "-wholename" => {
                let folded = word.starts_with("-i");
                let value = self.value(word)?;
                let value = if folded {
                    value.to_lowercase()
                } else {
                    value.to_owned()
                };
                let pattern = Pattern::parse([(value.as_str(), false)]);
                let pattern = pattern.matcher().map_err(too_large)?;
                if word.ends_with("-name") || word == "-iname" {
                    Test::Name { pattern, folded }
                } else {
                    Test::Path { pattern, folded }
                }
            }
            "-type" => match self.value(word)? {
                "f" => Test::Type(false),
                "d" => Test::Type(true),
                other => return Err(unavailable(&format!("find -type {other}")).into()),
            },
            "-empty" => Test::Empty,
            "-size" => self.size()?,
            "-true" => Test::True,
            "-maxdepth" => {
                self.request.most_depth = Some(self.count(word)?);
                Test::True
            }
            "-mindepth" => {
                self.request.least_depth = self.count(word)?;
                Test::True
            }
            "-print" => self.act(Test::Print('\n')),
            "-print0" => self.act(Test::Print('\0')),
            "-delete" => self.act(Test::Delete),
            "-exec" => self.command()?,
            other => return Err(unavailable(&format!("find {other}")).into()),
        })
    }

    fn act(&mut self, test: Test) -> Test {
        self.request.acts = true;
        test
    }

    fn value(&mut self, option: &str) -> Result<&'a str, Halt> {
        self.next()
            .ok_or_else(|| unavailable(&format!("find {option} without a value")).into())
    }

    fn count(&mut self, option: &str) -> Result<usize, Halt> {
        let value = self.value(option)?;
        value
            .parse()
            .map_err(|_| unavailable(&format!("find {option} {value}")).into())
    }

    fn size(&mut self) -> Result<Test, Halt> {
        use std::cmp::Ordering;
        let value = self.value("-size")?;
        let (ordering, rest) = match (value.strip_prefix('+'), value.strip_prefix('-')) {
            (Some(rest), _) => (Ordering::Greater, rest),
            (_, Some(rest)) => (Ordering::Less, rest),
            _ => (Ordering::Equal, value),
        };
        match rest.strip_suffix('c').map(str::parse) {
            Some(Ok(size)) => Ok(Test::Size(ordering, size)),
            _ if rest == "0" => Ok(Test::Size(ordering, 0)),
            _ => Err(unavailable(&format!("find -size {value}")).into()),
        }
    }

    fn command(&mut self) -> Result<Test, Halt> {
        let mut words = Vec::new();
        loop {
            match self.value("-exec")? {
                ";" => return Ok(self.act(Test::Run(words))),
                "+" if words.last().is_some_and(|word| word == "{}") => {
                    words.pop();
                    let position = self.request.collected.len();
                    self.request.collected.push(words);
                    return Ok(self.act(Test::Collect(position)));
                }
                word => words.push(word.to_owned()),
            }
        }
    }
}
