"""Settings from the environment, prefix STEMMA_. Everything has a safe default but the addresses and keys."""

from pathlib import Path

from pydantic import SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from app.domain.acts import Role


class Settings(BaseSettings):
    """What the processes need to know. Secrets are never shown by repr."""

    model_config = SettingsConfigDict(env_prefix="STEMMA_", env_file=None, extra="ignore")

    database_url: SecretStr
    auth_database_url: SecretStr
    identity_key: SecretStr
    """32 bytes, URL-safe base64: wraps the per-person keys of donors' identities. Kept outside the database."""
    totp_key: SecretStr
    """32 bytes, URL-safe base64: encrypts the one-time-code secrets."""
    session_idle_minutes: int = 15
    session_hours: int = 12
    wall_session_days: int = 30
    """How long a wall display stays signed in, whose only role is `device`: it looks on without locking."""
    sessions_per_person_max: int = 3
    """How many sessions somebody has at once; with one more the oldest ends. 0: as many as they like."""
    listeners_max: int = 64
    """How many may follow the events of this process at once."""
    listeners_per_session_max: int = 6
    second_factor_roles: frozenset[Role] = frozenset(
        {Role.QA_MANAGER, Role.QUALITY_AUTHORITY, Role.ADMINISTRATOR, Role.PHYSICIAN}
    )
    """Who needs the one-time code to sign in; everybody needs it to sign. As JSON: ["qa_manager", ...]."""
    seal_wait_seconds: float = 5.0
    cookie_secure: bool = True
    """Off only on loopback without TLS (demo, tests)."""
    upload_limit_bytes: int = 8 * 1024 * 1024
    purpose: str = "production"
    """What this process serves: a database marked for another purpose is refused."""
    origin: str = ""
    """The public origin, for the check of browser requests; empty: the Host header's."""


class OwnerSettings(BaseSettings):
    """For `migrate`, `user bootstrap`, `verify` and `export` alone."""

    model_config = SettingsConfigDict(env_prefix="STEMMA_", env_file=None, extra="ignore")

    owner_database_url: SecretStr | None = None
    report_database_url: SecretStr | None = None
    seal_database_url: SecretStr | None = None
    database_url: SecretStr | None = None
    auth_database_url: SecretStr | None = None
    facility: str = "Stemma"
    time_zone: str = "Asia/Shanghai"
    purpose: str = "production"
    totp_key: SecretStr | None = None


ROOT = Path(__file__).resolve().parents[1]
