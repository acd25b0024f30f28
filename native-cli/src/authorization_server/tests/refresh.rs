use super::*;

const ID: &str = "hallpass";

fn with(rotation: Rotation) -> (AuthorizationServer, String) {
    let mut server = server_with(|options| options.rotation = rotation);
    let tokens = sign_in(&mut server, START, ID);
    let first = text(&tokens, "refresh_token");
    (server, first)
}

fn spend(server: &mut AuthorizationServer, now: i64, token: &str) -> Result<String, String> {
    let response = answer(server, now, &refresh(ID, token));
    match response.status {
        200 => Ok(text(&response.json(), "refresh_token")),
        _ => Err(text(&response.json(), "error")),
    }
}

fn refused() -> Result<String, String> {
    Err("invalid_grant".to_owned())
}

#[test]
fn strict_rotation_revokes_the_family_on_reuse() {
    let (mut server, first) = with(Rotation::Strict);
    let second = spend(&mut server, START, &first).unwrap();
    assert_ne!(first, second);
    assert_eq!(spend(&mut server, START, &first), refused());
    assert_eq!(spend(&mut server, START, &second), refused());
    let happenings: Vec<_> = server.journal().iter().map(|entry| &entry.happening).collect();
    let family = FamilyId(1);
    assert!(happenings.contains(&&Happening::Refreshed { family, generation: 1 }));
    assert!(happenings.contains(&&Happening::RefreshTokenReused { family, generation: 0 }));
    let reason = Revocation::RefreshTokenReused;
    assert!(happenings.contains(&&Happening::FamilyRevoked { family, reason }));
}

#[test]
fn reject_only_spares_the_family() {
    let (mut server, first) = with(Rotation::RejectOnly);
    let second = spend(&mut server, START, &first).unwrap();
    assert_eq!(spend(&mut server, START, &first), refused());
    assert!(spend(&mut server, START, &second).is_ok());
}

#[test]
fn replay_hands_the_parent_its_successor_again() {
    let (mut server, first) = with(Rotation::ReplayToParent);
    let second = spend(&mut server, START, &first).unwrap();
    assert_eq!(spend(&mut server, START + 1, &first).as_ref(), Ok(&second));
    let third = spend(&mut server, START + 2, &second).unwrap();
    assert_eq!(spend(&mut server, START + 3, &second).as_ref(), Ok(&third));
    assert_eq!(spend(&mut server, START + 4, &first), refused());
    assert_eq!(spend(&mut server, START + 5, &third), refused());
}

#[test]
fn grace_is_a_matter_of_time() {
    let (mut server, first) = with(Rotation::Grace(5000));
    let second = spend(&mut server, START, &first).unwrap();
    let sibling = spend(&mut server, START + 5000, &first).unwrap();
    assert_ne!(second, sibling);
    assert!(spend(&mut server.clone(), START + 5000, &second).is_ok());
    assert_eq!(spend(&mut server, START + 5001, &first), refused());
    assert_eq!(spend(&mut server, START + 5001, &sibling), refused());
}

#[test]
fn without_rotation_the_answer_does_not_repeat_the_token() {
    let (mut server, first) = with(Rotation::Keep);
    for _ in 0..2 {
        let response = answer(&mut server, START, &refresh(ID, &first));
        assert_eq!((response.status, response.json().get("refresh_token")), (200, None));
    }
}

#[test]
fn a_refresh_token_expires_if_told_to() {
    let mut server = server_with(|options| options.refresh_token_lifetime_ms = Some(1000));
    let tokens = sign_in(&mut server, START, ID);
    let first = text(&tokens, "refresh_token");
    let second = spend(&mut server, START + 999, &first).unwrap();
    assert_eq!(spend(&mut server, START + 1999, &second), refused());
}

#[test]
fn the_scope_can_shrink_but_not_grow() {
    let (mut server, first) = with(Rotation::Keep);
    let ask = |scope: &str| {
        let fields = [("grant_type", "refresh_token"), ("client_id", ID), ("refresh_token", &first), ("scope", scope)];
        Request::post_form("/token", &fields)
    };
    let narrow = answer(&mut server, START, &ask("email")).json();
    assert_eq!((&narrow["scope"], narrow.get("id_token")), (&json!("email"), None));
    let wide = answer(&mut server, START, &ask("email admin"));
    assert_eq!((wide.status, text(&wide.json(), "error")), (400, "invalid_scope".to_owned()));
    assert!(answer(&mut server, START, &refresh(ID, &first)).json().get("id_token").is_some());
}

#[test]
fn a_token_belongs_to_its_client() {
    let (mut server, first) = with(Rotation::Strict);
    let response = answer(&mut server, START, &refresh(CODEX_CLIENT_ID, &first));
    assert_eq!(response.status, 400);
    assert!(spend(&mut server, START, &first).is_ok());
}

#[test]
fn the_operator_can_revoke() {
    let (mut server, first) = with(Rotation::Strict);
    let family = server.family_of(&first).unwrap();
    assert!(server.revoke_family(family));
    assert!(!server.revoke_family(family));
    assert_eq!(spend(&mut server, START, &first), refused());
}
