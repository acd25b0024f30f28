//! What a command asks of the kernel, counted.

use crate::stage::Stage;
use crate::tracing::{Call, calls_in, calls_of_token};

/// The names of these calls, in order, as far as they change or keep something that matters.
fn changes<'a>(calls: impl Iterator<Item = &'a Call>) -> Vec<&'a str> {
    let changing = ["write", "pwrite64", "fsync", "fdatasync", "renameat", "unlinkat"];
    let matters = |call: &&Call| !call.text.contains("pipe:") && !call.text.contains("codex-login.log");
    calls.filter(|call| call.is(&changing)).filter(matters).map(|call| call.name.as_str()).collect()
}

/// The calls from the one that makes the temporary file of this name to the one that keeps its new name.
fn replacement<'a>(calls: &'a [Call], name: &str) -> &'a [Call] {
    let temporary = format!(".{name}.hallpass-tmp");
    let begin = calls.iter().position(|call| call.is(&["openat"]) && call.text.contains(&temporary)).unwrap();
    let renamed = calls[begin..].iter().position(|call| call.is(&["renameat"])).unwrap();
    &calls[begin..=begin + renamed + 1]
}

#[test]
fn a_refresh_makes_each_thing_durable_once() {
    let stage = Stage::expired();
    let calls = calls_of_token(&stage);
    for name in ["hallpass.parked", "auth.json", "hallpass.json"] {
        let replacement = replacement(&calls, name);
        assert_eq!(changes(replacement.iter()), ["write", "fsync", "renameat", "fsync"], "{name}: {replacement:#?}");
        let [.., renamed, kept] = replacement else { panic!("{replacement:#?}") };
        assert!(renamed.text.ends_with(&format!("\"{name}\") = 0")), "{renamed:?}");
        assert!(kept.text.contains(&format!("<{}>)", stage.home.path.display())), "the folder: {kept:?}");
    }

    let sent = calls.iter().rposition(|call| call.is(&["sendto"])).unwrap();
    let (before, after) = calls.split_at(sent);
    assert!(changes(before.iter()).ends_with(&["write", "fsync", "renameat", "fsync"]), "the intent goes first");
    assert!(changes(after.iter()).starts_with(&["pwrite64", "fsync"]), "the answer is kept before all else");
    let count = |name: &str| calls.iter().filter(|call| call.name == name).count();
    assert_eq!((count("connect"), count("pwrite64"), count("renameat")), (1, 1, 3));
    // Three files that are replaced, the answer, and the end of its place.
    assert_eq!(count("fsync"), 3 * 2 + 1 + 1);
}

#[test]
fn the_order_is_intent_request_answer_record() {
    let calls = calls_of_token(&Stage::expired());
    let place = |what: &dyn Fn(&Call) -> bool| calls.iter().position(what).unwrap();
    let is = |name: &'static str, text: &'static str| move |call: &Call| call.name == name && call.text.contains(text);
    let order = [
        place(&is("flock", "hallpass.lock")),
        place(&is("renameat", "\"hallpass.parked\"")),
        place(&is("connect", "127.0.0.1")),
        place(&is("pwrite64", "hallpass.parked")),
        place(&is("renameat", "\"auth.json\"")),
        place(&is("unlinkat", "\"hallpass.parked\"")),
        place(&is("write", "pipe:")),
    ];
    assert!(order.is_sorted(), "{order:?}");
    let codex = |call: &&Call| call.is(&["flock"]) && call.text.contains("auth.");
    let held =
        calls.iter().filter(codex).map(|call| call.text.split_once("/auth.").unwrap().1.split_once('>').unwrap().0);
    assert_eq!(
        held.collect::<Vec<_>>(),
        ["lock", "json.lock", "lock", "json.lock"],
        "Codex's locks, in its order, twice"
    );
}

#[test]
fn a_token_that_is_good_costs_two_reads() {
    let stage = Stage::fresh();
    stage.home.run("token --refresh").expect(0);
    let requests = stage.requests();
    let environment = [("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent/bus")];
    for line in ["token", "token --json", "status", "status --json"] {
        let mut command = stage.home.command(line);
        command.envs(environment);
        let calls = calls_in(&command);
        let count = |names: &[&str]| calls.iter().filter(|call| call.is(names)).count();
        assert_eq!(count(&["socket", "connect", "sendto"]), 0, "{line}: no socket");
        assert_eq!(count(&["clone", "clone3", "fork", "vfork"]), 0, "{line}: no child, no thread");
        assert_eq!(count(&["execve"]), 1, "{line}");
        assert_eq!(count(&["flock", "fsync", "renameat", "unlinkat", "pwrite64"]), 0, "{line}: no lock, no change");
        let writes = calls.iter().filter(|call| call.is(&["write"]));
        assert!(writes.clone().all(|call| call.text.contains("pipe:")), "{line}: {:?}", writes.collect::<Vec<_>>());
        for name in ["auth.json", "hallpass.json"] {
            let file = stage.home.file(name);
            let of = |call: &&Call| call.concerns(&file) && call.is(&["open", "openat", "read", "pread64"]);
            let names: Vec<_> = calls.iter().filter(of).map(|call| call.name.as_str()).collect();
            assert!(matches!(names[..], ["open" | "openat", "read"]), "{line}: {name} is read once: {names:?}");
        }
        assert!(!calls.iter().any(|call| call.text.contains("/nonexistent/bus")), "{line}: no bus");
    }
    assert_eq!(stage.requests(), requests);
}
