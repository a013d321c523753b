//! Guards the layers: imports point down, waiting is where it belongs, clocks and printing are where they belong, and every
//! `select!` of the workspace has an order. Reads the sources as text; comments and tests do not count.

use std::path::{Path, PathBuf};

/// The layers, each with those that it must not name.
const ABOVE: [(&str, &[&str]); 14] = [
    ("pdu", &["text", "session", "driver", "env", "bus", "store", "ussd", "outbound", "inbound", "service", "cli"]),
    ("text", &["session", "driver", "env", "bus", "store", "ussd", "outbound", "inbound", "service", "cli"]),
    ("session", &["text", "driver", "env", "bus", "store", "ussd", "outbound", "inbound", "service", "cli"]),
    ("driver", &["text", "env", "bus", "store", "ussd", "outbound", "inbound", "service", "cli"]),
    ("capture.rs", &["pdu", "text", "session", "driver", "env", "bus", "store", "service", "cli"]),
    ("env.rs", &["pdu", "text", "session", "driver", "bus", "store", "service", "cli"]),
    ("bus", &["text", "session", "driver", "store", "ussd", "outbound", "inbound", "service", "cli"]),
    ("store", &["driver", "ussd", "outbound", "inbound", "service", "cli"]),
    ("ussd.rs", &["text", "session", "driver", "env", "store", "outbound", "inbound", "service", "cli"]),
    ("outbound", &["session", "driver", "env", "store", "inbound", "service", "cli"]),
    ("inbound", &["session", "driver", "env", "outbound", "service", "cli"]),
    ("disk", &["pdu", "text", "session", "driver", "bus", "store", "service", "http", "cli"]),
    ("guard.rs", &["pdu", "text", "session", "driver", "env", "bus", "store", "service", "http", "cli"]),
    ("http", &["session", "driver", "store", "outbound", "inbound", "cli"]),
];

/// Where nothing waits, and no clock is read.
const PURE: [&str; 6] = ["pdu", "text", "session", "ussd", "outbound", "inbound"];
/// Where tokio's clock is read, which a simulation can turn.
const TIMED: [&str; 3] = ["driver", "bus", "service"];
/// Plain values that any layer may name, as they are imported: they wait for nothing and know nobody.
const VALUES: [&str; 1] = ["crate::driver::Backoff;"];

/// A source file without its comments and its tests.
struct Source {
    /// From the folder that was asked for.
    path: String,
    /// Lines of code, numbered from 1.
    lines: Vec<(usize, String)>,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn rust_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            if path.file_name().is_none_or(|name| name != "target") {
                rust_files(&path, found);
            }
        } else if path.extension().is_some_and(|end| end == "rs") {
            found.push(path);
        }
    }
    found.sort();
}

fn sources(folder: &Path) -> Vec<Source> {
    let mut files = Vec::new();
    rust_files(folder, &mut files);
    let sources: Vec<_> = files.iter().map(|file| source(file, folder)).collect();
    assert!(!sources.is_empty(), "{} has no sources", folder.display());
    sources
}

fn source(file: &Path, folder: &Path) -> Source {
    let text = std::fs::read_to_string(file).unwrap();
    let lines = (1..).zip(text.lines()).map(|(number, line)| (number, code(line).to_owned()));
    Source { path: file.strip_prefix(folder).unwrap().to_string_lossy().replace('\\', "/"), lines: lines.collect() }
}

/// A line without its comment. A `//` in a string would end it too soon, which hides something but accuses nobody.
fn code(line: &str) -> &str {
    line.split_once("//").map_or(line, |(code, _)| code)
}

/// The production code of the crate.
fn production() -> Vec<Source> {
    let is_test = |source: &Source| source.path.contains("/tests/") || source.path.ends_with("tests.rs");
    let mut sources = sources(&root().join("transport/src"));
    sources.retain(|source| !is_test(source));
    assert!(sources.len() > 30, "{} files", sources.len());
    sources
}

impl Source {
    fn is_in(&self, layer: &str) -> bool {
        self.path == layer || self.path.starts_with(&format!("{layer}/")) || self.path == format!("{layer}.rs")
    }

    /// The lines that hold one of these as words of their own.
    fn naming(&self, words: &[&str]) -> Vec<String> {
        let hit = |line: &str| words.iter().find(|word| holds(line, word)).copied();
        let lines = self.lines.iter().filter_map(|(number, line)| Some((number, line, hit(line)?)));
        lines.map(|(number, line, word)| format!("{}:{number}: {word} in: {}", self.path, line.trim())).collect()
    }
}

/// Whether a line holds this, not as a part of a longer name.
fn holds(line: &str, word: &str) -> bool {
    let is_name = |character: char| character.is_alphanumeric() || character == '_';
    line.match_indices(word).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = line[at + word.len()..].chars().next();
        !before.is_some_and(is_name) && !after.is_some_and(is_name)
    })
}

/// The modules of the crate that a file names, however it imports them: `crate::x`, `crate::{x, y::z}`, `super::super::x`.
fn modules_named(source: &Source) -> Vec<(usize, String)> {
    let mut named = Vec::new();
    let text: String = source.lines.iter().map(|(_, line)| format!("{line}\n")).collect();
    let text = VALUES.iter().fold(text, |text, value| text.replace(value, "_"));
    for (at, path) in text.match_indices("crate::") {
        let line = text[..at].lines().count().max(1);
        let rest = &text[at + path.len()..];
        match rest.strip_prefix('{') {
            Some(group) => named.extend(heads(group).into_iter().map(|name| (line, name))),
            None => named.push((line, head(rest))),
        }
    }
    named
}

fn head(path: &str) -> String {
    path.chars().take_while(|character| character.is_alphanumeric() || *character == '_').collect()
}

/// The first name of each path in a group, up to the brace that ends it.
fn heads(group: &str) -> Vec<String> {
    let (mut depth, mut start, mut heads) = (0, true, Vec::new());
    for (at, character) in group.char_indices() {
        match character {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => start = true,
            _ if start && !character.is_whitespace() => {
                heads.push(head(&group[at..]));
                start = false;
            }
            _ => {}
        }
    }
    heads
}

fn assert_none(found: &[String], rule: &str) {
    assert!(found.is_empty(), "{rule}:\n{}", found.join("\n"));
}

#[test]
fn imports_point_down() {
    for (layer, above) in ABOVE {
        let mut wrong = Vec::new();
        let mut files = 0;
        for source in production().iter().filter(|source| source.is_in(layer)) {
            files += 1;
            let named = modules_named(source).into_iter().filter(|(_, name)| above.contains(&name.as_str()));
            wrong.extend(named.map(|(line, name)| format!("{}:{line}: {name}", source.path)));
            let by_supers = above.iter().flat_map(|name| {
                let path = format!("super::{name}::");
                source.naming(&[&path]).into_iter().filter(|_| !has_module(layer, name)).collect::<Vec<_>>()
            });
            wrong.extend(by_supers);
        }
        assert!(files > 0, "{layer} has moved");
        assert_none(&wrong, &format!("{layer} must not name what is above it"));
    }
}

/// Whether a layer has a module of its own of this name.
fn has_module(layer: &str, name: &str) -> bool {
    let folder = root().join("transport/src").join(layer);
    folder.join(name).exists() || folder.join(format!("{name}.rs")).exists()
}

#[test]
fn what_is_pure_does_not_wait() {
    let below = |source: &&Source| PURE.iter().any(|layer| source.is_in(layer));
    let wrong: Vec<_> = production()
        .iter()
        .filter(below)
        .flat_map(|source| source.naming(&["tokio", "async", "await", "std::thread", "std::net", "std::io"]))
        .collect();
    assert_none(&wrong, "octets, text and sessions know no runtime");
}

#[test]
fn clocks_are_read_in_env_and_tokios_where_things_wait() {
    let mut wrong = Vec::new();
    for source in production().iter().filter(|source| !source.is_in("cli")) {
        if !source.is_in("env") {
            wrong.extend(source.naming(&["SystemTime::now"]));
        }
        if !TIMED.iter().any(|layer| source.is_in(layer)) {
            wrong.extend(source.naming(&["Instant::now"]));
        }
        wrong.extend(source.naming(&["std::time::Instant", "UNIX_EPOCH"]).into_iter().filter(|_| !source.is_in("env")));
    }
    assert_none(&wrong, "clocks come in by env and by tokio");
}

#[test]
fn nothing_is_printed_but_by_the_tools() {
    let printing = ["println!", "eprintln!", "print!", "eprint!", "dbg!"];
    let wrong: Vec<_> = production().iter().flat_map(|source| source.naming(&printing)).collect();
    assert_none(&wrong, "what is to be said is logged, or written by the command line");
}

#[test]
fn every_select_of_the_workspace_has_an_order() {
    let mut selects = 0;
    let mut wrong = Vec::new();
    for package in ["transport", "smsc-sim", "sim-tests"] {
        for source in sources(&root().join(package)).iter().filter(|source| !source.path.ends_with("tidy.rs")) {
            for (at, (number, _)) in source.lines.iter().enumerate().filter(|(_, (_, line))| holds(line, "select! {")) {
                selects += 1;
                let next = source.lines[at + 1..].iter().find(|(_, line)| !line.trim().is_empty());
                if next.is_none_or(|(_, line)| line.trim() != "biased;") {
                    wrong.push(format!("{package}/{}:{number}", source.path));
                }
            }
        }
    }
    assert!(selects > 10, "{selects} found: is it written otherwise now?");
    assert_none(&wrong, "a select! without biased; draws its order by chance");
}

#[test]
fn the_reader_of_sources_finds_what_it_is_to_find() {
    let of = |text: &str| Source {
        path: "pdu/it.rs".to_owned(),
        lines: (1..).zip(text.lines()).map(|(number, line)| (number, code(line).to_owned())).collect(),
    };
    let names = |text: &str| modules_named(&of(text)).into_iter().map(|(_, name)| name).collect::<Vec<_>>();
    assert_eq!(names("use crate::session::State;"), ["session"]);
    assert_eq!(names("use crate::{\n    pdu::{Body, Sm},\n    driver,\n};"), ["pdu", "driver"]);
    assert_eq!(names("use crate::driver::Backoff;\nuse crate::driver::{Backoff, Client};"), ["driver"]);
    assert_eq!(names("// use crate::driver;\nlet x = crate::env::Seed(1);"), ["env"]);
    assert!(holds("tokio::select! {", "select! {") && !holds("my_select! {", "select! {"));
    assert_eq!(of("let a = 1;\ntokio::spawn(b);").naming(&["tokio"]), ["pdu/it.rs:2: tokio in: tokio::spawn(b);"]);
    assert!(of("mytokio::x(); // tokio").naming(&["tokio"]).is_empty());
}
