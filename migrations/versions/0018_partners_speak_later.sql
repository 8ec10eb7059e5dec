-- What a partner says against a lot after its release is a fact that comes to light.

ALTER TABLE lab.impacts DROP CONSTRAINT ck_impacts_kind;
ALTER TABLE lab.impacts ADD CONSTRAINT ck_impacts_kind CHECK (kind IN ('donor_marker','consent_withdrawn','donation_ineligible','material_stopped','result_failed','accreditation_ended','virus_found','legacy_withdrawn','partner_paper'));
ALTER TABLE lab.impact_facts DROP CONSTRAINT ck_impact_facts_fact;
ALTER TABLE lab.impact_facts ADD CONSTRAINT ck_impact_facts_fact CHECK (fact IN ('marker','consent','determination','material_lot','result','accreditation','virus_test','legacy','partner_paper'));

-- At which sites was made what a document of comparability is compared to; of documents from before, nothing is known.
ALTER TABLE lab.comparabilities ADD COLUMN made_at TEXT[];
