//! Assignments.

use jaq_core::load::parse::BinaryOp;

use super::super::value::Value;
use super::super::{arithmetic, paths};
use super::{Flow, Item, Machine, Out, Path, Program, Raise, Scope, invalid_path, missing};

impl Machine<'_> {
    /// `=`, `|=`, `+=` and the like.
    pub(super) fn assign<'t>(
        &self,
        left: &'t Program<'t>,
        op: &'t BinaryOp<&'t str>,
        right: &'t Program<'t>,
        scope: &Scope<'t>,
        item: &Item,
        out: Out<'_>,
    ) -> Flow {
        let input = &item.value;
        let path = item.path.lost();
        if matches!(op, BinaryOp::Update) {
            let value = self.modify(left, scope, input, &mut |old| {
                let mut new = None;
                let flow = self.values(right, scope, &old, &mut |value| {
                    new = Some(value);
                    Err(Raise::Break(0))
                });
                match flow {
                    Err(Raise::Break(0)) | Ok(()) => Ok(new),
                    Err(raise) => Err(raise),
                }
            })?;
            return out(Item::new(value, path));
        }
        self.values(right, scope, input, &mut |given| {
            let value = self.modify(left, scope, input, &mut |old| {
                Ok(Some(match op {
                    BinaryOp::UpdateMath(op) => arithmetic::compute(*op, &old, &given, self)?,
                    BinaryOp::UpdateAlt if old.is_true() => old,
                    _ => given.clone(),
                }))
            })?;
            out(Item::new(value, path.clone()))
        })
    }

    /// Replaces what is at each path of a term.
    pub(super) fn modify<'t>(
        &self,
        term: &'t Program<'t>,
        scope: &Scope<'t>,
        input: &Value,
        change: &mut dyn FnMut(Value) -> Result<Option<Value>, Raise>,
    ) -> Result<Value, Raise> {
        let mut result = input.clone();
        for path in self.paths_of(term, scope, input)? {
            let old = paths::get_path(&result, &path)?;
            match change(old)? {
                Some(new) => {
                    self.step(paths::breadth(&result, &path))?;
                    result = paths::set_path(result, &path, new)?;
                }
                None if matches!(path.last(), Some(Value::Number(_))) => {
                    return Err(missing("|= empty on elements of an array"));
                }
                None => result = paths::delete(result, vec![path])?,
            }
        }
        Ok(result)
    }

    /// The paths of a term's outputs.
    pub(super) fn paths_of<'t>(
        &self,
        term: &'t Program<'t>,
        scope: &Scope<'t>,
        input: &Value,
    ) -> Result<Vec<Vec<Value>>, Raise> {
        let mut found = Vec::new();
        let item = Item::new(input.clone(), Path::At(None));
        self.eval(term, scope, item, &mut |item| {
            let keys = item.path.keys().ok_or_else(|| invalid_path(&item.value))?;
            self.step(keys.len() * 16)?;
            found.push(keys);
            Ok(())
        })?;
        Ok(found)
    }
}
