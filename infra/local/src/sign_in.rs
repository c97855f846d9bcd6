//! The one-click sign-in of a local run: a door of this tool's own, on this machine. The console knows nothing of it, so there is
//! none in the cloud.
//!
//! The door signs in at the console with the first admin's token and hands its cookie on. A browser keeps cookies by host, whatever
//! the port is.

use anyhow::{Context, bail};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rand::Rng;
use reqwest::{Client, Url, header, redirect::Policy};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::endpoints::Endpoints;

/// Longest head of a request that is read, in bytes.
const MAX_HEAD_BYTES: usize = 16 * 1024;

/// A door to the console.
#[derive(Debug)]
pub(crate) struct SignInDoor {
    listener: TcpListener,
    port: u16,
    /// Nobody else on this machine knows the path.
    path: String,
    console: Url,
    token: String,
    client: Client,
}

impl SignInDoor {
    /// Opens a door to the console of a run.
    pub(crate) async fn open(endpoints: &Endpoints) -> anyhow::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.context("no port for the sign-in")?;
        let port = listener.local_addr()?.port();
        let mut chance = [0; 16];
        rand::rng().fill_bytes(&mut chance);
        let client = Client::builder().no_proxy().redirect(Policy::none()).build()?;
        let token = endpoints.tokens.get("admin").cloned().context("the run has no admin token")?;
        let (path, console) = (format!("/{}", URL_SAFE_NO_PAD.encode(chance)), Url::parse(&endpoints.console)?);
        Ok(Self { listener, port, path, console, token, client })
    }

    /// The link to open.
    pub(crate) fn link(&self) -> String {
        format!("http://127.0.0.1:{}{}", self.port, self.path)
    }

    /// Lets in whoever comes with the link, for as long as the run lasts.
    pub(crate) async fn let_in(&self) -> anyhow::Result<()> {
        loop {
            let (guest, _) = self.listener.accept().await?;
            // A guest who hangs up, or a console that does not answer, is no reason to stop the run.
            let _ = self.answer(guest).await;
        }
    }

    async fn answer(&self, mut guest: TcpStream) -> anyhow::Result<()> {
        let line = read_request_line(&mut guest).await?;
        let answer = match line.split(' ').nth(1) == Some(&self.path) {
            true => match self.sign_in().await {
                Ok(cookie) => format!("303 See Other\r\nlocation: {}\r\nset-cookie: {cookie}", self.console),
                Err(_) => "502 Bad Gateway".to_owned(),
            },
            false => "404 Not Found".to_owned(),
        };
        let answer =
            format!("HTTP/1.1 {answer}\r\ncontent-length: 0\r\ncache-control: no-store\r\nconnection: close\r\n\r\n");
        guest.write_all(answer.as_bytes()).await?;
        Ok(guest.shutdown().await?)
    }

    /// Signs in as a browser does on the console's own page, and returns the cookie.
    async fn sign_in(&self) -> anyhow::Result<String> {
        let page = self.console.join("sign-in")?;
        let request = self.client.post(page).header("sec-fetch-site", "same-origin").form(&[("token", &self.token)]);
        let answer = request.send().await?;
        match answer.headers().get(header::SET_COOKIE) {
            Some(cookie) => Ok(cookie.to_str()?.to_owned()),
            None => bail!("the console answered {}", answer.status()),
        }
    }
}

async fn read_request_line(guest: &mut TcpStream) -> anyhow::Result<String> {
    let mut head = Vec::new();
    while !head.windows(4).any(|end| end == b"\r\n\r\n") && head.len() < MAX_HEAD_BYTES {
        let mut part = [0; 1024];
        match guest.read(&mut part).await? {
            0 => break,
            n => head.extend_from_slice(&part[..n]),
        }
    }
    Ok(String::from_utf8_lossy(&head).lines().next().unwrap_or_default().to_owned())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    /// A console that takes one sign-in, and what it was sent.
    async fn console(listener: TcpListener) -> String {
        let (mut guest, _) = listener.accept().await.unwrap();
        let mut sent = String::new();
        while !sent.contains("token=") {
            let mut part = [0; 1024];
            let n = guest.read(&mut part).await.unwrap();
            sent.push_str(std::str::from_utf8(&part[..n]).unwrap());
        }
        let answer = "HTTP/1.1 303 See Other\r\nset-cookie: __Host-tandem=tns_y; Secure\r\ncontent-length: 0\r\n\r\n";
        guest.write_all(answer.as_bytes()).await.unwrap();
        sent
    }

    #[tokio::test]
    async fn only_the_link_opens_the_door_and_it_hands_the_cookie_on() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let console = tokio::spawn(console(listener));
        let tokens = BTreeMap::from([("admin".to_owned(), "tnd_x".to_owned())]);
        let door = SignInDoor::open(&Endpoints { console: url.clone(), tokens, ..Endpoints::default() }).await.unwrap();
        let client = Client::builder().no_proxy().redirect(Policy::none()).build().unwrap();
        let calls = async {
            let wrong = client.get(format!("{}x", door.link())).send().await.unwrap();
            assert_eq!((wrong.status().as_u16(), wrong.headers().get("set-cookie")), (404, None));
            let answer = client.get(door.link()).send().await.unwrap();
            assert_eq!((answer.status().as_u16(), answer.headers()["location"].to_str().unwrap()), (303, &*url));
            assert_eq!(answer.headers()["set-cookie"], "__Host-tandem=tns_y; Secure");
        };
        tokio::select! { () = calls => {}, _ = door.let_in() => panic!("the door is closed") }
        let sent = console.await.unwrap();
        assert!(sent.contains("sec-fetch-site: same-origin") && sent.ends_with("token=tnd_x"), "{sent}");
    }
}
