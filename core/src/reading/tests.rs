//! The readers say what `serde_json` says of the same types, wherever a binding can bring it.

use crate::json::{FromJson, Mistake, read};
use crate::*;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;
use serde::de::DeserializeOwned;

/// Says what `serde_json` says.
fn agrees<T: DeserializeOwned + FromJson + PartialEq + fmt::Debug>(json: &str) -> bool {
    let expected = serde_json::from_str::<T>(json).ok();
    assert_eq!(read::<T>(json).ok(), expected, "{json}");
    expected.is_some()
}

#[test]
fn texts() {
    for json in [r#""""#, r#""plain""#, r#" "é🦀" "#, r#""\"\\\/\b\f\n\r\t""#, r#""\u00e9 \uD83E\uDD80 \u0000""#] {
        assert!(agrees::<String>(json));
    }
    for json in [
        "",
        "\"",
        r#""\"#,
        r#""\x""#,
        r#""\u12""#,
        r#""\u12g4""#,
        r#""\ud83e""#,
        r#""\ud83ex""#,
        r#""\ud83e\u0041""#,
        r#""\udd80""#,
        r#""\u+123""#,
        "\"\n\"",
        "\"\u{7}\"",
        r#""a" "b""#,
        "a",
        "'a'",
        "1",
        "null",
        "[\"a\"]",
        r#""\é""#,
    ] {
        assert!(!agrees::<String>(json));
    }
}

#[test]
fn whole_numbers() {
    for json in ["0", "7", "65535", " 12\n"] {
        assert!(agrees::<u16>(json));
    }
    for json in ["-1", "65536", "01", "1.0", "1e2", "", "-", "+1", "0x1", "1 2", "\"1\"", "99999999999999999999"] {
        assert!(!agrees::<u16>(json));
    }
    for json in ["-1", "-2147483648", "2147483647"] {
        assert!(agrees::<i32>(json));
    }
    assert!(agrees::<u64>("18446744073709551615") && !agrees::<u64>("18446744073709551616"));
    assert!(!agrees::<i64>("-9223372036854775809") && !agrees::<i64>("--1"));
}

#[test]
fn lists_and_objects() {
    for json in ["[]", "[ ]", "[true]", "[true , false,null]", "[null]"] {
        assert!(agrees::<Vec<Option<bool>>>(json));
    }
    for json in ["[", "]", "[,]", "[true,]", "[true false]", "[true]]", "{}", "[truefalse]", "[nul]", "[tru"] {
        assert!(!agrees::<Vec<Option<bool>>>(json));
    }
    for json in ["{}", r#"{"a":1}"#, r#"{ "a" : 1 , "b":2 }"#] {
        assert!(agrees::<BTreeMap<String, u8>>(json));
    }
    for json in [r#"{"a"}"#, r#"{"a":}"#, r#"{"a":1,}"#, "{a:1}", r#"{"a":1 "b":2}"#, r#"{"a":1"#, "{1:1}"] {
        assert!(!agrees::<BTreeMap<String, u8>>(json));
    }
    assert!(agrees::<(u8, String)>(r#"[1,"a"]"#));
    assert!(!agrees::<(u8, String)>("[1]") && !agrees::<(u8, String)>(r#"[1,"a",2]"#));
}

#[test]
fn events() {
    for json in [
        r#""saved""#,
        r#"{"removed":true}"#,
        r#"{"loaded":null}"#,
        r#"{"loaded":"text"}"#,
        r#"{"responded":{"status":200,"headers":[["a","b"]],"body":""}}"#,
        r#"{"responded":{"more":[1.5e3,{"a":[null,-2]},"\n"],"status":200,"headers":[],"body":"","none":{}}}"#,
        r#"{"request_failed":{"reach":{"broken":200},"detail":""}}"#,
        r#"{"request_failed":{"reach":"not_sent","detail":""}}"#,
        r#"{"called":{"method":"GET","target":"/"}}"#,
        r#"{"ran":{"status":-1,"output":""}}"#,
    ] {
        assert!(agrees::<Event>(json), "{json}");
    }
    for json in [
        "",
        "{}",
        "null",
        "7",
        r#""exploded""#,
        r#""loaded""#,
        r#"{"exploded":1}"#,
        r#"{"loaded":null,"saved":null}"#,
        r#"{"responded":{"status":200,"headers":[]}}"#,
        r#"{"responded":{"status":"200","headers":[],"body":""}}"#,
        r#"{"responded":{"status":200,"status":200,"headers":[],"body":""}}"#,
        r#"{"responded":{"status":200,"headers":[["a"]],"body":""}}"#,
        r#"{"removed":true"#,
        r#"{"removed" true}"#,
    ] {
        assert!(!agrees::<Event>(json), "{json}");
    }
}

/// What `serde_json` takes and no binding writes.
#[test]
fn other_forms_are_refused() {
    for json in [r#"{"responded":[200,[],""]}"#, r#"{"saved":null}"#, r#"{"request_failed":["not_sent",""]}"#] {
        assert!(serde_json::from_str::<Event>(json).is_ok() && read::<Event>(json).is_err(), "{json}");
    }
}

#[test]
fn a_request_comes_back_as_it_went() {
    let json = r#"{"login":{"configuration":{"provider":{"name":"p","issuer":"https://p.example","client_id":"c",
        "client_authentication":{"private_key_jwt":{"algorithm":"ES256","key":"k.pem"}},"dialect":"openai",
        "authorization_parameters":[["a","b"]],"redirect":{"ports":[0,1455],"path":"/"}}},"method":{"api_key":"k"}}}"#;
    assert!(agrees::<Request>(json));
    let request: Request = read(json).unwrap();
    assert_eq!(read::<Request>(&serde_json::to_string(&request).unwrap()).unwrap(), request);
    // Cut anywhere, it is an error, and nothing worse.
    (0..json.len()).for_each(|end| assert!(read::<Request>(&json[..end]).is_err()));
}

/// Every byte of some messages replaced by every byte that means something.
#[test]
fn nothing_makes_it_panic_or_say_another_thing_than_serde_json() {
    let event = r#"{"responded":{"status":200,"headers":[["a\u00e9","b"]],"body":"\n","x":[1,-2.5]}}"#;
    for at in 0..event.len() {
        for new in br#"{}[]":,\ u0-.nte"#.iter().chain(b"\0\x7f") {
            let mut bytes = event.as_bytes().to_vec();
            bytes[at] = *new;
            let json = String::from_utf8(bytes).unwrap();
            agrees::<Event>(&json);
        }
    }
}

#[test]
fn deep_nests_are_refused() {
    let nest = |depth: usize| {
        format!(r#"{{"called":{{"method":"","target":"","x":{}0{}}}}}"#, "[".repeat(depth), "]".repeat(depth))
    };
    assert!(read::<Event>(&nest(60)).is_ok());
    assert!(read::<Event>(&nest(100_000)).is_err());
}

#[test]
fn the_error_is_a_place() {
    assert_eq!(read::<Vec<bool>>("[true, 1]"), Err(Mistake::At(7)));
}

/// Whether the names that serde knows are those that are read here: with a value, or without.
fn knows_all_names<T: DeserializeOwned + FromJson>() {
    let complaint = serde_json::from_str::<T>(r#""?""#).err().unwrap().to_string();
    let (_, names) = complaint.split_once("expected ").unwrap();
    let names: Vec<_> = names.split('`').skip(1).step_by(2).collect();
    assert!(names.len() > 1, "{complaint}");
    for name in names {
        let alone = format!(r#""{name}""#);
        let is_alone = serde_json::from_str::<T>(&alone).is_ok();
        assert_eq!(read::<T>(&alone).is_ok(), is_alone, "{name}");
    }
    assert!(read::<T>(r#""?""#).is_err());
}

#[test]
fn every_name_is_known() {
    knows_all_names::<ClientAuthentication>();
    knows_all_names::<Dialect>();
    knows_all_names::<Event>();
    knows_all_names::<FileContents>();
    knows_all_names::<GrantType>();
    knows_all_names::<IdentityToken>();
    knows_all_names::<LockTrouble>();
    knows_all_names::<LoginKind>();
    knows_all_names::<LoginMethod>();
    knows_all_names::<LoginRequired>();
    knows_all_names::<Need>();
    knows_all_names::<Place>();
    knows_all_names::<Reach>();
    knows_all_names::<Request>();
    knows_all_names::<StoreMode>();
    knows_all_names::<StoreTrouble>();
    knows_all_names::<SubjectToken>();
    knows_all_names::<Wanted>();
}

/// Variants with a value, and everything that a request can hold: what was written is read.
#[test]
fn what_serde_writes_is_read() {
    let events = [
        r#"{"lock_failed":{"kind":"unsupported","detail":"d"}}"#,
        r#"{"store_failed":{"kind":"too_large","detail":"d"}}"#,
        r#"{"listening":{"redirect_uri":"u"}}"#,
        r#"{"listen_failed":{"detail":"d"}}"#,
        r#"{"pasted":"u"}"#,
        r#"{"run_failed":{"detail":"d"}}"#,
        r#"{"signed":"s"}"#,
        r#"{"sign_failed":{"detail":"d"}}"#,
    ];
    assert!(events.iter().all(|event| agrees::<Event>(event)));
    let provider = r#""provider":{"name":"p","issuer":"i","client_id":"c","endpoints":{"authorization":null,"token":"t",
        "revocation":"r","device_authorization":"d","pushed_authorization":"p","requires_pushed_authorization":true,
        "dpop_algorithms":["ES256"],"names_issuer":true},"scopes":["s"],"pushed_authorization":false,"dpop":false,
        "grant":{"grant_type":"token_exchange","subject_token":{"github_actions":{"audience":"a"}},"audience":"x"}}"#;
    let rest = r#""store":"keyring","home":{"path":"p","machine":"m"},"token_endpoint_override":"t",
        "revocation_endpoint_override":"r","strict_overrides":true,"allowed_workspaces":["w"],"forced_login_method":"api",
        "policy":{"login_methods":["chatgpt"],"workspaces":["w"],"issuers":["i"],"stores":["auto"],"forbid_plaintext":true,
        "forbid_endpoint_overrides":true},"refresh_window":1,"timeouts":{"http":2,"lock":3},
        "environment":{"variables":{"A":"b"},"files":{"f":{"read":"x"},"g":{"unreadable":"y"}}},
        "wanted":{"model_provider":{"id":"m","env_key":"K","env_key_instructions":"i","experimental_bearer_token":"b",
        "auth":{"command":"c","args":["a"],"timeout_ms":4,"cwd":"/"},"requires_openai_auth":true,
        "http_headers":{"h":"v"},"env_http_headers":{"e":"V"},"foreign":"f"}}"#;
    let configuration = format!(r#""configuration":{{{provider},{rest}}}"#);
    for request in [
        format!(
            r#"{{"login":{{{configuration},"method":{{"access_token":"a"}},"store":"auto","client_secret":"s"}}}}"#
        ),
        format!(r#"{{"token":{{{configuration},"need":{{"usable":{{"minimum_lifetime":5}}}}}}}}"#),
        format!(r#"{{"token":{{{configuration},"need":{{"ahead":{{"of":5}}}}}}}}"#),
        format!(r#"{{"token":{{{configuration},"need":{{"replacement":{{"rejected":"r"}}}}}}}}"#),
        format!(r#"{{"logout":{{{configuration},"local":true}}}}"#),
        format!(r#"{{"status":{{{configuration},"check":true}}}}"#),
        format!(r#"{{"seed":{{{configuration},"record":"r","store":"file"}}}}"#),
        format!(r#"{{"export":{{{configuration},"if_changed":true}}}}"#),
        format!(r#"{{"proof":{{{configuration},"access_token":"a","method":"GET","url":"u","nonce":"n"}}}}"#),
        format!(
            r#"{{"role":{{{configuration},"role":{{"role_arn":"r","session_name":"s","endpoint":"e","duration":900,"token":"access_token"}}}}}}"#
        ),
        format!(r#"{{"enforce":{{{configuration}}}}}"#),
    ] {
        assert!(agrees::<Request>(&request), "{request}");
        // No other members where they would be passed over in silence.
        assert!(!agrees::<Request>(&request.replace(r#""dpop":false"#, r#""dpop":false,"more":1"#)));
        assert!(!agrees::<Request>(&request.replace(r#""http":2"#, r#""http":2,"more":1"#)));
        assert!(!agrees::<Request>(&request.replace(r#""stores""#, r#""store""#)));
    }
}
