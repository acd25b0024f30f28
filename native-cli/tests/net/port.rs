//! Which port the callback listener takes.

use std::io;
use std::net::{Ipv6Addr, TcpListener};
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::mpsc;

use hallpass::listener::Listener;
use hallpass_core::Listen;

fn open(ports: Vec<u16>) -> Result<Listener, String> {
    Listener::open(&Listen { ports, path: "/auth/callback".into() }, mpsc::channel().0)
}

/// A program that holds a port.
fn holder() -> (TcpListener, u16) {
    let socket = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    let port = socket.local_addr().expect("an address").port();
    (socket, port)
}

/// A program that holds a port on `[::1]` alone; `None` where there is no IPv6.
fn squatter() -> Option<(TcpListener, u16)> {
    loop {
        let socket = TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).ok()?;
        let port = socket.local_addr().expect("an address").port();
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return Some((socket, port));
        }
    }
}

/// A port that nobody holds, outside the range from which other tests are given theirs.
fn free() -> u16 {
    static TAKEN: AtomicU16 = AtomicU16::new(0);
    let range = std::fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").unwrap_or_default();
    let lowest: u16 = range.split_whitespace().next().and_then(|port| port.parse().ok()).unwrap_or(32768);
    let spread = u16::try_from(std::process::id() % 100).expect("it is small") * 100;
    let start = 10_000 + spread + TAKEN.fetch_add(10, Ordering::SeqCst);
    (start..lowest.max(start + 1000))
        .find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok() && TcpListener::bind(("::1", *port)).is_ok())
        .or_else(|| Some(holder().1))
        .expect("a port")
}

#[test]
fn the_next_port_is_taken_and_the_holder_of_the_first_is_left_alone() {
    let (socket, taken) = holder();
    let next = free();
    let listener = open(vec![taken, next]).expect("the next port");
    assert_eq!(listener.redirect_uri(), format!("http://127.0.0.1:{next}/auth/callback"));
    socket.set_nonblocking(true).expect("a mode");
    assert_eq!(socket.accept().map(drop).map_err(|error| error.kind()), Err(io::ErrorKind::WouldBlock));
}

#[test]
fn a_port_that_is_taken_on_the_other_address_alone_is_taken() {
    let Some((_squatter, taken)) = squatter() else { return };
    let why = open(vec![taken]).expect_err("somebody is there");
    assert!(why.contains(&format!("[::1]:{taken}")), "{why}");
    assert!(!open(vec![taken, 0]).expect("the next port").redirect_uri().contains(&format!(":{taken}/")));
}

#[test]
fn when_all_are_taken_each_is_named_with_its_holder() {
    let (_one, first) = holder();
    let (_two, second) = holder();
    let why = open(vec![first, second]).expect_err("both are taken");
    assert!(why.contains(&first.to_string()) && why.contains(&second.to_string()), "{why}");
    if cfg!(target_os = "linux") {
        assert!(why.contains(&format!("(process {})", std::process::id())), "{why}");
    }
    assert!(open(Vec::new()).is_err());
}

#[test]
fn a_reserved_port_is_passed_over() {
    // Only where this user may not bind it.
    if TcpListener::bind(("127.0.0.1", 1)).is_ok() {
        return;
    }
    assert!(open(vec![1, 0]).is_ok());
}

#[test]
fn two_listeners_do_not_share_a_port() {
    let port = free();
    let _first = open(vec![port]).expect("a free port");
    assert!(open(vec![port]).is_err());
}
