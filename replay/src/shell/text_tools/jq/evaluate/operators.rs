//! Operators between two terms.

use jaq_core::load::parse::BinaryOp;

use super::super::arithmetic;
use super::super::value::Value;
use super::{Flow, Item, Machine, Out, Program, Raise, Scope};

impl Machine<'_> {
    /// A term of two terms.
    pub(super) fn binary<'t>(
        &self,
        left: &'t Program<'t>,
        op: &'t BinaryOp<&'t str>,
        right: &'t Program<'t>,
        scope: &Scope<'t>,
        item: Item,
        out: Out<'_>,
    ) -> Flow {
        match op {
            BinaryOp::Pipe(None) => self.eval(left, scope, item, &mut |item| {
                self.eval(right, scope, item, out)
            }),
            BinaryOp::Pipe(Some(pattern)) => self.values(left, scope, &item.value, &mut |value| {
                self.bind(pattern, &value, scope, &mut |inner| {
                    self.eval(right, inner, item.clone(), out)
                })
            }),
            BinaryOp::Comma => {
                self.eval(left, scope, item.clone(), out)?;
                self.eval(right, scope, item, out)
            }
            BinaryOp::Alt => self.alternative(left, right, scope, item, out),
            BinaryOp::Or | BinaryOp::And => {
                let decided = matches!(op, BinaryOp::Or);
                let path = item.path.lost();
                self.values(left, scope, &item.value, &mut |value| {
                    if value.is_true() == decided {
                        return out(Item::new(Value::Bool(decided), path.clone()));
                    }
                    self.values(right, scope, &item.value, &mut |value| {
                        out(Item::new(Value::Bool(value.is_true()), path.clone()))
                    })
                })
            }
            BinaryOp::Math(op) => {
                let path = item.path.lost();
                self.values(right, scope, &item.value, &mut |right| {
                    self.values(left, scope, &item.value, &mut |left| {
                        let value = arithmetic::compute(*op, &left, &right, self)?;
                        out(Item::new(value, path.clone()))
                    })
                })
            }
            BinaryOp::Cmp(op) => {
                let path = item.path.lost();
                self.values(right, scope, &item.value, &mut |right| {
                    self.values(left, scope, &item.value, &mut |left| {
                        self.step(left.breadth().min(right.breadth()))?;
                        let value = Value::Bool(arithmetic::holds(*op, &left, &right));
                        out(Item::new(value, path.clone()))
                    })
                })
            }
            BinaryOp::Assign | BinaryOp::Update | BinaryOp::UpdateMath(_) | BinaryOp::UpdateAlt => {
                self.assign(left, op, right, scope, &item, out)
            }
        }
    }

    /// `//`: what is neither null nor false, errors aside; else the other.
    fn alternative<'t>(
        &self,
        left: &'t Program<'t>,
        right: &'t Program<'t>,
        scope: &Scope<'t>,
        item: Item,
        out: Out<'_>,
    ) -> Flow {
        let mut found = false;
        let mut after = None;
        let flow = self.eval(left, scope, item.clone(), &mut |item| {
            if !item.value.is_true() {
                return Ok(());
            }
            found = true;
            out(item).map_err(|raise| {
                after = Some(raise);
                Raise::Break(0)
            })
        });
        match (flow, after) {
            (_, Some(raise)) => Err(raise),
            (Err(Raise::Error(_)) | Ok(()), None) if !found => self.eval(right, scope, item, out),
            (Err(Raise::Error(_)), None) => Ok(()),
            (flow, None) => flow,
        }
    }
}
