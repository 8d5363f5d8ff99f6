//! Which names stand for a secret, and which values don't.

use regex::bytes::Regex;

/// Names of environment variables whose value is a secret.
const VARIABLE: &str = r"(?i-u)passw(or)?d|passphrase|secret|token|credential|api[-_]?key|access[-_]?key|private[-_]?key|(^|[._-])key$";
/// Ends of other names (keys of ConfigMaps, annotations, attributes, labels, headers) whose value is
/// a secret.
pub(super) const END: &str = r"(?:passw(?:or)?d|passphrase|[-_.]pwd|secret|token|credentials?|authorization|cookie|signature|x[-_]auth|(?:api|access|private|signing|encryption|secret|auth)[-_.]?key)";
/// Values that tell nothing, whatever their name.
const PLAIN: &str = r"^(?i-u:true|false|null|none|nil|undefined|yes|no|n/a|\d+ bytes|[*x]+)[,;]?$|^(?-u:\$\(|\$\{|\{\{|<)";

/// Tells names of secrets.
pub(super) struct Names {
    variable: Regex,
    end: Regex,
    flag: Regex,
    plain: Regex,
}

impl Names {
    pub(super) fn new() -> Result<Self, regex::Error> {
        Ok(Self {
            variable: Regex::new(VARIABLE)?,
            end: Regex::new(&format!("(?i-u){END}$"))?,
            flag: Regex::new(&format!("(?i-u)^--?[a-z0-9._-]*{END}$"))?,
            plain: Regex::new(PLAIN)?,
        })
    }

    /// Whether an environment variable of this name, or a key of a Secret, holds a secret.
    pub(super) fn is_variable(&self, name: &str) -> bool {
        self.variable.is_match(name.as_bytes())
    }

    /// Whether anything of this name holds a secret.
    pub(super) fn is_secret(&self, name: &str) -> bool {
        self.end.is_match(name.as_bytes())
    }

    /// Whether the argument after this one is a secret.
    pub(super) fn is_flag(&self, argument: &str) -> bool {
        self.flag.is_match(argument.as_bytes())
    }

    /// Whether a value tells nothing: it is empty, a word like `true`, or stands for another.
    pub(super) fn is_plain(&self, value: &[u8]) -> bool {
        value.trim_ascii().is_empty() || self.plain.is_match(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_secrets_are_told_from_names_about_secrets() {
        let names = Names::new().unwrap();
        for name in [
            "http.request.header.authorization",
            "set-cookie",
            "http.request.header.x_api_key",
            "example.com/api-token",
            "DB_PASSWORD",
            "clientSecret",
        ] {
            assert!(names.is_secret(name), "{name}");
        }
        for name in [
            "secretName",
            "tokenExpirationSeconds",
            "automountServiceAccountTokens",
            "key",
            "PWD",
            "kubernetes.io/enforce-mountable-secrets",
        ] {
            assert!(!names.is_secret(name), "{name}");
        }
        assert!(names.is_variable("tls.key") && names.is_variable("ENCRYPTION_KEY"));
        assert!(names.is_flag("--db-password") && !names.is_flag("--password=x"));
        assert!(
            names.is_plain(b"true")
                && names.is_plain(b"$(DB_PASSWORD)")
                && !names.is_plain(b"truest")
        );
    }
}
