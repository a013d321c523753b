//! Guards that expressions which Python takes mean the same here, or are refused.

use super::*;

/// vumi2's own.
const VUMI2: &str = concat!(
    r"id:(?P<id>[^ ]{,65})",
    r"(?: +sub:(?P<sub>[^ ]+))?",
    r"(?: +dlvrd:(?P<dlvrd>[^ ]+))?",
    r"(?: +submit date:(?P<submit_date>\d*))?",
    r"(?: +done date:(?P<done_date>\d*))?",
    r" +stat:(?P<stat>[A-Z]{5,7})",
    r"(?: +err:(?P<err>[^ ]+))?",
    r" +[Tt]ext:(?P<text>.{,20})",
    r".*",
);

#[test]
fn the_expression_of_vumi2_reads_a_receipt() {
    let pattern = Pattern::python(VUMI2).unwrap();
    assert_eq!(pattern.as_str(), VUMI2);
    let receipt =
        "id:0123 sub:001 dlvrd:001 submit date:2001010000 done date:2001010001 stat:DELIVRD err:000 text:Hello";
    let found = pattern.regex().captures(receipt).unwrap();
    assert_eq!((&found["id"], &found["stat"], &found["text"]), ("0123", "DELIVRD", "Hello"));
    assert!(!pattern.regex().is_match(&format!("x{receipt}")), "only from the beginning");
}

#[test]
fn what_python_writes_otherwise_is_translated() {
    for (python, here) in [
        ("a{,5}", "a{0,5}"),
        ("a{2,}", "a{2,}"),
        ("a{3}", "a{3}"),
        ("a{2,4}b", "a{2,4}b"),
        ("a{,}", r"a\{,}"),
        ("{x}", r"\{x}"),
        (r"a\{,5}", r"a\{,5}"),
        ("[{,5}]", "[{,5}]"),
        ("[]a]", r"[\]a]"),
        ("[^]a]", r"[^\]a]"),
        ("[[a&&b~]", r"[\[a\&\&b\~]"),
        (r"a\Z", r"a\z"),
        (r"[\]]{,2}", r"[\]]{0,2}"),
    ] {
        assert_eq!(translate(python).as_deref(), Ok(here), "{python}");
        Pattern::python(python).unwrap();
    }
}

#[test]
fn what_only_python_has_is_named() {
    for (python, words) in [
        ("(?=a)", "it has look-ahead"),
        ("(?!a)", "it has look-ahead"),
        ("(?<=a)b", "it has look-behind"),
        ("(?<!a)b", "it has look-behind"),
        ("(?P<a>b)(?P=a)", "it has a back-reference"),
        (r"(a)\1", "it has a back-reference"),
        ("(a)?(?(1)b)", "it has a condition"),
        ("(a", "unclosed group"),
        ("a\\", "it ends in a backslash"),
        ("[a", "unclosed character class"),
    ] {
        let error = Pattern::python(python).unwrap_err();
        assert!(error.contains(words) && !error.contains('\n'), "{python}: {error}");
    }
    assert!(Pattern::python(r"\(?=a").is_ok() && Pattern::python("[(?=]").is_ok(), "these are letters");
    assert!(Pattern::python(&"a".repeat(5_000)).is_err());
}
