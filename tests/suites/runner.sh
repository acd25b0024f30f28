#!/usr/bin/env bash
# This test command itself: what is broken must come out red.
source "$(dirname "$0")/lib.sh"

sandbox=$(mktemp -d)
trap 'rm -rf "$sandbox"' EXIT
mkdir -p "$sandbox/tests/suites"
cp tests/run "$sandbox/tests/"
cp tests/suites/count.awk "$sandbox/tests/suites/"

# comes_out CODE LAST_LINE SCRIPT: a suite with this script makes tests/run end so.
comes_out() {
    local code=0 output
    printf '#!/bin/bash\n# A sample.\n%s\n' "$3" >"$sandbox/tests/suites/sample.sh"
    output=$(env -u CARGO_TARGET_DIR "$sandbox/tests/run" sample) || code=$?
    [ "$code $(tail -n 1 <<<"$output")" = "$1 $2" ] || { echo "exit $code"; echo "$output"; return 1; }
}

check "cargo's counts are added up" comes_out 0 "5 passed, 0 failed" \
    'echo "test result: ok. 3 passed; 0 failed; 0 ignored; 0 measured"; echo "test result: ok. 2 passed; 0 failed; 0 ignored"'
check "cargo's failures are counted" comes_out 1 "3 passed, 1 failed" \
    'echo "test result: FAILED. 3 passed; 1 failed; 0 ignored"; exit 101'
check "node's counts" comes_out 1 "3 passed, 2 failed" 'printf "# pass 3\n# fail 1\n# cancelled 1\n# skipped 0\n"; exit 1'
check "an ignored test is a failure" comes_out 1 "3 passed, 1 failed" 'echo "test result: ok. 3 passed; 0 failed; 1 ignored"'
check "the other process of a test is none" comes_out 0 "3 passed, 0 failed" \
    'echo "test child ... ignored, this is the other process"; echo "noise test result: ok. 3 passed; 0 failed; 1 ignored"'
check "a skipped test is a failure" comes_out 1 "3 passed, 1 failed" 'printf "# pass 3\n# fail 0\n# skipped 1\n"'
check "a closing line overrides its parts" comes_out 0 "4 passed, 0 failed" 'printf "# pass 3\n# fail 0\n4 passed, 0 failed\n"'
check "no count is a failure" comes_out 1 "0 passed, 1 failed" 'echo all is well'
check "a count of nothing is a failure" comes_out 1 "0 passed, 1 failed" 'echo "test result: ok. 0 passed; 0 failed; 0 ignored"'
check "a crash after good counts is a failure" comes_out 1 "3 passed, 1 failed" 'echo "3 passed, 0 failed"; exit 3'
check "a suite that cannot start is a failure" comes_out 1 "0 passed, 1 failed" './no-such-program'
tally
