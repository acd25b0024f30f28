#!/usr/bin/env bash
# Static Linux, Windows and macOS: built or checked, not run.
source "$(dirname "$0")/lib.sh"

needs x86_64-w64-mingw32-gcc:gcc-mingw-w64-x86-64 file:file musl-gcc:musl-tools readelf:binutils
needs_rust target x86_64-unknown-linux-musl x86_64-pc-windows-gnu aarch64-apple-darwin

# What releases ship: one file that needs nothing of the machine it lands on, small enough to download on a whim.
artefact=$target/x86_64-unknown-linux-musl/release/hallpass
is_static() { file "$artefact" | tee /dev/stderr | grep -qE 'static(ally|-pie) linked'; }
is_small() { stat -c '%s bytes' "$artefact" && [ "$(stat -c %s "$artefact")" -le 3500000 ]; }

# The addon shares the C library of the Node that loads it, and nothing else. No such Node is at hand: a program of C loads it.
addon=node-binding/hallpass.musl.node
is_only_musl() { [ "$(readelf -d "$addon" | grep NEEDED | grep -o '\[.*\]')" = '[libc.so]' ]; }
loads() {
    printf '#include <dlfcn.h>\nint main(int n, char **a) { return !dlsym(dlopen(a[1], RTLD_NOW), "napi_register_module_v1"); }' |
        musl-gcc -x c - -o "$target/loader" && "$target/loader" "$addon"
}

check "the static release" cargo build --locked --release --target x86_64-unknown-linux-musl -p hallpass
check "it is static" is_static
check "it is at most 3.5 MB" is_small
check "the Node addon with musl" node-binding/build --debug --musl
check "it needs nothing but musl" is_only_musl
check "it can be loaded" loads
check "Windows" cargo check --locked --target x86_64-pc-windows-gnu
check "the core on macOS" cargo check --locked --target aarch64-apple-darwin -p hallpass-core
# TLS needs a C compiler for macOS, which Linux does not have; everything else of the shell is checked.
check "the native shell on macOS" cargo check --locked --target aarch64-apple-darwin -p hallpass --no-default-features --features cli
tally
