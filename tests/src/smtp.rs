//! A mail server that does as it is told: for what real ones do only when something is wrong. It lives in the test.

use std::{
    io::{Read, Write},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread::{JoinHandle, sleep, spawn},
    time::Duration,
};

use rustls::{
    ServerConfig, ServerConnection, StreamOwned,
    pki_types::{CertificateDer, PrivateKeyDer},
};

/// Signed by nobody else, for `localhost` and `127.0.0.1`.
pub const CERTIFICATE: &[u8] = include_bytes!("../certificates/localhost.der");
const KEY: &[u8] = include_bytes!("../certificates/localhost.key.der");

/// How the server treats whoever connects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// Takes every mail.
    Kind,
    /// Knows no recipient.
    Picky,
    /// Takes no login, and repeats what it was told.
    Suspicious,
    /// Hangs up in the middle of a mail.
    Rude,
    /// Accepts connections and says nothing.
    Silent,
    /// Says a letter a second, and never comes to an end.
    Slow,
}

/// A mail that was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    pub from: String,
    pub to: String,
    pub data: String,
    pub encrypted: bool,
    /// The login before it, as it was sent.
    pub login: Option<String>,
}

/// A running server on a port of its own.
pub struct Smtp {
    pub port: u16,
    taken: Arc<Mutex<Vec<Taken>>>,
    over: Arc<AtomicBool>,
    acceptor: Option<JoinHandle<()>>,
}

trait Wire: Read + Write {}
impl<T: Read + Write> Wire for T {}

impl Smtp {
    /// With `starttls` it offers TLS under its own certificate.
    pub fn start(manner: Manner, starttls: bool) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let (taken, over) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicBool::new(false)));
        let (kept, ended) = (Arc::clone(&taken), Arc::clone(&over));
        let acceptor = spawn(move || {
            for stream in listener.incoming() {
                if ended.load(Ordering::Relaxed) {
                    return;
                }
                let (Ok(stream), kept, ended) = (stream, Arc::clone(&kept), Arc::clone(&ended)) else { return };
                spawn(move || {
                    // A client that goes away is its own affair.
                    let _ = Session { manner, starttls, kept: &kept, over: &ended }.serve(stream);
                });
            }
        });
        Self { port, taken, over, acceptor: Some(acceptor) }
    }

    pub fn taken(&self) -> Vec<Taken> {
        self.taken.lock().expect("no panic").clone()
    }
}

impl Drop for Smtp {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        // It waits for somebody to connect.
        let _ = TcpStream::connect(SocketAddr::from((Ipv4Addr::LOCALHOST, self.port)));
        if let Some(acceptor) = self.acceptor.take() {
            let _ = acceptor.join();
        }
    }
}

struct Session<'a> {
    manner: Manner,
    starttls: bool,
    kept: &'a Mutex<Vec<Taken>>,
    over: &'a AtomicBool,
}

/// What a client has said so far.
#[derive(Default)]
struct Said {
    from: String,
    to: String,
    login: Option<String>,
}

impl Session<'_> {
    fn serve(&self, mut stream: TcpStream) -> std::io::Result<()> {
        stream.set_read_timeout(Some(Duration::from_mins(1)))?;
        match self.manner {
            Manner::Silent | Manner::Slow => {
                if self.manner == Manner::Slow {
                    stream.write_all(b"220-")?;
                }
                while !self.over.load(Ordering::Relaxed) {
                    sleep(Duration::from_secs(1));
                    if self.manner == Manner::Slow {
                        stream.write_all(b"x")?;
                    }
                }
                return Ok(());
            }
            _ => stream.write_all(b"220 localhost ESMTP\r\n")?,
        }
        if self.talk(&mut stream, false)? {
            let mut encrypted = StreamOwned::new(tls(), stream);
            self.talk(&mut encrypted, true)?;
        }
        Ok(())
    }

    /// Until the client leaves, or wants to go on encrypted.
    fn talk(&self, stream: &mut dyn Wire, encrypted: bool) -> std::io::Result<bool> {
        let mut said = Said::default();
        loop {
            let line = line(stream)?;
            let (verb, rest) = line.split_at(line.find(' ').unwrap_or(line.len()));
            let answer = match (verb.to_ascii_uppercase().as_str(), self.manner) {
                ("", _) => return Ok(false),
                ("EHLO", _) if self.starttls && !encrypted => "250-localhost\r\n250-STARTTLS\r\n250 AUTH PLAIN",
                ("EHLO", _) => "250-localhost\r\n250 AUTH PLAIN",
                ("STARTTLS", _) => {
                    stream.write_all(b"220 go ahead\r\n")?;
                    return Ok(true);
                }
                ("AUTH", Manner::Suspicious) => {
                    stream.write_all(format!("535 I do not believe{rest}\r\n").as_bytes())?;
                    continue;
                }
                ("AUTH", _) => {
                    said.login = Some(rest.trim().to_owned());
                    "235 welcome"
                }
                ("MAIL", _) => {
                    rest.trim().clone_into(&mut said.from);
                    "250 go on"
                }
                ("RCPT", Manner::Picky) => "550 5.1.1 no such mailbox",
                ("RCPT", _) => {
                    rest.trim().clone_into(&mut said.to);
                    "250 go on"
                }
                ("DATA", Manner::Rude) => return Ok(false),
                ("DATA", _) => {
                    stream.write_all(b"354 go on\r\n")?;
                    self.keep(&said, data(stream)?, encrypted);
                    "250 taken"
                }
                ("QUIT", _) => {
                    stream.write_all(b"221 bye\r\n")?;
                    return Ok(false);
                }
                _ => "502 what?",
            };
            stream.write_all(format!("{answer}\r\n").as_bytes())?;
        }
    }

    fn keep(&self, said: &Said, data: String, encrypted: bool) {
        let (from, to, login) = (said.from.clone(), said.to.clone(), said.login.clone());
        self.kept.lock().expect("no panic").push(Taken { from, to, data, encrypted, login });
    }
}

fn tls() -> ServerConnection {
    let key = PrivateKeyDer::try_from(KEY).expect("a key");
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![CertificateDer::from(CERTIFICATE)], key)
        .expect("a certificate");
    ServerConnection::new(Arc::new(config)).expect("a connection")
}

/// The next line without its end; empty at the end of all.
fn line(stream: &mut dyn Wire) -> std::io::Result<String> {
    let (mut line, mut byte) = (Vec::new(), [0]);
    while stream.read(&mut byte)? == 1 && byte[0] != b'\n' {
        line.push(byte[0]);
    }
    Ok(String::from_utf8_lossy(&line).trim_end().to_owned())
}

/// What comes before the line with a dot.
fn data(stream: &mut dyn Wire) -> std::io::Result<String> {
    let mut text = String::new();
    loop {
        let line = line(stream)?;
        if line == "." {
            return Ok(text);
        }
        text.push_str(line.strip_prefix('.').unwrap_or(&line));
        text.push('\n');
    }
}
