//! YAML as a tree of texts, each with its place. What a text means is for the option to say, so that a value means the same
//! in the file, in the environment and on the command line: `0123` keeps its zero where a text is wanted.

use std::fmt;

use granit_parser::{Event, Parser, ScalarStyle, ScanError, Span};

/// Deepest nesting that is read.
const DEPTH_MAX: usize = 16;
/// Most nodes of one document, those that aliases repeat included.
const NODES_MAX: usize = 100_000;

/// A line and a column, from 1.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Place {
    pub(crate) line: usize,
    pub(crate) column: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

impl Place {
    fn of(span: &Span) -> Place {
        Place { line: span.start.line(), column: span.start.col() + 1 }
    }
}

/// A value as it was written.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Node {
    pub(crate) value: Value,
    /// Where it begins, if it came from YAML.
    pub(crate) place: Option<Place>,
}

/// What a node holds.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    /// Nothing: an empty place, `null` or `~`.
    Null,
    /// A text. Without quotes it may stand for a number or a switch.
    Text(String),
    /// Values in order.
    List(Vec<Node>),
    /// Keys and values in order, none twice.
    Map(Vec<(Key, Node)>),
}

/// A key of a map.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Key {
    pub(crate) name: String,
    pub(crate) place: Option<Place>,
}

/// Why a text is no YAML, and where.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct NotYaml {
    pub(crate) place: Option<Place>,
    pub(crate) words: String,
}

impl Node {
    /// A text without a place: from the environment or a flag.
    pub(crate) fn text(text: impl Into<String>) -> Node {
        Node::bare(Value::Text(text.into()))
    }

    /// A value without a place.
    pub(crate) fn bare(value: Value) -> Node {
        Node { value, place: None }
    }

    /// A map without places.
    pub(crate) fn map(entries: impl IntoIterator<Item = (String, Node)>) -> Node {
        let keyed = entries.into_iter().map(|(name, node)| (Key { name, place: None }, node));
        Node::bare(Value::Map(keyed.collect()))
    }

    /// Reads one document; an empty one is null.
    pub(crate) fn parse(yaml: &str) -> Result<Node, NotYaml> {
        let mut reader = Reader { events: Parser::new_from_str(yaml), anchors: Vec::new(), nodes: 0 };
        let node = reader.document()?;
        Ok(node.unwrap_or(Node::bare(Value::Null)))
    }

    /// Whether it is nothing, or an empty text.
    pub(crate) fn is_empty(&self) -> bool {
        match &self.value {
            Value::Null => true,
            Value::Text(text) => text.is_empty(),
            Value::List(_) | Value::Map(_) => false,
        }
    }

    /// How many nodes it has, itself included.
    fn count(&self) -> usize {
        1 + match &self.value {
            Value::Null | Value::Text(_) => 0,
            Value::List(items) => items.iter().map(Node::count).sum(),
            Value::Map(entries) => entries.iter().map(|(_, node)| node.count()).sum(),
        }
    }
}

struct Reader<'a> {
    events: Parser<'a, granit_parser::StrInput<'a>>,
    /// By their numbers, which count from 1.
    anchors: Vec<(usize, Node)>,
    nodes: usize,
}

impl<'a> Reader<'a> {
    fn next(&mut self) -> Result<Option<(Event<'a>, Place)>, NotYaml> {
        loop {
            match self.events.next() {
                None => return Ok(None),
                Some(Err(error)) => return Err(scan_error(&error)),
                Some(Ok((Event::Comment(..) | Event::StreamStart, _))) => {}
                Some(Ok((event, span))) => return Ok(Some((event, Place::of(&span)))),
            }
        }
    }

    fn document(&mut self) -> Result<Option<Node>, NotYaml> {
        let mut found = None;
        while let Some((event, place)) = self.next()? {
            match event {
                Event::DocumentStart(..) if found.is_some() => {
                    return Err(wrong(place, "a second document begins: one is allowed"));
                }
                Event::DocumentStart(..) | Event::DocumentEnd | Event::StreamEnd => {}
                event => found = Some(self.node(event, place, 0)?),
            }
        }
        Ok(found)
    }

    fn node(&mut self, event: Event<'a>, place: Place, depth: usize) -> Result<Node, NotYaml> {
        if depth > DEPTH_MAX {
            return Err(wrong(place, "nested too deep"));
        }
        let anchor = event.anchor_id();
        let value = match event {
            Event::Scalar(text, style, _, tag) => {
                if tag.is_some() {
                    return Err(wrong(place, "a tag: none is allowed"));
                }
                scalar(&text, style)
            }
            Event::SequenceStart(..) => self.list(depth)?,
            Event::MappingStart(..) => self.map(depth)?,
            Event::Alias(id) => {
                let named = self.anchors.iter().rev().find(|(number, _)| *number == id).map(|(_, node)| node.clone());
                let node = named.ok_or_else(|| wrong(place, "an alias of something that holds it"))?;
                self.grow(node.count(), place)?;
                return Ok(node);
            }
            _ => return Err(wrong(place, "not what YAML has here")),
        };
        self.grow(1, place)?;
        let node = Node { value, place: Some(place) };
        if let Some(id) = anchor {
            self.anchors.push((id, node.clone()));
        }
        Ok(node)
    }

    fn grow(&mut self, nodes: usize, place: Place) -> Result<(), NotYaml> {
        self.nodes += nodes;
        if self.nodes > NODES_MAX { Err(wrong(place, "more than anybody configures")) } else { Ok(()) }
    }

    fn list(&mut self, depth: usize) -> Result<Value, NotYaml> {
        let mut items = Vec::new();
        while let Some((event, place)) = self.next()? {
            if matches!(event, Event::SequenceEnd) {
                break;
            }
            items.push(self.node(event, place, depth + 1)?);
        }
        Ok(Value::List(items))
    }

    fn map(&mut self, depth: usize) -> Result<Value, NotYaml> {
        let mut entries: Vec<(Key, Node)> = Vec::new();
        let mut merged = Vec::new();
        while let Some((event, place)) = self.next()? {
            if matches!(event, Event::MappingEnd) {
                break;
            }
            let key = match self.node(event, place, depth + 1)?.value {
                Value::Text(name) => Key { name, place: Some(place) },
                // A state of a message may be called so.
                Value::Null => Key { name: "null".to_owned(), place: Some(place) },
                Value::List(_) | Value::Map(_) => return Err(wrong(place, "a key is a text")),
            };
            let Some((event, value_place)) = self.next()? else { break };
            let node = self.node(event, value_place, depth + 1)?;
            if key.name == "<<" {
                merged.extend(merge(node, value_place)?);
            } else if entries.iter().any(|(other, _)| other.name == key.name) {
                return Err(wrong(place, &format!("{} is given twice", key.name)));
            } else {
                entries.push((key, node));
            }
        }
        // What is merged gives way to what is written, and what is merged later to what is merged before.
        for (key, node) in merged {
            if !entries.iter().any(|(other, _)| other.name == key.name) {
                entries.push((key, node));
            }
        }
        Ok(Value::Map(entries))
    }
}

fn merge(node: Node, place: Place) -> Result<Vec<(Key, Node)>, NotYaml> {
    match node.value {
        Value::Map(entries) => Ok(entries),
        Value::List(maps) => {
            let parts: Result<Vec<_>, _> = maps.into_iter().map(|map| merge(map, place)).collect();
            Ok(parts?.into_iter().flatten().collect())
        }
        Value::Null | Value::Text(_) => Err(wrong(place, "what is merged is a map")),
    }
}

fn scalar(text: &str, style: ScalarStyle) -> Value {
    let is_null = matches!(style, ScalarStyle::Plain) && matches!(text, "" | "~" | "null" | "Null" | "NULL");
    if is_null { Value::Null } else { Value::Text(text.to_owned()) }
}

fn wrong(place: Place, words: &str) -> NotYaml {
    NotYaml { place: Some(place), words: words.to_owned() }
}

fn scan_error(error: &ScanError) -> NotYaml {
    let place = Place { line: error.marker().line(), column: error.marker().col() + 1 };
    let words = error.info().split_whitespace().collect::<Vec<_>>().join(" ");
    NotYaml { place: Some(place), words: format!("no YAML: {words}") }
}

#[cfg(test)]
mod tests {
    //! Guards what is a text, and where it is.

    use super::*;

    fn show(node: &Node) -> String {
        match &node.value {
            Value::Null => "null".to_owned(),
            Value::Text(text) => format!("{text:?}"),
            Value::List(items) => format!("[{}]", items.iter().map(show).collect::<Vec<_>>().join(", ")),
            Value::Map(entries) => {
                let entries: Vec<_> =
                    entries.iter().map(|(key, node)| format!("{}: {}", key.name, show(node))).collect();
                format!("{{{}}}", entries.join(", "))
            }
        }
    }

    fn read(yaml: &str) -> String {
        match Node::parse(yaml) {
            Ok(node) => show(&node),
            Err(NotYaml { place, words }) => format!("{}: {words}", place.unwrap_or_default()),
        }
    }

    #[test]
    fn texts_stay_as_they_are_written() {
        assert_eq!(
            read("a: 0123\nb: yes\nc: 'null'\nd: null\ne:\n"),
            r#"{a: "0123", b: "yes", c: "null", d: null, e: null}"#
        );
        assert_eq!(read("[1, {a: 2}]"), r#"["1", {a: "2"}]"#);
        assert_eq!(read(""), "null");
        assert_eq!(read("# nothing\n"), "null");
    }

    #[test]
    fn anchors_and_merges_are_followed() {
        assert_eq!(read("x: &x {a: 1, b: 2}\ny: {<<: *x, b: 3}\n"), r#"{x: {a: "1", b: "2"}, y: {b: "3", a: "1"}}"#);
        assert_eq!(read("x: &x {a: 1}\ny: {<<: [*x, {a: 2, c: 3}]}\n"), r#"{x: {a: "1"}, y: {a: "1", c: "3"}}"#);
    }

    #[test]
    fn what_is_wrong_has_a_place() {
        assert_eq!(read("a: 1\na: 2\n"), "2:1: a is given twice");
        assert_eq!(read("a: 1\n---\nb: 2\n"), "2:1: a second document begins: one is allowed");
        assert_eq!(read("a: !!python/object x\n"), "1:20: a tag: none is allowed");
        assert_eq!(read("? [a]\n: 1\n"), "1:3: a key is a text");
        assert!(read("a: [1\n").contains("no YAML"), "{}", read("a: [1\n"));
        assert!(read(&format!("{}{}", "[".repeat(40), "]".repeat(40))).contains("too deep"));
        let laughs = "a: &a [x,x,x,x,x,x,x,x,x,x]\n".to_owned()
            + &('b'..'h')
                .map(|c| format!("{c}: &{c} [{}]\n", vec![format!("*{}", (c as u8 - 1) as char); 10].join(",")))
                .collect::<String>();
        assert!(read(&laughs).contains("more than anybody configures"));
    }

    #[test]
    fn nodes_know_where_they_are() {
        let Value::Map(entries) = Node::parse("a: 1\nb:\n  c: [2]\n").unwrap().value else { panic!("a map") };
        assert_eq!(entries[0].1.place, Some(Place { line: 1, column: 4 }));
        let Value::Map(inner) = &entries[1].1.value else { panic!("a map") };
        assert_eq!(inner[0].0.place, Some(Place { line: 3, column: 3 }));
    }
}
