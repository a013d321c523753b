//! Keeps out web pages of others. A browser on the same machine lets any page send requests here; it tells where the page
//! is from, and by which name it knows us.
//!
//! - A name that somebody could have registered to point here (DNS rebinding) is refused: Host must be an IP address, a
//!   name without a dot, the name that the transport was told to listen on, or one under `.localhost`, `.local`,
//!   `.internal` or `.test`, which nobody can register.
//! - A request that changes something must come from a page of ours, or from no page: Origin, if there is one, must be Host.
//!
//! No CORS headers are ever sent, so that pages of others read nothing.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header::{HOST, ORIGIN};
use axum::http::{HeaderMap, HeaderName, StatusCode};
use axum::middleware::Next;
use axum::response::Response;

use super::error::HttpError;

/// The name that the transport was told to listen on.
#[derive(Clone)]
pub(super) struct Names(Arc<str>);

impl Names {
    pub(super) fn of(address: &str) -> Names {
        Names(without_port(address).into())
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

pub(super) async fn guard(State(names): State<Names>, request: Request, next: Next) -> Result<Response, HttpError> {
    let refused = |header: HeaderName, words: String| Err(HttpError::of(header.as_str(), StatusCode::FORBIDDEN, words));
    let host = value(request.headers(), &HOST);
    if let Some(host) = &host
        && !names.admit(host)
    {
        return refused(HOST, format!("host is {host:?}: an IP address, localhost or another local name is allowed"));
    }
    if let Some(origin) = value(request.headers(), &ORIGIN)
        && !request.method().is_safe()
        && origin.split_once("://").map(|(_, origin)| origin.to_ascii_lowercase())
            != host.as_ref().map(|host| host.to_ascii_lowercase())
    {
        return refused(ORIGIN, format!("origin is {origin:?}: pages of others may change nothing here"));
    }
    Ok(next.run(request).await)
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
