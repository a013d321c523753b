//! Templates of receipt texts: literal text with fields in braces, such as `id:{id} stat:{stat:lower}`.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use super::encoding::{DATES, Dates, ENCODINGS, Encoding};
use super::escape::{Escaped, Scanner};
use super::ids::IdForm;
use crate::time::as_text;

/// Template of a receipt's text, or the name of one of the [presets](PRESETS).
#[derive(Clone, Debug)]
pub struct Template {
    text: Arc<str>,
    pieces: Arc<[Piece]>,
}

/// Templates with a name.
pub const PRESETS: [(&str, &str); 10] = [
    (
        "appendix_b",
        "id:{id} sub:{sub} dlvrd:{dlvrd} submit date:{submit_date} done date:{done_date} stat:{stat} err:{err} text:{text}",
    ),
    (
        "capital_text",
        "id:{id} sub:{sub} dlvrd:{dlvrd} submit date:{submit_date} done date:{done_date} stat:{stat} err:{err} Text:{text}",
    ),
    (
        "text_none",
        "id:{id} sub:{sub} dlvrd:{dlvrd} submit date:{submit_date} done date:{done_date} stat:{stat} err:{err} text:none",
    ),
    ("short", "id:{id} submit date:{submit_date} done date:{done_date} stat:{stat} err:{err}"),
    (
        "one_word_labels",
        "id:{id} sub:{sub} dlvrd:{dlvrd} submitdate:{submit_date} donedate:{done_date} stat:{stat} err:{err} text:{text}",
    ),
    (
        "lower_case",
        "id:{id} sub:{sub} dlvrd:{dlvrd} submit date:{submit_date} done date:{done_date} stat:{stat:lower} err:{err} text:{text}",
    ),
    (
        "blanks",
        "id: {id} sub: {sub} dlvrd: {dlvrd} submit date: {submit_date} done date: {done_date} stat: {stat} err: {err} text: {text}",
    ),
    ("tabs", "id:{id}\\tsub:{sub}\\tdlvrd:{dlvrd}\\tstat:{stat}\\terr:{err}"),
    ("commas", "id:{id},sub:{sub},dlvrd:{dlvrd},stat:{stat},err:{err},text:{text}"),
    ("quoted", "id:\"{id}\" stat:\"{stat}\" err:\"{err}\" text:\"{text}\""),
];

#[derive(Clone, Debug, PartialEq)]
enum Piece {
    Text(String),
    /// Octets that no encoding changes.
    Octets(Vec<u8>),
    Field(Field, Box<Format>),
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Field {
    Id,
    Sub,
    Dlvrd,
    SubmitDate,
    DoneDate,
    Stat,
    Err,
    Text,
    To,
    From,
    State,
    Number,
    Reference,
}

const FIELDS: [(&str, Field); 13] = [
    ("id", Field::Id),
    ("sub", Field::Sub),
    ("dlvrd", Field::Dlvrd),
    ("submit_date", Field::SubmitDate),
    ("done_date", Field::DoneDate),
    ("stat", Field::Stat),
    ("err", Field::Err),
    ("text", Field::Text),
    ("to", Field::To),
    ("from", Field::From),
    ("state", Field::State),
    ("number", Field::Number),
    ("reference", Field::Reference),
];

/// Everything behind the name of a field.
#[derive(Clone, Debug, Default, PartialEq)]
struct Format {
    case: Case,
    cut: Option<usize>,
    pad: Option<(Pad, usize)>,
    dates: Option<Dates>,
    encoding: Option<Encoding>,
    id: Option<IdForm>,
}

#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
enum Case {
    #[default]
    AsIs,
    Lower,
    Upper,
    Title,
}

impl Case {
    fn apply(self, text: Cow<'_, str>) -> Cow<'_, str> {
        match self {
            Case::AsIs => text,
            Case::Lower => text.to_lowercase().into(),
            Case::Upper => text.to_uppercase().into(),
            Case::Title => {
                let mut text = text.to_lowercase();
                if let Some(first) = text.get_mut(..1) {
                    first.make_ascii_uppercase();
                }
                text.into()
            }
        }
    }
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Pad {
    Right,
    Left,
    Zeros,
}

/// Longest template.
const CHARACTERS_MAX: usize = 2_000;
/// Most octets of a text: those of message_payload, in a frame that peers take.
const OCTETS_MAX: usize = 65_000;
/// Widest field.
const WIDTH_MAX: usize = 250;

/// Values of the fields.
pub(crate) struct Values<'a> {
    pub(crate) id: &'a str,
    /// Writes the id in another form.
    pub(crate) id_as: &'a dyn Fn(&IdForm) -> String,
    pub(crate) dlvrd: bool,
    pub(crate) submitted: Duration,
    pub(crate) done: Duration,
    pub(crate) dates: Dates,
    pub(crate) stat: &'a str,
    pub(crate) err: &'a str,
    pub(crate) text: &'a str,
    pub(crate) to: &'a str,
    pub(crate) from: &'a str,
    pub(crate) state: u8,
    pub(crate) number: u64,
    pub(crate) reference: Option<u16>,
}

impl Template {
    /// Octets of the text, as many as one parameter holds. Pieces next to each other in one encoding are encoded together.
    pub(crate) fn write(&self, values: &Values<'_>, encoding: Encoding) -> Vec<u8> {
        let (mut octets, mut run, mut of_run) = (Vec::new(), String::new(), encoding);
        let end_run = |octets: &mut Vec<u8>, run: &mut String, of_run: Encoding| {
            octets.extend(of_run.write(run));
            run.clear();
        };
        for piece in self.pieces.iter() {
            let next = match piece {
                Piece::Field(_, format) => format.encoding.unwrap_or(encoding),
                Piece::Text(_) | Piece::Octets(_) => encoding,
            };
            if next != of_run || matches!(piece, Piece::Octets(_)) {
                end_run(&mut octets, &mut run, of_run);
                of_run = next;
            }
            match piece {
                Piece::Text(text) => run.push_str(text),
                Piece::Octets(raw) => octets.extend_from_slice(raw),
                Piece::Field(field, format) => run.push_str(&format.apply(*field, values)),
            }
        }
        end_run(&mut octets, &mut run, of_run);
        octets.truncate(OCTETS_MAX);
        octets
    }

    /// Text for people, with octets as the characters of Latin-1.
    pub(crate) fn show(&self, values: &Values<'_>) -> String {
        let mut shown = String::new();
        for piece in self.pieces.iter() {
            match piece {
                Piece::Text(text) => shown.push_str(text),
                Piece::Octets(raw) => shown.extend(raw.iter().copied().map(char::from)),
                Piece::Field(field, format) => shown.push_str(&format.apply(*field, values)),
            }
        }
        shown
    }

    /// Template that receipts have unless a policy says another.
    pub(crate) fn appendix_b() -> &'static Template {
        static APPENDIX_B: std::sync::LazyLock<Template> =
            std::sync::LazyLock::new(|| PRESETS[0].1.parse().expect("presets are tested"));
        &APPENDIX_B
    }
}

impl Field {
    fn value<'a>(self, values: &'a Values<'_>, format: &Format) -> Cow<'a, str> {
        let dates = format.dates.unwrap_or(values.dates);
        match self {
            Field::Id => match &format.id {
                Some(form) => (values.id_as)(form).into(),
                None => values.id.into(),
            },
            Field::Sub => "001".into(),
            Field::Dlvrd => if values.dlvrd { "001" } else { "000" }.into(),
            Field::SubmitDate => dates.write(values.submitted).into(),
            Field::DoneDate => dates.write(values.done).into(),
            Field::Stat => values.stat.into(),
            Field::Err => values.err.into(),
            Field::Text => values.text.into(),
            Field::To => values.to.into(),
            Field::From => values.from.into(),
            Field::State => values.state.to_string().into(),
            Field::Number => values.number.to_string().into(),
            Field::Reference => values.reference.map(|reference| reference.to_string()).unwrap_or_default().into(),
        }
    }

    const fn is_date(self) -> bool {
        matches!(self, Field::SubmitDate | Field::DoneDate)
    }
}

impl Format {
    /// Text of a field in this format. Most have none, and are copied once.
    fn apply<'a>(&self, field: Field, values: &'a Values<'_>) -> Cow<'a, str> {
        let mut text = self.case.apply(field.value(values, self));
        if let Some(cut) = self.cut {
            text = text.chars().take(cut).collect();
        }
        match self.pad {
            Some((Pad::Right, width)) => format!("{text:<width$}").into(),
            Some((Pad::Left, width)) => format!("{text:>width$}").into(),
            Some((Pad::Zeros, width)) => format!("{text:0>width$}").into(),
            None => text,
        }
    }

    /// Takes one of the words behind a field's name.
    fn take(&mut self, field: Field, word: &str) -> Result<(), String> {
        let width = |digits: &str| {
            let width = digits.parse::<usize>().ok().filter(|width| *width <= WIDTH_MAX);
            width.ok_or_else(|| format!("width {digits:?}: 0 to {WIDTH_MAX} is allowed"))
        };
        let encoding = ENCODINGS.iter().find(|(name, _)| *name == word);
        let dates = DATES.iter().find(|(name, _)| field.is_date() && *name == word);
        match (word, word.split_at_checked(1)) {
            ("lower", _) => self.case = Case::Lower,
            ("upper", _) => self.case = Case::Upper,
            ("title", _) => self.case = Case::Title,
            (_, Some(("<", digits))) => self.pad = Some((Pad::Right, width(digits)?)),
            (_, Some((">", digits))) => self.pad = Some((Pad::Left, width(digits)?)),
            (_, Some(("0", digits))) => self.pad = Some((Pad::Zeros, width(digits)?)),
            (_, Some((".", digits))) => self.cut = Some(width(digits)?),
            _ if encoding.is_some() => self.encoding = encoding.map(|(_, encoding)| *encoding),
            _ if dates.is_some() => self.dates = dates.map(|(_, dates)| *dates),
            _ if field == Field::Id => self.id = Some(word.parse()?),
            _ => return Err(format!("unknown format {word:?} of a field")),
        }
        Ok(())
    }
}

impl FromStr for Template {
    type Err = String;

    fn from_str(text: &str) -> Result<Template, String> {
        let characters = text.chars().count();
        if characters > CHARACTERS_MAX {
            return Err(format!("template of {characters} characters: at most {CHARACTERS_MAX} are allowed"));
        }
        let preset = PRESETS.iter().find(|(name, _)| *name == text);
        let pieces = pieces(preset.map_or(text, |(_, template)| template));
        let pieces = pieces.map_err(|words| format!("invalid template {text:?}: {words}"))?;
        Ok(Template { text: text.into(), pieces: pieces.into() })
    }
}

fn pieces(text: &str) -> Result<Vec<Piece>, String> {
    let mut pieces: Vec<Piece> = Vec::new();
    let mut scanner = Scanner::new(text);
    while let Some(next) = scanner.next()? {
        match next {
            Escaped::Character('{') if !scanner.take('{') => pieces.push(field(&mut scanner)?),
            Escaped::Character('}') if !scanner.take('}') => return Err("} without {".to_owned()),
            Escaped::Character(character) => match pieces.last_mut() {
                Some(Piece::Text(text)) => text.push(character),
                _ => pieces.push(Piece::Text(character.to_string())),
            },
            Escaped::Octet(octet) => match pieces.last_mut() {
                Some(Piece::Octets(octets)) => octets.push(octet),
                _ => pieces.push(Piece::Octets(vec![octet])),
            },
        }
    }
    Ok(pieces)
}

/// Reads the field that follows a `{`.
fn field(scanner: &mut Scanner<'_>) -> Result<Piece, String> {
    let inside = scanner.until('}').ok_or("{ without }")?;
    let mut words = inside.split(':');
    let name = words.next().unwrap_or_default();
    let field = FIELDS.iter().find(|(known, _)| *known == name).map(|(_, field)| *field).ok_or_else(|| {
        let names: Vec<_> = FIELDS.iter().map(|(name, _)| *name).collect();
        format!("unknown field {name:?}: expected one of {}", names.join(", "))
    })?;
    let mut format = Format::default();
    words.try_for_each(|word| format.take(field, word))?;
    Ok(Piece::Field(field, Box::new(format)))
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl PartialEq for Template {
    fn eq(&self, other: &Template) -> bool {
        self.text == other.text
    }
}

as_text!(Template);

#[cfg(test)]
mod tests {
    //! Guards every field, every format and every escape of templates.

    use super::*;

    /// 2026-01-02 03:04:05.
    const TIME: Duration = Duration::from_secs(1_767_323_045);

    fn with_values<T>(act: impl FnOnce(&Values<'_>) -> T) -> T {
        act(&Values {
            id: "4711",
            id_as: &|form| match form {
                IdForm::Pattern(pattern) => pattern.write(4711, String::new),
                IdForm::HexadecimalUpper => "00001267".to_owned(),
                named => named.to_string(),
            },
            dlvrd: true,
            submitted: TIME,
            done: TIME + Duration::from_secs(60),
            dates: Dates::Minutes,
            stat: "DELIVRD",
            err: "000",
            text: "Привет",
            to: "27820001001",
            from: "1001",
            state: 2,
            number: 4711,
            reference: Some(7),
        })
    }

    fn written(template: &str) -> Vec<u8> {
        let template: Template = template.parse().expect(template);
        with_values(|values| template.write(values, Encoding::Ascii))
    }

    #[test]
    fn each_field_has_its_value_and_its_formats() {
        for (template, text) in [
            ("{id}|{sub}|{dlvrd}|{submit_date}|{done_date}", "4711|001|001|2601020304|2601020305"),
            (
                "{stat} {err} {text} {to} {from} {state} {number} {reference}",
                "DELIVRD 000 ?????? 27820001001 1001 2 4711 7",
            ),
            ("{stat:lower}{stat:title}{stat:upper}", "delivrdDelivrdDELIVRD"),
            ("{stat:<10}|{stat:>9}|{err:05}|{stat:.3}", "DELIVRD   |  DELIVRD|00000|DEL"),
            ("{stat:lower:.4:<6}|", "deli  |"),
            ("{id:%08X} {id:%016d} {id:uuid}", "00001267 0000000000004711 uuid"),
            ("{submit_date:seconds} {done_date:unix} {done_date:zeros}", "260102030405 1767323105 0000000000"),
            ("{submit_date:absolute} {done_date:iso}", "260102030405000+ 2026-01-02T03:05:05Z"),
            ("a\\tb\\n\\r\\\\\\\"{{x}}", "a\tb\n\r\\\"{x}"),
            ("text:none", "text:none"),
            ("", ""),
        ] {
            assert_eq!(String::from_utf8(written(template)).expect("ASCII"), text, "{template}");
        }
    }

    #[test]
    fn octets_and_encodings_may_be_mixed() {
        for (template, octets) in [
            ("\\xEF\\xBB\\xBFid:{id}", &b"\xEF\xBB\xBFid:4711"[..]),
            ("id:{id}\\0\\xCC\\xCD", b"id:4711\0\xCC\xCD"),
            ("\\u{FEFF}", b"?"),
            ("text:{text:ucs2}", b"text:\x04\x1f\x04\x40\x04\x38\x04\x32\x04\x35\x04\x42"),
            ("{id:ucs2_le}/{id:gsm7_packed}{id:gsm7_packed}", b"4\x007\x001\x001\0/\xb4\x5b\x2c\x46\xbb\xc5\x62"),
        ] {
            assert_eq!(written(template), octets, "{template}");
        }
    }

    #[test]
    fn presets_are_templates_and_are_written_by_name() {
        for (name, template) in PRESETS {
            let preset: Template = name.parse().expect(name);
            assert_eq!(preset.to_string(), name);
            assert_eq!(written(name), written(template));
        }
        assert_eq!(written("tabs"), b"id:4711\tsub:001\tdlvrd:001\tstat:DELIVRD\terr:000");
        let shown = with_values(|values| "\\xFF{text}".parse::<Template>().expect("a template").show(values));
        assert_eq!(shown, "ÿПривет");
    }

    #[test]
    fn a_text_is_never_longer_than_a_parameter() {
        let wide = "{id:>250:ucs2}".repeat(140);
        assert_eq!(written(&wide).len(), OCTETS_MAX);
        let error = "a".repeat(CHARACTERS_MAX + 1).parse::<Template>().expect_err("too long");
        assert_eq!(error, "template of 2001 characters: at most 2000 are allowed");
    }

    #[test]
    fn a_wrong_template_is_refused_with_its_reason() {
        for (template, words) in [
            ("{ident}", "unknown field \"ident\": expected one of id, sub, dlvrd"),
            ("{}", "unknown field \"\""),
            ("{id", "{ without }"),
            ("id}", "} without {"),
            ("{stat:loud}", "unknown format \"loud\""),
            ("{stat:seconds}", "unknown format \"seconds\""),
            ("{stat:<x}", "width \"x\": 0 to 250 is allowed"),
            ("{stat:>251}", "width \"251\""),
            ("{id:hex}", "invalid value \"hex\" for a form of ids"),
            ("\\", "\\ at the end"),
            ("\\xG0", "\\x is followed by two hexadecimal digits"),
            ("\\u41", "\\u is followed by the number of a character"),
            ("\\u{110000}", "\\u is followed by"),
        ] {
            let error = template.parse::<Template>().expect_err(template);
            assert!(error.contains(words), "{error}");
        }
    }
}
