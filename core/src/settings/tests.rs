use super::*;
use crate::{Configuration, LoginKind, Provider};

const STORE: &str = "cli_auth_credentials_store";
const ORIGINS: [Origin; 7] = [
    Origin::Project,
    Origin::Default,
    Origin::Home,
    Origin::Environment,
    Origin::Assignment,
    Origin::Argument,
    Origin::Managed,
];

fn setting(key: &str, value: Value, origin: Origin, place: &str) -> Setting {
    Setting { key: key.to_owned(), value, origin, place: place.to_owned() }
}

fn text(value: &str) -> Value {
    Value::Text(value.to_owned())
}

#[test]
fn of_any_two_origins_the_stronger_counts_whichever_came_first() {
    assert!(ORIGINS.is_sorted());
    for (index, weaker) in ORIGINS.iter().enumerate() {
        for stronger in &ORIGINS[index + 1..] {
            for order in [[weaker, stronger], [stronger, weaker]] {
                let mut settings = Settings::default();
                for origin in order {
                    settings.add(setting(STORE, text(&format!("{origin:?}")), *origin, "x"));
                }
                let counts = settings.get(STORE).map(|setting| setting.origin);
                // A project, and nobody, set nothing.
                assert_eq!(counts, (*stronger > Origin::Default).then_some(*stronger), "{weaker:?} {stronger:?}");
            }
        }
    }
}

#[test]
fn of_the_same_origin_the_last_counts() {
    let mut settings = Settings::default();
    settings.add(setting(STORE, text("file"), Origin::Assignment, "-c 1"));
    settings.add(setting(STORE, text("auto"), Origin::Assignment, "-c 2"));
    assert_eq!(settings.store().unwrap(), Some(StoreMode::Auto));
}

#[test]
fn everything_ends_in_the_configuration() {
    let mut settings = Settings::default();
    for (key, value) in [
        (STORE, text("keyring")),
        ("forced_login_method", text("api")),
        ("forced_chatgpt_workspace_id", text(" ws-1 ")),
        ("hallpass.refresh_window", Value::Number(900)),
        ("hallpass.timeouts.http", Value::Number(60)),
        ("hallpass.timeouts.lock", Value::Number(i64::MAX)),
        ("CODEX_REFRESH_TOKEN_URL_OVERRIDE", text("http://127.0.0.1:1/")),
    ] {
        settings.add(setting(key, value, Origin::Home, "config.toml:1"));
    }
    let configuration = settings.apply(Configuration::new(Provider::openai())).unwrap();
    assert_eq!(configuration.store, Some(StoreMode::Keyring));
    assert_eq!(configuration.forced_login_method, Some(LoginKind::Api));
    assert_eq!(configuration.allowed_workspaces, ["ws-1"]);
    assert_eq!(configuration.refresh_window, Some(900_000));
    assert_eq!((configuration.timeouts.http, configuration.timeouts.lock), (Some(60_000), Some(u64::MAX)));
    assert_eq!(configuration.token_endpoint_override.as_deref(), Some("http://127.0.0.1:1/"));
}

#[test]
fn what_is_in_force_is_explained_with_all_that_it_shadows() {
    let mut settings = Settings::default();
    settings.add(setting(STORE, text("ephemeral"), Origin::Project, "/p/.codex/config.toml:1"));
    settings.add(setting(STORE, text("file"), Origin::Home, "/h/config.toml:1"));
    settings.add(setting(STORE, text("auto"), Origin::Assignment, "-c cli_auth_credentials_store"));
    settings.choose_store("--store", StoreMode::Keyring);
    settings.add(setting("hallpass.refresh_window", Value::Number(1), Origin::Home, "/h/config.toml:2"));
    settings.add(setting("forced_login_method", text("none"), Origin::Home, "/h/config.toml:3"));
    let explained = settings.explain(&Policy::default());
    assert_eq!(explained.len(), KEYS.len());
    let of = |key: &str| explained.iter().find(|explained| explained.key == key).unwrap();
    let store = of(STORE);
    assert_eq!((store.value.as_str(), store.place.as_deref()), ("keyring", Some("--store")));
    let shadows: Vec<_> = store.shadows.iter().map(|setting| setting.value.shown()).collect();
    assert_eq!(shadows, ["auto", "file", "ephemeral"]);
    assert_eq!(of("hallpass.refresh_window").value, "360", "what is made of it");
    assert!(of("forced_login_method").problem.as_ref().unwrap().starts_with("/h/config.toml:3: forced_login_method: "));
    assert_eq!(
        (of("hallpass.timeouts.http").origin, of("hallpass.timeouts.http").place.clone()),
        (Origin::Default, None)
    );
}

#[test]
fn a_policy_chooses_the_store_where_nobody_does_and_objects_where_somebody_does() {
    let policy = Policy { forbid_plaintext: true, ..Policy::default() };
    let mut settings = Settings::default();
    let store = |settings: &Settings| settings.explain(&policy).swap_remove(0);
    assert_eq!((store(&settings).value.as_str(), store(&settings).origin), ("keyring", Origin::Managed));
    assert_eq!(store(&settings).problem, None);
    settings.choose_store("--store", StoreMode::File);
    assert_eq!((store(&settings).value.as_str(), store(&settings).origin), ("file", Origin::Argument));
    assert!(store(&settings).problem.unwrap().contains("forbids"));
}

#[test]
fn no_secret_is_kept_or_shown() {
    let mut settings = Settings::default();
    let secrets = ["model_providers.x.experimental_bearer_token", "hallpass.providers.x.client_id", "OPENAI_API_KEY"];
    for key in secrets {
        settings.add(setting(key, text("sk-secret"), Origin::Home, "config.toml:1"));
        settings.add(setting(key, Value::List(Vec::from(["sk-secret".to_owned()])), Origin::Home, "config.toml:1"));
    }
    settings.add(setting(VARIABLES[0], text("https://ada:sk-secret@h.example/"), Origin::Environment, VARIABLES[0]));
    settings.add(setting(VARIABLES[1], text("https://h.example/?key=sk-secret"), Origin::Environment, VARIABLES[1]));
    let shown = format!("{:?}", settings.explain(&Policy::default()));
    assert!(!shown.contains("sk-secret"), "{shown}");
    assert!(shown.contains("h.example"));
    for key in secrets {
        assert_eq!(settings.get(key).unwrap().value.shown(), "a list");
    }
}
