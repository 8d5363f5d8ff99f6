//! Texts and objects that a program makes.

use jaq_core::load::lex::StrPart;
use jaq_core::load::parse::Term;

use super::super::value::{Object, Value};
use super::super::{builtins, paths};
use super::{Flow, Item, Machine, Out, Path, Program, Scope, failure};

impl Machine<'_> {
    /// A text with what is in its brackets.
    pub(super) fn string<'t>(
        &self,
        format: Option<&'t str>,
        parts: &'t [StrPart<&'t str, Program<'t>>],
        scope: &Scope<'t>,
        item: Item,
        out: Out<'_>,
    ) -> Flow {
        // The last part varies slowest.
        let Some((last, before)) = parts.split_last() else {
            return out(Item::new(Value::text(""), item.path.lost()));
        };
        let path = item.path.lost();
        let input = Item::new(item.value.clone(), Path::Off);
        let join = &mut |end: &str| {
            self.string(format, before, scope, input.clone(), &mut |start| {
                let Value::Text(start) = &start.value else {
                    return Ok(());
                };
                let text = format!("{start}{end}");
                self.step(text.len())?;
                out(Item::new(Value::text(text), path.clone()))
            })
        };
        match last {
            StrPart::Str(text) => join(text),
            StrPart::Char(c) => join(&c.to_string()),
            StrPart::Term(term) => self.values(term, scope, &item.value, &mut |value| {
                let text = builtins::formatted(format.unwrap_or("@text"), &value)?;
                join(&text)
            }),
        }
    }

    /// An object with its members, each in every way.
    pub(super) fn members<'t>(
        &self,
        members: &'t [(Program<'t>, Option<Program<'t>>)],
        scope: &Scope<'t>,
        item: &Item,
        made: &Object,
        out: Out<'_>,
    ) -> Flow {
        let Some(((key, value), rest)) = members.split_first() else {
            self.step(made.len() * 16)?;
            return out(Item::new(Value::object(made.clone()), item.path.lost()));
        };
        let mut with = |key: Value, value: Value| {
            let Value::Text(key) = key else {
                return Err(failure("Object keys must be strings"));
            };
            let mut made = made.clone();
            made.insert(key, value);
            self.step(made.len() * 16)?;
            self.members(rest, scope, item, &made, out)
        };
        match (key, value) {
            (Term::Var(name), None) => {
                let value = self.variable(name, scope)?;
                with(Value::text(name.trim_start_matches('$')), value)
            }
            (key, value) => self.values(key, scope, &item.value, &mut |key| match value {
                Some(value) => self.values(value, scope, &item.value, &mut |value| {
                    with(key.clone(), value)
                }),
                None => {
                    let value = paths::get(&item.value, &key)?;
                    with(key, value)
                }
            }),
        }
    }
}
