//! Keeps out web pages of others. A browser on the same machine lets any page send requests here; it tells where the page
//! is from, and by which name it knows us.
//!
//! - A name that somebody could have registered to point here (DNS rebinding) is refused: Host must be an IP address, a
//!   name without a dot, the name that the server was told to listen on, or one under `.localhost`, `.local`,
//!   `.internal` or `.test`, which nobody can register.
//! - A request that changes something must come from a page of ours, or from no page: Origin, if there is one, must be Host.
//!
//! Who serves sends no CORS headers, so that pages of others read nothing.

use std::net::IpAddr;
use std::sync::Arc;

use axum::http::header::{HOST, ORIGIN};
use axum::http::{HeaderMap, HeaderName, Method};

/// The name that a server was told to listen on.
#[derive(Clone, Debug)]
pub struct Names(Arc<str>);

/// A request that comes from a page of others, or may: to be refused as forbidden.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Foreign {
    /// The header that tells.
    pub header: HeaderName,
    /// What it says, and what is allowed.
    pub words: String,
}

impl Names {
    /// Of this address, with or without a port.
    #[must_use]
    pub fn of(address: &str) -> Names {
        Names(without_port(address).into())
    }

    /// Looks at the headers of a request.
    ///
    /// # Errors
    /// When it may come from a page of others.
    pub fn check(&self, method: &Method, headers: &HeaderMap) -> Result<(), Foreign> {
        let host = value(headers, &HOST);
        if let Some(host) = &host
            && !self.admit(host)
        {
            let words = format!("host is {host:?}: an IP address, localhost or another local name is allowed");
            return Err(Foreign { header: HOST, words });
        }
        if let Some(origin) = value(headers, &ORIGIN)
            && !method.is_safe()
            && origin.split_once("://").map(|(_, origin)| origin.to_ascii_lowercase())
                != host.as_ref().map(|host| host.to_ascii_lowercase())
        {
            let words = format!("origin is {origin:?}: pages of others may change nothing here");
            return Err(Foreign { header: ORIGIN, words });
        }
        Ok(())
    }

    /// Whether a browser that uses this name can only mean us.
    fn admit(&self, host: &str) -> bool {
        let name = without_port(host);
        let address = name.trim_start_matches('[').trim_end_matches(']');
        let reserved = [".localhost", ".local", ".internal", ".test"];
        let name = name.trim_end_matches('.').to_ascii_lowercase();
        address.parse::<IpAddr>().is_ok()
            || !name.contains('.')
            || name.eq_ignore_ascii_case(&self.0)
            || reserved.iter().any(|ending| name.ends_with(ending))
    }
}

/// `[::1]:80` and `name:80` without the port.
fn without_port(address: &str) -> &str {
    match address.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|octet| octet.is_ascii_digit()) => name,
        _ => address,
    }
}

/// As text; what is none is not as it must be.
fn value(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_that_nobody_can_register_are_admitted() {
        let names = Names::of("smsc.example:2776");
        for host in
            ["127.0.0.1:2776", "[::1]:2776", "[::1]", "localhost:2776", "SMSC", "smsc.example", "Smsc.Example:80"]
        {
            assert!(names.admit(host), "{host}");
        }
        for host in ["a.localhost", "smsc.ns.svc.cluster.local:2776", "host.docker.internal"] {
            assert!(names.admit(host), "{host}");
        }
        for host in ["rebound.example:2776", "127.0.0.1.rebound.example", "local.example", "smsc.example.org"] {
            assert!(!names.admit(host), "{host}");
        }
    }
}
