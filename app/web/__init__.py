"""HTML: pages, templates, what browsers load, and the words in both languages."""
