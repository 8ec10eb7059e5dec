-- Vectors, their genealogy, and the tests of gene-modified cells.

-- How a process changes genes: with what, and whether it edits the genome at a chosen place. NULL: nobody said.
ALTER TABLE lab.process_versions ADD COLUMN vector_type TEXT;
ALTER TABLE lab.process_versions ADD COLUMN gene_editing BOOLEAN;
ALTER TABLE lab.process_versions ADD CONSTRAINT ck_process_versions_vector_type
	CHECK (vector_type IN ('lentivirus','gamma_retrovirus','aav','transposon','plasmid','mrna','rnp','base_editor'));
ALTER TABLE lab.process_versions ADD CONSTRAINT ck_process_versions_genes
	CHECK (gene_modified OR (vector_type IS NULL AND gene_editing IS NOT TRUE));

-- What a material lot that is a vector is said to be. The last statement of a lot counts, with its parts; the others stay.
CREATE TABLE lab.vector_statements (
	id BIGINT GENERATED ALWAYS AS IDENTITY,
	vector_lot_id BIGINT NOT NULL,
	vector_type TEXT NOT NULL,
	titre NUMERIC,
	titre_unit TEXT,
	recorded_by BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT pk_vector_statements PRIMARY KEY (id),
	CONSTRAINT uq_vector_statements_id_vector_lot_id UNIQUE (id, vector_lot_id),
	CONSTRAINT ck_vector_statements_vector_type CHECK (vector_type IN ('lentivirus','gamma_retrovirus','aav','transposon','plasmid','mrna','rnp','base_editor')),
	CONSTRAINT ck_vector_statements_titre CHECK (titre > 0),
	CONSTRAINT ck_vector_statements_unit CHECK ((titre IS NULL) = (titre_unit IS NULL)),
	CONSTRAINT fk_vector_statements_vector_lot_id FOREIGN KEY(vector_lot_id) REFERENCES lab.material_lots (id),
	CONSTRAINT fk_vector_statements_recorded_by FOREIGN KEY(recorded_by) REFERENCES people.accounts (id)
);

CREATE INDEX ix_vector_statements_vector_lot_id ON lab.vector_statements (vector_lot_id);

-- What a vector came of: plasmids and banks of producer cells, which are material lots here, or are named with their lot.
CREATE TABLE lab.vector_parts (
	id BIGINT GENERATED ALWAYS AS IDENTITY,
	statement_id BIGINT NOT NULL,
	vector_lot_id BIGINT NOT NULL,
	role TEXT NOT NULL,
	part_lot_id BIGINT,
	name TEXT NOT NULL,
	part_lot TEXT NOT NULL,
	selected_with TEXT,
	recorded_by BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT pk_vector_parts PRIMARY KEY (id),
	CONSTRAINT ck_vector_parts_role CHECK (role IN ('plasmid','producer_bank')),
	CONSTRAINT ck_vector_parts_other CHECK (part_lot_id <> vector_lot_id),
	CONSTRAINT ck_vector_parts_named CHECK (btrim(name) <> '' AND btrim(part_lot) <> ''),
	CONSTRAINT fk_vector_parts_statement_id FOREIGN KEY(statement_id, vector_lot_id) REFERENCES lab.vector_statements (id, vector_lot_id),
	CONSTRAINT fk_vector_parts_part_lot_id FOREIGN KEY(part_lot_id) REFERENCES lab.material_lots (id),
	CONSTRAINT fk_vector_parts_recorded_by FOREIGN KEY(recorded_by) REFERENCES people.accounts (id)
);

CREATE INDEX ix_vector_parts_statement_id ON lab.vector_parts (statement_id);
CREATE INDEX ix_vector_parts_part_lot_id ON lab.vector_parts (part_lot_id);

-- A test for replication-competent virus: of a vector lot, of the cells that produced it, or of a lot of cells. It is
-- pending until an outcome is recorded; outcomes are added and the worst counts.
CREATE TABLE lab.virus_tests (
	id BIGINT GENERATED ALWAYS AS IDENTITY,
	lot_id BIGINT NOT NULL,
	sample TEXT NOT NULL,
	assay TEXT NOT NULL,
	method TEXT NOT NULL,
	laboratory TEXT NOT NULL,
	cells_tested NUMERIC,
	cells_in_pool NUMERIC,
	supernatant_percent NUMERIC,
	sampled_at TIMESTAMP WITH TIME ZONE NOT NULL,
	recorded_by BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT pk_virus_tests PRIMARY KEY (id),
	CONSTRAINT uq_virus_tests_id_lot_id UNIQUE (id, lot_id),
	CONSTRAINT ck_virus_tests_sample CHECK (sample IN ('vector_supernatant','producer_cells','transduced_cells','final_product')),
	CONSTRAINT ck_virus_tests_assay CHECK (assay IN ('coculture','rapid_pcr')),
	CONSTRAINT ck_virus_tests_cells CHECK (cells_tested > 0 AND cells_in_pool >= cells_tested),
	CONSTRAINT ck_virus_tests_supernatant CHECK (supernatant_percent > 0 AND supernatant_percent <= 100),
	CONSTRAINT ck_virus_tests_amount CHECK ((sample = 'vector_supernatant') = (supernatant_percent IS NOT NULL) AND (sample = 'vector_supernatant') = (cells_tested IS NULL)),
	CONSTRAINT ck_virus_tests_pool CHECK (cells_tested IS NOT NULL OR cells_in_pool IS NULL),
	CONSTRAINT fk_virus_tests_lot_id FOREIGN KEY(lot_id) REFERENCES lab.lots (id),
	CONSTRAINT fk_virus_tests_recorded_by FOREIGN KEY(recorded_by) REFERENCES people.accounts (id)
);

CREATE INDEX ix_virus_tests_lot_id ON lab.virus_tests (lot_id);

CREATE TABLE lab.virus_test_outcomes (
	id BIGINT GENERATED ALWAYS AS IDENTITY,
	lot_id BIGINT NOT NULL,
	test_id BIGINT NOT NULL,
	outcome TEXT NOT NULL,
	reported_at TIMESTAMP WITH TIME ZONE NOT NULL,
	reference TEXT NOT NULL,
	recorded_by BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT pk_virus_test_outcomes PRIMARY KEY (id),
	CONSTRAINT ck_virus_test_outcomes_outcome CHECK (outcome IN ('negative','positive','inconclusive')),
	CONSTRAINT ck_virus_test_outcomes_named CHECK (btrim(reference) <> ''),
	CONSTRAINT fk_virus_test_outcomes_test_id FOREIGN KEY(test_id, lot_id) REFERENCES lab.virus_tests (id, lot_id),
	CONSTRAINT fk_virus_test_outcomes_recorded_by FOREIGN KEY(recorded_by) REFERENCES people.accounts (id)
);

CREATE INDEX ix_virus_test_outcomes_test_id ON lab.virus_test_outcomes (test_id);

-- What was found where a process version edits genomes beside the place it means. Accepted by an assessment of GM-02.
CREATE TABLE lab.off_target_reports (
	id BIGINT GENERATED ALWAYS AS IDENTITY,
	process_id BIGINT NOT NULL,
	reference TEXT NOT NULL,
	prediction TEXT NOT NULL,
	assay TEXT NOT NULL,
	assay_method TEXT NOT NULL,
	sites_examined INTEGER NOT NULL,
	sites_above INTEGER NOT NULL,
	threshold_percent NUMERIC NOT NULL,
	highest_percent NUMERIC NOT NULL,
	aberrations TEXT NOT NULL,
	aberrations_method TEXT NOT NULL,
	reported_on DATE NOT NULL,
	file_sha256 TEXT NOT NULL,
	recorded_by BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT pk_off_target_reports PRIMARY KEY (id),
	CONSTRAINT ck_off_target_reports_assay CHECK (assay IN ('guide_seq','circle_seq','digenome_seq','rhamp_seq','whole_genome','none')),
	CONSTRAINT ck_off_target_reports_aberrations CHECK (aberrations IN ('none_found','found','not_examined')),
	CONSTRAINT ck_off_target_reports_sites CHECK (sites_examined >= 0 AND sites_above >= 0 AND sites_above <= sites_examined),
	CONSTRAINT ck_off_target_reports_percent CHECK (threshold_percent > 0 AND threshold_percent <= 100 AND highest_percent >= 0 AND highest_percent <= 100),
	CONSTRAINT ck_off_target_reports_file_sha256 CHECK (file_sha256 ~ '^[0-9a-f]{64}$'),
	CONSTRAINT fk_off_target_reports_process_id FOREIGN KEY(process_id) REFERENCES lab.process_versions (id),
	CONSTRAINT fk_off_target_reports_recorded_by FOREIGN KEY(recorded_by) REFERENCES people.accounts (id)
);

CREATE INDEX ix_off_target_reports_process_id ON lab.off_target_reports (process_id);
