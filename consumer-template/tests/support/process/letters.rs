//! What providers send: signed lead events, each with a number of its own, as bytes that are ready for a socket.

use hookproof::{Key, Scheme, Signer};
use hookproof_consumer::clock::{Clock as _, SystemClock};
use hookproof_consumer::samples::{Lead, Sample, lead};
use hookproof_consumer::sender::{self, Faults};

/// The source that they are for. Its preset takes a body that is not JSON for what it is, a dead letter.
pub(crate) const SOURCE: &str = "devsphere";
pub(crate) const KEY: &str = "a key that nobody has published";

const MARK: &str = "mark-";
const DIGITS: usize = 8;

/// The section of the configuration that receives letters. Letters may be made to die in any number: no breaker.
pub(crate) fn source_section() -> String {
    format!(
        "[sources.{SOURCE}]\npath = \"/hooks/{SOURCE}\"\nscheme = \"{SOURCE}\"\n\
         keys = [{{ id = \"test\", value = \"{KEY}\" }}]\nbreaker = {{ enabled = false }}\n"
    )
}

/// Writes letters.
pub(crate) struct Writer {
    signer: Signer,
}

/// One event.
#[derive(Clone, Debug)]
pub(crate) struct Letter {
    pub(crate) body: Vec<u8>,
    /// The whole HTTP request.
    pub(crate) request: Vec<u8>,
}

impl Writer {
    pub(crate) fn new() -> anyhow::Result<Self> {
        let scheme = Scheme::by_name(SOURCE).ok_or_else(|| anyhow::anyhow!("no preset {SOURCE}"))?;
        Ok(Self { signer: Signer::new(&scheme, &Key::new("test", KEY))? })
    }

    /// Event `number`, about `lead_id`.
    pub(crate) fn about(&self, lead_id: &str, number: u64) -> anyhow::Result<Letter> {
        let mark = format!("{MARK}{number:0DIGITS$}");
        let fields = [("name", "Ada Example"), ("note", mark.as_str())];
        let at = SystemClock.now();
        let change = Lead { id: lead_id, event_type: "lead.updated", at, fields: &fields };
        self.seal(&lead(SOURCE, &change, number))
    }

    /// Event `number`, which is no JSON.
    pub(crate) fn malformed(&self, number: u64) -> anyhow::Result<Letter> {
        let body = format!("note={MARK}{number:0DIGITS$}").into_bytes();
        self.seal(&Sample { body, id: String::new(), event_type: String::new() })
    }

    fn seal(&self, sample: &Sample) -> anyhow::Result<Letter> {
        let signed = sender::sign(
            &self.signer,
            sample,
            sender::Endpoint::default(),
            SystemClock.now(),
            Faults::default(),
        )?;
        let mut request = format!(
            "POST /hooks/{SOURCE} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: {}\r\n",
            signed.body.len()
        )
        .into_bytes();
        for (name, value) in &signed.headers {
            request.extend([name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"].concat());
        }
        request.extend_from_slice(b"\r\n");
        request.extend_from_slice(&signed.body);
        Ok(Letter { body: signed.body, request })
    }
}

/// The numbers of all events that `text` holds in full.
pub(crate) fn numbers(text: &str) -> impl Iterator<Item = u64> + '_ {
    text.match_indices(MARK).filter_map(|(at, mark)| {
        let digits = text.get(at + mark.len()..)?.get(..DIGITS)?;
        digits.parse().ok()
    })
}
