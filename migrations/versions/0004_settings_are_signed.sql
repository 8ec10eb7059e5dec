-- Settings that only a signed change alters; rule packs; authorities' written replies.

CREATE TABLE lab.setting_proposals (
	id BIGINT GENERATED ALWAYS AS IDENTITY,
	name TEXT NOT NULL,
	value JSONB NOT NULL,
	unit TEXT,
	source TEXT NOT NULL,
	why TEXT NOT NULL,
	valid_from TIMESTAMP WITH TIME ZONE NOT NULL,
	proposed_by BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT pk_setting_proposals PRIMARY KEY (id),
	CONSTRAINT fk_setting_proposals_proposed_by FOREIGN KEY(proposed_by) REFERENCES people.accounts (id)
);

CREATE INDEX ix_setting_proposals_name ON lab.setting_proposals (name);

-- What was shipped is version 1; every later version stands on a proposal and a signature.
ALTER TABLE lab.settings
	ADD COLUMN proposal_id BIGINT,
	ADD COLUMN signature_id BIGINT,
	ADD CONSTRAINT uq_settings_proposal_id UNIQUE (proposal_id),
	ADD CONSTRAINT uq_settings_signature_id UNIQUE (signature_id),
	ADD CONSTRAINT fk_settings_proposal_id FOREIGN KEY(proposal_id) REFERENCES lab.setting_proposals (id),
	ADD CONSTRAINT fk_settings_signature_id FOREIGN KEY(signature_id) REFERENCES lab.signatures (id),
	ADD CONSTRAINT ck_settings_signed CHECK (
		(proposal_id IS NULL) = (signature_id IS NULL) AND (version = 1 OR signature_id IS NOT NULL));

CREATE TABLE lab.pack_proposals (
	id BIGINT GENERATED ALWAYS AS IDENTITY,
	pack TEXT NOT NULL,
	why TEXT NOT NULL,
	proposed_by BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT pk_pack_proposals PRIMARY KEY (id),
	CONSTRAINT fk_pack_proposals_proposed_by FOREIGN KEY(proposed_by) REFERENCES people.accounts (id)
);

CREATE TABLE lab.pack_choices (
	id BIGINT GENERATED ALWAYS AS IDENTITY,
	pack TEXT NOT NULL,
	proposal_id BIGINT NOT NULL,
	signature_id BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT pk_pack_choices PRIMARY KEY (id),
	CONSTRAINT uq_pack_choices_proposal_id UNIQUE (proposal_id),
	CONSTRAINT fk_pack_choices_proposal_id FOREIGN KEY(proposal_id) REFERENCES lab.pack_proposals (id),
	CONSTRAINT uq_pack_choices_signature_id UNIQUE (signature_id),
	CONSTRAINT fk_pack_choices_signature_id FOREIGN KEY(signature_id) REFERENCES lab.signatures (id)
);

CREATE TABLE lab.authority_replies (
	id BIGINT GENERATED ALWAYS AS IDENTITY,
	authority TEXT NOT NULL,
	reference TEXT NOT NULL,
	dated DATE NOT NULL,
	rule TEXT NOT NULL,
	process_id BIGINT NOT NULL,
	question TEXT NOT NULL,
	answer TEXT NOT NULL,
	ruling TEXT NOT NULL,
	file_name TEXT NOT NULL,
	file_sha256 TEXT NOT NULL,
	file_place TEXT NOT NULL,
	recorded_by BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT pk_authority_replies PRIMARY KEY (id),
	CONSTRAINT ck_authority_replies_ruling CHECK (ruling IN ('permits','refuses','undecided')),
	CONSTRAINT ck_authority_replies_sha256 CHECK (file_sha256 ~ '^[0-9a-f]{64}$'),
	CONSTRAINT fk_authority_replies_process_id FOREIGN KEY(process_id) REFERENCES lab.process_versions (id),
	CONSTRAINT fk_authority_replies_recorded_by FOREIGN KEY(recorded_by) REFERENCES people.accounts (id)
);

CREATE INDEX ix_authority_replies_process_id ON lab.authority_replies (process_id);
