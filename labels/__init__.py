"""Facts to bytes: the grammar of every code, the symbols, and one file per label design. Never imports ``app``."""
