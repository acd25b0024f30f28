//! Finds a port for the callback.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};

/// How often a free port is asked for until both addresses have it.
const ATTEMPTS: usize = 8;

/// Binds the first port that can be had, on 127.0.0.1 and, where the machine has it, on `[::1]`.
///
/// Nothing is ever sent to a port that another program holds. A port that another program holds on one of the two
/// addresses counts as taken: a browser might go there instead. The standard library sets `SO_REUSEADDR` on Unix
/// (where it does not let two programs listen) and nothing on Windows; never `SO_REUSEPORT`.
pub(super) fn bind(ports: &[u16]) -> Result<(u16, Vec<TcpListener>), String> {
    if ports.is_empty() {
        return Err("no port is configured".into());
    }
    let mut reasons = Vec::new();
    for &port in ports {
        let attempts = if port == 0 { ATTEMPTS } else { 1 };
        let mut outcome = bind_both(port);
        for _ in 1..attempts {
            if outcome.is_ok() {
                break;
            }
            outcome = bind_both(port);
        }
        match outcome {
            Ok(bound) => return Ok(bound),
            Err((address, error)) => reasons.push(reason(address, &error)),
        }
    }
    Err(reasons.join("; "))
}

/// Whether a login could have this port now, and if not, a sentence that says why.
pub(crate) fn try_port(port: u16) -> Result<(), String> {
    bind_both(port).map(drop).map_err(|(address, error)| reason(address, &error))
}

fn bind_both(port: u16) -> Result<(u16, Vec<TcpListener>), (SocketAddr, io::Error)> {
    let first = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let socket = listen(first).map_err(|error| (first, error))?;
    let port = socket.local_addr().map_err(|error| (first, error))?.port();
    let second = SocketAddr::from((Ipv6Addr::LOCALHOST, port));
    match listen(second) {
        Ok(other) => Ok((port, vec![socket, other])),
        // A machine without IPv6 says that there is no such address, or no such family.
        Err(error) if !matches!(error.kind(), io::ErrorKind::AddrInUse | io::ErrorKind::PermissionDenied) => {
            Ok((port, vec![socket]))
        }
        Err(error) => Err((second, error)),
    }
}

/// Binds an address. The standard library's queue of 128 lets a burst of connections push a browser's out for a
/// second, so on Unix it is made as long as the system allows.
fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = TcpListener::bind(address)?;
    #[cfg(unix)]
    let _ = rustix::net::listen(&socket, 4096);
    Ok(socket)
}

fn reason(address: SocketAddr, error: &io::Error) -> String {
    let why = match error.kind() {
        io::ErrorKind::AddrInUse => match holder(address.port()) {
            Some(name) => format!("it is in use by {name}"),
            None => "it is in use by another program".to_owned(),
        },
        io::ErrorKind::PermissionDenied if cfg!(windows) => "it is reserved by the system (WSAEACCES)".to_owned(),
        io::ErrorKind::PermissionDenied => "this user may not use it".to_owned(),
        _ => error.to_string(),
    };
    match address.port() {
        0 => format!("no free port: {why}"),
        _ => format!("port {address}: {why}"),
    }
}

/// The program that listens on a port, where the system tells it: its name and process id.
#[cfg(target_os = "linux")]
fn holder(port: u16) -> Option<String> {
    let socket = ["/proc/net/tcp", "/proc/net/tcp6"]
        .iter()
        .filter_map(|path| std::fs::read_to_string(path).ok())
        .find_map(|table| table.lines().skip(1).find_map(|line| listening_inode(line, port).map(str::to_owned)))?;
    let link = format!("socket:[{socket}]");
    std::fs::read_dir("/proc").ok()?.filter_map(Result::ok).find_map(|entry| {
        let process = entry.file_name().into_string().ok()?;
        process.parse::<u32>().ok()?;
        let mut files = std::fs::read_dir(entry.path().join("fd")).ok()?.filter_map(Result::ok);
        files.find(|file| std::fs::read_link(file.path()).is_ok_and(|target| target.as_os_str() == link.as_str()))?;
        Some(process_name(process.parse().ok()?))
    })
}

/// A process, for a person: its name and id.
#[cfg(target_os = "linux")]
pub(crate) fn process_name(process: u32) -> String {
    let name = std::fs::read_to_string(format!("/proc/{process}/comm")).unwrap_or_default();
    let name: String = name.trim().chars().filter(|c| !c.is_control()).collect();
    if name.is_empty() { format!("process {process}") } else { format!("{name} (process {process})") }
}

#[cfg(not(target_os = "linux"))]
fn holder(_: u16) -> Option<String> {
    None
}

/// The inode of a line of `/proc/net/tcp`, if it is about a socket that listens on this port.
#[cfg(target_os = "linux")]
fn listening_inode(line: &str, port: u16) -> Option<&str> {
    let mut fields = line.split_whitespace().skip(1);
    let (_, local) = fields.next()?.rsplit_once(':')?;
    let state = fields.nth(1)?;
    let inode = fields.nth(5)?;
    (u16::from_str_radix(local, 16) == Ok(port) && state == "0A").then_some(inode)
}
