//! Descriptors: where what is printed goes, and where input comes from.

use std::collections::BTreeMap;
use std::sync::Arc;

/// What a descriptor is connected to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Target {
    /// A text that grows: the action's output, a pipe, or what a substitution reads.
    Sink(usize),
    /// A text that is read from its start to its end, by whoever shares it.
    Input(usize),
    /// A file, at its end.
    File(Arc<str>),
    /// `/dev/null`
    Null,
}

/// A text that is read bit by bit.
#[derive(Debug)]
struct Input {
    text: String,
    position: usize,
}

/// The descriptors of a shell and the texts behind them.
#[derive(Debug)]
pub(super) struct Streams {
    pub(super) targets: BTreeMap<u32, Target>,
    sinks: Vec<String>,
    inputs: Vec<Input>,
}

impl Streams {
    /// Standard output and standard error; nothing to read.
    pub(super) fn new() -> Self {
        Self {
            targets: BTreeMap::from([(1, Target::Sink(0)), (2, Target::Sink(1))]),
            sinks: vec![String::new(), String::new()],
            inputs: Vec::new(),
        }
    }

    /// Adds a text that grows.
    pub(super) fn push_sink(&mut self) -> Target {
        self.sinks.push(String::new());
        Target::Sink(self.sinks.len() - 1)
    }

    /// Takes back the text that was added last.
    pub(super) fn pop_sink(&mut self) -> String {
        self.sinks.pop().unwrap_or_default()
    }

    /// Adds to a text that grows.
    pub(super) fn write(&mut self, sink: usize, text: &str) {
        if let Some(sink) = self.sinks.get_mut(sink) {
            sink.push_str(text);
        }
    }

    /// Adds a text that is read.
    pub(super) fn push_input(&mut self, text: String) -> Target {
        self.inputs.push(Input { text, position: 0 });
        Target::Input(self.inputs.len() - 1)
    }

    /// Number of texts that are read.
    pub(super) fn inputs(&self) -> usize {
        self.inputs.len()
    }

    /// Forgets the texts that were added since there were so many.
    pub(super) fn truncate_inputs(&mut self, count: usize) {
        self.inputs.truncate(count);
    }

    /// What is left to read from a descriptor; none if nothing is connected to it.
    pub(super) fn unread(&self, descriptor: u32) -> Option<&str> {
        match self.targets.get(&descriptor)? {
            Target::Input(input) => {
                let input = self.inputs.get(*input)?;
                input.text.get(input.position..)
            }
            Target::Null => Some(""),
            Target::Sink(_) | Target::File(_) => None,
        }
    }

    /// Passes over bytes of a descriptor's input.
    pub(super) fn advance(&mut self, descriptor: u32, bytes: usize) {
        if let Some(Target::Input(input)) = self.targets.get(&descriptor)
            && let Some(input) = self.inputs.get_mut(*input)
        {
            input.position = (input.position + bytes).min(input.text.len());
        }
    }

    /// The action's standard output and standard error.
    pub(super) fn finish(self) -> (String, String) {
        let mut sinks = self.sinks.into_iter();
        let stdout = sinks.next().unwrap_or_default();
        (stdout, sinks.next().unwrap_or_default())
    }
}
