//! Where an extension's Robot API calls arrive: inherited descriptors, and the HTTP endpoint.

use std::{
    collections::HashMap,
    io::{self, ErrorKind, Read as _, Write as _},
    net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream},
    os::fd::{AsFd as _, OwnedFd},
    sync::Arc,
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use gopher_protocol::{
    ids::CallId,
    robot_api::{RobotAnswer, RobotCall},
};
use gopher_sys::{Poller, descriptors, sockets::Sockets};
use nix::errno::Errno;

use crate::{
    api::{self, BadRequest, NOT_TEXT, Request, Shape},
    http::{self, Progress},
    inherited::Inherited,
    memory,
};

/// First token of HTTP connections; smaller ones belong to the run.
pub(crate) const CONNECTIONS: u64 = 16;
/// Bytes read at once; each page of a stack is paid for.
const CHUNK: usize = 8 << 10;
/// Most HTTP connections at once.
const MAX_CONNECTIONS: usize = 64;
/// Most bytes that are read and dropped so that a refused client hears why.
const MAX_DROPPED: usize = 4 * http::MAX_BODY;

/// Who waits for an answer.
enum Waiting {
    Line { token: u64, json: bool, shape: Shape },
    Http(u64, Shape),
}

struct Connection {
    stream: TcpStream,
    parser: http::Parser,
    out: Vec<u8>,
    answered: bool,
    /// The client has said all it wants to say.
    ended: bool,
    /// Bytes behind the request.
    dropped: usize,
}

/// The API of one run.
pub(crate) struct Endpoint {
    inherited: Vec<Inherited>,
    /// Where HTTP arrives, for what is to be served so.
    listener: Option<TcpListener>,
    /// The secret of the run: whoever shows it over HTTP is the run. Nobody is before somebody was told it.
    caller_id: Option<String>,
    connections: HashMap<u64, Connection>,
    waiting: HashMap<CallId, Waiting>,
    next_call: CallId,
    next_connection: u64,
    parameters: Arc<Vec<(String, String)>>,
    uid: u32,
    /// Other runs may have this uid, and `/proc` tells whose a socket is.
    ask_proc: bool,
    /// `None` where the kernel cannot be asked.
    sockets: Option<Sockets>,
    /// What happened, and was told or is to be.
    news: Vec<News>,
    told: usize,
}

/// What the author of the extension is to know; each is said once.
#[derive(Clone, Copy, PartialEq, Eq)]
enum News {
    /// A client was not of this run.
    Stranger,
    /// A text was none.
    NotText,
}

impl News {
    fn sentence(self) -> &'static str {
        match self {
            Self::Stranger => "a process that is not of this run connected to its Robot API and was refused",
            Self::NotText => NOT_TEXT,
        }
    }
}

impl Endpoint {
    pub(crate) fn new(ask_proc: bool, sockets: Option<Sockets>) -> Self {
        Self {
            inherited: Vec::new(),
            listener: None,
            caller_id: None,
            connections: HashMap::new(),
            waiting: HashMap::new(),
            next_call: CallId(1),
            next_connection: CONNECTIONS,
            parameters: Arc::default(),
            uid: nix::unistd::geteuid().as_raw(),
            ask_proc,
            sockets,
            news: Vec::new(),
            told: 0,
        }
    }

    /// The caller id, for a program to be told.
    pub(crate) fn caller_id(&mut self) -> Result<&str, Errno> {
        let token: [u8; 18] = descriptors::random()?;
        Ok(self.caller_id.insert(URL_SAFE_NO_PAD.encode(token)))
    }

    /// Listens for HTTP, on the port that it answers.
    pub(crate) fn listen(&mut self) -> io::Result<u16> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let port = listener.local_addr()?.port();
        self.listener = Some(listener);
        Ok(port)
    }

    /// From now on the poller tells of new HTTP connections, by `token`.
    pub(crate) fn watch(&self, poller: &Poller, token: u64) -> Result<(), Errno> {
        self.listener.as_ref().map_or(Ok(()), |listener| poller.add(listener, token, false))
    }

    /// What [`api::parameter`] looks at.
    pub(crate) fn give_parameters(&mut self, parameters: Vec<(String, String)>) {
        self.parameters = Arc::new(parameters);
    }

    pub(crate) fn parameters(&self) -> Arc<Vec<(String, String)>> {
        Arc::clone(&self.parameters)
    }

    /// Somebody waits for an answer of the engine.
    pub(crate) fn expects(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// A descriptor for a program to inherit.
    pub(crate) fn open(&mut self, poller: &Poller, token: u64) -> Result<OwnedFd, Errno> {
        let (inherited, theirs) = Inherited::open(poller, token)?;
        self.inherited.push(inherited);
        Ok(theirs)
    }

    pub(crate) fn inherited(&mut self) -> &mut [Inherited] {
        &mut self.inherited
    }

    fn inherited_at(&mut self, token: u64) -> Option<&mut Inherited> {
        self.inherited.iter_mut().find(|inherited| inherited.token == token)
    }

    /// Reads a descriptor; the calls the engine must answer.
    pub(crate) fn read(&mut self, token: u64, poller: &Poller) -> Vec<(CallId, RobotCall)> {
        let lines = self.inherited_at(token).map(Inherited::read).unwrap_or_default();
        let calls = lines.iter().filter_map(|line| self.line(token, line)).collect();
        if let Some(inherited) = self.inherited_at(token) {
            inherited.flush();
            inherited.end_if_over(poller);
        }
        calls
    }

    fn line(&mut self, token: u64, line: &[u8]) -> Option<(CallId, RobotCall)> {
        let json = line.first() == Some(&b'{');
        let request = match (json, std::str::from_utf8(line)) {
            (true, _) => api::from_json(line),
            (false, Ok(text)) => api::from_shell(text),
            // What is kept is kept as it is, or not at all.
            (false, Err(_)) if line.starts_with(b"UpdateDatum\t") => Err(BadRequest::NotText),
            (false, Err(_)) => {
                self.note(News::NotText);
                api::from_shell(&String::from_utf8_lossy(line))
            }
        };
        match request {
            Ok(Request::Ask(call, shape)) => Some((self.wait(Waiting::Line { token, json, shape }), call)),
            Ok(Request::Parameter(name)) => {
                let answer = RobotAnswer::Text(api::parameter(&self.parameters, &name).to_owned());
                self.answer_line(token, json, Shape::StrVal, &answer);
                None
            }
            Err(bad) => {
                self.answer_line(token, json, Shape::RetVal, &RobotAnswer::Refused(bad.to_string()));
                None
            }
        }
    }

    fn answer_line(&mut self, token: u64, json: bool, shape: Shape, answer: &RobotAnswer) {
        let Some(inherited) = self.inherited_at(token) else { return };
        let line = if json {
            api::to_json(shape, answer).unwrap_or_else(|reason| serde_json::json!({ "Error": reason })).to_string()
        } else {
            api::to_shell(shape, answer)
        };
        inherited.answer(&line);
    }

    fn wait(&mut self, who: Waiting) -> CallId {
        let call = self.next_call;
        self.next_call = call.next();
        self.waiting.insert(call, who);
        call
    }

    /// Takes new HTTP connections.
    pub(crate) fn accept(&mut self, poller: &Poller) {
        while let Some((stream, peer, ours)) = self.connected() {
            if self.connections.len() >= MAX_CONNECTIONS {
                self.close_answered(poller);
            }
            if self.connections.len() >= MAX_CONNECTIONS {
                continue;
            }
            if !self.is_of_this_run(peer, ours) {
                self.note(News::Stranger);
                continue;
            }
            let token = self.next_connection;
            self.next_connection += 1;
            if stream.set_nonblocking(true).is_ok() && poller.add(stream.as_fd(), token, false).is_ok() {
                let _ = stream.set_nodelay(true);
                let parser = http::Parser::default();
                let connection =
                    Connection { stream, parser, out: Vec::new(), answered: false, ended: false, dropped: 0 };
                self.connections.insert(token, connection);
            }
        }
    }

    /// The next connection, and the addresses of both ends.
    fn connected(&self) -> Option<(TcpStream, SocketAddr, SocketAddr)> {
        let listener = self.listener.as_ref()?;
        let (stream, peer) = listener.accept().ok()?;
        Some((stream, peer, listener.local_addr().ok()?))
    }

    /// Whether the client of a loopback connection is a process of this run: by its uid, and, as several runs may
    /// share one, by who holds the socket.
    fn is_of_this_run(&self, peer: SocketAddr, ours: SocketAddr) -> bool {
        let asked = match (&self.sockets, peer, ours) {
            (Some(sockets), SocketAddr::V4(peer), SocketAddr::V4(ours)) => sockets.owner(peer, ours).ok().flatten(),
            _ => None,
        };
        let known = asked.map(|owner| (owner.uid, owner.inode)).or_else(|| {
            let table = std::fs::read_to_string("/proc/net/tcp").unwrap_or_default();
            owner(&table, peer.port(), ours.port())
        });
        known.is_some_and(|(uid, socket)| uid == self.uid && (!self.ask_proc || memory::somebody_holds(socket)))
    }

    fn note(&mut self, news: News) {
        if !self.news.contains(&news) {
            self.news.push(news);
        }
    }

    /// What the author is to know and was not told yet.
    pub(crate) fn news(&mut self) -> impl Iterator<Item = &'static str> + use<> {
        let fresh = self.news[self.told..].to_vec();
        self.told = self.news.len();
        fresh.into_iter().map(News::sentence)
    }

    /// Reads or writes one HTTP connection; a call the engine must answer.
    pub(crate) fn serve(&mut self, token: u64, poller: &Poller) -> Option<(CallId, RobotCall)> {
        let connection = self.connections.get_mut(&token)?;
        let mut progress = Progress::Partial;
        let mut chunk = [0; CHUNK];
        while matches!(progress, Progress::Partial | Progress::Continue) && !connection.ended {
            match connection.stream.read(&mut chunk) {
                Ok(0) => {
                    connection.ended = true;
                    // It may wait for its answer, but has nothing more to tell.
                    let _ = poller.remove(connection.stream.as_fd());
                    if !connection.answered {
                        progress = Progress::Refused(400);
                    }
                }
                Ok(count) if connection.answered => {
                    connection.dropped += count;
                    if connection.dropped > MAX_DROPPED {
                        self.close(token, poller);
                        return None;
                    }
                }
                Ok(count) => progress = connection.parser.push(&chunk[..count]),
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) if e.kind() == ErrorKind::WouldBlock => break,
                Err(_) => {
                    self.close(token, poller);
                    return None;
                }
            }
            if progress == Progress::Continue {
                connection.out.extend_from_slice(http::CONTINUE);
            }
        }
        let call = match progress {
            Progress::Done(request) => {
                connection.answered = true;
                self.request(token, &request)
            }
            Progress::Refused(status) => {
                connection.answered = true;
                connection.out.extend(http::answer(status, b""));
                None
            }
            Progress::Partial | Progress::Continue => None,
        };
        self.write(token, poller);
        call
    }

    fn request(&mut self, token: u64, request: &http::Request) -> Option<(CallId, RobotCall)> {
        let outcome = if request.path != "/json" {
            Err(404)
        } else if !self.caller_id.as_ref().is_some_and(|own| same_text(&request.caller, own)) {
            Err(400)
        } else {
            api::from_json(&request.body).map_err(|_| 400)
        };
        match outcome {
            Ok(Request::Ask(call, shape)) => Some((self.wait(Waiting::Http(token, shape)), call)),
            Ok(Request::Parameter(name)) => {
                let body = serde_json::json!({ "StrVal": api::parameter(&self.parameters, &name) }).to_string();
                self.put(token, &http::answer(200, body.as_bytes()));
                None
            }
            Err(status) => {
                self.put(token, &http::answer(status, b""));
                None
            }
        }
    }

    fn put(&mut self, token: u64, bytes: &[u8]) {
        if let Some(connection) = self.connections.get_mut(&token) {
            connection.out.extend_from_slice(bytes);
        }
    }

    fn write(&mut self, token: u64, poller: &Poller) {
        let Some(connection) = self.connections.get_mut(&token) else { return };
        while !connection.out.is_empty() {
            match connection.stream.write(&connection.out) {
                Ok(count) => drop(connection.out.drain(..count)),
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) if e.kind() == ErrorKind::WouldBlock => {
                    if poller.modify(connection.stream.as_fd(), token, true).is_err() {
                        let _ = poller.add(connection.stream.as_fd(), token, true);
                    }
                    return;
                }
                Err(_) => return self.close(token, poller),
            }
        }
        let over =
            connection.answered && !self.waiting.values().any(|w| matches!(w, Waiting::Http(t, _) if *t == token));
        // A client that is still writing would lose its answer if the connection ended now: it is heard to the end.
        if over && (connection.ended || connection.stream.shutdown(Shutdown::Write).is_err()) {
            self.close(token, poller);
        } else if over {
            let _ = poller.modify(connection.stream.as_fd(), token, false);
        }
    }

    /// Clients that keep a connection although they have their answer make room for others.
    fn close_answered(&mut self, poller: &Poller) {
        let waits = |token: u64| self.waiting.values().any(|w| matches!(w, Waiting::Http(t, _) if *t == token));
        let done = self.connections.iter().filter(|(token, c)| c.answered && c.out.is_empty() && !waits(**token));
        for token in done.map(|(token, _)| *token).collect::<Vec<_>>() {
            self.close(token, poller);
        }
    }

    fn close(&mut self, token: u64, poller: &Poller) {
        if let Some(connection) = self.connections.remove(&token) {
            let _ = poller.remove(connection.stream.as_fd());
        }
    }

    /// Gives an answer of the engine to whoever waits for it.
    pub(crate) fn answer(&mut self, call: CallId, answer: &RobotAnswer, poller: &Poller) {
        match self.waiting.remove(&call) {
            Some(Waiting::Line { token, json, shape }) => {
                self.answer_line(token, json, shape, answer);
                self.writable(token);
            }
            Some(Waiting::Http(token, shape)) => {
                let bytes = match api::to_json(shape, answer) {
                    Ok(value) => http::answer(200, value.to_string().as_bytes()),
                    Err(_) => http::answer(400, b""),
                };
                self.put(token, &bytes);
                self.write(token, poller);
            }
            None => {}
        }
    }

    /// Writes what a descriptor has room for.
    pub(crate) fn writable(&mut self, token: u64) {
        self.inherited_at(token).into_iter().for_each(Inherited::flush);
    }
}

/// Compares without telling by its time where two texts differ.
fn same_text(a: &str, b: &str) -> bool {
    a.len() == b.len() && a.bytes().zip(b.bytes()).fold(0, |acc, (x, y)| acc | (x ^ y)) == 0
}

/// The uid and inode in the row of `/proc/net/tcp` that leads from `local` to `remote`.
fn owner(table: &str, local: u16, remote: u16) -> Option<(u32, u64)> {
    let port = |address: &str| u16::from_str_radix(address.split_once(':')?.1, 16).ok();
    table.lines().skip(1).find_map(|row| {
        let mut fields = row.split_ascii_whitespace();
        let (from, to) = (fields.nth(1)?, fields.next()?);
        let found = port(from)? == local && port(to)? == remote;
        let (uid, inode) = (fields.nth(4)?.parse().ok()?, fields.nth(1)?.parse().ok()?);
        found.then_some((uid, inode))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_owner_of_a_connection_is_read_from_its_row() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n\
            0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1 0\n\
            1: 0100007F:A1B2 0100007F:1F90 01 00000000:00000000 00:00000000 00000000  1234        0 77 1 0\n";
        assert_eq!(owner(table, 0xA1B2, 0x1F90), Some((1234, 77)));
        assert_eq!(owner(table, 0x1F90, 0xA1B2), None);
        assert_eq!(owner("", 1, 2), None);
    }

    #[test]
    fn texts_are_compared_whole() {
        assert!(same_text("abc", "abc") && !same_text("abc", "abd") && !same_text("abc", "ab"));
    }
}
