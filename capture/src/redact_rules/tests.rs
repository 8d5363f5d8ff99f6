//! Secrets in every place that was thought of.

use serde_json::json;

use super::*;

fn rules() -> RedactRules {
    RedactRules::new([7; 32], &["badge-(?<secret>[0-9]+)".to_owned()]).unwrap()
}

#[test]
fn values_of_secrets_keep_length_and_equality() {
    let mut secret = json!({"kind": "Secret",
        "data": {"password": "aHVudGVyMmh1bnRlcjI=", "copy": "aHVudGVyMmh1bnRlcjI="}});
    assert!(rules().object("secrets", &mut secret));
    let password = secret["data"]["password"].as_str().unwrap();
    assert_ne!(password, "aHVudGVyMmh1bnRlcjI=");
    assert_eq!(password.len(), "aHVudGVyMmh1bnRlcjI=".len());
    assert_eq!(secret["data"]["password"], secret["data"]["copy"]);
}

#[test]
fn environments_and_applied_configurations_are_redacted() {
    let env = json!({"env": [{"name": "DB_PASSWORD", "value": "hunter2"},
        {"name": "DB_HOST", "value": "postgres"}]});
    let mut pod = json!({"metadata": {"annotations": {APPLIED: env.to_string()}}, "spec": env});
    assert!(rules().object("pods", &mut pod));
    assert!(!pod.to_string().contains("hunter2"), "{pod}");
    assert_eq!(pod["spec"]["env"][1]["value"], "postgres");
}

#[test]
fn what_a_client_printed_is_redacted_as_the_object_is() {
    let mut pod = json!({"env": [{"name": "DB_PASSWORD", "value": "hunter2"}]});
    let rules = rules();
    rules.object("pods", &mut pod);
    let masked = pod["env"][0]["value"].as_str().unwrap();
    let printed = [
        "    - name: DB_PASSWORD\n      value: hunter2\n",
        "  {\n    \"name\": \"DB_PASSWORD\",\n    \"value\": \"hunter2\"\n  }",
        r#"{\"env\":[{\"name\":\"DB_PASSWORD\",\"value\":\"hunter2\"}]}"#,
        "      DB_PASSWORD:  hunter2\n      DB_HOST:  postgres\n",
    ];
    for text in printed {
        let mut redacted = text.to_owned();
        assert!(rules.printed(&mut redacted), "{text}");
        assert_eq!(redacted, text.replace("hunter2", masked));
    }
    for text in [
        "      DB_PASSWORD:  <set to the key 'password' in secret 'postgres'>\n",
        "      SecretName:  postgres\n",
        "    - name: DB_PASSWORD\n      valueFrom:\n        secretKeyRef:\n          key: password\n",
    ] {
        let mut redacted = text.to_owned();
        assert!(!rules.printed(&mut redacted), "{redacted}");
    }
}

#[test]
fn known_values_are_found_in_text() {
    let rules = rules();
    rules.learn(&json!({"data": {"password": "aHVudGVyMmh1bnRlcjI="}})); // hunter2hunter2
    let check = |text: &str| {
        let mut redacted = text.to_owned();
        let changed = rules.text(&mut redacted);
        assert_eq!(redacted.len(), text.len());
        assert_eq!(changed, redacted != text);
        changed
    };
    assert!(check("login with hunter2hunter2 failed"));
    assert!(check("Authorization: Bearer abc.def"));
    assert!(check("postgres://geo:pw@postgres-geo/geo"));
    assert!(check("PGPASSWORD=x1"));
    assert!(check("badge-123"));
    assert!(!check("password authentication failed for user \"geo\""));
    assert!(!check("GET http://rate:8080/rates 200"));
}

/// A secret that no rule knows by its looks.
const PLANTED: &str = "Zx9-plum-Kestrel";

fn gzip(text: &str) -> Vec<u8> {
    use std::io::Write;
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(text.as_bytes()).unwrap();
    packed.finish().unwrap()
}

fn base64(bytes: &[u8]) -> String {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

/// Nothing of it is left, as it is or encoded.
fn is_clean(text: &str) -> bool {
    let encoded = base64(PLANTED.as_bytes());
    !text.contains(PLANTED) && !text.contains(encoded.trim_end_matches('='))
}

#[test]
fn a_secret_in_any_place_of_an_object_is_replaced() {
    let objects = [
        json!({"kind": "ConfigMap", "data": {"db-password": PLANTED}}),
        json!({"kind": "ConfigMap", "data": {"app.yaml": format!("db:\n  password: {PLANTED}\n  host: x\n")}}),
        json!({"kind": "ConfigMap", "data": {"app.json": format!("{{\"apiKey\": \"{PLANTED}\"}}")}}),
        json!({"kind": "ConfigMap", "data": {"app.ini": format!("api_key = {PLANTED}\n")}}),
        json!({"kind": "ConfigMap", "data": {"app.toml": format!("access-key = \"{PLANTED}\"\n")}}),
        json!({"kind": "ConfigMap", "binaryData": {"app.env": base64(format!("A_TOKEN={PLANTED}").as_bytes())}}),
        json!({"metadata": {"annotations": {"example.com/api-token": PLANTED}}}),
        json!({"metadata": {"annotations": {"note": format!("log in with password={PLANTED}")}}}),
        json!({"spec": {"containers": [{"args": ["--db-password", PLANTED]}]}}),
        json!({"spec": {"containers": [{"args": [format!("--token={PLANTED}")]}]}}),
        json!({"spec": {"containers": [{"command": ["sh", "-c", format!("run --auth-token {PLANTED} -v")]}]}}),
        json!({"spec": {"containers": [{"env": [{"name": "ENCRYPTION_KEY", "value": PLANTED}]}]}}),
        json!({"spec": {"auth": {"clientSecret": PLANTED}}}),
        json!({"items": [{"kind": "Secret", "data": {"x": base64(PLANTED.as_bytes())}}]}),
        json!({"note": format!("redis://:{PLANTED}@redis:6379")}),
        json!({"message": format!("ALTER USER geo PASSWORD '{PLANTED}'")}),
    ];
    for mut object in objects {
        let rules = rules();
        assert!(rules.object("", &mut object), "{object}");
        assert!(is_clean(&object.to_string()), "{object}");
    }
}

#[test]
fn a_release_of_helm_tells_nothing_and_its_settings_are_known() {
    let release = json!({"config": {"auth": {"password": PLANTED}}, "manifest": "kind: Secret"});
    let packed = base64(&gzip(&release.to_string()));
    let mut secret = json!({"kind": "Secret", "type": "helm.sh/release.v1",
        "metadata": {"name": "sh.helm.release.v1.shop.v1"},
        "data": {"release": base64(packed.as_bytes())}});
    let rules = rules();
    assert!(rules.object("secrets", &mut secret));
    let masked = secret["data"]["release"].as_str().unwrap();
    assert_eq!(masked.len(), base64(packed.as_bytes()).len());
    assert_ne!(masked, base64(packed.as_bytes()));
    let (line, changed) = rules.line(format!("connecting with {PLANTED}").as_bytes());
    assert!(changed && is_clean(&String::from_utf8(line).unwrap()));
    // Helm may keep its releases in ConfigMaps.
    let mut map = json!({"kind": "ConfigMap", "metadata": {"labels": {"owner": "helm"}},
        "data": {"release": packed}});
    assert!(rules.object("configmaps", &mut map));
    assert_ne!(map["data"]["release"], packed.as_str());
}

#[test]
fn headers_are_replaced_in_logs_and_in_attributes_of_spans() {
    let lines = [
        format!("> Authorization: Bearer {PLANTED}"),
        format!("{{\"authorization\":\"Basic {PLANTED}\"}}"),
        format!("authorization: {PLANTED}{PLANTED}"),
        format!("Cookie: session={PLANTED}; theme=dark"),
        format!("set-cookie: sid={PLANTED}; HttpOnly"),
        format!("X-Api-Key: {PLANTED}"),
        format!("set db_password = \"{PLANTED}\" now"),
        format!("with token = {PLANTED}"),
        format!("{{\"x-api-key\": [\"{PLANTED}\"]}}"),
        format!("env: DB_PASSWORD=\"{PLANTED}\""),
        format!("dsn=postgres://geo:{PLANTED}@postgres-geo/geo"),
        format!("{{\"msg\":\"login\",\"password\":\"{PLANTED}\"}}"),
    ];
    for line in lines {
        let (redacted, changed) = rules().line(line.as_bytes());
        let redacted = String::from_utf8(redacted).unwrap();
        assert!(changed && is_clean(&redacted), "{redacted}");
        assert_eq!(redacted.len(), line.len());
    }
    let attribute = |key: &str| json!({"key": key, "type": "string", "value": PLANTED});
    let quoted = json!({"key": "http.request.header.cookie", "type": "string",
        "value": json!([PLANTED]).to_string()});
    let attributes = json!([attribute("http.request.header.authorization"),
        attribute("http.request.header.x-api-key"), attribute("http.request.header.x_api_key"),
        attribute("db.password"), quoted, {"key": "http.route", "type": "string", "value": "/rates"}]);
    let mut text = attributes.to_string();
    assert!(rules().text(&mut text));
    assert!(is_clean(&text), "{text}");
    let attributes: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(attributes[5]["value"], "/rates");
}

#[test]
fn a_secret_is_replaced_by_the_same_text_everywhere() {
    let rules = rules();
    rules.learn(&json!({"metadata": {"name": "postgres-geo"}, "data": {"password": base64(PLANTED.as_bytes())}}));
    let mut pod = json!({"env": [{"name": "DB_PASSWORD", "value": PLANTED}]});
    rules.object("pods", &mut pod);
    let masked = pod["env"][0]["value"].as_str().unwrap();
    for text in [
        "DB_PASSWORD=",
        "postgres://geo:",
        "\"password\":\"",
        "it is ",
    ] {
        let (line, _) = rules.line(format!("{text}{PLANTED}\"@db").as_bytes());
        let line = String::from_utf8(line).unwrap();
        assert!(line.contains(masked), "{line} has no {masked}");
    }
    // A copy of a Secret's value is not replaced a second time.
    let mut secret = json!({"kind": "Secret", "data": {"password": base64(PLANTED.as_bytes())}});
    rules.object("secrets", &mut secret);
    assert_eq!(secret["data"]["password"], base64(masked.as_bytes()));
}

#[test]
fn what_is_no_secret_stays() {
    let rules = rules();
    rules.learn(&json!({"metadata": {"name": "postgres-geo"}, "data": {"password": "eA=="}}));
    let texts = [
        "password authentication failed for user \"geo\"",
        "invalid token",
        "SELECT password_sha256 = encode(sha256(convert_to($2, 'UTF8')), 'hex') FROM users",
        "SELECT 1 FROM users WHERE password = crypt($1, salt) AND token = $2",
        "DISABLE_TOKEN=true",
        "GET http://rate:8080/rates?key=1 200",
        "    secretName: postgres-geo",
        "password:  17 bytes",
        "existing-secret: postgres-geo",
        "automountServiceAccountToken: false",
        "  authorization:\n    type: Bearer\n    credentials_file: /var/run/secrets/token\n",
        "    \"automountServiceAccountToken\": false,\n    \"containers\": [",
        "x-request-id: 77aa",
        "the cookie jar is empty",
        "      DB_PASSWORD:  $(POSTGRES_PASSWORD)",
    ];
    for text in texts {
        let mut redacted = text.to_owned();
        rules.printed(&mut redacted);
        assert_eq!(redacted, text);
    }
    let object = json!({"kind": "Ingress", "metadata": {"annotations": {
        "nginx.ingress.kubernetes.io/auth-secret": "shop/postgres-geo"}},
        "spec": {"volumes": [{"name": "token", "secret": {"secretName": "postgres-geo"}}],
        "env": [{"name": "TOKEN_CACHE", "value": "$(SIZE)"}, {"name": "PWD", "value": "/app"}]}});
    let mut redacted = object.clone();
    assert!(!rules.object("ingresses", &mut redacted), "{redacted}");
    assert_eq!(redacted, object);
}

#[test]
fn the_manifest_does_not_repeat_the_users_expressions() {
    let record = rules().record();
    assert!(!record.rules.join(" ").contains("badge"), "{record:?}");
}
