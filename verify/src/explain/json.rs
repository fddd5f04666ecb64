//! A JSON document as others print it. Keys keep their order and numbers their digits.

use std::fmt::Write as _;

use serde::de::IgnoredAny;

/// Deeper documents are not printed anew.
const MAX_DEPTH: usize = 128;

/// A document, with strings and scalars as they were written.
pub(super) enum Json<'a> {
    /// A number, `true`, `false` or `null`.
    Scalar(&'a str),
    /// With its quotes.
    Text(&'a str),
    Array(Vec<Self>),
    Object(Vec<(&'a str, Self)>),
}

/// How a document is printed.
#[derive(Clone, Copy, PartialEq)]
pub(super) struct Style {
    layout: Layout,
    sorted: bool,
    text: Text,
}

#[derive(Clone, Copy, PartialEq)]
enum Layout {
    Compact,
    Spaced,
    SpacedColon,
    Indented(&'static str),
}

#[derive(Clone, Copy, PartialEq)]
enum Text {
    AsIs,
    Plain,
    Slashes,
    Ascii,
    AsciiSlashes,
    AsciiCapitals,
    Html,
}

const LAYOUTS: [(Layout, &str); 6] = [
    (Layout::Compact, "compactly"),
    (Layout::Spaced, "in one line with ', ' and ': ' between (as Python does)"),
    (Layout::SpacedColon, "in one line with ': ' after keys"),
    (Layout::Indented("  "), "indented by two spaces"),
    (Layout::Indented("    "), "indented by four spaces"),
    (Layout::Indented("\t"), "indented by tabs"),
];

const TEXTS: [(Text, &str); 7] = [
    (Text::AsIs, ""),
    (Text::Plain, ", without needless escapes"),
    (Text::Slashes, ", with '/' written '\\/'"),
    (Text::Ascii, ", with letters beyond ASCII escaped (\\u00e9)"),
    (Text::AsciiSlashes, ", with letters beyond ASCII and '/' escaped (as PHP does)"),
    (Text::AsciiCapitals, ", with letters beyond ASCII escaped in capital hex (\\u00E9)"),
    (Text::Html, ", with '<', '>' and '&' escaped (as Go does)"),
];

impl Style {
    pub(super) fn all() -> impl Iterator<Item = Self> {
        let styles =
            TEXTS.iter().flat_map(|(text, _)| LAYOUTS.iter().map(move |(layout, _)| (*text, *layout)));
        let styles: Vec<_> = styles.collect();
        // Sorting last: of two explanations the one that changes less is likelier.
        [false, true].into_iter().flat_map(move |sorted| {
            styles.clone().into_iter().map(move |(text, layout)| Self { layout, sorted, text })
        })
    }

    pub(super) fn compact() -> Self {
        Self { layout: Layout::Compact, sorted: false, text: Text::AsIs }
    }

    pub(super) fn compact_sorted() -> Self {
        Self { sorted: true, ..Self::compact() }
    }

    /// Follows "printed".
    pub(super) fn name(self) -> String {
        let layout = LAYOUTS.iter().find(|(layout, _)| *layout == self.layout).map_or("", |(_, name)| name);
        let text = TEXTS.iter().find(|(text, _)| *text == self.text).map_or("", |(_, name)| name);
        let sorted = if self.sorted { ", with its keys sorted" } else { "" };
        format!("{layout}{sorted}{text}")
    }
}

/// The document, if the bytes are one and not too deep.
pub(super) fn parse(body: &[u8]) -> Option<Json<'_>> {
    let text = str::from_utf8(body).ok()?;
    // The reader below trusts that this is JSON.
    serde_json::from_str::<IgnoredAny>(text).ok()?;
    let mut reader = Reader { rest: text };
    let document = reader.value(MAX_DEPTH)?;
    matches!(document, Json::Array(_) | Json::Object(_)).then_some(document)
}

struct Reader<'a> {
    rest: &'a str,
}

impl<'a> Reader<'a> {
    fn value(&mut self, depth: usize) -> Option<Json<'a>> {
        let depth = depth.checked_sub(1)?;
        match self.next()? {
            b'{' => {
                let mut members = Vec::new();
                self.skip();
                while self.next()? != b'}' {
                    if self.next()? == b',' {
                        self.skip();
                    }
                    self.next()?;
                    let key = self.string()?;
                    self.next()?;
                    self.skip();
                    members.push((key, self.value(depth)?));
                }
                self.skip();
                Some(Json::Object(members))
            }
            b'[' => {
                let mut items = Vec::new();
                self.skip();
                while self.next()? != b']' {
                    if self.next()? == b',' {
                        self.skip();
                    }
                    items.push(self.value(depth)?);
                }
                self.skip();
                Some(Json::Array(items))
            }
            b'"' => self.string().map(Json::Text),
            _ => {
                let end = self.rest.find([',', ']', '}', ' ', '\t', '\r', '\n']).unwrap_or(self.rest.len());
                self.take(end).map(Json::Scalar)
            }
        }
    }

    /// The next byte that is no white space, which stays.
    fn next(&mut self) -> Option<u8> {
        self.rest = self.rest.trim_start_matches([' ', '\t', '\r', '\n']);
        self.rest.bytes().next()
    }

    fn skip(&mut self) {
        self.take(1);
    }

    fn take(&mut self, bytes: usize) -> Option<&'a str> {
        let (taken, rest) = self.rest.split_at_checked(bytes)?;
        self.rest = rest;
        Some(taken)
    }

    fn string(&mut self) -> Option<&'a str> {
        let mut escaped = false;
        let end = self.rest.bytes().skip(1).position(|byte| {
            let ends = byte == b'"' && !escaped;
            escaped = byte == b'\\' && !escaped;
            ends
        })?;
        self.take(end + 2)
    }
}

impl Json<'_> {
    /// How many keys all objects have together.
    pub(super) fn keys(&self) -> usize {
        match self {
            Self::Scalar(_) | Self::Text(_) => 0,
            Self::Array(items) => items.iter().map(Self::keys).sum(),
            Self::Object(members) => members.iter().map(|(_, value)| 1 + value.keys()).sum(),
        }
    }

    pub(super) fn print(&self, style: Style) -> String {
        let mut out = String::new();
        self.print_to(&mut out, style, 1);
        out
    }

    fn print_to(&self, out: &mut String, style: Style, level: usize) {
        match self {
            Self::Scalar(raw) => out.push_str(raw),
            Self::Text(raw) => print_text(out, raw, style.text),
            Self::Array(items) => {
                let print = |out: &mut String, item: &Self| item.print_to(out, style, level + 1);
                print_list(out, style.layout, level, ('[', ']'), items.iter(), print);
            }
            Self::Object(members) => {
                let mut members: Vec<_> = members.iter().collect();
                if style.sorted {
                    members.sort_by_key(|(key, _)| decoded(key));
                }
                let print = |out: &mut String, (key, value): &(&str, Self)| {
                    print_text(out, key, style.text);
                    out.push_str(if style.layout == Layout::Compact { ":" } else { ": " });
                    value.print_to(out, style, level + 1);
                };
                print_list(out, style.layout, level, ('{', '}'), members.into_iter(), print);
            }
        }
    }
}

fn print_list<T>(
    out: &mut String,
    layout: Layout,
    level: usize,
    (open, close): (char, char),
    items: impl Iterator<Item = T>,
    mut print: impl FnMut(&mut String, T),
) {
    let line = |out: &mut String, level: usize| {
        if let Layout::Indented(step) = layout {
            out.push('\n');
            out.extend(std::iter::repeat_n(step, level));
        }
    };
    out.push(open);
    let mut empty = true;
    for item in items {
        if !empty {
            out.push_str(if layout == Layout::Spaced { ", " } else { "," });
        }
        empty = false;
        line(out, level);
        print(out, item);
    }
    if !empty {
        line(out, level - 1);
    }
    out.push(close);
}

fn decoded(raw: &str) -> Option<String> {
    serde_json::from_str(raw).ok()
}

fn print_text(out: &mut String, raw: &str, style: Text) {
    let Some(text) = decoded(raw).filter(|_| style != Text::AsIs) else { return out.push_str(raw) };
    let plain = serde_json::to_string(&text).unwrap_or_default();
    for c in plain.chars() {
        match (c, style) {
            ('/', Text::Slashes | Text::AsciiSlashes) => out.push_str("\\/"),
            ('<' | '>' | '&' | '\u{2028}' | '\u{2029}', Text::Html) => escape(out, c, false),
            (_, Text::Ascii | Text::AsciiSlashes) if !c.is_ascii() => escape(out, c, false),
            (_, Text::AsciiCapitals) if !c.is_ascii() => escape(out, c, true),
            _ => out.push(c),
        }
    }
}

fn escape(out: &mut String, c: char, capitals: bool) {
    for unit in c.encode_utf16(&mut [0; 2]) {
        // Writing to a string cannot fail.
        let _ = if capitals { write!(out, "\\u{unit:04X}") } else { write!(out, "\\u{unit:04x}") };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn print(body: &str, layout: Layout, sorted: bool, text: Text) -> String {
        parse(body.as_bytes()).unwrap().print(Style { layout, sorted, text })
    }

    #[test]
    fn a_document_is_printed_in_each_style() {
        let body = " {\"b\": [1.0, {}, [ ],\"\\u00e9/<\"] , \"a\" : null}\n";
        assert_eq!(
            print(body, Layout::Compact, false, Text::AsIs),
            r#"{"b":[1.0,{},[],"\u00e9/<"],"a":null}"#
        );
        assert_eq!(
            print(body, Layout::Spaced, true, Text::Plain),
            r#"{"a": null, "b": [1.0, {}, [], "é/<"]}"#
        );
        assert_eq!(
            print(body, Layout::Indented("  "), false, Text::AsciiSlashes),
            "{\n  \"b\": [\n    1.0,\n    {},\n    [],\n    \"\\u00e9\\/<\"\n  ],\n  \"a\": null\n}"
        );
        assert_eq!(
            print(r#"[[1,[2]],{"a":[{}]}]"#, Layout::Indented("\t"), false, Text::AsIs),
            "[\n\t[\n\t\t1,\n\t\t[\n\t\t\t2\n\t\t]\n\t],\n\t{\n\t\t\"a\": [\n\t\t\t{}\n\t\t]\n\t}\n]"
        );
        assert_eq!(
            print("[\"é<\u{1f600}\"]", Layout::Compact, false, Text::AsciiCapitals),
            r#"["\u00E9<\uD83D\uDE00"]"#
        );
        assert_eq!(print("[\"é<\\/\"]", Layout::Compact, false, Text::Html), r#"["é\u003c/"]"#);
    }

    #[test]
    fn what_is_no_document_is_left_alone() {
        for body in ["", "{", "1", "\"a\"", "{}{}", "a=1", "[\"\\ud800\""] {
            assert!(parse(body.as_bytes()).is_none(), "{body}");
        }
        assert!(parse("[".repeat(200_000).as_bytes()).is_none());
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        assert!(parse(deep.as_bytes()).is_none());
    }

    #[test]
    fn strings_end_where_they_end() {
        let body = r#"{"a\\":"\"}","b\"":"\\\"","c":"\\"}"#;
        assert_eq!(print(body, Layout::Compact, false, Text::AsIs), body);
        assert_eq!(print(body, Layout::Compact, false, Text::Plain), body);
    }
}
