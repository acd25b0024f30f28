#!/usr/bin/env bash
# The browser package: its own test script.
source "$(dirname "$0")/lib.sh"

needs_rust target wasm32-unknown-unknown
needs_node wasm
wasm/test
