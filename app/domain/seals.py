"""What a seal is made of: the bytes of a leaf, and the text of a checkpoint that is signed over them.

A checkpoint is a signed note as C2SP describes it: body, empty line, one Ed25519 signature line. Keys are told apart by
the first four bytes of SHA-256 over name, newline, algorithm number 1 and the 32-byte key.
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256

HASH_BYTES = 32
_ALGORITHM = b"\x01"  # Ed25519
_NOTE = re.compile(
    r"(?P<origin>[^\n]+)\n(?P<size>0|[1-9][0-9]*)\n(?P<root>[A-Za-z0-9+/]{43}=)\n"
    r"epoch (?P<epoch>[1-9][0-9]*)\ntime (?P<time>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)\n"
    r"\n\u2014 (?P<name>[^ \n]+) [A-Za-z0-9+/]{91}=\n"
)


class NotACheckpointError(ValueError):
    """A text that should be a signed checkpoint is none."""


def scan_leaf(scan_hash: bytes) -> bytes:
    """Leaf data of a scan, from the SHA-256 of its payload."""
    return f"stemma.leaf.scan.1\n{scan_hash.hex()}\n".encode()


def entry_leaf(entry_hash: bytes, row_hashes: bytes) -> bytes:
    """Leaf data of an entry, from the SHA-256 of its payload and those of its row images, joined in their order."""
    rows = [row_hashes[at : at + HASH_BYTES].hex() for at in range(0, len(row_hashes), HASH_BYTES)]
    return "\n".join(["stemma.leaf.entry.1", entry_hash.hex(), str(len(rows)), *rows, ""]).encode()


def is_key_name(name: str) -> bool:
    """Whether a note can carry this name: printable, without blanks or a plus sign."""
    return bool(name) and name.isprintable() and "+" not in name and not any(each.isspace() for each in name)


def key_id(*, name: str, public: bytes) -> bytes:
    """Four bytes that tell keys of one name apart."""
    return sha256(name.encode() + b"\n" + _ALGORITHM + public).digest()[:4]


def vkey(*, name: str, public: bytes) -> str:
    """A public key as people keep and compare it: `name+id+base64`."""
    return f"{name}+{key_id(name=name, public=public).hex()}+{base64.b64encode(_ALGORITHM + public).decode()}"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """At this moment (UTC, whole seconds), under this epoch, the log of this origin had this size and this root."""

    origin: str
    size: int
    root: bytes
    epoch: int
    at: datetime

    def body(self) -> str:
        """The text that is signed."""
        root = base64.b64encode(self.root).decode()
        stamp = self.at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        return f"{self.origin}\n{self.size}\n{root}\nepoch {self.epoch}\ntime {stamp}\n"

    def note(self, *, key_id: bytes, signature: bytes) -> str:
        """The whole signed note. The key's name is the log's origin."""
        return f"{self.body()}\n\u2014 {self.origin} {base64.b64encode(key_id + signature).decode()}\n"


def read_note(note: str) -> Checkpoint:
    """What a note says; whether its signature holds is another question. Raises NotACheckpointError."""
    found = _NOTE.fullmatch(note)
    if found is None or found["name"] != found["origin"]:
        raise NotACheckpointError("not a signed checkpoint")
    return Checkpoint(
        origin=found["origin"],
        size=int(found["size"]),
        root=base64.b64decode(found["root"]),
        epoch=int(found["epoch"]),
        at=datetime.strptime(found["time"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC),
    )
