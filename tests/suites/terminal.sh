#!/usr/bin/env bash
# hallpass in a pseudo-terminal: a pasted URL, a switch of method, Ctrl-C, a tool under exec.
source "$(dirname "$0")/lib.sh"

needs python3:python3
needs_hallpass
python3 -B tests/terminal/test.py
