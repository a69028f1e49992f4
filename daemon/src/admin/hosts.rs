//! The names by which pages may be asked for. A web site can let its own name lead to a loopback address (DNS rebinding); the
//! visitor's browser then takes the pages there for the site's own and lets its scripts read them. It sends the site's
//! name, which is none of ours. Where others reach the address anyway, any name may be right.

use std::net::{IpAddr, SocketAddr};

use axum::http::{HeaderMap, header};

/// What the admin address may be called.
#[derive(Debug, Clone)]
pub(super) struct Hosts {
    /// As it is configured.
    name: String,
    is_loopback: bool,
}

impl Hosts {
    /// Those of an address, as it is configured and as it is listened on.
    pub(super) fn new(configured: &str, address: SocketAddr) -> Self {
        Hosts {
            name: without_port(configured).to_owned(),
            is_loopback: address.ip().to_canonical().is_loopback(),
        }
    }

    /// Whether a request with these headers may be for us. Who sends no name is no browser.
    pub(super) fn admit(&self, headers: &HeaderMap) -> bool {
        match headers.get(header::HOST) {
            Some(host) if self.is_loopback => host.to_str().is_ok_and(|host| self.is_known(host)),
            _ => true,
        }
    }

    fn is_known(&self, host: &str) -> bool {
        let name = without_port(host).to_ascii_lowercase();
        name.parse::<IpAddr>().is_ok()
            || name == "localhost"
            || name.ends_with(".localhost")
            || name == self.name.to_ascii_lowercase()
    }
}

fn without_port(host: &str) -> &str {
    let name = match host.strip_prefix('[') {
        Some(bracketed) => bracketed.split(']').next(),
        None => host.split(':').next(),
    };
    name.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn admits(configured: &str, address: &str, host: &str) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, HeaderValue::from_str(host).unwrap());
        Hosts::new(configured, address.parse().unwrap()).admit(&headers)
    }

    #[test]
    fn on_loopback_a_foreign_name_is_refused() {
        for host in ["127.0.0.1:9400", "127.0.0.1", "[::1]:9400", "localhost", "LocalHost:1", "a.localhost"] {
            assert!(admits("127.0.0.1:9400", "127.0.0.1:9400", host), "{host}");
        }
        for host in ["evil.example", "evil.example:9400", "127.0.0.1.evil.example", "localhost.evil", "", "["]
        {
            assert!(!admits("127.0.0.1:9400", "127.0.0.1:9400", host), "{host}");
        }
        assert!(admits("broker-1:9400", "127.0.1.1:9400", "Broker-1:9400"), "the configured name");
    }

    #[test]
    fn elsewhere_any_name_may_be_right_and_without_one_it_is_no_browser() {
        assert!(admits("0.0.0.0:9400", "0.0.0.0:9400", "broker-1.example"));
        let loopback = Hosts::new("127.0.0.1:1", "127.0.0.1:1".parse().unwrap());
        assert!(loopback.admit(&HeaderMap::new()));
    }
}
