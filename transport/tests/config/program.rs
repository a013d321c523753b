//! Guards the program: `config`, `config --check`, `config --reference`, and options without any of them.

use std::process::{Command, Output};

use smpp_transport::config::reference;

use super::TempFile;

fn run(arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_smpp-transport"));
    command.args(arguments).env_clear().envs(variables.iter().copied()).output().unwrap()
}

fn output(output: &Output) -> (Option<i32>, String, String) {
    let text = |octets: &[u8]| String::from_utf8(octets.to_vec()).unwrap();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

#[test]
fn config_shows_each_value_and_where_it_came_from() {
    let file = TempFile::new("host: smsc.example\namqp:\n  password: s3cret\n");
    let variables = [
        ("VUMI_CONFIG_FILE", file.name()),
        ("VUMI_CONFIG_PREFIX", "VUMI".to_owned()),
        ("VUMI_PORT", "2776".to_owned()),
    ];
    let variables: Vec<_> = variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let (status, shown, complaints) = output(&run(&["config", "--system-id", "me"], &variables));
    assert_eq!((status, complaints.as_str()), (Some(0), ""));
    for line in [
        format!("host: smsc.example  # {}:1:1\n", file.name()),
        "port: 2776  # VUMI_PORT\n".to_owned(),
        "system_id: me  # --system-id\n".to_owned(),
        "smpp_bind_timeout: 30s  # default\n".to_owned(),
        "bus: amqp  # default: amqp.password is given\n".to_owned(),
        format!(
            "amqp:\n  hostname: 127.0.0.1  # default\n  port: 5672  # default\n  username: guest  # default\n  password: \"***\"  # {}:3:3\n",
            file.name()
        ),
    ] {
        assert!(shown.contains(&line), "{line} in {shown}");
    }
}

#[test]
fn check_says_ok_or_what_is_wrong() {
    assert_eq!(output(&run(&["config", "--check"], &[])), (Some(0), "ok\n".to_owned(), String::new()));
    assert_eq!(output(&run(&["config", "--check", "--port", "1"], &[])), (Some(0), "ok\n".to_owned(), String::new()));
    let (status, shown, complaint) = output(&run(&["--port", "x", "config", "--check"], &[]));
    assert_eq!((status, shown.as_str()), (Some(2), ""));
    assert_eq!(complaint, "smpp-transport: port is \"x\" (--port): allowed is a whole number from 1 to 65535\n");
    let (status, _, complaint) = output(&run(&["--check"], &[]));
    assert_eq!((status, complaint.lines().count()), (Some(2), 1));
}

#[test]
fn check_looks_at_what_a_start_needs() {
    let file = TempFile::new("no certificate");
    let path = file.name();
    for (arguments, option) in [
        (vec!["--tls-enabled", "true", "--tls-ca", "/nope.pem"], "tls.ca: /nope.pem"),
        (vec!["--tls-enabled", "true", "--tls-ca", &path], "tls.ca: "),
        (vec!["--tls-enabled", "true", "--tls-cert", "/nope.pem", "--tls-key", "/nope.pem"], "tls.cert: /nope.pem"),
        (
            vec!["--tls-enabled", "true", "--tls-insecure", "true", "--tls-cert", &path, "--tls-key", &path],
            "tls.cert: ",
        ),
        (vec!["--tls-enabled", "true", "--tls-server-name", "a_b!"], "tls.server_name: "),
        (vec!["--amqp-url", "amqp://h:port/"], "amqp_url: "),
        (vec!["--redis-url", "redis://h:port/"], "redis_url: "),
        (vec!["--defaults-validity-period", "200d"], "defaults.validity_period: "),
    ] {
        let arguments: Vec<&str> = ["config", "--check"].into_iter().chain(arguments).collect();
        let (status, shown, complaint) = output(&run(&arguments, &[]));
        assert_eq!((status, shown.as_str()), (Some(2), ""), "{arguments:?}: {complaint}");
        let last = complaint.lines().last().unwrap_or_default();
        assert!(last.starts_with(&format!("smpp-transport: {option}")), "{arguments:?}: {complaint}");
    }
    let (status, shown, _) = output(&run(&["config", "--check", "--tls-ca", "/nope.pem"], &[]));
    assert_eq!((status, shown.as_str()), (Some(0), "ok\n"), "without TLS nothing reads it");
}

#[test]
fn warnings_go_to_standard_error_and_are_no_failure() {
    let (status, shown, complaint) =
        output(&run(&["config", "--check", "--middlewares", "[{class_path: logging}]"], &[]));
    assert_eq!((status, shown.as_str()), (Some(0), "ok\n"));
    assert!(complaint.starts_with("smpp-transport: middlewares[0] does nothing"), "{complaint}");
}

#[test]
fn a_wrong_configuration_ends_the_transport_with_2_and_one_line() {
    for arguments in [&["--prot", "1"] as &[&str], &["--config", "/no/such/file"], &["--port=0"], &["--sytem-id", "x"]]
    {
        let (status, shown, complaint) = output(&run(arguments, &[]));
        assert_eq!((status, shown.as_str(), complaint.lines().count()), (Some(2), "", 1), "{arguments:?}: {complaint}");
    }
    let (status, _, complaint) = output(&run(&[], &[("PORT", "tcp://10.0.0.1:80")]));
    assert_eq!(status, Some(2));
    assert_eq!(
        complaint,
        "smpp-transport: port is \"tcp://10.0.0.1:80\" (PORT): allowed is a whole number from 1 to 65535\n"
    );
}

#[test]
fn reference_and_help_need_no_configuration() {
    let (status, page, _) = output(&run(&["config", "--reference"], &[("PORT", "x")]));
    assert_eq!((status, page), (Some(0), reference()));
    for arguments in [&["--help"] as &[&str], &["config", "-h"]] {
        let (status, help, _) = output(&run(arguments, &[("PORT", "x")]));
        assert_eq!(status, Some(0));
        assert!(help.contains("--smpp-enquire-link-interval <VALUE>") && help.contains("decode"), "{help}");
    }
    assert_eq!(output(&run(&["--version"], &[])).0, Some(0));
}
