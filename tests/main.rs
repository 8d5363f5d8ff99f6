//! End-to-end tests: the architecture, the command line, whole episodes and the servers on the shipped
//! samples.

#![expect(clippy::unwrap_used, reason = "a test that can't go on has failed")]

mod agents;
mod audit;
mod baselines;
mod command_line;
mod episodes;
mod frozen;
mod http_service;
mod imports;
mod kubernetes_server;
mod labels;
mod llm;
mod nothing_later;
mod oracle;
mod postgres_server;
mod problems_catalog;
mod program;
mod release_documents;
mod releases;
mod remote_releases;
mod report;
mod score_as;
mod scores;
mod server;
mod sessions;
mod sql;
mod support_bundle;
mod tidy;
mod truncated;
mod upstream_keys;
mod upstream_parity;
