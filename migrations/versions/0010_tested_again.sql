-- Laboratories outside and what they tested again before a study begins.

CREATE TABLE lab.laboratories (
	id BIGINT GENERATED ALWAYS AS IDENTITY,
	name TEXT NOT NULL,
	address TEXT NOT NULL,
	recorded_by BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT pk_laboratories PRIMARY KEY (id),
	CONSTRAINT uq_laboratories_name UNIQUE (name),
	CONSTRAINT fk_laboratories_recorded_by FOREIGN KEY(recorded_by) REFERENCES people.accounts (id)
);

-- An accreditation as its paper says it. A later paper of the same kind and number counts from the day on which it begins.
CREATE TABLE lab.laboratory_accreditations (
	id BIGINT GENERATED ALWAYS AS IDENTITY,
	laboratory_id BIGINT NOT NULL,
	kind TEXT NOT NULL,
	number TEXT NOT NULL,
	scope JSONB NOT NULL,
	valid_from DATE NOT NULL,
	valid_to DATE,
	file_name TEXT NOT NULL,
	file_sha256 TEXT NOT NULL,
	recorded_by BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT pk_laboratory_accreditations PRIMARY KEY (id),
	CONSTRAINT uq_laboratory_accreditations_id_laboratory_id UNIQUE (id, laboratory_id),
	CONSTRAINT ck_laboratory_accreditations_kind CHECK (kind IN ('cma','cnas','nifdc','other')),
	CONSTRAINT ck_laboratory_accreditations_scope CHECK (jsonb_typeof(scope) = 'array' AND jsonb_array_length(scope) > 0),
	CONSTRAINT ck_laboratory_accreditations_interval CHECK (valid_to >= valid_from),
	CONSTRAINT ck_laboratory_accreditations_end CHECK (valid_to IS NOT NULL OR kind = 'nifdc'),
	CONSTRAINT ck_laboratory_accreditations_file CHECK (file_sha256 ~ '^[0-9a-f]{64}$'),
	CONSTRAINT fk_laboratory_accreditations_laboratory_id FOREIGN KEY(laboratory_id) REFERENCES lab.laboratories (id),
	CONSTRAINT fk_laboratory_accreditations_recorded_by FOREIGN KEY(recorded_by) REFERENCES people.accounts (id)
);

CREATE INDEX ix_laboratory_accreditations_laboratory_id ON lab.laboratory_accreditations (laboratory_id);

-- An accreditation that ended before its day: with all of its number, from a day on.
CREATE TABLE lab.accreditation_ends (
	id BIGINT GENERATED ALWAYS AS IDENTITY,
	laboratory_id BIGINT NOT NULL,
	accreditation_id BIGINT NOT NULL,
	how TEXT NOT NULL,
	ended_on DATE NOT NULL,
	why TEXT NOT NULL,
	evidence TEXT NOT NULL,
	recorded_by BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT pk_accreditation_ends PRIMARY KEY (id),
	CONSTRAINT ck_accreditation_ends_how CHECK (how IN ('lapsed','suspended','withdrawn')),
	CONSTRAINT fk_accreditation_ends_laboratory_id FOREIGN KEY(laboratory_id) REFERENCES lab.laboratories (id),
	CONSTRAINT fk_accreditation_ends_accreditation_id_laboratory_id FOREIGN KEY(accreditation_id, laboratory_id) REFERENCES lab.laboratory_accreditations (id, laboratory_id),
	CONSTRAINT fk_accreditation_ends_recorded_by FOREIGN KEY(recorded_by) REFERENCES people.accounts (id)
);

CREATE INDEX ix_accreditation_ends_laboratory_id ON lab.accreditation_ends (laboratory_id);

-- Who says that a laboratory stands apart from an institution and this facility, and on what evidence.
CREATE TABLE lab.independence_declarations (
	id BIGINT GENERATED ALWAYS AS IDENTITY,
	laboratory_id BIGINT NOT NULL,
	institution_id BIGINT NOT NULL,
	not_the_institution BOOLEAN NOT NULL,
	not_the_facility BOOLEAN NOT NULL,
	no_common_control BOOLEAN NOT NULL,
	declared_by TEXT NOT NULL,
	declared_on DATE NOT NULL,
	evidence TEXT NOT NULL,
	recorded_by BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT pk_independence_declarations PRIMARY KEY (id),
	CONSTRAINT fk_independence_declarations_laboratory_id FOREIGN KEY(laboratory_id) REFERENCES lab.laboratories (id),
	CONSTRAINT fk_independence_declarations_institution_id FOREIGN KEY(institution_id) REFERENCES lab.institutions (id),
	CONSTRAINT fk_independence_declarations_recorded_by FOREIGN KEY(recorded_by) REFERENCES people.accounts (id)
);

CREATE INDEX ix_independence_declarations_laboratory_id ON lab.independence_declarations (laboratory_id);

-- A report of a laboratory about a sample of one lot. A corrected record names the one whose place it takes; both stay.
CREATE TABLE lab.reinspections (
	id BIGINT GENERATED ALWAYS AS IDENTITY,
	study_id BIGINT NOT NULL,
	laboratory_id BIGINT NOT NULL,
	sample_kind TEXT NOT NULL,
	lot_id BIGINT NOT NULL,
	process_id BIGINT NOT NULL,
	report_number TEXT NOT NULL,
	signatory TEXT,
	file_name TEXT,
	file_sha256 TEXT,
	taken_at TIMESTAMP WITH TIME ZONE NOT NULL,
	handed_over_by TEXT,
	received_at TIMESTAMP WITH TIME ZONE NOT NULL,
	received_by TEXT,
	low_c NUMERIC,
	high_c NUMERIC,
	min_c NUMERIC,
	max_c NUMERIC,
	excursion TEXT,
	reported_on DATE NOT NULL,
	replaces_id BIGINT,
	why TEXT,
	recorded_by BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT pk_reinspections PRIMARY KEY (id),
	CONSTRAINT uq_reinspections_replaces_id UNIQUE (replaces_id),
	CONSTRAINT ck_reinspections_sample_kind CHECK (sample_kind IN ('bank','starting_harvest','final_formulation')),
	CONSTRAINT ck_reinspections_order CHECK (received_at >= taken_at),
	CONSTRAINT ck_reinspections_limits CHECK (high_c >= low_c),
	CONSTRAINT ck_reinspections_measured CHECK (max_c >= min_c),
	CONSTRAINT ck_reinspections_file CHECK ((file_name IS NULL) = (file_sha256 IS NULL) AND (file_sha256 IS NULL OR file_sha256 ~ '^[0-9a-f]{64}$')),
	CONSTRAINT ck_reinspections_why CHECK ((replaces_id IS NULL) = (why IS NULL)),
	CONSTRAINT fk_reinspections_study_id FOREIGN KEY(study_id) REFERENCES lab.studies (id),
	CONSTRAINT fk_reinspections_laboratory_id FOREIGN KEY(laboratory_id) REFERENCES lab.laboratories (id),
	CONSTRAINT fk_reinspections_lot_id FOREIGN KEY(lot_id) REFERENCES lab.lots (id),
	CONSTRAINT fk_reinspections_process_id FOREIGN KEY(process_id) REFERENCES lab.process_versions (id),
	CONSTRAINT fk_reinspections_replaces_id FOREIGN KEY(replaces_id) REFERENCES lab.reinspections (id),
	CONSTRAINT fk_reinspections_recorded_by FOREIGN KEY(recorded_by) REFERENCES people.accounts (id)
);

CREATE INDEX ix_reinspections_study_id ON lab.reinspections (study_id);
CREATE INDEX ix_reinspections_laboratory_id ON lab.reinspections (laboratory_id);

-- What the report says of one test.
CREATE TABLE lab.reinspection_tests (
	id BIGINT GENERATED ALWAYS AS IDENTITY,
	reinspection_id BIGINT NOT NULL,
	test TEXT NOT NULL,
	method TEXT NOT NULL,
	limit_text TEXT NOT NULL,
	limit_value NUMERIC,
	outcome TEXT NOT NULL,
	found TEXT,
	value NUMERIC,
	unit TEXT,
	statement TEXT,
	tested_on DATE NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT pk_reinspection_tests PRIMARY KEY (id),
	CONSTRAINT uq_reinspection_tests_reinspection_id_test UNIQUE (reinspection_id, test),
	CONSTRAINT ck_reinspection_tests_test CHECK (test IN ('sterility','mycoplasma','endotoxin','exogenous_viruses')),
	CONSTRAINT ck_reinspection_tests_outcome CHECK (outcome IN ('passed','failed','inconclusive','not_applicable')),
	CONSTRAINT ck_reinspection_tests_statement CHECK ((outcome = 'not_applicable') = (statement IS NOT NULL)),
	CONSTRAINT ck_reinspection_tests_found CHECK ((outcome = 'not_applicable') = (found IS NULL)),
	CONSTRAINT ck_reinspection_tests_unit CHECK ((value IS NULL AND limit_value IS NULL) = (unit IS NULL)),
	CONSTRAINT fk_reinspection_tests_reinspection_id FOREIGN KEY(reinspection_id) REFERENCES lab.reinspections (id)
);

-- What came to light may be that an accreditation had ended.
ALTER TABLE lab.impacts DROP CONSTRAINT ck_impacts_kind;
ALTER TABLE lab.impacts ADD CONSTRAINT ck_impacts_kind CHECK (kind IN ('donor_marker','consent_withdrawn','donation_ineligible','material_stopped','result_failed','accreditation_ended'));
ALTER TABLE lab.impact_facts DROP CONSTRAINT ck_impact_facts_fact;
ALTER TABLE lab.impact_facts ADD CONSTRAINT ck_impact_facts_fact CHECK (fact IN ('marker','consent','determination','material_lot','result','accreditation'));

-- A shipper as it was qualified: between which temperatures it keeps, and for how long.
CREATE TABLE lab.shipper_qualifications (
	id BIGINT GENERATED ALWAYS AS IDENTITY,
	shipper TEXT NOT NULL,
	low_c NUMERIC NOT NULL,
	high_c NUMERIC NOT NULL,
	hours_max NUMERIC NOT NULL,
	qualified_on DATE NOT NULL,
	valid_to DATE NOT NULL,
	file_name TEXT NOT NULL,
	file_sha256 TEXT NOT NULL,
	recorded_by BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT pk_shipper_qualifications PRIMARY KEY (id),
	CONSTRAINT uq_shipper_qualifications_shipper_qualified_on UNIQUE (shipper, qualified_on),
	CONSTRAINT ck_shipper_qualifications_limits CHECK (high_c >= low_c),
	CONSTRAINT ck_shipper_qualifications_hours CHECK (hours_max > 0),
	CONSTRAINT ck_shipper_qualifications_interval CHECK (valid_to >= qualified_on),
	CONSTRAINT ck_shipper_qualifications_file CHECK (file_sha256 ~ '^[0-9a-f]{64}$'),
	CONSTRAINT fk_shipper_qualifications_recorded_by FOREIGN KEY(recorded_by) REFERENCES people.accounts (id)
);

-- That a lot was carried between a partner and the house or the hospital, in which shipper, and what its logger measured.
CREATE TABLE lab.transports (
	id BIGINT GENERATED ALWAYS AS IDENTITY,
	lot_id BIGINT NOT NULL,
	qualification_id BIGINT NOT NULL,
	partner_id BIGINT NOT NULL,
	from_place TEXT NOT NULL,
	to_place TEXT NOT NULL,
	dispatched_at TIMESTAMP WITH TIME ZONE NOT NULL,
	handed_over_by TEXT NOT NULL,
	arrived_at TIMESTAMP WITH TIME ZONE NOT NULL,
	received_by TEXT NOT NULL,
	min_c NUMERIC,
	max_c NUMERIC,
	file_name TEXT,
	file_sha256 TEXT,
	excursion TEXT,
	recorded_by BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT pk_transports PRIMARY KEY (id),
	CONSTRAINT ck_transports_order CHECK (arrived_at >= dispatched_at),
	CONSTRAINT ck_transports_measured CHECK (max_c >= min_c),
	CONSTRAINT ck_transports_file CHECK ((file_name IS NULL) = (file_sha256 IS NULL) AND (file_sha256 IS NULL OR file_sha256 ~ '^[0-9a-f]{64}$')),
	CONSTRAINT fk_transports_lot_id FOREIGN KEY(lot_id) REFERENCES lab.lots (id),
	CONSTRAINT fk_transports_qualification_id FOREIGN KEY(qualification_id) REFERENCES lab.shipper_qualifications (id),
	CONSTRAINT fk_transports_partner_id FOREIGN KEY(partner_id) REFERENCES lab.partners (id),
	CONSTRAINT fk_transports_recorded_by FOREIGN KEY(recorded_by) REFERENCES people.accounts (id)
);

CREATE INDEX ix_transports_lot_id ON lab.transports (lot_id);
