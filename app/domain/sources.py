"""The sources that the rules cite, named once."""

GUIDELINE = "Guideline for the technical filing of clinical research on tissue stem cell therapy (version 1, 2026)"
ORDER_818 = "State Council Order 818"
EU_TISSUE_TESTS = "Directive 2006/17/EC"
CN_CELL_GMP = "CFDI guide for the production quality management of cell therapy products (2022, trial)"
CN_STEM_CELL_QUALITY = "Guideline for quality control and preclinical study of stem cell preparations (2015)"
GMP = "Good Manufacturing Practice for Drugs (2010 revision)"
STEMMA = "Stemma's own design; no regulator says it"
