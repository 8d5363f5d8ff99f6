//! Generated invocations: options, patterns and inputs in any combination, the same in every run.

mod lines;
mod search;
mod words;

use super::invocation::Invocation;

/// What the invocations of a program are made of.
#[derive(Clone)]
struct Recipe {
    program: &'static str,
    inputs: &'static [&'static str],
    /// Each may be there or not; words are separated by blanks.
    options: &'static [&'static str],
    /// One of each list follows.
    then: &'static [&'static [&'static str]],
}

/// Every recipe's invocations.
pub(super) fn all(each: usize) -> Vec<Invocation> {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let mut all = Vec::new();
    for recipe in [search::RECIPES, lines::RECIPES, words::RECIPES].concat() {
        for _ in 0..each {
            all.push(recipe.make(&mut random));
        }
    }
    all
}

impl Recipe {
    fn make(&self, random: &mut Random) -> Invocation {
        let mut words = vec![self.program.to_owned()];
        for _ in 0..random.below(4) {
            if !self.options.is_empty() {
                push(&mut words, random.one(self.options));
            }
        }
        for list in self.then {
            push(&mut words, random.one(list));
        }
        Invocation::new(random.one(self.inputs), words)
    }
}

/// Adds the words of an ingredient; quotes group.
fn push(words: &mut Vec<String>, ingredient: &str) {
    let mut parts = ingredient.splitn(2, ' ');
    let first = parts.next().unwrap_or_default();
    match parts.next() {
        None if first.is_empty() => {}
        Some(rest) if first.starts_with('-') && !rest.is_empty() => {
            words.push(first.to_owned());
            match rest.strip_prefix('\'') {
                Some(quoted) => words.push(quoted.trim_end_matches('\'').to_owned()),
                None => words.extend(rest.split(' ').map(str::to_owned)),
            }
        }
        Some(_) if ingredient.starts_with("data/") || ingredient.starts_with("- ") => {
            words.extend(ingredient.split(' ').map(str::to_owned));
        }
        _ => words.push(ingredient.to_owned()),
    }
}

/// Numbers that follow from each other.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % limit
    }

    fn one<'a>(&mut self, list: &'a [&'a str]) -> &'a str {
        list[self.below(list.len())]
    }
}
