//! Access tokens of an issuer that the test runs: what is refused, and what the issuer's troubles do.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use axum::{Json, Router, extract::State, http::StatusCode, routing::get};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode, jwk::Jwk};
use serde_json::{Value, json};
use tfo_mcp::{
    engine::Principal,
    server::identity::{At, ClaimNames, Denied, Identity, IdentityOptions, Times, TokenOptions},
};

use super::{ONE, headers};
use crate::support::{
    client::serve_command,
    eventually::eventually,
    http::{HttpServer, http_client, modern_request},
};

const AUDIENCE: &str = "https://mcp.example.com/mcp";
/// Keys of this test alone.
const ED: &[u8] = include_bytes!("ed25519.pem");
const RSA: &[u8] = include_bytes!("rsa.pem");

/// A key of the issuer.
#[derive(Clone)]
struct Signer {
    kid: &'static str,
    algorithm: Algorithm,
    key: EncodingKey,
}

impl Signer {
    fn ec(kid: &'static str) -> Self {
        let pem = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap().serialize_pem();
        Self { kid, algorithm: Algorithm::ES256, key: EncodingKey::from_ec_pem(pem.as_bytes()).unwrap() }
    }

    fn ed(kid: &'static str) -> Self {
        Self { kid, algorithm: Algorithm::EdDSA, key: EncodingKey::from_ed_pem(ED).unwrap() }
    }

    fn rsa(kid: &'static str) -> Self {
        Self { kid, algorithm: Algorithm::RS256, key: EncodingKey::from_rsa_pem(RSA).unwrap() }
    }

    fn jwk(&self) -> Value {
        let mut jwk = Jwk::from_encoding_key(&self.key, self.algorithm).unwrap();
        jwk.common.key_id = Some(self.kid.into());
        serde_json::to_value(jwk).unwrap()
    }

    fn header(&self) -> Header {
        Header { kid: Some(self.kid.into()), typ: Some("at+jwt".into()), ..Header::new(self.algorithm) }
    }

    fn sign(&self, claims: &Value) -> String {
        encode(&self.header(), claims, &self.key).unwrap()
    }
}

#[derive(Default)]
struct Published {
    keys: Mutex<Vec<Value>>,
    origin: Mutex<String>,
    down: AtomicBool,
    hangs: AtomicBool,
    asked: AtomicUsize,
}

struct Issuer {
    url: String,
    published: Arc<Published>,
}

impl Issuer {
    async fn start(keys: &[&Signer]) -> Self {
        async fn metadata(State(published): State<Arc<Published>>) -> Json<Value> {
            let origin = published.origin.lock().unwrap().clone();
            Json(json!({ "issuer": origin, "jwks_uri": format!("{origin}/keys") }))
        }
        async fn jwks(State(published): State<Arc<Published>>) -> Result<Json<Value>, StatusCode> {
            published.asked.fetch_add(1, Ordering::SeqCst);
            if published.hangs.load(Ordering::SeqCst) {
                std::future::pending::<()>().await;
            }
            if published.down.load(Ordering::SeqCst) {
                return Err(StatusCode::BAD_GATEWAY);
            }
            Ok(Json(json!({ "keys": *published.keys.lock().unwrap() })))
        }
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let published = Arc::new(Published::default());
        *published.origin.lock().unwrap() = url.clone();
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(metadata))
            .route("/keys", get(jwks))
            .with_state(published.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        let issuer = Self { url, published };
        issuer.publish(keys);
        issuer
    }

    fn publish(&self, keys: &[&Signer]) {
        *self.published.keys.lock().unwrap() = keys.iter().map(|key| key.jwk()).collect();
    }

    fn asked(&self) -> usize {
        self.published.asked.load(Ordering::SeqCst)
    }

    fn down(&self, down: bool) {
        self.published.down.store(down, Ordering::SeqCst);
    }

    fn options(&self) -> TokenOptions {
        TokenOptions {
            issuer: self.url.clone(),
            audiences: vec![AUDIENCE.into()],
            jwks_url: None,
            required_scopes: vec!["mcp".into()],
            algorithms: Vec::new(),
            claims: ClaimNames {
                organizations: "tenant.ids".into(),
                variables: [("region".to_owned(), "https://example.com/region".to_owned())].into(),
                toolsets: Some("toolsets".into()),
                ..ClaimNames::default()
            },
            resource: None,
            paths: Some(("/mcp".into(), "/sse".into())),
            leeway: Duration::from_secs(60),
            times: Times { pause: Duration::from_millis(200), ..Times::default() },
        }
    }

    fn identity(&self) -> Identity {
        Identity::new(IdentityOptions { tokens: Some(self.options()), ..IdentityOptions::default() }).unwrap()
    }

    /// The claims of a token that is right, changed.
    fn claims(&self, change: Value) -> Value {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        let mut claims = json!({
            "iss": self.url, "aud": [AUDIENCE, "other"], "sub": "alice", "exp": now + 600, "nbf": now - 5,
            "scope": "openid mcp", "tenant": { "ids": [ONE] }, "toolsets": ["ops"],
            "https://example.com/region": "eu", "secret": "canary",
        });
        claims.as_object_mut().unwrap().extend(change.as_object().cloned().unwrap());
        claims.as_object_mut().unwrap().retain(|_, value| !value.is_null());
        claims
    }
}

async fn show(identity: &Identity, token: &str) -> Result<Principal, Denied> {
    identity.authenticate(&headers(&[("authorization", &format!("Bearer {token}"))])).await
}

#[tokio::test]
async fn a_token_names_whom_it_says() {
    for signer in [Signer::ec("a"), Signer::ed("b"), Signer::rsa("c")] {
        let issuer = Issuer::start(&[&signer, &Signer::ec("another")]).await;
        let identity = issuer.identity();
        let principal = show(&identity, &signer.sign(&issuer.claims(json!({})))).await.unwrap();
        assert_eq!(principal.subject.as_deref(), Some("token:alice"));
        assert_eq!(principal.organizations, Some(vec![ONE.to_owned()]));
        assert_eq!(principal.toolsets, Some(vec!["ops".to_owned()]));
        assert_eq!(principal.scopes, Some(vec!["openid".to_owned(), "mcp".to_owned()]));
        assert_eq!(Value::from(principal.claims), json!({ "region": "eu" }));
        // A token without the claim that decides opens no toolset.
        let bare = show(&identity, &signer.sign(&issuer.claims(json!({ "toolsets": null })))).await.unwrap();
        assert_eq!(bare.toolsets, Some(Vec::new()));
    }
}

/// What is advertised as the resource is what a token may be for; libraries differ in the slash of an empty path.
#[tokio::test]
async fn a_token_for_what_is_advertised_is_accepted() {
    let signer = Signer::ec("a");
    let issuer = Issuer::start(&[&signer]).await;
    let (bare, slash, path) = ("https://mcp.example.com", "https://mcp.example.com/", "https://mcp.example.com/a/");
    for (audiences, resource, advertised, accepted, refused) in [
        (&[][..], Some(bare), Some(bare), &[bare, slash][..], &["https://mcp.example.com/mcp", "mcp.example.com"][..]),
        (&[], Some(slash), Some(slash), &[bare, slash], &[]),
        (&[], Some(path), Some(path), &[path], &["https://mcp.example.com/a", bare]),
        (&["api://x", "urn:y"], None, None, &["api://x", "urn:y"], &["api://x/", "x"]),
        (&["api://x"], Some(bare), Some(bare), &["api://x", bare, slash], &["api://y"]),
        (&["api://x", bare], None, Some(bare), &["api://x", bare, slash], &["api://y"]),
    ] {
        let mut options = issuer.options();
        options.audiences = audiences.iter().map(|audience| (*audience).to_owned()).collect();
        options.resource = resource.map(str::to_owned);
        let identity = Identity::new(IdentityOptions { tokens: Some(options), ..IdentityOptions::default() }).unwrap();
        let metadata = identity.resource_metadata(At::Protocol).map(|(metadata, _)| metadata["resource"].clone());
        assert_eq!(metadata, advertised.map(Value::from), "{audiences:?} {resource:?}");
        assert_eq!(identity.leads_to_issuer(), advertised.is_some());
        let challenge = identity.authenticate(&headers(&[])).await.unwrap_err().challenge.unwrap();
        let leads = challenge.to_str().unwrap().contains("resource_metadata=\"https://mcp.example.com/.well-known/");
        assert_eq!(leads, advertised.is_some(), "{challenge:?}");
        assert!(!challenge.to_str().unwrap().contains("null"), "{challenge:?}");
        let shown = async |aud: &str| {
            let one = show(&identity, &signer.sign(&issuer.claims(json!({ "aud": aud })))).await.is_ok();
            let several = show(&identity, &signer.sign(&issuer.claims(json!({ "aud": ["x", aud] })))).await.is_ok();
            assert_eq!(one, several, "{aud}");
            one
        };
        for aud in accepted {
            assert!(shown(aud).await, "{audiences:?} {resource:?}: {aud}");
        }
        for aud in refused {
            assert!(!shown(aud).await, "{audiences:?} {resource:?}: {aud}");
        }
    }
    let broken = |resource: &str| {
        let options = TokenOptions { resource: Some(resource.into()), ..issuer.options() };
        Identity::new(IdentityOptions { tokens: Some(options), ..IdentityOptions::default() }).unwrap_err()
    };
    for resource in ["api://x", "mcp.example.com", "https://mcp.example.com/#x", "https://u:p@mcp.example.com/"] {
        assert!(broken(resource).contains("https://mcp.example.com/mcp"), "{resource}: {}", broken(resource));
    }
}

/// RFC 9068 has `scope`, Entra ID a text in `scp`, Okta a list.
#[tokio::test]
async fn scopes_are_read_as_issuers_write_them() {
    let signer = Signer::ec("a");
    let issuer = Issuer::start(&[&signer]).await;
    let identity = issuer.identity();
    for (claims, expected) in [
        (json!({ "scope": "mcp a" }), &["mcp", "a"][..]),
        (json!({ "scope": ["mcp", "a b"] }), &["mcp", "a", "b"]),
        (json!({ "scope": null, "scp": "mcp  a" }), &["mcp", "a"]),
        (json!({ "scope": null, "scp": ["mcp", "a"] }), &["mcp", "a"]),
        (json!({ "scope": "", "scp": "mcp" }), &["mcp"]),
        (json!({ "scope": "openid a", "scp": "mcp a" }), &["openid", "a", "mcp"]),
        (json!({ "scope": 5, "scp": "mcp" }), &["mcp"]),
    ] {
        let principal = show(&identity, &signer.sign(&issuer.claims(claims.clone()))).await.unwrap();
        assert_eq!(principal.scopes.unwrap(), expected, "{claims}");
    }
}

#[tokio::test]
async fn what_is_wrong_with_a_token_refuses_it() {
    let (signer, rsa, stranger) = (Signer::ec("a"), Signer::rsa("r"), Signer::ec("a"));
    let issuer = Issuer::start(&[&signer, &rsa]).await;
    let identity = issuer.identity();
    let right = issuer.claims(json!({}));
    let encoded = |value: &Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
    let good = signer.sign(&right);
    let parts: Vec<&str> = good.split('.').collect();
    let n = rsa.jwk()["n"].as_str().unwrap().to_owned();
    let hs = |secret: &[u8], kid: &str| {
        let header = Header { kid: Some(kid.into()), ..Header::new(Algorithm::HS256) };
        encode(&header, &right, &EncodingKey::from_secret(secret)).unwrap()
    };
    let with_header = |change: &dyn Fn(&mut Header)| {
        let mut header = signer.header();
        change(&mut header);
        encode(&header, &right, &signer.key).unwrap()
    };
    let other_alg = encoded(&json!({ "alg": "RS256", "kid": "a" }));
    let cases = [
        ("forged", stranger.sign(&right)),
        ("swapped key", Signer { kid: "r", ..stranger.clone() }.sign(&right)),
        ("changed claims", format!("{}.{}.{}", parts[0], encoded(&issuer.claims(json!({ "sub": "root" }))), parts[2])),
        ("alg none", format!("{}.{}.", encoded(&json!({ "alg": "none", "kid": "a" })), parts[1])),
        ("no signature", format!("{}.{}.", parts[0], parts[1])),
        ("HS256 with the public key", hs(&BASE64_URL_SAFE_NO_PAD.decode(n).unwrap(), "r")),
        ("HS256 with the document", hs(rsa.jwk().to_string().as_bytes(), "r")),
        ("alg of another kind of key", format!("{other_alg}.{}.{}", parts[1], parts[2])),
        ("unknown kid", Signer { kid: "z", ..signer.clone() }.sign(&right)),
        ("of another kind", with_header(&|header| header.typ = Some("logout+jwt".into()))),
        ("critical extension", with_header(&|header| header.crit = Some(vec!["x".into()]))),
        ("expired", signer.sign(&issuer.claims(json!({ "exp": 1_700_000_000 })))),
        ("without an end", signer.sign(&issuer.claims(json!({ "exp": null })))),
        ("not yet valid", signer.sign(&issuer.claims(json!({ "nbf": 4_000_000_000_u64 })))),
        ("issued in the future", signer.sign(&issuer.claims(json!({ "iat": 4_000_000_000_u64 })))),
        ("issued at no time", signer.sign(&issuer.claims(json!({ "iat": "now" })))),
        ("another audience", signer.sign(&issuer.claims(json!({ "aud": "https://other.example.com" })))),
        ("no audience", signer.sign(&issuer.claims(json!({ "aud": null })))),
        ("another issuer", signer.sign(&issuer.claims(json!({ "iss": "https://evil.example.com" })))),
        ("several issuers", signer.sign(&issuer.claims(json!({ "iss": [issuer.url, "https://evil.example.com"] })))),
        ("no subject", signer.sign(&issuer.claims(json!({ "sub": null })))),
        ("empty subject", signer.sign(&issuer.claims(json!({ "sub": "" })))),
        ("bound to a key", signer.sign(&issuer.claims(json!({ "cnf": { "jkt": "x" } })))),
        ("bound to a certificate", signer.sign(&issuer.claims(json!({ "cnf": { "x5t#S256": "x" } })))),
        ("bound to something", signer.sign(&issuer.claims(json!({ "cnf": [] })))),
        ("no token", "x".into()),
        ("dots", "a.b.c".into()),
        ("long", "a".repeat(1 << 20)),
    ];
    for (what, token) in cases {
        let denied = show(&identity, &token).await.expect_err(what);
        assert_eq!(denied.status, StatusCode::UNAUTHORIZED, "{what}: {denied:?}");
        let challenge = denied.challenge.clone().unwrap();
        let place = "resource_metadata=\"https://mcp.example.com/.well-known/oauth-protected-resource/mcp\"";
        assert!(challenge.to_str().unwrap().contains(place), "{challenge:?}");
        assert!(challenge.to_str().unwrap().contains("invalid_token"), "{what}: {challenge:?}");
        let described = format!("error_description=\"{}\"", denied.message);
        assert!(challenge.to_str().unwrap().contains(&described), "{what}: {challenge:?}");
        assert!(!denied.message.contains("canary") && !denied.message.contains(&token), "{what}: {denied:?}");
    }
    for (what, claims) in [
        ("mcp", json!({ "scope": "openid" })),
        ("tenant.ids", json!({ "tenant": {} })),
        ("tenant.ids", json!({ "tenant": { "ids": ["all", ONE] } })),
    ] {
        let denied = show(&identity, &signer.sign(&issuer.claims(claims))).await.unwrap_err();
        assert_eq!(denied.status, StatusCode::FORBIDDEN, "{denied:?}");
        assert!(denied.message.contains(what), "{denied:?}");
        assert!(denied.challenge.unwrap().to_str().unwrap().contains("insufficient_scope"));
    }
    let (metadata, path) = identity.resource_metadata(At::Protocol).unwrap();
    assert_eq!(path, "/mcp");
    assert_eq!((&metadata["resource"], &metadata["authorization_servers"]), (&json!(AUDIENCE), &json!([issuer.url])));
}

/// The transport of 2024-11-05 has a URL of its own, and what clients compare with it must be that.
#[tokio::test]
async fn each_url_of_the_server_is_a_resource() {
    let signer = Signer::ec("a");
    let issuer = Issuer::start(&[&signer]).await;
    for (resource, paths, stream) in [
        ("https://gw.example.com/tools/mcp", ("/mcp", "/sse"), Some("https://gw.example.com/tools/sse")),
        ("https://gw.example.com/tools/mcp/", ("/mcp", "/sse"), Some("https://gw.example.com/tools/sse")),
        ("https://mcp.example.com", ("/", "/sse"), Some("https://mcp.example.com/sse")),
        ("https://mcp.example.com/a/mcp", ("/a/mcp", "/a/sse"), Some("https://mcp.example.com/a/sse")),
        // What stands in front makes another path of it: nobody knows what it makes of the other.
        ("https://mcp.example.com/v1", ("/mcp", "/sse"), None),
    ] {
        let mut options = issuer.options();
        options.resource = Some(resource.to_owned());
        options.paths = Some((paths.0.into(), paths.1.into()));
        let identity = Identity::new(IdentityOptions { tokens: Some(options), ..IdentityOptions::default() }).unwrap();
        let metadata = identity.resource_metadata(At::Stream).map(|(metadata, _)| metadata["resource"].clone());
        assert_eq!(metadata, stream.map(Value::from), "{resource}");
        let denied = identity.authenticate_at(&headers(&[]), At::Stream).await.unwrap_err();
        let challenge = denied.challenge.unwrap().to_str().unwrap().to_owned();
        let path = reqwest::Url::parse(stream.unwrap_or(resource)).unwrap().path().to_owned();
        assert!(
            challenge.contains(&format!("/.well-known/oauth-protected-resource{path}\"")),
            "{resource}: {challenge}"
        );
        if let Some(stream) = stream {
            show(&identity, &signer.sign(&issuer.claims(json!({ "aud": stream })))).await.unwrap();
        }
    }
}

const SCOPED: &str = "kind: tool\nname: scoped\ntitle: Scoped\ndescription: Echoes.\ncategory: test\nscopes: [ops.write]\n\
                      run: { action: template, text: done }\n";

/// HTTP says in its own way what a token lacks, and clients of 2026-07-28 act on it.
#[tokio::test]
async fn a_token_that_covers_too_little_gets_403_in_2026_07_28() {
    let signer = Signer::ec("a");
    let issuer = Issuer::start(&[&signer]).await;
    let data = tempfile::tempdir().unwrap();
    let tools = data.path().join("pack/definitions/tools");
    std::fs::create_dir_all(&tools).unwrap();
    std::fs::write(tools.join("scoped.yaml"), SCOPED).unwrap();
    let auth = json!({"issuer": issuer.url, "audience": AUDIENCE, "required_scopes": ["mcp"], "claims": {"organizations": "tenant.ids"}});
    std::fs::write(data.path().join("tfo-mcp.yaml"), json!({ "auth": auth }).to_string()).unwrap();
    let mut command = serve_command(data.path());
    command.arg("--pack").arg(data.path().join("pack"));
    let server = HttpServer::start(command).await;
    for (change, status, lacks) in [
        (json!({"scope": "mcp ops.write"}), 200, ""),
        (json!({}), 403, "scope=\"mcp ops.write\""),
        (json!({"scope": "ops.write"}), 403, "scope=\"mcp\""),
        (json!({"scope": "mcp ops.write", "tenant": {}}), 403, "covers no organisation"),
        (json!({"scope": "mcp ops.write", "tenant": {"ids": []}}), 403, "covers no organisation"),
        (json!({"aud": "https://mcp.example.com/sse", "scope": "mcp ops.write"}), 200, ""),
        (json!({"aud": "https://mcp.example.com/other"}), 401, "error=\"invalid_token\""),
    ] {
        let token = signer.sign(&issuer.claims(change.clone()));
        let params = json!({"name": "scoped", "arguments": {}});
        let request = modern_request(&http_client(), &server.url(), Some(&token), 1, "tools/call", params);
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status().as_u16(), status, "{change}");
        let challenge = answer.headers().get("www-authenticate").map(|it| it.to_str().unwrap().to_owned());
        let challenge = challenge.unwrap_or_default();
        assert!(challenge.contains(lacks) && challenge.is_empty() == (status == 200), "{change}: {challenge}");
        assert_eq!(status == 403, challenge.contains("insufficient_scope"), "{change}: {challenge}");
        let body: Value = answer.json().await.unwrap();
        assert_eq!(body.get("error").is_some(), status != 200, "{change}: {body}");
    }
}

#[tokio::test]
#[ignore = "slow: scripts/test.sh runs it"]
async fn an_issuer_in_trouble_stops_nobody_whose_key_is_known() {
    let (first, second) = (Signer::ec("first"), Signer::ec("second"));
    let issuer = Issuer::start(&[&first]).await;
    let identity = Arc::new(issuer.identity());
    let token = |signer: &Signer| signer.sign(&issuer.claims(json!({})));

    // Nothing is known yet: that is no fault of the caller's.
    issuer.down(true);
    assert_eq!(show(&identity, &token(&first)).await.unwrap_err().status, StatusCode::SERVICE_UNAVAILABLE);
    issuer.down(false);
    eventually("the key is found", async || show(&identity, &token(&first)).await.is_ok()).await;

    // A storm of unknown keys does not become one of questions.
    let before = (issuer.asked(), std::time::Instant::now());
    let storm = (0..200).map(|_| {
        let (identity, token) = (identity.clone(), token(&Signer { kid: "nobody", ..second.clone() }));
        async move { show(&identity, &token).await.is_err() }
    });
    assert!(futures::future::join_all(storm).await.into_iter().all(|refused| refused));
    let allowed = 1 + before.1.elapsed().as_millis() / 200;
    assert!((issuer.asked() - before.0) as u128 <= allowed, "{} questions", issuer.asked() - before.0);

    // While it is down, who was known is known.
    issuer.down(true);
    assert!(show(&identity, &token(&second)).await.is_err());
    assert!(show(&identity, &token(&first)).await.is_ok());

    // A new key is found without a restart, and the old one ends.
    issuer.down(false);
    issuer.publish(&[&second]);
    eventually("the new key is found", async || show(&identity, &token(&second)).await.is_ok()).await;
    assert_eq!(show(&identity, &token(&first)).await.unwrap_err().status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
#[ignore = "slow: scripts/test.sh runs it"]
async fn keys_of_an_issuer_that_is_down_end_some_time() {
    let signer = Signer::ec("a");
    let issuer = Issuer::start(&[&signer]).await;
    let mut options = issuer.options();
    options.times = Times { pause: Duration::ZERO, fresh: Duration::ZERO, keep: Duration::from_secs(2) };
    let identity = Identity::new(IdentityOptions { tokens: Some(options), ..IdentityOptions::default() }).unwrap();
    let token = signer.sign(&issuer.claims(json!({})));
    assert!(show(&identity, &token).await.is_ok());
    issuer.down(true);
    assert!(show(&identity, &token).await.is_ok());
    let denied = eventually("the kept keys end", async || show(&identity, &token).await.err()).await;
    assert_eq!(denied.status, StatusCode::SERVICE_UNAVAILABLE, "it is no fault of the caller's: {denied:?}");
    issuer.down(false);
    assert!(show(&identity, &token).await.is_ok(), "they are found again");
}

#[tokio::test]
#[ignore = "slow: scripts/test.sh runs it"]
async fn nobody_whose_key_is_known_waits_for_an_issuer_that_hangs() {
    let signer = Signer::ec("a");
    let issuer = Issuer::start(&[&signer]).await;
    let mut options = issuer.options();
    options.times = Times { pause: Duration::ZERO, fresh: Duration::ZERO, ..Times::default() };
    let identity = Identity::new(IdentityOptions { tokens: Some(options), ..IdentityOptions::default() }).unwrap();
    let token = signer.sign(&issuer.claims(json!({})));
    assert!(show(&identity, &token).await.is_ok());
    issuer.published.hangs.store(true, Ordering::SeqCst);
    let before = issuer.asked();
    let served = async {
        // Long enough that the issuer is being asked.
        while issuer.asked() == before {
            assert!(show(&identity, &token).await.is_ok());
            tokio::task::yield_now().await;
        }
        for _ in 0..100 {
            assert!(show(&identity, &token).await.is_ok());
        }
    };
    // The issuer has 5 s; whoever waited for it would not be served in time.
    tokio::time::timeout(Duration::from_secs(4), served).await.expect("nobody waits");
    let stranger = Signer::ec("z").sign(&issuer.claims(json!({})));
    assert!(
        tokio::time::timeout(Duration::from_secs(15), show(&identity, &stranger)).await.expect("an answer").is_err()
    );
}

#[test]
fn options_that_would_let_anybody_in_are_refused() {
    let issuer = Issuer { url: "https://issuer.example.com".into(), published: Arc::default() };
    let refused = |change: &dyn Fn(&mut TokenOptions)| {
        let mut options = issuer.options();
        change(&mut options);
        Identity::new(IdentityOptions { tokens: Some(options), ..IdentityOptions::default() }).unwrap_err()
    };
    assert!(refused(&|options| options.issuer = "http://issuer.example.com".into()).contains("https"));
    assert!(refused(&|options| options.jwks_url = Some("http://10.0.0.1/keys".into())).contains("https"));
    assert!(refused(&|options| options.leeway = Duration::from_secs(301)).contains("leeway"));
    assert!(refused(&|options| options.audiences = vec![String::new()]).contains("audience"));
    assert!(refused(&|options| options.algorithms = vec!["HS256".into()]).contains("asymmetric"));
}
