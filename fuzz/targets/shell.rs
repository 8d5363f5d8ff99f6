//! Fuzzes [`aiopslab_fuzz::shell`].
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| aiopslab_fuzz::shell(text));
