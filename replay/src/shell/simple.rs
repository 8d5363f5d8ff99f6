//! Simple commands: assignments, functions, built-ins, programs.

use std::cell::{Cell, RefCell};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::ast::{AssignedValue, Assignment, FunctionBody, Simple};
use super::command::CommandOutput;
use super::interpreter::{Done, Halt, Running, Shell, unavailable};
use super::state::{Index, Value, Variable};
use super::{builtins, text_tools};
use crate::kubectl;

/// What a text tool prints, and the files that it writes with their texts.
type ToolOutput = (CommandOutput, Vec<(String, String)>);

impl Shell<'_> {
    /// Runs a command with its assignments and redirections.
    pub(super) async fn simple(&mut self, simple: &Simple) -> Done {
        self.budget.step()?;
        self.line = simple.line;
        self.substitution_status = None;
        let process_files = self.process_files.len();
        let words = self.fields(&simple.words).await?;
        let targets = self.streams.targets.clone();
        let inputs = self.streams.inputs();
        let done = if !self.redirect(&simple.redirections).await? {
            Ok(())
        } else if words.is_empty() {
            self.assignments_alone(simple).await
        } else {
            self.with_assignments(simple, words.clone()).await
        };
        // `exec >file` is for good.
        let keeps = words.first().is_some_and(|name| name == "exec") && words.len() == 1;
        if !keeps {
            self.streams.targets = targets;
            self.streams.truncate_inputs(inputs);
        }
        self.remove_process_files(process_files);
        done
    }

    async fn assignments_alone(&mut self, simple: &Simple) -> Done {
        self.status = 0;
        for assignment in &simple.assignments {
            if !self.assign(assignment).await? {
                // A variable that can't be assigned ends the line.
                return Err(Halt::Line);
            }
        }
        self.status = self.substitution_status.unwrap_or(0);
        Ok(())
    }

    /// Runs a command for which some variables are different.
    async fn with_assignments(&mut self, simple: &Simple, words: Vec<String>) -> Done {
        let mut saved: Vec<(String, Option<Variable>)> = Vec::new();
        for assignment in &simple.assignments {
            let name = &assignment.name;
            saved.push((name.clone(), self.state.variables.get(name).cloned()));
            if !self.assign(assignment).await? {
                continue;
            }
            let exported = self.state.change(name, |variable| {
                variable.exported = true;
                Ok(())
            });
            if let Err(error) = exported {
                self.not_assigned(&error)?;
            }
        }
        let done = self.dispatch(words, &simple.declarations).await;
        for (name, variable) in saved.into_iter().rev() {
            self.state.restore(name, variable);
        }
        done
    }

    /// Assigns a variable, element or array; tells whether it could be.
    pub(super) async fn assign(&mut self, assignment: &Assignment) -> Result<bool, Halt> {
        let name = &assignment.name;
        match &assignment.value {
            AssignedValue::Array(elements) => {
                let mut values = Vec::new();
                for (index, word) in elements {
                    if let Some(index) = index {
                        let index = self.index(name, index).await?;
                        values.push((Some(index), self.text(word).await?));
                    } else {
                        let fields = self.fields(std::slice::from_ref(word)).await?;
                        values.extend(fields.into_iter().map(|value| (None, value)));
                    }
                }
                self.assign_array(name, values, assignment.append)
            }
            AssignedValue::Text(word) => {
                let index = match &assignment.index {
                    Some(index) => Some(self.index(name, index).await?),
                    None => None,
                };
                let text = self.text(word).await?;
                self.assign_text(name, index, &text, assignment.append)
            }
        }
    }

    /// Assigns or adds to a variable or element; tells whether it could be.
    pub(super) fn assign_text(
        &mut self,
        name: &str,
        index: Option<Index>,
        text: &str,
        append: bool,
    ) -> Result<bool, Halt> {
        let integer = self
            .state
            .variables
            .get(name)
            .is_some_and(|variable| variable.integer);
        let old = match &index {
            Some(index) => self.state.element(name, index),
            None => self.state.text(name),
        };
        let mut value = match (append, integer) {
            (true, false) => format!("{}{text}", old.unwrap_or_default()),
            (true, true) => format!("{}+({text})", old.unwrap_or("0")),
            (false, _) => text.to_owned(),
        };
        if integer {
            value = self.evaluate(&value, "")?.to_string();
        }
        self.budget.expanded(value.len())?;
        let assigned = match index {
            Some(index) => self.state.assign_element(name, index, &value),
            None => self.state.assign(name, &value),
        };
        match assigned {
            Ok(()) => Ok(true),
            Err(error) => self.not_assigned(&error).map(|()| false),
        }
    }

    /// Assigns or adds elements; tells whether they could be.
    pub(super) fn assign_array(
        &mut self,
        name: &str,
        values: Vec<(Option<Index>, String)>,
        append: bool,
    ) -> Result<bool, Halt> {
        let is_map = self.state.is_map(name);
        let mut next = 0;
        if append {
            next = self.state.next_index(name);
        } else {
            let emptied = self.state.change(name, |variable| {
                variable.value = match variable.value {
                    Value::Map(_) => Value::Map(Arc::default()),
                    _ => Value::Array(Arc::default()),
                };
                Ok(())
            });
            if let Err(error) = emptied {
                return self.not_assigned(&error).map(|()| false);
            }
        }
        for (index, text) in values {
            let index = match index {
                Some(index) => index,
                None if is_map => {
                    return Err(unavailable("declare -A with a list of values").into());
                }
                None => Index::Number(next),
            };
            if let Index::Number(number) = index {
                next = number.saturating_add(1);
            }
            self.budget.expanded(text.len())?;
            if let Err(error) = self.state.assign_element(name, index, &text) {
                return self.not_assigned(&error).map(|()| false);
            }
        }
        Ok(true)
    }

    /// Runs a command of which all words are known.
    pub(super) fn dispatch<'s>(
        &'s mut self,
        words: Vec<String>,
        declarations: &'s [Assignment],
    ) -> Running<'s> {
        Box::pin(async move {
            let Some((name, arguments)) = words.split_first() else {
                self.status = 0;
                return Ok(());
            };
            if let Some(function) = self.state.functions.get(name).map(Arc::clone) {
                return self.call(&function, arguments).await;
            }
            self.builtin_or_program(name, arguments, declarations).await
        })
    }

    /// Runs a command that is no function.
    pub(super) fn builtin_or_program<'s>(
        &'s mut self,
        name: &'s str,
        arguments: &'s [String],
        declarations: &'s [Assignment],
    ) -> Running<'s> {
        Box::pin(async move {
            if builtins::run(self, name, arguments, declarations).await? {
                return Ok(());
            }
            let Some(program) = program_name(name) else {
                return Err(unavailable(name).into());
            };
            if program == "kubectl" {
                self.budget.question()?;
                let standard = self.streams.unread(0).map(str::to_owned);
                let input = kubectl::Input {
                    standard: standard.as_deref(),
                    files: &*self.files,
                    was_read: AtomicBool::default(),
                    may_write: AtomicBool::default(),
                };
                let ran = kubectl::run(self.view(), arguments, &input, self.patience).await;
                let may_write = input.may_write.load(Ordering::Relaxed);
                if input.was_read.into_inner() {
                    self.streams
                        .advance(0, standard.map_or(0, |text| text.len()));
                }
                self.may_write |= may_write;
                return self.emit(ran?);
            }
            if program != name && builtins::run_program(self, program, arguments).await? {
                return Ok(());
            }
            self.text_tool(program, arguments)
        })
    }

    fn text_tool(&mut self, program: &str, arguments: &[String]) -> Done {
        let (output, written) = self.tool_output(program, arguments)?;
        self.emit(output)?;
        for (path, text) in written {
            self.write_for(program, &path, text)?;
        }
        Ok(())
    }

    /// Writes a file that a text tool has made.
    fn write_for(&mut self, program: &str, path: &str, text: String) -> Done {
        if let Some(target) = self.device(path, 1) {
            self.budget.piped(text.len())?;
            return self.print_to(&target, &text);
        }
        match self.can_write(path)? {
            None => self.store(path, text),
            Some(reason) => {
                self.status = 1;
                self.print(2, &format!("{program}: {path}: {reason}\n"))
            }
        }
    }

    /// What a text tool prints, and the files that it writes.
    pub(super) fn tool_output(
        &mut self,
        program: &str,
        arguments: &[String],
    ) -> Result<ToolOutput, Halt> {
        // What it may read counts as what it prints does.
        for argument in arguments {
            let length = self.files.read(argument).map_or(0, str::len);
            self.budget.piped(length)?;
        }
        let context = text_tools::Context {
            now: self.view().now(),
            files: &*self.files,
            input: self.streams.unread(0),
            input_was_read: Cell::default(),
            written: RefCell::default(),
        };
        let output = match text_tools::run(program, arguments, &context) {
            Some(result) => result?,
            None => return Err(unavailable(program).into()),
        };
        let read = match context.input {
            Some(input) if context.input_was_read.get() => input.len(),
            _ => 0,
        };
        let written = context.written.take();
        drop(context);
        self.streams.advance(0, read);
        Ok((output, written))
    }

    async fn call(&mut self, function: &FunctionBody, arguments: &[String]) -> Done {
        self.enter()?;
        let positional =
            std::mem::replace(&mut self.state.positional, Arc::new(arguments.to_vec()));
        let loops = std::mem::take(&mut self.loops);
        self.state.locals.push(Arc::default());
        let done = self.block(&function.command, &function.redirections).await;
        self.state.leave_function();
        self.state.positional = positional;
        self.loops = loops;
        self.depth -= 1;
        match done {
            Err(Halt::Return | Halt::Break(_) | Halt::Continue(_)) => Ok(()),
            other => other,
        }
    }
}

/// The program that a path leads to, if it lies where programs are.
fn program_name(name: &str) -> Option<&str> {
    const FOLDERS: [&str; 6] = [
        "/usr/local/sbin",
        "/usr/local/bin",
        "/usr/sbin",
        "/usr/bin",
        "/sbin",
        "/bin",
    ];
    match name.rsplit_once('/') {
        None => Some(name),
        Some((folder, program)) if FOLDERS.contains(&folder) => Some(program),
        Some(_) => None,
    }
}
