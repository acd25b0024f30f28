//! Clocks that are wrong, or are set while somebody is signed in.

use hallpass::authorization_server::{AccessTokenStyle, Endpoint, Fault};
use hallpass_core::{Effect, Need, Place, Slot, TokenOrigin};
use hallpass_tests::world::World;

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;
const YEAR: i64 = 366 * 24 * HOUR;

fn worlds(clock_error: i64) -> [World; 2] {
    [World::openai(), World::standard()].map(|mut world| {
        world.clock_error = clock_error;
        world.login();
        world.unchecked = true;
        world.sent.clear();
        world
    })
}

fn spent(world: &World) -> usize {
    world.sent.iter().filter(|line| line.ends_with("token")).count()
}

#[test]
fn a_clock_that_is_wrong_from_the_beginning_costs_nothing() {
    for clock_error in [0, HOUR, -HOUR, 2 * HOUR, -2 * HOUR, 10 * YEAR, -10 * YEAR] {
        for mut world in worlds(clock_error) {
            for hour in 0..3 {
                for _ in 0..9 {
                    let token = world.usable().unwrap();
                    assert!(world.server.is_live_access_token(world.now.milliseconds(), token.access_token.expose()));
                    world.wait(5 * MINUTE);
                }
                assert_eq!(spent(&world), hour, "{clock_error}");
                world.wait(15 * MINUTE);
                assert_eq!(world.usable().unwrap().origin, TokenOrigin::Refreshed);
            }
        }
    }
}

#[test]
fn a_clock_that_is_set_costs_one_refresh_at_most() {
    for (before, after) in
        [(0, HOUR), (HOUR, 0), (0, -HOUR), (-HOUR, 0), (0, 10 * YEAR), (10 * YEAR, 0), (0, -10 * YEAR)]
    {
        for mut world in worlds(before) {
            world.wait(MINUTE);
            world.clock_error = after;
            for _ in 0..6 {
                assert!(world.usable().is_ok());
                world.wait(5 * MINUTE);
            }
            assert!(spent(&world) <= 1, "{before} {after}: {}", spent(&world));
            // Whatever the clock says: who is told 401 gets a token that is good.
            world.server.expire_access_tokens(world.now.milliseconds());
            let rejected = world.usable().unwrap().access_token;
            let token = world.token(Need::Replacement { rejected }).unwrap();
            assert!(world.server.is_live_access_token(world.now.milliseconds(), token.access_token.expose()));
        }
    }
}

#[test]
fn the_servers_date_says_how_long_a_token_lives() {
    for mut world in worlds(5 * HOUR) {
        world.wait(HOUR);
        world.dates = true;
        let started = world.told();
        world.server.inject(Endpoint::Token, Fault::ExpiresIn { json: String::new() });
        world.server.inject(Endpoint::Token, Fault::Latency { ms: 20_000 });
        let token = world.usable().unwrap();
        // It was issued before the answer was on its way, and is reckoned from before it was asked for.
        assert_eq!(token.expires_at.unwrap().since(started), HOUR - 20_000);
    }
}

#[test]
fn an_opaque_token_whose_end_could_not_be_noted_lives_as_long_as_the_one_before() {
    for mut world in [World::openai(), World::standard()] {
        for client in &mut world.server.options_mut().clients {
            client.access_tokens = AccessTokenStyle::Opaque;
        }
        world.login();
        world.wait(HOUR + 1);
        let request = world.token_request(Need::Usable { minimum_lifetime: 300_000 });
        world.dies(request, |effect| matches!(effect, Effect::Save { slot: Slot::Sidecar, .. }));
        assert_eq!(world.usable().unwrap().origin, TokenOrigin::Stored, "the record was saved");
        world.wait(HOUR + 1);
        assert_eq!(world.usable().unwrap().origin, TokenOrigin::Refreshed);
        assert!(world.store.get(Slot::Parked(Place::File)).is_none());
    }
}

#[test]
fn a_token_is_used_to_its_last_seconds_and_no_longer() {
    for (left, good) in [(MINUTE, true), (6_000, true), (5_000, false), (1, false), (0, false), (-1, false)] {
        for mut world in worlds(0) {
            world.wait(HOUR - left);
            let fault = Fault::Status { status: 503, retry_after: None, processed: false };
            world.server.inject(Endpoint::Token, fault);
            let result = world.token(Need::Usable { minimum_lifetime: 0 });
            assert_eq!(result.is_ok(), good, "{left}: {result:?}");
            assert_eq!(spent(&world), 1);
        }
    }
}
