//! Guards that OPERATIONS.md tells the truth: each test that it names is there.

use std::path::{Path, PathBuf};

/// `file.rs::name_of_a_test`, in backticks, where the file is a path from the package.
fn named(text: &str) -> Vec<(&str, &str)> {
    text.split('`').skip(1).step_by(2).filter_map(|code| code.split_once("::")).collect()
}

fn package() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

#[test]
fn every_test_that_the_table_of_operations_names_is_there() {
    let text = std::fs::read_to_string(package().join("OPERATIONS.md")).unwrap();
    let named = named(&text);
    assert!(named.len() > 50, "{} are named", named.len());
    for (file, name) in named {
        let source = std::fs::read_to_string(package().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
        if file.ends_with(".py") {
            assert!(source.contains(&format!("def {name}(")), "{file} has no {name}");
            continue;
        }
        let found = source.find(&format!("fn {name}("));
        let at = found.unwrap_or_else(|| panic!("{file} has no {name}"));
        let above = source[..at].lines().rev().take(4).collect::<Vec<_>>().join("\n");
        assert!(above.contains("test"), "{file}::{name} is no test");
    }
}

#[test]
fn every_row_of_the_table_of_operations_has_its_proof() {
    let text = std::fs::read_to_string(package().join("OPERATIONS.md")).unwrap();
    let rows = text.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| what"));
    for row in rows {
        assert!(row.contains("::") || row.ends_with("[elsewhere] |"), "{row}");
    }
}
