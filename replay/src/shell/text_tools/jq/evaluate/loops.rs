//! Terms that run again and again, or not to their end.

use super::super::value::Value;
use super::{Flow, Item, Machine, NESTING, Out, Program, Raise, Scope, missing};

/// Takes the values that decide.
type Decide<'d> = &'d mut dyn FnMut(Value) -> Flow;

impl Machine<'_> {
    /// The first outputs of a term.
    pub(super) fn limit<'t>(
        &self,
        count: usize,
        term: &'t Program<'t>,
        scope: &Scope<'t>,
        item: Item,
        out: Out<'_>,
    ) -> Flow {
        let label = self.labels.get() + 1;
        self.labels.set(label);
        let mut left = count;
        let flow = self.eval(term, scope, item, &mut |item| {
            left -= 1;
            out(item)?;
            match left {
                0 => Err(Raise::Break(label)),
                _ => Ok(()),
            }
        });
        match flow {
            Err(Raise::Break(broken)) if broken == label => Ok(()),
            flow => flow,
        }
    }

    /// A value, and what the term makes of it again and again.
    pub(super) fn recurse_with<'t>(
        &self,
        term: &'t Program<'t>,
        condition: Option<&'t Program<'t>>,
        scope: &Scope<'t>,
        item: Item,
        out: Out<'_>,
    ) -> Flow {
        out(item.clone())?;
        let depth = self.depth.get();
        if depth > NESTING {
            return Err(missing("that recurses so deep"));
        }
        self.depth.set(depth + 4);
        let flow = self.eval(term, scope, item, &mut |next| match condition {
            None => self.recurse_with(term, condition, scope, next, out),
            Some(condition_term) => {
                let value = next.value.clone();
                self.values(
                    condition_term,
                    scope,
                    &value,
                    &mut |holds| match holds.is_true() {
                        true => self.recurse_with(term, condition, scope, next.clone(), out),
                        false => Ok(()),
                    },
                )
            }
        });
        self.depth.set(depth);
        flow
    }

    /// The first value of `. | update | update …` on which the condition holds.
    pub(super) fn until<'t>(
        &self,
        condition: &'t Program<'t>,
        update: &'t Program<'t>,
        scope: &Scope<'t>,
        mut item: Item,
        out: Out<'_>,
    ) -> Flow {
        while let Some(holds) = self.judged("until", condition, scope, &item)? {
            if holds {
                return out(item);
            }
            let Some(next) = self.updated("until", update, scope, item)? else {
                break;
            };
            item = next;
        }
        Ok(())
    }

    /// The values of `. | update | update …` up to the first on which the condition does not hold.
    pub(super) fn while_true<'t>(
        &self,
        condition: &'t Program<'t>,
        update: &'t Program<'t>,
        scope: &Scope<'t>,
        mut item: Item,
        out: Out<'_>,
    ) -> Flow {
        while let Some(true) = self.judged("while", condition, scope, &item)? {
            out(item.clone())?;
            let Some(next) = self.updated("while", update, scope, item)? else {
                break;
            };
            item = next;
        }
        Ok(())
    }

    /// Whether the condition of a loop holds; none if it has no output. One at most, as it is used:
    /// with several it would be no loop.
    fn judged<'t>(
        &self,
        name: &str,
        condition: &'t Program<'t>,
        scope: &Scope<'t>,
        item: &Item,
    ) -> Result<Option<bool>, Raise> {
        let mut holds = None;
        self.values(
            condition,
            scope,
            &item.value,
            &mut |value| match holds.replace(value.is_true()) {
                None => Ok(()),
                Some(_) => Err(missing(&format!("{name} with several conditions"))),
            },
        )?;
        Ok(holds)
    }

    /// What the next turn of a loop works on; none if there is none.
    fn updated<'t>(
        &self,
        name: &str,
        update: &'t Program<'t>,
        scope: &Scope<'t>,
        item: Item,
    ) -> Result<Option<Item>, Raise> {
        let mut next = None;
        self.eval(update, scope, item, &mut |item| match next.replace(item) {
            None => Ok(()),
            Some(_) => Err(missing(&format!("{name} with several updates"))),
        })?;
        Ok(next)
    }

    /// Whether any or all of what is tried holds; nothing is tried once that is decided.
    pub(super) fn quantify(
        &self,
        any: bool,
        each: &mut dyn FnMut(Decide<'_>) -> Flow,
    ) -> Result<Value, Raise> {
        let label = self.labels.get() + 1;
        self.labels.set(label);
        let flow = each(&mut |value| match value.is_true() == any {
            true => Err(Raise::Break(label)),
            false => Ok(()),
        });
        match flow {
            Ok(()) => Ok(Value::Bool(!any)),
            Err(Raise::Break(broken)) if broken == label => Ok(Value::Bool(any)),
            Err(raise) => Err(raise),
        }
    }
}
