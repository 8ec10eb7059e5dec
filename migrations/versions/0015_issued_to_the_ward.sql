-- Which partner made a lot, and how the partner numbers it.
CREATE TABLE lab.partner_lots (
	lot_id BIGINT NOT NULL,
	partner_id BIGINT NOT NULL,
	lot_number TEXT NOT NULL,
	process TEXT NOT NULL,
	recorded_by BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT pk_partner_lots PRIMARY KEY (lot_id),
	CONSTRAINT uq_partner_lots_partner_id_lot_number UNIQUE (partner_id, lot_number),
	CONSTRAINT fk_partner_lots_lot_id FOREIGN KEY(lot_id) REFERENCES lab.lots (id),
	CONSTRAINT fk_partner_lots_partner_id FOREIGN KEY(partner_id) REFERENCES lab.partners (id),
	CONSTRAINT fk_partner_lots_recorded_by FOREIGN KEY(recorded_by) REFERENCES people.accounts (id)
);

-- A partner's paper about a lot that it made: what it says, who signed it there, and the file by name and SHA-256.
CREATE TABLE lab.partner_papers (
	id BIGINT GENERATED ALWAYS AS IDENTITY,
	lot_id BIGINT NOT NULL,
	kind TEXT NOT NULL,
	reference TEXT NOT NULL,
	conforms BOOLEAN NOT NULL,
	covers TEXT[] NOT NULL,
	signed_by TEXT NOT NULL,
	signed_at TIMESTAMP WITH TIME ZONE NOT NULL,
	file_name TEXT NOT NULL,
	file_sha256 TEXT NOT NULL,
	recorded_by BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT pk_partner_papers PRIMARY KEY (id),
	CONSTRAINT uq_partner_papers_id_lot_id UNIQUE (id, lot_id),
	CONSTRAINT ck_partner_papers_kind CHECK (kind IN ('batch_record','analysis','release')),
	CONSTRAINT ck_partner_papers_covers CHECK (covers <@ ARRAY['equipment','clean_area','training','deviations'] AND (kind = 'release' OR covers = '{}')),
	CONSTRAINT ck_partner_papers_file CHECK (file_sha256 ~ '^[0-9a-f]{64}$'),
	CONSTRAINT fk_partner_papers_lot_id FOREIGN KEY(lot_id) REFERENCES lab.partner_lots (lot_id),
	CONSTRAINT fk_partner_papers_recorded_by FOREIGN KEY(recorded_by) REFERENCES people.accounts (id)
);

CREATE INDEX ix_partner_papers_lot_id ON lab.partner_papers (lot_id);

-- A step that a partner made, as its batch record tells it: its people in the words of that record.
CREATE TABLE lab.partner_steps (
	step_id BIGINT NOT NULL,
	lot_id BIGINT NOT NULL,
	workstation TEXT,
	one_donor BOOLEAN,
	performed_by TEXT NOT NULL,
	verified_by TEXT,
	verified_at TIMESTAMP WITH TIME ZONE,
	cleared_at TIMESTAMP WITH TIME ZONE,
	cleared_by TEXT,
	clearance_verified_by TEXT,
	clearance_verified_at TIMESTAMP WITH TIME ZONE,
	page TEXT NOT NULL,
	recorded_by BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT pk_partner_steps PRIMARY KEY (step_id),
	CONSTRAINT ck_partner_steps_verified CHECK ((verified_by IS NULL) = (verified_at IS NULL)),
	CONSTRAINT ck_partner_steps_cleared CHECK ((cleared_by IS NULL) = (cleared_at IS NULL)),
	CONSTRAINT ck_partner_steps_clearance_verified CHECK ((clearance_verified_by IS NULL) = (clearance_verified_at IS NULL)),
	CONSTRAINT fk_partner_steps_step_id FOREIGN KEY(step_id) REFERENCES lab.steps (id),
	CONSTRAINT fk_partner_steps_lot_id FOREIGN KEY(lot_id) REFERENCES lab.partner_lots (lot_id),
	CONSTRAINT fk_partner_steps_recorded_by FOREIGN KEY(recorded_by) REFERENCES people.accounts (id)
);

CREATE INDEX ix_partner_steps_lot_id ON lab.partner_steps (lot_id);

-- A result that was read from a partner's paper, and not measured here.
ALTER TABLE lab.results ADD COLUMN paper_id BIGINT;
ALTER TABLE lab.results ADD CONSTRAINT fk_results_paper_id FOREIGN KEY(paper_id, lot_id) REFERENCES lab.partner_papers (id, lot_id);

-- A treating physician asks for a lot that is out of specification, and what the quality authority decides. No release.
CREATE TABLE lab.exceptional_requests (
	id BIGINT GENERATED ALWAYS AS IDENTITY,
	lot_id BIGINT NOT NULL,
	reasons TEXT NOT NULL,
	risk_evaluation TEXT NOT NULL,
	risk_file_name TEXT NOT NULL,
	risk_file_sha256 TEXT NOT NULL,
	committee TEXT NOT NULL,
	committee_decision TEXT NOT NULL,
	committee_decided_on DATE NOT NULL,
	committee_reference TEXT NOT NULL,
	recorded_by BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
	disposition TEXT,
	signature_id BIGINT,
	CONSTRAINT pk_exceptional_requests PRIMARY KEY (id),
	CONSTRAINT ck_exceptional_requests_committee_decision CHECK (committee_decision IN ('approved','refused')),
	CONSTRAINT ck_exceptional_requests_disposition CHECK (disposition IN ('oos_exceptional_supply','refused')),
	CONSTRAINT ck_exceptional_requests_signed CHECK ((disposition IS NULL) = (signature_id IS NULL)),
	CONSTRAINT ck_exceptional_requests_file CHECK (risk_file_sha256 ~ '^[0-9a-f]{64}$'),
	CONSTRAINT fk_exceptional_requests_lot_id FOREIGN KEY(lot_id) REFERENCES lab.lots (id),
	CONSTRAINT fk_exceptional_requests_recorded_by FOREIGN KEY(recorded_by) REFERENCES people.accounts (id),
	CONSTRAINT fk_exceptional_requests_signature_id FOREIGN KEY(signature_id) REFERENCES lab.signatures (id)
);

CREATE INDEX ix_exceptional_requests_lot_id ON lab.exceptional_requests (lot_id);
