#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| podlag_fuzz::archive::holds(data));
