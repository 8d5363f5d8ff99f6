//! `aiopslab config`: the settings and where each came from.

use serde_json::Value;

use crate::cli::Json;
use crate::exit::Failure;
use crate::output::print;
use crate::settings::Settings;

pub(super) fn run(arguments: &Json, settings: &Settings) -> Result<(), Failure> {
    let all = serde_json::to_value(settings)?;
    if arguments.json {
        print(&format!("{all:#}\n"));
        return Ok(());
    }
    for (name, setting) in all.as_object().into_iter().flatten() {
        let value = match &setting["value"] {
            Value::Null => "-".to_owned(),
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let from = setting["from"].as_str().unwrap_or_default();
        print(&format!("{name:<11} {value:<40} {from}\n"));
    }
    Ok(())
}
