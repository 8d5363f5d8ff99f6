//! What models cost: a shipped table, and the user's own on top.

use aiopslab_problems::episode::Usage;
use serde::Deserialize;

use super::answer::Tokens;
use crate::settings::{LlmSettings, Price};

const SHIPPED: &str = include_str!("prices.toml");

/// The shipped table.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    version: String,
    price: Vec<Listed>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Listed {
    model: String,
    input: f64,
    cached_input: Option<f64>,
    output: f64,
    #[expect(dead_code, reason = "read by people")]
    date: String,
    #[expect(dead_code, reason = "read by people")]
    source: String,
}

/// A price and who says so.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Priced {
    pub(super) price: Price,
    /// `settings`, or the shipped table's version.
    pub(super) from: String,
}

/// Finds a model's price; none: not known. Without an entry of its own, `NAME-2026-01-31` costs what `NAME` does.
pub(super) fn find(model: &str, settings: &LlmSettings) -> Option<Priced> {
    if let Some(price) = settings.prices.value.get(model) {
        return Some(Priced {
            price: *price,
            from: "settings".to_owned(),
        });
    }
    let table: Table = toml::from_str(SHIPPED).ok()?;
    let of = |name: &str| table.price.iter().find(|listed| listed.model == name);
    let listed = of(model).or_else(|| of(undated(model)?))?;
    Some(Priced {
        price: Price {
            input: listed.input,
            cached_input: listed.cached_input,
            output: listed.output,
        },
        from: format!("table of {}", table.version),
    })
}

/// The name of a model without the date of its version.
fn undated(model: &str) -> Option<&str> {
    let (name, date) = model.split_at_checked(model.len().checked_sub(11)?)?;
    let is_date = date.bytes().enumerate().all(|(index, byte)| match index {
        0 | 5 | 8 => byte == b'-',
        _ => byte.is_ascii_digit(),
    });
    is_date.then_some(name)
}

/// What an answer took: as the provider told, else as we counted.
pub(super) fn usage(
    told: Option<Tokens>,
    counted: impl FnOnce() -> Tokens,
    price: Option<&Price>,
) -> Usage {
    let tokens = told.unwrap_or_else(counted);
    Usage {
        input_tokens: tokens.input,
        output_tokens: tokens.output,
        cost_usd: price.map(|price| cost(tokens, price)),
        estimated: told.is_none(),
    }
}

#[expect(clippy::cast_precision_loss, reason = "nobody reads 2^53 tokens")]
fn cost(tokens: Tokens, price: &Price) -> f64 {
    let cached = tokens.cached_input.min(tokens.input);
    let full = (tokens.input - cached) as f64 * price.input;
    let read_again = cached as f64 * price.cached_input.unwrap_or(price.input);
    (full + read_again + tokens.output as f64 * price.output) / 1e6
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shipped_price_has_a_date_and_a_source() {
        let table: Table = toml::from_str(SHIPPED).unwrap();
        assert!(table.price.len() > 5);
        let mut names: Vec<_> = table.price.iter().map(|one| &one.model).collect();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), table.price.len(), "a model is listed twice");
    }

    #[test]
    fn the_date_of_a_version_does_not_change_its_price() {
        assert_eq!(undated("gpt-4o-2024-08-06"), Some("gpt-4o"));
        assert_eq!(undated("gpt-4o"), None);
        assert_eq!(undated("ö-2024-08-06"), Some("ö"));
    }

    #[test]
    fn what_was_cached_costs_less_and_what_nobody_counted_is_an_estimate() {
        let price = Price {
            input: 2.0,
            cached_input: Some(0.5),
            output: 8.0,
        };
        let told = Tokens {
            input: 1_000_000,
            cached_input: 400_000,
            output: 100_000,
        };
        let took = usage(Some(told), Tokens::default, Some(&price));
        assert!((took.cost_usd.unwrap() - (1.2 + 0.2 + 0.8)).abs() < 1e-9);
        assert!(!took.estimated);
        let took = usage(None, || told, None);
        assert_eq!((took.input_tokens, took.estimated), (1_000_000, true));
        assert_eq!(took.cost_usd, None);
    }
}
