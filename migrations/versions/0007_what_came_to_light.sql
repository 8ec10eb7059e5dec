-- What came to light later, and what it touches: the fact, everything downstream as it stood then, how each was judged.

CREATE SEQUENCE lab.impact_numbers;

CREATE TABLE lab.impacts (
	id BIGINT GENERATED ALWAYS AS IDENTITY,
	number TEXT NOT NULL,
	kind TEXT NOT NULL,
	subject_id BIGINT NOT NULL,
	entry BIGINT NOT NULL,
	recorded_by BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT pk_impacts PRIMARY KEY (id),
	CONSTRAINT ck_impacts_kind CHECK (kind IN ('donor_marker','consent_withdrawn','donation_ineligible','material_stopped','result_failed')),
	CONSTRAINT uq_impacts_number UNIQUE (number),
	CONSTRAINT uq_impacts_entry_kind_subject_id UNIQUE (entry, kind, subject_id),
	CONSTRAINT fk_impacts_subject_id FOREIGN KEY(subject_id) REFERENCES lab.items (id),
	CONSTRAINT fk_impacts_recorded_by FOREIGN KEY(recorded_by) REFERENCES people.accounts (id)
);

CREATE INDEX ix_impacts_subject_id ON lab.impacts (subject_id);

CREATE TABLE lab.impact_facts (
	id BIGINT GENERATED ALWAYS AS IDENTITY,
	impact_id BIGINT NOT NULL,
	fact TEXT NOT NULL,
	fact_id BIGINT NOT NULL,
	says JSONB NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT pk_impact_facts PRIMARY KEY (id),
	CONSTRAINT ck_impact_facts_fact CHECK (fact IN ('marker','consent','determination','material_lot','result')),
	CONSTRAINT fk_impact_facts_impact_id FOREIGN KEY(impact_id) REFERENCES lab.impacts (id)
);

CREATE INDEX ix_impact_facts_impact_id ON lab.impact_facts (impact_id);

CREATE TABLE lab.impact_items (
	id BIGINT GENERATED ALWAYS AS IDENTITY,
	impact_id BIGINT NOT NULL,
	item_id BIGINT NOT NULL,
	kind TEXT NOT NULL,
	state_then TEXT NOT NULL,
	containers BIGINT[] NOT NULL,
	recipient_id BIGINT,
	hold_id BIGINT,
	recorded_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT pk_impact_items PRIMARY KEY (id),
	CONSTRAINT ck_impact_items_kind CHECK (kind IN ('donation','preparation','bank','material')),
	CONSTRAINT uq_impact_items_impact_id_item_id UNIQUE (impact_id, item_id),
	CONSTRAINT fk_impact_items_impact_id FOREIGN KEY(impact_id) REFERENCES lab.impacts (id),
	CONSTRAINT fk_impact_items_item_id FOREIGN KEY(item_id) REFERENCES lab.items (id),
	CONSTRAINT fk_impact_items_recipient_id FOREIGN KEY(recipient_id) REFERENCES lab.persons (id),
	CONSTRAINT uq_impact_items_hold_id UNIQUE (hold_id),
	CONSTRAINT fk_impact_items_hold_id FOREIGN KEY(hold_id) REFERENCES lab.holds (id)
);

CREATE INDEX ix_impact_items_item_id ON lab.impact_items (item_id);

CREATE TABLE lab.impact_verdicts (
	id BIGINT GENERATED ALWAYS AS IDENTITY,
	impact_item_id BIGINT NOT NULL,
	gate TEXT NOT NULL,
	rulebook TEXT NOT NULL,
	asked TEXT NOT NULL,
	closing JSONB NOT NULL,
	digest TEXT,
	recorded_by BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT pk_impact_verdicts PRIMARY KEY (id),
	CONSTRAINT ck_impact_verdicts_asked CHECK (asked IN ('book','rules_on_the_fact')),
	CONSTRAINT ck_impact_verdicts_digest_of_a_dossier CHECK ((asked = 'book') = (digest IS NOT NULL)),
	CONSTRAINT fk_impact_verdicts_impact_item_id FOREIGN KEY(impact_item_id) REFERENCES lab.impact_items (id),
	CONSTRAINT fk_impact_verdicts_recorded_by FOREIGN KEY(recorded_by) REFERENCES people.accounts (id)
);

CREATE INDEX ix_impact_verdicts_impact_item_id ON lab.impact_verdicts (impact_item_id);
