//! A line between a node and a database server, which can be cut, stalled and mended: what a network does.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};

use anyhow::Result;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::watch;

/// What is read at once.
const CHUNK: usize = 64 * 1024;

/// How a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Line {
    /// Everything goes through.
    Open,
    /// Nothing goes through, and nobody is told.
    Stalled,
    /// Connections end, and new ones are turned away.
    Cut,
}

/// Carries the lines. They end with it.
pub(crate) struct Exchange(Runtime);

/// One line.
pub(crate) struct Relay {
    /// Where it listens.
    pub(crate) port: u16,
    line: watch::Sender<Line>,
    target: Arc<AtomicU16>,
}

impl Exchange {
    pub(crate) fn new() -> Result<Self> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()?;
        Ok(Self(runtime))
    }

    /// An open line to a port of this machine.
    pub(crate) fn line(&self, target: u16) -> Result<Relay> {
        let listener = self.0.block_on(TcpListener::bind(here(0)))?;
        let port = listener.local_addr()?.port();
        let target = Arc::new(AtomicU16::new(target));
        let (line, state) = watch::channel(Line::Open);
        self.0.spawn(accept(listener, Arc::clone(&target), state));
        Ok(Relay { port, line, target })
    }
}

impl Relay {
    /// Cuts, stalls or mends it.
    pub(crate) fn be(&self, line: Line) {
        self.line.send_replace(line);
    }

    /// Leads new connections elsewhere, and ends those that are on.
    pub(crate) fn lead_to(&self, target: u16) {
        self.target.store(target, Ordering::Relaxed);
        let before = self.line.send_replace(Line::Cut);
        self.line.send_replace(before);
    }
}

fn here(port: u16) -> SocketAddr {
    (Ipv4Addr::LOCALHOST, port).into()
}

async fn accept(listener: TcpListener, target: Arc<AtomicU16>, line: watch::Receiver<Line>) {
    while let Ok((client, _)) = listener.accept().await {
        if *line.borrow() == Line::Cut {
            continue;
        }
        let target = target.load(Ordering::Relaxed);
        tokio::spawn(carry(client, target, line.clone()));
    }
}

async fn carry(client: TcpStream, target: u16, line: watch::Receiver<Line>) {
    let Ok(server) = TcpStream::connect(here(target)).await else {
        return;
    };
    let _ = (client.set_nodelay(true), server.set_nodelay(true));
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let mut cut = line.clone();
    tokio::select! {
        () = pump(from_client, to_server, line.clone()) => {}
        () = pump(from_server, to_client, line) => {}
        // Also one that lasted for a moment: whoever waits for a change sees that there was one.
        () = until_cut(&mut cut) => {}
    }
}

async fn until_cut(line: &mut watch::Receiver<Line>) {
    let mut was_stalled = *line.borrow_and_update() == Line::Stalled;
    while line.changed().await.is_ok() {
        match *line.borrow_and_update() {
            Line::Cut => return,
            Line::Stalled => was_stalled = true,
            Line::Open if was_stalled => was_stalled = false,
            // It was cut and mended between two looks.
            Line::Open => return,
        }
    }
}

async fn pump(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut line: watch::Receiver<Line>) {
    let mut chunk = vec![0; CHUNK];
    loop {
        let read = match from.read(&mut chunk).await {
            Ok(0) | Err(_) => return,
            Ok(read) => read,
        };
        if line.wait_for(|line| *line == Line::Open).await.is_err() {
            return;
        }
        if to.write_all(&chunk[..read]).await.is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::{TcpListener, TcpStream};
    use std::time::Duration;

    use super::*;

    fn echo() -> u16 {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                std::thread::spawn(move || {
                    let mut byte = [0];
                    while stream.read_exact(&mut byte).is_ok() {
                        stream.write_all(&byte).unwrap();
                    }
                });
            }
        });
        port
    }

    fn said(stream: &mut TcpStream, byte: u8) -> Option<u8> {
        stream.write_all(&[byte]).ok()?;
        let mut answer = [0];
        stream.read_exact(&mut answer).ok()?;
        Some(answer[0])
    }

    #[test]
    fn a_line_carries_stalls_and_is_cut() {
        let exchange = Exchange::new().unwrap();
        let relay = exchange.line(echo()).unwrap();
        let mut open = TcpStream::connect(("127.0.0.1", relay.port)).unwrap();
        assert_eq!(said(&mut open, 1), Some(1));

        relay.be(Line::Stalled);
        open.write_all(&[2]).unwrap();
        open.set_read_timeout(Some(Duration::from_millis(50)))
            .unwrap();
        assert!(open.read_exact(&mut [0]).is_err(), "it went through");
        relay.be(Line::Open);
        open.set_read_timeout(None).unwrap();
        let mut answer = [0];
        open.read_exact(&mut answer).unwrap();
        assert_eq!(answer, [2]);

        relay.be(Line::Cut);
        assert_eq!(said(&mut open, 3), None);
        relay.be(Line::Open);
        let mut anew = TcpStream::connect(("127.0.0.1", relay.port)).unwrap();
        assert_eq!(said(&mut anew, 4), Some(4));

        relay.lead_to(echo());
        assert_eq!(said(&mut anew, 5), None);
    }
}
