//! `getent hosts NAME` and `nslookup NAME` inside a container.
//!
//! Whether a name has an address follows from the container's `/etc/resolv.conf`, which was
//! recorded, and from the Services. How the container's own program tells it was recorded too, for
//! one name of each form that is there and for one that is not: that answer with the names and the
//! address exchanged is the answer for another name of the same form.

use super::Answer;
use super::inside::Inside;
use crate::kubectl::failure::Failure;
use crate::kubernetes::dns::{Dns, Resolved};
use crate::view::ExecAnswer;

/// The first label of the name that was asked for because nothing has it.
const NO_SERVICE: &str = "no-such-service";
/// What the program prints about a name; none if that is not known.
pub(super) async fn answer(
    inside: &Inside<'_, '_>,
    words: &[&str],
    name: &str,
) -> Result<Option<Answer>, Failure> {
    let Some(resolver) = Resolver::of(inside).await? else {
        return Ok(None);
    };
    let Some(form) = resolver.form(name) else {
        return Ok(None);
    };
    let tool = words.get(..words.len() - 1).unwrap_or_default();
    let found = resolver.find(name).await?;
    let missing = found == Found::Missing;
    let examples = inside.recorded.iter().filter(|example| {
        let asked = example.argv.last().map_or("", String::as_str);
        let words = example.argv.get(..example.argv.len().saturating_sub(1));
        words.is_some_and(|words| words == tool)
            && resolver.form(asked) == Some(form)
            && (asked.split('.').next() == Some(NO_SERVICE)) == missing
    });
    for example in examples {
        let asked = example.argv.last().map_or("", String::as_str);
        let same = resolver.find(asked).await?;
        if let Some(exchanged) = exchanged(example, (asked, &same), (name, &found)) {
            return Ok(Some(exchanged));
        }
    }
    Ok(None)
}

/// An answer about one name as an answer about another.
fn exchanged(
    example: &ExecAnswer,
    (old, old_found): (&str, &Found),
    (new, new_found): (&str, &Found),
) -> Option<Answer> {
    let mut exchanges = vec![(old, new)];
    match (old_found, new_found) {
        (
            Found::Address { name, address },
            Found::Address {
                name: new_name,
                address: new_address,
            },
        ) => exchanges.extend([
            (name.as_str(), new_name.as_str()),
            (address.as_str(), new_address.as_str()),
        ]),
        (Found::Missing, Found::Missing) => {}
        _ => return None,
    }
    let stdout = std::str::from_utf8(&example.stdout).ok()?;
    let stderr = std::str::from_utf8(&example.stderr).ok()?;
    if let (Found::Address { address, .. }, 0) = (old_found, example.exit_code)
        && !words(stdout).any(|(word, _)| word == address)
    {
        return None; // it was found at another address: the example tells of another time
    }
    Some(Answer {
        stdout: exchange(stdout, &exchanges),
        stderr: exchange(stderr, &exchanges),
        exit_code: example.exit_code,
    })
}

/// A text with words exchanged, later pairs first; columns that are filled up with spaces stay.
fn exchange(text: &str, exchanges: &[(&str, &str)]) -> String {
    let mut out = String::with_capacity(text.len());
    let mut owed = 0_isize; // by how much a word grew that spaces may make up for
    for (word, between) in words(text) {
        let whole = exchanges.iter().rev().find(|(old, _)| *old == word);
        let start = exchanges.first().and_then(|(old, new)| {
            let rest = word.strip_prefix(old)?;
            rest.starts_with('.').then(|| format!("{new}{rest}"))
        });
        let new = match whole {
            Some((_, new)) => (*new).to_owned(),
            None => start.unwrap_or_else(|| word.to_owned()),
        };
        if !word.is_empty() {
            owed = new.len().cast_signed() - word.len().cast_signed();
        }
        out.push_str(&new);
        let spaces = between.len() - between.trim_start_matches(' ').len();
        if spaces > 1 {
            let kept = (spaces.cast_signed() - owed).max(1).cast_unsigned();
            out.push_str(&" ".repeat(kept));
            out.push_str(between.get(spaces..).unwrap_or_default());
        } else {
            out.push_str(between);
        }
    }
    out
}

/// The words that may be names or addresses, each with what comes between it and the next.
fn words(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let of_name = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let end = rest.find(|c| !of_name(c)).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        let next = after.find(of_name).unwrap_or(after.len());
        let (between, after) = after.split_at(next);
        rest = after;
        Some((word, between))
    })
}

/// How a name is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// `geo`
    Service,
    /// `geo.shop`
    Namespace,
    /// `geo.shop.svc`
    Svc,
    /// `geo.shop.svc.cluster.local`
    Full,
}

/// What a name means in a pod.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Found {
    /// The whole name, and its address.
    Address { name: String, address: String },
    /// Nothing has the name.
    Missing,
    /// The recording can't tell.
    Unknown,
}

/// How a container finds names: its `/etc/resolv.conf` and `/etc/hosts`, and the DNS that it asks.
struct Resolver<'v> {
    dns: Dns<'v>,
    domain: String,
    search: Vec<String>,
    ndots: usize,
    hosts: String,
}

impl<'v> Resolver<'v> {
    /// None if it is not known, or the pod may be kept from asking.
    async fn of(inside: &Inside<'_, 'v>) -> Result<Option<Self>, Failure> {
        let file = |path: &str| {
            let answer = inside.recorded(&["cat".to_owned(), path.to_owned()])?;
            (answer.exit_code == 0).then_some(answer.stdout)
        };
        let (Some(configuration), Some(hosts)) = (file("/etc/resolv.conf"), file("/etc/hosts"))
        else {
            return Ok(None);
        };
        let cluster = inside.cluster;
        let namespace = Some(inside.pod.namespace.as_str());
        let policies = cluster
            .list_known("networking.k8s.io", "networkpolicies", namespace)
            .await?;
        if policies.is_none_or(|policies| !policies.is_empty()) {
            return Ok(None);
        }
        let mut servers = Vec::new();
        let mut search: Vec<String> = Vec::new();
        let mut ndots = 1; // resolv.conf(5)
        for line in configuration.lines() {
            let mut words = line.split_whitespace();
            match words.next() {
                Some("nameserver") => servers.extend(words.next()),
                Some("search") => search = words.map(str::to_owned).collect(),
                Some("options") => {
                    for word in words {
                        let given = word.strip_prefix("ndots:").map(str::parse);
                        ndots = given.and_then(Result::ok).unwrap_or(ndots);
                    }
                }
                _ => {}
            }
        }
        let domain = search.iter().find_map(|one| one.strip_prefix("svc."));
        let (&[server], Some(domain)) = (servers.as_slice(), domain.map(str::to_owned)) else {
            return Ok(None);
        };
        let dns = Dns::at(cluster.view, server, &domain).await?;
        Ok(dns.map(|dns| Self {
            dns,
            domain,
            search,
            ndots,
            hosts,
        }))
    }

    /// How a name is written; none if it is none that a Service may have, or stands in `/etc/hosts`.
    fn form(&self, name: &str) -> Option<Form> {
        let of_label = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        let labels: Vec<&str> = name.split('.').collect();
        let proper = |label: &&str| !label.is_empty() && label.chars().all(of_label);
        let numbers = name.chars().all(|c| c == '.' || c.is_ascii_digit());
        let own = self.hosts.split_whitespace().any(|word| word == name);
        if numbers || own || !labels.iter().all(proper) {
            return None;
        }
        let full = name.strip_suffix(self.domain.as_str());
        if full.is_some_and(|rest| rest.ends_with('.')) {
            return Some(Form::Full);
        }
        match labels.as_slice() {
            [_] => Some(Form::Service),
            [_, _] => Some(Form::Namespace),
            [_, _, "svc"] => Some(Form::Svc),
            _ => None,
        }
    }

    /// What a name means: the search list first, if it has few dots (resolv.conf(5)).
    async fn find(&self, name: &str) -> Result<Found, Failure> {
        let searched = self.search.iter().map(|suffix| format!("{name}.{suffix}"));
        let mut tried: Vec<String> = searched.collect();
        if name.matches('.').count() < self.ndots {
            tried.push(name.to_owned());
        } else {
            tried.insert(0, name.to_owned());
        }
        for name in tried {
            match self.dns.resolve(&name).await? {
                Resolved::Address(address) => return Ok(Found::Address { name, address }),
                Resolved::Missing => {}
                Resolved::Unknown => return Ok(Found::Unknown),
            }
        }
        Ok(Found::Missing)
    }
}

#[cfg(test)]
mod tests;
