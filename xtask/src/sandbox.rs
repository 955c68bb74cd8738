//! The sandbox as a process of its own: what a real user would start with `tieout sandbox`.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, bail};
use http::Method;
use serde_json::Value;

use crate::panel::Caller;

/// The control panel and up to four services lie on ports that follow each other.
const PORTS: u16 = 5;

/// A running sandbox. Stops when it is dropped.
pub(crate) struct Sandbox {
    child: Child,
    /// What it printed: addresses and credentials.
    pub(crate) described: Value,
    control: String,
}

impl Sandbox {
    /// Starts one with these arguments and waits until all services answer.
    pub(crate) fn start(tieout: &Path, arguments: &[String]) -> Result<Self> {
        let port = free_ports()?.to_string();
        let mut child = Command::new(tieout)
            .args(["sandbox", "--port", &port])
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .context("starting the sandbox")?;
        let output = child.stdout.take().context("the sandbox has no output")?;
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line)?;
        let described: Value = match serde_json::from_str(&line) {
            Ok(described) => described,
            Err(error) => {
                let _ = child.kill();
                let _ = child.wait();
                bail!("the sandbox printed no JSON: {error}: {line}");
            }
        };
        let control = described
            .get("control")
            .and_then(Value::as_str)
            .unwrap_or_default();
        let control = control.to_owned();
        Ok(Self {
            child,
            described,
            control,
        })
    }

    /// Its process.
    pub(crate) fn process(&self) -> u32 {
        self.child.id()
    }

    /// Counts and totals of every object on every side.
    pub(crate) fn state(&self, caller: &Caller) -> Result<Value> {
        self.panel(caller, Method::GET, "state", None)
    }

    /// The calls so far.
    pub(crate) fn calls(&self, caller: &Caller) -> Result<Value> {
        self.panel(caller, Method::GET, "calls", None)
    }

    /// Starts the count of calls anew.
    pub(crate) fn forget_calls(&self, caller: &Caller) -> Result<()> {
        self.panel(caller, Method::DELETE, "calls", None).map(drop)
    }

    /// Asks the control panel.
    pub(crate) fn panel(
        &self,
        caller: &Caller,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Value> {
        caller.call(
            method,
            &format!("{}/control/{path}", self.control),
            &[],
            body,
        )
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The first of a row of ports that nobody listens on.
fn free_ports() -> Result<u16> {
    for _ in 0..100 {
        let first = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let Some(last) = first.checked_add(PORTS - 1) else {
            continue;
        };
        let all: Result<Vec<_>, _> = (first..=last)
            .map(|port| TcpListener::bind(("127.0.0.1", port)))
            .collect();
        if all.is_ok() {
            return Ok(first);
        }
    }
    bail!("there are no {PORTS} free ports in a row on 127.0.0.1")
}
