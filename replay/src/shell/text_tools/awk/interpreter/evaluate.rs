//! Values of expressions; variables, arrays and calls.

use std::cell::RefCell;
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::rc::Rc;

use super::super::super::lacking;
use super::super::super::pattern::{Flags, Pattern, PatternError, Syntax};
use super::super::program::{Comparison, Expression, Operator};
use super::super::value::Value;
use super::{Array, CALLS, ELEMENTS, Flow, Interpreter, Local, Signal};

impl<'p> Interpreter<'p> {
    pub(in super::super) fn value(&mut self, expression: &'p Expression) -> Result<Value, Signal> {
        self.steps.take(0)?;
        match expression {
            Expression::Number(number) => Ok(Value::Number(*number)),
            Expression::Text(text) => Ok(Value::Text(text.clone())),
            Expression::Regex(regex) => {
                let pattern = self.pattern(regex)?;
                self.refresh_record();
                self.steps.take(self.record.len())?;
                Ok(Value::truth(pattern.is_match(&self.record)))
            }
            Expression::Variable(name) => self.variable(name),
            Expression::Field(number) => {
                let number = self.value(number)?.number();
                self.field(number)
            }
            Expression::Element(name, subscripts) => {
                let array = self.array(name)?;
                let key = self.subscript(subscripts)?;
                self.element(&array, key)
            }
            Expression::Assign(target, value) => {
                let value = self.value(value)?;
                self.assign(target, value.clone())?;
                Ok(value)
            }
            Expression::Update(operator, target, value) => {
                let value = self.value(value)?.number();
                let old = self.value(target)?.number();
                let new = Value::Number(self.compute(*operator, old, value)?);
                self.assign(target, new.clone())?;
                Ok(new)
            }
            Expression::Step { target, by, before } => {
                let old = self.value(target)?.number();
                let new = Value::Number(old + by);
                self.assign(target, new.clone())?;
                Ok(if *before { new } else { Value::Number(old) })
            }
            Expression::Conditional(condition, then, otherwise) => {
                match self.value(condition)?.is_true() {
                    true => self.value(then),
                    false => self.value(otherwise),
                }
            }
            Expression::And(left, right) => {
                let value = self.value(left)?.is_true() && self.value(right)?.is_true();
                Ok(Value::truth(value))
            }
            Expression::Or(left, right) => {
                let value = self.value(left)?.is_true() || self.value(right)?.is_true();
                Ok(Value::truth(value))
            }
            Expression::Not(inner) => Ok(Value::truth(!self.value(inner)?.is_true())),
            Expression::Negative(inner) => Ok(Value::Number(-self.value(inner)?.number())),
            Expression::Positive(inner) => Ok(Value::Number(self.value(inner)?.number())),
            Expression::Binary(operator, left, right) => {
                let left = self.value(left)?.number();
                let right = self.value(right)?.number();
                Ok(Value::Number(self.compute(*operator, left, right)?))
            }
            Expression::Compare(comparison, left, right) => self.compare(*comparison, left, right),
            Expression::Concatenation(left, right) => {
                let format = self.text_of("CONVFMT");
                let left = self.value(left)?.string(&format);
                let right = self.value(right)?.string(&format);
                let text = format!("{left}{right}");
                self.steps.take(text.len())?;
                Ok(Value::text(text))
            }
            Expression::Match {
                negated,
                text,
                regex,
            } => {
                let text = self.string(text)?;
                let pattern = self.regex(regex)?;
                self.steps.take(text.len())?;
                Ok(Value::truth(pattern.is_match(&text) != *negated))
            }
            Expression::In(subscripts, array) => {
                let key = self.subscript(subscripts)?;
                let array = self.array(array)?;
                let found = array.borrow().contains_key(&key);
                Ok(Value::truth(found))
            }
            Expression::Call(name, arguments) => self.call(name, arguments),
            Expression::Builtin(name, arguments) => self.builtin(name, arguments),
            Expression::Group(inner) => match inner.as_slice() {
                [single] => self.value(single),
                _ => Err(lacking("awk", "with a list in brackets").into()),
            },
        }
    }

    pub(in super::super) fn string(
        &mut self,
        expression: &'p Expression,
    ) -> Result<Rc<str>, Signal> {
        let format = self.text_of("CONVFMT");
        Ok(self.value(expression)?.string(&format))
    }

    fn compute(&self, operator: Operator, left: f64, right: f64) -> Result<f64, Signal> {
        Ok(match operator {
            Operator::Add => left + right,
            Operator::Subtract => left - right,
            Operator::Multiply => left * right,
            Operator::Divide if right == 0.0 => {
                return Err(self.fatal("division by zero attempted"));
            }
            Operator::Divide => left / right,
            Operator::Modulo if right == 0.0 => {
                return Err(self.fatal("division by zero attempted in `%'"));
            }
            Operator::Modulo => left % right,
            Operator::Power => left.powf(right),
        })
    }

    fn compare(
        &mut self,
        comparison: Comparison,
        left: &'p Expression,
        right: &'p Expression,
    ) -> Result<Value, Signal> {
        let (left, right) = (self.value(left)?, self.value(right)?);
        let format = self.text_of("CONVFMT");
        let ordering = left.compare(&right, &format);
        let holds = match comparison {
            Comparison::Less => ordering == Some(Ordering::Less),
            Comparison::LessOrEqual => ordering.is_some_and(Ordering::is_le),
            Comparison::Equal => ordering == Some(Ordering::Equal),
            Comparison::NotEqual => ordering != Some(Ordering::Equal),
            Comparison::Greater => ordering == Some(Ordering::Greater),
            Comparison::GreaterOrEqual => ordering.is_some_and(Ordering::is_ge),
        };
        Ok(Value::truth(holds))
    }

    pub(in super::super) fn assign(&mut self, target: &'p Expression, value: Value) -> Flow {
        match target {
            Expression::Variable(name) => self.set_variable(name, value),
            Expression::Field(number) => {
                let number = self.value(number)?.number();
                self.set_field(number, value)
            }
            Expression::Element(name, subscripts) => {
                let array = self.array(name)?;
                let key = self.subscript(subscripts)?;
                self.insert(&array, key, value)
            }
            Expression::Group(inner) => match inner.as_slice() {
                [single] => self.assign(single, value),
                _ => Err(lacking("awk", "with such a target").into()),
            },
            _ => Err(lacking("awk", "with such a target").into()),
        }
    }

    pub(in super::super) fn insert(&mut self, array: &Array, key: Rc<str>, value: Value) -> Flow {
        if array.borrow().len() >= ELEMENTS {
            return Err(lacking("awk", &format!("of more than {ELEMENTS} elements")).into());
        }
        array.borrow_mut().insert(key, value);
        Ok(())
    }

    fn element(&mut self, array: &Array, key: Rc<str>) -> Result<Value, Signal> {
        if let Some(value) = array.borrow().get(&key) {
            return Ok(value.clone());
        }
        // Asking for an element makes it.
        self.insert(array, key, Value::Unset)?;
        Ok(Value::Unset)
    }

    pub(in super::super) fn subscript(
        &mut self,
        subscripts: &'p [Expression],
    ) -> Result<Rc<str>, Signal> {
        let format = self.text_of("CONVFMT");
        let mut parts = Vec::new();
        for subscript in subscripts {
            parts.push(self.value(subscript)?.string(&format));
        }
        match parts.as_slice() {
            [single] => Ok(single.clone()),
            parts => Ok(Rc::from(parts.join(&*self.text_of("SUBSEP")))),
        }
    }

    fn variable(&mut self, name: &str) -> Result<Value, Signal> {
        if let Some(local) = self.frames.last().and_then(|frame| frame.get(name)) {
            return match local {
                Local::Scalar(value) => Ok(value.clone()),
                Local::Open(array) if array.borrow().is_empty() => Ok(Value::Unset),
                Local::Open(_) | Local::Array(_) => Err(self.no_scalar(name)),
            };
        }
        if name == "NF" {
            let fields = self.split_record()?.len();
            return Ok(Value::Number(fields as f64));
        }
        if self
            .arrays
            .get(name)
            .is_some_and(|array| !array.borrow().is_empty())
        {
            return Err(self.no_scalar(name));
        }
        Ok(self.globals.get(name).cloned().unwrap_or(Value::Unset))
    }

    fn no_scalar(&self, name: &str) -> Signal {
        self.fatal(&format!(
            "attempt to use array `{name}' in a scalar context"
        ))
    }

    pub(in super::super) fn set_variable(&mut self, name: &str, value: Value) -> Flow {
        if let Some(local) = self.frames.last_mut().and_then(|frame| frame.get_mut(name)) {
            *local = Local::Scalar(value);
            return Ok(());
        }
        match name {
            "NF" => {
                let wanted = self.field_number(value.number())?;
                self.split_record()?.resize(wanted, Value::text(""));
                self.steps.take(wanted)?;
                self.record_is_stale = true;
                return Ok(());
            }
            // The next record is cut with it.
            "FS" | "RS" => {
                if self.started {
                    self.split_record()?;
                }
                self.separator = None;
            }
            _ => {}
        }
        self.globals.insert(name.to_owned(), value);
        Ok(())
    }

    /// The array of a name.
    pub(in super::super) fn array(&mut self, name: &str) -> Result<Array, Signal> {
        if let Some(local) = self.frames.last_mut().and_then(|frame| frame.get_mut(name)) {
            return match local {
                Local::Array(array) => Ok(array.clone()),
                Local::Open(array) => {
                    let array = array.clone();
                    *local = Local::Array(array.clone());
                    Ok(array)
                }
                Local::Scalar(_) => Err(self.fatal(&format!(
                    "attempt to use scalar parameter `{name}' as an array"
                ))),
            };
        }
        if self.globals.contains_key(name) || self.program.functions.contains_key(name) {
            let message = format!("attempt to use scalar `{name}' as an array");
            return Err(self.fatal(&message));
        }
        Ok(self.arrays.entry(name.to_owned()).or_default().clone())
    }

    fn call(&mut self, name: &'p str, arguments: &'p [Expression]) -> Result<Value, Signal> {
        let Some(function) = self.program.functions.get(name) else {
            let message = format!("awk: cmd. line:1: fatal: function `{name}' not defined");
            return Err(Signal::Halt(super::Halt::failed(message, 2)));
        };
        if arguments.len() > function.parameters.len() {
            let message = format!("function `{name}' called with more arguments than declared");
            return Err(self.fatal(&message));
        }
        if self.frames.len() >= CALLS {
            return Err(
                lacking("awk", &format!("of more than {CALLS} calls in each other")).into(),
            );
        }
        let mut frame = BTreeMap::new();
        let mut opened: Vec<(&'p str, Array)> = Vec::new();
        for (position, parameter) in function.parameters.iter().enumerate() {
            let local = match arguments.get(position) {
                None => Local::Open(Rc::new(RefCell::default())),
                Some(Expression::Variable(name)) => self.argument(name, &mut opened)?,
                Some(argument) => Local::Scalar(self.value(argument)?),
            };
            frame.insert(parameter.clone(), local);
        }
        self.frames.push(frame);
        let flow = self.statements(&function.body);
        self.frames.pop();
        for (name, array) in opened {
            if !array.borrow().is_empty() {
                self.adopt(name, array);
            }
        }
        match flow {
            Ok(()) => Ok(Value::Unset),
            Err(Signal::Return(value)) => Ok(value),
            Err(signal) => Err(signal),
        }
    }

    /// A bare name as an argument: an array, a value, or what becomes an array.
    fn argument(
        &mut self,
        name: &'p str,
        opened: &mut Vec<(&'p str, Array)>,
    ) -> Result<Local, Signal> {
        if let Some(local) = self.frames.last().and_then(|frame| frame.get(name)) {
            return Ok(local.clone());
        }
        if let Some(array) = self.arrays.get(name) {
            return Ok(Local::Array(array.clone()));
        }
        if name != "NF" && !self.globals.contains_key(name) {
            let array = Array::default();
            opened.push((name, array.clone()));
            return Ok(Local::Open(array));
        }
        Ok(Local::Scalar(self.variable(name)?))
    }

    fn adopt(&mut self, name: &str, array: Array) {
        self.arrays.insert(name.to_owned(), array);
    }

    /// The expression of a match: as written, or the text of a value.
    pub(in super::super) fn regex(
        &mut self,
        expression: &'p Expression,
    ) -> Result<Rc<Pattern>, Signal> {
        match expression {
            Expression::Regex(regex) => self.pattern(regex),
            Expression::Group(inner) if matches!(inner.as_slice(), [Expression::Regex(_)]) => {
                match inner.first() {
                    Some(single) => self.regex(single),
                    None => self.pattern(""),
                }
            }
            expression => {
                let text = self.string(expression)?;
                self.pattern(&text)
            }
        }
    }

    pub(in super::super) fn pattern(&mut self, text: &str) -> Result<Rc<Pattern>, Signal> {
        if let Some(known) = self.patterns.get(text) {
            return Ok(known.clone());
        }
        let pattern = match Pattern::new(text, Syntax::Awk, Flags::default()) {
            Ok(pattern) => Rc::new(pattern),
            Err(PatternError::Refused(message)) => {
                return Err(self.fatal(&format!("invalid regexp: {message}: /{text}/")));
            }
            Err(PatternError::Lacking(what)) => {
                return Err(lacking("awk", &format!("/{text}/ ({what})")).into());
            }
        };
        self.steps.take(4096)?;
        if self.patterns.len() < 256 {
            self.patterns.insert(text.to_owned(), pattern.clone());
        }
        Ok(pattern)
    }
}

/// What the built-in functions ask for.
impl Interpreter<'_> {
    pub(in super::super) fn steps_for(&mut self, bytes: usize) -> Flow {
        Ok(self.steps.take(bytes)?)
    }

    pub(in super::super) fn now(&self) -> i64 {
        self.context.now
    }

    pub(in super::super) fn text_named(&self, name: &str) -> Rc<str> {
        self.text_of(name)
    }

    pub(in super::super) fn value_of_record(&mut self) -> Result<Rc<str>, Signal> {
        self.refresh_record();
        Ok(Rc::from(self.record.as_str()))
    }

    pub(in super::super) fn set_whole_record(&mut self, record: String) {
        self.set_record(record);
    }

    pub(in super::super) fn is_array(&self, name: &str) -> bool {
        match self.frames.last().and_then(|frame| frame.get(name)) {
            Some(Local::Scalar(_)) => false,
            Some(Local::Array(_)) => true,
            Some(Local::Open(array)) => !array.borrow().is_empty(),
            None => self.arrays.contains_key(name),
        }
    }
}
