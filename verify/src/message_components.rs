//! The parts of a request that a signature of RFC 9421 can cover, and the text over them that is signed.

use std::fmt;

use http::HeaderName;
use sfv::{BareItem, FieldType as _, InnerList, Item, Parser, Version};

use crate::canonical;
use crate::refusal::Refusal;
use crate::request::RequestView;
use crate::url::Url;

/// What of a request a signature covers, such as `@method`, `content-digest` or `@query-param;name="id"` (RFC 9421,
/// section 2).
#[derive(Clone, Debug, PartialEq)]
pub struct Component(Item);

/// The names of section 2.2 that a request has.
const DERIVED: [&str; 8] =
    ["@method", "@target-uri", "@authority", "@scheme", "@request-target", "@path", "@query", "@query-param"];

impl Component {
    /// Reads an identifier: a name, and for `@query-param` its `name`. `None` if it is no component of a request, or has
    /// a parameter that is not supported (`sf`, `key`, `bs`, `tr`, `req`).
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let (name, parameters) =
            text.find(';').and_then(|at| text.split_at_checked(at)).unwrap_or((text, ""));
        let identifier = format!("\"{name}\"{parameters}");
        let item: Item = Parser::new(&identifier).with_version(Version::Rfc8941).parse().ok()?;
        Self::of(item)
    }

    /// From an item of an inner list.
    fn of(item: Item) -> Option<Self> {
        let name = item.bare_item.as_string()?.as_str();
        let fits = if name == "@query-param" {
            let mut parameters = item.params.iter();
            let named = parameters
                .next()
                .is_some_and(|(key, value)| key.as_str() == "name" && value.as_string().is_some());
            named && parameters.next().is_none()
        } else {
            let is_field =
                || !name.bytes().any(|byte| byte.is_ascii_uppercase()) && HeaderName::try_from(name).is_ok();
            item.params.is_empty() && (DERIVED.contains(&name) || (!name.starts_with('@') && is_field()))
        };
        fits.then_some(Self(item))
    }

    pub(crate) fn name(&self) -> &str {
        self.0.bare_item.as_string().map_or("", |name| name.as_str())
    }

    pub(crate) fn to_item(&self) -> Item {
        self.0.clone()
    }

    /// Its value in `request`, or why there is none.
    fn value(&self, request: &Covered<'_>) -> Result<Vec<u8>, Refusal> {
        let url = Url::split(request.url);
        let path = if url.path.is_empty() { "/" } else { url.path };
        let value = match self.name() {
            "@method" => request.method.to_owned().into_bytes(),
            "@target-uri" => request.url.to_owned().into_bytes(),
            "@authority" => authority(&url).into_bytes(),
            "@scheme" => url.scheme.to_owned().into_bytes(),
            "@request-target" => [path, url.query].concat().into_bytes(),
            "@path" => path.to_owned().into_bytes(),
            "@query" => if url.query.is_empty() { "?" } else { url.query }.to_owned().into_bytes(),
            "@query-param" => {
                let name = self.0.params.values().next().and_then(BareItem::as_string);
                let name = name.map_or("", |name| name.as_str());
                query_parameter(url.query, name).ok_or(Refusal::MissingHeader)?
            }
            name => field(request.headers, name).ok_or(Refusal::MissingHeader)?,
        };
        if value.is_ascii() { Ok(value) } else { Err(Refusal::MalformedHeader) }
    }
}

impl fmt::Display for Component {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.serialize())
    }
}

/// A request, as far as it can be covered.
#[derive(Clone, Copy)]
pub(crate) struct Covered<'a> {
    pub(crate) method: &'a str,
    pub(crate) url: &'a str,
    pub(crate) headers: &'a http::HeaderMap,
}

impl<'a> Covered<'a> {
    pub(crate) fn new(request: RequestView<'a>, url: &'a str) -> Self {
        Self { method: request.method.as_str(), url, headers: request.headers }
    }
}

/// The most components that a signature may cover. Each is compared with those before it, and looked up in the request.
const MAX_COMPONENTS: usize = 64;

/// The components of an inner list; `None` if one is none or occurs twice, or there are more than [`MAX_COMPONENTS`].
pub(crate) fn components(list: &InnerList) -> Option<Vec<Component>> {
    if list.items.len() > MAX_COMPONENTS {
        return None;
    }
    let mut components: Vec<Component> = Vec::with_capacity(list.items.len());
    for item in &list.items {
        let component = Component::of(item.clone())?;
        if components.contains(&component) {
            return None;
        }
        components.push(component);
    }
    Some(components)
}

/// The text that is signed (section 2.5): a line per component, then the list itself, printed anew.
pub(crate) fn signature_base(
    components: &[Component],
    list: &InnerList,
    request: &Covered<'_>,
) -> Result<Vec<u8>, Refusal> {
    let mut base = Vec::new();
    for component in components {
        base.extend_from_slice(component.to_string().as_bytes());
        base.extend_from_slice(b": ");
        base.extend_from_slice(&component.value(request)?);
        base.push(b'\n');
    }
    base.extend_from_slice(b"\"@signature-params\": ");
    base.extend_from_slice(print_list(list).as_bytes());
    Ok(base)
}

pub(crate) fn print_list(list: &InnerList) -> String {
    vec![sfv::ListEntry::InnerList(list.clone())].serialize().unwrap_or_default()
}

/// A field's values, joined as section 2.1 says.
fn field(headers: &http::HeaderMap, name: &str) -> Option<Vec<u8>> {
    let values: Vec<&[u8]> =
        headers.get_all(name).iter().map(|value| canonical::trimmed(value.as_bytes())).collect();
    (!values.is_empty()).then(|| values.join(&b", "[..]))
}

/// The value of the only parameter of this name, encoded (section 2.2.8). The name is compared encoded, too.
fn query_parameter(query: &str, wanted: &str) -> Option<Vec<u8>> {
    let query = query.strip_prefix('?').unwrap_or_default();
    let pairs = canonical::form_pairs(query.as_bytes()).into_iter();
    let mut found = pairs.filter(|(name, _)| canonical::form_encoded(name) == wanted);
    let (_, value) = found.next()?;
    found.next().is_none().then(|| canonical::form_encoded(&value).into_bytes())
}

/// The host in small letters, without the default port (section 2.2.3).
fn authority(url: &Url<'_>) -> String {
    let host = url.authority.rsplit_once('@').map_or(url.authority, |(_, host)| host).to_ascii_lowercase();
    let short = url.default_port().and_then(|port| host.strip_suffix(port)).map(str::to_owned);
    short.unwrap_or(host)
}
