"""Papers that one can hand over: facts in, the bytes of a PDF out. They know nothing of the database or of HTTP."""
