//! The local HTTP server that suites may ask for with `before_start: test_http_server`.

use std::{
    io::{self, BufRead as _, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
    time::Duration,
};

use serde_json::{Value, json};

/// Nothing that a suite sends is larger.
const LARGEST_BODY: usize = 1 << 20;
const PATIENCE: Duration = Duration::from_secs(2);
/// How long `/json/slow` takes.
const SLOWNESS: Duration = Duration::from_millis(200);

pub(super) struct Fixture {
    address: SocketAddr,
    listener: Option<TcpListener>,
    server: Option<JoinHandle<()>>,
    over: Arc<AtomicBool>,
}

impl Fixture {
    /// Takes a port; connections wait until [`Fixture::serve`].
    pub(super) fn bind() -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        Ok(Self { address: listener.local_addr()?, listener: Some(listener), server: None, over: Arc::default() })
    }

    pub(super) fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Answers from now on, in one thread, one request after the other.
    pub(super) fn serve(mut self) -> Self {
        if let Some(listener) = self.listener.take() {
            let over = Arc::clone(&self.over);
            self.server = Some(std::thread::spawn(move || {
                for stream in listener.incoming().map_while(Result::ok) {
                    if over.load(Ordering::Relaxed) {
                        break;
                    }
                    // A client that goes away in the middle has its reasons.
                    let _ = answer(&stream);
                }
            }));
        }
        self
    }
}

impl Drop for Fixture {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        // Wakes the thread that accepts. It is gone when this returns: a robot is only started by a single thread.
        let _ = TcpStream::connect(self.address);
        if let Some(server) = self.server.take() {
            let _ = server.join();
        }
    }
}

/// One request, one answer; a client that is not understood is left.
fn answer(stream: &TcpStream) -> io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut reader = BufReader::new(stream).take(u64::try_from(LARGEST_BODY).unwrap_or(u64::MAX));
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let mut words = line.split_whitespace();
    let (method, path) = (words.next().unwrap_or_default().to_owned(), words.next().unwrap_or_default().to_owned());
    let mut length = 0;
    loop {
        line.clear();
        if reader.read_line(&mut line)? == 0 || line.trim_end().is_empty() {
            break;
        }
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse().unwrap_or(0);
        }
    }
    let mut body = vec![0; LARGEST_BODY.min(length)];
    reader.read_exact(&mut body)?;
    let (status, document) = respond(&method, &path, &body);
    if path == "/json/slow" {
        std::thread::sleep(SLOWNESS);
    }
    let text = document.to_string();
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        text.len()
    );
    (&*stream).write_all(format!("{head}{text}").as_bytes())
}

fn respond(method: &str, path: &str, body: &[u8]) -> (&'static str, Value) {
    let wanted = match path {
        "/json/post" => "POST",
        "/json/put" => "PUT",
        "/json/get" | "/json/error" | "/json/slow" => "GET",
        _ => return ("404 Not Found", json!({ "error": "not found" })),
    };
    if method != wanted {
        return ("405 Method Not Allowed", json!({ "error": "method not allowed" }));
    }
    match path {
        "/json/error" => ("500 Internal Server Error", json!({ "error": "boom" })),
        "/json/slow" => ("200 OK", json!({ "method": method, "value": "slow" })),
        "/json/get" => ("200 OK", json!({ "method": method })),
        _ => {
            let value = serde_json::from_slice::<Value>(body).ok().and_then(|v| v.get("value").cloned());
            ("200 OK", json!({ "method": method, "value": value.unwrap_or(Value::Null) }))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(url: &str, request: &str) -> String {
        let mut stream = TcpStream::connect(url.trim_start_matches("http://")).expect("connected");
        stream.write_all(request.as_bytes()).expect("sent");
        let mut text = String::new();
        stream.read_to_string(&mut text).expect("answered");
        text
    }

    #[test]
    fn the_five_paths_answer_as_suites_expect() {
        let fixture = Fixture::bind().expect("a port").serve();
        for (request, status, body) in [
            ("GET /json/get HTTP/1.1\r\n\r\n", "200", r#"{"method":"GET"}"#),
            (
                "POST /json/post HTTP/1.1\r\nContent-Length: 17\r\n\r\n{\"value\":\"alpha\"}",
                "200",
                r#"{"method":"POST","value":"alpha"}"#,
            ),
            (
                "PUT /json/put HTTP/1.1\r\ncontent-length: 17\r\n\r\n{\"value\":\"bravo\"}",
                "200",
                r#"{"method":"PUT","value":"bravo"}"#,
            ),
            ("GET /json/error HTTP/1.1\r\n\r\n", "500", r#"{"error":"boom"}"#),
            ("GET /json/slow HTTP/1.1\r\n\r\n", "200", r#""value":"slow"}"#),
            ("POST /json/get HTTP/1.1\r\n\r\n", "405", "error"),
            ("GET /else HTTP/1.1\r\n\r\n", "404", "error"),
        ] {
            let text = ask(&fixture.base_url(), request);
            assert!(text.starts_with(&format!("HTTP/1.1 {status} ")) && text.contains(body), "{request}: {text}");
        }
    }
}
