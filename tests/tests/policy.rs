//! What a policy permits: every way to sign in, under every policy, into every store.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use hallpass_core::settings::{Origin, Setting, Settings, VARIABLES, Value};
use hallpass_core::{
    Configuration, Error, LoginKind, LoginMethod, LoginRequest, Need, Outcome, Place, Policy, Request, Slot, StoreMode,
    StoreTrouble,
};
use hallpass_tests::world::{ISSUER, World};

const ADAS: &str = "ws-analytical";
const MINUTE: i64 = 60_000;

/// A login, under its name in the table.
const METHODS: [&str; 4] = ["browser", "device", "api key", "token"];
/// A store, and whether there is a keyring.
const STORES: [(StoreMode, bool); 5] = [
    (StoreMode::File, true),
    (StoreMode::Keyring, true),
    (StoreMode::Auto, true),
    (StoreMode::Auto, false),
    (StoreMode::Ephemeral, true),
];

/// A policy, and what becomes of each login in each store: where it lies (`file`, `keyring`, `memory`), or its error's
/// code. The five columns are `STORES`; the lines are `METHODS`.
struct Row {
    name: &'static str,
    policy: fn() -> Policy,
    /// `forced_login_method` and `forced_chatgpt_workspace_id`.
    forced: (Option<LoginKind>, &'static [&'static str]),
    outcomes: [[&'static str; 5]; 4],
}

const KEPT: [&str; 5] = ["file", "keyring", "keyring", "file", "memory"];
const NO_METHOD: [&str; 5] = ["method_forbidden"; 5];
const NOTHING: [&str; 5] = ["every_method_forbidden"; 5];
const NO_WORKSPACE: [&str; 5] = ["workspace_forbidden"; 5];
const NO_ISSUER: [&str; 5] = ["issuer_forbidden"; 5];
const NO_PLAINTEXT: [&str; 5] = ["store_forbidden", "keyring", "keyring", "store_forbidden", "memory"];

fn table() -> Vec<Row> {
    let row = |name, policy, outcomes| Row { name, policy, forced: (None, &[]), outcomes };
    vec![
        row("none", Policy::default, [KEPT; 4]),
        row("chatgpt only", || methods(&[LoginKind::Chatgpt]), [KEPT, KEPT, NO_METHOD, KEPT]),
        row("api only", || methods(&[LoginKind::Api]), [NO_METHOD, NO_METHOD, KEPT, NO_METHOD]),
        row("both methods", || methods(&[LoginKind::Api, LoginKind::Chatgpt]), [KEPT; 4]),
        row("no method", || methods(&[]), [NOTHING; 4]),
        Row {
            forced: (Some(LoginKind::Api), &[]),
            ..row("chatgpt only, api forced", || methods(&[LoginKind::Chatgpt]), [NOTHING; 4])
        },
        Row {
            forced: (Some(LoginKind::Api), &[]),
            ..row("api forced", Policy::default, [NO_METHOD, NO_METHOD, KEPT, NO_METHOD])
        },
        Row { forced: (None, &[ADAS]), ..row("workspace forced", Policy::default, [KEPT; 4]) },
        row("workspace permitted", || workspaces(&["ws-other", ADAS]), [KEPT; 4]),
        row("workspace foreign", || workspaces(&["ws-other"]), [NO_WORKSPACE, NO_WORKSPACE, KEPT, NO_WORKSPACE]),
        row("no workspace", || workspaces(&[]), [NO_METHOD, NO_METHOD, KEPT, NO_METHOD]),
        Row {
            forced: (None, &["ws-other"]),
            ..row("workspaces that do not meet", || workspaces(&[ADAS]), [NO_METHOD, NO_METHOD, KEPT, NO_METHOD])
        },
        row(
            "no workspace, chatgpt only",
            || Policy { login_methods: Some(vec![LoginKind::Chatgpt]), ..workspaces(&[]) },
            [NOTHING; 4],
        ),
        row("issuer permitted", || issuers(&["https://auth.openai.com", ISSUER]), [KEPT; 4]),
        row("issuer foreign", || issuers(&["https://auth.openai.com"]), [NO_ISSUER, NO_ISSUER, KEPT, NO_ISSUER]),
        row("issuer that looks alike", || issuers(&["https://id.example/"]), [NO_ISSUER, NO_ISSUER, KEPT, NO_ISSUER]),
        row("plaintext forbidden", || Policy { forbid_plaintext: true, ..Policy::default() }, [NO_PLAINTEXT; 4]),
        row(
            "keyring only",
            || stores(&[StoreMode::Keyring]),
            [["store_forbidden", "keyring", "keyring", "store_forbidden", "store_forbidden"]; 4],
        ),
        row("auto only", || stores(&[StoreMode::Auto]), [["file", "keyring", "keyring", "file", "store_forbidden"]; 4]),
        row(
            "file only",
            || stores(&[StoreMode::File]),
            [["file", "store_forbidden", "store_forbidden", "store_forbidden", "store_forbidden"]; 4],
        ),
        row(
            "file only, and no plaintext",
            || Policy { forbid_plaintext: true, ..stores(&[StoreMode::File]) },
            [["store_forbidden"; 5]; 4],
        ),
        row("no store", || stores(&[]), [["store_forbidden"; 5]; 4]),
    ]
}

fn methods(methods: &[LoginKind]) -> Policy {
    Policy { login_methods: Some(methods.to_vec()), ..Policy::default() }
}

fn workspaces(ids: &[&str]) -> Policy {
    Policy { workspaces: Some(ids.iter().map(ToString::to_string).collect()), ..Policy::default() }
}

fn issuers(issuers: &[&str]) -> Policy {
    Policy { issuers: Some(issuers.iter().map(ToString::to_string).collect()), ..Policy::default() }
}

fn stores(modes: &[StoreMode]) -> Policy {
    Policy { stores: Some(modes.to_vec()), ..Policy::default() }
}

fn code<T: std::fmt::Debug>(result: Result<T, Error>) -> &'static str {
    result.expect_err("it fails").code()
}

/// A world with a store, and perhaps without a keyring.
fn world((mode, has_keyring): (StoreMode, bool)) -> World {
    let mut world = World::openai();
    world.unchecked = true;
    world.configuration.store = Some(mode);
    if !has_keyring {
        world.store.troubles.insert(Place::Keyring, StoreTrouble::Unavailable);
    }
    world
}

fn apply(world: &mut World, row: &Row) {
    world.managed = (row.policy)();
    world.configuration.policy = (row.policy)();
    world.configuration.forced_login_method = row.forced.0;
    world.configuration.allowed_workspaces = row.forced.1.iter().map(ToString::to_string).collect();
}

fn method(world: &mut World, name: &str) -> LoginMethod {
    match name {
        "browser" => LoginMethod::Browser,
        "device" => LoginMethod::DeviceCode,
        "api key" => LoginMethod::ApiKey("sk-c4n4ry".into()),
        _ => LoginMethod::AccessToken(world.server.issue_personal_access_token("ada@example.com").unwrap().into()),
    }
}

fn sign_in(world: &mut World, name: &str) -> Result<(), Error> {
    let method = method(world, name);
    world.log_in(method).map(|_| ())
}

/// Where a record lies, as the table says it.
fn place(world: &World) -> &'static str {
    let found = [(Place::File, "file"), (Place::Keyring, "keyring"), (Place::Ephemeral, "memory")];
    let mut found = found.into_iter().filter(|(place, _)| world.store.get(Slot::Record(*place)).is_some());
    let place = found.next().map_or("nowhere", |(_, name)| name);
    assert_eq!(found.next(), None, "there is one record");
    place
}

/// Where a secret lies that no record says.
fn is_clean(world: &World) -> bool {
    [Place::File, Place::Keyring, Place::Ephemeral].into_iter().all(|place| {
        [Slot::Record(place), Slot::Parked(place), Slot::Client(place)]
            .iter()
            .all(|slot| world.store.get(*slot).is_none())
    })
}

fn each_cell(mut look: impl FnMut(&Row, &str, (StoreMode, bool), &str)) {
    for row in table() {
        for (name, outcomes) in METHODS.iter().zip(row.outcomes) {
            for (store, outcome) in STORES.into_iter().zip(outcomes) {
                look(&row, name, store, outcome);
            }
        }
    }
}

#[test]
fn a_login_is_permitted_or_sends_and_stores_nothing() {
    each_cell(|row, name, store, outcome| {
        let cell = format!("{}, {name}, {store:?}", row.name);
        let mut world = world(store);
        apply(&mut world, row);
        let ended = sign_in(&mut world, name);
        match ended {
            Ok(()) => assert_eq!(place(&world), outcome, "{cell}"),
            Err(error) => {
                assert_eq!(error.code(), outcome, "{cell}: {error}");
                assert!(matches!(error, Error::Forbidden(_)) && is_clean(&world), "{cell}");
                // A workspace is known once the server has said it, and what it granted is given back.
                let is_late =
                    outcome == "workspace_forbidden" || (name == "token" && store == (StoreMode::Auto, false));
                assert!(is_late || world.sent.is_empty(), "{cell}: {:?}", world.sent);
                assert!(world.server.families().all(|family| family.revoked.is_some()), "{cell}");
            }
        }
    });
}

#[test]
fn a_stored_credential_is_used_as_it_could_be_stored() {
    each_cell(|row, name, store, outcome| {
        let cell = format!("{}, {name}, {store:?}", row.name);
        let mut world = world(store);
        sign_in(&mut world, name).unwrap();
        let before = place(&world);
        // The workspace of a token that does not say it was noted at the login; an ephemeral home notes nothing.
        let is_unknown = name == "token" && store.0 == StoreMode::Ephemeral;
        if is_unknown && row.name.contains("workspace") {
            return;
        }
        apply(&mut world, row);
        world.sent.clear();
        // What `auto` has put into the file lies where it may, although a login may not choose `auto` any more.
        let outcome = if row.name == "file only" && before == "file" { "file" } else { outcome };
        let is_permitted = ["file", "keyring", "memory"].contains(&outcome);
        let status = world.status(false).unwrap();
        assert_eq!(status.logged_in, is_permitted, "{cell}");
        let codes: Vec<_> = status.warnings.iter().map(|warning| warning.code.as_str()).collect();
        assert_eq!(codes.contains(&outcome), !is_permitted, "{cell}: {codes:?}");
        match world.usable() {
            Ok(_) => assert!(is_permitted, "{cell}"),
            Err(error) => assert_eq!(error.code(), outcome, "{cell}"),
        }
        assert_eq!(place(&world), before, "{cell}: nothing is deleted");
        assert!(world.sent.is_empty(), "{cell}");
    });
}

#[test]
fn what_is_forbidden_at_the_save_is_not_saved() {
    each_cell(|row, name, store, outcome| {
        if row.forced != (None, &[]) {
            return;
        }
        let cell = format!("{}, {name}, {store:?}", row.name);
        let mut world = world(store);
        world.managed = (row.policy)();
        let is_permitted = ["file", "keyring", "memory"].contains(&outcome);
        // A personal access token does not say whose workspace or issuer it is: that is asked at the login.
        let is_silent = name == "token" && ["workspace_forbidden", "issuer_forbidden"].contains(&outcome);
        match sign_in(&mut world, name) {
            Ok(()) => assert!(is_permitted || is_silent, "{cell}"),
            Err(error) => {
                assert_eq!(error.code(), "store_forbidden", "{cell}: {error}");
                assert!(!is_permitted && is_clean(&world), "{cell}");
                assert!(world.server.families().all(|family| family.revoked.is_some()), "{cell}");
            }
        }
    });
}

#[test]
fn a_policy_that_comes_during_a_refresh_spends_nothing_or_hands_out_nothing() {
    for store in [(StoreMode::File, true), (StoreMode::Keyring, true)] {
        for expired in [true, false] {
            let mut world = world(store);
            world.login();
            let before = world.store.get(Slot::Record(store.0.into_place())).unwrap().to_owned();
            world.wait(if expired { 3_600_001 } else { 3_400_000 });
            world.sent.clear();
            // The configuration was read before the administrator wrote the file.
            world.managed = stores(&[]);
            assert_eq!(code(world.usable()), "store_forbidden");
            assert!(world.sent.is_empty(), "the reservation was refused");
            assert_eq!(world.store.get(Slot::Record(store.0.into_place())).unwrap(), before);
        }
    }
    // What is forbidden only once the server has answered stays parked, and is used when it is permitted again.
    let mut world = world((StoreMode::File, true));
    world.login();
    world.wait(3_600_001);
    world.managed = methods(&[LoginKind::Api]);
    assert_eq!(code(world.usable()), "store_forbidden");
    assert!(world.store.get(Slot::Parked(Place::File)).is_some(), "the only valid token is not thrown away");
    world.managed = Policy::default();
    world.sent.clear();
    assert!(world.usable().is_ok() && world.sent.is_empty());
}

#[test]
fn what_codex_deletes_is_deleted_after_saying_so_and_nothing_else() {
    for row in table() {
        for (name, outcomes) in METHODS.iter().zip(row.outcomes) {
            let mut world = world((StoreMode::File, true));
            sign_in(&mut world, name).unwrap();
            apply(&mut world, &row);
            world.sent.clear();
            world.log.clear();
            let enforced = world.enforce().unwrap();
            let cell = format!("{}, {name}: {enforced:?}", row.name);
            let expected = outcomes[0];
            let violation = enforced.violation.as_ref().map(|report| report.code.as_str());
            assert_eq!(violation, Some(expected).filter(|code| code.ends_with("forbidden")), "{cell}");
            let deletes = ["method_forbidden", "workspace_forbidden"].contains(&expected);
            assert_eq!((enforced.deleted, is_clean(&world)), (deletes, deletes), "{cell}");
            assert_eq!(
                world.log.iter().filter(|line| line.contains("is deleted")).count(),
                usize::from(deletes),
                "{cell}"
            );
            assert!(world.sent.is_empty() && enforced.failures.is_empty(), "{cell}: nothing is revoked");
            assert!(world.server.families().all(|family| family.revoked.is_none()), "{cell}");
        }
    }
    let mut world = world((StoreMode::File, true));
    world.configuration.policy = methods(&[]);
    assert_eq!(world.enforce().unwrap().violation, None, "there is nothing");
}

#[test]
fn enforcing_keeps_to_the_rules_of_every_flow() {
    let mut world = World::openai();
    world.log_in(LoginMethod::ApiKey("sk-c4n4ry".into())).unwrap();
    world.configuration.policy = methods(&[LoginKind::Chatgpt]);
    assert!(world.enforce().unwrap().deleted);
    // A store that deletes nothing is said, and the violation stands.
    let mut world = World::openai();
    world.log_in(LoginMethod::ApiKey("sk-c4n4ry".into())).unwrap();
    world.configuration.policy = methods(&[LoginKind::Chatgpt]);
    world.store.troubles.insert(Place::File, StoreTrouble::ReadOnly);
    world.store.reading_works = true;
    let enforced = world.enforce().unwrap();
    assert!(!enforced.deleted && enforced.violation.is_some());
    assert_eq!(enforced.failures.first().unwrap().code, "store_read_only");
}

#[test]
fn a_seed_and_an_export_keep_to_it() {
    let mut elsewhere = World::openai();
    elsewhere.login();
    let session = elsewhere.export(false).unwrap().unwrap();
    for (policy, expected) in [
        (methods(&[LoginKind::Api]), "method_forbidden"),
        (workspaces(&["ws-other"]), "workspace_forbidden"),
        (issuers(&["https://auth.openai.com"]), "issuer_forbidden"),
        (stores(&[]), "store_forbidden"),
    ] {
        let mut world = World::openai();
        world.configuration.policy = policy.clone();
        // A store that is not asked for and not permitted is the last thing to be found out.
        assert_eq!(code(world.seed(&session)), expected);
        assert!(is_clean(&world));
        world.configuration.policy = Policy::default();
        world.seed(&session).unwrap();
        world.configuration.policy = policy;
        assert_eq!(code(world.export(false)), expected);
    }
}

#[test]
fn a_refresh_keeps_to_the_workspace() {
    // Whoever edits the file to name another workspace for the requests is not served.
    let mut world = World::openai();
    world.login();
    let edited = world.store.get(Slot::Record(Place::File)).unwrap().replace("ws-analytical\"", "ws-other\"");
    world.configuration.policy = workspaces(&[ADAS]);
    assert!(world.usable().is_ok());
    world.store.put(Slot::Record(Place::File), &edited);
    assert_eq!(code(world.usable()), "workspace_forbidden");
    assert_eq!(code(world.token(Need::Fresh)), "workspace_forbidden");
}

#[test]
fn without_a_keyring_a_policy_without_plaintext_permits_nothing() {
    for mode in [None, Some(StoreMode::Keyring), Some(StoreMode::Auto)] {
        for policy in [Policy { forbid_plaintext: true, ..Policy::default() }, stores(&[StoreMode::Keyring])] {
            let mut world = world((StoreMode::File, false));
            world.configuration.store = mode;
            world.configuration.policy = policy;
            for name in METHODS {
                assert_eq!(code(sign_in(&mut world, name)), "store_forbidden", "{mode:?} {name}");
            }
            assert!(is_clean(&world) && world.person.authorization_url.is_none());
            if mode != Some(StoreMode::Auto) {
                assert_eq!(code(world.usable()), "store_forbidden");
            }
        }
    }
}

#[test]
fn without_a_choice_the_store_is_one_that_is_permitted() {
    for (policy, expected) in [
        (Policy { forbid_plaintext: true, ..Policy::default() }, "keyring"),
        (stores(&[StoreMode::Keyring]), "keyring"),
        (stores(&[StoreMode::Ephemeral]), "memory"),
        (stores(&[StoreMode::File, StoreMode::Keyring]), "file"),
    ] {
        let mut world = World::openai();
        world.configuration.policy = policy.clone();
        world.managed = policy;
        world.login();
        assert_eq!(place(&world), expected);
        assert!(world.usable().is_ok());
    }
    // A pin that has become forbidden gives way at the next login, and the old record goes.
    let mut world = World::openai();
    world.login();
    world.configuration.policy = Policy { forbid_plaintext: true, ..Policy::default() };
    assert_eq!(code(world.usable()), "store_forbidden");
    world.login();
    assert_eq!(place(&world), "keyring");
    assert!(world.usable().is_ok());
    let request = LoginRequest { store: Some(StoreMode::File), ..world.login_request(LoginMethod::Browser) };
    assert_eq!(code(world.run(Request::Login(request))), "store_forbidden", "but who asks for it is told");
}

#[test]
fn endpoint_overrides_can_be_forbidden() {
    let mut world = World::openai();
    world.login();
    world.configuration.token_endpoint_override = Some("http://127.0.0.1:1/token".into());
    world.configuration.policy.forbid_endpoint_overrides = true;
    world.sent.clear();
    assert_eq!(code(world.usable()), "override_forbidden");
    assert_eq!(code(world.log_out(false)), "override_forbidden");
    assert_eq!(code(world.log_in(LoginMethod::Browser)), "override_forbidden");
    assert_eq!(code(world.status(true)), "override_forbidden");
    assert!(world.status(false).is_ok() && world.sent.is_empty());
}

#[test]
fn windows_and_timeouts_are_as_configured() {
    let window = |configured: Option<u64>, left: i64| {
        let mut world = World::openai();
        world.server.options_mut().access_token_lifetime_ms = 100_000_000;
        world.configuration.refresh_window = configured;
        world.login();
        world.wait(100_000_000 - left);
        world.sent.clear();
        world.usable().unwrap();
        !world.sent.is_empty()
    };
    // 10 to 13 minutes, unless said otherwise.
    assert!(window(None, 9 * MINUTE) && !window(None, 14 * MINUTE));
    assert!(window(Some(1_800_000), 29 * MINUTE) && !window(Some(1_800_000), 34 * MINUTE));
    // Never later than a minute before Codex, never earlier than an hour.
    assert!(window(Some(0), 5 * MINUTE + 59_000) && !window(Some(0), 10 * MINUTE));
    assert!(!window(Some(u64::MAX), 64 * MINUTE));
    let mut world = World::openai();
    world.configuration.timeouts.http = Some(60_000);
    world.configuration.timeouts.lock = Some(1);
    world.login();
    assert!(world.requests.iter().all(|request| request.deadline == 60_000));
    world.wait(3_600_001);
    world.busy = vec![hallpass_core::Lock::Transaction];
    let before = world.now;
    assert_eq!(code(world.usable()), "lock_busy");
    assert_eq!(world.now.since(before), 5_000, "less makes no sense");
    world.busy.clear();
    world.requests.clear();
    assert!(world.log_out(false).is_ok());
    assert!(world.requests.iter().all(|request| request.deadline == 5_000), "a logout does not wait longer");
}

/// Where a mode keeps its record first.
trait IntoPlace {
    fn into_place(self) -> Place;
}

impl IntoPlace for StoreMode {
    fn into_place(self) -> Place {
        match self {
            Self::File => Place::File,
            Self::Keyring | Self::Auto => Place::Keyring,
            Self::Ephemeral => Place::Ephemeral,
        }
    }
}

#[test]
fn a_request_may_come_with_a_policy() {
    let provider = r#"{"name":"x","issuer":"https://id.example","client_id":"c"}"#;
    let request = |policy: &str| {
        let text = format!(
            r#"{{"status":{{"configuration":{{"provider":{provider},"policy":{policy},"forced_login_method":"api"}}}}}}"#
        );
        serde_json::from_str::<Request>(&text)
    };
    assert!(matches!(request(r#"{"login_methods":["api"],"forbid_plaintext":true}"#), Ok(Request::Status(_))));
    assert!(request(r#"{"forbids_plaintext":true}"#).is_err(), "a key that is not known may be a prohibition");
    let mut world = World::openai();
    assert!(matches!(world.run(request("{}").unwrap()), Ok(Outcome::Status(_))));
}

/// Numbers from a seed (xorshift).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % limit as u64).unwrap()
    }

    fn one_of<'a>(&mut self, all: &[&'a str]) -> &'a str {
        all[self.below(all.len())]
    }

    /// Nothing, or some of these.
    fn some_of<T: Copy>(&mut self, all: &[T]) -> Option<Vec<T>> {
        let chosen = self.below(1 << (all.len() + 1));
        (chosen >> all.len() == 0)
            .then(|| all.iter().enumerate().filter(|(at, _)| chosen & 1 << at != 0).map(|(_, one)| *one).collect())
    }
}

/// Anything that people can set, in any place where they can set it, and some things that they would like to.
fn wishes(numbers: &mut Numbers) -> Settings {
    let mut settings = Settings::default();
    for _ in 0..numbers.below(12) {
        let key = numbers.one_of(&[
            "cli_auth_credentials_store",
            "forced_login_method",
            "forced_chatgpt_workspace_id",
            "allowed_login_methods",
            "allowed_chatgpt_workspaces",
            "hallpass.allowed_issuers",
            "hallpass.allowed_stores",
            "hallpass.forbid_plaintext",
            "hallpass.forbid_endpoint_overrides",
            "hallpass.policy",
            "CODEX_REFRESH_TOKEN_URL_OVERRIDE",
        ]);
        let text = |text: &str| Value::Text(text.to_owned());
        let value = match (key, numbers.below(3)) {
            ("cli_auth_credentials_store", _) => text(numbers.one_of(&["file", "keyring", "auto", "ephemeral"])),
            ("forced_login_method", _) => text(numbers.one_of(&["chatgpt", "api"])),
            ("CODEX_REFRESH_TOKEN_URL_OVERRIDE", _) => text("http://127.0.0.1:1/token"),
            (_, 0) => Value::Flag(false),
            (_, 1) => text(numbers.one_of(&[ADAS, "ws-other", "api", "chatgpt", ISSUER, "file"])),
            (_, _) => Value::List([ADAS, "api", "chatgpt", ISSUER, "file", "auto"].map(str::to_owned).to_vec()),
        };
        let origin = [Origin::Project, Origin::Home, Origin::Environment, Origin::Assignment, Origin::Argument];
        let origin = origin[numbers.below(origin.len())];
        settings.add(Setting { key: key.to_owned(), value, origin, place: "somewhere".to_owned() });
    }
    settings
}

#[test]
fn nothing_that_people_can_set_loosens_a_policy() {
    let (mut permitted, mut forbidden) = (0, 0);
    for seed in 1..=1_500_u64 {
        let mut numbers = Numbers(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let policy = Policy {
            login_methods: numbers.some_of(&[LoginKind::Chatgpt, LoginKind::Api]),
            workspaces: numbers.some_of(&[ADAS, "ws-other"]).map(|ids| ids.into_iter().map(str::to_owned).collect()),
            issuers: numbers
                .some_of(&[ISSUER, "https://other.example"])
                .map(|all| all.into_iter().map(str::to_owned).collect()),
            stores: numbers.some_of(&[StoreMode::File, StoreMode::Keyring, StoreMode::Auto, StoreMode::Ephemeral]),
            forbid_plaintext: numbers.below(4) == 0,
            forbid_endpoint_overrides: numbers.below(4) == 0,
        };
        let mut world = World::openai();
        world.unchecked = true;
        if numbers.below(3) == 0 {
            world.store.troubles.insert(Place::Keyring, StoreTrouble::Unavailable);
        }
        let wishes = wishes(&mut numbers);
        // A value of another type is an error, and nothing happens.
        let Ok(configuration) = wishes.apply(world.configuration.clone()) else { continue };
        world.configuration = Configuration { policy: policy.clone(), ..configuration };
        // The shell's own look at the file would hide what the core lets through.
        let name = METHODS[numbers.below(METHODS.len())];
        let chosen = [None, Some(StoreMode::File), Some(StoreMode::Auto), Some(StoreMode::Ephemeral)][numbers.below(4)];
        let method = method(&mut world, name);
        let request = LoginRequest { store: chosen, ..world.login_request(method) };
        let result = world.run(Request::Login(request));
        let case = format!("seed {seed}: {name}, {chosen:?}, {policy:?}, {wishes:?}: {result:?}");
        if result.is_err() {
            forbidden += 1;
            assert!(is_clean(&world), "{case}");
            continue;
        }
        permitted += 1;
        let kind = if name == "api key" { LoginKind::Api } else { LoginKind::Chatgpt };
        assert!(policy.login_methods.as_ref().is_none_or(|methods| methods.contains(&kind)), "{case}");
        if kind == LoginKind::Chatgpt {
            assert!(policy.workspaces.as_ref().is_none_or(|ids| ids.iter().any(|id| id == ADAS)), "{case}");
            assert!(policy.issuers.as_ref().is_none_or(|all| all.iter().any(|issuer| issuer == ISSUER)), "{case}");
        }
        let lists = |mode| policy.stores.as_ref().is_none_or(|modes| modes.contains(&mode));
        let may_lie = match place(&world) {
            "file" => !policy.forbid_plaintext && (lists(StoreMode::File) || lists(StoreMode::Auto)),
            "keyring" => lists(StoreMode::Keyring) || lists(StoreMode::Auto),
            _ => lists(StoreMode::Ephemeral),
        };
        assert!(may_lie, "{case}");
        assert!(!policy.forbid_endpoint_overrides || wishes.get(VARIABLES[0]).is_none(), "{case}");
    }
    assert!(permitted > 100 && forbidden > 100, "{permitted} were permitted, {forbidden} forbidden");
}
