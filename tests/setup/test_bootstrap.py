"""./stemma, run as people run it, on a small project of its own: real venv, real pip, one package made here."""

from __future__ import annotations

import ast
import base64
import hashlib
import os
import shutil
import subprocess
import sys
import zipfile
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from types import ModuleType

SCRIPT = Path(__file__).resolve().parents[2] / "stemma"
REAL_PYTHON = str(Path(sys.executable).resolve())

# Tools that say how they were called; ruff finds a fault where the project holds a file named "fault".
SAYS = "import sys; print('{name}', *sys.argv[1:])\n"
TOOLS = {
    "pytest.py": SAYS.format(name="pytest"),
    "mypy.py": SAYS.format(name="mypy"),
    "ruff.py": SAYS.format(name="ruff") + "import pathlib; sys.exit(pathlib.Path('fault').exists())\n",
    "linter.py": "def main(): print('lint-imports')\n",
}
CLI = "import sys, app, pathlib\nprint('cli', *sys.argv[1:], pathlib.Path(app.__file__).parent)\n"


def _wheel(folder: Path, *, version: str) -> Path:
    """A wheel, whole enough for pip, that holds the tools."""
    name = f"tools-{version}"
    info = f"{name}.dist-info"
    files = TOOLS | {
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: tools\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/entry_points.txt": "[console_scripts]\nlint-imports = linter:main\n",
    }
    digests = {path: base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()) for path, text in files.items()}
    record = [f"{path},sha256={digest.decode().rstrip('=')}," for path, digest in digests.items()]
    wheel = folder / f"tools-{version}-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for path, text in files.items():
            archive.writestr(path, text)
        archive.writestr(f"{info}/RECORD", "\n".join([*record, f"{info}/RECORD,,\n"]))
    return wheel


def _lock(project: Path, wheel: Path, *, digest: str | None = None) -> None:
    expected = digest or hashlib.sha256(wheel.read_bytes()).hexdigest()
    lock = f"tools @ {wheel.as_uri()} \\\n    --hash=sha256:{expected}\n"
    (project / "requirements.lock").write_text(lock)


def _make_project(folder: Path) -> Path:
    (folder / "app").mkdir(parents=True)
    (folder / "app" / "__init__.py").touch()
    (folder / "app" / "cli.py").write_text(CLI)
    (folder / "pyproject.toml").write_text("[project]\n")
    shutil.copy(SCRIPT, folder / "stemma")
    _lock(folder, _wheel(folder, version="1"))
    return folder


def _start(project: Path, *arguments: str, cwd: Path | None = None) -> subprocess.Popen[str]:
    # No apt-get on the path: these tests change nothing of the machine.
    environment = {**os.environ, "PATH": str(project / "bin")}
    pipe = subprocess.PIPE
    command = [REAL_PYTHON, str(project / "stemma"), *arguments]
    return subprocess.Popen(command, cwd=cwd or project, env=environment, stdout=pipe, stderr=pipe, text=True)


def _run(project: Path, *arguments: str, cwd: Path | None = None) -> tuple[int, str, str]:
    with _start(project, *arguments, cwd=cwd) as run:
        said, complained = run.communicate(timeout=120)
    return run.returncode, said, complained


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project that two people have set up at the same moment."""
    project = _make_project(tmp_path_factory.mktemp("checkout") / "stemma")
    runs = [_start(project, "first"), _start(project, "second")]
    said, complained = zip(*(run.communicate(timeout=120) for run in runs), strict=True)
    assert said == (f"cli first {project / 'app'}\n", f"cli second {project / 'app'}\n"), complained
    together = "".join(complained)
    assert together.count("Making .venv") == 1
    assert together.count("Installing up to") == 1
    assert together.count("waiting for it") == 1
    return project


def test_a_second_run_sets_nothing_up(project: Path) -> None:
    stamp = (project / ".venv" / "stemma-stamp").stat()
    assert _run(project, "verify", "--key", "k.pub") == (0, f"cli verify --key k.pub {project / 'app'}\n", "")
    assert (project / ".venv" / "stemma-stamp").stat() == stamp


def test_without_a_command_it_shows_the_help(project: Path) -> None:
    assert _run(project)[1] == f"cli --help {project / 'app'}\n"


def test_an_app_in_the_callers_folder_is_not_taken_for_ours(project: Path, tmp_path: Path) -> None:
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "__init__.py").touch()
    (tmp_path / "app" / "cli.py").write_text("print('not ours')\n")
    assert _run(project, "decode", "p.png", cwd=tmp_path) == (0, f"cli decode p.png {project / 'app'}\n", "")


def test_test_runs_pytest_in_parallel_and_passes_the_rest_on(project: Path, tmp_path: Path) -> None:
    code, said, _ = _run(project, "test", "-k", "a name", "tests/db", cwd=tmp_path)
    words = said.split()
    assert (code, words[:2], words[3:5]) == (0, ["pytest", "-n"], ["--dist", "worksteal"])
    assert words[5:] == ["-k", "a", "name", "tests/db"]
    assert int(words[2]) >= 2


def test_check_runs_every_check_even_after_one_failed(project: Path) -> None:
    code, said, complained = _run(project, "check")
    checks = ["ruff check . stemma", "ruff format --check . stemma", "mypy", "lint-imports"]
    every = "\n".join([*checks, f"cli check {project / 'app'}\n"])
    assert (code, said) == (0, every)
    assert "all checks passed" in complained

    fault = project / "fault"
    fault.touch()
    try:
        code, said, complained = _run(project, "check")
    finally:
        fault.unlink()
    assert (code, said) == (1, every)
    assert "failed: ruff, format\n" in complained


def test_a_new_lock_is_installed_and_a_wrong_hash_is_not(project: Path) -> None:
    lock = (project / "requirements.lock").read_text()
    newer = _wheel(project, version="2")
    installed = list(project.glob(".venv/lib/*/site-packages/tools-*"))

    _lock(project, newer, digest="0" * 64)
    code, said, complained = _run(project, "demo")
    assert (code, said) == (1, "")
    assert "DO NOT MATCH THE HASHES" in complained
    assert list(project.glob(".venv/lib/*/site-packages/tools-*")) == installed
    assert _run(project, "demo")[0] == 1

    _lock(project, newer)
    code, said, complained = _run(project, "demo")
    assert (code, said) == (0, f"cli demo {project / 'app'}\n")
    assert "Making .venv" not in complained
    assert [path.name for path in project.glob(".venv/lib/*/site-packages/tools-*")] == ["tools-2.dist-info"]
    (project / "requirements.lock").write_text(lock)
    assert _run(project, "demo")[0] == 0


def test_an_environment_of_another_folder_is_made_anew(project: Path, tmp_path: Path) -> None:
    moved = tmp_path / "moved"
    shutil.copytree(project, moved, symlinks=True)
    code, said, complained = _run(moved, "serve")
    assert (code, said) == (0, f"cli serve {moved / 'app'}\n")
    assert "Making .venv" in complained


def test_an_old_python_hands_over_to_a_new_one(project: Path) -> None:
    path = project / "bin"
    path.mkdir(exist_ok=True)
    broken, works = path / "python3.13", path / "python3.12"
    broken.write_text("#!/bin/sh\nexit 127\n")
    works.write_text(f'#!/bin/sh\nexec {REAL_PYTHON} "$@"\n')
    for python in (broken, works):
        python.chmod(0o755)
    # The script in an interpreter that says it is old, in a project whose lock has changed since.
    (project / "pyproject.toml").write_text("[project]\nname = 'changed'\n")
    pretend = f"import runpy, sys; sys.version_info = (3, 8); sys.argv = ['stemma', 'serve']; runpy.run_path({str(project / 'stemma')!r}, run_name='__main__')"
    run = [REAL_PYTHON, "-c", pretend]
    done = subprocess.run(run, env={"PATH": str(path)}, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, f"cli serve {project / 'app'}\n"), done.stderr

    works.unlink()
    (project / "pyproject.toml").write_text("[project]\nname = 'changed again'\n")
    done = subprocess.run(run, env={"PATH": str(path)}, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "3.11, 3.12 or 3.13, and none of them was found" in done.stderr


def test_an_old_python_can_read_the_script() -> None:
    ast.parse(SCRIPT.read_text(), feature_version=(3, 7))


# -- packages of the system ------------------------------------------------------------------------------------------


@pytest.fixture
def script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The script as a module, with a path of its own, so that no package manager but a test's own can be reached."""
    loader = SourceFileLoader("stemma_script", str(SCRIPT))
    spec = spec_from_loader(loader.name, loader)
    assert spec is not None
    script = module_from_spec(spec)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    loader.exec_module(script)
    monkeypatch.setattr(script, "TRIED", tmp_path / "tried")
    monkeypatch.setenv("PATH", str(tmp_path))
    return script


ABSENT = {"libnowhere0": ["usr/lib/*/libnowhere.*"], "libc6": ["etc/passwd"]}
ONE_LINE = "  sudo apt-get install -y --no-install-recommends libnowhere0\n"


def test_a_missing_package_is_named_with_the_line_that_installs_it(
    script: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    script._offer_packages(ABSENT)
    assert capsys.readouterr().err.endswith(ONE_LINE)


def test_a_present_package_is_not_mentioned(script: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    script._offer_packages({"libc6": ["etc/passwd", "no/such/file"]})
    assert capsys.readouterr().err == ""


@pytest.mark.skipif(
    os.geteuid() != 0 or "ID=debian\n" not in Path("/etc/os-release").read_text(), reason="needs root on Debian"
)
@pytest.mark.parametrize("repaired", [True, False])
def test_root_on_debian_installs_after_an_update_if_need_be_and_tries_once(
    script: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str], *, repaired: bool
) -> None:
    apt = tmp_path / "apt-get"
    # Like the real one on a fresh image, which knows of no package before its first update.
    update = f"touch {tmp_path}/lists" if repaired else "true"
    apt.write_text(
        f'#!/bin/sh\nPATH=/usr/bin:/bin\necho "$@" >> {tmp_path}/calls\n'
        f'case "$*" in *update*) {update};; *) test -e {tmp_path}/lists;; esac\n'
    )
    apt.chmod(0o755)
    (tmp_path / "env").symlink_to("/usr/bin/env")
    script._offer_packages(ABSENT)
    calls = (tmp_path / "calls").read_text().splitlines()
    assert [next(word for word in ("install", "update") if word in call.split()) for call in calls] == [
        "install",
        "update",
        "install",
    ]
    assert capsys.readouterr().err.endswith(ONE_LINE) is not repaired

    script._offer_packages(ABSENT)
    again = (tmp_path / "calls").read_text().splitlines()[3:]
    assert len(again) == (1 if repaired else 0)


@pytest.mark.parametrize("package", ["libzbar0", "chromium-headless-shell", "fonts-noto-cjk"])
def test_the_signs_of_a_package_are_files_that_debian_puts_there(
    script: ModuleType, package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    if not shutil.which("dpkg-query"):
        pytest.skip("needs Debian's dpkg-query")
    listed = subprocess.run(["dpkg-query", "-L", package], capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip(f"{package} is not installed here")
    signs = {**script.TO_RUN, **script.TO_TEST}[package]
    found = {str(path) for sign in signs for path in Path("/").glob(sign)}
    assert found & {str(Path(line)) for line in listed.stdout.splitlines()}
