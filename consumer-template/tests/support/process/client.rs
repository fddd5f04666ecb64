//! A provider's connection: kept alive, one request at a time.

use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// How long an answer may take. A server under a tracer on a busy machine is slow.
const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) struct Client {
    stream: TcpStream,
}

impl Client {
    pub(crate) fn connect(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        Ok(Self { stream })
    }

    /// Sends `request` and reads the answer to its end. An answer that is cut off is none.
    pub(crate) fn post(&mut self, request: &[u8]) -> io::Result<u16> {
        self.stream.write_all(request)?;
        let (mut answer, mut chunk) = (Vec::new(), [0; 1024]);
        loop {
            if let Some(status) = complete(&answer) {
                return Ok(status);
            }
            match self.stream.read(&mut chunk)? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                n => answer.extend_from_slice(chunk.get(..n).unwrap_or_default()),
            }
        }
    }
}

/// The status, once head and body are there.
fn complete(answer: &[u8]) -> Option<u16> {
    let text = std::str::from_utf8(answer).ok()?;
    let (head, body) = text.split_once("\r\n\r\n")?;
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "))?;
    let status = head.strip_prefix("HTTP/1.1 ")?.get(..3)?;
    (body.len() >= length.parse().ok()?).then(|| status.parse().ok())?
}

#[test]
fn an_answer_counts_when_it_is_all_there() {
    let whole = b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nok\n";
    assert_eq!(complete(whole), Some(200));
    for end in 0..whole.len() {
        assert_eq!(complete(&whole[..end]), None);
    }
}
