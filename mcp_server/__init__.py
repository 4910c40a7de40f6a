"""The TopCalls tools as an MCP server."""
