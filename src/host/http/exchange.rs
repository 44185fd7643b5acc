//! One exchange with a service: the request, redirects to the same server, and an answer that is read within its bounds.

use std::io::Read;

use reqwest::{
    Response, StatusCode,
    header::{ACCEPT, ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE, HeaderName, HeaderValue, LOCATION},
};
use url::{Url, form_urlencoded};

use super::{Answered, Asked, Body, HttpError, HttpErrorKind, Method, Service, is_json};
use crate::definition::ByteSize;

/// Most redirects of one exchange.
const REDIRECTS: usize = 3;

/// Longest address, in bytes: what an HTTP library can hold (`http::Uri`).
const ADDRESS: usize = 65_534;

/// Most bytes that are read of an answer that tells of a failure.
const FAILURE: usize = 16 << 10;

/// Bytes that are unpacked at once.
const PIECE: usize = 16 << 10;

impl Service {
    pub(super) async fn exchange(&self, asked: &Asked) -> Result<Answered, HttpError> {
        let mut url = self.address(asked)?;
        let method = match asked.method {
            Method::Get => reqwest::Method::GET,
            Method::Post => reqwest::Method::POST,
            Method::Put => reqwest::Method::PUT,
            Method::Patch => reqwest::Method::PATCH,
            Method::Delete => reqwest::Method::DELETE,
        };
        for _ in 0..=REDIRECTS {
            self.judge(&url)?;
            let mut request = self.client.request(method.clone(), url.clone());
            request = request.header(ACCEPT, "application/json").header(ACCEPT_ENCODING, "identity");
            for (name, value) in &asked.headers {
                request = request.header(header_name(name)?, header_value(name, value)?);
            }
            request = match &asked.body {
                None => request,
                Some(Body::Json(text)) => request.header(CONTENT_TYPE, "application/json").body(text.clone()),
                Some(Body::Form(pairs)) => {
                    let form = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
                    request.header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(form)
                }
            };
            // Those of the operator replace what a definition says.
            let sent = request.headers(self.headers.clone()).send().await;
            let response = sent.map_err(|error| self.broken(&error))?;
            match response.headers().get(LOCATION).filter(|_| is_redirect(response.status())) {
                Some(to) => url = self.redirected(&url, to, asked.method)?,
                None => return self.answer(response).await,
            }
        }
        let message = format!("`{}` led on more than {REDIRECTS} times", self.name);
        Err(HttpError::new(HttpErrorKind::Failed, message, self.really()))
    }

    /// The address of a request. Nothing that a call says can change more than its own place in it.
    fn address(&self, asked: &Asked) -> Result<Url, HttpError> {
        let mut url = self.base.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty();
            let last = asked.path.len().saturating_sub(1);
            for (n, segment) in asked.path.iter().enumerate() {
                let wrong = |what: &str| {
                    let message = format!("`{}` cannot be a part of the path: it {what}", segment.escape_debug());
                    HttpError::new(
                        HttpErrorKind::Invalid,
                        message,
                        "name one thing that the service has, without `/` around it",
                    )
                };
                match segment.as_str() {
                    "" if n < last => {
                        let hint = "give the argument that names what is asked for";
                        return Err(HttpError::new(HttpErrorKind::Invalid, "a part of the path is empty", hint));
                    }
                    "." | ".." => return Err(wrong("would lead elsewhere")),
                    _ if segment.contains(char::is_control) => return Err(wrong("holds a control character")),
                    _ => drop(path.push(segment)),
                }
            }
        }
        if !asked.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&asked.query);
        }
        match url.as_str().len() {
            0..=ADDRESS => Ok(url),
            bytes => {
                let message =
                    format!("the address of the request is {bytes} bytes long, and at most {ADDRESS} can be sent");
                let hint = "shorten the texts of the call: a letter that is not ASCII takes six bytes or more";
                Err(HttpError::new(HttpErrorKind::Invalid, message, hint))
            }
        }
    }

    /// Where a redirect leads, if that is the same server.
    fn redirected(&self, from: &Url, to: &HeaderValue, method: Method) -> Result<Url, HttpError> {
        let refused = |why: &str| {
            let message = format!("`{}` sent the request elsewhere, which was not followed: {why}", self.name);
            HttpError::new(HttpErrorKind::Forbidden, message, self.really())
        };
        let to = to.to_str().ok().and_then(|to| from.join(to).ok()).ok_or_else(|| refused("it leads nowhere"))?;
        if to.origin() != from.origin() || !to.username().is_empty() || to.password().is_some() {
            return Err(refused("it leads to another scheme, host or port"));
        }
        if method != Method::Get {
            return Err(refused("only a GET is repeated"));
        }
        Ok(to)
    }

    async fn answer(&self, mut response: Response) -> Result<Answered, HttpError> {
        let status = response.status();
        let header = |name| response.headers().get(name).and_then(|value: &HeaderValue| value.to_str().ok());
        let media_type = header(CONTENT_TYPE).and_then(|value| value.split(';').next()).unwrap_or_default();
        // Before anything is made of them: small letters would hide a secret that has others.
        let media_type = self.hidden.without(media_type.trim()).to_ascii_lowercase();
        let encoding = self.hidden.without(header(CONTENT_ENCODING).unwrap_or("identity").trim()).to_ascii_lowercase();
        let (failed, max) = (!status.is_success(), self.max_bytes);
        let most = if failed { max.min(FAILURE) } else { max };
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| self.broken(&error))? {
            body.extend_from_slice(&chunk);
            if body.len() > most {
                if failed {
                    body.truncate(most);
                    break;
                }
                return Err(self.too_long());
            }
        }
        let body = match encoding.as_str() {
            "identity" | "" => body,
            "gzip" | "x-gzip" => self.unpacked(&body, most, failed)?,
            other => {
                let message = format!("`{}` packed its answer as `{}`", self.name, other.escape_debug());
                return Err(HttpError::new(HttpErrorKind::Failed, message, self.looks()));
            }
        };
        let text = match String::from_utf8(body) {
            Ok(text) => text,
            Err(error) if failed => String::from_utf8_lossy(error.as_bytes()).into_owned(),
            Err(_) => {
                let message = format!("`{}` answered {media_type} that is not UTF-8", self.name);
                return Err(HttpError::new(HttpErrorKind::Failed, message, self.looks()));
            }
        };
        let is_empty = text.is_empty();
        let reason = status.canonical_reason().unwrap_or_default();
        let status = status.as_u16();
        if failed || !is_json(&media_type) {
            let text = self.hidden.said(text);
            return Ok(Answered { status, reason, media_type, text, document: None, is_empty, repeated: Vec::new() });
        }
        let (document, repeated) = match self.hidden.document(&text) {
            Ok((document, repeated)) => (Ok(document), repeated),
            Err(error) => (Err(error.into()), Vec::new()),
        };
        let document = Some(document);
        Ok(Answered { status, reason, media_type, text: String::new(), document, is_empty, repeated })
    }

    fn unpacked(&self, packed: &[u8], most: usize, failed: bool) -> Result<Vec<u8>, HttpError> {
        let mut unpacker = flate2::read::MultiGzDecoder::new(packed);
        let (mut body, mut piece) = (Vec::new(), vec![0; PIECE]);
        loop {
            match unpacker.read(&mut piece) {
                Ok(0) => return Ok(body),
                Ok(n) => body.extend_from_slice(piece.get(..n).unwrap_or_default()),
                // What came of it is enough to tell of a failure.
                Err(_) if failed => return Ok(body),
                Err(error) => {
                    let message = format!("the answer of `{}` cannot be unpacked: {error}", self.name);
                    return Err(HttpError::new(HttpErrorKind::Failed, message, self.looks()));
                }
            }
            if body.len() > most {
                if failed {
                    body.truncate(most);
                    return Ok(body);
                }
                return Err(self.too_long());
            }
        }
    }

    fn too_long(&self) -> HttpError {
        let (name, most) = (&self.name, ByteSize(self.max_bytes as u64));
        let message = format!("the answer of `{name}` is longer than {most} (`http.services.{name}.max_bytes`)");
        HttpError::new(HttpErrorKind::Failed, message, "ask for less: a shorter window, a filter, a coarser step")
    }

    /// What to do where a redirect is not followed.
    fn really(&self) -> String {
        format!("the operator sets `http.services.{}.url` to where the service really is", self.name)
    }

    /// The same where an answer has a form that nobody asked for.
    fn looks(&self) -> String {
        format!("try again; if it stays so, the operator looks at what answers at `http.services.{}.url`", self.name)
    }

    fn broken(&self, error: &reqwest::Error) -> HttpError {
        let told = HttpError::of(&self.name, error);
        HttpError { message: self.hidden.without(&told.message).into_owned(), ..told }
    }
}

fn is_redirect(status: StatusCode) -> bool {
    matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308)
}

fn header_name(name: &str) -> Result<HeaderName, HttpError> {
    HeaderName::try_from(name).map_err(|_| {
        let message = format!("`{}` is no name of a header", name.escape_debug());
        HttpError::new(
            HttpErrorKind::Invalid,
            message,
            "the author of the definition gives the header a name of letters and `-`",
        )
    })
}

fn header_value(name: &str, value: &str) -> Result<HeaderValue, HttpError> {
    HeaderValue::try_from(value).map_err(|_| {
        let message = format!("`{}` cannot be the value of the header `{name}`", value.escape_debug());
        HttpError::new(HttpErrorKind::Invalid, message, "a header is one line without control characters")
    })
}
