-- Proof that comes later, and papers that are withdrawn.

-- Virus that replicates, found in a vector or in cells, is a fact that comes to light.
ALTER TABLE lab.impacts DROP CONSTRAINT ck_impacts_kind;
ALTER TABLE lab.impacts ADD CONSTRAINT ck_impacts_kind CHECK (kind IN ('donor_marker','consent_withdrawn','donation_ineligible','material_stopped','result_failed','accreditation_ended','virus_found','legacy_withdrawn'));
ALTER TABLE lab.impact_facts DROP CONSTRAINT ck_impact_facts_fact;
ALTER TABLE lab.impact_facts ADD CONSTRAINT ck_impact_facts_fact CHECK (fact IN ('marker','consent','determination','material_lot','result','accreditation','virus_test','legacy'));

-- Why what was tested again stands for what the study gives now: from what the report is about, to which versions. The
-- academic committee decided it, quality proposes it, and the quality authority signs the whole row.
CREATE TABLE lab.comparabilities (
	id BIGINT GENERATED ALWAYS AS IDENTITY,
	study_id BIGINT NOT NULL,
	reinspection_id BIGINT NOT NULL,
	process_id BIGINT NOT NULL,
	specification_id BIGINT NOT NULL,
	bank_ids BIGINT[] NOT NULL,
	differences TEXT NOT NULL,
	reasons TEXT NOT NULL,
	committee_reference TEXT NOT NULL,
	committee_decided_on DATE NOT NULL,
	file_name TEXT NOT NULL,
	file_sha256 TEXT NOT NULL,
	valid_to DATE NOT NULL,
	proposed_by BIGINT NOT NULL,
	signature_id BIGINT,
	recorded_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT pk_comparabilities PRIMARY KEY (id),
	CONSTRAINT ck_comparabilities_interval CHECK (valid_to > committee_decided_on),
	CONSTRAINT ck_comparabilities_named CHECK (btrim(differences) <> '' AND btrim(reasons) <> '' AND btrim(committee_reference) <> ''),
	CONSTRAINT ck_comparabilities_file CHECK (file_sha256 ~ '^[0-9a-f]{64}$'),
	CONSTRAINT fk_comparabilities_study_id FOREIGN KEY(study_id) REFERENCES lab.studies (id),
	CONSTRAINT fk_comparabilities_reinspection_id FOREIGN KEY(reinspection_id) REFERENCES lab.reinspections (id),
	CONSTRAINT fk_comparabilities_process_id FOREIGN KEY(process_id) REFERENCES lab.process_versions (id),
	CONSTRAINT fk_comparabilities_specification_id FOREIGN KEY(specification_id) REFERENCES lab.specifications (id),
	CONSTRAINT fk_comparabilities_proposed_by FOREIGN KEY(proposed_by) REFERENCES people.accounts (id),
	CONSTRAINT uq_comparabilities_signature_id UNIQUE (signature_id),
	CONSTRAINT fk_comparabilities_signature_id FOREIGN KEY(signature_id) REFERENCES lab.signatures (id)
);

CREATE INDEX ix_comparabilities_study_id ON lab.comparabilities (study_id);

-- Cells at the end of production, grown to the limit of their process version or beyond, as a laboratory tested them. A
-- report that was recorded wrongly is recorded anew by another person, in its place.
CREATE TABLE lab.production_ends (
	id BIGINT GENERATED ALWAYS AS IDENTITY,
	lot_id BIGINT NOT NULL,
	pdl_reached NUMERIC NOT NULL,
	laboratory TEXT NOT NULL,
	report_number TEXT NOT NULL,
	reported_on DATE NOT NULL,
	file_name TEXT NOT NULL,
	file_sha256 TEXT NOT NULL,
	tests JSONB NOT NULL,
	replaces_id BIGINT,
	why TEXT,
	recorded_by BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT pk_production_ends PRIMARY KEY (id),
	CONSTRAINT uq_production_ends_replaces_id UNIQUE (replaces_id),
	CONSTRAINT ck_production_ends_pdl CHECK (pdl_reached > 0 AND pdl_reached < 1000),
	CONSTRAINT ck_production_ends_file CHECK (file_sha256 ~ '^[0-9a-f]{64}$'),
	CONSTRAINT ck_production_ends_tests CHECK (jsonb_typeof(tests) = 'array' AND tests <> '[]' AND NOT jsonb_path_exists(tests, '$[*] ? (!(@.test == "tumorigenicity_in_vitro" || @.test == "tumorigenicity_in_vivo" || @.test == "karyotype" || @.test == "adventitious_virus") || !(@.outcome == "passed" || @.outcome == "failed" || @.outcome == "inconclusive"))')),
	CONSTRAINT ck_production_ends_why CHECK ((replaces_id IS NULL) = (why IS NULL)),
	CONSTRAINT fk_production_ends_lot_id FOREIGN KEY(lot_id) REFERENCES lab.lots (id),
	CONSTRAINT fk_production_ends_replaces_id FOREIGN KEY(replaces_id) REFERENCES lab.production_ends (id),
	CONSTRAINT fk_production_ends_recorded_by FOREIGN KEY(recorded_by) REFERENCES people.accounts (id)
);

CREATE INDEX ix_production_ends_lot_id ON lab.production_ends (lot_id);

-- For how many years the protocol says that each subject is followed. The last record of a protocol counts, the others stay.
CREATE TABLE lab.follow_up_plans (
	id BIGINT GENERATED ALWAYS AS IDENTITY,
	study_id BIGINT NOT NULL,
	protocol_version TEXT NOT NULL,
	years NUMERIC NOT NULL,
	reference TEXT NOT NULL,
	recorded_by BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT pk_follow_up_plans PRIMARY KEY (id),
	CONSTRAINT ck_follow_up_plans_years CHECK (years > 0 AND years <= 100),
	CONSTRAINT fk_follow_up_plans_study_id FOREIGN KEY(study_id) REFERENCES lab.studies (id),
	CONSTRAINT fk_follow_up_plans_recorded_by FOREIGN KEY(recorded_by) REFERENCES people.accounts (id)
);

CREATE INDEX ix_follow_up_plans_study_id ON lab.follow_up_plans (study_id);

-- Papers from before the guideline that are withdrawn: from then on they show nothing.
ALTER TABLE lab.legacy_dossiers ADD CONSTRAINT uq_legacy_dossiers_id_item_id UNIQUE (id, item_id);
CREATE TABLE lab.legacy_withdrawals (
	id BIGINT GENERATED ALWAYS AS IDENTITY,
	dossier_id BIGINT NOT NULL,
	item_id BIGINT NOT NULL,
	reasons TEXT NOT NULL,
	recorded_by BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT pk_legacy_withdrawals PRIMARY KEY (id),
	CONSTRAINT uq_legacy_withdrawals_dossier_id UNIQUE (dossier_id),
	CONSTRAINT ck_legacy_withdrawals_reasons CHECK (btrim(reasons) <> ''),
	CONSTRAINT fk_legacy_withdrawals_dossier_id FOREIGN KEY(dossier_id, item_id) REFERENCES lab.legacy_dossiers (id, item_id),
	CONSTRAINT fk_legacy_withdrawals_recorded_by FOREIGN KEY(recorded_by) REFERENCES people.accounts (id)
);
