"""The command line: ./stemma demo | serve | seal | migrate | user | verify | export | decode | bench | check."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.table import Table

from app.settings import ROOT, OwnerSettings, Settings

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="Stemma: a LIMS for stem cell preparation. Also: ./stemma setup, ./stemma test.",
)
user = typer.Typer(no_args_is_help=True, help="Accounts, as the owner of the database.")
app.add_typer(user, name="user")
console = Console(highlight=False, soft_wrap=True)


def _refuse(text: str) -> None:
    console.print(f"[bold red]✕[/] {text}")
    raise typer.Exit(1)


def _needs(value: object, name: str) -> str:
    if value is None:
        _refuse(f"{name} is not set. Set it to the address of the database for that role, then try again.")
    get = getattr(value, "get_secret_value", None)
    return str(get() if get else value)


@contextmanager
def _said_plainly() -> Iterator[None]:
    """What a person can mend is said in one line, not as a traceback."""
    import asyncpg

    from app.domain.errors import Refusal

    try:
        yield
    except typer.Exit:
        raise
    except KeyboardInterrupt:
        console.print("ended")
        raise typer.Exit(0) from None
    except (Refusal, ValueError, OSError, RuntimeError, asyncpg.PostgresError) as error:
        _refuse(
            f"{type(error).__name__}: {error}" if isinstance(error, OSError | asyncpg.PostgresError) else str(error)
        )


@app.command()
def demo(
    *,
    port: Annotated[int, typer.Option(help="Port on 127.0.0.1.")] = 8765,
    exit_: Annotated[bool, typer.Option("--exit", help="End after the stories.")] = False,
    tour: Annotated[bool, typer.Option("--tour", help="Prepare a lot, and guide you to its release.")] = False,
) -> None:
    """Play three stories on a private PostgreSQL through HTTP, then leave the application up."""
    from app import stage

    began = time.monotonic()

    def said(text: str) -> None:
        console.print(f"[dim]{time.monotonic() - began:5.1f} s[/]  {text}")

    signal.signal(signal.SIGTERM, signal.default_int_handler)  # whoever ends it ends all that it started
    with (
        _said_plainly(),
        stage.staged(name="demo", purpose="demo", people=stage.example_people(), port=port, said=said) as set_,
    ):
        set_.start_sealer()
        set_.start_printing()
        web = set_.start_web()
        set_.wait_until_live()
        said(f"live: [bold]{set_.address}[/]")
        played = subprocess.run(
            [sys.executable, "-m", "app.demo.tour" if tour else "app.demo"],
            cwd=ROOT,
            check=False,
            env={
                **os.environ,
                **set_.environment,
                "STEMMA_DEMO_ADDRESS": set_.address,
                "STEMMA_DEMO_FOLDER": str(set_.folder),
            },
        ).returncode
        proved = asyncio.run(_verify_and_export(set_.url("stemma_report"), vkey=set_.vkey, folder=set_.folder))
        if (resident := stage.resident_mb(web.pid)) is not None:
            console.print(f"the web process holds {resident:.0f} MB after the stories")
        _say_accounts(set_)
        report = set_.url("stemma_report")
        console.print(
            f"to verify it yourself: [bold]STEMMA_REPORT_DATABASE_URL='{report}' ./stemma verify --key '{set_.vkey}'[/]"
        )
        if played or not proved:
            console.print("[bold red]The demo found something wrong; see above.[/]")
            raise typer.Exit(1)
        if exit_:
            return
        console.print(f"\n[bold]{set_.address}[/] stays up. Ctrl-C ends it.")
        try:
            while all(process.poll() is None for process in set_.processes):
                time.sleep(0.5)
            _refuse(f"A process ended; read {set_.folder}/web.log, sealer.log and printing.log.")
        except KeyboardInterrupt:
            console.print("ended")


def _say_accounts(set_: object) -> None:
    table = Table(
        title="Accounts of the demo (one-time codes: scan the secret into any authenticator)", title_justify="left"
    )
    for column in ("user", "name", "roles", "password", "one-time code secret", "badge", "PIN"):
        table.add_column(column, no_wrap=True)
    for person in set_.people:  # type: ignore[attr-defined]  # a Stage; not imported here to keep other commands light
        table.add_row(
            person.username,
            person.printed_name,
            ", ".join(person.roles) or "quality_authority",
            person.password,
            person.totp_secret,
            person.badge or "",
            person.pin or "",
        )
    Console(highlight=False, width=max(console.width, 155)).print(table)


async def _verify_and_export(url: str, *, vkey: str, folder: Path) -> bool:
    import asyncpg

    from app.db.audit_export import write_export
    from app.db.verify import verify_database
    from app.verifier.verify import Key, Verdict, verify_export

    connection = await asyncpg.connect(url)
    try:
        key = Key.parse(vkey)
        live = await verify_database(connection, keys=[key])
        export = folder / "export"
        shutil.rmtree(export, ignore_errors=True)
        await write_export(connection, folder=export, vkeys=[vkey])
    finally:
        await connection.close()
    report = verify_export(export, keys=[key])
    console.print(
        f"audit of the live database: [bold]{live.verdict}[/]; of the export in {export.relative_to(ROOT)}: [bold]{report.verdict}[/]"
    )
    for trouble in [*live.findings, *report.findings][:20]:
        console.print(f"[red]  {trouble['where']}: {trouble['what']}[/]")
    return live.verdict is Verdict.PROVED and report.verdict is Verdict.PROVED


@app.command()
def serve(
    *,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.")] = 8000,
) -> None:
    """Serve a production database (STEMMA_* in the environment). Demo and test databases are refused."""
    from app.stage import FEW_ARENAS, web_arguments

    os.environ["STEMMA_PURPOSE"] = "production"
    for name, value in FEW_ARENAS.items():
        os.environ.setdefault(name, value)
    try:
        Settings()  # type: ignore[call-arg]  # from the environment
    except ValidationError as error:
        names = ", ".join(f"STEMMA_{str(each['loc'][0]).upper()}" for each in error.errors())
        _refuse(f"Not set, or not usable: {names}. docs/operations.md says what each is.")
    os.execv(sys.executable, [sys.executable, *web_arguments(host=host, port=port)])  # noqa: S606  ourselves


@app.command()
def seal() -> None:
    """Run the sealer (STEMMA_SEAL_DATABASE_URL, STEMMA_SEAL_KEY, STEMMA_CHECKPOINTS)."""
    os.execv(sys.executable, [sys.executable, "-m", "app.workers.sealer"])  # noqa: S606  ourselves


@app.command(name="print")
def print_() -> None:
    """Run the sender of the print queue (STEMMA_DATABASE_URL, STEMMA_PURPOSE)."""
    os.execv(sys.executable, [sys.executable, "-m", "app.workers.printing"])  # noqa: S606  ourselves


@app.command()
def migrate() -> None:
    """Bring the database of STEMMA_OWNER_DATABASE_URL to today's house. Passwords come from the other URLs when set."""
    from urllib.parse import unquote, urlsplit

    from app.db.migrate import Deployment
    from app.db.migrate import migrate as migrate_

    settings = OwnerSettings()
    owner = _needs(settings.owner_database_url, "STEMMA_OWNER_DATABASE_URL")
    passwords = {}
    for given in (
        settings.database_url,
        settings.auth_database_url,
        settings.seal_database_url,
        settings.report_database_url,
    ):
        if given is not None and (parts := urlsplit(given.get_secret_value())).password and parts.username:
            passwords[parts.username] = unquote(parts.password)
    deployment = Deployment(settings.purpose, settings.facility, settings.time_zone)
    asyncio.run(migrate_(owner, deployment=deployment, passwords=passwords, said=console.print))
    console.print("[green]in step[/]")


@user.command("bootstrap")
def bootstrap(
    people: Annotated[Path, typer.Option("--file", help="TOML: the first people; see docs/people.example.toml.")],
) -> None:
    """Open the first accounts and make the very first appointment, as owner, audited. Secrets are shown once."""
    from app.db.bootstrap import bootstrap as bootstrap_
    from app.db.bootstrap import read_people
    from app.db.secrets import key_bytes

    settings = OwnerSettings()
    owner = _needs(settings.owner_database_url, "STEMMA_OWNER_DATABASE_URL")
    key = key_bytes(_needs(settings.totp_key, "STEMMA_TOTP_KEY"))
    with _said_plainly():
        made = asyncio.run(bootstrap_(owner, people=read_people(people), totp_key=key))
    for person in made:
        console.print_json(
            json.dumps(
                {
                    "username": person.username,
                    "password": person.password,
                    "totp_secret": person.totp_secret,
                    "totp_uri": person.totp_uri,
                }
            )
        )


@app.command()
def verify(
    *,
    key: Annotated[str, typer.Option(help="The seal's public key, from outside the database.")] = "",
    checkpoint: Annotated[list[Path] | None, typer.Option(help="An earlier checkpoint, from outside.")] = None,
) -> None:
    """Check the live database of STEMMA_REPORT_DATABASE_URL: every hash, leaf, root, signature and current row."""
    import asyncpg

    from app.db.verify import verify_database
    from app.verifier.verify import Checkpoint, Key, Verdict, said

    url = _needs(OwnerSettings().report_database_url, "STEMMA_REPORT_DATABASE_URL")

    async def check() -> int:
        keys = [Key.parse(key)] if key else []
        outside = [Checkpoint.parse(path.read_bytes()) for path in checkpoint or []]
        connection = await asyncpg.connect(url)
        try:
            report = await verify_database(connection, keys=keys, outside=outside)
        finally:
            await connection.close()
        print(said(report))
        return {Verdict.PROVED: 0, Verdict.CONSISTENT: 2}.get(report.verdict, 1)

    with _said_plainly():
        code = asyncio.run(check())
    raise typer.Exit(code)


@app.command()
def export(folder: Path, *, key: Annotated[str, typer.Option(help="The seal's public key.")] = "") -> None:
    """Write the whole audit into a new folder, sealed first, for the verifier (app/verifier/verify.py)."""
    import asyncpg

    from app.db.audit_export import write_export

    url = _needs(OwnerSettings().report_database_url, "STEMMA_REPORT_DATABASE_URL")

    async def write() -> None:
        connection = await asyncpg.connect(url)
        try:
            await write_export(connection, folder=folder, vkeys=[key] if key else [])
        finally:
            await connection.close()

    with _said_plainly():
        asyncio.run(write())
    console.print(f"written: {folder}")


@app.command()
def decode(
    pictures: list[Path],
    *,
    json_: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """Read the codes on pictures."""
    from devices.camera import cli_decode

    troubled = False
    for found in cli_decode(pictures):
        troubled = troubled or "error" in found
        if json_:
            print(json.dumps(found, ensure_ascii=False))
        else:
            codes = ", ".join(f"{code['text']} ({code['symbology']})" for code in found["codes"]) or found.get(
                "error", "no code found"
            )
            print(f"{found['file']}: {codes}")
    raise typer.Exit(1 if troubled else 0)


@app.command()
def bench(
    what: Annotated[str, typer.Argument(help="scan, pages or rules")] = "scan",
    *,
    json_: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
    items: Annotated[int, typer.Option(help="Items in the table.")] = 100_000,
    seconds: Annotated[float, typer.Option(help="Seconds a round.")] = 4.0,
    growth: Annotated[bool, typer.Option(help="Also compare 10,000 with 1,000,000 items.")] = False,
) -> None:
    """Measure against a floor in the same run."""
    if what == "pages":
        arguments = ["--items", str(items), *(["--json"] if json_ else [])]
        os.execv(sys.executable, [sys.executable, "-m", "tests.bench.pages", *arguments])  # noqa: S606  ourselves
    if what == "rules":
        os.execv(sys.executable, [sys.executable, "-m", "tests.bench.rules", *(["--json"] if json_ else [])])  # noqa: S606  ourselves
    if what != "scan":
        _refuse(f"There is no bench called {what}; there are: scan, pages, rules")
    arguments = [
        "--items",
        str(items),
        "--seconds",
        str(seconds),
        *(["--json"] if json_ else []),
        *(["--growth"] if growth else []),
    ]
    os.execv(sys.executable, [sys.executable, "-m", "tests.bench.scan", *arguments])  # noqa: S606  ourselves


@app.command()
def check() -> None:
    """Check that migrations are in step with the tables and translations complete."""
    from app.db.embedded import EmbeddedPostgres
    from app.db.migrate import Deployment, differences
    from app.db.migrate import migrate as migrate_
    from app.stage import VAR
    from app.web.translations import missing

    troubles = [f"translation: {each}" for each in missing()]
    # A server of its own: it is stopped at the end, and a demo that is up goes on.
    postgres = EmbeddedPostgres.open(VAR / "check", fast=True)
    name = f"check_{os.getpid()}"
    postgres.create_database(name)
    try:
        url = postgres.admin_url(name)
        deployment = Deployment("test", "check", "UTC")
        asyncio.run(migrate_(url, deployment=deployment, said=lambda _: None))
        asyncio.run(migrate_(url, deployment=deployment, said=lambda _: None))
        troubles += [f"migration: {each}" for each in asyncio.run(differences(url))]
    finally:
        postgres.drop_database(name)
        postgres.stop()
    for trouble in troubles:
        console.print(f"[red]✕[/] {trouble}")
    if troubles:
        raise typer.Exit(1)
    console.print("[green]✓[/] migrations in step with tables; translations complete")


if __name__ == "__main__":
    app(prog_name="./stemma")
