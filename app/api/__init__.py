"""JSON under /api/v1: routers and their schemas, one file an area."""
