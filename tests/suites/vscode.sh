#!/usr/bin/env bash
# The provider for VS Code in a real editor (code-server), driven by a real browser.
source "$(dirname "$0")/lib.sh"

needs chromium:chromium
needs_node node-binding
needs_node tests/peers
needs_hallpass
say "installing the editor, once, outside the checkout"
HALLPASS_EDITOR=$(tests/vscode/set-up)
export HALLPASS_EDITOR
node-binding/build --debug
node --test --test-concurrency=1 --test-timeout=300000 tests/vscode/*.test.mjs
