//! The OpenAPI document as a judge: whether a request and its answer are what it describes.

use std::collections::BTreeSet;

use serde_json::Value;

/// The document.
pub(crate) struct Contract {
    document: Value,
}

impl Contract {
    pub(crate) fn read() -> Self {
        let text = aiopslab::serve::http::OPENAPI;
        let read = Self {
            document: serde_json::from_str(text).unwrap(),
        };
        for reference in text.split("\"$ref\": \"#").skip(1) {
            let path = reference.split('"').next().unwrap();
            assert!(read.document.pointer(path).is_some(), "{path} is missing");
        }
        read
    }

    /// Every method and path of it.
    pub(crate) fn operations(&self) -> BTreeSet<(String, String)> {
        let paths = self.document["paths"].as_object().unwrap();
        let methods = |item: &Value| {
            item.as_object()
                .unwrap()
                .keys()
                .cloned()
                .collect::<Vec<_>>()
        };
        paths
            .iter()
            .flat_map(|(path, item)| {
                let methods = methods(item).into_iter();
                methods.map(|method| (method, path.clone()))
            })
            .collect()
    }

    /// Checks a request that was granted, and any answer.
    pub(crate) fn check(
        &self,
        method: &str,
        path: &str,
        sent: Option<&Value>,
        status: u16,
        answer: &Value,
    ) {
        let path = path.split('?').next().unwrap();
        let operation = self
            .operation(method, path)
            .unwrap_or_else(|| panic!("{method} {path} is not described"));
        let at = format!("{method} {path} {status}");
        if let Some(sent) = sent.filter(|_| status < 300) {
            let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
            assert!(!schema.is_null(), "{at}: no body is described");
            self.fits(schema, sent, &format!("{at} request")).unwrap();
        }
        let response = self.resolved(&operation["responses"][status.to_string()]);
        let schema = &response["content"]["application/json"]["schema"];
        assert!(!schema.is_null(), "{at} is not described: {answer}");
        self.fits(schema, answer, &at).unwrap();
    }

    fn operation(&self, method: &str, path: &str) -> Option<&Value> {
        let paths = self.document["paths"].as_object().unwrap();
        let same = |known: &str| {
            let (known, given): (Vec<_>, Vec<_>) =
                (known.split('/').collect(), path.split('/').collect());
            let mut parts = known.iter().zip(&given);
            known.len() == given.len()
                && parts.all(|(known, given)| known == given || known.starts_with('{'))
        };
        let item = paths.iter().find(|(known, _)| same(known))?.1;
        item.get(method.to_lowercase())
    }

    fn resolved<'a>(&'a self, value: &'a Value) -> &'a Value {
        match value["$ref"].as_str() {
            Some(reference) => self.document.pointer(&reference[1..]).unwrap(),
            None => value,
        }
    }

    /// The part of JSON Schema that the document uses.
    fn fits(&self, schema: &Value, value: &Value, at: &str) -> Result<(), String> {
        let schema = self.resolved(schema);
        let wrong = |what: String| Err(format!("{at}: {what}: {value}"));
        let types: Vec<&str> = match &schema["type"] {
            Value::String(one) => vec![one],
            Value::Array(several) => several.iter().map(|one| one.as_str().unwrap()).collect(),
            _ => Vec::new(),
        };
        if !types.is_empty() && !types.iter().any(|kind| is_of(kind, value)) {
            return wrong(format!("is no {types:?}"));
        }
        if schema["enum"]
            .as_array()
            .is_some_and(|known| !known.contains(value))
        {
            return wrong(format!("is none of {}", schema["enum"]));
        }
        for (bound, beyond) in [("minimum", -1.0), ("maximum", 1.0)] {
            let outside = schema[bound].as_f64().zip(value.as_f64());
            if outside.is_some_and(|(bound, value)| (value - bound) * beyond > 0.0) {
                return wrong(format!("is beyond its {bound}"));
            }
        }
        if let Some(choices) = schema["oneOf"].as_array() {
            let fitting = choices
                .iter()
                .filter(|one| self.fits(one, value, at).is_ok())
                .count();
            if fitting != 1 {
                return wrong(format!("fits {fitting} of {}", schema["oneOf"]));
            }
        }
        for required in schema["required"].as_array().into_iter().flatten() {
            if value.get(required.as_str().unwrap()).is_none() {
                return wrong(format!("has no {required}"));
            }
        }
        if let Some(fields) = value.as_object() {
            for (name, field) in fields {
                match schema["properties"].get(name) {
                    Some(described) => self.fits(described, field, &format!("{at}.{name}"))?,
                    None if schema["additionalProperties"] == false => {
                        return wrong(format!("has the unknown field {name}"));
                    }
                    None => {}
                }
            }
        }
        for (index, item) in value.as_array().into_iter().flatten().enumerate() {
            self.fits(&schema["items"], item, &format!("{at}[{index}]"))?;
        }
        Ok(())
    }
}

fn is_of(kind: &str, value: &Value) -> bool {
    match kind {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_u64() || value.is_i64(),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        _ => panic!("unknown type {kind}"),
    }
}
