# Stemma's web application. It brings no database: give it a packaged, patched PostgreSQL 15 to 18 of your own.
#
#   docker build -t stemma .
#   docker run --rm --env-file owner.env stemma migrate      once, and after each update
#   docker run -p 8000:8000 --env-file web.env stemma
#
# web.env holds STEMMA_DATABASE_URL (role stemma_app), STEMMA_AUTH_DATABASE_URL (role stemma_auth), STEMMA_IDENTITY_KEY
# and STEMMA_TOTP_KEY, which no other process and no backup of the database may hold. owner.env holds
# STEMMA_OWNER_DATABASE_URL, for `migrate` and `user bootstrap` alone. The sealer runs as a container of its own, which
# alone gets STEMMA_SEAL_DATABASE_URL, the file of the seal's private key (mounted, readable for it only) and the folders
# of STEMMA_CHECKPOINTS: the web application must not be able to open that key. TLS ends in front of this container.

FROM python:3.11-slim-bookworm AS environment
WORKDIR /srv/stemma
COPY requirements.lock ./
RUN python -m venv .venv \
    && .venv/bin/pip install --no-cache-dir --disable-pip-version-check \
        --require-hashes --only-binary :all: -r requirements.lock \
    && .venv/bin/python -c "import pathlib, sysconfig; \
        pathlib.Path(sysconfig.get_path('purelib'), 'stemma.pth').write_text('/srv/stemma\n')"

FROM python:3.11-slim-bookworm
RUN apt-get update \
    && apt-get install -y --no-install-recommends libzbar0 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --no-create-home --home-dir /srv/stemma --shell /usr/sbin/nologin stemma
WORKDIR /srv/stemma
COPY --from=environment /srv/stemma/.venv .venv
COPY . .
# What the application runs from belongs to root; the account that runs it writes nothing here.
USER stemma
ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
EXPOSE 8000
ENTRYPOINT ["/srv/stemma/.venv/bin/python", "-P", "-m", "app.cli"]
CMD ["serve", "--host", "0.0.0.0", "--port", "8000"]
