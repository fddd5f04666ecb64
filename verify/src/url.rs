//! An absolute URL in its parts, each as it was written: what is signed is text, and a parser that tidies it up breaks it.

/// The parts; put together they are the URL.
#[derive(Clone, Copy)]
pub(crate) struct Url<'a> {
    /// Empty if the text is no absolute URL.
    pub(crate) scheme: &'a str,
    /// User, host and port.
    pub(crate) authority: &'a str,
    pub(crate) path: &'a str,
    /// With its question mark; empty if there is none.
    pub(crate) query: &'a str,
}

impl<'a> Url<'a> {
    pub(crate) fn split(url: &'a str) -> Self {
        let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
        let (authority, target) = split_before(rest, &['/', '?', '#']);
        let (path, query) = split_before(target, &['?']);
        Self { scheme, authority, path, query }
    }

    /// The authority without its port, if it has one.
    pub(crate) fn without_port(&self) -> Option<&'a str> {
        let (name, port) = self.authority.rsplit_once(':')?;
        (!port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit())).then_some(name)
    }

    /// The port that is meant where none is written, with its colon.
    pub(crate) fn default_port(&self) -> Option<&'static str> {
        match self.scheme {
            "https" => Some(":443"),
            "http" => Some(":80"),
            _ => None,
        }
    }
}

fn split_before<'a>(text: &'a str, marks: &[char]) -> (&'a str, &'a str) {
    text.find(marks).and_then(|at| text.split_at_checked(at)).unwrap_or((text, ""))
}
