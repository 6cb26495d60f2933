//! What the `http` module of every embedded language does (spec: Robot API §3.2, §3.3).

use std::{io::Read as _, sync::Arc, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use ureq::{
    Agent,
    http::{self, HeaderMap},
    tls::{Certificate, RootCerts, TlsConfig, TlsProvider},
};

use super::attention;

/// Most bytes of a body that are read; a run's memory has its own limit.
const MAX_BODY: u64 = 256 << 20;

/// One request as an extension describes it.
#[derive(Debug, Default, Clone, PartialEq)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) url: String,
    /// Added to the URL's own, as it is.
    pub(crate) query: Option<String>,
    /// Set last: they win over those that follow from the rest.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) cookies: Vec<(String, String)>,
    pub(crate) body: Option<Vec<u8>>,
    /// The content type that goes with the body.
    pub(crate) content_type: Option<&'static str>,
    pub(crate) timeout: Option<Duration>,
    pub(crate) auth: Option<(String, String)>,
}

/// What came back; every status is one.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) reason: &'static str,
    pub(crate) url: String,
    /// In the order they came; names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Response {
    /// Names and values of `Set-Cookie`.
    pub(crate) fn cookies(&self) -> impl Iterator<Item = (&str, &str)> {
        let set = self.headers.iter().filter(|(name, _)| name == "set-cookie");
        set.filter_map(|(_, value)| value.split(';').next()?.trim().split_once('='))
    }
}

/// Sends a request and reads the whole answer.
///
/// # Errors
/// A sentence on what the transport refused: the URL, the name, the connection, the time.
pub(crate) fn send(request: &Request) -> Result<Response, String> {
    let told = |error: ureq::Error| match error {
        ureq::Error::Timeout(_) => format!("{}: the time ran out", request.url),
        other => format!("{}: {other}", request.url),
    };
    attention::call();
    let body = request.body.as_deref().unwrap_or_default();
    let mut response = agent(request).run(built(request)?.body(body).map_err(|e| told(e.into()))?).map_err(told)?;
    let url = ureq::ResponseExt::get_uri(&response).to_string();
    let mut read = Vec::new();
    let reader = response.body_mut().as_reader();
    reader.take(MAX_BODY).read_to_end(&mut read).map_err(|error| format!("{}: {error}", request.url))?;
    Ok(Response {
        status: response.status().as_u16(),
        reason: response.status().canonical_reason().unwrap_or_default(),
        url,
        headers: texts(response.headers()),
        body: read,
    })
}

fn built(request: &Request) -> Result<http::request::Builder, String> {
    let mut url = request.url.clone();
    if let Some(query) = request.query.as_ref().filter(|q| !q.is_empty()) {
        url.push(if url.contains('?') { '&' } else { '?' });
        url.push_str(query);
    }
    let method = http::Method::from_bytes(request.method.to_ascii_uppercase().as_bytes())
        .map_err(|_| format!("{:?} is no HTTP method", request.method))?;
    let mut builder = http::Request::builder().method(method).uri(&url);
    let has = |wanted: &str| request.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case(wanted));
    if let Some(content_type) = request.content_type.filter(|_| !has("content-type")) {
        builder = builder.header("Content-Type", content_type);
    }
    if let Some((user, password)) = request.auth.as_ref().filter(|_| !has("authorization")) {
        let credentials = STANDARD.encode(format!("{user}:{password}"));
        builder = builder.header("Authorization", format!("Basic {credentials}"));
    }
    if !request.cookies.is_empty() && !has("cookie") {
        let cookies: Vec<String> = request.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        builder = builder.header("Cookie", cookies.join("; "));
    }
    for (name, value) in &request.headers {
        builder = builder.header(name, value);
    }
    Ok(builder)
}

fn agent(request: &Request) -> Agent {
    let mut config = Agent::config_builder()
        .http_status_as_error(false)
        .allow_non_standard_methods(true)
        .timeout_global(request.timeout);
    if request.url.get(..6).is_some_and(|scheme| scheme.eq_ignore_ascii_case("https:")) {
        config = config.tls_config(trusted());
    }
    config.build().new_agent()
}

/// The authorities that this machine trusts.
fn trusted() -> TlsConfig {
    let found = rustls_native_certs::load_native_certs();
    let roots: Vec<Certificate<'static>> =
        found.certs.iter().map(|der| Certificate::from_der(der.as_ref()).to_owned()).collect();
    TlsConfig::builder()
        .provider(TlsProvider::Rustls)
        .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .root_certs(RootCerts::from(roots))
        .build()
}

fn texts(headers: &HeaderMap) -> Vec<(String, String)> {
    let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
    headers.iter().map(|(name, value)| (name.as_str().to_owned(), text(value.as_bytes()))).collect()
}

/// A time-out as languages give it: seconds, or a text like `1m30s`, `50ms`.
pub(crate) fn duration(text: &str) -> Option<Duration> {
    const UNITS: [(&str, f64); 7] =
        [("ns", 1e-9), ("us", 1e-6), ("µs", 1e-6), ("ms", 1e-3), ("s", 1.0), ("m", 60.0), ("h", 3600.0)];
    let mut rest = text.trim();
    let mut total = 0.0;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let number: f64 = rest[..digits].parse().ok()?;
        rest = &rest[digits..];
        let length = rest.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(rest.len());
        total += number * UNITS.iter().find(|(unit, _)| *unit == &rest[..length])?.1;
        rest = &rest[length..];
    }
    seconds(total)
}

/// Only times that are some.
pub(crate) fn seconds(number: f64) -> Option<Duration> {
    Duration::try_from_secs_f64(number).ok().filter(|time| !time.is_zero())
}

#[cfg(test)]
mod tests {
    use std::{
        io::{BufRead as _, BufReader, Write as _},
        net::TcpListener,
        thread,
    };

    use super::*;

    /// Answers one request, and gives back what it was.
    fn server(answer: &'static str) -> (String, thread::JoinHandle<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("bound"));
        let serving = thread::spawn(move || {
            let (stream, _) = listener.accept().expect("a client");
            let mut reader = BufReader::new(stream);
            let (mut head, mut length) = (String::new(), 0);
            loop {
                let mut line = String::new();
                reader.read_line(&mut line).expect("a line");
                if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                    length = value.trim().parse().expect("a number");
                }
                if line.trim().is_empty() {
                    break;
                }
                head.push_str(&line.to_ascii_lowercase());
            }
            let mut body = vec![0; length];
            reader.read_exact(&mut body).expect("the body");
            reader.get_mut().write_all(answer.as_bytes()).expect("answered");
            head + &String::from_utf8(body).expect("text")
        });
        (url, serving)
    }

    #[test]
    fn a_request_carries_what_it_was_given_and_every_status_is_an_answer() {
        let (url, serving) = server(
            "HTTP/1.1 503 Service Unavailable\r\nSet-Cookie: a=b; Path=/\r\nX-Kind: tea\r\nContent-Length: 3\r\n\r\nout",
        );
        let response = send(&Request {
            method: "post".into(),
            url: format!("{url}/x?a=1"),
            query: Some("b=2".into()),
            headers: vec![("X-Own".into(), "yes".into())],
            cookies: vec![("c".into(), "d".into())],
            body: Some(b"hello".to_vec()),
            content_type: Some("text/plain"),
            timeout: Some(Duration::from_secs(10)),
            auth: Some(("al".into(), "pw".into())),
        })
        .expect("answered");
        let asked = serving.join().expect("served");
        for part in [
            "post /x?a=1&b=2 http/1.1\r\n",
            "x-own: yes\r\n",
            "cookie: c=d\r\n",
            "content-type: text/plain\r\n",
            "authorization: basic yww6chc=\r\n",
        ] {
            assert!(asked.contains(part), "{part:?} in {asked:?}");
        }
        assert!(asked.ends_with("hello"), "{asked:?}");
        assert_eq!((response.status, response.reason, &response.body[..]), (503, "Service Unavailable", &b"out"[..]));
        assert_eq!(response.cookies().collect::<Vec<_>>(), [("a", "b")]);
    }

    #[test]
    fn what_cannot_be_sent_is_one_sentence() {
        let get = |url: &str| send(&Request { method: "GET".into(), url: url.into(), ..Request::default() });
        let port = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("bound").port();
        for url in ["", "not a url", "ftp://127.0.0.1/", &format!("http://127.0.0.1:{port}/")] {
            let error = get(url).expect_err(url);
            assert!(!error.is_empty() && error.contains(url), "{url:?}: {error:?}");
        }
        assert!(send(&Request { method: "G E T".into(), ..Request::default() }).expect_err("method").contains("G E T"));
    }

    #[test]
    fn time_outs_are_read_as_go_writes_them() {
        for (text, expected) in [
            ("50ms", Some(Duration::from_millis(50))),
            ("1m30s", Some(Duration::from_secs(90))),
            ("1.5h", Some(Duration::from_mins(90))),
            ("0s", None),
            ("", None),
            ("5", None),
            ("x", None),
            ("5 s", None),
        ] {
            assert_eq!(duration(text), expected, "{text:?}");
        }
        assert_eq!((seconds(2.0), seconds(-1.0), seconds(f64::NAN)), (Some(Duration::from_secs(2)), None, None));
    }
}
