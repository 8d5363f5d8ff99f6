//! A feature flag: a text of JSON in an object.

use aiopslab_problems::family::Flags;
use aiopslab_problems::fault::Flag;
use aiopslab_problems::path;
use serde_json::Value;

use super::nothing;
use crate::error::CaptureError;

/// The object with a flag's default variant changed.
pub(super) fn with_default(
    object: &Value,
    flags: &Flags,
    step: &Flag,
) -> Result<Value, CaptureError> {
    let wrong = |because: &str| nothing(&flags.object, because);
    let texts = path::get(object, &flags.path).map_err(|error| wrong(&error.to_string()))?;
    let [Value::String(text)] = texts.as_slice() else {
        return Err(wrong(&format!("there is not one text at {}", flags.path)));
    };
    let mut document: Value =
        serde_json::from_str(text).map_err(CaptureError::json("the feature flags"))?;
    let flag = document
        .get_mut("flags")
        .and_then(|all| all.get_mut(&step.flag))
        .ok_or_else(|| wrong(&format!("there is no flag {:?}", step.flag)))?;
    let variants = flag.get("variants").and_then(Value::as_object);
    if variants.is_none_or(|variants| !variants.contains_key(&step.variant)) {
        let (name, variant) = (&step.flag, &step.variant);
        return Err(wrong(&format!("flag {name:?} has no variant {variant:?}")));
    }
    flag["defaultVariant"] = step.variant.clone().into();
    let text =
        serde_json::to_string_pretty(&document).map_err(CaptureError::json("the feature flags"))?;
    let mut after = object.clone();
    path::set(&mut after, &flags.path, None, &Value::String(text))
        .map_err(|error| wrong(&error.to_string()))?;
    Ok(after)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_default_is_changed_and_nothing_else() {
        let flags = Flags {
            object: "configmap/flags".to_owned(),
            path: r#"data["all.json"]"#.to_owned(),
            restart: "deployment/flagd".to_owned(),
        };
        let text = |default: &str| {
            serde_json::to_string_pretty(&json!({"flags": {"slow": {"state": "ENABLED",
                "variants": {"on": true, "off": false}, "defaultVariant": default}}}))
            .unwrap()
        };
        let object = json!({"data": {"all.json": text("off")}});
        let step = |flag: &str, variant: &str| Flag {
            flag: flag.to_owned(),
            variant: variant.to_owned(),
        };
        let after = with_default(&object, &flags, &step("slow", "on")).unwrap();
        assert_eq!(after, json!({"data": {"all.json": text("on")}}));
        for (flag, variant, because) in [
            ("fast", "on", "there is no flag \"fast\""),
            ("slow", "half", "flag \"slow\" has no variant \"half\""),
        ] {
            let error = with_default(&object, &flags, &step(flag, variant)).unwrap_err();
            assert!(error.to_string().contains(because), "{error}");
        }
    }
}
