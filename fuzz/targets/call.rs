//! Fuzzes [`aiopslab_fuzz::call`].
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| aiopslab_fuzz::call(text));
