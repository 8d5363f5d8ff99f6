//! Who may ask: everybody on this machine, elsewhere whoever has the key.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::http::header::{AUTHORIZATION, HOST};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};

use super::refused::refused;
use crate::exit::Failure;

/// What a request needs.
#[derive(Debug, Clone, Default)]
pub struct Access {
    /// The key's digest; none: there is no key.
    key: Option<Arc<[u8]>>,
}

/// A request that is turned away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TurnedAway {
    /// It has no key, or another one.
    #[error("this needs the server's key\nhint: the header `Authorization: Bearer KEY`")]
    NoKey,
    /// A page of another site, which had its name lead here.
    #[error(
        "this server answers to this machine's own names only\nhint: ask for localhost, or start the server with a key"
    )]
    OtherName,
}

impl IntoResponse for TurnedAway {
    fn into_response(self) -> Response {
        let status = match self {
            Self::NoKey => StatusCode::UNAUTHORIZED,
            Self::OtherName => StatusCode::FORBIDDEN,
        };
        refused(status, &self.to_string())
    }
}

impl Access {
    /// Access with a key, or without one.
    #[must_use]
    pub fn new(key: Option<&str>) -> Self {
        Self {
            key: key.map(|key| digest(key).into()),
        }
    }

    /// Refuses to be reached from other machines without a key.
    ///
    /// # Errors
    /// When the address is not on loopback and there is no key.
    pub fn check_address(&self, address: SocketAddr) -> Result<(), Failure> {
        if self.key.is_some() || address.ip().is_loopback() {
            return Ok(());
        }
        Err(Failure::user(format!(
            "{address} can be reached from other machines, and there is no key\nhint: --api-key-file FILE, or the environment variable AIOPSLAB_API_KEY"
        )))
    }

    /// Whether a key has to be given.
    #[must_use]
    pub fn needs_key(&self) -> bool {
        self.key.is_some()
    }

    /// Whether this is the key.
    #[must_use]
    pub fn is_key(&self, given: &str) -> bool {
        let key = self.key.as_ref();
        key.is_some_and(|key| same(key, &digest(given)))
    }

    /// Looks at a request.
    ///
    /// # Errors
    /// When it is not let in.
    pub fn check(&self, uri: &Uri, headers: &HeaderMap) -> Result<(), TurnedAway> {
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
        if !self.needs_key() {
            let host = uri.host().or_else(|| text(HOST)).unwrap_or_default();
            return match is_this_machine(host) {
                true => Ok(()),
                false => Err(TurnedAway::OtherName),
            };
        }
        let given = text(AUTHORIZATION).and_then(|value| value.split_once(' '));
        match given {
            Some((scheme, given))
                if scheme.eq_ignore_ascii_case("bearer") && self.is_key(given.trim()) =>
            {
                Ok(())
            }
            _ => Err(TurnedAway::NoKey),
        }
    }
}

fn digest(key: &str) -> Vec<u8> {
    Sha256::digest(key.as_bytes()).to_vec()
}

/// Compares digests in the same time wherever they differ.
fn same(left: &[u8], right: &[u8]) -> bool {
    let differing = left
        .iter()
        .zip(right)
        .fold(0, |bits, (a, b)| bits | (a ^ b));
    left.len() == right.len() && differing == 0
}

fn is_this_machine(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    let address = name.parse::<std::net::IpAddr>();
    name.eq_ignore_ascii_case("localhost") || address.is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(access: &Access, headers: &[(&'static str, &str)]) -> Result<(), TurnedAway> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(*name, value.parse().unwrap());
        }
        access.check(&Uri::from_static("/problems"), &map)
    }

    #[test]
    fn a_key_is_asked_for_in_full() {
        let access = Access::new(Some("secret"));
        assert_eq!(
            asked(&access, &[("authorization", "Bearer secret")]),
            Ok(())
        );
        assert_eq!(
            asked(&access, &[("authorization", "bearer secret")]),
            Ok(())
        );
        for wrong in [
            "Bearer secre",
            "Bearer secrets",
            "Bearer ",
            "Basic secret",
            "secret",
        ] {
            let asked = asked(&access, &[("authorization", wrong)]);
            assert_eq!(asked, Err(TurnedAway::NoKey), "{wrong}");
        }
        assert_eq!(
            asked(&access, &[("host", "localhost")]),
            Err(TurnedAway::NoKey)
        );
    }

    #[test]
    fn without_a_key_only_names_of_this_machine_are_answered() {
        let access = Access::new(None);
        for own in [
            "localhost:1818",
            "127.0.0.1:1818",
            "[::1]:1818",
            "LOCALHOST",
        ] {
            assert_eq!(asked(&access, &[("host", own)]), Ok(()), "{own}");
        }
        for other in ["example.org:1818", "localhost.example.org", "10.0.0.1", ""] {
            let asked = asked(&access, &[("host", other)]);
            assert_eq!(asked, Err(TurnedAway::OtherName), "{other}");
        }
    }

    #[test]
    fn other_machines_need_a_key() {
        let everywhere = SocketAddr::from(([0, 0, 0, 0], 80));
        assert!(Access::new(None).check_address(everywhere).is_err());
        assert!(Access::new(Some("k")).check_address(everywhere).is_ok());
        assert!(
            Access::new(None)
                .check_address(([127, 0, 0, 1], 80).into())
                .is_ok()
        );
    }
}
