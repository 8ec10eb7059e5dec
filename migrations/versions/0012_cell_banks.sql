-- Cell banks: their policy, tests, vials and storage.

ALTER TABLE lab.steps DROP CONSTRAINT ck_steps_kind;
ALTER TABLE lab.steps ADD CONSTRAINT ck_steps_kind CHECK (kind IN ('isolation','passage','fill','cryopreservation','thaw'));

-- Of which tier a bank lot is: a master bank is made of a donation, a working bank of a vial of a master bank.
CREATE TABLE lab.bank_lots (
	lot_id BIGINT NOT NULL,
	kind TEXT DEFAULT 'bank' NOT NULL,
	tier TEXT NOT NULL,
	recorded_by BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT pk_bank_lots PRIMARY KEY (lot_id),
	CONSTRAINT ck_bank_lots_kind CHECK (kind = 'bank'),
	CONSTRAINT ck_bank_lots_tier CHECK (tier IN ('master','working')),
	CONSTRAINT fk_bank_lots_lot_id_kind FOREIGN KEY(lot_id, kind) REFERENCES lab.lots (id, kind),
	CONSTRAINT fk_bank_lots_recorded_by FOREIGN KEY(recorded_by) REFERENCES people.accounts (id)
);

-- A vial of a bank leaves it once, for one lot.
CREATE TABLE lab.withdrawals (
	id BIGINT GENERATED ALWAYS AS IDENTITY,
	vial_id BIGINT NOT NULL,
	bank_id BIGINT NOT NULL,
	lot_id BIGINT NOT NULL,
	withdrawn_at TIMESTAMP WITH TIME ZONE NOT NULL,
	recorded_by BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT pk_withdrawals PRIMARY KEY (id),
	CONSTRAINT ck_withdrawals_for_another CHECK (bank_id <> lot_id),
	CONSTRAINT fk_withdrawals_vial_id FOREIGN KEY(vial_id) REFERENCES lab.containers (id),
	CONSTRAINT uq_withdrawals_vial_id UNIQUE (vial_id),
	CONSTRAINT fk_withdrawals_bank_id FOREIGN KEY(bank_id) REFERENCES lab.lots (id),
	CONSTRAINT fk_withdrawals_lot_id FOREIGN KEY(lot_id) REFERENCES lab.lots (id),
	CONSTRAINT fk_withdrawals_recorded_by FOREIGN KEY(recorded_by) REFERENCES people.accounts (id)
);

CREATE INDEX ix_withdrawals_bank_id ON lab.withdrawals (bank_id);

CREATE INDEX ix_withdrawals_lot_id ON lab.withdrawals (lot_id);

-- Where a vial of a bank was put, and when; the last one is where it is.
CREATE TABLE lab.vial_places (
	id BIGINT GENERATED ALWAYS AS IDENTITY,
	vial_id BIGINT NOT NULL,
	place_id BIGINT NOT NULL,
	stored_at TIMESTAMP WITH TIME ZONE NOT NULL,
	recorded_by BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT pk_vial_places PRIMARY KEY (id),
	CONSTRAINT fk_vial_places_vial_id FOREIGN KEY(vial_id) REFERENCES lab.containers (id),
	CONSTRAINT fk_vial_places_place_id FOREIGN KEY(place_id) REFERENCES lab.equipment (id),
	CONSTRAINT fk_vial_places_recorded_by FOREIGN KEY(recorded_by) REFERENCES people.accounts (id)
);

CREATE INDEX ix_vial_places_vial_id ON lab.vial_places (vial_id);

CREATE INDEX ix_vial_places_place_id ON lab.vial_places (place_id);

-- How a place keeps what is in it: in vapour, in liquid or mechanically, how warm at the most, at which site.
CREATE TABLE lab.storage_classes (
	id BIGINT GENERATED ALWAYS AS IDENTITY,
	place_id BIGINT NOT NULL,
	phase TEXT NOT NULL,
	warmest_celsius NUMERIC NOT NULL,
	site TEXT NOT NULL,
	evidence TEXT NOT NULL,
	recorded_by BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT pk_storage_classes PRIMARY KEY (id),
	CONSTRAINT ck_storage_classes_phase CHECK (phase IN ('vapour','liquid','mechanical')),
	CONSTRAINT ck_storage_classes_warmest CHECK (warmest_celsius BETWEEN -273.15 AND 40),
	CONSTRAINT fk_storage_classes_place_id FOREIGN KEY(place_id) REFERENCES lab.equipment (id),
	CONSTRAINT fk_storage_classes_recorded_by FOREIGN KEY(recorded_by) REFERENCES people.accounts (id)
);

CREATE INDEX ix_storage_classes_place_id ON lab.storage_classes (place_id);

-- A place was warmer than it should be. Whatever lay in it meanwhile is held by the row itself.
CREATE TABLE lab.storage_excursions (
	id BIGINT GENERATED ALWAYS AS IDENTITY,
	place_id BIGINT NOT NULL,
	began_at TIMESTAMP WITH TIME ZONE NOT NULL,
	ended_at TIMESTAMP WITH TIME ZONE,
	warmest_celsius NUMERIC NOT NULL,
	what TEXT NOT NULL,
	deviation_id BIGINT NOT NULL,
	recorded_by BIGINT NOT NULL,
	recorded_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT pk_storage_excursions PRIMARY KEY (id),
	CONSTRAINT ck_storage_excursions_interval CHECK (ended_at >= began_at),
	CONSTRAINT fk_storage_excursions_place_id FOREIGN KEY(place_id) REFERENCES lab.equipment (id),
	CONSTRAINT fk_storage_excursions_deviation_id FOREIGN KEY(deviation_id) REFERENCES lab.deviations (id),
	CONSTRAINT fk_storage_excursions_recorded_by FOREIGN KEY(recorded_by) REFERENCES people.accounts (id)
);

CREATE INDEX ix_storage_excursions_place_id ON lab.storage_excursions (place_id);

-- Whether a process version works from a bank, and why: proposed by quality, decided by the authority's signature.
CREATE TABLE lab.bank_policies (
	id BIGINT GENERATED ALWAYS AS IDENTITY,
	process_id BIGINT NOT NULL,
	version INTEGER NOT NULL,
	needed BOOLEAN NOT NULL,
	conditions TEXT[] NOT NULL,
	tiers TEXT[] NOT NULL,
	reasons TEXT NOT NULL,
	proposed_by BIGINT NOT NULL,
	signature_id BIGINT,
	recorded_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT pk_bank_policies PRIMARY KEY (id),
	CONSTRAINT uq_bank_policies_process_id_version UNIQUE (process_id, version),
	CONSTRAINT ck_bank_policies_version CHECK (version >= 1),
	CONSTRAINT ck_bank_policies_conditions CHECK (conditions <@ ARRAY['long_term_expansion','gene_modified','clone_selected','autologous','short_cycle','low_manipulation']),
	CONSTRAINT ck_bank_policies_tiers CHECK (tiers <@ ARRAY['master','working'] AND needed = (cardinality(tiers) > 0)),
	CONSTRAINT fk_bank_policies_process_id FOREIGN KEY(process_id) REFERENCES lab.process_versions (id),
	CONSTRAINT fk_bank_policies_proposed_by FOREIGN KEY(proposed_by) REFERENCES people.accounts (id),
	CONSTRAINT uq_bank_policies_signature_id UNIQUE (signature_id),
	CONSTRAINT fk_bank_policies_signature_id FOREIGN KEY(signature_id) REFERENCES lab.signatures (id)
);
