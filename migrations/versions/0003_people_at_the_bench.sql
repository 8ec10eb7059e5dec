-- Work at the bench and its proofs. Columns added to audited tables are nullable: earlier images say nothing of them.

CREATE SEQUENCE lab.assessment_numbers;

ALTER TABLE lab.materials ADD COLUMN animal_serum BOOLEAN, ADD COLUMN species TEXT, ADD COLUMN opened_life_hours NUMERIC;

ALTER TABLE lab.material_lots ADD COLUMN origin_countries TEXT[], ADD COLUMN processed_in TEXT, ADD COLUMN collected_on DATE;

ALTER TABLE people.credentials ADD COLUMN pin_hash TEXT;

CREATE TABLE people.badges (
	id BIGINT NOT NULL,
	account_id BIGINT NOT NULL,
	revoked_at TIMESTAMP WITH TIME ZONE,
	recorded_by BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT pk_badges PRIMARY KEY (id),
	CONSTRAINT fk_badges_id FOREIGN KEY(id) REFERENCES lab.items (id),
	CONSTRAINT fk_badges_account_id FOREIGN KEY(account_id) REFERENCES people.accounts (id),
	CONSTRAINT fk_badges_recorded_by FOREIGN KEY(recorded_by) REFERENCES people.accounts (id)
);

CREATE INDEX ix_badges_account_id ON people.badges (account_id);

CREATE UNIQUE INDEX uq_badges_live ON people.badges (account_id) WHERE revoked_at IS NULL;

CREATE TABLE people.qualifications (
	id BIGINT GENERATED ALWAYS AS IDENTITY,
	account_id BIGINT NOT NULL,
	topic TEXT NOT NULL,
	valid_from TIMESTAMP WITH TIME ZONE NOT NULL,
	valid_to TIMESTAMP WITH TIME ZONE NOT NULL,
	evidence TEXT NOT NULL,
	recorded_by BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT pk_qualifications PRIMARY KEY (id),
	CONSTRAINT ck_qualifications_interval CHECK (valid_to > valid_from),
	CONSTRAINT ck_qualifications_by_another CHECK (account_id <> recorded_by),
	CONSTRAINT fk_qualifications_account_id FOREIGN KEY(account_id) REFERENCES people.accounts (id),
	CONSTRAINT fk_qualifications_recorded_by FOREIGN KEY(recorded_by) REFERENCES people.accounts (id)
);

CREATE INDEX ix_qualifications_account_id ON people.qualifications (account_id);

CREATE TABLE lab.timers (
	id BIGINT GENERATED ALWAYS AS IDENTITY,
	workstation_id BIGINT NOT NULL,
	lot_id BIGINT,
	name TEXT NOT NULL,
	started_at TIMESTAMP WITH TIME ZONE NOT NULL,
	due_at TIMESTAMP WITH TIME ZONE NOT NULL,
	ended_at TIMESTAMP WITH TIME ZONE,
	ended_by BIGINT,
	recorded_by BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT pk_timers PRIMARY KEY (id),
	CONSTRAINT ck_timers_interval CHECK (due_at > started_at),
	CONSTRAINT fk_timers_workstation_id FOREIGN KEY(workstation_id) REFERENCES lab.equipment (id),
	CONSTRAINT fk_timers_lot_id FOREIGN KEY(lot_id) REFERENCES lab.lots (id),
	CONSTRAINT fk_timers_ended_by FOREIGN KEY(ended_by) REFERENCES people.accounts (id),
	CONSTRAINT fk_timers_recorded_by FOREIGN KEY(recorded_by) REFERENCES people.accounts (id)
);

CREATE INDEX ix_timers_workstation_id ON lab.timers (workstation_id);

CREATE TABLE lab.bench_reasons (
	id BIGINT GENERATED ALWAYS AS IDENTITY,
	item_id BIGINT NOT NULL,
	lot_id BIGINT,
	act TEXT NOT NULL,
	reason TEXT NOT NULL,
	note TEXT,
	noted_at TIMESTAMP WITH TIME ZONE,
	noted_by BIGINT,
	recorded_by BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT pk_bench_reasons PRIMARY KEY (id),
	CONSTRAINT ck_bench_reasons_noted CHECK ((note IS NULL) = (noted_at IS NULL)),
	CONSTRAINT fk_bench_reasons_item_id FOREIGN KEY(item_id) REFERENCES lab.items (id),
	CONSTRAINT fk_bench_reasons_lot_id FOREIGN KEY(lot_id) REFERENCES lab.lots (id),
	CONSTRAINT fk_bench_reasons_noted_by FOREIGN KEY(noted_by) REFERENCES people.accounts (id),
	CONSTRAINT fk_bench_reasons_recorded_by FOREIGN KEY(recorded_by) REFERENCES people.accounts (id)
);

CREATE INDEX ix_bench_reasons_lot_id ON lab.bench_reasons (lot_id);

CREATE INDEX ix_bench_reasons_item_id ON lab.bench_reasons (item_id);

CREATE TABLE lab.printers (
	id BIGINT NOT NULL,
	address TEXT NOT NULL,
	dots_per_mm NUMERIC NOT NULL,
	media TEXT NOT NULL,
	recorded_by BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT pk_printers PRIMARY KEY (id),
	CONSTRAINT fk_printers_id FOREIGN KEY(id) REFERENCES lab.equipment (id),
	CONSTRAINT fk_printers_recorded_by FOREIGN KEY(recorded_by) REFERENCES people.accounts (id)
);

CREATE TABLE lab.label_counts (
	id BIGINT GENERATED ALWAYS AS IDENTITY,
	lot_id BIGINT NOT NULL,
	printed INTEGER NOT NULL,
	used INTEGER NOT NULL,
	destroyed INTEGER NOT NULL,
	returned INTEGER NOT NULL,
	remark TEXT,
	recorded_by BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT pk_label_counts PRIMARY KEY (id),
	CONSTRAINT ck_label_counts_not_negative CHECK (least(printed, used, destroyed, returned) >= 0),
	CONSTRAINT fk_label_counts_lot_id FOREIGN KEY(lot_id) REFERENCES lab.lots (id),
	CONSTRAINT fk_label_counts_recorded_by FOREIGN KEY(recorded_by) REFERENCES people.accounts (id)
);

CREATE INDEX ix_label_counts_lot_id ON lab.label_counts (lot_id);

CREATE TABLE lab.assessments (
	id BIGINT GENERATED ALWAYS AS IDENTITY,
	number TEXT NOT NULL,
	version INTEGER NOT NULL,
	rule TEXT NOT NULL,
	title TEXT NOT NULL,
	scope_kind TEXT NOT NULL,
	scope_id BIGINT,
	hazard TEXT NOT NULL,
	mitigations JSONB NOT NULL,
	conclusion TEXT NOT NULL,
	proposed_by BIGINT NOT NULL,
	valid_from TIMESTAMP WITH TIME ZONE NOT NULL,
	valid_to TIMESTAMP WITH TIME ZONE NOT NULL,
	signature_id BIGINT,
	recorded_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT pk_assessments PRIMARY KEY (id),
	CONSTRAINT uq_assessments_number_version UNIQUE (number, version),
	CONSTRAINT ck_assessments_scope CHECK (scope_kind IN ('facility','process','donor','lot','material')),
	CONSTRAINT ck_assessments_scope_named CHECK ((scope_kind = 'facility') = (scope_id IS NULL)),
	CONSTRAINT ck_assessments_interval CHECK (valid_to > valid_from),
	CONSTRAINT fk_assessments_proposed_by FOREIGN KEY(proposed_by) REFERENCES people.accounts (id),
	CONSTRAINT uq_assessments_signature_id UNIQUE (signature_id),
	CONSTRAINT fk_assessments_signature_id FOREIGN KEY(signature_id) REFERENCES lab.signatures (id)
);

CREATE INDEX ix_assessments_rule_scope ON lab.assessments (rule, scope_kind, scope_id);

CREATE TABLE lab.animal_disease_status (
	id BIGINT GENERATED ALWAYS AS IDENTITY,
	country TEXT NOT NULL,
	disease TEXT NOT NULL,
	category TEXT NOT NULL,
	valid_from DATE NOT NULL,
	valid_to DATE,
	source TEXT NOT NULL,
	recorded_by BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT pk_animal_disease_status PRIMARY KEY (id),
	CONSTRAINT ck_animal_disease_status_category CHECK (category IN ('negligible','controlled','undetermined','prohibited')),
	CONSTRAINT fk_animal_disease_status_recorded_by FOREIGN KEY(recorded_by) REFERENCES people.accounts (id)
);

CREATE INDEX ix_animal_disease_status_country ON lab.animal_disease_status (country, disease);

CREATE TABLE lab.verifications (
	id BIGINT GENERATED ALWAYS AS IDENTITY,
	lot_id BIGINT NOT NULL,
	step_id BIGINT,
	clearance_id BIGINT,
	verified_by BIGINT NOT NULL,
	badge_id BIGINT NOT NULL,
	scanned_item_id BIGINT NOT NULL,
	scanned TEXT NOT NULL,
	recorded_by BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT pk_verifications PRIMARY KEY (id),
	CONSTRAINT ck_verifications_one_thing CHECK ((step_id IS NULL) <> (clearance_id IS NULL)),
	CONSTRAINT fk_verifications_lot_id FOREIGN KEY(lot_id) REFERENCES lab.lots (id),
	CONSTRAINT uq_verifications_step_id UNIQUE (step_id),
	CONSTRAINT fk_verifications_step_id FOREIGN KEY(step_id) REFERENCES lab.steps (id),
	CONSTRAINT uq_verifications_clearance_id UNIQUE (clearance_id),
	CONSTRAINT fk_verifications_clearance_id FOREIGN KEY(clearance_id) REFERENCES lab.line_clearances (id),
	CONSTRAINT fk_verifications_verified_by FOREIGN KEY(verified_by) REFERENCES people.accounts (id),
	CONSTRAINT fk_verifications_badge_id FOREIGN KEY(badge_id) REFERENCES people.badges (id),
	CONSTRAINT fk_verifications_scanned_item_id FOREIGN KEY(scanned_item_id) REFERENCES lab.items (id),
	CONSTRAINT fk_verifications_recorded_by FOREIGN KEY(recorded_by) REFERENCES people.accounts (id)
);

CREATE INDEX ix_verifications_lot_id ON lab.verifications (lot_id);

CREATE TABLE lab.print_jobs (
	id BIGINT GENERATED ALWAYS AS IDENTITY,
	label_id BIGINT NOT NULL,
	printer_id BIGINT NOT NULL,
	state TEXT DEFAULT 'queued' NOT NULL,
	attempts INTEGER DEFAULT '0' NOT NULL,
	trouble TEXT,
	sent_at TIMESTAMP WITH TIME ZONE,
	ended_at TIMESTAMP WITH TIME ZONE,
	version INTEGER DEFAULT '1' NOT NULL,
	recorded_by BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT pk_print_jobs PRIMARY KEY (id),
	CONSTRAINT ck_print_jobs_state CHECK (state IN ('queued','sending','printed','failed','unknown','cancelled')),
	CONSTRAINT uq_print_jobs_label_id UNIQUE (label_id),
	CONSTRAINT fk_print_jobs_label_id FOREIGN KEY(label_id) REFERENCES lab.labels (id),
	CONSTRAINT fk_print_jobs_printer_id FOREIGN KEY(printer_id) REFERENCES lab.printers (id),
	CONSTRAINT fk_print_jobs_recorded_by FOREIGN KEY(recorded_by) REFERENCES people.accounts (id)
);

CREATE INDEX ix_print_jobs_open ON lab.print_jobs (id) WHERE state IN ('queued','sending','unknown','failed');

CREATE TABLE lab.label_imbalances (
	id BIGINT GENERATED ALWAYS AS IDENTITY,
	lot_id BIGINT NOT NULL,
	count_id BIGINT NOT NULL,
	deviation_id BIGINT NOT NULL,
	search TEXT NOT NULL,
	mix_up_risk TEXT NOT NULL,
	independent_evidence TEXT NOT NULL,
	recorded_by BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT pk_label_imbalances PRIMARY KEY (id),
	CONSTRAINT fk_label_imbalances_lot_id FOREIGN KEY(lot_id) REFERENCES lab.lots (id),
	CONSTRAINT fk_label_imbalances_count_id FOREIGN KEY(count_id) REFERENCES lab.label_counts (id),
	CONSTRAINT fk_label_imbalances_deviation_id FOREIGN KEY(deviation_id) REFERENCES lab.deviations (id),
	CONSTRAINT fk_label_imbalances_recorded_by FOREIGN KEY(recorded_by) REFERENCES people.accounts (id)
);

CREATE INDEX ix_label_imbalances_lot_id ON lab.label_imbalances (lot_id);

CREATE INDEX ix_containers_opened_until ON lab.containers (opened_until) WHERE opened_until IS NOT NULL;

CREATE INDEX ix_deviations_open ON lab.deviations (id) WHERE state = 'open';

CREATE TABLE lab.papers (
	id BIGINT GENERATED ALWAYS AS IDENTITY,
	item_id BIGINT NOT NULL,
	number TEXT NOT NULL,
	kind TEXT NOT NULL,
	language TEXT NOT NULL,
	content TEXT NOT NULL,
	content_sha256 TEXT NOT NULL,
	pdf_sha256 TEXT NOT NULL,
	pages INTEGER NOT NULL,
	recorded_by BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT pk_papers PRIMARY KEY (id),
	CONSTRAINT ck_papers_kind CHECK (kind IN ('certificate','batch_summary','eligibility')),
	CONSTRAINT ck_papers_language CHECK (language IN ('en','zh_CN')),
	CONSTRAINT fk_papers_item_id FOREIGN KEY(item_id) REFERENCES lab.items (id),
	CONSTRAINT uq_papers_number UNIQUE (number),
	CONSTRAINT fk_papers_recorded_by FOREIGN KEY(recorded_by) REFERENCES people.accounts (id)
);

CREATE INDEX ix_papers_item_id ON lab.papers (item_id);

CREATE INDEX ix_entries_actor_number ON audit.entries (actor, number);

CREATE INDEX ix_entries_act_number ON audit.entries (act, number);

CREATE INDEX ix_entries_subject_number ON audit.entries (subject, number);

CREATE INDEX ix_rows_tbl_entry_number ON audit.rows (tbl, entry_number);
