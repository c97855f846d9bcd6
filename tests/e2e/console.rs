//! The console as it is deployed: with a role of its own, under a path that it does not know.

use reqwest::{Client, Response, Url, header, redirect::Policy};

use crate::{
    stack::{World, alone},
    until::until,
};

/// A browser, as far as cookies and forms go.
struct Browser {
    client: Client,
    start: Url,
    cookie: Option<String>,
}

impl Browser {
    fn new(world: &World) -> Self {
        let client = Client::builder().no_proxy().redirect(Policy::none()).build().expect("a client");
        let start = Url::parse(&world.stack.endpoints().console).expect("an address");
        Self { client, start, cookie: None }
    }

    fn url(&self, link: &str) -> Url {
        self.start.join(link).expect("a link")
    }

    async fn get(&self, url: &Url) -> Response {
        let cookie = self.cookie.clone().unwrap_or_default();
        self.client.get(url.clone()).header(header::COOKIE, cookie).send().await.expect("the console answers")
    }

    async fn text(&self, url: &Url) -> String {
        let answer = self.get(url).await;
        assert_eq!(answer.status(), 200, "{url}");
        answer.text().await.expect("a page")
    }

    async fn post(&self, url: &Url, fields: &[(String, String)]) -> Response {
        let cookie = self.cookie.clone().unwrap_or_default();
        let request = self.client.post(url.clone()).header(header::COOKIE, cookie);
        request.header("sec-fetch-site", "same-origin").form(fields).send().await.expect("the console answers")
    }

    async fn sign_in(&mut self, token: &str) {
        let answer = self.post(&self.url("sign-in"), &[("token".to_owned(), token.to_owned())]).await;
        assert_eq!(answer.status(), 303);
        let cookie = answer.headers()[header::SET_COOKIE].to_str().expect("a cookie");
        self.cookie = cookie.split(';').next().map(str::to_owned);
    }

    /// Opens a question, and answers it.
    async fn command(&self, command: &str, map: &str) {
        let page = self.url(&format!("commands/{command}?map={map}"));
        let mut fields = hidden(&self.text(&page).await, &format!("commands/{command}\">"));
        fields.push(("reason".to_owned(), "tried by a test".to_owned()));
        let answer = self.post(&page, &fields).await;
        let status = answer.status();
        let location = answer.headers().get(header::LOCATION).map(|link| link.to_str().expect("a link").to_owned());
        assert_eq!(status, 303, "{command}: {}", answer.text().await.unwrap_or_default());
        let then = page.join(&location.expect("a link")).expect("a link");
        assert!(self.text(&then).await.contains("Done: "), "{then}");
    }
}

/// The hidden fields of the form with this address.
fn hidden(page: &str, action: &str) -> Vec<(String, String)> {
    let form = page.split("<form").find(|form| form.contains(action)).expect("the form is there");
    let form = form.split("</form>").next().unwrap_or_default();
    let part = |field: &str, name: &str| {
        let (_, rest) = field.split_once(&format!("{name}=\"")).expect("a part");
        rest.split('"').next().unwrap_or_default().to_owned()
    };
    form.split("type=\"hidden\" ").skip(1).map(|field| (part(field, "name"), part(field, "value"))).collect()
}

#[test]
fn the_console_signs_in_shows_each_page_and_switches_a_map() {
    alone(async |world| {
        let mut browser = Browser::new(world);
        let answer = browser.get(&browser.url("")).await;
        assert_eq!(answer.status(), 303, "nobody is signed in");
        browser.sign_in(&world.stack.endpoints().tokens["operator"]).await;
        let overview = browser.text(&browser.url("")).await;
        assert!(overview.contains(&format!("./maps/{}\"", local::MAP)), "{overview}");
        let style = overview.split('"').find(|link| link.ends_with(".css")).expect("a style");
        assert!(browser.text(&browser.url(style)).await.contains("--panel"));
        for page in ["", "/errors", "/errors/list", "/errors/download", "/queue"] {
            browser.text(&browser.url(&format!("maps/{}{page}", local::MAP))).await;
        }
        for (command, state) in [("pause", "Paused"), ("resume", "CatchingUp"), ("stop", "Stopped"), ("run", "Running")]
        {
            browser.command(command, local::MAP).await;
            let map = world.admin.get(&format!("/maps/{}", local::MAP)).await.expect("admin answers");
            if map["state"] == state {
                assert_eq!((&map["actor"], &map["reason"]), (&"local operator".into(), &"tried by a test".into()));
            } else {
                // A backlog of nothing is written at once.
                assert_eq!((state, &map["state"]), ("CatchingUp", &"Running".into()));
            }
            // What is asked about a map that goes on by itself is asked anew.
            until("the catch-up ends", async || {
                let map = world.admin.get(&format!("/maps/{}", local::MAP)).await.expect("admin answers");
                (map["state"] != "CatchingUp").then_some(())
            })
            .await;
        }
        let page = browser.text(&browser.url("")).await;
        let answer = browser.post(&browser.url("sign-out"), &hidden(&page, "sign-out\">")).await;
        assert_eq!(answer.status(), 303);
        assert_eq!(browser.get(&browser.url("")).await.status(), 303, "the session is over");
    });
}
