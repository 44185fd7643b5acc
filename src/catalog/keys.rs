//! Under which keys the texts of definitions stand in [`Catalog::templates`](super::Catalog::templates).

/// Key of a prompt template in [`Catalog::templates`](super::Catalog::templates).
pub fn prompt_template_key(name: &str) -> String {
    format!("prompt-template/{name}")
}

/// Key of a persona's text in [`Catalog::templates`](super::Catalog::templates).
pub fn persona_key(name: &str) -> String {
    format!("persona/{name}")
}

/// Key of an insight's task in [`Catalog::templates`](super::Catalog::templates).
pub fn insight_key(name: &str) -> String {
    format!("insight/{name}")
}
