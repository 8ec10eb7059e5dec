-- Release in two steps, where it is allowed: the plan, the tests under way, and what the physician knows of them.

-- Which tests of a process version may be pending at a first release, and what stands in for each: proposed by quality,
-- signed by the authority. `pending`: test, interim, validation, days, if_positive.
CREATE TABLE lab.two_step_plans (
	id BIGINT GENERATED ALWAYS AS IDENTITY,
	process_id BIGINT NOT NULL,
	version INTEGER NOT NULL,
	protocol TEXT NOT NULL,
	protocol_version TEXT NOT NULL,
	ethics_reference TEXT NOT NULL,
	ethics_approved_on DATE NOT NULL,
	consent_clause TEXT NOT NULL,
	pending JSONB NOT NULL,
	proposed_by BIGINT NOT NULL,
	signature_id BIGINT,
	recorded_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT pk_two_step_plans PRIMARY KEY (id),
	CONSTRAINT uq_two_step_plans_process_id_version UNIQUE (process_id, version),
	CONSTRAINT ck_two_step_plans_version CHECK (version >= 1),
	CONSTRAINT ck_two_step_plans_pending CHECK (jsonb_typeof(pending) = 'array'),
	CONSTRAINT fk_two_step_plans_process_id FOREIGN KEY(process_id) REFERENCES lab.process_versions (id),
	CONSTRAINT fk_two_step_plans_proposed_by FOREIGN KEY(proposed_by) REFERENCES people.accounts (id),
	CONSTRAINT uq_two_step_plans_signature_id UNIQUE (signature_id),
	CONSTRAINT fk_two_step_plans_signature_id FOREIGN KEY(signature_id) REFERENCES lab.signatures (id)
);

-- A slow test that was begun: on which sample, where, and by when its result is read.
CREATE TABLE lab.tests_under_way (
	id BIGINT GENERATED ALWAYS AS IDENTITY,
	lot_id BIGINT NOT NULL,
	sample_id BIGINT NOT NULL,
	line_id BIGINT NOT NULL,
	laboratory TEXT NOT NULL,
	started_at TIMESTAMP WITH TIME ZONE NOT NULL,
	due_at TIMESTAMP WITH TIME ZONE NOT NULL,
	recorded_by BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT pk_tests_under_way PRIMARY KEY (id),
	CONSTRAINT ck_tests_under_way_due CHECK (due_at > started_at),
	CONSTRAINT fk_tests_under_way_lot_id FOREIGN KEY(lot_id) REFERENCES lab.lots (id),
	CONSTRAINT fk_tests_under_way_sample_id FOREIGN KEY(sample_id) REFERENCES lab.samples (id),
	CONSTRAINT fk_tests_under_way_line_id FOREIGN KEY(line_id) REFERENCES lab.specification_lines (id),
	CONSTRAINT fk_tests_under_way_recorded_by FOREIGN KEY(recorded_by) REFERENCES people.accounts (id)
);

CREATE INDEX ix_tests_under_way_lot_id ON lab.tests_under_way (lot_id);

-- A physician says to know that this lot would be given before these results are there.
CREATE TABLE lab.pending_acknowledgements (
	id BIGINT GENERATED ALWAYS AS IDENTITY,
	lot_id BIGINT NOT NULL,
	tests TEXT[] NOT NULL,
	remarks TEXT NOT NULL,
	recorded_by BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT pk_pending_acknowledgements PRIMARY KEY (id),
	CONSTRAINT ck_pending_acknowledgements_tests CHECK (cardinality(tests) > 0),
	CONSTRAINT fk_pending_acknowledgements_lot_id FOREIGN KEY(lot_id) REFERENCES lab.lots (id),
	CONSTRAINT fk_pending_acknowledgements_recorded_by FOREIGN KEY(recorded_by) REFERENCES people.accounts (id)
);

CREATE INDEX ix_pending_acknowledgements_lot_id ON lab.pending_acknowledgements (lot_id);
