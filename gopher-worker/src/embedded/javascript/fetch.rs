//! What the module `http` asks of this process; its own part is `http.js`.

use rquickjs::{Ctx, Exception, Result, Value};
use serde::Deserialize;
use serde_json::{Map, Value as Json, json};

use super::convert::{text, to_js, to_json};
use crate::embedded::http::{self, Request};

/// A request as `http.js` writes it.
#[derive(Deserialize)]
struct Asked {
    method: String,
    url: String,
    query: Option<String>,
    headers: Vec<(String, String)>,
    cookies: Vec<(String, String)>,
    content: Option<Content>,
    seconds: Option<f64>,
    auth: Option<(String, String)>,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Content {
    Json,
    Form,
}

/// The body is a string or a list of bytes.
pub(super) fn send<'js>(ctx: &Ctx<'js>, request: &Value<'js>, body: &Value<'js>) -> Result<Value<'js>> {
    let wrong = |problem: String| Exception::throw_message(ctx, &problem);
    let request = to_json(request).map_err(|error| wrong(format!("http: {error}")))?;
    let asked = Asked::deserialize(request).map_err(|error| wrong(format!("http: {error}")))?;
    let body = match body.as_string() {
        Some(body) => Some(text(body)?.into_bytes()),
        None => body.get::<Option<Vec<u8>>>()?,
    };
    let response = http::send(&Request {
        method: asked.method,
        url: asked.url,
        query: asked.query,
        headers: asked.headers,
        cookies: asked.cookies,
        body,
        content_type: asked.content.map(|content| match content {
            Content::Json => "application/json",
            Content::Form => "application/x-www-form-urlencoded",
        }),
        timeout: asked.seconds.and_then(http::seconds),
        auth: asked.auth,
    })
    .map_err(wrong)?;
    let cookies: Map<String, Json> =
        response.cookies().map(|(name, value)| (name.to_owned(), Json::from(value))).collect();
    let answer = json!({
        "statusCode": response.status,
        "statusText": response.reason,
        "url": response.url,
        "headers": response.headers,
        "cookies": cookies,
        "body": String::from_utf8_lossy(&response.body),
        "bodySize": response.body.len(),
    });
    to_js(ctx, &answer)
}
