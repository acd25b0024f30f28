# Reads the log of a suite and prints "PASSED FAILED", as its runners counted. A skipped test counts as failed: it proves
# nothing, and must not look green. The exception is not a test at all: one that cargo ignores as "this is the other
# process" is what another test starts. A closing line "N passed, N failed" of the suite itself overrides its parts.

function number_before(word, line,    parts, n, i) {
    n = split(line, parts, /[ ,;.]+/)
    for (i = 2; i <= n; i++) if (parts[i] == word) return parts[i - 1] + 0
    return 0
}

# cargo test; other processes may have left half a line before its words
/\.\.\. ignored, this is the other process$/ { failed-- }
/test result: (ok|FAILED)\. / {
    passed += number_before("passed", $0)
    failed += number_before("failed", $0) + number_before("ignored", $0)
}

# node --test, in its machine-readable and in its terminal form
/^(#|ℹ) pass [0-9]+$/ { passed += $NF }
/^(#|ℹ) (fail|cancelled|skipped|todo) [0-9]+$/ { failed += $NF }

# The last line that is not blank.
NF { closing = $0 }

END {
    if (closing ~ /^[0-9]+ passed, [0-9]+ failed$/) {
        passed = number_before("passed", closing)
        failed = number_before("failed", closing)
    }
    print passed + 0, failed + 0
}
