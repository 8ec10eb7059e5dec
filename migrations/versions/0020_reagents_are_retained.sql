-- A retain may be of a material lot: of a reagent that a house counts as critical.

ALTER TABLE lab.retains DROP CONSTRAINT ck_retains_kind;
ALTER TABLE lab.retains ADD CONSTRAINT ck_retains_kind CHECK (kind IN ('starting_material','final_product','reagent'));
