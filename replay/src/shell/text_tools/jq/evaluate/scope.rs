//! What is known by name, and the patterns that bind names.

use std::rc::Rc;

use jaq_core::load::parse::{Def, Pattern};

use super::super::paths;
use super::super::value::Value;
use super::{Flow, Machine, Program, failure};

/// What is known by name.
#[derive(Clone)]
pub(in super::super) struct Scope<'t>(pub(super) Option<Rc<Binding<'t>>>);

/// A name with what is known around it.
pub(in super::super) struct Binding<'t> {
    pub(super) name: Name<'t>,
    outer: Scope<'t>,
}

/// What a name stands for.
pub(in super::super) enum Name<'t> {
    Variable(&'t str, Value),
    Function(&'t Def<&'t str>),
    /// An argument of a function: a term where it was written.
    Argument(&'t str, &'t Program<'t>, Scope<'t>),
    Label(&'t str, usize),
}

impl<'t> Scope<'t> {
    /// With one name more.
    pub(super) fn with(&self, name: Name<'t>) -> Self {
        Self(Some(Rc::new(Binding {
            name,
            outer: self.clone(),
        })))
    }

    /// Every name, the innermost first.
    pub(super) fn bindings(&self) -> impl Iterator<Item = &Rc<Binding<'t>>> {
        std::iter::successors(self.0.as_ref(), |binding| binding.outer.0.as_ref())
    }
}

impl Drop for Scope<'_> {
    /// Long chains are taken apart one by one, not by recursion.
    fn drop(&mut self) {
        let mut next = self.0.take();
        while let Some(binding) = next {
            match Rc::try_unwrap(binding) {
                Ok(mut binding) => next = binding.outer.0.take(),
                Err(_) => return,
            }
        }
    }
}

impl Machine<'_> {
    /// Binds the variables of a pattern.
    pub(super) fn bind<'t>(
        &self,
        pattern: &'t Pattern<&'t str>,
        value: &Value,
        scope: &Scope<'t>,
        then: &mut dyn FnMut(&Scope<'t>) -> Flow,
    ) -> Flow {
        match pattern {
            Pattern::Var(name) => then(&scope.with(Name::Variable(name, value.clone()))),
            Pattern::Arr(parts) => self.bind_parts(parts, 0, value, scope, then),
            Pattern::Obj(members) => self.bind_members(members, value, scope, then),
        }
    }

    fn bind_parts<'t>(
        &self,
        parts: &'t [Pattern<&'t str>],
        position: usize,
        value: &Value,
        scope: &Scope<'t>,
        then: &mut dyn FnMut(&Scope<'t>) -> Flow,
    ) -> Flow {
        let Some(part) = parts.get(position) else {
            return then(scope);
        };
        let element = paths::get(value, &Value::number(position as f64))?;
        self.bind(part, &element, scope, &mut |inner| {
            self.bind_parts(parts, position + 1, value, inner, then)
        })
    }

    fn bind_members<'t>(
        &self,
        members: &'t [(Program<'t>, Pattern<&'t str>)],
        value: &Value,
        scope: &Scope<'t>,
        then: &mut dyn FnMut(&Scope<'t>) -> Flow,
    ) -> Flow {
        let Some(((key, pattern), rest)) = members.split_first() else {
            return then(scope);
        };
        self.values(key, scope, value, &mut |key| {
            if !matches!(key, Value::Text(_)) {
                let kind = key.kind();
                return Err(failure(format!(
                    "Cannot index {} with {kind}",
                    value.kind()
                )));
            }
            let member = paths::get(value, &key)?;
            self.bind(pattern, &member, scope, &mut |inner| {
                self.bind_members(rest, value, inner, then)
            })
        })
    }
}
