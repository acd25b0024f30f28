#!/usr/bin/env bash
# The provider for VS Code in a real editor (code-server), driven by a real browser.
source "$(dirname "$0")/lib.sh"

needs chromium:chromium
needs_node node-binding
needs_hallpass
say "installing the editor, once, outside the checkout"
HALLPASS_EDITOR=$(tests/vscode/set-up)
export HALLPASS_EDITOR
node-binding/build --debug
node --test --test-timeout=300000 tests/vscode/editor.test.mjs
