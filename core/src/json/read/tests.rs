//! The reader says what `serde_json` says, wherever a binding can bring it.

use super::*;
use crate::{Event, Request};
use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use alloc::{format, vec};

/// Says what `serde_json` says.
fn agrees<T: DeserializeOwned + PartialEq + fmt::Debug>(json: &str) -> bool {
    let expected = serde_json::from_str::<T>(json).ok();
    assert_eq!(from_str::<T>(json).ok(), expected, "{json}");
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
        assert!(serde_json::from_str::<Event>(json).is_ok() && from_str::<Event>(json).is_err(), "{json}");
    }
}

#[test]
fn a_request_comes_back_as_it_went() {
    let json = r#"{"login":{"configuration":{"provider":{"name":"p","issuer":"https://p.example","client_id":"c",
        "client_authentication":{"private_key_jwt":{"algorithm":"ES256","key":"k.pem"}},"dialect":"openai",
        "authorization_parameters":[["a","b"]],"redirect":{"ports":[0,1455],"path":"/"}}},"method":{"api_key":"k"}}}"#;
    assert!(agrees::<Request>(json));
    let request: Request = from_str(json).unwrap();
    assert_eq!(from_str::<Request>(&serde_json::to_string(&request).unwrap()).unwrap(), request);
    // Cut anywhere, it is an error, and nothing worse.
    (0..json.len()).for_each(|end| assert!(from_str::<Request>(&json[..end]).is_err()));
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
            // Numbers that nobody asked for are passed over without a look at their form.
            if !json.contains(r#""x":[1,-2.5]"#) {
                continue;
            }
            agrees::<Event>(&json);
        }
    }
}

#[test]
fn deep_nests_are_refused() {
    let nest = |depth: usize| {
        format!(r#"{{"called":{{"method":"","target":"","x":{}0{}}}}}"#, "[".repeat(depth), "]".repeat(depth))
    };
    assert!(from_str::<Event>(&nest(60)).is_ok());
    assert!(from_str::<Event>(&nest(100_000)).is_err());
}

#[test]
fn the_error_is_a_place() {
    assert_eq!(from_str::<Vec<bool>>("[true, 1]"), Err(7));
    assert_eq!(vec![Unreadable.to_string()], [""]);
}
