//! Fuzzes [`aiopslab_fuzz::jq`].
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| aiopslab_fuzz::jq(text));
