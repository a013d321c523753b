//! Who is kept out, and sockets in the file system.

use super::*;

#[tokio::test]
async fn pages_of_others_are_kept_out() {
    let server = Server::start().await;
    let rebound = server.ask("GET /inbound HTTP/1.1\r\nHost: rebound.example\r\n\r\n").await;
    rebound.assert_refused(403, Some("host"), "host is \"rebound.example\"");
    let foreign = server.post_with("/outbound", "Origin: http://evil.example\r\n", &message("")).await;
    foreign.assert_refused(403, Some("origin"), "origin is \"http://evil.example\"");
    let own = format!("Origin: http://{}\r\n", server.address);
    assert_eq!(server.post_with("/outbound", &own, &message("")).await.status, 202);
    assert_eq!(server.queue.waiting(), 1);
    let answer = server.get("/inbound").await;
    assert_eq!(header(&answer.head, "access-control-allow-origin"), None);
}

#[tokio::test]
async fn what_is_not_there_is_said() {
    let server = Server::start().await;
    server.get("/nowhere").await.assert_refused(404, None, "there is no \"/nowhere\"; GET / lists what there is");
    let wrong = server.get("/outbound").await;
    wrong.assert_refused(405, None, "GET cannot be done to \"/outbound\"");
    assert_eq!(header(&wrong.head, "allow"), Some("POST"));
}

#[cfg(unix)]
mod unix_sockets {
    use std::os::unix::fs::PermissionsExt as _;

    use tokio::net::UnixStream;

    use super::*;

    fn state() -> State {
        let (_, bus) = watch::channel(up());
        let (_, links) = watch::channel(vec![link("a", true)]);
        State { bus_name: "amqp", bus, links, stores: vec![], metrics: Arc::default(), queue: None }
    }

    async fn ready(path: &std::path::Path) -> u16 {
        let stream = UnixStream::connect(path).await.unwrap();
        ask(stream, "GET /ready HTTP/1.1\r\nHost: localhost\r\n\r\n").await.status
    }

    #[tokio::test]
    async fn a_socket_in_the_file_system_is_served_and_goes_in_the_end() {
        let path = socket_path("served");
        // One that nobody listens on any more.
        drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
        assert!(path.exists());
        let listener = Listener::bind(&unix(&path)).await.unwrap();
        assert_eq!(listener.tcp_address(), None);
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o660);
        let (stop, stopped) = oneshot::channel::<()>();
        let served = tokio::spawn(listener.serve(state(), async { drop(stopped.await) }));
        assert_eq!(ready(&path).await, 200);
        let taken = Listener::bind(&unix(&path)).await.unwrap_err();
        assert_eq!(taken.to_string(), format!("{}: somebody listens on it already", path.display()));
        assert_eq!(ready(&path).await, 200, "and it still is");
        stop.send(()).unwrap();
        timeout(LONG, served).await.unwrap().unwrap();
        assert!(!path.exists());
    }

    #[tokio::test]
    async fn a_file_that_is_no_socket_is_left_alone() {
        let path = socket_path("file");
        std::fs::write(&path, "notes").unwrap();
        let error = Listener::bind(&unix(&path)).await.unwrap_err();
        assert!(error.to_string().starts_with(&path.display().to_string()), "{error}");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "notes");
        std::fs::remove_file(&path).unwrap();
    }
}
