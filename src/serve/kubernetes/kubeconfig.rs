//! The file that tells clients where the server is.

use aiopslab_replay::kubernetes::USER;
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
- name: kubernetes
  cluster:
    server: {url}
{authority}contexts:
- name: {USER}@kubernetes
  context:
    cluster: kubernetes
    user: {USER}
current-context: {USER}@kubernetes
users:
- name: {USER}
  user:
    token: {USER}
"
    )
}
