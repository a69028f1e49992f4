//! A plain HTTP/1.1 client, enough for admin pages, Elasticsearch and loading nginx.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// A connection that stays open between requests.
#[derive(Debug)]
pub struct Client {
    host: String,
    stream: BufReader<TcpStream>,
}

/// Status and body of a response.
pub type Response = (u16, Vec<u8>);

impl Client {
    /// Connects to `host:port`.
    pub fn connect(host: &str) -> std::io::Result<Self> {
        let stream = TcpStream::connect(host)?;
        stream.set_read_timeout(Some(Duration::from_secs(60)))?;
        stream.set_nodelay(true)?;
        Ok(Client { host: host.to_owned(), stream: BufReader::new(stream) })
    }

    /// Sends a request and reads the response.
    pub fn request(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> std::io::Result<Response> {
        let mut head =
            format!("{method} {path} HTTP/1.1\r\nHost: {}\r\nContent-Length: {}\r\n", self.host, body.len());
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        let request = format!("{head}\r\n{body}");
        self.stream.get_mut().write_all(request.as_bytes())?;
        self.response()
    }

    fn response(&mut self) -> std::io::Result<Response> {
        let broken = |what: &str| std::io::Error::other(format!("broken response: {what}"));
        let status_line = self.line()?;
        let status =
            status_line.split(' ').nth(1).and_then(|s| s.parse().ok()).ok_or_else(|| broken(&status_line))?;
        let (mut length, mut chunked) = (0, false);
        loop {
            let header = self.line()?.to_ascii_lowercase();
            match header.split_once(": ") {
                None => break,
                Some(("content-length", value)) => length = value.parse().map_err(|_| broken(value))?,
                Some(("transfer-encoding", "chunked")) => chunked = true,
                Some(_) => {}
            }
        }
        let mut body = Vec::new();
        if !chunked {
            body.resize(length, 0);
            self.stream.read_exact(&mut body)?;
            return Ok((status, body));
        }
        loop {
            let size = self.line()?;
            let size = usize::from_str_radix(&size, 16).map_err(|_| broken(&size))?;
            let begin = body.len();
            body.resize(begin + size, 0);
            self.stream.read_exact(&mut body[begin..])?;
            self.line()?;
            if size == 0 {
                return Ok((status, body));
            }
        }
    }

    fn line(&mut self) -> std::io::Result<String> {
        let mut line = String::new();
        if self.stream.read_line(&mut line)? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        Ok(line.trim_end().to_owned())
    }
}

/// One request over a connection of its own; `None` when the server cannot be reached.
pub fn request(host: &str, method: &str, path: &str, body: &str) -> Option<Response> {
    let headers = [("Content-Type", "application/json"), ("Connection", "close")];
    Client::connect(host).ok()?.request(method, path, &headers, body).ok()
}

/// The text at a path; `None` when the server cannot be reached or does not answer with 200.
pub fn get(host: &str, path: &str) -> Option<String> {
    let (status, body) = request(host, "GET", path, "")?;
    (status == 200).then(|| String::from_utf8_lossy(&body).into_owned())
}
