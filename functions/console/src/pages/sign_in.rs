//! `/sign-in`: a bearer token becomes a session.

use std::sync::Arc;

use app::{
    admin::{
        AdminPorts,
        sessions::{sign_in as open, sign_out as close},
    },
    error::AppError,
};
use axum::{
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use maud::{Markup, html};

use crate::{
    http::{
        cookie,
        params::{Form, Params},
        reply::{Reply, page, see},
        return_to::ReturnTo,
        visit::{Place, Visit},
    },
    parts::layout,
    router::App,
};

pub(crate) async fn show(place: Place, params: Params) -> Response {
    page(StatusCode::OK, render(&place, &wanted(&params), None))
}

pub(crate) async fn sign_in<P: AdminPorts>(State(app): State<Arc<App<P>>>, place: Place, Form(form): Form) -> Reply {
    let to = wanted(&form);
    match open(&*app.ports, form.text("token").unwrap_or_default()).await {
        Ok((secret, _)) => {
            let mut response = see(&place.link(to.as_str()));
            response.headers_mut().extend(cookie::give(&secret).map(|cookie| (header::SET_COOKIE, cookie)));
            Ok(response)
        }
        Err(AppError::Unauthenticated) => {
            let wrong = "Nobody has this token. It may have been taken back.";
            Ok(page(StatusCode::UNAUTHORIZED, render(&place, &to, Some(wrong))))
        }
        Err(error) => Err(error.into()),
    }
}

pub(crate) async fn sign_out<P: AdminPorts>(State(app): State<Arc<App<P>>>, visit: Visit) -> Reply {
    close(&*app.ports, &visit.secret).await?;
    let mut response = see(&visit.place.link("sign-in")).into_response();
    response.headers_mut().extend(cookie::take().map(|cookie| (header::SET_COOKIE, cookie)));
    Ok(response)
}

fn wanted(params: &Params) -> ReturnTo {
    ReturnTo::read(params.text("to").unwrap_or_default())
}

fn render(place: &Place, to: &ReturnTo, wrong: Option<&str>) -> Markup {
    let body = html! {
        section.panel.narrow {
            h1 { "Sign in" }
            form method="post" action=(place.link("sign-in")) {
                input type="hidden" name="to" value=(to.as_str());
                label.field for="token" { "Token" }
                @if let Some(wrong) = wrong { p.wrong #token-wrong role="alert" { (wrong) } }
                input #token name="token" type="password" required autofocus autocomplete="current-password"
                    aria-invalid=[wrong.map(|_| "true")] aria-describedby=[wrong.map(|_| "token-wrong")];
                p.soft.small { "It begins with tnd_. An admin makes one for each person, and takes it back; that ends its sessions, too." }
                p.row { button.btn.main { "Sign in" } }
            }
        }
    };
    layout::bare(place, "Sign in", &body)
}
