"""`python -m app.verifier FOLDER ...` is `python verify.py FOLDER ...`."""

from app.verifier.verify import main

if __name__ == "__main__":
    raise SystemExit(main())
