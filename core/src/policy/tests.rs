use super::*;
use crate::settings::{Origin, Setting};
use crate::{Outcome, Provider};

fn values(pairs: &[(&str, Value)]) -> Settings {
    let mut settings = Settings::default();
    for (key, value) in pairs {
        let place = "/etc/codex/requirements.toml:1".to_owned();
        settings.add(Setting { key: (*key).to_owned(), value: value.clone(), origin: Origin::Managed, place });
    }
    settings
}

fn list(texts: &[&str]) -> Value {
    Value::List(texts.iter().map(ToString::to_string).collect())
}

#[test]
fn without_keys_everything_is_permitted() {
    assert_eq!(Policy::of(&values(&[])).unwrap(), Policy::default());
    let of_codex = [("allowed_approval_policies", list(&["never"])), ("rules", Value::TABLE)];
    assert_eq!(Policy::of(&values(&of_codex)).unwrap(), Policy::default());
}

#[test]
fn the_keys_are_those_of_codex_and_ours() {
    let policy = Policy::of(&values(&[
        ("allowed_login_methods", list(&["chatgpt", "api"])),
        ("allowed_chatgpt_workspaces", list(&["ws-1", " ws-2 ", ""])),
        ("hallpass", Value::TABLE),
        ("hallpass.allowed_issuers", list(&["https://auth.openai.com"])),
        ("hallpass.allowed_stores", list(&["keyring", "ephemeral"])),
        ("hallpass.forbid_plaintext", Value::Flag(true)),
        ("hallpass.forbid_endpoint_overrides", Value::Flag(true)),
    ]));
    let expected = Policy {
        login_methods: Some([LoginKind::Chatgpt, LoginKind::Api].into()),
        workspaces: Some(["ws-1".to_owned(), "ws-2".to_owned()].into()),
        issuers: Some(["https://auth.openai.com".to_owned()].into()),
        stores: Some([StoreMode::Keyring, StoreMode::Ephemeral].into()),
        forbid_plaintext: true,
        forbid_endpoint_overrides: true,
    };
    assert_eq!(policy.unwrap(), expected);
}

#[test]
fn what_is_not_understood_is_an_error_with_its_place() {
    for (key, value) in [
        ("allowed_login_methods", list(&["chatgtp"])),
        ("allowed_login_methods", Value::Flag(true)),
        ("allowed_login_methods", Value::TABLE),
        ("allowed_chatgpt_workspaces", Value::Number(1)),
        ("hallpass", Value::Number(1)),
        ("hallpass.allowed_stores", list(&["drawer"])),
        ("hallpass.allowed_issuers", Value::Other("a list of other things than texts")),
        ("hallpass.forbid_plaintext", Value::Text("yes".to_owned())),
        ("hallpass.forbids_plaintext", Value::Flag(true)),
        ("hallpass.later", Value::TABLE),
    ] {
        let error = Policy::of(&values(&[(key, value)])).unwrap_err().to_string();
        assert!(error.starts_with(&format!("/etc/codex/requirements.toml:1: {key}: ")), "{error}");
    }
}

#[test]
fn a_flow_that_is_forbidden_does_not_begin() {
    let mut configuration = Configuration::new(Provider::openai());
    configuration.policy.login_methods = Some(Vec::new());
    let request = Request::Login(crate::LoginRequest {
        configuration,
        method: LoginMethod::Browser,
        store: None,
        client_secret: None,
    });
    let step = crate::Flow::start(request, crate::Timestamp::default(), crate::Seed::new([0; 32]));
    let crate::Step::Done(Err::<Outcome, _>(error)) = step else { panic!("it has begun") };
    assert_eq!(error.code(), "every_method_forbidden");
}
