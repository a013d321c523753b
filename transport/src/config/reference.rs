//! The pages made from the table: the reference in Markdown, and `--help`.

use std::fmt::Write as _;

use super::Config;
use super::layers::{Loaded, flag, variable};
use super::option::Row;
use super::show::flow;
use super::table::Table;

/// What comes before the options.
const HEAD: &str = "\
# Configuration

<!-- Written by `smpp-transport config --reference`; do not edit. -->

Options come from three places, as in vumi2. What the command line says goes before what the environment says, and that
before what the file says.

- The file is YAML. `--config FILE` names it, or the variable `VUMI_CONFIG_FILE`. Names with a dot below are nested:
  `amqp.port` is `port` under `amqp`. A key that is not on this page is an error.
- Variables are named as below. If `VUMI_CONFIG_PREFIX` is set, say to `VUMI`, they are read with it before them, as in
  `VUMI_AMQP_PORT`, and only so; others that begin with it get a warning.
- A secret may be in a file: `PASSWORD_FILE` names the file with `PASSWORD`, and so for every password and URL with one. The end
  of its line does not count.
- Without a prefix a variable `…_PORT` that begins with `tcp://` is ignored, with a warning: Kubernetes sets `AMQP_PORT` so for a
  service called amqp. `PORT` alone is the port of the SMSC, also with a warning: some platforms mean the port of HTTP.
- Flags are named as below; the value comes after a space or `=`. A switch may go without one.
- Lists and maps are YAML, or JSON, in variables and flags too: `MIDDLEWARES='[{class_path: logging}]'`.
- Times are seconds, with or without a fraction, or a number and `ms`, `s`, `m`, `h` or `d`: `30`, `0.5`, `500ms`, `7d`.
- Whole numbers may be hexadecimal, `0x34`, and have `_` between digits. Switches are `true`, `yes`, `on`, `1` or `false`,
  `no`, `off`, `0`. Names are read in upper and lower case.
- An option that may be nothing is set to nothing by an empty text, or by `null` in the file.
- What vumi2 has under another name is read under that, too. The same option by two names in one place with two values is an
  error.

`smpp-transport config` shows what all this comes to, and where each value came from; `smpp-transport config --check` only
says whether it is right.

A transport that gets SIGHUP reads all this again: the file as it is then, variables and flags as they were. What is marked
below counts at once, without a session being dropped. What else has changed is named in a warning, and takes effect at the
next start. A configuration that is wrong is refused in words, and nothing changes. [From vumi2](FROM-VUMI2.md) is for those who come from there.
";

/// The reference page, in Markdown.
#[must_use]
pub fn reference() -> String {
    let table = Table::new();
    let defaults = Config::default();
    let mut page = HEAD.to_owned();
    let mut open: Vec<&str> = Vec::new();
    for row in table.rows() {
        for (depth, (path, about)) in row.sections.iter().enumerate() {
            if open.get(depth) == Some(about) {
                continue;
            }
            open.truncate(depth);
            open.push(about);
            section(&mut page, depth, path, about);
        }
        open.truncate(row.sections.len());
        option(&mut page, row, &defaults);
    }
    super::metadata::section(&mut page);
    page
}

fn section(page: &mut String, depth: usize, path: &[&str], about: &str) {
    let (title, words) = title(about);
    let name = if path.is_empty() { title.to_owned() } else { format!("`{}`", path.join(".")) };
    let marks = "#".repeat(if depth == 0 { 2 } else { 3 });
    let _ = write!(page, "\n{marks} {name}\n");
    let words = if path.is_empty() { words } else { format!("{title}. {words}") };
    if !words.trim().is_empty() {
        let _ = write!(page, "\n{}\n", words.trim());
    }
}

/// The first sentence without its stop, and the rest.
fn title(about: &str) -> (&str, String) {
    let (first, rest) = about.trim().split_once(". ").unwrap_or((about.trim().trim_end_matches('.'), ""));
    (first.trim_end_matches('.'), one_paragraph(rest))
}

fn one_paragraph(text: &str) -> String {
    text.lines().map(str::trim).collect::<Vec<_>>().join(" ").trim().to_owned()
}

fn option(page: &mut String, row: &Row<Config>, defaults: &Config) {
    let words = one_paragraph(row.words);
    let _ = write!(page, "\n**`{}`** – {words}\n\n", row.name());
    let _ = writeln!(page, "- Default: `{}`", flow(&row.show(defaults)));
    let _ = writeln!(page, "- Allowed: {}", row.allowed);
    let _ = writeln!(page, "- `{}`, `--{}`", variable("", &row.path), flag(&row.path));
    if Loaded::is_live(&row.name()) {
        page.push_str("- Counts at once after SIGHUP\n");
    }
    let others: Vec<_> = Table::other_names(row).iter().map(|path| format!("`{}`", path.join("."))).collect();
    if !others.is_empty() {
        let _ = writeln!(page, "- Also read as {}", others.join(", "));
    }
    if !row.parts.is_empty() {
        page.push_str("- In each:\n");
    }
    for part in &row.parts {
        let default = if part.default.is_empty() { String::new() } else { format!(" Default: `{}`.", part.default) };
        let words = one_paragraph(part.words);
        let _ = writeln!(page, "  - `{}` – {words}{default} Allowed: {}", part.name, part.allowed);
    }
}

/// All flags, for `--help`.
#[must_use]
pub fn help() -> String {
    let table = Table::new();
    let defaults = Config::default();
    let mut text = String::new();
    let mut open = "";
    for row in table.rows() {
        let (_, about) = row.sections[0];
        if about != open {
            open = about;
            let _ = write!(text, "\n{}:\n", title(about).0);
        }
        let (first, _) = title(row.words);
        let default = flow(&row.show(&defaults));
        let _ = writeln!(text, "  --{} <VALUE>", flag(&row.path));
        let _ = writeln!(text, "          {} [default: {default}]", one_paragraph(first));
    }
    text
}
