-- Suppliers, their qualification, and reagents prepared in house.

-- reagent, single_use, vector (a plasmid or a viral vector), prepared (in this house, from other materials)
ALTER TABLE lab.materials ADD COLUMN kind TEXT DEFAULT 'reagent' NOT NULL;
ALTER TABLE lab.materials ADD CONSTRAINT ck_materials_kind CHECK (kind IN ('reagent','single_use','vector','prepared'));

-- What somebody states of a material after it was defined, or with it; the last statement counts, the others stay.
CREATE TABLE lab.material_statements (
	id BIGINT GENERATED ALWAYS AS IDENTITY,
	material_id BIGINT NOT NULL,
	animal_derived BOOLEAN,
	human_derived BOOLEAN,
	selected_with TEXT,
	recorded_by BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT pk_material_statements PRIMARY KEY (id),
	CONSTRAINT fk_material_statements_material_id FOREIGN KEY(material_id) REFERENCES lab.materials (id),
	CONSTRAINT fk_material_statements_recorded_by FOREIGN KEY(recorded_by) REFERENCES people.accounts (id)
);

CREATE INDEX ix_material_statements_material_id ON lab.material_statements (material_id);

-- Papers of a lot beside its receipt: the review of each is what counts, from when it was recorded.
CREATE TABLE lab.material_certificates (
	id BIGINT GENERATED ALWAYS AS IDENTITY,
	material_lot_id BIGINT NOT NULL,
	kind TEXT NOT NULL,
	reference TEXT NOT NULL,
	pool_size INTEGER,
	recorded_by BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT pk_material_certificates PRIMARY KEY (id),
	CONSTRAINT ck_material_certificates_kind CHECK (kind IN ('analysis','marketing_licence','donor_pool','virus_inactivation','sterility','endotoxin','compatibility')),
	CONSTRAINT ck_material_certificates_pool CHECK ((kind = 'donor_pool' AND pool_size > 0) OR (kind <> 'donor_pool' AND pool_size IS NULL)),
	CONSTRAINT ck_material_certificates_named CHECK (btrim(reference) <> ''),
	CONSTRAINT fk_material_certificates_material_lot_id FOREIGN KEY(material_lot_id) REFERENCES lab.material_lots (id),
	CONSTRAINT fk_material_certificates_recorded_by FOREIGN KEY(recorded_by) REFERENCES people.accounts (id)
);

CREATE INDEX ix_material_certificates_material_lot_id ON lab.material_certificates (material_lot_id);

CREATE TABLE lab.suppliers (
	id BIGINT GENERATED ALWAYS AS IDENTITY,
	name TEXT NOT NULL,
	kind TEXT NOT NULL,
	address TEXT NOT NULL,
	recorded_by BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT pk_suppliers PRIMARY KEY (id),
	CONSTRAINT uq_suppliers_name UNIQUE (name),
	CONSTRAINT ck_suppliers_kind CHECK (kind IN ('manufacturer','distributor')),
	CONSTRAINT fk_suppliers_recorded_by FOREIGN KEY(recorded_by) REFERENCES people.accounts (id)
);

-- An audit counts once its qualification is signed, by somebody else than who wrote it down.
CREATE TABLE lab.supplier_audits (
	id BIGINT GENERATED ALWAYS AS IDENTITY,
	supplier_id BIGINT NOT NULL,
	method TEXT NOT NULL,
	audited_on DATE NOT NULL,
	outcome TEXT NOT NULL,
	findings TEXT NOT NULL,
	evidence TEXT NOT NULL,
	valid_from TIMESTAMP WITH TIME ZONE NOT NULL,
	valid_to TIMESTAMP WITH TIME ZONE NOT NULL,
	recorded_by BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
	signature_id BIGINT,
	CONSTRAINT pk_supplier_audits PRIMARY KEY (id),
	CONSTRAINT ck_supplier_audits_method CHECK (method IN ('on_site','remote','questionnaire')),
	CONSTRAINT ck_supplier_audits_outcome CHECK (outcome IN ('qualified','qualified_with_conditions','not_qualified')),
	CONSTRAINT ck_supplier_audits_interval CHECK (valid_to > valid_from),
	CONSTRAINT fk_supplier_audits_supplier_id FOREIGN KEY(supplier_id) REFERENCES lab.suppliers (id),
	CONSTRAINT fk_supplier_audits_recorded_by FOREIGN KEY(recorded_by) REFERENCES people.accounts (id),
	CONSTRAINT uq_supplier_audits_signature_id UNIQUE (signature_id),
	CONSTRAINT fk_supplier_audits_signature_id FOREIGN KEY(signature_id) REFERENCES lab.signatures (id)
);

CREATE INDEX ix_supplier_audits_supplier_id ON lab.supplier_audits (supplier_id);

-- Which supplier a lot is from: at receipt where the name is known, or chosen later. What was written stays written.
CREATE TABLE lab.material_lot_suppliers (
	id BIGINT GENERATED ALWAYS AS IDENTITY,
	material_lot_id BIGINT NOT NULL,
	supplier_id BIGINT NOT NULL,
	recorded_by BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT pk_material_lot_suppliers PRIMARY KEY (id),
	CONSTRAINT fk_material_lot_suppliers_material_lot_id FOREIGN KEY(material_lot_id) REFERENCES lab.material_lots (id),
	CONSTRAINT fk_material_lot_suppliers_supplier_id FOREIGN KEY(supplier_id) REFERENCES lab.suppliers (id),
	CONSTRAINT fk_material_lot_suppliers_recorded_by FOREIGN KEY(recorded_by) REFERENCES people.accounts (id)
);

CREATE INDEX ix_material_lot_suppliers_material_lot_id ON lab.material_lot_suppliers (material_lot_id);
CREATE INDEX ix_material_lot_suppliers_supplier_id ON lab.material_lot_suppliers (supplier_id);

-- How a reagent is prepared in house. A version that was used is never edited: a change is a new version.
CREATE TABLE lab.recipes (
	id BIGINT GENERATED ALWAYS AS IDENTITY,
	material_id BIGINT NOT NULL,
	version INTEGER NOT NULL,
	shelf_life_hours NUMERIC NOT NULL,
	storage TEXT NOT NULL,
	instructions TEXT NOT NULL,
	recorded_by BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT pk_recipes PRIMARY KEY (id),
	CONSTRAINT uq_recipes_material_id_version UNIQUE (material_id, version),
	CONSTRAINT ck_recipes_keeps CHECK (shelf_life_hours > 0),
	CONSTRAINT fk_recipes_material_id FOREIGN KEY(material_id) REFERENCES lab.materials (id),
	CONSTRAINT fk_recipes_recorded_by FOREIGN KEY(recorded_by) REFERENCES people.accounts (id)
);

CREATE TABLE lab.recipe_components (
	id BIGINT GENERATED ALWAYS AS IDENTITY,
	recipe_id BIGINT NOT NULL,
	material_id BIGINT NOT NULL,
	amount NUMERIC NOT NULL,
	unit TEXT NOT NULL,
	CONSTRAINT pk_recipe_components PRIMARY KEY (id),
	CONSTRAINT uq_recipe_components_recipe_id_material_id UNIQUE (recipe_id, material_id),
	CONSTRAINT ck_recipe_components_some CHECK (amount > 0 AND btrim(unit) <> ''),
	CONSTRAINT fk_recipe_components_recipe_id FOREIGN KEY(recipe_id) REFERENCES lab.recipes (id),
	CONSTRAINT fk_recipe_components_material_id FOREIGN KEY(material_id) REFERENCES lab.materials (id)
);

-- One preparation: it is a material lot, with containers of its own.
CREATE TABLE lab.reagents (
	id BIGINT NOT NULL,
	recipe_id BIGINT NOT NULL,
	prepared_by BIGINT NOT NULL,
	prepared_at TIMESTAMP WITH TIME ZONE NOT NULL,
	expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
	recorded_by BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT pk_reagents PRIMARY KEY (id),
	CONSTRAINT fk_reagents_id FOREIGN KEY(id) REFERENCES lab.material_lots (id),
	CONSTRAINT fk_reagents_recipe_id FOREIGN KEY(recipe_id) REFERENCES lab.recipes (id),
	CONSTRAINT fk_reagents_prepared_by FOREIGN KEY(prepared_by) REFERENCES people.accounts (id),
	CONSTRAINT fk_reagents_recorded_by FOREIGN KEY(recorded_by) REFERENCES people.accounts (id)
);

CREATE INDEX ix_reagents_recipe_id ON lab.reagents (recipe_id);

-- What went into it, from which container.
CREATE TABLE lab.reagent_parts (
	id BIGINT GENERATED ALWAYS AS IDENTITY,
	reagent_id BIGINT NOT NULL,
	container_id BIGINT NOT NULL,
	material_lot_id BIGINT NOT NULL,
	quantity NUMERIC NOT NULL,
	unit TEXT NOT NULL,
	CONSTRAINT pk_reagent_parts PRIMARY KEY (id),
	CONSTRAINT ck_reagent_parts_some CHECK (quantity > 0 AND btrim(unit) <> ''),
	CONSTRAINT ck_reagent_parts_another CHECK (material_lot_id <> reagent_id),
	CONSTRAINT fk_reagent_parts_reagent_id FOREIGN KEY(reagent_id) REFERENCES lab.reagents (id),
	CONSTRAINT fk_reagent_parts_container_id FOREIGN KEY(container_id) REFERENCES lab.containers (id),
	CONSTRAINT fk_reagent_parts_material_lot_id FOREIGN KEY(material_lot_id) REFERENCES lab.material_lots (id)
);

CREATE INDEX ix_reagent_parts_reagent_id ON lab.reagent_parts (reagent_id);
CREATE INDEX ix_reagent_parts_material_lot_id ON lab.reagent_parts (material_lot_id);
CREATE INDEX ix_reagent_parts_container_id ON lab.reagent_parts (container_id);

-- The second person: written by people.verify_reagent alone.
CREATE TABLE lab.reagent_verifications (
	id BIGINT GENERATED ALWAYS AS IDENTITY,
	reagent_id BIGINT NOT NULL,
	verified_by BIGINT NOT NULL,
	badge_id BIGINT NOT NULL,
	scanned_item_id BIGINT NOT NULL,
	recorded_by BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT pk_reagent_verifications PRIMARY KEY (id),
	CONSTRAINT uq_reagent_verifications_reagent_id UNIQUE (reagent_id),
	CONSTRAINT fk_reagent_verifications_reagent_id FOREIGN KEY(reagent_id) REFERENCES lab.reagents (id),
	CONSTRAINT fk_reagent_verifications_verified_by FOREIGN KEY(verified_by) REFERENCES people.accounts (id),
	CONSTRAINT fk_reagent_verifications_badge_id FOREIGN KEY(badge_id) REFERENCES people.badges (id),
	CONSTRAINT fk_reagent_verifications_scanned_item_id FOREIGN KEY(scanned_item_id) REFERENCES lab.items (id),
	CONSTRAINT fk_reagent_verifications_recorded_by FOREIGN KEY(recorded_by) REFERENCES people.accounts (id)
);
