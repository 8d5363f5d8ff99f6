//! `aiopslab config`: the settings and where each came from; or a strategy to copy.

use serde_json::Value;

use crate::agents::llm::STRATEGIES;
use crate::cli::Config;
use crate::exit::Failure;
use crate::output::print;
use crate::settings::Settings;

pub(super) fn run(arguments: &Config, settings: &Settings) -> Result<(), Failure> {
    if let Some(wanted) = &arguments.strategy {
        let (_, text) = STRATEGIES
            .iter()
            .find(|(name, _)| name == wanted)
            .ok_or_else(|| {
                let names: Vec<_> = STRATEGIES.iter().map(|(name, _)| *name).collect();
                Failure::user(format!(
                    "no strategy {wanted:?} is shipped\nhint: there are {}",
                    names.join(", ")
                ))
            })?;
        print(text);
        return Ok(());
    }
    let all = serde_json::to_value(settings)?;
    if arguments.json {
        print(&format!("{all:#}\n"));
        return Ok(());
    }
    print(&lines("", &all));
    Ok(())
}

/// A line for each setting; those of a table have its name before theirs.
fn lines(table: &str, settings: &Value) -> String {
    let mut text = String::new();
    for (name, setting) in settings.as_object().into_iter().flatten() {
        let name = format!("{table}{name}");
        let Some(from) = setting["from"].as_str() else {
            text.push_str(&lines(&format!("{name}."), setting));
            continue;
        };
        let value = match &setting["value"] {
            Value::Null => "-".to_owned(),
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        text.push_str(&format!("{name:<23} {value:<40} {from}\n"));
    }
    text
}
