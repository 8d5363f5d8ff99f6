//! Runs a program.

mod evaluate;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use aiopslab_problems::environment::Verdict;
use indexmap::IndexMap;

use super::super::inputs::{self, Unreadable};
use super::super::pattern::Pattern;
use super::super::steps::Steps;
use super::super::{Context, Halt, ToolResult, lacking, print};
use super::lexer;
use super::program::{Expression, Program, Selector, Statement};
use super::records::Separator;
use super::value::Value;
use crate::shell::command::CommandOutput;

/// Elements in the order in which they came.
pub(super) type Array = Rc<RefCell<IndexMap<Rc<str>, Value>>>;

/// Elements of one array, fields of a record.
const ELEMENTS: usize = 1_000_000;

/// Calls within calls.
const CALLS: usize = 400;

/// What interrupts the flow.
pub(super) enum Signal {
    Next,
    NextFile,
    Exit,
    Return(Value),
    Break,
    Continue,
    Halt(Halt),
}

impl From<Halt> for Signal {
    fn from(halt: Halt) -> Self {
        Self::Halt(halt)
    }
}

pub(super) type Flow = Result<(), Signal>;

/// A local variable of a function.
#[derive(Clone)]
enum Local {
    Scalar(Value),
    Array(Array),
    /// Not used yet: it may become an array of the caller's.
    Open(Array),
}

/// The state of a run.
pub(super) struct Interpreter<'p> {
    program: &'p Program,
    context: &'p Context<'p>,
    operands: &'p [String],
    globals: BTreeMap<String, Value>,
    arrays: BTreeMap<String, Array>,
    frames: Vec<BTreeMap<String, Local>>,
    record: String,
    /// None until someone asks for a field.
    fields: Option<Vec<Value>>,
    record_is_stale: bool,
    separator: Option<Separator>,
    /// Rules that are between their two patterns.
    between: BTreeSet<usize>,
    patterns: BTreeMap<String, Rc<Pattern>>,
    steps: Steps,
    output: CommandOutput,
    exit_code: i32,
    started: bool,
}

impl<'p> Interpreter<'p> {
    pub(super) fn new(
        program: &'p Program,
        context: &'p Context<'p>,
        operands: &'p [String],
    ) -> Self {
        let mut globals = BTreeMap::new();
        for (name, value) in [
            ("FS", " "),
            ("OFS", " "),
            ("ORS", "\n"),
            ("RS", "\n"),
            ("SUBSEP", "\u{1c}"),
            ("CONVFMT", "%.6g"),
            ("OFMT", "%.6g"),
        ] {
            globals.insert(name.to_owned(), Value::text(value));
        }
        for name in ["NR", "FNR", "RSTART"] {
            globals.insert(name.to_owned(), Value::Number(0.0));
        }
        globals.insert("RLENGTH".to_owned(), Value::Number(-1.0));
        globals.insert("FILENAME".to_owned(), Value::text(""));
        Self {
            program,
            context,
            operands,
            globals,
            arrays: BTreeMap::new(),
            frames: Vec::new(),
            record: String::new(),
            fields: None,
            record_is_stale: false,
            separator: None,
            between: BTreeSet::new(),
            patterns: BTreeMap::new(),
            steps: Steps::new("awk"),
            output: CommandOutput::answered(""),
            exit_code: 0,
            started: false,
        }
    }

    /// An assignment of the command line.
    pub(super) fn assign_text(&mut self, name: &str, value: &str) -> Result<(), Halt> {
        let valid = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if name.is_empty()
            || !name.chars().all(valid)
            || name.starts_with(|c: char| c.is_ascii_digit())
        {
            return Err(lacking("awk", &format!("-v {name}")));
        }
        let value = Value::input(&lexer::unescaped(value));
        match self.set_variable(name, value) {
            Err(Signal::Halt(halt)) => Err(halt),
            _ => Ok(()),
        }
    }

    /// Runs the whole program.
    pub(super) fn run(mut self) -> ToolResult {
        match self.all() {
            Ok(()) | Err(Signal::Exit) => {}
            Err(Signal::Halt(Halt::Output(failed))) => {
                // What was printed before the error stays.
                self.output.stderr.push_str(&failed.stderr);
                self.output.verdict = self.output.verdict.max(Verdict::Invalid);
                self.exit_code = failed.exit_code;
            }
            Err(Signal::Halt(halt)) => return Err(halt),
            Err(_) => return Err(lacking("awk", "with a jump out of nowhere")),
        }
        if self.exit_code != 0 {
            self.output.exit_code = self.exit_code;
        }
        Ok(self.output)
    }

    fn all(&mut self) -> Flow {
        let program = self.program;
        let mut flow = program
            .begin
            .iter()
            .try_for_each(|body| self.statements(body));
        let reads = !program.rules.is_empty() || !program.end.is_empty();
        if flow.is_ok() && reads {
            self.started = true;
            flow = self.read();
        }
        match flow {
            Ok(()) => {}
            Err(Signal::Exit) if !program.end.is_empty() => {}
            other => return other,
        }
        // `exit` in `BEGIN` also leads to `END`.
        program
            .end
            .iter()
            .try_for_each(|body| self.statements(body))
    }

    fn read(&mut self) -> Flow {
        let standard_input = ["-".to_owned()];
        let is_assignment = |word: &String| {
            let name = word.split('=').next().unwrap_or_default();
            word.contains('=')
                && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
                && name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        };
        let operands = self.operands;
        let files = operands.iter().any(|word| !is_assignment(word));
        let words = operands
            .iter()
            .chain(standard_input.iter().filter(|_| !files));
        for word in words {
            if is_assignment(word)
                && let Some((name, value)) = word.split_once('=')
            {
                self.assign_text(name, value)?;
                continue;
            }
            let shown = if files { word.as_str() } else { "" };
            match inputs::read(word, self.context)? {
                Ok(text) => self.file(shown, text)?,
                Err(Unreadable::Folder) => {
                    let message = format!(
                        "awk: warning: command line argument `{word}' is a directory: skipped"
                    );
                    self.output.stderr.push_str(&format!("{message}\n"));
                }
                Err(Unreadable::Missing) => {
                    let message = format!(
                        "awk: fatal: cannot open file `{word}' for reading: No such file or directory"
                    );
                    return Err(Signal::Halt(Halt::failed(message, 2)));
                }
            }
        }
        Ok(())
    }

    fn file(&mut self, name: &str, text: &str) -> Flow {
        self.set_variable("FILENAME", Value::text(name))?;
        self.set_variable("FNR", Value::Number(0.0))?;
        let mut rest = text;
        let mut last = None;
        let mut separator = Separator::records("\n")?;
        loop {
            let wanted = self.text_of("RS");
            if last.as_ref() != Some(&wanted) {
                separator = Separator::records(&wanted)?;
                last = Some(wanted);
            }
            let Some((record, length)) = separator.first(rest) else {
                return Ok(());
            };
            rest = rest.get(length..).unwrap_or_default();
            self.steps.take(record.len())?;
            for counter in ["NR", "FNR"] {
                let next = self.number_of(counter) + 1.0;
                self.globals.insert(counter.to_owned(), Value::Number(next));
            }
            self.set_record(record.to_owned());
            match self.rules() {
                Ok(()) | Err(Signal::Next) => {}
                Err(Signal::NextFile) => return Ok(()),
                Err(signal) => return Err(signal),
            }
        }
    }

    fn rules(&mut self) -> Flow {
        let program = self.program;
        for (position, rule) in program.rules.iter().enumerate() {
            let selected = match &rule.pattern {
                Selector::All => true,
                Selector::When(pattern) => self.value(pattern)?.is_true(),
                Selector::Between(first, last) => {
                    let inside = self.between.contains(&position);
                    if inside || self.value(first)?.is_true() {
                        match self.value(last)?.is_true() {
                            true => self.between.remove(&position),
                            false => self.between.insert(position),
                        };
                        true
                    } else {
                        false
                    }
                }
            };
            if !selected {
                continue;
            }
            match &rule.action {
                Some(action) => self.statements(action)?,
                None => self.print(&[], false)?,
            }
        }
        Ok(())
    }

    fn statements(&mut self, statements: &'p [Statement]) -> Flow {
        statements
            .iter()
            .try_for_each(|statement| self.statement(statement))
    }

    fn statement(&mut self, statement: &'p Statement) -> Flow {
        self.steps.take(0)?;
        match statement {
            Statement::Expression(expression) => self.value(expression).map(|_| ()),
            Statement::Print(arguments, to_stderr) => self.print(arguments, *to_stderr),
            Statement::Printf(arguments, to_stderr) => {
                let text = self.formatted(arguments)?;
                self.out(&text, *to_stderr)
            }
            Statement::If(condition, then, otherwise) => {
                match (self.value(condition)?.is_true(), otherwise) {
                    (true, _) => self.statement(then),
                    (false, Some(otherwise)) => self.statement(otherwise),
                    (false, None) => Ok(()),
                }
            }
            Statement::While(condition, body) => {
                while self.value(condition)?.is_true() {
                    if self.turn(body)? {
                        break;
                    }
                }
                Ok(())
            }
            Statement::Do(body, condition) => loop {
                if self.turn(body)? || !self.value(condition)?.is_true() {
                    return Ok(());
                }
            },
            Statement::For(start, condition, step, body) => {
                self.statement(start)?;
                loop {
                    if let Some(condition) = condition
                        && !self.value(condition)?.is_true()
                    {
                        return Ok(());
                    }
                    if self.turn(body)? {
                        return Ok(());
                    }
                    self.statement(step)?;
                }
            }
            Statement::ForIn(name, array, body) => {
                let array = self.array(array)?;
                let keys: Vec<Rc<str>> = array.borrow().keys().cloned().collect();
                for key in keys {
                    self.set_variable(name, Value::input(&key))?;
                    if self.turn(body)? {
                        break;
                    }
                }
                Ok(())
            }
            Statement::Block(statements) => self.statements(statements),
            Statement::Next => Err(Signal::Next),
            Statement::NextFile => Err(Signal::NextFile),
            Statement::Exit(code) => {
                if let Some(code) = code {
                    self.exit_code = self.value(code)?.number() as i64 as i32 & 0xff;
                }
                Err(Signal::Exit)
            }
            Statement::Return(value) => {
                let value = match value {
                    Some(value) => self.value(value)?,
                    None => Value::Unset,
                };
                Err(Signal::Return(value))
            }
            Statement::Break => Err(Signal::Break),
            Statement::Continue => Err(Signal::Continue),
            Statement::Delete(name, subscripts) => {
                let array = self.array(name)?;
                match subscripts {
                    None => array.borrow_mut().clear(),
                    Some(subscripts) => {
                        let key = self.subscript(subscripts)?;
                        let length = array.borrow().len();
                        self.steps.take(length)?;
                        array.borrow_mut().shift_remove(&key);
                    }
                }
                Ok(())
            }
        }
    }

    /// One turn of a loop; tells whether it was left.
    fn turn(&mut self, body: &'p Statement) -> Result<bool, Signal> {
        self.steps.take(0)?;
        match self.statement(body) {
            Ok(()) | Err(Signal::Continue) => Ok(false),
            Err(Signal::Break) => Ok(true),
            Err(signal) => Err(signal),
        }
    }

    fn print(&mut self, arguments: &'p [Expression], to_stderr: bool) -> Flow {
        let mut line = String::new();
        if arguments.is_empty() {
            self.refresh_record();
            line.push_str(&self.record);
        }
        let format = self.text_of("OFMT");
        for (position, argument) in arguments.iter().enumerate() {
            if position > 0 {
                line.push_str(&self.text_of("OFS"));
            }
            line.push_str(&self.value(argument)?.string(&format));
        }
        line.push_str(&self.text_of("ORS"));
        self.out(&line, to_stderr)
    }

    fn out(&mut self, text: &str, to_stderr: bool) -> Flow {
        self.steps.take(text.len())?;
        let out = match to_stderr {
            true => &mut self.output.stderr,
            false => &mut self.output.stdout,
        };
        print("awk", out, text)?;
        Ok(())
    }

    fn text_of(&self, name: &str) -> Rc<str> {
        let value = self.globals.get(name).cloned().unwrap_or(Value::Unset);
        value.string("%.6g")
    }

    fn number_of(&self, name: &str) -> f64 {
        self.globals.get(name).map_or(0.0, Value::number)
    }

    fn set_record(&mut self, record: String) {
        self.record = record;
        self.fields = None;
        self.record_is_stale = false;
    }

    /// Builds the record from changed fields.
    fn refresh_record(&mut self) {
        if !std::mem::take(&mut self.record_is_stale) {
            return;
        }
        let separator = self.text_of("OFS");
        let format = self.text_of("CONVFMT");
        let fields = self.fields.as_deref().unwrap_or_default();
        let texts: Vec<Rc<str>> = fields.iter().map(|field| field.string(&format)).collect();
        self.record = texts.join(&separator);
    }

    fn split_record(&mut self) -> Result<&mut Vec<Value>, Signal> {
        if self.fields.is_none() {
            if self.separator.is_none() {
                self.separator = Some(Separator::fields(&self.text_of("FS"))?);
            }
            let with_lines = self.text_of("RS").is_empty();
            let parts = match &self.separator {
                Some(separator) => separator.split(&self.record, with_lines),
                None => Vec::new(),
            };
            self.steps.take(self.record.len() + parts.len() * 16)?;
            self.fields = Some(parts.iter().map(|part| Value::input(part)).collect());
        }
        Ok(self.fields.get_or_insert_default())
    }

    fn field(&mut self, number: f64) -> Result<Value, Signal> {
        let number = self.field_number(number)?;
        if number == 0 {
            self.refresh_record();
            return Ok(Value::input(&self.record));
        }
        let fields = self.split_record()?;
        Ok(fields
            .get(number - 1)
            .cloned()
            .unwrap_or_else(|| Value::text("")))
    }

    fn field_number(&self, number: f64) -> Result<usize, Signal> {
        if number < 0.0 || number.is_nan() {
            return Err(self.fatal(&format!("attempt to access field {}", number as i64)));
        }
        match number as usize {
            large if large > ELEMENTS => Err(lacking("awk", "of so many fields").into()),
            number => Ok(number),
        }
    }

    fn set_field(&mut self, number: f64, value: Value) -> Flow {
        let number = self.field_number(number)?;
        if number == 0 {
            let format = self.text_of("CONVFMT");
            let record = value.string(&format).to_string();
            self.set_record(record);
            return Ok(());
        }
        // Fields are cut with the separator of when the record was read.
        let fields = self.split_record()?;
        if fields.len() < number {
            fields.resize(number, Value::text(""));
        }
        if let Some(slot) = fields.get_mut(number - 1) {
            *slot = match value {
                Value::Unset => Value::text(""),
                value => value,
            };
        }
        let length = fields.len();
        self.steps.take(length)?;
        self.record_is_stale = true;
        Ok(())
    }

    /// An error that ends the run.
    fn fatal(&self, message: &str) -> Signal {
        let place = match self.started {
            true => {
                let name = self.text_of("FILENAME");
                let name = if name.is_empty() {
                    "-".to_owned()
                } else {
                    name.to_string()
                };
                format!("(FILENAME={name} FNR={}) ", self.number_of("FNR") as u64)
            }
            false => String::new(),
        };
        Signal::Halt(Halt::failed(
            format!("awk: cmd. line:1: {place}fatal: {message}"),
            2,
        ))
    }
}
