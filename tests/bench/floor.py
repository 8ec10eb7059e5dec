"""The floor: a bare FastAPI endpoint that looks a code up and inserts a row in one asyncpg statement. Nothing else."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

STATEMENT = """
WITH found AS (SELECT id, kind, lot, expires_at FROM floor.items WHERE code = $1),
kept AS (INSERT INTO floor.scans (code, item_id) VALUES ($1, (SELECT id FROM found)) RETURNING id)
SELECT found.id, found.kind, found.lot, found.expires_at, kept.id AS scan FROM kept LEFT JOIN found ON true
"""


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    app.state.pool = await asyncpg.create_pool(os.environ["STEMMA_BENCH_FLOOR_URL"], min_size=1, max_size=8)
    yield
    await app.state.pool.close()


app = FastAPI(lifespan=_lifespan)


@app.post("/api/v1/scans")
async def scan(request: Request) -> JSONResponse:
    """Look up, insert, answer."""
    code = (await request.json())["raw"]
    row = await request.app.state.pool.fetchrow(STATEMENT, code)
    return JSONResponse(
        {"scan": row["scan"], "item": row["id"], "kind": row["kind"], "lot": row["lot"],
         "expires_at": row["expires_at"].isoformat() if row["expires_at"] else None}
    )  # fmt: skip


@app.get("/health")
async def health() -> JSONResponse:
    """Up."""
    return JSONResponse({"status": "ok"})
