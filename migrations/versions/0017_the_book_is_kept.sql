-- The words of the rule book are kept with its version; of versions from before, nothing is known.

ALTER TABLE lab.rulebooks ADD COLUMN content JSONB;
