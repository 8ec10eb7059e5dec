-- The house itself: equipment that is fit, rooms, documents, who is responsible.

CREATE TABLE lab.equipment_qualifications (
	id BIGINT GENERATED ALWAYS AS IDENTITY,
	equipment_id BIGINT NOT NULL,
	kind TEXT NOT NULL,
	done_on DATE NOT NULL,
	due_on DATE,
	outcome TEXT NOT NULL,
	as_found_in_tolerance BOOLEAN,
	evidence TEXT NOT NULL,
	done_by TEXT NOT NULL,
	recorded_by BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT pk_equipment_qualifications PRIMARY KEY (id),
	CONSTRAINT ck_equipment_qualifications_kind CHECK (kind IN ('installation','operational','performance','calibration','maintenance')),
	CONSTRAINT ck_equipment_qualifications_outcome CHECK (outcome IN ('passed','failed')),
	CONSTRAINT ck_equipment_qualifications_interval CHECK (due_on > done_on),
	CONSTRAINT ck_equipment_qualifications_due CHECK (due_on IS NOT NULL OR outcome = 'failed' OR kind NOT IN ('performance','calibration')),
	CONSTRAINT ck_equipment_qualifications_as_found CHECK (kind <> 'calibration' OR as_found_in_tolerance IS NOT NULL),
	CONSTRAINT fk_equipment_qualifications_equipment_id FOREIGN KEY(equipment_id) REFERENCES lab.equipment (id),
	CONSTRAINT fk_equipment_qualifications_recorded_by FOREIGN KEY(recorded_by) REFERENCES people.accounts (id)
);

CREATE INDEX ix_equipment_qualifications_equipment_id ON lab.equipment_qualifications (equipment_id);

CREATE TABLE lab.documents (
	id BIGINT GENERATED ALWAYS AS IDENTITY,
	number TEXT NOT NULL,
	version INTEGER NOT NULL,
	types TEXT[] NOT NULL,
	title TEXT NOT NULL,
	effective_from TIMESTAMP WITH TIME ZONE NOT NULL,
	review_due DATE NOT NULL,
	file_name TEXT NOT NULL,
	file_sha256 TEXT NOT NULL,
	proposed_by BIGINT NOT NULL,
	signature_id BIGINT,
	recorded_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT pk_documents PRIMARY KEY (id),
	CONSTRAINT uq_documents_number_version UNIQUE (number, version),
	CONSTRAINT ck_documents_version CHECK (version >= 1),
	CONSTRAINT ck_documents_types CHECK (cardinality(types) > 0),
	CONSTRAINT ck_documents_file CHECK (file_sha256 ~ '^[0-9a-f]{64}$'),
	CONSTRAINT fk_documents_proposed_by FOREIGN KEY(proposed_by) REFERENCES people.accounts (id),
	CONSTRAINT uq_documents_signature_id UNIQUE (signature_id),
	CONSTRAINT fk_documents_signature_id FOREIGN KEY(signature_id) REFERENCES lab.signatures (id)
);

CREATE TABLE lab.area_classifications (
	id BIGINT GENERATED ALWAYS AS IDENTITY,
	room TEXT,
	workstation_id BIGINT,
	grade TEXT NOT NULL,
	classified_on DATE NOT NULL,
	due_on DATE NOT NULL,
	evidence TEXT NOT NULL,
	recorded_by BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT pk_area_classifications PRIMARY KEY (id),
	CONSTRAINT ck_area_classifications_one_thing CHECK ((room IS NULL) <> (workstation_id IS NULL)),
	CONSTRAINT ck_area_classifications_grade CHECK (grade IN ('A','B','C','D') OR (workstation_id IS NOT NULL AND grade IN ('isolator','closed'))),
	CONSTRAINT ck_area_classifications_interval CHECK (due_on > classified_on),
	CONSTRAINT fk_area_classifications_workstation_id FOREIGN KEY(workstation_id) REFERENCES lab.equipment (id),
	CONSTRAINT fk_area_classifications_recorded_by FOREIGN KEY(recorded_by) REFERENCES people.accounts (id)
);

CREATE INDEX ix_area_classifications_room ON lab.area_classifications (room);

CREATE INDEX ix_area_classifications_workstation_id ON lab.area_classifications (workstation_id);

CREATE TABLE lab.monitoring_samples (
	id BIGINT GENERATED ALWAYS AS IDENTITY,
	lot_id BIGINT NOT NULL,
	session_id BIGINT NOT NULL,
	kind TEXT NOT NULL,
	grade TEXT NOT NULL,
	place TEXT NOT NULL,
	taken_at TIMESTAMP WITH TIME ZONE NOT NULL,
	recorded_by BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT pk_monitoring_samples PRIMARY KEY (id),
	CONSTRAINT ck_monitoring_samples_kind CHECK (kind IN ('settle','contact','glove','air','particles_05','particles_5')),
	CONSTRAINT ck_monitoring_samples_grade CHECK (grade IN ('A','B','C','D')),
	CONSTRAINT fk_monitoring_samples_lot_id FOREIGN KEY(lot_id) REFERENCES lab.lots (id),
	CONSTRAINT fk_monitoring_samples_session_id FOREIGN KEY(session_id) REFERENCES lab.workstation_sessions (id),
	CONSTRAINT fk_monitoring_samples_recorded_by FOREIGN KEY(recorded_by) REFERENCES people.accounts (id)
);

CREATE INDEX ix_monitoring_samples_lot_id ON lab.monitoring_samples (lot_id);

CREATE INDEX ix_monitoring_samples_session_id ON lab.monitoring_samples (session_id);

CREATE TABLE lab.monitoring_readings (
	id BIGINT GENERATED ALWAYS AS IDENTITY,
	lot_id BIGINT NOT NULL,
	sample_id BIGINT NOT NULL,
	value NUMERIC NOT NULL,
	organism TEXT,
	read_at TIMESTAMP WITH TIME ZONE NOT NULL,
	recorded_by BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT pk_monitoring_readings PRIMARY KEY (id),
	CONSTRAINT ck_monitoring_readings_not_negative CHECK (value >= 0),
	CONSTRAINT fk_monitoring_readings_lot_id FOREIGN KEY(lot_id) REFERENCES lab.lots (id),
	CONSTRAINT fk_monitoring_readings_sample_id FOREIGN KEY(sample_id) REFERENCES lab.monitoring_samples (id),
	CONSTRAINT fk_monitoring_readings_recorded_by FOREIGN KEY(recorded_by) REFERENCES people.accounts (id)
);

CREATE INDEX ix_monitoring_readings_lot_id ON lab.monitoring_readings (lot_id);

CREATE INDEX ix_monitoring_readings_sample_id ON lab.monitoring_readings (sample_id);

CREATE TABLE lab.authorisations (
	id BIGINT GENERATED ALWAYS AS IDENTITY,
	process_id BIGINT NOT NULL,
	owner TEXT NOT NULL,
	address TEXT NOT NULL,
	classification TEXT NOT NULL,
	valid_from TIMESTAMP WITH TIME ZONE NOT NULL,
	valid_to TIMESTAMP WITH TIME ZONE NOT NULL,
	proposed_by BIGINT NOT NULL,
	signature_id BIGINT,
	recorded_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT pk_authorisations PRIMARY KEY (id),
	CONSTRAINT ck_authorisations_interval CHECK (valid_to > valid_from),
	CONSTRAINT fk_authorisations_process_id FOREIGN KEY(process_id) REFERENCES lab.process_versions (id),
	CONSTRAINT fk_authorisations_proposed_by FOREIGN KEY(proposed_by) REFERENCES people.accounts (id),
	CONSTRAINT uq_authorisations_signature_id UNIQUE (signature_id),
	CONSTRAINT fk_authorisations_signature_id FOREIGN KEY(signature_id) REFERENCES lab.signatures (id)
);

CREATE INDEX ix_authorisations_process_id ON lab.authorisations (process_id);

CREATE TABLE lab.responsibilities (
	id BIGINT GENERATED ALWAYS AS IDENTITY,
	level TEXT NOT NULL,
	account_id BIGINT NOT NULL,
	duties TEXT NOT NULL,
	from_at TIMESTAMP WITH TIME ZONE NOT NULL,
	until_at TIMESTAMP WITH TIME ZONE,
	ended_at TIMESTAMP WITH TIME ZONE,
	proposed_by BIGINT NOT NULL,
	signature_id BIGINT,
	recorded_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT pk_responsibilities PRIMARY KEY (id),
	CONSTRAINT ck_responsibilities_level CHECK (level IN ('institution','study','facility')),
	CONSTRAINT ck_responsibilities_interval CHECK (until_at > from_at),
	CONSTRAINT ck_responsibilities_by_another CHECK (proposed_by <> account_id),
	CONSTRAINT fk_responsibilities_account_id FOREIGN KEY(account_id) REFERENCES people.accounts (id),
	CONSTRAINT fk_responsibilities_proposed_by FOREIGN KEY(proposed_by) REFERENCES people.accounts (id),
	CONSTRAINT uq_responsibilities_signature_id UNIQUE (signature_id),
	CONSTRAINT fk_responsibilities_signature_id FOREIGN KEY(signature_id) REFERENCES lab.signatures (id)
);
