-- Every table of the first house. Forward only: a later change is a later file.

CREATE TABLE lab.items (
	id BIGINT GENERATED ALWAYS AS IDENTITY,
	kind TEXT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT pk_items PRIMARY KEY (id),
	CONSTRAINT ck_items_kind CHECK (kind IN ('person','donation','lot','container','material_container','sample','retain','equipment','shelf','position','badge'))
);

CREATE TABLE lab.scans (
	number BIGINT NOT NULL,
	epoch INTEGER NOT NULL,
	xid xid8 NOT NULL,
	at TIMESTAMP WITH TIME ZONE NOT NULL,
	account_id BIGINT NOT NULL,
	session_id BIGINT NOT NULL,
	workstation_id BIGINT,
	raw TEXT NOT NULL,
	code TEXT,
	item_id BIGINT,
	verdict TEXT NOT NULL,
	reason TEXT NOT NULL,
	key TEXT,
	payload TEXT NOT NULL,
	hash BYTEA NOT NULL,
	CONSTRAINT pk_scans PRIMARY KEY (number)
);

CREATE UNIQUE INDEX uq_scans_key ON lab.scans (account_id, key) WHERE key IS NOT NULL;

CREATE INDEX ix_scans_xid ON lab.scans (xid);

CREATE TABLE lab.idempotency (
	account_id BIGINT NOT NULL,
	key TEXT NOT NULL,
	act TEXT NOT NULL,
	body_sha256 BYTEA NOT NULL,
	answer JSONB,
	at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT pk_idempotency PRIMARY KEY (account_id, key)
);

CREATE TABLE lab.refusals (
	id BIGINT GENERATED ALWAYS AS IDENTITY,
	kind TEXT NOT NULL,
	act TEXT NOT NULL,
	subject TEXT NOT NULL,
	what TEXT NOT NULL,
	why TEXT NOT NULL,
	remedy TEXT NOT NULL,
	rule TEXT,
	detail JSONB NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT pk_refusals PRIMARY KEY (id)
);

CREATE TABLE lab.settings (
	id BIGINT GENERATED ALWAYS AS IDENTITY,
	name TEXT NOT NULL,
	version INTEGER NOT NULL,
	value JSONB NOT NULL,
	unit TEXT,
	source TEXT NOT NULL,
	valid_from TIMESTAMP WITH TIME ZONE NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT pk_settings PRIMARY KEY (id),
	CONSTRAINT uq_settings_name_version UNIQUE (name, version)
);

CREATE TABLE lab.rulebooks (
	id BIGINT GENERATED ALWAYS AS IDENTITY,
	version TEXT NOT NULL,
	jurisdiction TEXT,
	recorded_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT pk_rulebooks PRIMARY KEY (id),
	CONSTRAINT uq_rulebooks_version UNIQUE (version)
);

CREATE TABLE lab.deployment (
	id INTEGER NOT NULL,
	purpose TEXT NOT NULL,
	facility TEXT NOT NULL,
	time_zone TEXT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT pk_deployment PRIMARY KEY (id),
	CONSTRAINT ck_deployment_one_row CHECK (id = 1),
	CONSTRAINT ck_deployment_purpose CHECK (purpose IN ('production','demo','test'))
);

CREATE TABLE audit.entries (
	number BIGINT NOT NULL,
	epoch INTEGER NOT NULL,
	xid xid8 NOT NULL,
	at TIMESTAMP WITH TIME ZONE NOT NULL,
	actor_id BIGINT,
	actor TEXT NOT NULL,
	roles TEXT NOT NULL,
	act TEXT NOT NULL,
	subject TEXT NOT NULL,
	reason TEXT NOT NULL,
	device TEXT NOT NULL,
	session_id BIGINT,
	idem_key TEXT,
	db_role TEXT NOT NULL,
	payload TEXT NOT NULL,
	hash BYTEA NOT NULL,
	CONSTRAINT pk_entries PRIMARY KEY (number)
);

CREATE INDEX ix_entries_at ON audit.entries (at);

CREATE INDEX ix_entries_xid ON audit.entries (xid);

CREATE TABLE audit.leaves (
	n BIGINT NOT NULL,
	kind TEXT NOT NULL,
	number BIGINT NOT NULL,
	hash BYTEA NOT NULL,
	CONSTRAINT pk_leaves PRIMARY KEY (n),
	CONSTRAINT ck_leaves_kind CHECK (kind IN ('entry','scan')),
	CONSTRAINT uq_leaves_number UNIQUE (number)
);

CREATE TABLE audit.nodes (
	level SMALLINT NOT NULL,
	idx BIGINT NOT NULL,
	hash BYTEA NOT NULL,
	CONSTRAINT pk_nodes PRIMARY KEY (level, idx)
);

CREATE TABLE audit.checkpoints (
	size BIGINT NOT NULL,
	epoch INTEGER NOT NULL,
	root BYTEA NOT NULL,
	horizon xid8 NOT NULL,
	note TEXT NOT NULL,
	at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT pk_checkpoints PRIMARY KEY (size)
);

CREATE TABLE audit.epochs (
	epoch INTEGER NOT NULL,
	opened_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
	reason TEXT NOT NULL,
	previous_size BIGINT NOT NULL,
	previous_root BYTEA,
	CONSTRAINT pk_epochs PRIMARY KEY (epoch)
);

CREATE TABLE lab.lot_moves (
	kind TEXT NOT NULL,
	from_state TEXT NOT NULL,
	act TEXT NOT NULL,
	to_state TEXT NOT NULL,
	towards_use BOOLEAN NOT NULL,
	CONSTRAINT pk_lot_moves PRIMARY KEY (kind, from_state, act),
	CONSTRAINT uq_lot_moves_kind_from_state_act_to_state UNIQUE (kind, from_state, act, to_state)
);

CREATE TABLE people.accounts (
	id BIGINT GENERATED ALWAYS AS IDENTITY,
	username TEXT NOT NULL,
	printed_name TEXT NOT NULL,
	state TEXT DEFAULT 'active' NOT NULL,
	language TEXT DEFAULT 'en' NOT NULL,
	version INTEGER DEFAULT '1' NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT pk_accounts PRIMARY KEY (id),
	CONSTRAINT ck_accounts_state CHECK (state IN ('active', 'deactivated')),
	CONSTRAINT ck_accounts_username CHECK (username ~ '^[a-z][a-z0-9._-]{1,63}$'),
	CONSTRAINT uq_accounts_username UNIQUE (username)
);

CREATE TABLE people.login_attempts (
	id BIGINT GENERATED ALWAYS AS IDENTITY,
	username TEXT NOT NULL,
	source TEXT NOT NULL,
	at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
	outcome TEXT NOT NULL,
	CONSTRAINT pk_login_attempts PRIMARY KEY (id)
);

CREATE INDEX ix_login_attempts_username_at ON people.login_attempts (username, at);

CREATE INDEX ix_login_attempts_source_at ON people.login_attempts (source, at);

CREATE TABLE people.meanings (
	meaning TEXT NOT NULL,
	roles TEXT[] NOT NULL,
	record_kind TEXT NOT NULL,
	CONSTRAINT pk_meanings PRIMARY KEY (meaning)
);

CREATE TABLE lab.item_codes (
	code TEXT NOT NULL,
	item_id BIGINT NOT NULL,
	scheme TEXT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT pk_item_codes PRIMARY KEY (code),
	CONSTRAINT ck_item_codes_scheme CHECK (scheme IN ('own','din','supplier')),
	CONSTRAINT fk_item_codes_item_id FOREIGN KEY(item_id) REFERENCES lab.items (id)
);

CREATE INDEX ix_item_codes_item_id ON lab.item_codes (item_id);

CREATE UNIQUE INDEX uq_item_codes_one_own ON lab.item_codes (item_id) WHERE scheme = 'own';

CREATE TABLE lab.equipment (
	id BIGINT NOT NULL,
	name TEXT NOT NULL,
	kind TEXT NOT NULL,
	room TEXT NOT NULL,
	recorded_by BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT pk_equipment PRIMARY KEY (id),
	CONSTRAINT fk_equipment_id FOREIGN KEY(id) REFERENCES lab.items (id),
	CONSTRAINT uq_equipment_name UNIQUE (name),
	CONSTRAINT fk_equipment_recorded_by FOREIGN KEY(recorded_by) REFERENCES people.accounts (id)
);

CREATE TABLE lab.labels (
	id BIGINT GENERATED ALWAYS AS IDENTITY,
	item_id BIGINT NOT NULL,
	design TEXT NOT NULL,
	content_sha256 TEXT NOT NULL,
	read_back TEXT NOT NULL,
	reprint_of BIGINT,
	reason TEXT,
	recorded_by BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT pk_labels PRIMARY KEY (id),
	CONSTRAINT fk_labels_item_id FOREIGN KEY(item_id) REFERENCES lab.items (id),
	CONSTRAINT fk_labels_reprint_of FOREIGN KEY(reprint_of) REFERENCES lab.labels (id),
	CONSTRAINT fk_labels_recorded_by FOREIGN KEY(recorded_by) REFERENCES people.accounts (id)
);

CREATE INDEX ix_labels_item_id ON lab.labels (item_id);

CREATE TABLE audit.rows (
	seq BIGINT NOT NULL,
	entry_number BIGINT NOT NULL,
	tbl TEXT NOT NULL,
	key TEXT NOT NULL,
	op TEXT NOT NULL,
	payload TEXT NOT NULL,
	hash BYTEA NOT NULL,
	CONSTRAINT pk_rows PRIMARY KEY (seq),
	CONSTRAINT ck_rows_op CHECK (op IN ('I','U','D')),
	CONSTRAINT fk_rows_entry_number FOREIGN KEY(entry_number) REFERENCES audit.entries (number)
);

CREATE INDEX ix_rows_entry_number ON audit.rows (entry_number);

CREATE INDEX ix_rows_tbl_key_seq ON audit.rows (tbl, key, seq);

CREATE TABLE lab.persons (
	id BIGINT NOT NULL,
	pseudonym TEXT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT pk_persons PRIMARY KEY (id),
	CONSTRAINT fk_persons_id FOREIGN KEY(id) REFERENCES lab.items (id),
	CONSTRAINT uq_persons_pseudonym UNIQUE (pseudonym)
);

CREATE TABLE lab.materials (
	id BIGINT GENERATED ALWAYS AS IDENTITY,
	name TEXT NOT NULL,
	description TEXT NOT NULL,
	grade TEXT NOT NULL,
	composition JSONB,
	composition_complete BOOLEAN NOT NULL,
	version INTEGER DEFAULT '1' NOT NULL,
	recorded_by BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT pk_materials PRIMARY KEY (id),
	CONSTRAINT uq_materials_name UNIQUE (name),
	CONSTRAINT fk_materials_recorded_by FOREIGN KEY(recorded_by) REFERENCES people.accounts (id)
);

CREATE TABLE lab.process_versions (
	id BIGINT GENERATED ALWAYS AS IDENTITY,
	name TEXT NOT NULL,
	version INTEGER NOT NULL,
	product TEXT NOT NULL,
	product_zh TEXT NOT NULL,
	cell_source TEXT NOT NULL,
	passage_convention TEXT NOT NULL,
	max_passage INTEGER NOT NULL,
	max_pdl NUMERIC NOT NULL,
	shelf_life_days INTEGER,
	gene_modified BOOLEAN NOT NULL,
	long_term_expansion BOOLEAN NOT NULL,
	clone_selected BOOLEAN NOT NULL,
	short_cycle BOOLEAN NOT NULL,
	low_manipulation BOOLEAN NOT NULL,
	recorded_by BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT pk_process_versions PRIMARY KEY (id),
	CONSTRAINT uq_process_versions_name_version UNIQUE (name, version),
	CONSTRAINT ck_process_versions_convention CHECK (passage_convention IN ('primary_is_p0','primary_is_p1')),
	CONSTRAINT fk_process_versions_recorded_by FOREIGN KEY(recorded_by) REFERENCES people.accounts (id)
);

CREATE TABLE lab.specifications (
	id BIGINT GENERATED ALWAYS AS IDENTITY,
	name TEXT NOT NULL,
	version INTEGER NOT NULL,
	effective_from TIMESTAMP WITH TIME ZONE NOT NULL,
	recorded_by BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT pk_specifications PRIMARY KEY (id),
	CONSTRAINT uq_specifications_name_version UNIQUE (name, version),
	CONSTRAINT fk_specifications_recorded_by FOREIGN KEY(recorded_by) REFERENCES people.accounts (id)
);

CREATE TABLE lab.judgements (
	id BIGINT GENERATED ALWAYS AS IDENTITY,
	subject_kind TEXT NOT NULL,
	subject_id BIGINT NOT NULL,
	gate TEXT NOT NULL,
	rulebook TEXT NOT NULL,
	dossier TEXT NOT NULL,
	digest TEXT NOT NULL,
	verdicts JSONB NOT NULL,
	blocks BOOLEAN NOT NULL,
	recorded_by BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT pk_judgements PRIMARY KEY (id),
	CONSTRAINT fk_judgements_recorded_by FOREIGN KEY(recorded_by) REFERENCES people.accounts (id)
);

CREATE INDEX ix_judgements_subject ON lab.judgements (subject_kind, subject_id);

CREATE TABLE people.credentials (
	account_id BIGINT NOT NULL,
	password_hash TEXT NOT NULL,
	totp_secret BYTEA,
	totp_last_step BIGINT DEFAULT '0' NOT NULL,
	reset_at TIMESTAMP WITH TIME ZONE,
	recorded_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT pk_credentials PRIMARY KEY (account_id),
	CONSTRAINT fk_credentials_account_id FOREIGN KEY(account_id) REFERENCES people.accounts (id)
);

CREATE TABLE people.grants (
	id BIGINT GENERATED ALWAYS AS IDENTITY,
	account_id BIGINT NOT NULL,
	role TEXT NOT NULL,
	revoked_at TIMESTAMP WITH TIME ZONE,
	recorded_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT pk_grants PRIMARY KEY (id),
	CONSTRAINT ck_grants_appointed_not_granted CHECK (role <> 'quality_authority'),
	CONSTRAINT fk_grants_account_id FOREIGN KEY(account_id) REFERENCES people.accounts (id)
);

CREATE UNIQUE INDEX uq_grants_live ON people.grants (account_id, role) WHERE revoked_at IS NULL;

CREATE INDEX ix_grants_account_id ON people.grants (account_id);

CREATE TABLE people.sessions (
	id BIGINT GENERATED ALWAYS AS IDENTITY,
	token_sha256 BYTEA NOT NULL,
	account_id BIGINT NOT NULL,
	device TEXT NOT NULL,
	workstation_id BIGINT,
	started_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
	seen_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
	ends_at TIMESTAMP WITH TIME ZONE NOT NULL,
	ended_at TIMESTAMP WITH TIME ZONE,
	second_factor BOOLEAN DEFAULT false NOT NULL,
	csrf TEXT NOT NULL,
	CONSTRAINT pk_sessions PRIMARY KEY (id),
	CONSTRAINT uq_sessions_token_sha256 UNIQUE (token_sha256),
	CONSTRAINT fk_sessions_account_id FOREIGN KEY(account_id) REFERENCES people.accounts (id),
	CONSTRAINT fk_sessions_workstation_id FOREIGN KEY(workstation_id) REFERENCES lab.items (id)
);

CREATE INDEX ix_sessions_account_id ON people.sessions (account_id);

CREATE TABLE people.proposals (
	id BIGINT GENERATED ALWAYS AS IDENTITY,
	account_id BIGINT NOT NULL,
	title_level TEXT NOT NULL,
	title_certificate TEXT NOT NULL,
	certificate_valid_until DATE,
	from_at TIMESTAMP WITH TIME ZONE NOT NULL,
	until_at TIMESTAMP WITH TIME ZONE,
	proposed_by BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT pk_proposals PRIMARY KEY (id),
	CONSTRAINT fk_proposals_account_id FOREIGN KEY(account_id) REFERENCES people.accounts (id),
	CONSTRAINT fk_proposals_proposed_by FOREIGN KEY(proposed_by) REFERENCES people.accounts (id)
);

CREATE INDEX ix_proposals_account_id ON people.proposals (account_id);

CREATE TABLE lab.donors (
	id BIGINT NOT NULL,
	relation TEXT NOT NULL,
	tested_person_id BIGINT NOT NULL,
	genetic_source_id BIGINT NOT NULL,
	recipient_id BIGINT,
	version INTEGER DEFAULT '1' NOT NULL,
	recorded_by BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT pk_donors PRIMARY KEY (id),
	CONSTRAINT ck_donors_relation CHECK (relation IN ('autologous','allogeneic')),
	CONSTRAINT fk_donors_id FOREIGN KEY(id) REFERENCES lab.persons (id),
	CONSTRAINT fk_donors_tested_person_id FOREIGN KEY(tested_person_id) REFERENCES lab.persons (id),
	CONSTRAINT fk_donors_genetic_source_id FOREIGN KEY(genetic_source_id) REFERENCES lab.persons (id),
	CONSTRAINT fk_donors_recipient_id FOREIGN KEY(recipient_id) REFERENCES lab.persons (id),
	CONSTRAINT fk_donors_recorded_by FOREIGN KEY(recorded_by) REFERENCES people.accounts (id)
);

CREATE TABLE lab.specification_lines (
	id BIGINT GENERATED ALWAYS AS IDENTITY,
	specification_id BIGINT NOT NULL,
	test TEXT NOT NULL,
	method TEXT NOT NULL,
	kind TEXT NOT NULL,
	low NUMERIC,
	high NUMERIC,
	unit TEXT,
	expected TEXT,
	safety BOOLEAN NOT NULL,
	required BOOLEAN NOT NULL,
	CONSTRAINT pk_specification_lines PRIMARY KEY (id),
	CONSTRAINT uq_specification_lines_specification_id_test UNIQUE (specification_id, test),
	CONSTRAINT ck_specification_lines_kind CHECK (kind IN ('quantitative','qualitative')),
	CONSTRAINT ck_specification_lines_has_a_limit CHECK ((kind = 'qualitative') = (expected IS NOT NULL) AND (kind = 'quantitative') = (low IS NOT NULL OR high IS NOT NULL)),
	CONSTRAINT fk_specification_lines_specification_id FOREIGN KEY(specification_id) REFERENCES lab.specifications (id)
);

CREATE INDEX ix_specification_lines_specification_id ON lab.specification_lines (specification_id);

CREATE TABLE lab.line_clearances (
	id BIGINT GENERATED ALWAYS AS IDENTITY,
	workstation_id BIGINT NOT NULL,
	phase TEXT NOT NULL,
	checks JSONB NOT NULL,
	performed_by BIGINT NOT NULL,
	verified_by BIGINT,
	cleared_at TIMESTAMP WITH TIME ZONE NOT NULL,
	recorded_by BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT pk_line_clearances PRIMARY KEY (id),
	CONSTRAINT ck_line_clearances_phase CHECK (phase IN ('before','after')),
	CONSTRAINT fk_line_clearances_workstation_id FOREIGN KEY(workstation_id) REFERENCES lab.equipment (id),
	CONSTRAINT fk_line_clearances_performed_by FOREIGN KEY(performed_by) REFERENCES people.accounts (id),
	CONSTRAINT fk_line_clearances_verified_by FOREIGN KEY(verified_by) REFERENCES people.accounts (id),
	CONSTRAINT fk_line_clearances_recorded_by FOREIGN KEY(recorded_by) REFERENCES people.accounts (id)
);

CREATE INDEX ix_line_clearances_workstation_id ON lab.line_clearances (workstation_id);

CREATE TABLE people.ceremonies (
	id UUID DEFAULT gen_random_uuid() NOT NULL,
	account_id BIGINT NOT NULL,
	meaning TEXT NOT NULL,
	record_kind TEXT NOT NULL,
	record_id BIGINT NOT NULL,
	record_version INTEGER NOT NULL,
	statement TEXT DEFAULT '' NOT NULL,
	digest TEXT NOT NULL,
	factors TEXT[] NOT NULL,
	session_id BIGINT,
	issued_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
	expires_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() + interval '2 minutes' NOT NULL,
	used_at TIMESTAMP WITH TIME ZONE,
	burned_at TIMESTAMP WITH TIME ZONE,
	burned_why TEXT,
	CONSTRAINT pk_ceremonies PRIMARY KEY (id),
	CONSTRAINT ck_ceremonies_two_factors CHECK (cardinality(factors) >= 2),
	CONSTRAINT ck_ceremonies_minutes_to_live CHECK (expires_at <= issued_at + interval '5 minutes'),
	CONSTRAINT ck_ceremonies_used_or_burned CHECK (used_at IS NULL OR burned_at IS NULL),
	CONSTRAINT fk_ceremonies_account_id FOREIGN KEY(account_id) REFERENCES people.accounts (id),
	CONSTRAINT fk_ceremonies_meaning FOREIGN KEY(meaning) REFERENCES people.meanings (meaning),
	CONSTRAINT fk_ceremonies_session_id FOREIGN KEY(session_id) REFERENCES people.sessions (id)
);

CREATE INDEX ix_ceremonies_account_id ON people.ceremonies (account_id);

CREATE TABLE people.experience (
	id BIGINT GENERATED ALWAYS AS IDENTITY,
	proposal_id BIGINT NOT NULL,
	employer TEXT NOT NULL,
	position TEXT NOT NULL,
	domain TEXT NOT NULL,
	from_on DATE NOT NULL,
	to_on DATE,
	evidence TEXT,
	CONSTRAINT pk_experience PRIMARY KEY (id),
	CONSTRAINT fk_experience_proposal_id FOREIGN KEY(proposal_id) REFERENCES people.proposals (id)
);

CREATE INDEX ix_experience_proposal_id ON people.experience (proposal_id);

CREATE TABLE identity.people (
	person_id BIGINT NOT NULL,
	key_version SMALLINT NOT NULL,
	wrapped_key BYTEA NOT NULL,
	ciphertext BYTEA NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT pk_people PRIMARY KEY (person_id),
	CONSTRAINT fk_people_person_id FOREIGN KEY(person_id) REFERENCES lab.persons (id)
);

CREATE TABLE identity.lookups (
	id BIGINT GENERATED ALWAYS AS IDENTITY,
	person_id BIGINT NOT NULL,
	field TEXT NOT NULL,
	blind_index BYTEA NOT NULL,
	CONSTRAINT pk_lookups PRIMARY KEY (id),
	CONSTRAINT uq_lookups_field_blind_index_person_id UNIQUE (field, blind_index, person_id),
	CONSTRAINT fk_lookups_person_id FOREIGN KEY(person_id) REFERENCES lab.persons (id)
);

CREATE INDEX ix_lookups_person_id ON identity.lookups (person_id);

CREATE TABLE identity.reveals (
	id BIGINT GENERATED ALWAYS AS IDENTITY,
	person_id BIGINT NOT NULL,
	account_id BIGINT NOT NULL,
	purpose TEXT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT pk_reveals PRIMARY KEY (id),
	CONSTRAINT fk_reveals_person_id FOREIGN KEY(person_id) REFERENCES lab.persons (id),
	CONSTRAINT fk_reveals_account_id FOREIGN KEY(account_id) REFERENCES people.accounts (id)
);

CREATE INDEX ix_reveals_person_id ON identity.reveals (person_id);

CREATE TABLE lab.identity_matches (
	id BIGINT GENERATED ALWAYS AS IDENTITY,
	donor_id BIGINT NOT NULL,
	recipient_id BIGINT NOT NULL,
	identifiers TEXT[] NOT NULL,
	verified_by BIGINT NOT NULL,
	second_by BIGINT,
	recorded_by BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT pk_identity_matches PRIMARY KEY (id),
	CONSTRAINT fk_identity_matches_donor_id FOREIGN KEY(donor_id) REFERENCES lab.donors (id),
	CONSTRAINT fk_identity_matches_recipient_id FOREIGN KEY(recipient_id) REFERENCES lab.persons (id),
	CONSTRAINT fk_identity_matches_verified_by FOREIGN KEY(verified_by) REFERENCES people.accounts (id),
	CONSTRAINT fk_identity_matches_second_by FOREIGN KEY(second_by) REFERENCES people.accounts (id),
	CONSTRAINT fk_identity_matches_recorded_by FOREIGN KEY(recorded_by) REFERENCES people.accounts (id)
);

CREATE INDEX ix_identity_matches_donor_id ON lab.identity_matches (donor_id);

CREATE TABLE lab.consents (
	id BIGINT GENERATED ALWAYS AS IDENTITY,
	donor_id BIGINT NOT NULL,
	form_version TEXT NOT NULL,
	scopes TEXT[] NOT NULL,
	signed_at TIMESTAMP WITH TIME ZONE NOT NULL,
	withdrawn_at TIMESTAMP WITH TIME ZONE,
	recorded_by BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT pk_consents PRIMARY KEY (id),
	CONSTRAINT fk_consents_donor_id FOREIGN KEY(donor_id) REFERENCES lab.donors (id),
	CONSTRAINT fk_consents_recorded_by FOREIGN KEY(recorded_by) REFERENCES people.accounts (id)
);

CREATE INDEX ix_consents_donor_id ON lab.consents (donor_id);

CREATE TABLE lab.marker_results (
	id BIGINT GENERATED ALWAYS AS IDENTITY,
	donor_id BIGINT NOT NULL,
	analyte TEXT NOT NULL,
	marker TEXT NOT NULL,
	method TEXT NOT NULL,
	kit_lot TEXT NOT NULL,
	laboratory TEXT NOT NULL,
	sampled_at TIMESTAMP WITH TIME ZONE NOT NULL,
	reported_at TIMESTAMP WITH TIME ZONE,
	outcome TEXT NOT NULL,
	recorded_by BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT pk_marker_results PRIMARY KEY (id),
	CONSTRAINT ck_marker_results_outcome CHECK (outcome IN ('negative','positive','inconclusive','pending')),
	CONSTRAINT fk_marker_results_donor_id FOREIGN KEY(donor_id) REFERENCES lab.donors (id),
	CONSTRAINT fk_marker_results_recorded_by FOREIGN KEY(recorded_by) REFERENCES people.accounts (id)
);

CREATE INDEX ix_marker_results_donor_id ON lab.marker_results (donor_id);

CREATE TABLE lab.donations (
	id BIGINT NOT NULL,
	donor_id BIGINT NOT NULL,
	tissue TEXT NOT NULL,
	collected_at TIMESTAMP WITH TIME ZONE NOT NULL,
	received_at TIMESTAMP WITH TIME ZONE NOT NULL,
	din TEXT,
	volume_ml NUMERIC,
	recorded_by BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT pk_donations PRIMARY KEY (id),
	CONSTRAINT fk_donations_id FOREIGN KEY(id) REFERENCES lab.items (id),
	CONSTRAINT fk_donations_donor_id FOREIGN KEY(donor_id) REFERENCES lab.donors (id),
	CONSTRAINT fk_donations_recorded_by FOREIGN KEY(recorded_by) REFERENCES people.accounts (id)
);

CREATE INDEX ix_donations_donor_id ON lab.donations (donor_id);

CREATE TABLE lab.signatures (
	id BIGINT GENERATED ALWAYS AS IDENTITY,
	ceremony_id UUID NOT NULL,
	account_id BIGINT NOT NULL,
	printed_name TEXT NOT NULL,
	roles TEXT[] NOT NULL,
	appointment_id BIGINT,
	meaning TEXT NOT NULL,
	record_kind TEXT NOT NULL,
	record_id BIGINT NOT NULL,
	record_version INTEGER NOT NULL,
	statement TEXT DEFAULT '' NOT NULL,
	digest TEXT NOT NULL,
	signed_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT pk_signatures PRIMARY KEY (id),
	CONSTRAINT uq_signatures_id_meaning_record_kind_record_id UNIQUE (id, meaning, record_kind, record_id),
	CONSTRAINT uq_signatures_ceremony_id UNIQUE (ceremony_id),
	CONSTRAINT fk_signatures_ceremony_id FOREIGN KEY(ceremony_id) REFERENCES people.ceremonies (id),
	CONSTRAINT fk_signatures_account_id FOREIGN KEY(account_id) REFERENCES people.accounts (id)
);

CREATE INDEX ix_signatures_record ON lab.signatures (record_kind, record_id);

CREATE INDEX ix_signatures_account_id ON lab.signatures (account_id);

CREATE TABLE lab.determinations (
	id BIGINT GENERATED ALWAYS AS IDENTITY,
	donation_id BIGINT NOT NULL,
	decision TEXT NOT NULL,
	reason TEXT NOT NULL,
	valid_until TIMESTAMP WITH TIME ZONE,
	signature_id BIGINT NOT NULL,
	recorded_by BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT pk_determinations PRIMARY KEY (id),
	CONSTRAINT ck_determinations_decision CHECK (decision IN ('eligible','ineligible')),
	CONSTRAINT fk_determinations_donation_id FOREIGN KEY(donation_id) REFERENCES lab.donations (id),
	CONSTRAINT uq_determinations_signature_id UNIQUE (signature_id),
	CONSTRAINT fk_determinations_signature_id FOREIGN KEY(signature_id) REFERENCES lab.signatures (id),
	CONSTRAINT fk_determinations_recorded_by FOREIGN KEY(recorded_by) REFERENCES people.accounts (id)
);

CREATE INDEX ix_determinations_donation_id ON lab.determinations (donation_id);

CREATE TABLE lab.lots (
	id BIGINT NOT NULL,
	name TEXT NOT NULL,
	kind TEXT NOT NULL,
	state TEXT NOT NULL,
	version INTEGER DEFAULT '1' NOT NULL,
	donor_id BIGINT,
	donation_id BIGINT,
	recipient_id BIGINT,
	process_id BIGINT,
	specification_id BIGINT,
	frozen_at TIMESTAMP WITH TIME ZONE,
	expires_at TIMESTAMP WITH TIME ZONE,
	recorded_by BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT pk_lots PRIMARY KEY (id),
	CONSTRAINT ck_lots_kind CHECK (kind IN ('preparation','bank','material')),
	CONSTRAINT uq_lots_id_kind UNIQUE (id, kind),
	CONSTRAINT fk_lots_id FOREIGN KEY(id) REFERENCES lab.items (id),
	CONSTRAINT uq_lots_name UNIQUE (name),
	CONSTRAINT fk_lots_donor_id FOREIGN KEY(donor_id) REFERENCES lab.donors (id),
	CONSTRAINT fk_lots_donation_id FOREIGN KEY(donation_id) REFERENCES lab.donations (id),
	CONSTRAINT fk_lots_recipient_id FOREIGN KEY(recipient_id) REFERENCES lab.persons (id),
	CONSTRAINT fk_lots_process_id FOREIGN KEY(process_id) REFERENCES lab.process_versions (id),
	CONSTRAINT fk_lots_specification_id FOREIGN KEY(specification_id) REFERENCES lab.specifications (id),
	CONSTRAINT fk_lots_recorded_by FOREIGN KEY(recorded_by) REFERENCES people.accounts (id)
);

CREATE INDEX ix_lots_kind_state ON lab.lots (kind, state);

CREATE INDEX ix_lots_recipient_id ON lab.lots (recipient_id);

CREATE INDEX ix_lots_donation_id ON lab.lots (donation_id);

CREATE INDEX ix_lots_donor_id ON lab.lots (donor_id);

CREATE TABLE lab.deviations (
	id BIGINT GENERATED ALWAYS AS IDENTITY,
	number TEXT NOT NULL,
	item_id BIGINT NOT NULL,
	what TEXT NOT NULL,
	class TEXT NOT NULL,
	impact TEXT,
	assessment TEXT,
	rules TEXT[] DEFAULT '{}' NOT NULL,
	state TEXT DEFAULT 'open' NOT NULL,
	version INTEGER DEFAULT '1' NOT NULL,
	closed_signature_id BIGINT,
	closed_at TIMESTAMP WITH TIME ZONE,
	recorded_by BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT pk_deviations PRIMARY KEY (id),
	CONSTRAINT ck_deviations_class CHECK (class IN ('minor','major','critical')),
	CONSTRAINT ck_deviations_impact CHECK (impact IN ('none','acceptable','unacceptable')),
	CONSTRAINT ck_deviations_closed_by_signature CHECK ((state = 'closed') = (closed_signature_id IS NOT NULL)),
	CONSTRAINT ck_deviations_state CHECK (state IN ('open','closed')),
	CONSTRAINT uq_deviations_number UNIQUE (number),
	CONSTRAINT fk_deviations_item_id FOREIGN KEY(item_id) REFERENCES lab.items (id),
	CONSTRAINT uq_deviations_closed_signature_id UNIQUE (closed_signature_id),
	CONSTRAINT fk_deviations_closed_signature_id FOREIGN KEY(closed_signature_id) REFERENCES lab.signatures (id),
	CONSTRAINT fk_deviations_recorded_by FOREIGN KEY(recorded_by) REFERENCES people.accounts (id)
);

CREATE INDEX ix_deviations_item_id ON lab.deviations (item_id);

CREATE TABLE people.appointments (
	id BIGINT GENERATED ALWAYS AS IDENTITY,
	account_id BIGINT NOT NULL,
	title_level TEXT NOT NULL,
	title_certificate TEXT NOT NULL,
	certificate_valid_until DATE,
	from_at TIMESTAMP WITH TIME ZONE NOT NULL,
	until_at TIMESTAMP WITH TIME ZONE,
	revoked_at TIMESTAMP WITH TIME ZONE,
	revoked_signature_id BIGINT,
	first_signature_id BIGINT,
	second_signature_id BIGINT,
	proposal_id BIGINT,
	recorded_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT pk_appointments PRIMARY KEY (id),
	CONSTRAINT ck_appointments_interval CHECK (until_at IS NULL OR until_at > from_at),
	CONSTRAINT ck_appointments_two_signatures CHECK (first_signature_id IS NULL OR first_signature_id <> second_signature_id),
	CONSTRAINT fk_appointments_account_id FOREIGN KEY(account_id) REFERENCES people.accounts (id),
	CONSTRAINT fk_appointments_revoked_signature_id FOREIGN KEY(revoked_signature_id) REFERENCES lab.signatures (id),
	CONSTRAINT fk_appointments_first_signature_id FOREIGN KEY(first_signature_id) REFERENCES lab.signatures (id),
	CONSTRAINT fk_appointments_second_signature_id FOREIGN KEY(second_signature_id) REFERENCES lab.signatures (id),
	CONSTRAINT uq_appointments_proposal_id UNIQUE (proposal_id),
	CONSTRAINT fk_appointments_proposal_id FOREIGN KEY(proposal_id) REFERENCES people.proposals (id)
);

CREATE INDEX ix_appointments_account_id ON people.appointments (account_id);

CREATE TABLE lab.material_lots (
	id BIGINT NOT NULL,
	material_id BIGINT NOT NULL,
	supplier TEXT NOT NULL,
	supplier_lot TEXT NOT NULL,
	expires_on DATE,
	received_at TIMESTAMP WITH TIME ZONE NOT NULL,
	certificate_reference TEXT,
	certificate_reviewed_at TIMESTAMP WITH TIME ZONE,
	storage_ok BOOLEAN,
	recorded_by BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT pk_material_lots PRIMARY KEY (id),
	CONSTRAINT fk_material_lots_id FOREIGN KEY(id) REFERENCES lab.lots (id),
	CONSTRAINT fk_material_lots_material_id FOREIGN KEY(material_id) REFERENCES lab.materials (id),
	CONSTRAINT fk_material_lots_recorded_by FOREIGN KEY(recorded_by) REFERENCES people.accounts (id)
);

CREATE INDEX ix_material_lots_material_id ON lab.material_lots (material_id);

CREATE TABLE lab.workstation_sessions (
	id BIGINT GENERATED ALWAYS AS IDENTITY,
	workstation_id BIGINT NOT NULL,
	lot_id BIGINT NOT NULL,
	donor_id BIGINT NOT NULL,
	during TSTZRANGE NOT NULL,
	planned BOOLEAN NOT NULL,
	opening_clearance_id BIGINT,
	closing_clearance_id BIGINT,
	recorded_by BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT pk_workstation_sessions PRIMARY KEY (id),
	CONSTRAINT ex_workstation_sessions_one_donor_at_a_time EXCLUDE USING gist (int8range(workstation_id, workstation_id, '[]') WITH &&, during WITH &&) WHERE (planned),
	CONSTRAINT fk_workstation_sessions_workstation_id FOREIGN KEY(workstation_id) REFERENCES lab.equipment (id),
	CONSTRAINT fk_workstation_sessions_lot_id FOREIGN KEY(lot_id) REFERENCES lab.lots (id),
	CONSTRAINT fk_workstation_sessions_donor_id FOREIGN KEY(donor_id) REFERENCES lab.donors (id),
	CONSTRAINT fk_workstation_sessions_opening_clearance_id FOREIGN KEY(opening_clearance_id) REFERENCES lab.line_clearances (id),
	CONSTRAINT fk_workstation_sessions_closing_clearance_id FOREIGN KEY(closing_clearance_id) REFERENCES lab.line_clearances (id),
	CONSTRAINT fk_workstation_sessions_recorded_by FOREIGN KEY(recorded_by) REFERENCES people.accounts (id)
);

CREATE INDEX ix_workstation_sessions_workstation_id ON lab.workstation_sessions (workstation_id);

CREATE INDEX ix_workstation_sessions_lot_id ON lab.workstation_sessions (lot_id);

CREATE TABLE lab.retains (
	id BIGINT NOT NULL,
	lot_id BIGINT NOT NULL,
	from_item_id BIGINT NOT NULL,
	kind TEXT NOT NULL,
	quantity NUMERIC,
	unit TEXT,
	place TEXT NOT NULL,
	taken_at TIMESTAMP WITH TIME ZONE NOT NULL,
	recorded_by BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT pk_retains PRIMARY KEY (id),
	CONSTRAINT ck_retains_kind CHECK (kind IN ('starting_material','final_product')),
	CONSTRAINT fk_retains_id FOREIGN KEY(id) REFERENCES lab.items (id),
	CONSTRAINT fk_retains_lot_id FOREIGN KEY(lot_id) REFERENCES lab.lots (id),
	CONSTRAINT fk_retains_from_item_id FOREIGN KEY(from_item_id) REFERENCES lab.items (id),
	CONSTRAINT fk_retains_recorded_by FOREIGN KEY(recorded_by) REFERENCES people.accounts (id)
);

CREATE INDEX ix_retains_lot_id ON lab.retains (lot_id);

CREATE TABLE lab.samples (
	id BIGINT NOT NULL,
	lot_id BIGINT NOT NULL,
	from_item_id BIGINT NOT NULL,
	purpose TEXT NOT NULL,
	taken_at TIMESTAMP WITH TIME ZONE NOT NULL,
	taken_by BIGINT NOT NULL,
	recorded_by BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT pk_samples PRIMARY KEY (id),
	CONSTRAINT fk_samples_id FOREIGN KEY(id) REFERENCES lab.items (id),
	CONSTRAINT fk_samples_lot_id FOREIGN KEY(lot_id) REFERENCES lab.lots (id),
	CONSTRAINT fk_samples_from_item_id FOREIGN KEY(from_item_id) REFERENCES lab.items (id),
	CONSTRAINT fk_samples_taken_by FOREIGN KEY(taken_by) REFERENCES people.accounts (id),
	CONSTRAINT fk_samples_recorded_by FOREIGN KEY(recorded_by) REFERENCES people.accounts (id)
);

CREATE INDEX ix_samples_lot_id ON lab.samples (lot_id);

CREATE TABLE lab.releases (
	id BIGINT GENERATED ALWAYS AS IDENTITY,
	lot_id BIGINT NOT NULL,
	signature_id BIGINT NOT NULL,
	judgement_id BIGINT NOT NULL,
	appointment_id BIGINT NOT NULL,
	digest TEXT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT pk_releases PRIMARY KEY (id),
	CONSTRAINT uq_releases_id_lot_id UNIQUE (id, lot_id),
	CONSTRAINT fk_releases_lot_id FOREIGN KEY(lot_id) REFERENCES lab.lots (id),
	CONSTRAINT uq_releases_signature_id UNIQUE (signature_id),
	CONSTRAINT fk_releases_signature_id FOREIGN KEY(signature_id) REFERENCES lab.signatures (id),
	CONSTRAINT fk_releases_judgement_id FOREIGN KEY(judgement_id) REFERENCES lab.judgements (id),
	CONSTRAINT fk_releases_appointment_id FOREIGN KEY(appointment_id) REFERENCES people.appointments (id)
);

CREATE INDEX ix_releases_lot_id ON lab.releases (lot_id);

CREATE TABLE lab.holds (
	id BIGINT GENERATED ALWAYS AS IDENTITY,
	item_id BIGINT NOT NULL,
	reason TEXT NOT NULL,
	deviation_id BIGINT,
	lifted_signature_id BIGINT,
	lifted_at TIMESTAMP WITH TIME ZONE,
	recorded_by BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT pk_holds PRIMARY KEY (id),
	CONSTRAINT ck_holds_lifted_by_signature CHECK ((lifted_at IS NULL) = (lifted_signature_id IS NULL)),
	CONSTRAINT fk_holds_item_id FOREIGN KEY(item_id) REFERENCES lab.items (id),
	CONSTRAINT fk_holds_deviation_id FOREIGN KEY(deviation_id) REFERENCES lab.deviations (id),
	CONSTRAINT uq_holds_lifted_signature_id UNIQUE (lifted_signature_id),
	CONSTRAINT fk_holds_lifted_signature_id FOREIGN KEY(lifted_signature_id) REFERENCES lab.signatures (id),
	CONSTRAINT fk_holds_recorded_by FOREIGN KEY(recorded_by) REFERENCES people.accounts (id)
);

CREATE INDEX ix_holds_item_id ON lab.holds (item_id);

CREATE INDEX ix_holds_open ON lab.holds (item_id) WHERE lifted_at IS NULL;

CREATE TABLE lab.waivers (
	id BIGINT GENERATED ALWAYS AS IDENTITY,
	rule TEXT NOT NULL,
	lot_id BIGINT NOT NULL,
	justification TEXT NOT NULL,
	mitigations TEXT NOT NULL,
	proposed_by BIGINT NOT NULL,
	signature_id BIGINT,
	valid_from TIMESTAMP WITH TIME ZONE NOT NULL,
	valid_to TIMESTAMP WITH TIME ZONE NOT NULL,
	max_uses INTEGER NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT pk_waivers PRIMARY KEY (id),
	CONSTRAINT fk_waivers_lot_id FOREIGN KEY(lot_id) REFERENCES lab.lots (id),
	CONSTRAINT fk_waivers_proposed_by FOREIGN KEY(proposed_by) REFERENCES people.accounts (id),
	CONSTRAINT uq_waivers_signature_id UNIQUE (signature_id),
	CONSTRAINT fk_waivers_signature_id FOREIGN KEY(signature_id) REFERENCES lab.signatures (id)
);

CREATE INDEX ix_waivers_lot_id ON lab.waivers (lot_id);

CREATE TABLE lab.batch_reviews (
	id BIGINT GENERATED ALWAYS AS IDENTITY,
	lot_id BIGINT NOT NULL,
	decision TEXT NOT NULL,
	package_digest TEXT NOT NULL,
	remarks TEXT NOT NULL,
	signature_id BIGINT NOT NULL,
	recorded_by BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT pk_batch_reviews PRIMARY KEY (id),
	CONSTRAINT ck_batch_reviews_decision CHECK (decision IN ('accepted','returned')),
	CONSTRAINT fk_batch_reviews_lot_id FOREIGN KEY(lot_id) REFERENCES lab.lots (id),
	CONSTRAINT uq_batch_reviews_signature_id UNIQUE (signature_id),
	CONSTRAINT fk_batch_reviews_signature_id FOREIGN KEY(signature_id) REFERENCES lab.signatures (id),
	CONSTRAINT fk_batch_reviews_recorded_by FOREIGN KEY(recorded_by) REFERENCES people.accounts (id)
);

CREATE INDEX ix_batch_reviews_lot_id ON lab.batch_reviews (lot_id);

CREATE TABLE lab.steps (
	id BIGINT GENERATED ALWAYS AS IDENTITY,
	lot_id BIGINT NOT NULL,
	kind TEXT NOT NULL,
	passage INTEGER,
	performed_by BIGINT NOT NULL,
	verified_by BIGINT,
	workstation_session_id BIGINT,
	started_at TIMESTAMP WITH TIME ZONE NOT NULL,
	ended_at TIMESTAMP WITH TIME ZONE,
	happened_anyway BOOLEAN DEFAULT false NOT NULL,
	viable_seeded NUMERIC,
	viable_harvested NUMERIC,
	dead_harvested NUMERIC,
	viability_percent NUMERIC,
	pd NUMERIC,
	cpdl NUMERIC,
	parameters JSONB NOT NULL,
	recorded_by BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT pk_steps PRIMARY KEY (id),
	CONSTRAINT ck_steps_kind CHECK (kind IN ('isolation','passage','fill','cryopreservation')),
	CONSTRAINT fk_steps_lot_id FOREIGN KEY(lot_id) REFERENCES lab.lots (id),
	CONSTRAINT fk_steps_performed_by FOREIGN KEY(performed_by) REFERENCES people.accounts (id),
	CONSTRAINT fk_steps_verified_by FOREIGN KEY(verified_by) REFERENCES people.accounts (id),
	CONSTRAINT fk_steps_workstation_session_id FOREIGN KEY(workstation_session_id) REFERENCES lab.workstation_sessions (id),
	CONSTRAINT fk_steps_recorded_by FOREIGN KEY(recorded_by) REFERENCES people.accounts (id)
);

CREATE INDEX ix_steps_lot_id ON lab.steps (lot_id);

CREATE TABLE lab.results (
	id BIGINT GENERATED ALWAYS AS IDENTITY,
	lot_id BIGINT NOT NULL,
	sample_id BIGINT NOT NULL,
	line_id BIGINT NOT NULL,
	value_number NUMERIC,
	value_text TEXT,
	unit TEXT,
	method_version TEXT NOT NULL,
	instrument TEXT,
	analyst BIGINT NOT NULL,
	measured_at TIMESTAMP WITH TIME ZONE NOT NULL,
	recorded_by BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT pk_results PRIMARY KEY (id),
	CONSTRAINT ck_results_one_value CHECK ((value_number IS NULL) <> (value_text IS NULL)),
	CONSTRAINT fk_results_lot_id FOREIGN KEY(lot_id) REFERENCES lab.lots (id),
	CONSTRAINT fk_results_sample_id FOREIGN KEY(sample_id) REFERENCES lab.samples (id),
	CONSTRAINT fk_results_line_id FOREIGN KEY(line_id) REFERENCES lab.specification_lines (id),
	CONSTRAINT fk_results_analyst FOREIGN KEY(analyst) REFERENCES people.accounts (id),
	CONSTRAINT fk_results_recorded_by FOREIGN KEY(recorded_by) REFERENCES people.accounts (id)
);

CREATE INDEX ix_results_lot_id ON lab.results (lot_id);

CREATE TABLE lab.lot_history (
	lot_id BIGINT NOT NULL,
	seq INTEGER NOT NULL,
	prior INTEGER GENERATED ALWAYS AS (nullif(seq - 1, 0)) STORED,
	kind TEXT NOT NULL,
	from_state TEXT NOT NULL,
	act TEXT NOT NULL,
	to_state TEXT NOT NULL,
	release_id BIGINT,
	signature_id BIGINT,
	recorded_by BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT pk_lot_history PRIMARY KEY (lot_id, seq),
	CONSTRAINT uq_lot_history_lot_id_seq_to_state UNIQUE (lot_id, seq, to_state),
	CONSTRAINT fk_lot_history_lot_id_kind FOREIGN KEY(lot_id, kind) REFERENCES lab.lots (id, kind),
	CONSTRAINT fk_lot_history_kind_from_state_act_to_state FOREIGN KEY(kind, from_state, act, to_state) REFERENCES lab.lot_moves (kind, from_state, act, to_state),
	CONSTRAINT fk_lot_history_follows FOREIGN KEY(lot_id, prior, from_state) REFERENCES lab.lot_history (lot_id, seq, to_state),
	CONSTRAINT fk_lot_history_release_id_lot_id FOREIGN KEY(release_id, lot_id) REFERENCES lab.releases (id, lot_id),
	CONSTRAINT ck_lot_history_begins_once CHECK ((seq = 1) = (from_state = 'none')),
	CONSTRAINT ck_lot_history_seq CHECK (seq >= 1),
	CONSTRAINT ck_lot_history_released_by_the_gate CHECK ((to_state IN ('released','conditionally_released')) = (release_id IS NOT NULL)),
	CONSTRAINT ck_lot_history_approved_by_signature CHECK (to_state <> 'approved' OR signature_id IS NOT NULL),
	CONSTRAINT uq_lot_history_release_id UNIQUE (release_id),
	CONSTRAINT fk_lot_history_signature_id FOREIGN KEY(signature_id) REFERENCES lab.signatures (id),
	CONSTRAINT fk_lot_history_recorded_by FOREIGN KEY(recorded_by) REFERENCES people.accounts (id)
);

CREATE TABLE lab.lineage (
	parent_id BIGINT NOT NULL,
	child_id BIGINT NOT NULL,
	step_id BIGINT,
	CONSTRAINT pk_lineage PRIMARY KEY (parent_id, child_id),
	CONSTRAINT ck_lineage_not_its_own_parent CHECK (parent_id <> child_id),
	CONSTRAINT fk_lineage_parent_id FOREIGN KEY(parent_id) REFERENCES lab.items (id),
	CONSTRAINT fk_lineage_child_id FOREIGN KEY(child_id) REFERENCES lab.items (id),
	CONSTRAINT fk_lineage_step_id FOREIGN KEY(step_id) REFERENCES lab.steps (id)
);

CREATE INDEX ix_lineage_step_id ON lab.lineage (step_id);

CREATE INDEX ix_lineage_child_id_parent_id ON lab.lineage (child_id, parent_id);

CREATE TABLE lab.containers (
	id BIGINT NOT NULL,
	lot_id BIGINT,
	kind TEXT NOT NULL,
	state TEXT DEFAULT 'in_use' NOT NULL,
	passage INTEGER,
	volume_ml NUMERIC,
	viable_cells NUMERIC,
	opened_until TIMESTAMP WITH TIME ZONE,
	place_id BIGINT,
	step_id BIGINT,
	version INTEGER DEFAULT '1' NOT NULL,
	recorded_by BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT pk_containers PRIMARY KEY (id),
	CONSTRAINT ck_containers_state CHECK (state IN ('in_use','stored','consumed','issued','destroyed')),
	CONSTRAINT fk_containers_id FOREIGN KEY(id) REFERENCES lab.items (id),
	CONSTRAINT fk_containers_lot_id FOREIGN KEY(lot_id) REFERENCES lab.lots (id),
	CONSTRAINT fk_containers_place_id FOREIGN KEY(place_id) REFERENCES lab.items (id),
	CONSTRAINT fk_containers_step_id FOREIGN KEY(step_id) REFERENCES lab.steps (id),
	CONSTRAINT fk_containers_recorded_by FOREIGN KEY(recorded_by) REFERENCES people.accounts (id)
);

CREATE INDEX ix_containers_lot_id ON lab.containers (lot_id);

CREATE INDEX ix_containers_step_id ON lab.containers (step_id);

CREATE TABLE lab.result_reviews (
	id BIGINT GENERATED ALWAYS AS IDENTITY,
	result_id BIGINT NOT NULL,
	decision TEXT NOT NULL,
	remarks TEXT NOT NULL,
	signature_id BIGINT NOT NULL,
	recorded_by BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT pk_result_reviews PRIMARY KEY (id),
	CONSTRAINT uq_result_reviews_signature_id_result_id UNIQUE (signature_id, result_id),
	CONSTRAINT ck_result_reviews_decision CHECK (decision IN ('accepted','returned')),
	CONSTRAINT fk_result_reviews_result_id FOREIGN KEY(result_id) REFERENCES lab.results (id),
	CONSTRAINT fk_result_reviews_signature_id FOREIGN KEY(signature_id) REFERENCES lab.signatures (id),
	CONSTRAINT fk_result_reviews_recorded_by FOREIGN KEY(recorded_by) REFERENCES people.accounts (id)
);

CREATE INDEX ix_result_reviews_result_id ON lab.result_reviews (result_id);

CREATE TABLE lab.result_invalidations (
	id BIGINT GENERATED ALWAYS AS IDENTITY,
	result_id BIGINT NOT NULL,
	deviation_id BIGINT NOT NULL,
	reason TEXT NOT NULL,
	recorded_by BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT pk_result_invalidations PRIMARY KEY (id),
	CONSTRAINT uq_result_invalidations_result_id UNIQUE (result_id),
	CONSTRAINT fk_result_invalidations_result_id FOREIGN KEY(result_id) REFERENCES lab.results (id),
	CONSTRAINT fk_result_invalidations_deviation_id FOREIGN KEY(deviation_id) REFERENCES lab.deviations (id),
	CONSTRAINT fk_result_invalidations_recorded_by FOREIGN KEY(recorded_by) REFERENCES people.accounts (id)
);

CREATE TABLE lab.consumptions (
	id BIGINT GENERATED ALWAYS AS IDENTITY,
	step_id BIGINT,
	lot_id BIGINT NOT NULL,
	container_id BIGINT NOT NULL,
	material_lot_id BIGINT NOT NULL,
	quantity NUMERIC,
	unit TEXT,
	used_at TIMESTAMP WITH TIME ZONE NOT NULL,
	recorded_by BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT pk_consumptions PRIMARY KEY (id),
	CONSTRAINT fk_consumptions_step_id FOREIGN KEY(step_id) REFERENCES lab.steps (id),
	CONSTRAINT fk_consumptions_lot_id FOREIGN KEY(lot_id) REFERENCES lab.lots (id),
	CONSTRAINT fk_consumptions_container_id FOREIGN KEY(container_id) REFERENCES lab.containers (id),
	CONSTRAINT fk_consumptions_material_lot_id FOREIGN KEY(material_lot_id) REFERENCES lab.material_lots (id),
	CONSTRAINT fk_consumptions_recorded_by FOREIGN KEY(recorded_by) REFERENCES people.accounts (id)
);

CREATE INDEX ix_consumptions_lot_id ON lab.consumptions (lot_id);

CREATE INDEX ix_consumptions_material_lot_id ON lab.consumptions (material_lot_id);

CREATE INDEX ix_consumptions_step_id ON lab.consumptions (step_id);

CREATE INDEX ix_consumptions_container_id ON lab.consumptions (container_id);

ALTER TABLE lab.signatures ADD CONSTRAINT fk_signatures_appointment_id FOREIGN KEY(appointment_id) REFERENCES people.appointments (id);

ALTER TABLE lab.lots ADD CONSTRAINT fk_lots_where_history_leads FOREIGN KEY(id, version, state) REFERENCES lab.lot_history (lot_id, seq, to_state) DEFERRABLE INITIALLY DEFERRED;
