-- Donors in depth: histories, tissues, samples, birth tissue, where it is kept, human genetic resources.

ALTER TABLE lab.donors ADD COLUMN kind TEXT, ADD CONSTRAINT ck_donors_kind CHECK (kind IN ('birth'));

CREATE TABLE lab.tissue_types (
	id BIGINT GENERATED ALWAYS AS IDENTITY,
	name TEXT NOT NULL,
	version INTEGER NOT NULL,
	name_zh TEXT NOT NULL,
	leukocyte_rich BOOLEAN NOT NULL,
	birth_tissue BOOLEAN NOT NULL,
	reason TEXT NOT NULL,
	proposed_by BIGINT NOT NULL,
	signature_id BIGINT,
	recorded_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT pk_tissue_types PRIMARY KEY (id),
	CONSTRAINT uq_tissue_types_name_version UNIQUE (name, version),
	CONSTRAINT fk_tissue_types_proposed_by FOREIGN KEY(proposed_by) REFERENCES people.accounts (id),
	CONSTRAINT uq_tissue_types_signature_id UNIQUE (signature_id),
	CONSTRAINT fk_tissue_types_signature_id FOREIGN KEY(signature_id) REFERENCES lab.signatures (id)
);

CREATE TABLE lab.sampling_statements (
	id BIGINT GENERATED ALWAYS AS IDENTITY,
	donor_id BIGINT NOT NULL,
	sampled_at TIMESTAMP WITH TIME ZONE NOT NULL,
	weight_kg NUMERIC,
	blood_ml NUMERIC NOT NULL,
	colloid_ml NUMERIC NOT NULL,
	crystalloid_ml NUMERIC NOT NULL,
	recorded_by BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT pk_sampling_statements PRIMARY KEY (id),
	CONSTRAINT ck_sampling_statements_not_negative CHECK (least(blood_ml, colloid_ml, crystalloid_ml) >= 0 AND weight_kg > 0),
	CONSTRAINT fk_sampling_statements_donor_id FOREIGN KEY(donor_id) REFERENCES lab.donors (id),
	CONSTRAINT fk_sampling_statements_recorded_by FOREIGN KEY(recorded_by) REFERENCES people.accounts (id)
);

CREATE INDEX ix_sampling_statements_donor_id ON lab.sampling_statements (donor_id);

CREATE TABLE lab.questionnaires (
	id BIGINT GENERATED ALWAYS AS IDENTITY,
	name TEXT NOT NULL,
	version INTEGER NOT NULL,
	questions JSONB NOT NULL,
	source TEXT NOT NULL,
	recorded_by BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT pk_questionnaires PRIMARY KEY (id),
	CONSTRAINT uq_questionnaires_name_version UNIQUE (name, version),
	CONSTRAINT fk_questionnaires_recorded_by FOREIGN KEY(recorded_by) REFERENCES people.accounts (id)
);

CREATE TABLE lab.health_histories (
	id BIGINT GENERATED ALWAYS AS IDENTITY,
	donor_id BIGINT NOT NULL,
	questionnaire_id BIGINT NOT NULL,
	answers JSONB NOT NULL,
	asked_at TIMESTAMP WITH TIME ZONE NOT NULL,
	examined_at TIMESTAMP WITH TIME ZONE,
	examined_by TEXT,
	examination TEXT,
	findings TEXT,
	recorded_by BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT pk_health_histories PRIMARY KEY (id),
	CONSTRAINT ck_health_histories_examination CHECK (examination IN ('suitable','not_suitable')),
	CONSTRAINT ck_health_histories_examined CHECK ((examination IS NULL) = (examined_at IS NULL) AND (examination IS NULL) = (examined_by IS NULL)),
	CONSTRAINT fk_health_histories_donor_id FOREIGN KEY(donor_id) REFERENCES lab.donors (id),
	CONSTRAINT fk_health_histories_questionnaire_id FOREIGN KEY(questionnaire_id) REFERENCES lab.questionnaires (id),
	CONSTRAINT fk_health_histories_recorded_by FOREIGN KEY(recorded_by) REFERENCES people.accounts (id)
);

CREATE INDEX ix_health_histories_donor_id ON lab.health_histories (donor_id);

CREATE TABLE lab.birth_tests (
	id BIGINT GENERATED ALWAYS AS IDENTITY,
	donation_id BIGINT NOT NULL,
	kind TEXT NOT NULL,
	method TEXT NOT NULL,
	laboratory TEXT NOT NULL,
	sampled_at TIMESTAMP WITH TIME ZONE NOT NULL,
	reported_at TIMESTAMP WITH TIME ZONE NOT NULL,
	profile JSONB,
	maternal_percent NUMERIC,
	recorded_by BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT pk_birth_tests PRIMARY KEY (id),
	CONSTRAINT ck_birth_tests_kind CHECK (kind IN ('infant_genotype','maternal_contamination')),
	CONSTRAINT ck_birth_tests_answers CHECK ((kind = 'infant_genotype') = (profile IS NOT NULL) AND (kind = 'maternal_contamination') = (maternal_percent IS NOT NULL)),
	CONSTRAINT ck_birth_tests_percent CHECK (maternal_percent BETWEEN 0 AND 100),
	CONSTRAINT ck_birth_tests_order CHECK (reported_at >= sampled_at),
	CONSTRAINT fk_birth_tests_donation_id FOREIGN KEY(donation_id) REFERENCES lab.donations (id),
	CONSTRAINT fk_birth_tests_recorded_by FOREIGN KEY(recorded_by) REFERENCES people.accounts (id)
);

CREATE INDEX ix_birth_tests_donation_id ON lab.birth_tests (donation_id);

CREATE TABLE lab.donation_storage (
	id BIGINT GENERATED ALWAYS AS IDENTITY,
	donation_id BIGINT NOT NULL,
	place_id BIGINT NOT NULL,
	biohazard_labelled BOOLEAN NOT NULL,
	stored_at TIMESTAMP WITH TIME ZONE NOT NULL,
	recorded_by BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT pk_donation_storage PRIMARY KEY (id),
	CONSTRAINT fk_donation_storage_donation_id FOREIGN KEY(donation_id) REFERENCES lab.donations (id),
	CONSTRAINT fk_donation_storage_place_id FOREIGN KEY(place_id) REFERENCES lab.equipment (id),
	CONSTRAINT fk_donation_storage_recorded_by FOREIGN KEY(recorded_by) REFERENCES people.accounts (id)
);

CREATE INDEX ix_donation_storage_donation_id ON lab.donation_storage (donation_id);

CREATE TABLE lab.genetic_resource_permits (
	id BIGINT GENERATED ALWAYS AS IDENTITY,
	number TEXT NOT NULL,
	authority TEXT NOT NULL,
	purposes TEXT[] NOT NULL,
	scope TEXT NOT NULL,
	valid_from DATE NOT NULL,
	valid_to DATE,
	evidence TEXT NOT NULL,
	withdrawn_at TIMESTAMP WITH TIME ZONE,
	recorded_by BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT pk_genetic_resource_permits PRIMARY KEY (id),
	CONSTRAINT uq_genetic_resource_permits_number UNIQUE (number),
	CONSTRAINT ck_genetic_resource_permits_interval CHECK (valid_to >= valid_from),
	CONSTRAINT ck_genetic_resource_permits_purposes CHECK (cardinality(purposes) > 0 AND purposes <@ '{banking,third_party}'::text[]),
	CONSTRAINT fk_genetic_resource_permits_recorded_by FOREIGN KEY(recorded_by) REFERENCES people.accounts (id)
);
