//! Whose a TCP connection of this network namespace is, asked of the kernel by its two ends (`sock_diag(7)`): the table in
//! `/proc/net/tcp` has every connection there is, and takes milliseconds to be written.
#![forbid(unsafe_code)]

use std::{
    net::SocketAddrV4,
    os::fd::{AsFd, AsRawFd as _, BorrowedFd, OwnedFd},
};

use nix::{
    errno::Errno,
    sys::socket::{AddressFamily, MsgFlags, SockFlag, SockProtocol, SockType, recv, send, socket},
};

const SOCK_DIAG_BY_FAMILY: u16 = 20;
const REQUEST: u16 = 1;
const INET: u8 = 2;
const TCP: u8 = 6;
/// Of the kernel's message: header, then what it says of the socket.
const HEADER: usize = 16;
const UID: usize = HEADER + 64;
const INODE: usize = HEADER + 68;

/// The account and the inode of a socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Owner {
    pub uid: u32,
    pub inode: u64,
}

/// A way to ask.
pub struct Sockets(OwnedFd);

impl Sockets {
    /// # Errors
    /// The kernel cannot be asked here.
    pub fn open() -> Result<Self, Errno> {
        let kind = (AddressFamily::Netlink, SockType::Raw, SockFlag::SOCK_CLOEXEC);
        socket(kind.0, kind.1, kind.2, SockProtocol::NetlinkSockDiag).map(Self)
    }

    /// The owner of the end at `local` of a connection; `None` if nobody has it, or this kernel keeps it to itself.
    ///
    /// # Errors
    /// The kernel does not answer such questions.
    pub fn owner(&self, local: SocketAddrV4, remote: SocketAddrV4) -> Result<Option<Owner>, Errno> {
        send(self.0.as_raw_fd(), &question(local, remote), MsgFlags::empty())?;
        let mut answer = [0; 512];
        // The kernel has answered by the time it has taken the question.
        let count = recv(self.0.as_raw_fd(), &mut answer, MsgFlags::MSG_DONTWAIT)?;
        read(&answer[..count])
    }
}

impl AsFd for Sockets {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

fn question(local: SocketAddrV4, remote: SocketAddrV4) -> Vec<u8> {
    let mut body = vec![INET, TCP, 0, 0];
    body.extend(u32::MAX.to_ne_bytes());
    body.extend(local.port().to_be_bytes());
    body.extend(remote.port().to_be_bytes());
    for end in [local, remote] {
        body.extend(end.ip().octets());
        body.extend([0; 12]);
    }
    // Any interface, any cookie.
    body.extend(0_u32.to_ne_bytes());
    body.extend([0xff; 8]);
    let length = u32::try_from(HEADER + body.len()).unwrap_or_default();
    let mut message = Vec::from(length.to_ne_bytes());
    message.extend(SOCK_DIAG_BY_FAMILY.to_ne_bytes());
    message.extend(REQUEST.to_ne_bytes());
    message.extend([0; 8]);
    message.extend(body);
    message
}

fn read(answer: &[u8]) -> Result<Option<Owner>, Errno> {
    let number = |at: usize| answer.get(at..at + 4)?.try_into().ok().map(u32::from_ne_bytes);
    let kind = answer.get(4..6).and_then(|bytes| bytes.try_into().ok()).map(u16::from_ne_bytes);
    if kind == Some(SOCK_DIAG_BY_FAMILY) {
        let (uid, inode) = number(UID).zip(number(INODE)).ok_or(Errno::EBADMSG)?;
        return Ok(Some(Owner { uid, inode: inode.into() }));
    }
    let error = number(HEADER).map_or(0, u32::cast_signed);
    match Errno::from_raw(-error) {
        Errno::ENOENT => Ok(None),
        other => Err(other),
    }
}

#[cfg(test)]
mod tests {
    use std::{
        fs,
        net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    };

    use super::*;

    fn v4(address: SocketAddr) -> SocketAddrV4 {
        match address {
            SocketAddr::V4(address) => address,
            SocketAddr::V6(_) => panic!("{address}"),
        }
    }

    #[test]
    fn both_ends_of_a_connection_have_their_owner() {
        let Ok(sockets) = Sockets::open() else {
            println!("skipped: the kernel cannot be asked for sockets here");
            return;
        };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("bound");
        let ours = v4(listener.local_addr().expect("an address"));
        let client = TcpStream::connect(ours).expect("connected");
        let theirs = v4(client.local_addr().expect("an address"));
        let owner = match sockets.owner(theirs, ours) {
            Ok(Some(owner)) => owner,
            other => {
                println!("skipped: this kernel does not tell whose a socket is: {other:?}");
                return;
            }
        };
        let link = fs::read_link(format!("/proc/self/fd/{}", client.as_raw_fd())).expect("a link");
        assert_eq!(link.to_string_lossy(), format!("socket:[{}]", owner.inode));
        assert_eq!(owner.uid, nix::unistd::geteuid().as_raw());
        let nobody = SocketAddrV4::new(Ipv4Addr::LOCALHOST, 1);
        assert_eq!(sockets.owner(nobody, ours), Ok(None));
    }

    #[test]
    fn an_answer_that_is_none_is_an_error() {
        for answer in [&[][..], &[0; 10], &[0; 600], b"\x08\0\0\0\x14\0\0\0"] {
            assert!(read(answer).is_err(), "{answer:?}");
        }
    }
}
