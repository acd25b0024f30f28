//! What is read, what is written, and what is refused.

use std::ffi::OsString;
use std::fs;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::{MetadataExt, chown, symlink};
use std::os::unix::net::UnixListener;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use hallpass::Stores;
use hallpass_core::{Event, Place, Secret, Slot, StoreTrouble};

use crate::{RECORD, Sandbox, assert_trouble, child, is_root, loaded, mode, set_mode, text};

const SLOTS: [(Slot, &str); 4] = [
    (RECORD, "auth.json"),
    (Slot::Sidecar, "hallpass.json"),
    (Slot::Parked(Place::File), "hallpass.parked"),
    (Slot::Client(Place::File), "hallpass.client.json"),
];

#[test]
fn a_missing_home_is_empty_and_is_made_for_its_owner_alone() {
    let sandbox = Sandbox::new();
    let home = sandbox.0.join("deep/home");
    let mut stores = Stores::new(home.clone());
    for (slot, _) in SLOTS {
        assert_eq!(stores.load(slot), Event::Loaded(None));
        assert_eq!(stores.remove(slot), Event::Removed(false));
    }
    assert!(!home.exists());
    assert_eq!(stores.save(RECORD, &"{}".into()), Event::Saved);
    assert_eq!((mode(&home), mode(&sandbox.0.join("deep"))), (0o700, 0o700));
}

#[test]
fn a_home_that_is_no_folder_is_named() {
    let sandbox = Sandbox::new();
    fs::write(sandbox.home(), "").unwrap();
    let mut stores = sandbox.stores();
    assert_trouble(&stores.load(RECORD), StoreTrouble::NoHome, "auth.json");
    assert_trouble(&stores.save(RECORD, &"{}".into()), StoreTrouble::NoHome, "home");
    let mut nowhere = Stores::new(PathBuf::new());
    assert_trouble(&nowhere.save(Slot::Sidecar, &"{}".into()), StoreTrouble::NoHome, "no folder is named");
    assert_trouble(&nowhere.reserve(Place::File, &"{}".into(), 64), StoreTrouble::NoHome, "no folder is named");
}

#[test]
fn what_is_saved_is_loaded() {
    let sandbox = Sandbox::new();
    for (slot, name) in SLOTS {
        let contents = format!("{{\n  \"in\": \"{name}\", \"é\": 1.50\n}}");
        assert_eq!(sandbox.stores().save(slot, &contents.as_str().into()), Event::Saved);
        assert_eq!(sandbox.stores().load(slot), loaded(&contents));
        assert_eq!(mode(&sandbox.file(name)), 0o600);
    }
    assert_eq!(sandbox.names(), ["auth.json", "hallpass.client.json", "hallpass.json", "hallpass.parked"]);
    for (slot, _) in SLOTS {
        assert_eq!(sandbox.stores().remove(slot), Event::Removed(true));
        assert_eq!(sandbox.stores().load(slot), Event::Loaded(None));
    }
}

#[test]
fn only_the_owner_can_read_it_whatever_the_umask() {
    for umask in ["000", "022", "077", "777"] {
        for before in [None, Some(0o600), Some(0o644), Some(0o666)] {
            let sandbox = Sandbox::with_home();
            if let Some(before) = before {
                fs::write(sandbox.file("auth.json"), "{}").unwrap();
                set_mode(&sandbox.file("auth.json"), before);
            }
            let answers = child::run(child::after(&format!("umask {umask}")), &sandbox.home(), "save record {\"a\":1}");
            assert_eq!(answers, ["saved"], "{umask} {before:?}");
            assert_eq!(mode(&sandbox.file("auth.json")), 0o600);
        }
    }
}

#[test]
fn a_home_may_have_any_name() {
    let sandbox = Sandbox::new();
    let home = sandbox.0.join(OsString::from_vec(b"a b\xff\\".to_vec()));
    let mut stores = Stores::new(home);
    assert_eq!(stores.save(RECORD, &"{}".into()), Event::Saved);
    assert_eq!(stores.reserve(Place::File, &"{}".into(), 64), Event::Reserved);
    assert_eq!(stores.load(RECORD), loaded("{}"));
}

#[test]
fn leftovers_of_a_crash_are_swept_and_never_written_through() {
    let sandbox = Sandbox::with_home();
    let victim = sandbox.0.join("victim");
    fs::write(&victim, "untouched").unwrap();
    for (_, name) in SLOTS {
        fs::write(sandbox.file(&format!(".{name}.hallpass-tmp")), "half a tok").unwrap();
    }
    fs::remove_file(sandbox.file(".auth.json.hallpass-tmp")).unwrap();
    symlink(&victim, sandbox.file(".auth.json.hallpass-tmp")).unwrap();
    let mut stores = sandbox.stores();
    assert_eq!(stores.save(RECORD, &"{}".into()), Event::Saved);
    assert_eq!(sandbox.names(), ["auth.json"]);
    symlink(&victim, sandbox.file(".auth.json.hallpass-tmp")).unwrap();
    assert_eq!(stores.save(RECORD, &"{\"b\":2}".into()), Event::Saved);
    assert_eq!(sandbox.names(), ["auth.json"]);
    assert_eq!((text(&victim), text(&sandbox.file("auth.json"))), ("untouched".into(), "{\"b\":2}".into()));
}

#[test]
fn only_text_of_a_sensible_size_is_read() {
    let sandbox = Sandbox::with_home();
    let mut stores = sandbox.stores();
    let mut load = |bytes: &[u8]| {
        fs::write(sandbox.file("auth.json"), bytes).unwrap();
        stores.load(RECORD)
    };
    assert_eq!(load(b"\xef\xbb\xbf{\"a\":1}\r\n"), loaded("{\"a\":1}\r\n"));
    assert_trouble(&load(b"\xff\xfe{\0}\0"), StoreTrouble::Unreadable, "UTF-16");
    assert_trouble(&load(b"{\"\x80\"}"), StoreTrouble::Unreadable, "UTF-8");
    let record = format!("{{\"a\":\"{}\"}}", "x".repeat(1024 * 1024 - 8));
    assert_eq!(load(record.as_bytes()), loaded(&record));
    assert_trouble(&load(format!("{record} ").as_bytes()), StoreTrouble::Unreadable, "1 MiB");
    assert_trouble(&stores.save(RECORD, &format!("{record} ").into()), StoreTrouble::TooLarge, "auth.json");
}

#[test]
fn what_is_no_file_is_refused_at_once() {
    let sandbox = Sandbox::with_home();
    let record = sandbox.file("auth.json");
    let refused = |what: &str| {
        let start = Instant::now();
        assert_trouble(&sandbox.stores().load(RECORD), StoreTrouble::Unsafe, "auth.json");
        assert_trouble(&sandbox.stores().save(RECORD, &"{}".into()), StoreTrouble::Unsafe, "auth.json");
        assert_trouble(&sandbox.stores().reserve(Place::File, &"{}".into(), 64), StoreTrouble::Unsafe, "auth.json");
        assert!(start.elapsed() < Duration::from_millis(300), "{what}");
    };
    rustix::fs::mknodat(rustix::fs::CWD, &record, rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
    refused("a fifo");
    fs::remove_file(&record).unwrap();
    fs::create_dir(&record).unwrap();
    refused("a folder");
    fs::remove_dir(&record).unwrap();
    let listener = UnixListener::bind(&record).unwrap();
    refused("a socket");
    drop(listener);
    assert_eq!(sandbox.names(), ["auth.json"]);
}

#[test]
fn hard_links_and_read_only_files_are_not_replaced() {
    let sandbox = Sandbox::with_home();
    let record = sandbox.file("auth.json");
    let refused = |kind, detail| {
        assert_trouble(&sandbox.stores().save(RECORD, &"{}".into()), kind, detail);
        assert_trouble(&sandbox.stores().reserve(Place::File, &"{}".into(), 64), kind, detail);
        assert_eq!(sandbox.stores().load(RECORD), loaded("{\"old\":1}"));
        assert_eq!(sandbox.names(), ["auth.json"]);
    };
    fs::write(&record, "{\"old\":1}").unwrap();
    fs::hard_link(&record, sandbox.0.join("other")).unwrap();
    refused(StoreTrouble::Unsafe, "atomic replacement does not support hard-linked files");
    fs::remove_file(sandbox.0.join("other")).unwrap();
    set_mode(&record, 0o400);
    refused(StoreTrouble::ReadOnly, "read-only");
}

#[test]
fn root_keeps_to_the_owner_of_the_home() {
    // Nobody else can give a file away: where this is not root the rule has nothing to rule.
    if !is_root() {
        return;
    }
    let sandbox = Sandbox::with_home();
    let record = sandbox.file("auth.json");
    fs::write(&record, "{}").unwrap();
    chown(&record, Some(4321), Some(4321)).unwrap();
    assert_trouble(&sandbox.stores().load(RECORD), StoreTrouble::Unsafe, "uid 4321");
    assert_trouble(&sandbox.stores().save(RECORD, &"{}".into()), StoreTrouble::Unsafe, "uid 4321");
    chown(sandbox.home(), Some(4321), Some(4321)).unwrap();
    assert_eq!(sandbox.stores().load(RECORD), loaded("{}"));
    assert_eq!(sandbox.stores().save(RECORD, &"{\"new\":1}".into()), Event::Saved);
    let found = fs::metadata(&record).unwrap();
    assert_eq!((found.uid(), found.gid(), mode(&record)), (4321, 4321, 0o600));
}

#[test]
fn a_record_that_is_being_rewritten_is_not_read_by_who_cannot_wait() {
    let sandbox = Sandbox::with_home();
    let mut stores = sandbox.stores();
    let at_once = |stores: &Stores| stores.load_at_once(RECORD);
    assert_eq!(at_once(&stores), Some(Event::Loaded(None)));
    fs::write(sandbox.file("auth.json"), r#"{"tokens":"#).unwrap();
    assert_eq!(at_once(&stores), None);
    assert_eq!(stores.save(RECORD, &"{}".into()), Event::Saved);
    assert_eq!(at_once(&stores), Some(loaded("{}")));
    // A keyring may ask a person.
    assert_eq!(stores.load_at_once(Slot::Record(Place::Keyring)), None);
}

#[test]
fn a_record_that_is_rewritten_in_place_is_waited_for() {
    let sandbox = Sandbox::with_home();
    let record = sandbox.file("auth.json");
    let contents = format!("{{\"token\":\"{}\"}}", "t".repeat(4000));
    fs::write(&record, &contents).unwrap();
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                fs::write(&record, "").unwrap();
                std::thread::sleep(Duration::from_millis(2));
                fs::write(&record, &contents[..2000]).unwrap();
                std::thread::sleep(Duration::from_millis(2));
                fs::write(&record, &contents).unwrap();
                std::thread::sleep(Duration::from_millis(3));
            }
        });
        let mut stores = sandbox.stores();
        let whole = (0..100).filter(|_| stores.load(RECORD) == loaded(&contents)).count();
        stop.store(true, Ordering::Relaxed);
        writer.join().unwrap();
        assert_eq!(whole, 100);
    });
}

#[test]
fn what_stays_unreadable_is_handed_over_kept_aside_once_and_overwritten() {
    let sandbox = Sandbox::with_home();
    let (record, kept) = (sandbox.file("auth.json"), sandbox.file("auth.json.corrupt"));
    fs::write(&record, "{\"tok").unwrap();
    set_mode(&record, 0o644);
    let start = Instant::now();
    assert_eq!(sandbox.stores().load(RECORD), loaded("{\"tok"));
    assert!(start.elapsed() >= Duration::from_millis(500) && start.elapsed() < Duration::from_secs(2));
    assert_eq!(sandbox.stores().save(RECORD, &"{}".into()), Event::Saved);
    assert_eq!((text(&record), text(&kept), mode(&kept)), ("{}".into(), "{\"tok".into(), 0o600));
    fs::write(&record, "\0\0").unwrap();
    assert_eq!(sandbox.stores().save(RECORD, &"{}".into()), Event::Saved);
    assert_eq!(text(&kept), "{\"tok");
    assert_eq!(sandbox.stores().remove(RECORD), Event::Removed(true));
    assert_eq!(sandbox.names(), Vec::<String>::new());
}

#[test]
fn there_is_nothing_to_keep_of_what_is_empty_or_fine() {
    let sandbox = Sandbox::with_home();
    for before in ["", " \n", "{}", "\u{feff}{}"] {
        fs::write(sandbox.file("auth.json"), before).unwrap();
        assert_eq!(sandbox.stores().save(RECORD, &"{}".into()), Event::Saved);
        assert_eq!(sandbox.names(), ["auth.json"]);
    }
}

#[test]
fn memory_is_shared_within_the_process() {
    let sandbox = Sandbox::new();
    let slot = Slot::Record(Place::Ephemeral);
    assert_eq!(sandbox.stores().load(slot), Event::Loaded(None));
    assert_eq!(sandbox.stores().save(slot, &Secret::from("{}")), Event::Saved);
    assert_eq!(sandbox.stores().reserve(Place::Ephemeral, &"{\"i\":1}".into(), 4096), Event::Reserved);
    assert_eq!(sandbox.stores().load(slot), loaded("{}"));
    assert_eq!(sandbox.stores().load(Slot::Parked(Place::Ephemeral)), loaded("{\"i\":1}"));
    assert_eq!(Stores::new(sandbox.0.join("another")).load(slot), Event::Loaded(None));
    assert_eq!(sandbox.stores().remove(slot), Event::Removed(true));
    assert_eq!(sandbox.stores().remove(slot), Event::Removed(false));
    assert!(!sandbox.home().exists());
}
