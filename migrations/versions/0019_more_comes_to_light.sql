-- What grows on a plate later comes to light, and what is learnt later of a donor's health.

ALTER TABLE lab.impacts DROP CONSTRAINT ck_impacts_kind;
ALTER TABLE lab.impacts ADD CONSTRAINT ck_impacts_kind CHECK (kind IN ('donor_marker','consent_withdrawn','donation_ineligible','material_stopped','result_failed','accreditation_ended','virus_found','legacy_withdrawn','partner_paper','growth_found','health_found'));
ALTER TABLE lab.impact_facts DROP CONSTRAINT ck_impact_facts_fact;
ALTER TABLE lab.impact_facts ADD CONSTRAINT ck_impact_facts_fact CHECK (fact IN ('marker','consent','determination','material_lot','result','accreditation','virus_test','legacy','partner_paper','monitoring_reading','history'));
