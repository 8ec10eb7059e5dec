"""Pages by area: a function, a frozen view and a template each."""
