#!/usr/bin/env bash
# The browser package in real browsers, against two real authorization servers.
source "$(dirname "$0")/lib.sh"

needs chromium:chromium firefox-esr:firefox-esr
needs_rust target wasm32-unknown-unknown
needs_node wasm
needs_node tests/peers
needs_node tests/web
needs_hallpass
wasm/build
wasm/playground/build

# What tests have measured is told on the way, beside what they found out.
HALLPASS_NUMBERS=$(mktemp)
export HALLPASS_NUMBERS
code=0
# What is measured is measured alone; the others wait for a server or for a person most of the time.
measured=(tests/web/module.test.mjs tests/web/race.mjs)
others=()
for file in tests/web/*.test.mjs; do [ "$file" = "${measured[0]}" ] || others+=("$file"); done
node --test --test-concurrency=1 --test-timeout=600000 "${measured[@]}" || code=$?
node --test --test-concurrency=2 --test-timeout=600000 "${others[@]}" || code=$?
while IFS= read -r line; do say "$line"; done <"$HALLPASS_NUMBERS"
rm -f "$HALLPASS_NUMBERS"
exit "$code"
