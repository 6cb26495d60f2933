//! As much of HTTP/1.1 as the clients of the Robot API speak: one POST, one answer, the connection ends.

/// Most bytes of request line and headers.
const MAX_HEAD: usize = 16 << 10;
/// Most bytes of a body.
pub(crate) const MAX_BODY: usize = 16 << 20;

/// One request.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Request {
    pub(crate) path: String,
    pub(crate) caller: String,
    pub(crate) body: Vec<u8>,
}

/// What the bytes so far are.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    /// More is to come.
    Partial,
    /// The client waits for leave to send its body.
    Continue,
    Done(Request),
    /// Answer with this status and close.
    Refused(u16),
}

/// Collects the bytes of one request.
#[derive(Default)]
pub(crate) struct Parser {
    bytes: Vec<u8>,
    head: Option<Head>,
    asked: bool,
}

struct Head {
    path: String,
    caller: String,
    length: usize,
    body_at: usize,
    expects: bool,
}

impl Parser {
    /// Adds bytes and says what is known now.
    pub(crate) fn push(&mut self, bytes: &[u8]) -> Progress {
        self.bytes.extend_from_slice(bytes);
        if self.head.is_none() {
            match Head::parse(&self.bytes) {
                Ok(Some(head)) => self.head = Some(head),
                Ok(None) if self.bytes.len() > MAX_HEAD => return Progress::Refused(431),
                Ok(None) => return Progress::Partial,
                Err(status) => return Progress::Refused(status),
            }
        }
        let Some(head) = &self.head else { return Progress::Partial };
        match self.bytes.get(head.body_at..head.body_at + head.length) {
            Some(body) => {
                Progress::Done(Request { path: head.path.clone(), caller: head.caller.clone(), body: body.to_vec() })
            }
            None if head.expects && !self.asked => {
                self.asked = true;
                Progress::Continue
            }
            None => Progress::Partial,
        }
    }
}

impl Head {
    fn parse(bytes: &[u8]) -> Result<Option<Self>, u16> {
        let Some(end) = bytes.windows(4).position(|w| w == b"\r\n\r\n") else { return Ok(None) };
        let text = std::str::from_utf8(&bytes[..end]).map_err(|_| 400_u16)?;
        let mut lines = text.split("\r\n");
        let mut request = lines.next().unwrap_or_default().split(' ');
        let (Some(_method), Some(path), Some(version)) = (request.next(), request.next(), request.next()) else {
            return Err(400);
        };
        if !version.starts_with("HTTP/1.") {
            return Err(505);
        }
        let mut head =
            Self { path: path.to_owned(), caller: String::new(), length: 0, body_at: end + 4, expects: false };
        for line in lines {
            let (name, value) = line.split_once(':').ok_or(400_u16)?;
            let value = value.trim();
            match name.to_ascii_lowercase().as_str() {
                "content-length" => head.length = value.parse().map_err(|_| 400_u16)?,
                "transfer-encoding" => return Err(411),
                "x-caller-id" => value.clone_into(&mut head.caller),
                "expect" => head.expects = value.eq_ignore_ascii_case("100-continue"),
                _ => {}
            }
        }
        if head.length > MAX_BODY { Err(413) } else { Ok(Some(head)) }
    }
}

/// A whole answer.
pub(crate) fn answer(status: u16, body: &[u8]) -> Vec<u8> {
    let reason = match status {
        200 => "OK",
        404 => "Not Found",
        409 => "Conflict",
        411 => "Length Required",
        413 => "Content Too Large",
        _ => "Bad Request",
    };
    let mut out = format!(
        "HTTP/1.1 {status} {reason}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    )
    .into_bytes();
    out.extend_from_slice(body);
    out
}

/// Leave to send the body.
pub(crate) const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";

#[cfg(test)]
mod tests {
    use super::*;

    const POST: &str = "POST /json HTTP/1.1\r\nHost: x\r\nX-Caller-ID: abc\r\nContent-Length: 5\r\n\r\nhello";

    #[test]
    fn a_request_is_found_however_it_is_cut() {
        for cut in 1..POST.len() {
            let mut parser = Parser::default();
            let (a, b) = POST.as_bytes().split_at(cut);
            assert_eq!(parser.push(a), Progress::Partial, "{cut}");
            let Progress::Done(request) = parser.push(b) else { panic!("cut at {cut}") };
            assert_eq!(
                (request.path.as_str(), request.caller.as_str(), &request.body[..]),
                ("/json", "abc", &b"hello"[..])
            );
        }
    }

    #[test]
    fn what_is_not_understood_is_refused_with_a_status() {
        for (text, status) in [
            ("nonsense\r\n\r\n", 400),
            ("POST / HTTP/2\r\n\r\n", 505),
            ("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", 411),
            ("POST / HTTP/1.1\r\nContent-Length: 99999999\r\n\r\n", 413),
            ("POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400),
            ("POST / HTTP/1.1\r\nno colon\r\n\r\n", 400),
        ] {
            assert_eq!(Parser::default().push(text.as_bytes()), Progress::Refused(status), "{text}");
        }
        assert_eq!(Parser::default().push(&vec![b'a'; MAX_HEAD + 1]), Progress::Refused(431));
    }

    #[test]
    fn a_client_that_asks_first_is_told_once() {
        let mut parser = Parser::default();
        let head = b"POST /json HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n";
        assert_eq!(parser.push(head), Progress::Continue);
        assert_eq!(parser.push(b"h"), Progress::Partial);
        assert!(matches!(parser.push(b"i"), Progress::Done(_)));
    }
}
