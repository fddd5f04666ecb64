//! Key pairs for the presets whose signatures are made with a private key. They are public: never configure one.

/// The text to sign with and the text to verify with, for the presets where these are two.
pub(crate) fn pair(scheme: &str) -> Option<(&'static str, &'static str)> {
    match scheme {
        "discord" => Some((DISCORD_PRIVATE, DISCORD_PUBLIC)),
        "sendgrid" => Some((P256_PRIVATE, P256_PUBLIC)),
        "paypal" => Some((RSA_PRIVATE, RSA_PUBLIC)),
        "plaid" => Some((JWK_PRIVATE, JWK_PUBLIC)),
        _ => None,
    }
}

const DISCORD_PRIVATE: &str = "65666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f8081828384da29e95b02e00ffa15645775fb1d2ba2\
     22a1943395eea06b94e2c057b7be69d0";
const DISCORD_PUBLIC: &str = "da29e95b02e00ffa15645775fb1d2ba222a1943395eea06b94e2c057b7be69d0";
const P256_PRIVATE: &str = "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgdGVzdC1vbmx5LXNlbmRncmlkLWtleS1udW1iZXItMDGhRANC\
     AAT3hSTehrwChqxyGkbz59SsTgUHzI6EA56qI1Nl7cdu8dasMNfeTwvV+HcKhX1DTQHJURH9j4blACkZLjkU29/k";
const P256_PUBLIC: &str = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE94Uk3oa8AoaschpG8+fUrE4FB8yOhAOeqiNTZe3HbvHWrDDX3k8L1fh3CoV9\
     Q00ByVER/Y+G5QApGS45FNvf5A==";
const RSA_PRIVATE: &str = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQDKMQpEAxNNxhq/HuS9KzKZzwGo2gemBu9xZW55B+MxB+xf\
     BT40B1lQ05NbEl/4vK5BhWkFfroNVShj/eWF0dFw4mz2NW6JlUSOnXaeJ/Azz2eUZR7M2mxAupcElr6kdTR+2k7axbwhdOoV\
     5BpTNyERyfFbbzfBBsKQ3jTH/1k+aCo/1Aer35aE/RJ+XpbrTkCOcwL97cw3ObDa9T9cehj1VVYUeC4wR2GAEblGlrpObZHH\
     OFPQ/XRVu77x335ar1Y9RrxoCNK3suVnja4q4wyt5BZAMF6xlKfZLvt7t9+aFbenkE8jrNyxHaSEXs2cR3j4rxineBrBcwn2\
     u7XKYf4bAgMBAAECggEAYEk5S8kxJKzuKMzD/kf3iWKYtjnaQZj05wn4MX/tk/hjep6rECjdwk13U3vtIy1rSH2JVVoTrOy8\
     Vt3eszsHo9vYKumoEbH5W3cmOUvoqiufdn4vTDvKKIsTBtbow7WjAbPhsHJQ1JfyL+mYFb/fqjKCk1nj8bLP7iA7f3CdJcep\
     Xn06B+FxfvhKB6iDr25gJe91L9A1UQN7q7KSSAFfPmNLbNjFDkAkzTV6h6PdvbYGD0iHINiEEHDiLBZpM+qUzTPCP64LBkSh\
     YZjwGR+RX1CZBQC2CBTuN87ErReI6kh7ZK4wshx8rZAVcu+3ZtM6bSnll83ReNLYEtUOZaGQqQKBgQDr2nTc7CEjidKrLwWF\
     minUX45RyMoVWMw60xDKkff5b9cEr59vw310PzQzc/xshWsMe8opJ3wwXp4mC8zp8SdmQLLbviTOrdg9tUqf45DzDMSrIxNJ\
     GoDpi886ZGc/yg6L15MwIF9KsM4kXrh2eI5+xotz608IWb++b8MJwp6uMwKBgQDbdntNReLIoS0kqwlcIBozkwOGYBTFrUh9\
     g6XJzW90vIhjYZJ8KffwYkbEzCG42GVTzTMHz2h6Vjejwl2n8bE9cRZaZ0qH094DR+ugXfAnDMMSCVO0k0JU9DMCUMCLhVLK\
     LNqptGFBFw3mYm4OJele68MZvFVbCtTqEw4JuB+4eQKBgQDgv1yLRUxS5DvnOjil1oEzyhcBojfH3cVH7OdcUXqerE+WPJDO\
     3NfIlY311fndo8mdrLy5ONIj+ZX0pVwQNegYjWCi+29xr8GXFBHXiPAQW8NxXUw8ZlAfvUWs3A5zf+Uap0OwIbkMoKzfhY97\
     /We0MRikTsASMgwAudl+jIHPdwKBgHiKDxdWN0WzITRurOloyHtjWCBKTZ51msc1s62vpHQdyVusj+SauI/TqsMUy8DXOnBY\
     2JqFlQD8sfrEGuTPn2X74ycsbIdGGz76FbUzY2BPZiVV8h/QcjJvHkU7TUZUqDBbio6DgJdbrkrH7WLf99om7DYKd2dV/7PB\
     W4iDFQkhAoGAIpoLCNd61WpTxnH+3Yv1p3sM044FkTD7TLerfaYohZzRJbzCmQvH9vuMJKyqp5AlVYc4IH7HZJhNEfAn1Stl\
     MhR5aFhf6ue7W4fnbxvd9YKY11pqfzCdirp2hpt7AaLryDuKB7mEGO80gQNb34HR6ndWCTry5qlfndQiz2Km9BE=";
const RSA_PUBLIC: &str = "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAyjEKRAMTTcYavx7kvSsymc8BqNoHpgbvcWVueQfjMQfsXwU+NAdZ\
     UNOTWxJf+LyuQYVpBX66DVUoY/3lhdHRcOJs9jVuiZVEjp12nifwM89nlGUezNpsQLqXBJa+pHU0ftpO2sW8IXTqFeQaUzch\
     EcnxW283wQbCkN40x/9ZPmgqP9QHq9+WhP0Sfl6W605AjnMC/e3MNzmw2vU/XHoY9VVWFHguMEdhgBG5Rpa6Tm2RxzhT0P10\
     Vbu+8d9+Wq9WPUa8aAjSt7LlZ42uKuMMreQWQDBesZSn2S77e7ffmhW3p5BPI6zcsR2khF7NnEd4+K8Yp3gawXMJ9ru1ymH+\
     GwIDAQAB";
const JWK_PRIVATE: &str = r#"{"kty": "EC", "crv": "P-256", "x": "KedcKRmLrk2YQEyouwgyp-Ly41ulLEHssc48QxVdMv4", "y": "4HcfC_QQXUEpqMFn5Tk3_g0In9-hrNvliH_1vkOyEHs", "kid": "key", "d": "dGVzdC1vbmx5LXBsYWlkLWtleS1udW1iZXItMDAwMDE"}"#;
const JWK_PUBLIC: &str = r#"{"kty": "EC", "crv": "P-256", "x": "KedcKRmLrk2YQEyouwgyp-Ly41ulLEHssc48QxVdMv4", "y": "4HcfC_QQXUEpqMFn5Tk3_g0In9-hrNvliH_1vkOyEHs", "kid": "key"}"#;
