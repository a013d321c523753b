//! Guards that the page of known bugs tells the truth: each test that it names is there.

use std::path::Path;

/// The sections, each with how many rows it has at least.
const SECTIONS: [(&str, usize); 7] =
    [("vumi2", 60), ("vumi", 17), ("Jasmin", 18), ("Kannel", 10), ("Java", 13), ("Other", 35), ("SMSCs", 35)];

#[test]
fn every_known_bug_has_its_proof() {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let text = std::fs::read_to_string(top.join("transport/KNOWN-BUGS.md")).unwrap();
    let sections: Vec<(&str, &str)> =
        text.split("\n## ").skip(1).map(|section| section.split_once('\n').unwrap()).collect();
    assert_eq!(sections.len(), SECTIONS.len(), "the sections of the page");
    for ((title, section), (name, least)) in sections.into_iter().zip(SECTIONS) {
        assert_eq!(title.split([':', ' ']).next(), Some(name));
        let rows: Vec<&str> =
            section.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| what happens in")).collect();
        assert!(rows.len() >= least, "{title}: {} rows", rows.len());
        rows.into_iter().for_each(|row| is_proven(row, &top));
    }
}

fn is_proven(row: &str, top: &Path) {
    assert_eq!(row.split(" | ").count(), 3, "{row}");
    let named: Vec<_> = row.split('`').skip(1).step_by(2).filter_map(|code| code.split_once("::")).collect();
    assert!(!named.is_empty(), "{row}");
    for (file, name) in named {
        let source = std::fs::read_to_string(top.join(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
        assert!(source.contains(&format!("fn {name}(")), "{file} has no {name}");
    }
}
