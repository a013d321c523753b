//! Guards whole files: `fixtures/config/good` are taken, and `bad` are refused with the words of their first lines.

use std::path::PathBuf;

use smpp_transport::config::load;

use super::root;

fn files(folder: &str) -> Vec<PathBuf> {
    let folder = root().join("fixtures/config").join(folder);
    let entries = std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(files.len() > 3, "{}", folder.display());
    files
}

#[test]
fn good_files_are_taken() {
    for file in files("good") {
        let loaded = load([format!("--config={}", file.display())], []).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(loaded.warnings, Vec::<String>::new(), "{}", file.display());
    }
}

/// The first line of a file is the message, with `FILE` for its name.
#[test]
fn bad_files_are_refused_with_the_words_of_their_first_lines() {
    let mut others = String::new();
    for file in files("bad") {
        let text = std::fs::read_to_string(&file).unwrap();
        let wanted = text.lines().next().unwrap().trim_start_matches("# ");
        let said = match load([format!("--config={}", file.display())], []) {
            Ok(_) => "nothing".to_owned(),
            Err(error) => error.to_string().replace(&file.display().to_string(), "FILE"),
        };
        if said != wanted {
            others += &format!("{}: {said}\n", file.display());
        }
    }
    assert!(others.is_empty(), "these say something else:\n{others}");
}
