//! Guards the three layers: each can say everything, and the later goes before the earlier.

use proptest::prelude::*;
use proptest::sample::Index;
use smpp_transport::config::{Bus, BusReason, Config, Listen, OptionRow, Origin, Table, load};

use super::{
    TempFile, companion_flags, flag_of, from_environment, from_flags, from_text, from_text_and, raw, variable_of,
    yaml_of,
};

#[test]
fn every_option_says_the_same_in_each_layer() {
    for row in Table::new().options() {
        for value in &row.good {
            let companion = || companion_flags(&row.name, value);
            let file = from_text_and(&yaml_of(&row.name, value), companion()).unwrap();
            let text = raw(&row, value).to_owned();
            let flag = [flag_of(&row.name), text.clone()];
            let flags = load(flag.into_iter().chain(companion()), []).unwrap_or_else(|error| panic!("{error}"));
            let variables =
                load(companion(), [(variable_of(&row.name), text)]).unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(flags.config, file.config, "{} {value}", row.name);
            assert_eq!(variables.config, file.config, "{} {value}", row.name);
            assert_eq!(*flags.origin(&row.name), Origin::Flag(flag_of(&row.name)));
            assert_eq!(*variables.origin(&row.name), Origin::Variable(variable_of(&row.name)));
            assert!(matches!(file.origin(&row.name), Origin::File { place: (1.., 1..), .. }));
        }
    }
}

/// An option, a value of its, and whether the file, the environment and the flags say it.
type Choice = (Index, [Option<Index>; 3]);

fn choices() -> impl Strategy<Value = Vec<Choice>> {
    prop::collection::vec((any::<Index>(), prop::array::uniform3(prop::option::of(any::<Index>()))), 0..12)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// Whatever is said where: what counts is what the last layer says that says anything.
    #[test]
    fn the_last_layer_that_says_something_counts(choices in choices()) {
        let rows = Table::new().options();
        let mut taken = std::collections::BTreeMap::new();
        let (mut yaml, mut variables, mut flags) = (Tree::default(), Vec::new(), Vec::new());
        let mut winners = Tree::default();
        for (row, values) in &choices {
            let row = row.get(&rows);
            if !is_free(row) || taken.insert(row.name.clone(), ()).is_some() {
                continue;
            }
            let [file, variable, flag] = values.map(|value| value.map(|value| value.get(&row.good).clone()));
            if let Some(value) = &file {
                yaml.put(&row.name, value);
            }
            variables.extend(variable.iter().map(|value| (variable_of(&row.name), raw(row, value).to_owned())));
            flags.extend(flag.iter().flat_map(|value| [flag_of(&row.name), raw(row, value).to_owned()]));
            if let Some(value) = flag.or(variable).or(file) {
                winners.put(&row.name, &value);
            }
        }
        let file = TempFile::new(&yaml.text());
        let layered = load(["--config".to_owned(), file.name()].into_iter().chain(flags), variables);
        let together = from_text(&winners.text());
        prop_assert_eq!(layered.map(|loaded| loaded.config), together.map(|loaded| loaded.config));
    }

    /// What `config` prints, secrets apart, is the same configuration again.
    #[test]
    fn what_is_printed_is_read_as_the_same(choices in choices()) {
        let rows = Table::new().options();
        let mut tree = Tree::default();
        for (row, values) in &choices {
            let row = row.get(&rows);
            if let (true, Some(value)) = (is_free(row), values[0]) {
                tree.put(&row.name, value.get(&row.good).as_str());
            }
        }
        let loaded = from_text(&tree.text()).unwrap();
        let again = from_text(&loaded.to_yaml_with_secrets()).unwrap_or_else(|error| panic!("{error}"));
        let (again, loaded) = (again.to_yaml_with_secrets(), loaded.to_yaml_with_secrets());
        prop_assert_eq!(values(&again), values(&loaded));
    }
}

/// The lines without their comments: where all this came from.
fn values(yaml: &str) -> Vec<&str> {
    yaml.lines().map(|line| line.split("  # ").next().unwrap()).collect()
}

/// Whether it may have any value whatever the others have.
fn is_free(row: &OptionRow) -> bool {
    companion_flags(&row.name, "any").is_empty()
}

/// Options as YAML, the parts of each group together.
#[derive(Default)]
struct Tree(std::collections::BTreeMap<String, String>);

impl Tree {
    fn put(&mut self, name: &str, value: &str) {
        self.0.insert(name.to_owned(), value.to_owned());
    }

    fn text(&self) -> String {
        let mut open: Vec<&str> = Vec::new();
        let mut text = String::new();
        for (name, value) in &self.0 {
            let parts: Vec<&str> = name.split('.').collect();
            let (last, groups) = parts.split_last().unwrap();
            let same = open.iter().zip(groups).take_while(|(one, other)| one == other).count();
            for (depth, group) in groups.iter().enumerate().skip(same) {
                text += &format!("{}{group}:\n", "  ".repeat(depth));
            }
            text += &format!("{}{last}: {value}\n", "  ".repeat(groups.len()));
            open = groups.to_vec();
        }
        text
    }
}

#[test]
fn the_environment_goes_before_the_file_and_flags_before_both() {
    let file = TempFile::new("host: of-file\nport: 1\nsystem_id: of-file\n");
    let variables = [("VUMI_CONFIG_FILE", file.name()), ("PORT", "2".to_owned()), ("SYSTEM_ID", "of-env".to_owned())];
    let variables = variables.map(|(name, value)| (name.to_owned(), value));
    let loaded = load(["--system-id=of-flag".to_owned()], variables).unwrap();
    let Config { smsc, bind, .. } = &loaded.config;
    assert_eq!((smsc.host.as_str(), smsc.port, bind.system_id.as_str()), ("of-file", 2, "of-flag"));
    assert_eq!(loaded.origin("host").to_string(), format!("{}:1:1", file.name()));
    assert_eq!(loaded.origin("port").to_string(), "PORT");
    assert_eq!(loaded.origin("system_id").to_string(), "--system-id");
    assert_eq!(*loaded.origin("password"), Origin::Default);
}

#[test]
fn a_file_that_a_flag_names_goes_before_the_one_of_the_environment() {
    let (one, other) = (TempFile::new("port: 1\n"), TempFile::new("port: 2\n"));
    let loaded = load(["--config".to_owned(), one.name()], [("VUMI_CONFIG_FILE".to_owned(), other.name())]).unwrap();
    assert_eq!((loaded.config.smsc.port, loaded.config.bus_reason()), (1, &BusReason::Default));
}

#[test]
fn with_a_prefix_only_what_has_it_counts() {
    let loaded = from_environment(&[
        ("VUMI_CONFIG_PREFIX", "vumi"),
        ("VUMI_PORT", "1"),
        ("PORT", "2"),
        ("HOST", "h"),
        ("VUMI_AMQP_HOSTNAME", "broker"),
        ("VUMI_SUBMIT_SM_PROCESSOR_CONFIG_DATA_CODING", "UCS2"),
        ("VUMI_SUBMIT_SM_PROCESSOR_CONFIG", "{service_type: CMT}"),
        ("VUMI_PROT", "3"),
        ("VUMIX", "4"),
    ]);
    let loaded = loaded.unwrap();
    assert_eq!((loaded.config.smsc.port, loaded.config.smsc.host.as_str()), (1, "localhost"));
    assert_eq!(loaded.config.bus.amqp.hostname, "broker");
    assert_eq!(loaded.config.submit.service_type.as_deref(), Some("CMT"));
    assert_eq!(
        *loaded.origin("submit.data_coding"),
        Origin::Variable("VUMI_SUBMIT_SM_PROCESSOR_CONFIG_DATA_CODING".to_owned())
    );
    assert_eq!(loaded.warnings, ["VUMI_PROT is in the environment: there is no such option; did you mean VUMI_PORT?"]);
}

#[test]
fn without_a_prefix_other_variables_are_none_of_ours() {
    let loaded = from_environment(&[("PATH", "/bin"), ("PROT", "3"), ("VUMI_PORT", "1")]).unwrap();
    assert_eq!((loaded.config, loaded.warnings), (Config::default(), Vec::new()));
}

#[test]
fn the_bus_and_its_reason() {
    let chosen = |loaded: Result<smpp_transport::config::Loaded, _>| {
        let config = loaded.map_err(|error: smpp_transport::config::ConfigError| error.to_string()).unwrap().config;
        (config.bus.bus, config.bus_reason().clone(), config.worker.http_bind.clone())
    };
    let here = || Some(Listen::Tcp("127.0.0.1:8080".to_owned()));
    let elsewhere = || Some(Listen::Tcp("h:1".to_owned()));
    let amqp = |name: &str| BusReason::AmqpOption(name.to_owned());
    assert_eq!(chosen(from_flags(&[])), (Bus::Embedded, BusReason::Default, here()));
    assert_eq!(chosen(from_flags(&["--bus", "embedded"])), (Bus::Embedded, BusReason::Given, here()));
    assert_eq!(chosen(from_flags(&["--bus", "amqp"])), (Bus::Amqp, BusReason::Given, None));
    assert_eq!(chosen(from_flags(&["--amqp-port", "5672"])), (Bus::Amqp, amqp("amqp.port"), None));
    assert_eq!(chosen(from_environment(&[("AMQP_URL", "amqp://h")])), (Bus::Amqp, amqp("amqp_url"), None));
    assert_eq!(chosen(from_text("amqp_prefetch: 5")), (Bus::Amqp, amqp("amqp_prefetch"), None));
    assert_eq!(chosen(from_text("amqp: {port: 1}\nbus: embedded")), (Bus::Embedded, BusReason::Given, here()));
    assert_eq!(chosen(from_text("bus: amqp\nhttp_bind: h:1")), (Bus::Amqp, BusReason::Given, elsewhere()));
    assert_eq!(chosen(from_text("http_bind:")), (Bus::Embedded, BusReason::Default, None));
    let file = TempFile::new("port: 1\n");
    let named = [("VUMI_CONFIG_FILE", file.name())].map(|(name, value)| (name.to_owned(), value));
    assert_eq!(chosen(load([], named)), (Bus::Amqp, BusReason::VumiFile, None));
    assert_eq!(chosen(from_environment(&[("VUMI_CONFIG_FILE", "")])), (Bus::Embedded, BusReason::Default, here()));
}

#[test]
fn what_is_wrong_with_a_flag_or_a_variable_is_said_in_one_line() {
    let flag = |flags: &[&str]| from_flags(flags).unwrap_err().to_string();
    let variable = |name: &str, value: &str| from_environment(&[(name, value)]).unwrap_err().to_string();
    assert_eq!(flag(&["--prot", "1"]), "--prot: there is no such option; did you mean --port?");
    assert_eq!(flag(&["--webhook", "1"]), "--webhook: there is no such option");
    assert_eq!(flag(&["--port"]), "--port: a value is wanted");
    assert_eq!(flag(&["--port", "--host"]), "--port: a value is wanted");
    assert_eq!(flag(&["port"]), "\"port\": a flag such as --system-id is wanted");
    let follows = "what follows --password: a flag such as --system-id is wanted";
    assert_eq!(flag(&["--password", "s3", "cret"]), follows);
    assert_eq!(flag(&["--port", "0"]), "port is \"0\" (--port): allowed is a whole number from 1 to 65535");
    assert_eq!(
        flag(&["--amqp-port", "x"]),
        "amqp.port is \"x\" (--amqp-port): allowed is a whole number from 1 to 65535"
    );
    assert_eq!(variable("PORT", ""), "port is empty (PORT): allowed is a whole number from 1 to 65535");
    assert_eq!(
        variable("MIDDLEWARES", "[{class_path: logging}, {class_path: loging}]"),
        "middlewares[1].class_path is \"loging\" (MIDDLEWARES): allowed is logging, unidecoder"
    );
    assert!(variable("RETRY", "{a: [").starts_with("RETRY: no YAML: "), "{}", variable("RETRY", "{a: ["));
    assert!(flag(&["--config", "/no/such/file.yaml"]).starts_with("/no/such/file.yaml: No such file"));
}

#[test]
fn a_switch_needs_no_value() {
    assert!(from_flags(&["--submit-latin1", "--port", "1"]).unwrap().config.submit.latin1);
    assert!(!from_flags(&["--submit-latin1=no"]).unwrap().config.submit.latin1);
    assert!(!from_flags(&["--submit-latin1", "off"]).unwrap().config.submit.latin1);
}

#[test]
fn one_option_by_two_names_must_say_one_thing() {
    let same = "submit: {data_coding: UCS2}\nsubmit_sm_processor_config: {data_coding: ucs2}\n";
    assert!(from_text(same).is_ok());
    let file = TempFile::new("smpp_cache_config: {timeout: 1d}\ncache: {timeout: 1h}\n");
    let error = load(["--config".to_owned(), file.name()], []).unwrap_err().to_string();
    let name = file.name();
    assert_eq!(
        error,
        format!(
            "smpp_cache_config.timeout ({name}:1:21) and cache.timeout ({name}:2:9) are the same option, and differ"
        )
    );
    // Layers are another thing: there the later counts.
    let loaded =
        load(["--cache-timeout=1h".to_owned()], [("SMPP_CACHE_CONFIG_TIMEOUT".to_owned(), "1d".to_owned())]).unwrap();
    assert_eq!(loaded.config.stores.cache.timeout.as_secs(), 3_600);
}

#[test]
fn a_secret_may_be_in_a_file_that_a_variable_names() {
    let secrets: Vec<_> = Table::new().options().into_iter().filter(|row| row.is_secret).collect();
    assert!(secrets.len() >= 7);
    for row in secrets {
        let is_url = row.good[0].contains("://");
        let secret = if is_url { row.good[0].trim_matches('\'').to_owned() } else { "s3cr3t".to_owned() };
        for (prefix, end) in [("", ""), ("", "\n"), ("", "\r\n"), ("VUMI", "\n")] {
            let file = TempFile::new(&format!("{secret}{end}"));
            let name =
                if prefix.is_empty() { variable_of(&row.name) } else { format!("{prefix}_{}", variable_of(&row.name)) };
            let (path, variable) = (file.name(), format!("{name}_FILE"));
            let loaded = from_environment(&[(&variable, &path), ("VUMI_CONFIG_PREFIX", prefix)]).unwrap();
            assert!(loaded.warnings.iter().all(|warning| !warning.contains("no such option")), "{:?}", loaded.warnings);
            assert_eq!(loaded.origin(&row.name).to_string(), variable);
            assert!(loaded.to_yaml_with_secrets().contains(&secret), "{}", row.name);
            assert!(!loaded.to_yaml().contains("s3cr3t"));
            let both = from_environment(&[(&variable, &path), (&name, &secret), ("VUMI_CONFIG_PREFIX", prefix)]);
            let words = both.unwrap_err().to_string();
            assert_eq!(words, format!("{name} and {variable} are both given: allowed is one of them"));
        }
        let missing = format!("{}_FILE", variable_of(&row.name));
        let words = from_environment(&[(&missing, "/no/such/file")]).unwrap_err().to_string();
        assert!(words.starts_with(&format!("{missing}: cannot read \"/no/such/file\": ")), "{words}");
        let large = TempFile::new(&"x".repeat(5_000));
        let words = from_environment(&[(&missing, &large.name())]).unwrap_err().to_string();
        assert!(words.contains("it has 5000 bytes, allowed are 4096") && !words.contains("xxx"), "{words}");
        assert_eq!(from_environment(&[(&missing, "")]).unwrap().origin(&row.name).to_string(), "default");
    }
}

#[test]
fn what_a_platform_sets_is_not_taken_for_an_option_in_silence() {
    for (name, value) in [
        ("AMQP_PORT", "tcp://10.3.1.2:5672"),
        ("AMQP_PORT", "udp://10.3.1.2:5672"),
        ("RECEIVER_PORT", "tcp://[fd00::1]:80"),
    ] {
        let loaded = from_environment(&[(name, value)]).unwrap();
        assert_eq!(loaded.config, from_environment(&[]).unwrap().config);
        assert!(loaded.warnings.iter().any(|warning| warning.starts_with(&format!("{name} is ignored"))), "{loaded:?}");
        let own = from_environment(&[(&format!("VUMI_{name}"), value), ("VUMI_CONFIG_PREFIX", "VUMI")]);
        assert!(own.is_err(), "with a prefix it is meant");
    }
    assert!(from_environment(&[("AMQP_PORT", "http://x")]).is_err());
    let loaded = from_environment(&[("PORT", "8080")]).unwrap();
    assert_eq!((loaded.config.smsc.port, loaded.warnings.len()), (8080, 1));
    assert!(loaded.warnings[0].starts_with("PORT=8080 is the port of the SMSC"), "{:?}", loaded.warnings);
    let prefixed = from_environment(&[("VUMI_PORT", "8080"), ("VUMI_CONFIG_PREFIX", "VUMI"), ("PORT", "1")]).unwrap();
    assert_eq!((prefixed.config.smsc.port, prefixed.warnings), (8080, vec![]));
    assert_eq!(from_flags(&["--port", "8080"]).unwrap().warnings, Vec::<String>::new());
}

#[test]
fn a_host_has_no_port_and_may_have_brackets() {
    for option in ["host", "receiver.host", "amqp.hostname", "tls.server_name"] {
        for host in [
            "'smsc.example:2775'",
            "'127.0.0.1:2775'",
            "'[::1]:2775'",
            "'::1]'",
            "'[::1'",
            "'[smsc]'",
            "'a:b'",
            "':2775'",
        ] {
            let words = from_text(&yaml_of(option, host)).unwrap_err().to_string();
            assert!(words.contains("allowed is a host name or address"), "{words}");
        }
        for (host, read) in
            [("'[::1]'", "::1"), ("'::1'", "::1"), ("'[fe80::1]'", "fe80::1"), ("10.0.0.1", "10.0.0.1"), ("a.b", "a.b")]
        {
            let loaded = from_text(&yaml_of(option, host)).unwrap();
            let written = from_text(&yaml_of(option, &format!("'{read}'"))).unwrap();
            assert_eq!(loaded.config, written.config, "{option} {host}");
        }
    }
    let config = from_text("host: '[::1]'").unwrap().config;
    assert_eq!(config.smsc_addresses(), ["[::1]:2775"]);
}

#[test]
fn the_receiver_has_a_place_of_its_own_or_that_of_the_smsc() {
    let of = |yaml: &str| from_text(yaml).unwrap().config.receiver_addresses();
    assert_eq!(of("{host: a, port: 1}"), ["a:1"]);
    assert_eq!(of("{host: a, port: 1, receiver: {host: b}}"), ["b:1"]);
    assert_eq!(of("{host: a, port: 1, receiver: {port: 2}}"), ["a:2"]);
    assert_eq!(of("{host: a, port: 1, receiver: {host: '::1', port: 2}}"), ["[::1]:2"]);
    assert_eq!(of("{hosts: ['a:1', 'b:2']}"), ["a:1", "b:2"]);
    assert_eq!(of("{hosts: ['a:1', 'b:2'], receiver: {host: c, port: 3}}"), ["c:3"]);
    let loaded = from_text("receiver: {system_id: r}").unwrap();
    assert!(loaded.warnings[0].starts_with("options of receiver are given without bind_type tx+rx"));
    assert!(from_text("{bind_type: tx+rx, receiver: {system_id: r}}").unwrap().warnings.is_empty());
}

#[test]
fn passwords_have_as_many_characters_as_password_max_says() {
    for (max, length, is_ok) in
        [(8, 8, true), (8, 9, false), (16, 9, true), (16, 16, true), (16, 17, false), (128, 128, true)]
    {
        for option in ["password", "receiver.password", "outbind.password"] {
            let yaml = format!("password_max: {max}\n{}", yaml_of(option, &format!("'{}'", "p".repeat(length))));
            match from_text(&yaml) {
                Ok(_) => assert!(is_ok, "{option} {max} {length}"),
                Err(error) => {
                    let words = error.to_string();
                    assert!(!is_ok && words.starts_with(option) && words.contains("password_max"), "{words}");
                    assert!(!words.contains("pppp"));
                }
            }
        }
    }
}
