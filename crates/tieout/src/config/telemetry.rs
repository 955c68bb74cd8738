//! Where traces go: `[server.telemetry]`.

use super::Reader;
use super::telling::is_loopback;
use crate::failure::Failure;

const AT: &str = "server.telemetry";

impl Reader<'_> {
    /// The collector's address; none if no traces are wanted.
    pub(super) fn telemetry(&self, server: &toml::Table) -> Result<Option<String>, Failure> {
        if !server.contains_key("telemetry") {
            return Ok(None);
        }
        let table = self.table(server, "server", "telemetry")?;
        self.only_known(AT, &table, &["endpoint"])?;
        let endpoint = self.needed(&table, AT, "endpoint")?;
        let url: Option<http::Uri> = endpoint.parse().ok();
        let fits = url.is_some_and(|url| match url.scheme_str() {
            Some("https") => url.host().is_some_and(|host| !host.is_empty()),
            Some("http") => is_loopback(&url),
            _ => false,
        });
        if !fits {
            let why = "it must begin with https://; http is for this machine alone";
            return Err(self.wrong("server.telemetry.endpoint", why));
        }
        Ok(Some(endpoint))
    }
}
