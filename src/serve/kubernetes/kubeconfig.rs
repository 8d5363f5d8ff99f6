//! The file that tells clients where the server is.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

/// A kubeconfig for a server, with the certificate authority (PEM) that vouches for it.
#[must_use]
pub fn kubeconfig(url: &str, authority: Option<&str>) -> String {
    let authority = authority.map_or(String::new(), |pem| {
        let data = BASE64_STANDARD.encode(pem);
        format!("    certificate-authority-data: {data}\n")
    });
    format!(
        "apiVersion: v1
kind: Config
clusters:
- name: replay
  cluster:
    server: {url}
{authority}contexts:
- name: replay
  context:
    cluster: replay
    user: replay
current-context: replay
users:
- name: replay
  user:
    token: replay
"
    )
}
