//! Each call that can fail on a bad or full disk, failing: before the request nothing is spent, after it nothing is lost.

use crate::running::side_by_side;
use crate::stage::{Stage, error_code};
use crate::tracing::{Call, calls_of_token, with_injected};

/// What a disk says, and the code of the error that a person gets.
const ERRORS: [(&str, &str); 4] =
    [("EDQUOT", "store_full"), ("ENOSPC", "store_full"), ("EIO", "store_failed"), ("EROFS", "store_read_only")];

/// The calls that put this file in its place: make it, restrict it, fill it, keep it, name it, keep the name.
fn calls_that_replace(name: &str, calls: &[Call]) -> Vec<Call> {
    let temporary = format!(".{name}.hallpass-tmp");
    let calls = calls.iter().skip_while(|call| !(call.is(&["openat"]) && call.text.contains(&temporary)));
    let mut calls = calls.filter(|call| call.is(&["openat", "fchmod", "write", "fsync", "renameat"]));
    calls.by_ref().take(6).cloned().collect()
}

/// Every call of putting this file in its place with every error.
fn failures(name: &str) -> Vec<(Call, &'static str, &'static str)> {
    let calls = calls_that_replace(name, &calls_of_token(&Stage::expired()));
    let names: Vec<_> = calls.iter().map(|call| call.name.as_str()).collect();
    assert_eq!(names, ["openat", "fchmod", "write", "fsync", "renameat", "fsync"], "{calls:#?}");
    calls.iter().flat_map(|call| ERRORS.map(|(error, code)| (call.clone(), error, code))).collect()
}

#[test]
fn whatever_fails_while_room_is_claimed_nothing_is_sent() {
    side_by_side(failures("hallpass.parked"), |(call, error, code)| {
        let stage = Stage::expired();
        let ran = with_injected(&stage, "token --json", &call, &format!("error={error}"));
        assert_eq!((ran.code, error_code(&ran).as_str()), (Some(5), code), "{error} of {call:?}: {ran:?}");
        assert_eq!((stage.requests(), stage.home.record()), (0, stage.before.clone()), "{error} of {call:?}");
        assert_eq!(stage.leftovers(), Vec::<String>::new(), "{error} of {call:?}");

        let stage = Stage::ageing();
        let ran = with_injected(&stage, "token", &call, &format!("error={error}")).expect(0);
        assert_eq!((ran.stdout.trim_end(), stage.requests()), (stage.tokens().access.as_str(), 0));
    });
}

#[test]
fn whatever_fails_while_the_record_is_saved_the_token_is_handed_out_and_found_again() {
    side_by_side(failures("auth.json"), |(call, error, _)| {
        let stage = Stage::expired();
        let ran = with_injected(&stage, "token", &call, &format!("error={error}")).expect(0);
        assert!(ran.stderr.contains("not saved"), "{error} of {call:?}: {ran:?}");
        stage.assert_accepted(&ran.stdout);
        assert_eq!(stage.home.run("token").expect(0).stdout, ran.stdout);
        assert_eq!((stage.requests(), stage.rotations()), (1, 1), "{error} of {call:?}");
        stage.assert_alive();
    });
}
