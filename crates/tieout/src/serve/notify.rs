//! Telling a service manager how far the service is (sd_notify(3)): nothing where there is none.

/// It can be used from now on.
pub fn ready() {
    tell("READY=1");
}

/// It is about to end.
pub fn stopping() {
    tell("STOPPING=1");
}

#[cfg(target_os = "linux")]
fn tell(what: &str) {
    use std::os::linux::net::SocketAddrExt as _;
    use std::os::unix::ffi::OsStrExt as _;
    use std::os::unix::net::{SocketAddr, UnixDatagram};

    let Some(socket) = std::env::var_os("NOTIFY_SOCKET") else {
        return;
    };
    let address = match socket.as_bytes().strip_prefix(b"@") {
        Some(name) => SocketAddr::from_abstract_name(name),
        None => SocketAddr::from_pathname(&socket),
    };
    let told = address
        .and_then(|address| UnixDatagram::unbound()?.send_to_addr(what.as_bytes(), &address));
    if let Err(error) = told {
        tracing::warn!(%error, "the service manager can't be told {what}");
    }
}

#[cfg(not(target_os = "linux"))]
fn tell(_what: &str) {}
