//! Forms of secrets by whoever issues them: prefixes, as the issuers' own pages tell them.

use super::{
    IsMeant, Seen, always,
    evidence::{self, is_random},
    names,
};

/// Expressions, and what must be true of what they find, as in [`super::secrets`].
pub(super) const FORMS: &[(&str, IsMeant)] = &[
    // Issuers' prefixes: GitHub, GitLab, Slack, npm, PyPI, RubyGems, DigitalOcean, Vault, Linear, Shopify, Square, Grafana, New
    // Relic, Google, SendGrid, Hugging Face, Databricks, PlanetScale, Doppler, Atlassian, Postman, Figma, Docker, Sentry, Notion.
    (r"§(?:(?:gh[pousr]_|github_pat_)[A-Za-z0-9_]{20,})", always),
    (r"§(?:(?:glpat|gldt|glrt|glcbt)-[A-Za-z0-9_-]{16,}(?:\.[0-9a-z]{2}\.[0-9a-z]{5,12})?)", always),
    (r"§(?:xox[abeoprs]-[A-Za-z0-9-]{10,}|xapp-[A-Za-z0-9-]{10,})", always),
    (r"§(?:(?:npm_|hf_|api_org_|dckr_pat_|lin_api_|ntn_)[A-Za-z0-9_-]{20,})", |seen| is_random(seen.value)),
    (r"§(?:pypi-[A-Za-z0-9_-]{16,}|rubygems_[0-9a-f]{40,}|do[pors]_v1_[0-9a-f]{40,})", always),
    (r"§(?:hv[sbr]\.[A-Za-z0-9_-]{20,})", always),
    (r"§(?:(?:shp(?:at|ca|pa|ss)_[0-9a-fA-F]{20,}|sq0(?:atp|csp)-[A-Za-z0-9_-]{20,}))", always),
    (r"§(?:gl(?:sa|c)_[A-Za-z0-9_+/=]{16,}|NRAK-[A-Z0-9]{20,})", |seen| is_random(seen.value)),
    (r"§(?:ya29\.[A-Za-z0-9_-]{20,}|AIza[A-Za-z0-9_-]{30,}|GOCSPX-[A-Za-z0-9_-]{20,})", always),
    (r"§(?:SG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,})", always),
    (
        r"§(?:dapi[0-9a-f]{32}\b|pscale_(?:pw|tkn|oauth)_[A-Za-z0-9_.-]{20,}|dp\.(?:pt|st|ct)\.[A-Za-z0-9.]{30,})",
        always,
    ),
    (r"§(?:ATATT3[A-Za-z0-9_=-]{20,}|PMAK-[0-9a-f]{20,}-[0-9a-f]{20,}|figd_[A-Za-z0-9_-]{20,})", always),
    (r"§(?:sntry[su]_[A-Za-z0-9_+/=-]{20,})", always),
    // Observability: Grafana, Dynatrace, New Relic, Honeycomb, Langfuse.
    (r"§eyJrIjoi[A-Za-z0-9+/_-]{30,}={0,2}", always),
    (r"§dt0[a-z][0-9]{2}\.[A-Z0-9]{8,}\.[A-Z0-9]{20,}", always),
    (r"§(?:NRII-[A-Za-z0-9_-]{20,}|NRJS-[a-f0-9]{15,}|[0-9a-f]+(?:FFFF)?NRAL\b)", is_long),
    (r"§(?:hc[abx]i[kc]_[a-z0-9]{40,}|(?:sk|pk)-lf-[0-9a-f]{8}-[0-9a-f-]{27})", always),
    // GitLab, HashiCorp, Pulumi, Bitbucket, CircleCI, Groq, Perplexity, xAI, Supabase, Tailscale, SonarQube, Brevo, Fly.io,
    // Artifactory, Heroku, Docker, Alibaba, Bedrock, Google, Slack, Buildkite, Mailchimp, Azure, Discord.
    (r"§(?:gl(?:ptt|soat|agent|imt|ffct|oas)-[A-Za-z0-9_-]{16,}|GR1348941[A-Za-z0-9_-]{16,})", always),
    (r"§[A-Za-z0-9]+\.atlasv1\.[A-Za-z0-9_=-]{40,}", always),
    (r"§(?:pul-[0-9a-f]{40}|ATBB[A-Za-z0-9]{24,}|CCIPAT_[A-Za-z0-9_]{20,}|CCIPRJ_[A-Za-z0-9_]{20,})", always),
    (r"§(?:(?:gsk_|pplx-|xai-|r8_|nvapi-|fw_|tvly-)[A-Za-z0-9_-]{20,})", |seen| is_random(seen.value)),
    (
        r"§(?:sbp_[0-9a-f]{40}|sb_secret_[A-Za-z0-9_-]{20,}|tskey-[a-z]+-[A-Za-z0-9-]{10,}|sq[upa]_[0-9a-f]{40})",
        |seen| is_random(seen.value),
    ),
    (
        r"§(?:xkeysib-[0-9a-f]{32,}-?[A-Za-z0-9]*|FlyV1 fm[0-9][a-z]?_[A-Za-z0-9+/=_,-]{20,}|fo1_[A-Za-z0-9_-]{40,})",
        always,
    ),
    (
        r"§(?:AKCp[0-9][A-Za-z0-9]{60,}|HRKU-[A-Za-z0-9_-]{30,}|dckr_oat_[A-Za-z0-9_-]{20,}|LTAI[A-Za-z0-9]{12,26}\b)",
        |seen| is_random(seen.value),
    ),
    (
        r"§(?:ABSK[A-Za-z0-9+/]{60,}={0,2}|1//0[A-Za-z0-9_-]{30,}|xox[cd]-[A-Za-z0-9%+/=_-]{20,}|bkua_[0-9a-f]{40})",
        always,
    ),
    (r"§[0-9a-f]+-us[0-9]{1,2}\b", is_long),
    (r"[A-Za-z0-9_~.-]*[0-9]Q~[A-Za-z0-9_~.-]+", is_long),
    (r"§[MNO][A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+", |seen| {
        let lengths: Vec<usize> = seen.value.split('.').map(str::len).collect();
        matches!(lengths.as_slice(), [24..=28, 6, 27..=40]) && is_random(seen.value)
    }),
    // Amazon, Stripe, OpenAI and Anthropic, Twilio, Mailgun, Telegram, age, and keys of this server.
    (r"§(?:(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}\b)", always),
    (r"§(?:(?:sk|rk|whsec)[-_](?:live_|test_|proj-|ant-|or-)?[A-Za-z0-9_-]{16,})", is_issued),
    (r"§(?:SK[0-9a-f]{32}\b|AGE-SECRET-KEY-1[A-Z0-9]{20,})", always),
    (r"§key-[0-9a-f]{32}\b", |seen| !names::names_an_identifier(seen.before)),
    (r"§(?:bot)?(?<v>[0-9]{8,10}:AA[A-Za-z0-9_-]{33}\b)", always),
    (r"§(?:tfo_[A-Za-z0-9]+_[A-Za-z0-9_-]{40,})", always),
    // Prefixes that nothing else has, with their lengths: GitLab, Brevo, Resend, Vercel, Netlify, Datadog, PostHog, LangSmith,
    // Pinecone, Jina, Firecrawl, Cerebras, Doppler, 1Password, Buildkite, Atlassian, Neon, MongoDB, ReadMe, EasyPost, Frame.io,
    // Duffel, Typeform, Contentful, Docker Swarm, k3s, PASETO, Fly.io, Cloudflare, New Relic, JFrog.
    (
        r"§(?:glwt-[A-Za-z0-9_-]{20,}|xsmtpsib-[0-9a-f]{40,}-?[A-Za-z0-9]*|bkct_[A-Za-z0-9]{30,}|ATCTT3[A-Za-z0-9_=-]{20,})",
        always,
    ),
    (
        r"§(?:re_[A-Za-z0-9]{8}_[A-Za-z0-9]{20,}|vcp_[A-Za-z0-9]{40,}|nfp_[A-Za-z0-9]{30,}|ddapp_[A-Za-z0-9]{34,}|ddpat_[A-Za-z0-9_]{40,})",
        is_key,
    ),
    (
        r"§(?:phx_[A-Za-z0-9]{40,}|lsv2_(?:pt|sk)_[0-9a-f]{32}_[0-9a-f]{10}|pcsk_[A-Za-z0-9]{4,8}_[A-Za-z0-9]{40,}|jina_[A-Za-z0-9]{50,})",
        is_key,
    ),
    (
        r"§(?:fc-[0-9a-f]{32}\b|csk-[a-z0-9]{40,}|dp\.(?:sa|scim|audit)\.[A-Za-z0-9]{30,}|ops_eyJ[A-Za-z0-9_-]{60,})",
        is_key,
    ),
    (r"§A3-[A-Z0-9]{6}-(?:[A-Z0-9]{11}|[A-Z0-9]{6}-[A-Z0-9]{5})-[A-Z0-9]{5}-[A-Z0-9]{5}-[A-Z0-9]{5}\b", always),
    (
        r"§(?:napi_[a-z0-9]{50,}|mdb_sa_sk_[A-Za-z0-9_-]{30,}|rdme_[a-z0-9]{60,}|EZ[AT]K[A-Za-z0-9]{50,}|fio-u-[A-Za-z0-9_-]{50,})",
        is_key,
    ),
    (
        r"§(?:duffel_(?:live|test)_[A-Za-z0-9_-]{40,}|tfp_[A-Za-z0-9_]{40,}|CFPAT-[A-Za-z0-9_-]{40,}|rzp_live_[A-Za-z0-9]{14,})",
        is_key,
    ),
    (
        r"§(?:SWMTKN-1-[a-z0-9]{40,}-[a-z0-9]{20,}|K10[0-9a-f]{64}::[a-z-]+:[0-9a-zA-Z.]{16,}|v[1-4]\.local\.[A-Za-z0-9_-]{40,})",
        always,
    ),
    (
        r"§(?:fm[12][a-z]?_[A-Za-z0-9+/=_,-]{60,}|v1\.0-[0-9a-f]{24}-[0-9a-f]{100,}|eu01xx[0-9a-f]{20,}(?:FFFF)?NRAL\b)",
        always,
    ),
    (r"§(?:cmVmdGtuOj[A-Za-z0-9+/=]{40,}|MDAx[A-Za-z0-9_-]{80,}|AAAAAAAAAAAAAAAAAAAAA[A-Za-z0-9%]{60,})", is_key),
    // Airtable, HubSpot, LaunchDarkly, PayPal, Flutterwave, Asana, Dropbox, Facebook, Notion, NuGet, Yandex, Tencent.
    (
        r"§pat(?:[A-Za-z0-9]{14}\.[0-9a-f]{64}\b|-(?:na|eu)[0-9]-[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})",
        always,
    ),
    (r"§(?:sdk|api)-[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", always),
    (r"§(?:access_token\$production\$[a-z0-9]{16}\$[0-9a-f]{32}|FLWSECK(?:_TEST)?-[0-9a-zA-Z]{12,}-X\b)", always),
    (
        r"§(?:sl\.[A-Za-z0-9_-]{120,}|EAA[A-Za-z0-9]{100,}|secret_[A-Za-z0-9]{43}\b|oy2[a-z0-9]{43}\b|AQVN[A-Za-z0-9_-]{35,38}\b)",
        is_key,
    ),
    (
        r"§(?:t1\.[A-Za-z0-9_=-]{16,}\.[A-Za-z0-9_=-]{80,}|AKID[A-Za-z0-9]{32}\b|st\.[0-9a-f-]{12,36}\.[0-9a-f]{32}\.[0-9a-f]{32})",
        is_key,
    ),
    // Microsoft writes a mark into its keys: storage, Cosmos, registries, service bus, DevOps, functions, OpenAI.
    (
        r"[A-Za-z0-9+/]{40,}(?:\+ASt|ACDb|\+ACR|\+ARm)[A-Za-z0-9+/]{6}(?:==)?|[A-Za-z0-9+/]{33}\+A(?:Sb|Eh|IoT)[A-Za-z0-9+/]{5,6}=",
        is_random_key,
    ),
    (
        r"§(?:[A-Za-z0-9]{76}AZDO[A-Za-z0-9]{4}\b|[A-Za-z0-9_-]{44}AzFu[A-Za-z0-9_-]{6}==|[A-Za-z0-9]{52}JQQJ99[A-Za-z0-9]{26}\b)",
        always,
    ),
    // Sessions of Amazon, Bedrock, Google, Cloudflare, Aiven, Weights & Biases, Kaggle, GitLab, Snyk, Render, OneSignal, Octopus.
    (r"§(?:IQoJb3JpZ2luX2Vj|FwoGZXIvYXdz)[A-Za-z0-9+/]{60,}={0,2}", always),
    (r"§(?:bedrock-api-key-[A-Za-z0-9+/=]{40,}|AQ\.Ab8RN6[A-Za-z0-9_-]{30,}|GOOG1E[A-Z0-9]{50,60}\b)", always),
    (
        r"§(?:cf[aku]t_[A-Za-z0-9]{36,}|AVNS_[A-Za-z0-9_-]{16,}|wandb_v1_[A-Za-z0-9_]{40,}|KGAT_[0-9a-f]{32}\b)",
        is_random_key,
    ),
    (
        r"§(?:glft-[A-Za-z0-9_-]{20,}|snyk_(?:uat|sat)\.[0-9a-f]{8}\.[A-Za-z0-9_.-]{30,}|rnd_[A-Za-z0-9]{28}\b)",
        is_random_key,
    ),
    (r"§(?:os_v2_(?:app|org)_[a-z0-9]{60,}|API-[A-Z0-9]{25,32}\b|packagist_[a-z]{2,4}_[0-9a-f]{40,})", is_random_key),
    // Square, Firebase, OpenShift, NATS, Salesforce, Plaid, Stytch, Rancher, age, crates.io, wallets.
    (
        r"§(?:EAAA[A-Za-z0-9_-]{60}\b|AAAA[A-Za-z0-9_-]{7}:APA91b[A-Za-z0-9_-]{100,}|sha256~[A-Za-z0-9_-]{43})",
        is_random_key,
    ),
    (r"§S[AUONCX]A[A-Z2-7]{55}\b", is_random_key),
    (r"§00D[A-Za-z0-9]{12,15}!AQ[A-Za-z0-9_.]{80,}", always),
    (
        r"§(?:access-(?:production|sandbox|development)-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|secret-(?:live|test)-[A-Za-z0-9_-]{30,}=?)",
        always,
    ),
    (r"§(?:token-[a-z0-9]{5}:[a-z0-9]{50,}|AGE-SECRET-KEY-PQ-1[A-Z0-9]{40,}|cio[A-Za-z0-9]{32}\b)", is_random_key),
    (r"§[xyz]prv[1-9A-HJ-NP-Za-km-z]{100,}", always),
    // Keys that their names tell: PagerDuty, Azure, Fastly, Opsgenie, Agora; what unseals Vault.
    (r#"(?i)§routing_?key\\*["']?\s*[:=]\s*\\*["']?(?<v>[0-9a-f]{32})\b"#, always),
    (
        r#"(?i)§(?:ocp-apim-subscription-key|fastly-key|azure_devops_ext_pat|agora_app_certificate)\\*["']?\s*[:=]\s*\\*["']?(?<v>[a-z0-9_-]{24,})"#,
        always,
    ),
    (
        r#"(?i)§(?:instrumentationkey\\*["']?\s*[:=]\s*\\*["']?|geniekey\s+)(?<v>[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})"#,
        always,
    ),
    (r"§Unseal Key [0-9]{1,2}: (?<v>[A-Za-z0-9+/]{32,}={0,2})", always),
];

/// Whether what follows a prefix is no word of a program: letters and digits are mixed in it.
fn is_key(seen: &Seen<'_>) -> bool {
    is_random(seen.value) && !evidence::is_words(seen.value) && seen.value.bytes().any(|b| b.is_ascii_digit())
}

/// Whether small letters or capitals and many digits are mixed in what has a mark of its own.
fn is_random_key(seen: &Seen<'_>) -> bool {
    let digits = seen.value.bytes().filter(u8::is_ascii_digit).count();
    digits > 1 && is_random(seen.value) && !evidence::is_words(seen.value)
}

/// Whether a key is as long as one.
fn is_long(seen: &Seen<'_>) -> bool {
    seen.value.len() >= 15
}

/// Whether a prefix that is also a word stands before a key, and not before the name of a pod or an index.
fn is_issued(seen: &Seen<'_>) -> bool {
    let value = seen.value;
    let any = |is: fn(&u8) -> bool| value.bytes().any(|b| is(&b));
    let mixed = any(u8::is_ascii_uppercase) && any(u8::is_ascii_lowercase) && any(u8::is_ascii_digit);
    let long = value.split(['-', '_']).any(|part| part.len() >= 16 && is_random(part));
    is_random(value) && (mixed || long) && !evidence::is_workload(value)
}
