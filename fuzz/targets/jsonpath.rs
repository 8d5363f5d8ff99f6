//! Fuzzes [`aiopslab_fuzz::jsonpath`].
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| aiopslab_fuzz::jsonpath(text));
