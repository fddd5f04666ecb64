//! The table of `test-vectors/README.md`, for the naive verifier.

/// Scheme; signature headers; form of the signature; what is signed; time; id header; type header.
///
/// A scheme that comes in two families has a row for the preferred one before its own.
const TABLE: &str = "
standard-webhooks|webhook-signature|versions v1 v1a|{id}.{ts}.{body}|header webhook-timestamp s 300 300|webhook-id|
github|x-hub-signature-256|plain hex sha256=|{body}||x-github-delivery|x-github-event
stripe|stripe-signature|list hex , v1 t|{ts}.{body}|list s 300 300||
slack|x-slack-signature|plain hex v0=|v0:{ts}:{body}|header x-slack-request-timestamp s 300 300||
meta|x-hub-signature-256|plain hex sha256=|{body}|||
megatronlead|x-megatronlead-signature|plain hex sha256=|{body}|body timestamp s,date 86700 300|x-megatronlead-delivery|x-megatronlead-event
klozeo|x-klozeo-signature|plain hex |{body}|body timestamp s 259500 300||
klozeo-guide|x-webhook-signature,x-hub-signature-256|plain hex sha256=|{body}|maybe timestamp s 259500 300||
leadhub|x-leadhub-signature|plain hex sha256=|{body}|body occurred_at date 259500 300||
leadhub-timestamped|x-leadhub-signature|list hex , v1 t|{ts}.{body}|list s 300 300|x-leadhub-delivery|
metalocator|x-metalocator-webhook-signature|plain base64-of-hex |{ts}{body}|header x-metalocator-webhook-signature-timestamp s 300 300||
metalocator-raw|x-metalocator-webhook-signature|plain base64 |{ts}{body}|header x-metalocator-webhook-signature-timestamp s 300 300||
devsphere|x-signature|plain hex sha256=|{body}|||
bitbucket|x-hub-signature|plain hex sha256=|{body}||x-request-uuid|x-event-key
gitlab|webhook-signature|versions v1|{id}.{ts}.{body}|header webhook-timestamp s 300 300|webhook-id|x-gitlab-event
openai|webhook-signature|versions v1|{id}.{ts}.{body}|header webhook-timestamp s 300 300|webhook-id|
zoom|x-zm-signature|plain hex v0=|v0:{ts}:{body}|header x-zm-request-timestamp s 300 300|x-zm-trackingid|
square|x-square-hmacsha256-signature|plain base64 |{url}{body}|||
hubspot-v3|x-hubspot-signature-v3|plain base64 |{method}{url}{body}{ts}|header x-hubspot-request-timestamp ms 300 300||
intercom|x-hub-signature|plain hex sha1=|{body}|||
paddle|paddle-signature|list hex ; h1 ts|{ts}:{body}|list s 5 5||
linear|linear-signature|plain hex |{body}|body webhookTimestamp ms 60 60|linear-delivery|
calendly|calendly-webhook-signature|list hex , v1 t|{ts}.{body}|list s 180 180||
typeform|typeform-signature|plain base64 sha256=|{body}|||
zendesk|x-zendesk-webhook-signature|plain base64 |{ts}{body}|header x-zendesk-webhook-signature-timestamp date 300 300|x-zendesk-webhook-invocation-id|
asana|x-hook-signature|plain hex |{body}|||
dropbox|x-dropbox-signature|plain hex |{body}|||
adyen-platform|hmacsignature|plain base64 |{body}|||
coinbase-commerce|x-cc-webhook-signature|plain hex |{body}|||
vercel|x-vercel-signature|plain hex |{body}|||
sentry|sentry-hook-signature|plain hex |{body}||request-id|sentry-hook-resource
woocommerce|x-wc-webhook-signature|plain base64 |{body}||x-wc-webhook-delivery-id|x-wc-webhook-topic
close|close-sig-hash|plain hex |{ts}{body}|header close-sig-timestamp s 300 300||
line|x-line-signature|plain base64 |{body}|||
pagerduty|x-pagerduty-signature|list hex , v1 -|{body}|||
svix|svix-signature|versions v1 v1a|{id}.{ts}.{body}|header svix-timestamp s 300 300|svix-id|
svix|webhook-signature|versions v1 v1a|{id}.{ts}.{body}|header webhook-timestamp s 300 300|webhook-id|
shopify|shopify-hmac-sha256|plain base64 |{body}||shopify-webhook-id|shopify-topic
shopify|x-shopify-hmac-sha256|plain base64 |{body}||x-shopify-webhook-id|x-shopify-topic
gitlab-token|x-gitlab-token|token|||x-gitlab-event-uuid|x-gitlab-event
docusign|x-docusign-signature-*|plain base64 |{body}|||
box|box-signature-primary,box-signature-secondary|plain base64 |{body}{ts}|header box-delivery-timestamp date 600 600|box-delivery-id|
twilio|x-twilio-signature|plain base64 |{urls}{distinct}||i-twilio-idempotency-token|
mandrill|x-mandrill-signature|plain base64 |{url}{pairs}|||
contentful|x-contentful-signature|plain hex |{method}{nl}{path}{nl}{listed}{nl}{body}|header x-contentful-timestamp ms 30 30||
adyen-payments||items||||
";

pub const HMAC_SHA1: [&str; 4] = ["intercom", "vercel", "twilio", "mandrill"];
pub const HEX_KEYS: [&str; 3] = ["adyen-platform", "close", "adyen-payments"];
pub const LIST: &str = "x-contentful-signed-headers";
pub const BOX_HAS: [(&str, &str); 2] =
    [("box-signature-version", "1"), ("box-signature-algorithm", "HmacSHA256")];

/// One row, in columns.
pub struct Row {
    pub scheme: &'static str,
    pub headers: Vec<String>,
    pub form: &'static str,
    pub signed: &'static str,
    pub time: Vec<&'static str>,
    pub id: &'static str,
    pub kind: &'static str,
}

/// The rows of every scheme that is here, one scheme after the other.
pub fn rows() -> Vec<Row> {
    TABLE.trim().split('\n').filter(|line| line.contains('|')).map(row).collect()
}

fn row(line: &'static str) -> Row {
    let columns: Vec<_> = line.split('|').collect();
    let headers = columns[1].split(',').filter(|name| !name.is_empty());
    let numbered = |name: &str| match name.strip_suffix('*') {
        Some(stem) => (1..=100).map(|n| format!("{stem}{n}")).collect(),
        None => vec![name.to_owned()],
    };
    Row {
        scheme: columns[0],
        headers: headers.flat_map(numbered).collect(),
        form: columns[2],
        signed: columns[3],
        time: columns[4].split(' ').filter(|word| !word.is_empty()).collect(),
        id: columns[5],
        kind: columns[6],
    }
}

impl Row {
    /// Every header that may occur only once.
    pub fn reads(&self) -> Vec<String> {
        let mut names = self.headers.clone();
        names.extend([self.id, self.kind].map(str::to_owned));
        names.extend(self.time.get(1).filter(|_| self.time[0] == "header").map(|name| (*name).to_owned()));
        match self.scheme {
            "box" => names.extend(BOX_HAS.map(|(name, _)| name.to_owned())),
            "contentful" => names.push(LIST.to_owned()),
            _ => {}
        }
        names.retain(|name| !name.is_empty());
        names
    }
}
