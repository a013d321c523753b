//! Guards that the page of known bugs tells the truth: each test that it names is there.

use std::path::Path;

#[test]
fn every_known_bug_has_its_proof() {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let text = std::fs::read_to_string(top.join("transport/KNOWN-BUGS.md")).unwrap();
    let rows: Vec<&str> =
        text.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| what happens in")).collect();
    assert!(rows.len() >= 60, "{} rows", rows.len());
    for row in rows {
        let named: Vec<_> = row.split('`').skip(1).step_by(2).filter_map(|code| code.split_once("::")).collect();
        assert!(!named.is_empty(), "{row}");
        for (file, name) in named {
            let source = std::fs::read_to_string(top.join(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
            let is_there = source.contains(&format!("fn {name}("));
            assert!(is_there, "{file} has no {name}");
        }
    }
}
