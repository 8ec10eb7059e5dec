-- Papers from before the guideline, and for which rules they are accepted; waivers of donations.

CREATE SEQUENCE lab.legacy_numbers;

CREATE TABLE lab.legacy_dossiers (
	id BIGINT GENERATED ALWAYS AS IDENTITY,
	number TEXT NOT NULL,
	about TEXT NOT NULL,
	item_id BIGINT NOT NULL,
	papers JSONB NOT NULL,
	rules TEXT[] NOT NULL,
	reasons TEXT NOT NULL,
	valid_from TIMESTAMP WITH TIME ZONE NOT NULL,
	valid_to TIMESTAMP WITH TIME ZONE NOT NULL,
	proposed_by BIGINT NOT NULL,
	signature_id BIGINT,
	recorded_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT pk_legacy_dossiers PRIMARY KEY (id),
	CONSTRAINT uq_legacy_dossiers_number UNIQUE (number),
	CONSTRAINT ck_legacy_dossiers_about CHECK (about IN ('donor','lot')),
	CONSTRAINT ck_legacy_dossiers_papers CHECK (jsonb_typeof(papers) = 'array' AND papers <> '[]'),
	CONSTRAINT ck_legacy_dossiers_rules CHECK (cardinality(rules) > 0),
	CONSTRAINT ck_legacy_dossiers_never CHECK (NOT rules && '{MAT-03,MAT-05,TPR-01,TPR-02,TPR-03,TPR-04,TPR-05,TPR-06}'::text[]),
	CONSTRAINT ck_legacy_dossiers_span CHECK (valid_to > valid_from),
	CONSTRAINT fk_legacy_dossiers_item_id FOREIGN KEY(item_id) REFERENCES lab.items (id),
	CONSTRAINT fk_legacy_dossiers_proposed_by FOREIGN KEY(proposed_by) REFERENCES people.accounts (id),
	CONSTRAINT uq_legacy_dossiers_signature_id UNIQUE (signature_id),
	CONSTRAINT fk_legacy_dossiers_signature_id FOREIGN KEY(signature_id) REFERENCES lab.signatures (id)
);

CREATE INDEX ix_legacy_dossiers_item_id ON lab.legacy_dossiers (item_id);

ALTER TABLE lab.waivers ALTER COLUMN lot_id DROP NOT NULL;
ALTER TABLE lab.waivers ADD COLUMN donation_id BIGINT;
ALTER TABLE lab.waivers ADD CONSTRAINT fk_waivers_donation_id FOREIGN KEY(donation_id) REFERENCES lab.donations (id);
ALTER TABLE lab.waivers ADD CONSTRAINT ck_waivers_subject CHECK (num_nonnulls(lot_id, donation_id) = 1);
CREATE INDEX ix_waivers_donation_id ON lab.waivers (donation_id);
