//! Bytes of packs to documents with spans.
