-- Studies, the partners that take part, and the laboratories that test again.

CREATE TABLE lab.institutions (
	id BIGINT GENERATED ALWAYS AS IDENTITY,
	name TEXT NOT NULL,
	country TEXT NOT NULL,
	registration TEXT,
	recorded_by BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT pk_institutions PRIMARY KEY (id),
	CONSTRAINT uq_institutions_name UNIQUE (name),
	CONSTRAINT ck_institutions_country CHECK (country ~ '^[A-Z]{2}$'),
	CONSTRAINT fk_institutions_recorded_by FOREIGN KEY(recorded_by) REFERENCES people.accounts (id)
);

-- What an institution holds: its grade, its committees. The last statement of a kind that has begun counts.
CREATE TABLE lab.institution_statements (
	id BIGINT GENERATED ALWAYS AS IDENTITY,
	institution_id BIGINT NOT NULL,
	kind TEXT NOT NULL,
	held BOOLEAN NOT NULL,
	says TEXT NOT NULL,
	evidence TEXT NOT NULL,
	valid_from DATE NOT NULL,
	valid_to DATE,
	recorded_by BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT pk_institution_statements PRIMARY KEY (id),
	CONSTRAINT ck_institution_statements_kind CHECK (kind IN ('grade','academic_committee','ethics_committee')),
	CONSTRAINT ck_institution_statements_grade CHECK (kind <> 'grade' OR says IN ('tertiary_a','tertiary_b','secondary','other')),
	CONSTRAINT ck_institution_statements_interval CHECK (valid_to >= valid_from),
	CONSTRAINT fk_institution_statements_institution_id FOREIGN KEY(institution_id) REFERENCES lab.institutions (id),
	CONSTRAINT fk_institution_statements_recorded_by FOREIGN KEY(recorded_by) REFERENCES people.accounts (id)
);

CREATE INDEX ix_institution_statements_institution_id ON lab.institution_statements (institution_id);

CREATE SEQUENCE lab.study_numbers;

CREATE TABLE lab.studies (
	id BIGINT GENERATED ALWAYS AS IDENTITY,
	number TEXT NOT NULL,
	recorded_by BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT pk_studies PRIMARY KEY (id),
	CONSTRAINT uq_studies_number UNIQUE (number),
	CONSTRAINT fk_studies_recorded_by FOREIGN KEY(recorded_by) REFERENCES people.accounts (id)
);

-- What a study is. A change makes a new version; the last one counts, the others stay.
CREATE TABLE lab.study_versions (
	id BIGINT GENERATED ALWAYS AS IDENTITY,
	study_id BIGINT NOT NULL,
	version INTEGER NOT NULL,
	title TEXT NOT NULL,
	regulatory_path TEXT NOT NULL,
	ind_number TEXT,
	stage TEXT NOT NULL,
	risk_level TEXT NOT NULL,
	cell_class TEXT NOT NULL,
	cell_source TEXT NOT NULL,
	manipulation TEXT NOT NULL,
	administration TEXT NOT NULL,
	sites JSONB NOT NULL,
	institution_id BIGINT NOT NULL,
	sponsor_id BIGINT NOT NULL,
	process_id BIGINT NOT NULL,
	specification_id BIGINT NOT NULL,
	protocol_version TEXT NOT NULL,
	substantial BOOLEAN NOT NULL,
	why TEXT NOT NULL,
	recorded_by BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT pk_study_versions PRIMARY KEY (id),
	CONSTRAINT uq_study_versions_study_id_version UNIQUE (study_id, version),
	CONSTRAINT ck_study_versions_regulatory_path CHECK (regulatory_path IN ('technical_filing','drug_registration')),
	CONSTRAINT ck_study_versions_stage CHECK (stage IN ('exploratory','confirmatory')),
	CONSTRAINT ck_study_versions_risk_level CHECK (risk_level IN ('ordinary','high')),
	CONSTRAINT ck_study_versions_cell_class CHECK (cell_class IN ('tissue_stem_cell','pluripotent_derived','somatic_cell','cell_free')),
	CONSTRAINT ck_study_versions_cell_source CHECK (cell_source IN ('autologous','allogeneic')),
	CONSTRAINT ck_study_versions_manipulation CHECK (manipulation IN ('ex_vivo_cell','ex_vivo_gene','none')),
	CONSTRAINT ck_study_versions_administration CHECK (administration IN ('infused','implanted','other')),
	CONSTRAINT ck_study_versions_first CHECK (version > 1 OR substantial),
	CONSTRAINT fk_study_versions_study_id FOREIGN KEY(study_id) REFERENCES lab.studies (id),
	CONSTRAINT fk_study_versions_institution_id FOREIGN KEY(institution_id) REFERENCES lab.institutions (id),
	CONSTRAINT fk_study_versions_sponsor_id FOREIGN KEY(sponsor_id) REFERENCES lab.institutions (id),
	CONSTRAINT fk_study_versions_process_id FOREIGN KEY(process_id) REFERENCES lab.process_versions (id),
	CONSTRAINT fk_study_versions_specification_id FOREIGN KEY(specification_id) REFERENCES lab.specifications (id),
	CONSTRAINT fk_study_versions_recorded_by FOREIGN KEY(recorded_by) REFERENCES people.accounts (id)
);

-- Who leads a study, from a day on; whoever is named later for a later day takes over.
CREATE TABLE lab.study_leaders (
	id BIGINT GENERATED ALWAYS AS IDENTITY,
	study_id BIGINT NOT NULL,
	name TEXT NOT NULL,
	licence_number TEXT NOT NULL,
	licence_valid_to DATE,
	title_level TEXT NOT NULL,
	title_certificate TEXT NOT NULL,
	title_valid_to DATE,
	from_on DATE NOT NULL,
	to_on DATE,
	evidence TEXT NOT NULL,
	recorded_by BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT pk_study_leaders PRIMARY KEY (id),
	CONSTRAINT ck_study_leaders_title_level CHECK (title_level IN ('senior','associate_senior','other')),
	CONSTRAINT ck_study_leaders_interval CHECK (to_on >= from_on),
	CONSTRAINT fk_study_leaders_study_id FOREIGN KEY(study_id) REFERENCES lab.studies (id),
	CONSTRAINT fk_study_leaders_recorded_by FOREIGN KEY(recorded_by) REFERENCES people.accounts (id)
);

CREATE INDEX ix_study_leaders_study_id ON lab.study_leaders (study_id);

CREATE TABLE lab.committee_decisions (
	id BIGINT GENERATED ALWAYS AS IDENTITY,
	study_id BIGINT NOT NULL,
	committee TEXT NOT NULL,
	decision TEXT NOT NULL,
	protocol_version TEXT NOT NULL,
	decided_on DATE NOT NULL,
	valid_to DATE,
	reference TEXT NOT NULL,
	recorded_by BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT pk_committee_decisions PRIMARY KEY (id),
	CONSTRAINT ck_committee_decisions_committee CHECK (committee IN ('academic','ethics')),
	CONSTRAINT ck_committee_decisions_decision CHECK (decision IN ('approved','refused','withdrawn')),
	CONSTRAINT ck_committee_decisions_interval CHECK (valid_to >= decided_on),
	CONSTRAINT fk_committee_decisions_study_id FOREIGN KEY(study_id) REFERENCES lab.studies (id),
	CONSTRAINT fk_committee_decisions_recorded_by FOREIGN KEY(recorded_by) REFERENCES people.accounts (id)
);

CREATE INDEX ix_committee_decisions_study_id ON lab.committee_decisions (study_id);

CREATE TABLE lab.study_filings (
	id BIGINT GENERATED ALWAYS AS IDENTITY,
	study_id BIGINT NOT NULL,
	filing_number TEXT NOT NULL,
	authority TEXT NOT NULL,
	protocol_version TEXT NOT NULL,
	filed_on DATE NOT NULL,
	reference TEXT NOT NULL,
	recorded_by BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT pk_study_filings PRIMARY KEY (id),
	CONSTRAINT fk_study_filings_study_id FOREIGN KEY(study_id) REFERENCES lab.studies (id),
	CONSTRAINT fk_study_filings_recorded_by FOREIGN KEY(recorded_by) REFERENCES people.accounts (id)
);

CREATE INDEX ix_study_filings_study_id ON lab.study_filings (study_id);

CREATE TABLE lab.sponsor_agreements (
	id BIGINT GENERATED ALWAYS AS IDENTITY,
	study_id BIGINT NOT NULL,
	sponsor_id BIGINT NOT NULL,
	protocol_jointly_set BOOLEAN NOT NULL,
	signed_on DATE NOT NULL,
	valid_to DATE,
	reference TEXT NOT NULL,
	recorded_by BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT pk_sponsor_agreements PRIMARY KEY (id),
	CONSTRAINT ck_sponsor_agreements_interval CHECK (valid_to >= signed_on),
	CONSTRAINT fk_sponsor_agreements_study_id FOREIGN KEY(study_id) REFERENCES lab.studies (id),
	CONSTRAINT fk_sponsor_agreements_sponsor_id FOREIGN KEY(sponsor_id) REFERENCES lab.institutions (id),
	CONSTRAINT fk_sponsor_agreements_recorded_by FOREIGN KEY(recorded_by) REFERENCES people.accounts (id)
);

CREATE INDEX ix_sponsor_agreements_study_id ON lab.sponsor_agreements (study_id);

-- Bank lots from which the study's preparations are made.
CREATE TABLE lab.study_banks (
	id BIGINT GENERATED ALWAYS AS IDENTITY,
	study_id BIGINT NOT NULL,
	lot_id BIGINT NOT NULL,
	recorded_by BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT pk_study_banks PRIMARY KEY (id),
	CONSTRAINT uq_study_banks_study_id_lot_id UNIQUE (study_id, lot_id),
	CONSTRAINT fk_study_banks_study_id FOREIGN KEY(study_id) REFERENCES lab.studies (id),
	CONSTRAINT fk_study_banks_lot_id FOREIGN KEY(lot_id) REFERENCES lab.lots (id),
	CONSTRAINT fk_study_banks_recorded_by FOREIGN KEY(recorded_by) REFERENCES people.accounts (id)
);

-- Others who take part in preparing, testing or carrying what a study gives.
CREATE TABLE lab.partners (
	id BIGINT GENERATED ALWAYS AS IDENTITY,
	name TEXT NOT NULL,
	kind TEXT NOT NULL,
	address TEXT NOT NULL,
	recorded_by BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT pk_partners PRIMARY KEY (id),
	CONSTRAINT uq_partners_name UNIQUE (name),
	CONSTRAINT ck_partners_kind CHECK (kind IN ('preparation','collection','testing','transport','technical_support')),
	CONSTRAINT fk_partners_recorded_by FOREIGN KEY(recorded_by) REFERENCES people.accounts (id)
);

-- An assessment counts once the quality authority signed it, and never by the hand that wrote it down.
CREATE TABLE lab.partner_assessments (
	id BIGINT GENERATED ALWAYS AS IDENTITY,
	partner_id BIGINT NOT NULL,
	assessed_on DATE NOT NULL,
	sections JSONB NOT NULL,
	findings JSONB NOT NULL,
	evidence TEXT NOT NULL,
	recorded_by BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
	signature_id BIGINT,
	CONSTRAINT pk_partner_assessments PRIMARY KEY (id),
	CONSTRAINT fk_partner_assessments_partner_id FOREIGN KEY(partner_id) REFERENCES lab.partners (id),
	CONSTRAINT fk_partner_assessments_recorded_by FOREIGN KEY(recorded_by) REFERENCES people.accounts (id),
	CONSTRAINT uq_partner_assessments_signature_id UNIQUE (signature_id),
	CONSTRAINT fk_partner_assessments_signature_id FOREIGN KEY(signature_id) REFERENCES lab.signatures (id)
);

CREATE INDEX ix_partner_assessments_partner_id ON lab.partner_assessments (partner_id);

CREATE TABLE lab.quality_agreements (
	id BIGINT GENERATED ALWAYS AS IDENTITY,
	partner_id BIGINT NOT NULL,
	process_id BIGINT NOT NULL,
	duties JSONB NOT NULL,
	signed_on DATE NOT NULL,
	valid_to DATE,
	reference TEXT NOT NULL,
	recorded_by BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT pk_quality_agreements PRIMARY KEY (id),
	CONSTRAINT ck_quality_agreements_interval CHECK (valid_to >= signed_on),
	CONSTRAINT fk_quality_agreements_partner_id FOREIGN KEY(partner_id) REFERENCES lab.partners (id),
	CONSTRAINT fk_quality_agreements_process_id FOREIGN KEY(process_id) REFERENCES lab.process_versions (id),
	CONSTRAINT fk_quality_agreements_recorded_by FOREIGN KEY(recorded_by) REFERENCES people.accounts (id)
);

CREATE INDEX ix_quality_agreements_partner_id ON lab.quality_agreements (partner_id);

CREATE TABLE lab.study_partners (
	id BIGINT GENERATED ALWAYS AS IDENTITY,
	study_id BIGINT NOT NULL,
	partner_id BIGINT NOT NULL,
	recorded_by BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT pk_study_partners PRIMARY KEY (id),
	CONSTRAINT uq_study_partners_study_id_partner_id UNIQUE (study_id, partner_id),
	CONSTRAINT fk_study_partners_study_id FOREIGN KEY(study_id) REFERENCES lab.studies (id),
	CONSTRAINT fk_study_partners_partner_id FOREIGN KEY(partner_id) REFERENCES lab.partners (id),
	CONSTRAINT fk_study_partners_recorded_by FOREIGN KEY(recorded_by) REFERENCES people.accounts (id)
);
