//! Seeding a home, and handing its record out again.

use hallpass_core::{
    Effect, Error, HttpMethod, Lock, LoginMethod, Place, Request, SeedUse, Slot, StoreTrouble, TokenOrigin,
};
use hallpass_tests::world::{Store, World};

const HOUR: i64 = 3_600_000;
const FILE: Slot = Slot::Record(Place::File);
const PARKED: Slot = Slot::Parked(Place::File);

fn code<T: std::fmt::Debug>(result: Result<T, Error>) -> &'static str {
    result.expect_err("it fails").code()
}

fn held(world: &World) -> String {
    world.store.get(FILE).expect("the home holds a record").to_owned()
}

/// The home of a CI job, on another machine: nothing lies in it. What the person's own home held is handed over.
fn job(mut world: World) -> (World, String) {
    let seed = world.export(false).expect("it works").expect("there is a record");
    world.store = Store::default();
    world.configuration.home.machine = "runner".into();
    world.configuration.home.path = "/home/runner/.codex".into();
    (world, seed)
}

/// Worlds with an empty home, the record of a session for it, and an access token in that which has expired.
fn jobs() -> [(World, String); 2] {
    [World::openai(), World::standard()].map(|mut world| {
        world.login();
        let mut job = job(world);
        job.0.wait(HOUR + 1);
        job
    })
}

/// The request that spends a refresh token.
fn spends(effect: &Effect) -> bool {
    matches!(effect, Effect::Http(request) if request.method == HttpMethod::Post)
}

/// Another home, until the next exchange.
fn elsewhere(world: &mut World, other: &mut Store) {
    std::mem::swap(&mut world.store, other);
    let home = &mut world.configuration.home;
    home.machine = if home.machine == "runner" { "elsewhere" } else { "runner" }.into();
}

#[test]
fn an_empty_home_takes_the_seed_and_keeps_it_fresh() {
    for ((mut world, seed), name) in jobs().into_iter().zip(["seed-openai", "seed-standard"]) {
        let Ok(hallpass_core::Outcome::Seed(seeded)) = world.record(name, world.seed_request(&seed)) else { panic!() };
        assert_eq!((seeded.seed, seeded.status.logged_in), (SeedUse::Stored, true));
        assert_eq!(seeded.status.account.unwrap().email.as_deref(), Some("ada@example.com"));
        assert_eq!(held(&world), seed, "to the byte");
        assert_eq!(world.export(true).unwrap(), None, "nothing has changed yet");
        assert_eq!(world.export(false).unwrap(), Some(seed.clone()));
        assert_eq!(world.usable().unwrap().origin, TokenOrigin::Refreshed);
        let renewed = world.export(true).unwrap().expect("it has changed");
        assert_eq!(renewed, held(&world));
        assert_eq!(world.seed(&seed).unwrap().seed, SeedUse::Outdated, "the next job brings the same secret");
        assert_eq!((held(&world), world.export(true).unwrap()), (renewed.clone(), Some(renewed.clone())));
        assert_eq!(world.seed(&renewed).unwrap().seed, SeedUse::Held, "and the one after it what was written back");
        assert_eq!(world.export(true).unwrap(), None);
    }
}

#[test]
fn a_seed_may_come_from_anywhere() {
    for (mut world, seed) in jobs() {
        let spelled = format!("\u{feff}{}\r\n", seed.replace('\n', "\r\n"));
        assert_eq!(world.seed(&spelled).unwrap().seed, SeedUse::Stored);
        let compact = serde_json::to_string(&serde_json::from_str::<serde_json::Value>(&seed).unwrap()).unwrap();
        assert!(!compact.contains('\n'));
        assert_eq!(world.seed(&compact).unwrap().seed, SeedUse::Held);
        assert_eq!(world.export(true).unwrap(), None);
    }
}

#[test]
fn what_is_no_record_is_refused_and_not_quoted() {
    for text in
        ["", "c4n4ry", "[]", "{}", r#"{"auth_mode":"chatgpt"}"#, r#"{"tokens":"c4n4ry"}"#, r#"{"auth_mode":"c4n4ry"}"#]
    {
        let mut world = World::openai();
        assert_eq!(code(world.seed(text)), "invalid_value", "{text}");
        assert!(world.store.is_empty());
    }
}

#[test]
fn keys_and_given_tokens_are_seeds_too() {
    let key = r#"{"auth_mode":"apikey","OPENAI_API_KEY":"sk-c4n4ry"}"#;
    let personal = r#"{"OPENAI_API_KEY":null,"personal_access_token":"at-c4n4ry"}"#;
    for (seed, other) in [(key, personal), (personal, key)] {
        let mut world = World::openai();
        assert_eq!(world.seed(seed).unwrap().seed, SeedUse::Stored);
        assert_eq!(world.seed(seed).unwrap().seed, SeedUse::Held);
        assert_eq!(world.export(true).unwrap(), None);
        let before = held(&world);
        assert_eq!(code(world.seed(other)), "home_occupied");
        assert_eq!(code(world.seed(&seed.replace("c4n4ry", "c4n4ry-2"))), "home_occupied");
        assert_eq!(held(&world), before);
    }
}

#[test]
fn another_account_and_another_session_are_left_alone() {
    for (mut world, seed) in jobs() {
        for account in ["grace@example.com", "ada@example.com"] {
            world.person.account = Some(account.into());
            world.login();
            let before = (held(&world), world.server.families().filter(|family| family.revoked.is_none()).count());
            let error = world.seed(&seed).expect_err("it is another session");
            assert_eq!(error.code(), "home_occupied", "{account}");
            assert!(error.help().unwrap().contains("`hallpass logout`"));
            assert_eq!(
                before,
                (held(&world), world.server.families().filter(|family| family.revoked.is_none()).count())
            );
        }
        world.log_out(false).unwrap();
        assert_eq!(world.seed(&seed).unwrap().seed, SeedUse::Stored, "a logout makes room");
    }
}

#[test]
fn a_session_that_is_over_makes_room_for_another_one_of_the_account() {
    for (mut world, seed) in jobs() {
        world.seed(&seed).unwrap();
        let families: Vec<_> = world.server.families().map(|family| family.id).collect();
        for family in families {
            assert!(world.server.revoke_family(family));
        }
        assert_eq!(code(world.usable()), "seed_spent");
        let dead = std::mem::take(&mut world.store);
        world.login();
        let fresh = world.export(false).unwrap().unwrap();
        world.store = dead;
        assert_eq!(world.seed(&fresh).unwrap().seed, SeedUse::Stored);
        assert!(world.usable().is_ok());
        assert_eq!(code(world.seed(&seed)), "home_occupied", "the one that is over does not come back");
    }
}

#[test]
fn a_damaged_record_is_replaced_and_a_store_that_does_not_open_is_not() {
    for (mut world, seed) in jobs() {
        world.store.put(FILE, "{\"tokens\":");
        assert_eq!(world.seed(&seed).unwrap().seed, SeedUse::Stored);
        for trouble in [StoreTrouble::Denied, StoreTrouble::TimedOut, StoreTrouble::Other] {
            world.store.troubles.insert(Place::File, trouble);
            assert!(matches!(world.seed(&seed), Err(Error::Local(_))), "{trouble:?}");
        }
        world.store.troubles.clear();
        let sidecar = world.store.get(Slot::Sidecar).unwrap().replace(r#""version":1"#, r#""version":2"#);
        world.store.put(Slot::Sidecar, &sidecar);
        assert_eq!(code(world.seed(&seed)), "newer_version");
    }
}

#[test]
fn a_seed_without_its_locks_stores_nothing() {
    for lock in [Lock::Transaction, Lock::Commit] {
        for (mut world, seed) in jobs() {
            world.busy = vec![lock];
            assert_eq!(code(world.seed(&seed)), "lock_busy");
            assert!(world.store.is_empty(), "a refresh under way would save into a home that the seed has filled");
        }
    }
}

#[test]
fn a_seed_that_is_handed_in_while_its_session_is_renewed_changes_nothing() {
    let moments: [fn(&Effect) -> bool; 5] = [
        |effect| matches!(effect, Effect::Lock { lock: Lock::Commit, .. }),
        |effect| matches!(effect, Effect::Reserve { .. }),
        spends,
        |effect| matches!(effect, Effect::Save { slot: PARKED, .. }),
        |effect| matches!(effect, Effect::Save { slot: FILE, .. }),
    ];
    for moment in moments {
        for (mut world, seed) in jobs() {
            world.seed(&seed).unwrap();
            let late = seed.clone();
            world.meanwhile(moment, move |world| assert_eq!(code(world.seed(&late)), "lock_busy"));
            assert_eq!(world.usable().unwrap().origin, TokenOrigin::Refreshed);
            assert_eq!(world.seed(&seed).unwrap().seed, SeedUse::Outdated);
            world.wait(HOUR + 1);
            assert_eq!(world.usable().unwrap().origin, TokenOrigin::Refreshed);
        }
    }
}

#[test]
fn a_seed_that_was_spent_elsewhere_is_explained() {
    for (mut world, seed) in jobs() {
        let mut first = Store::default();
        world.seed(&seed).unwrap();
        assert_eq!(world.usable().unwrap().origin, TokenOrigin::Refreshed);
        elsewhere(&mut world, &mut first);
        world.seed(&seed).unwrap();
        let error = world.usable().expect_err("its refresh token is spent");
        assert_eq!(error.code(), "seed_spent");
        let help = error.help().unwrap();
        assert!(help.contains("one copy of a seed") && help.contains("`hallpass export --if-changed`"), "{help}");
        // The server has ended the session, for both.
        elsewhere(&mut world, &mut first);
        world.wait(HOUR + 1);
        assert_eq!(code(world.usable()), "seed_spent");
    }
}

#[test]
fn jobs_one_after_the_other_hand_the_session_on() {
    for (mut world, mut secret) in jobs() {
        for job in 0..5 {
            world.store = Store::default();
            world.configuration.home.machine = format!("runner-{job}");
            assert_eq!(world.seed(&secret).unwrap().seed, SeedUse::Stored);
            assert_eq!(world.usable().unwrap().origin, TokenOrigin::Refreshed);
            secret = world.export(true).unwrap().expect("it was renewed");
            world.wait(HOUR + 1);
        }
    }
}

#[test]
fn a_home_that_is_restored_from_a_cache_is_taken_over_by_its_seed() {
    for (mut world, seed) in jobs() {
        world.seed(&seed).unwrap();
        world.usable().unwrap();
        world.configuration.home.machine = "another".into();
        world.wait(HOUR + 1);
        assert_eq!(code(world.usable()), "copied_home", "nobody has said that this is the one that renews");
        assert_eq!(world.seed(&seed).unwrap().seed, SeedUse::Outdated);
        assert_eq!(world.usable().unwrap().origin, TokenOrigin::Refreshed);
    }
}

#[test]
fn a_spent_seed_does_not_come_back_into_a_home_that_was_emptied() {
    for (mut world, seed) in jobs() {
        world.seed(&seed).unwrap();
        world.usable().unwrap();
        world.store.take(FILE);
        assert_eq!(code(world.seed(&seed)), "seed_spent");
    }
}

#[test]
fn nothing_is_handed_out_that_is_being_spent() {
    for name in ["answered", "asked"] {
        for (mut world, seed) in jobs() {
            world.seed(&seed).unwrap();
            let request = world.token_request(hallpass_core::Need::Fresh);
            match name {
                "answered" => world.dies(request, |effect| matches!(effect, Effect::Save { slot: FILE, .. })),
                _ => world.dies(request, spends),
            }
            let exported = world.export(true).unwrap().expect("what was interrupted is finished");
            assert!(exported != seed && exported == held(&world), "{name}");
            assert!(world.store.get(PARKED).is_none());
            world.wait(HOUR + 1);
            assert_eq!(world.usable().unwrap().origin, TokenOrigin::Refreshed);
        }
    }
}

#[test]
fn an_export_while_a_refresh_is_cut_off_from_its_server_says_so() {
    let (mut world, seed) = jobs().into_iter().next().unwrap();
    world.seed(&seed).unwrap();
    let request = world.token_request(hallpass_core::Need::Fresh);
    world.dies(request, spends);
    world
        .server
        .inject(hallpass::authorization_server::Endpoint::Token, hallpass::authorization_server::Fault::LoseRequest);
    let export = hallpass_core::ExportRequest { configuration: world.configuration.clone(), if_changed: false };
    let Ok(hallpass_core::Outcome::Export(exported)) = world.record("export-unfinished", Request::Export(export))
    else {
        panic!("it is handed out all the same")
    };
    assert_eq!(exported.record.unwrap().expose(), seed);
    assert_eq!(exported.warnings[0].code, "refresh_unfinished");
}

#[test]
fn of_nobody_nothing_is_handed_out() {
    let mut world = World::openai();
    for text in [None, Some("{}")] {
        if let Some(text) = text {
            world.store.put(FILE, text);
        }
        assert_eq!(code(world.export(false)), "not_logged_in");
        assert_eq!(code(world.export(true)), "not_logged_in");
    }
    world.store.put(FILE, "{");
    assert_eq!(code(world.export(false)), "corrupt_credentials");
    let mut world = World::openai();
    world.log_in(LoginMethod::ApiKey("sk-c4n4ry".into())).unwrap();
    assert!(world.export(true).unwrap().is_some(), "what was never a seed has changed");
}

/// Numbers that look like chance, the same at each run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).expect("31 bits fit") % bound
    }
}

/// Two homes with one session, of which the one that holds the latest generation renews it, whatever the clocks say;
/// seeds of every generation are handed in to both.
#[test]
fn in_a_thousand_runs_no_seed_takes_the_place_of_a_later_generation() {
    let mut stored = 0;
    for run in 0..1_000 {
        let mut dice = Dice(run);
        let mut world = if run % 2 == 0 { World::openai() } else { World::standard() };
        world.unchecked = true;
        world.login();
        let (mut world, first) = job(world);
        let mut generations = vec![first.clone()];
        world.seed(&first).unwrap();
        let mut other = Store::default();
        elsewhere(&mut world, &mut other);
        world.seed(&first).unwrap();
        for _ in 0..12 {
            world.clock_error = i64::try_from(dice.below(240)).unwrap() * 1_000 - 120_000;
            world.wait(1_000 + i64::try_from(dice.below(60_000)).unwrap());
            if dice.below(2) == 0 {
                elsewhere(&mut world, &mut other);
            }
            let at = |world: &World| generations.iter().position(|text| *text == held(world)).unwrap();
            let before = at(&world);
            if dice.below(3) == 0 && before == generations.len() - 1 {
                world.token(hallpass_core::Need::Fresh).unwrap();
                let renewed = held(&world);
                generations.push(renewed);
                continue;
            }
            let given = dice.below(generations.len());
            let found = world.seed(&generations[given]).unwrap().seed;
            let expected = match given.cmp(&before) {
                std::cmp::Ordering::Greater => SeedUse::Stored,
                std::cmp::Ordering::Equal => SeedUse::Held,
                std::cmp::Ordering::Less => SeedUse::Outdated,
            };
            assert_eq!((found, at(&world)), (expected, before.max(given)), "run {run}");
            stored += u32::from(found == SeedUse::Stored);
        }
        assert!(world.server.families().all(|family| family.revoked.is_none()), "run {run}");
    }
    assert!(stored > 500, "the runs do meet seeds that are later: {stored}");
}

#[test]
fn a_seeding_that_is_cut_off_leaves_the_old_record_or_the_new() {
    for (world, seed) in jobs() {
        for turn in 0.. {
            let mut world = copy(&world);
            let cut = world.dies_at(world.seed_request(&seed), turn);
            assert!(world.store.get(FILE).is_none_or(|text| text == seed));
            assert!(matches!(world.seed(&seed).unwrap().seed, SeedUse::Stored | SeedUse::Held));
            assert_eq!(world.usable().unwrap().origin, TokenOrigin::Refreshed);
            assert!(world.export(true).unwrap().is_some());
            if !cut {
                break;
            }
        }
    }
}

/// The same world once more.
fn copy(world: &World) -> World {
    let mut copy = World::with(world.configuration.provider.clone());
    copy.configuration = world.configuration.clone();
    (copy.server, copy.store, copy.now) = (world.server.clone(), world.store.clone(), world.now);
    copy
}

#[test]
fn a_seed_in_the_keyring_stays_there() {
    let (mut world, seed) = jobs().into_iter().next().unwrap();
    let Request::Seed(request) = world.seed_request(&seed) else { panic!() };
    let request = hallpass_core::SeedRequest { store: Some(hallpass_core::StoreMode::Keyring), ..request };
    world.run(Request::Seed(request)).unwrap();
    assert!(world.store.get(FILE).is_none() && world.store.get(Slot::Record(Place::Keyring)).is_some());
    assert_eq!(world.seed(&seed).unwrap().seed, SeedUse::Held);
    assert_eq!(world.export(true).unwrap(), None);
    assert_eq!(world.usable().unwrap().origin, TokenOrigin::Refreshed);
    assert!(world.export(true).unwrap().is_some());
}
