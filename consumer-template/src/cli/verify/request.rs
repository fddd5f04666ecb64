//! A request as it stands in a log or a dump.

use anyhow::{Context as _, bail};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};

/// What was read, and what had to be done to read it.
#[derive(Debug)]
pub(super) struct RawRequest {
    pub(super) method: Method,
    pub(super) path_and_query: String,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
    pub(super) notes: Vec<String>,
}

/// Reads a request line, headers, an empty line and the body; lines end in LF or CR LF. Of `curl -v` the lines with `> `,
/// and no body: it does not print any.
///
/// # Errors
///
/// The line that cannot be read, by its number; never its text, which may hold a secret.
pub(super) fn parse(input: &[u8]) -> anyhow::Result<RawRequest> {
    let curls = is_curls(input);
    let (lines, rest) = head(input, curls);
    let body = if curls { &[] } else { rest };
    let mut lines = lines.into_iter();
    let (number, first) = lines.next().context("the input is empty: give a request, or a file of vectors")?;
    let (method, path_and_query) = request_line(first).with_context(|| {
        format!(
            "line {number} is no request line: wanted METHOD PATH HTTP/1.1, as in `POST /hooks/github \
             HTTP/1.1`"
        )
    })?;
    let mut headers = HeaderMap::new();
    for (number, line) in lines {
        let (name, value) = header(line).with_context(|| {
            format!("line {number} is no header: wanted NAME: VALUE, and an empty line before the body")
        })?;
        headers.append(name, value);
    }
    let mut request = RawRequest { method, path_and_query, headers, body: body.to_vec(), notes: Vec::new() };
    if curls {
        request.notes.push("curl -v does not print the body: give it with --body FILE.".to_owned());
    } else {
        request.join_chunks();
        request.compare_length();
    }
    Ok(request)
}

fn is_curls(input: &[u8]) -> bool {
    input.split(|byte| *byte == b'\n').any(|line| {
        line.strip_prefix(b"> ").is_some_and(|line| request_line(line.trim_ascii_end()).is_some())
    })
}

/// The lines of the head with their numbers, and what comes after the empty line.
fn head(input: &[u8], curls: bool) -> (Vec<(usize, &[u8])>, &[u8]) {
    let (mut lines, mut rest, mut number) = (Vec::new(), input, 0);
    while !rest.is_empty() {
        let end = rest.iter().position(|byte| *byte == b'\n').map_or(rest.len(), |at| at + 1);
        let (line, after) = rest.split_at_checked(end).unwrap_or((rest, &[]));
        rest = after;
        number += 1;
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let line = match (curls, line) {
            (false, line) => line,
            (true, [b'>', b' ', line @ ..]) => line,
            (true, b">") => b"",
            (true, _) => continue,
        };
        match (line.is_empty(), lines.is_empty()) {
            (true, true) => {}
            (true, false) => break,
            (false, _) => lines.push((number, line)),
        }
    }
    (lines, rest)
}

fn request_line(line: &[u8]) -> Option<(Method, String)> {
    let mut words = str::from_utf8(line).ok()?.split(' ');
    let method: Method = words.next()?.parse().ok()?;
    let uri: Uri = words.next()?.parse().ok()?;
    let version = words.next().is_none_or(|version| version.starts_with("HTTP/"));
    let known = method.as_str().bytes().all(|b| b.is_ascii_uppercase());
    if !known || !version || words.next().is_some() {
        return None;
    }
    Some((method, uri.path_and_query()?.as_str().to_owned()))
}

fn header(line: &[u8]) -> anyhow::Result<(HeaderName, HeaderValue)> {
    let Some(at) = line.iter().position(|byte| *byte == b':') else { bail!("there is no colon") };
    let (name, value) = line.split_at_checked(at).unwrap_or_default();
    let value = value.get(1..).unwrap_or_default().trim_ascii();
    Ok((HeaderName::from_bytes(name)?, HeaderValue::from_bytes(value)?))
}

impl RawRequest {
    /// A dump shows the frames of a chunked body; what is signed is what they frame.
    fn join_chunks(&mut self) {
        let chunked = |value: &HeaderValue| value.as_bytes().eq_ignore_ascii_case(b"chunked");
        if !self.headers.get(http::header::TRANSFER_ENCODING).is_some_and(chunked) {
            return;
        }
        match unchunked(&self.body) {
            Some(body) => {
                self.body = body;
                self.notes.push("The body was chunked; its frames were taken away.".to_owned());
            }
            None => self.notes.push(
                "Transfer-Encoding says chunked, and the body has no frames: it is taken as it is."
                    .to_owned(),
            ),
        }
    }

    /// A body that is longer than the request says has something in it that was not sent.
    fn compare_length(&mut self) {
        let stated = self.headers.get(http::header::CONTENT_LENGTH).and_then(|value| value.to_str().ok());
        let Some(stated) = stated.and_then(|text| text.trim().parse::<usize>().ok()) else { return };
        let found = self.body.len();
        if found > stated {
            self.notes.push(format!(
                "Content-Length says {stated}, and {found} bytes follow the head: what does not belong to the body?"
            ));
        }
    }

    /// Takes this body instead of what follows the head.
    pub(super) fn replace_body(&mut self, body: Vec<u8>) {
        self.body = body;
        self.notes.clear();
    }
}

/// The content of all chunks up to the last; `None` if they are not well formed or not complete.
fn unchunked(mut rest: &[u8]) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let end = rest.iter().position(|byte| *byte == b'\n')?;
        let (line, after) = rest.split_at_checked(end + 1)?;
        let digits = str::from_utf8(line).ok()?.split(';').next()?.trim();
        let length = usize::from_str_radix(digits, 16).ok()?;
        if length == 0 {
            return Some(body);
        }
        let (chunk, after) = after.split_at_checked(length)?;
        body.extend_from_slice(chunk);
        rest = after.strip_prefix(b"\r\n").or_else(|| after.strip_prefix(b"\n"))?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(input: &str) -> RawRequest {
        parse(input.as_bytes()).unwrap()
    }

    #[test]
    fn a_request_is_read_with_either_line_end() {
        for end in ["\r\n", "\n"] {
            let text = [
                "",
                "POST /hooks/x?a=1 HTTP/1.1",
                "Host: h",
                "X-S:  a:b ",
                "x-s: c",
                "",
                "{\"a\":1}\r\n\n",
                "z",
            ];
            let request = read(&text.join(end));
            assert_eq!((request.method.as_str(), &*request.path_and_query), ("POST", "/hooks/x?a=1"));
            assert_eq!(request.headers.get_all("x-s").iter().collect::<Vec<_>>(), ["a:b", "c"]);
            assert_eq!(request.body, format!("{{\"a\":1}}\r\n\n{end}z").into_bytes());
        }
        assert_eq!(read("PUT http://other.example/x HTTP/2\n\n").path_and_query, "/x");
        assert_eq!(read("POST /x\nA: b").headers["a"], "b");
    }

    #[test]
    fn what_curl_prints_is_read() {
        let text = "* Connected to h\n> POST /x HTTP/1.1\r\n> Host: h\r\n> X-S: 1\r\n>\r\n* upload \
                    completely sent\n< HTTP/1.1 401\n";
        let request = read(text);
        assert_eq!((&*request.path_and_query, request.headers.len()), ("/x", 2));
        assert_eq!(request.body, b"", "what curl says next is not the body");
        assert!(request.notes[0].contains("--body"));
    }

    #[test]
    fn a_body_that_is_longer_than_stated_is_named() {
        let head = "POST /x HTTP/1.1\r\nContent-Length: 2\r\n\r\n";
        assert_eq!(read(&format!("{head}{{}}")).notes, Vec::<String>::new());
        let longer = read(&format!("{head}{{}}\n"));
        assert_eq!(longer.body, b"{}\n");
        assert!(longer.notes[0].contains("says 2, and 3 bytes"), "{:?}", longer.notes);
    }

    #[test]
    fn chunks_are_joined() {
        let head = "POST /x HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n";
        let request = read(&format!("{head}4\r\nab\r\n\r\n3;x=y\r\ncde\r\n0\r\n\r\n"));
        assert_eq!(request.body, b"ab\r\ncde");
        for broken in ["{}", "5\r\nab\r\n0\r\n\r\n", "4\r\nabcd", "ffffffffffffffffff\r\n", "-1\r\n"] {
            let request = read(&format!("{head}{broken}"));
            assert_eq!(request.body, broken.as_bytes(), "{broken}");
            assert!(request.notes[0].contains("no frames"));
        }
    }

    #[test]
    fn an_error_names_the_line_and_not_its_text() {
        for (text, line) in [
            ("", "empty"),
            ("secret", "line 1"),
            ("post /x HTTP/1.1\n\n", "line 1"),
            ("POST /x y z\n\n", "line 1"),
            ("\nPOST /x HTTP/1.1\nA: b\nsecret\n\n", "line 4"),
            ("POST /x HTTP/1.1\nsecret secret: b\n\n", "line 2"),
            ("POST /x HTTP/1.1\nA: b\n secret\n\n", "line 3"),
        ] {
            let error = format!("{:#}", parse(text.as_bytes()).unwrap_err());
            assert!(error.contains(line) && !error.contains("secret"), "{text:?}: {error}");
        }
    }
}
