//! Lists, pipelines and blocks.

use super::ast::{
    AndOr, CaseEnd, CaseItem, Command, Compound, Join, List, Pipeline, Redirection,
    RedirectionKind, Word,
};
use super::interpreter::{Done, Halt, Running, Shell, ended};
use super::streams::Target;

impl Shell<'_> {
    /// Runs commands one after the other.
    pub(super) fn list<'s>(&'s mut self, list: &'s List) -> Running<'s> {
        Box::pin(async move {
            for item in &list.items {
                self.and_or(item).await?;
            }
            Ok(())
        })
    }

    async fn and_or(&mut self, item: &AndOr) -> Done {
        let last = item.rest.len();
        self.joined_pipeline(&item.first, last == 0).await?;
        for (position, (join, pipeline)) in item.rest.iter().enumerate() {
            if (self.status == 0) == (*join == Join::And) {
                self.joined_pipeline(pipeline, position + 1 == last).await?;
            }
        }
        Ok(())
    }

    /// Only the last pipeline of `a && b || c` counts for `set -e`.
    async fn joined_pipeline(&mut self, pipeline: &Pipeline, is_last: bool) -> Done {
        let ignored = !is_last || pipeline.negated;
        self.errors_ignored += usize::from(ignored);
        let done = self.pipeline(pipeline).await;
        self.errors_ignored -= usize::from(ignored);
        done?;
        if pipeline.negated {
            self.status = i32::from(self.status == 0);
            return Ok(());
        }
        let counts = match pipeline.commands.as_slice() {
            [Command::Compound(compound, _)] => matches!(
                compound,
                Compound::Subshell(_) | Compound::Arithmetic(_) | Compound::Test(_)
            ),
            _ => true,
        };
        if counts
            && self.status != 0
            && self.state.options.exit_on_error
            && !ignored
            && self.errors_ignored == 0
        {
            return Err(Halt::Exit);
        }
        Ok(())
    }

    async fn pipeline(&mut self, pipeline: &Pipeline) -> Done {
        if let [command] = pipeline.commands.as_slice() {
            self.command(command).await?;
            self.pipe_statuses = vec![self.status];
            return Ok(());
        }
        let mut piped: Option<String> = None;
        let mut statuses = Vec::new();
        let mut timed_out = false;
        let last = pipeline.commands.len().saturating_sub(1);
        for (position, command) in pipeline.commands.iter().enumerate() {
            let saved = self.save();
            if let Some(text) = piped.take() {
                let input = self.streams.push_input(text);
                self.streams.targets.insert(0, input);
            }
            if position < last {
                let sink = self.streams.push_sink();
                self.streams.targets.insert(1, sink);
            }
            let done = self.command(command).await;
            if position < last {
                piped = Some(self.streams.pop_sink());
            }
            self.restore(saved);
            match ended(done) {
                // What it had printed is read all the same.
                Err(Halt::TimedOut) => timed_out = true,
                other => other?,
            }
            statuses.push(self.status);
        }
        if timed_out {
            return Err(Halt::TimedOut);
        }
        if self.state.options.pipe_fails {
            let failed = statuses.iter().rfind(|status| **status != 0);
            self.status = failed.copied().unwrap_or(0);
        }
        self.pipe_statuses = statuses;
        Ok(())
    }

    async fn command(&mut self, command: &Command) -> Done {
        match command {
            Command::Simple(simple) => self.simple(simple).await,
            Command::Function(name, body) => {
                self.budget.step()?;
                let functions = std::sync::Arc::make_mut(&mut self.state.functions);
                functions.insert(name.clone(), std::sync::Arc::clone(body));
                self.status = 0;
                Ok(())
            }
            Command::Compound(compound, redirections) => {
                self.budget.step()?;
                self.block(compound, redirections).await
            }
        }
    }

    /// Runs a block with its redirections.
    pub(super) async fn block(
        &mut self,
        compound: &Compound,
        redirections: &[Redirection],
    ) -> Done {
        let targets = self.streams.targets.clone();
        let inputs = self.streams.inputs();
        let done = if self.redirect(redirections).await? {
            self.enter()?;
            let done = self.compound(compound).await;
            self.depth -= 1;
            done
        } else {
            Ok(())
        };
        self.streams.targets = targets;
        self.streams.truncate_inputs(inputs);
        done
    }

    async fn compound(&mut self, compound: &Compound) -> Done {
        match compound {
            Compound::Group(list) => self.list(list).await,
            Compound::Subshell(list) => self.subshell(list).await,
            Compound::If(arms, otherwise) => {
                for (condition, body) in arms {
                    if self.condition(condition).await? {
                        return self.list(body).await;
                    }
                }
                self.status = 0;
                match otherwise {
                    Some(list) => self.list(list).await,
                    None => Ok(()),
                }
            }
            Compound::While {
                until,
                condition,
                body,
            } => self.while_loop(*until, condition, body).await,
            Compound::For { name, words, body } => {
                let values = match words {
                    Some(words) => self.fields(words).await?,
                    None => self.state.positional.as_ref().clone(),
                };
                self.for_loop(name, values, body).await
            }
            Compound::ArithmeticFor {
                start,
                condition,
                step,
                body,
            } => self.arithmetic_loop(start, condition, step, body).await,
            Compound::Case(subject, items) => self.case(subject, items).await,
            Compound::Arithmetic(expression) => {
                let value = self.arithmetic(expression, "((: ").await?;
                self.status = i32::from(value == 0);
                Ok(())
            }
            Compound::Test(test) => {
                if let Some(holds) = self.test(test).await? {
                    self.status = i32::from(!holds);
                }
                Ok(())
            }
        }
    }

    /// Whether a list succeeds; `set -e` does not look at it.
    async fn condition(&mut self, list: &List) -> Result<bool, Halt> {
        self.errors_ignored += 1;
        let done = self.list(list).await;
        self.errors_ignored -= 1;
        done?;
        Ok(self.status == 0)
    }

    async fn while_loop(&mut self, until: bool, condition: &List, body: &List) -> Done {
        self.loops += 1;
        let mut status = 0;
        let done = loop {
            match self
                .turn_of_while(until, condition, body, &mut status)
                .await
            {
                Ok(true) => {}
                Ok(false) => break Ok(()),
                Err(halt) => break Err(halt),
            }
        };
        self.loops -= 1;
        done?;
        self.status = status;
        Ok(())
    }

    /// One turn; tells whether another one follows.
    async fn turn_of_while(
        &mut self,
        until: bool,
        condition: &List,
        body: &List,
        status: &mut i32,
    ) -> Result<bool, Halt> {
        self.budget.step()?;
        let holds = match self.condition(condition).await {
            Ok(holds) => holds,
            other => {
                *status = 0;
                return after_turn(other.map(|_| ()));
            }
        };
        if holds == until {
            return Ok(false);
        }
        let done = self.list(body).await;
        *status = self.status;
        after_turn(done)
    }

    async fn for_loop(&mut self, name: &str, values: Vec<String>, body: &List) -> Done {
        if !super::state::is_name(name) {
            let message = format!("`{name}': not a valid identifier");
            return self.misused(1, &message);
        }
        self.status = 0;
        self.loops += 1;
        let mut done = Ok(());
        for value in values {
            done = self.budget.step().map_err(Halt::from);
            if done.is_err() {
                break;
            }
            if let Err(error) = self.state.assign(name, &value) {
                done = self.not_assigned(&error);
                break;
            }
            match after_turn(self.list(body).await) {
                Ok(true) => {}
                Ok(false) => break,
                Err(halt) => {
                    done = Err(halt);
                    break;
                }
            }
        }
        self.loops -= 1;
        done
    }

    async fn arithmetic_loop(
        &mut self,
        start: &Word,
        condition: &Word,
        step: &Word,
        body: &List,
    ) -> Done {
        self.arithmetic(start, "((: ").await?;
        self.status = 0;
        self.loops += 1;
        let done = loop {
            match self.turn_of_arithmetic(condition, step, body).await {
                Ok(true) => {}
                Ok(false) => break Ok(()),
                Err(halt) => break Err(halt),
            }
        };
        self.loops -= 1;
        done
    }

    async fn turn_of_arithmetic(
        &mut self,
        condition: &Word,
        step: &Word,
        body: &List,
    ) -> Result<bool, Halt> {
        self.budget.step()?;
        // Without a condition it goes on for ever.
        let holds =
            condition.source.trim().is_empty() || self.arithmetic(condition, "((: ").await? != 0;
        if !holds || !after_turn(self.list(body).await)? {
            return Ok(false);
        }
        self.arithmetic(step, "((: ").await?;
        Ok(true)
    }

    async fn case(&mut self, subject: &Word, items: &[CaseItem]) -> Done {
        let subject = self.text(subject).await?;
        self.status = 0;
        let mut falls_through = false;
        for item in items {
            let mut matches = falls_through;
            for pattern in &item.patterns {
                if matches {
                    break;
                }
                let pattern = self.pattern(pattern).await?;
                matches = pattern.matches(&subject).map_err(too_large)?;
            }
            if !matches {
                continue;
            }
            self.list(&item.body).await?;
            match item.end {
                CaseEnd::Leave => return Ok(()),
                CaseEnd::FallThrough => falls_through = true,
                CaseEnd::TestNext => falls_through = false,
            }
        }
        Ok(())
    }

    /// Runs commands and gives what they print, without the ends of lines at its end.
    pub(super) async fn substitute(&mut self, list: &List) -> Result<String, Halt> {
        let mut text = self.captured(list).await?;
        self.substitution_status = Some(self.status);
        text.truncate(text.trim_end_matches('\n').len());
        // A shell's strings have no zero bytes.
        text.retain(|character| character != '\0');
        self.budget.expanded(text.len())?;
        Ok(text)
    }

    /// Runs commands in a subshell and gives what they print.
    pub(super) async fn captured(&mut self, list: &List) -> Result<String, Halt> {
        self.budget.step()?;
        self.enter()?;
        let targets = self.streams.targets.clone();
        let sink = self.streams.push_sink();
        self.streams.targets.insert(1, sink);
        // `set -e` is off in `$( )`.
        let exits = std::mem::take(&mut self.state.options.exit_on_error);
        let status = self.status;
        if list.items.is_empty() {
            self.status = 0;
        }
        let done = match read_only(list) {
            Some(redirection) => self.read_file(redirection).await,
            None => self.subshell(list).await,
        };
        self.state.options.exit_on_error = exits;
        let text = self.streams.pop_sink();
        self.streams.targets = targets;
        self.depth -= 1;
        if done.is_err() {
            self.status = status;
        }
        done?;
        Ok(text)
    }

    /// `$(< file)` is what is in the file.
    async fn read_file(&mut self, redirection: &Redirection) -> Done {
        let saved = self.save();
        let mut done = self.redirect(std::slice::from_ref(redirection)).await;
        if let Ok(true) = done {
            self.status = 0;
            let text = self.streams.unread(0).unwrap_or_default().to_owned();
            done = self.print(1, &text).map(|()| true);
        }
        self.restore(saved);
        done.map(|_| ())
    }

    /// Connects a descriptor.
    pub(super) fn connect(&mut self, descriptor: u32, target: Target) {
        self.streams.targets.insert(descriptor, target);
    }
}

/// The redirection that is all there is to read a file.
fn read_only(list: &List) -> Option<&Redirection> {
    let [item] = list.items.as_slice() else {
        return None;
    };
    let [Command::Simple(simple)] = item.first.commands.as_slice() else {
        return None;
    };
    let is_alone = item.rest.is_empty()
        && !item.first.negated
        && simple.words.is_empty()
        && simple.assignments.is_empty();
    match simple.redirections.as_slice() {
        [redirection]
            if is_alone
                && redirection.descriptor.is_none()
                && matches!(redirection.kind, RedirectionKind::Read(_)) =>
        {
            Some(redirection)
        }
        _ => None,
    }
}

/// Whether a loop goes on after a turn.
fn after_turn(done: Done) -> Result<bool, Halt> {
    match done {
        Ok(()) | Err(Halt::Continue(0 | 1)) => Ok(true),
        Err(Halt::Break(0 | 1)) => Ok(false),
        Err(Halt::Continue(levels)) => Err(Halt::Continue(levels - 1)),
        Err(Halt::Break(levels)) => Err(Halt::Break(levels - 1)),
        Err(halt) => Err(halt),
    }
}

/// The notice for a pattern that can't be compiled.
pub(super) fn too_large(error: super::pattern::TooLarge) -> Halt {
    super::limits::exceeded(&error.to_string()).into()
}
