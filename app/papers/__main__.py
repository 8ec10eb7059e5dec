"""The child that draws one paper: a request as JSON on its input, a line of JSON and the PDF on its output, then it ends.

What drawing needs (typeface, encoder, reader) never stays in the web process, and a text that is hostile to any of
them does its harm in here, within limits on memory and processor time.
"""

from __future__ import annotations

import json
import os
import resource
import sys
from typing import Final

MEMORY_BYTES_MAX: Final = 1 << 30
CPU_S_MAX: Final = 60


def main() -> None:
    """Draw what was asked for, or say which error stands against it."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints must not stand among the answer
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES_MAX, MEMORY_BYTES_MAX))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_S_MAX, CPU_S_MAX))
    asked = json.load(sys.stdin.buffer)

    from app.papers.drawing import as_json, draw
    from app.papers.facts import Kind, Language
    from labels.words import SpokenError

    try:
        drawn = draw(Kind(asked["kind"]), Language(asked["language"]), asked["content"])
    except SpokenError as error:
        words = {"what": error.words.what, "why": error.words.why, "remedy": error.words.remedy}
        said = {"error": error.code, "words": words, "details": dict(error.details)}
        answers.write(json.dumps(said).encode() + b"\n")
    else:
        answers.write(json.dumps(as_json(drawn)).encode() + b"\n" + drawn.pdf)
    answers.close()


if __name__ == "__main__":
    main()
