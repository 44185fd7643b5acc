//! The MCP edge: the only user of rmcp.
