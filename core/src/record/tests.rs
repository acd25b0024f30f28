use super::*;
use crate::token_response::TokenSet;

const CHATGPT: &str = include_str!("../../../tests/vectors/auth.before-refresh.json");
const DEVICE: &str = include_str!("../../../tests/vectors/auth.chatgpt.device.json");
const API_KEY: &str = include_str!("../../../tests/vectors/auth.apikey.json");

fn read(text: &str) -> Result<Record, Error> {
    Record::parse(&Secret::new(text))
}

#[test]
fn what_codex_wrote_is_written_again_to_the_byte() {
    for text in [CHATGPT, DEVICE, API_KEY] {
        assert_eq!(read(text).unwrap().text().expose(), text);
    }
}

#[test]
fn what_codex_writes_is_what_we_write() {
    assert_eq!(Record::api_key(Secret::new("sk-test-0123456789abcdefXYZ")).text().expose(), API_KEY);
    let personal = Record::personal_access_token(Secret::new("at-abc"));
    assert_eq!(personal.text().expose(), "{\n  \"OPENAI_API_KEY\": null,\n  \"personal_access_token\": \"at-abc\"\n}");
}

#[test]
fn a_login_has_the_members_of_codex_in_its_order() {
    let recorded = read(DEVICE).unwrap();
    let tokens = recorded.tokens().unwrap();
    let set = TokenSet {
        access_token: tokens.access_token().clone(),
        refresh_token: tokens.refresh_token().cloned(),
        id_token: tokens.object().member("id_token").unwrap(),
        expires_in: None,
        scope: None,
        is_bound: false,
        nonce: None,
    };
    let provenance = tokens.provenance().unwrap();
    let provider = crate::Provider { issuer: provenance.issuer.clone(), ..crate::Provider::openai() };
    let owner = Secret::new("DY1fFGS8SX0Xt1C-PK1b3P6ipwOG0lNX0xgl5eFAtOg");
    let login = Record::login(Tokens::granted(set, &provider, &owner), None, recorded.last_refresh().unwrap());
    // Ours counts milliseconds where Codex counts nanoseconds.
    assert_eq!(login.text().expose(), DEVICE.replace("52.926160203Z", "52.926Z"));
}

#[test]
fn a_refresh_keeps_what_nobody_knows() {
    let record = read(CHATGPT).unwrap();
    let tokens = record.tokens().unwrap().clone();
    let set = TokenSet {
        access_token: Secret::new("new-access"),
        refresh_token: None,
        id_token: None,
        expires_in: None,
        scope: None,
        is_bound: false,
        nonce: None,
    };
    let renewed = record.renewed(tokens.renewed(&set), Timestamp::from_seconds(1_795_459_313));
    let text = renewed.text();
    let text = text.expose();
    assert!(text.contains("\"x_future\"") && text.contains("2.5") && text.contains("\"x_unknown\""), "{text}");
    assert!(text.contains("\"refresh_token\": \"rt_seed\""), "an answer without a refresh token keeps the old one");
    assert!(text.contains("\"last_refresh\": \"2026-11-23T18:41:53.000Z\""), "{text}");
}

#[test]
fn the_mode_is_resolved_as_codex_does() {
    let credential = |text: &str| read(text).map(|record| record.credential().clone());
    let key = || Credential::ApiKey(Secret::new("sk-legacy"));
    assert_eq!(credential(r#"{"OPENAI_API_KEY":"sk-legacy","tokens":null,"last_refresh":null}"#), Ok(key()));
    assert_eq!(
        credential(r#"{"OPENAI_API_KEY":null,"personal_access_token":"at-1"}"#),
        Ok(Credential::AccessToken(Secret::new("at-1")))
    );
    assert_eq!(credential(r#"{"auth_mode":"bedrockApiKey"}"#), Ok(Credential::Other("bedrockApiKey".into())));
    for nothing in [
        "{}",
        r#"{"auth_mode":"chatgpt"}"#,
        r#"{"auth_mode":"apikey","OPENAI_API_KEY":""}"#,
        r#"{"tokens":{"id_token":"","access_token":"","refresh_token":""}}"#,
    ] {
        assert_eq!(credential(nothing), Ok(Credential::Nothing), "{nothing}");
    }
    let tokens =
        read(r#"{"auth_mode":"chatgpt","OPENAI_API_KEY":"sk-x","tokens":{"access_token":"a","refresh_token":"r"}}"#)
            .unwrap();
    assert!(tokens.tokens().is_some(), "the named mode wins over the key beside it");
}

#[test]
fn what_cannot_be_read_says_where_and_shows_nothing() {
    for text in [
        "",
        " \n",
        "\0\0\0\0",
        "{",
        "[]",
        "null",
        r#"{"auth_mode":"newest"}"#,
        r#"{"tokens":{"access_token":5}}"#,
        r#"{"OPENAI_API_KEY":{"a":"canary"}}"#,
    ] {
        let error = read(text).unwrap_err();
        assert_eq!(error.code(), "corrupt_credentials", "{text}");
        assert!(!alloc::format!("{error} {error:?}").contains("canary"));
    }
    for end in 0..CHATGPT.len() {
        assert!(read(&CHATGPT[..end]).is_err(), "cut at {end}");
    }
    assert!(read(&alloc::format!("\u{feff}{API_KEY}")).is_ok(), "a byte order mark is no error");
}
