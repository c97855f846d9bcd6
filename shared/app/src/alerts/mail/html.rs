//! A mail as HTML: tables and inline styles, for that is what mail readers draw alike. maud escapes every value.

use maud::{DOCTYPE, Markup, html};

use super::parts::{Facts, Row, Step, Tone, about, keys};

const FONT: &str = "font-family:-apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif;";

/// The page.
pub(super) fn page(facts: &Facts) -> String {
    let accent = match facts.tone {
        Tone::Alarm => "#b42318",
        Tone::Grave => "#b54708",
        Tone::Calm => "#067647",
    };
    let markup = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light";
                title { (facts.headline) }
            }
            body style="margin:0;padding:0;background:#f2f4f7;" {
                table role="presentation" width="100%" cellpadding="0" cellspacing="0" style="background:#f2f4f7;" {
                    tr { td align="center" style="padding:24px 12px;" {
                        table role="presentation" width="100%" cellpadding="0" cellspacing="0"
                            style=(format!("max-width:640px;background:#ffffff;border-radius:8px;border-top:4px solid {accent};{FONT}")) {
                            tr { td style="padding:24px 28px 8px;" { (head(facts, accent)) } }
                            tr { td style="padding:8px 28px;" { (rows(&facts.rows)) } }
                            @if !facts.top.is_empty() {
                                tr { td style="padding:8px 28px;" { (top(facts)) } }
                            }
                            tr { td style="padding:8px 28px 20px;" { (steps(&facts.steps)) } }
                            @if let Some((what, link)) = &facts.link {
                            tr { td style="padding:0 28px 28px;" {
                                a href=(link) style="display:inline-block;background:#1d2939;color:#ffffff;text-decoration:none;padding:10px 18px;border-radius:6px;font-size:14px;" {
                                    (what)
                                }
                            } }
                            }
                        }
                        p style=(format!("{FONT}font-size:12px;color:#667085;margin:16px 0 0;")) {
                            "Sent by Tandem because an alert setting names this address."
                        }
                    } }
                }
            }
        }
    };
    markup.into_string()
}

fn head(facts: &Facts, accent: &str) -> Markup {
    html! {
        h1 style=(format!("margin:0 0 8px;font-size:20px;line-height:28px;color:{accent};")) { (facts.headline) }
        p style="margin:0;font-size:14px;line-height:21px;color:#344054;" { (facts.lead) }
    }
}

fn rows(rows: &[Row]) -> Markup {
    html! {
        table role="presentation" width="100%" cellpadding="0" cellspacing="0" style="font-size:14px;line-height:20px;" {
            @for Row { name, value } in rows {
                tr {
                    td valign="top" width="84" style="padding:6px 12px 6px 0;color:#667085;border-bottom:1px solid #eaecf0;" { (name) }
                    td valign="top" style="padding:6px 0;color:#101828;border-bottom:1px solid #eaecf0;word-break:break-word;" { (value) }
                }
            }
        }
    }
}

fn steps(steps: &[Step]) -> Markup {
    html! {
        h2 style="margin:8px 0;font-size:15px;color:#101828;" { "What you can do" }
        @for Step { what, call } in steps {
            p style="margin:0 0 10px;font-size:14px;line-height:20px;color:#344054;" {
                (what) ":" br;
                span style="font-family:Menlo,Consolas,'Courier New',monospace;font-size:12px;color:#101828;word-break:break-all;" { (call) }
            }
        }
    }
}

fn top(facts: &Facts) -> Markup {
    html! {
        h2 style="margin:8px 0;font-size:15px;color:#101828;" { "What the errors say" }
        @for top in &facts.top {
            table role="presentation" width="100%" cellpadding="0" cellspacing="0" style="margin:0 0 8px;background:#f9fafb;border-radius:6px;" {
                tr { td style="padding:10px 14px;font-size:14px;line-height:20px;color:#101828;word-break:break-word;" {
                    div style="color:#667085;font-size:12px;" { (about(top)) }
                    div { (top.message) }
                    @if let Some(keys) = keys(top) {
                        div style="color:#667085;font-size:12px;" { (keys) }
                    }
                } }
            }
        }
    }
}
