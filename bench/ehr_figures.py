"""What `bench/ehr.py` holds the example `ehr` against: published prevalences, and the tables of the Synthea sample."""

from __future__ import annotations

from typing import NamedTuple

SOURCES = {
    "DB511": "Fryar CD et al. Hypertension prevalence, awareness, treatment, and control among adults age 18 and "
             "older: United States, August 2021–August 2023. NCHS Data Brief 511, 2024 (NHANES). For 60 and older both "
             "sexes together: men and women did not differ significantly.",
    "NHSR158": "Stierman B et al. NHANES 2017–March 2020 prepandemic data files. National Health Statistics Reports "
               "158, 2021, Table 8 (diagnosed or not, any type of diabetes; 95% intervals).",
    "NHIS2021": "CDC. 2021 National Health Interview Survey data, Table 4-1: current asthma by age and sex.",
    "DB529": "Weeks JD, Elgaddal N. Chronic obstructive pulmonary disease in adults age 18 and older: United States, "
             "2023. NCHS Data Brief 529, 2025 (NHIS).",
    "HUS": "NCHS. Health, United States, 2020–2021: heart disease prevalence (coronary heart disease, angina or heart "
           "attack), 2019 (NHIS).",
    "ATRIA": "Go AS et al. Prevalence of diagnosed atrial fibrillation in adults. JAMA 2001;285:2370–2375, Figure 2, "
             "as it is commonly quoted; the abstract says 0.1% below 55 and 9.0% from 80 on.",
    "DB303": "Brody DJ et al. Prevalence of depression among adults aged 20 and over: United States, 2013–2016. NCHS "
             "Data Brief 303, 2018 (NHANES, PHQ-9 of 10 and more in the past two weeks).",
    "QS2020": "QuickStats: percentage of adults with kidney disease, by age group and sex, July–December 2020. MMWR, "
              "March 2022 (NHIS).",
    "QS2019": "QuickStats: percentage of adults with arthritis, by sex and age group, 2019. MMWR, 2021, PMC8084120 "
              "(NHIS).",
    "DB508": "Emmerich SD et al. Obesity and severe obesity prevalence in adults: United States, August 2021–August "
             "2023. NCHS Data Brief 508, 2024 (NHANES).",
}  # fmt: skip


class Figure(NamedTuple):
    """A published percentage."""

    module: str
    sex: str
    """F, M, or both."""
    low: int
    """The youngest, in years completed."""
    high: int
    """The oldest; 120 for all above."""
    percent: float
    source: str
    least: float | None = None
    """Lower end of the source's 95% interval."""
    most: float | None = None
    adjusted: bool = False
    """Whether it is age-adjusted to the United States' standard population of 2000."""


def _bands(module: str, source: str, sexes: dict[str, list[float]], *edges: int) -> list[Figure]:
    ends = [*(e - 1 for e in edges[1:]), 120]
    return [Figure(module, sex, low, high, percent, source) for sex, percents in sexes.items()
            for low, high, percent in zip(edges, ends, percents, strict=True)]  # fmt: skip


FIGURES = [
    Figure("hypertension", "F", 18, 39, 16.4, "DB511"),
    Figure("hypertension", "F", 40, 59, 49.0, "DB511"),
    Figure("hypertension", "M", 18, 39, 30.0, "DB511"),
    Figure("hypertension", "M", 40, 59, 55.9, "DB511"),
    Figure("hypertension", "both", 60, 120, 71.6, "DB511"),
    Figure("diabetes", "F", 20, 39, 4.7, "NHSR158", 3.1, 6.9),
    Figure("diabetes", "F", 40, 59, 15.9, "NHSR158", 10.9, 21.9),
    Figure("diabetes", "F", 60, 120, 24.4, "NHSR158", 19.4, 30.1),
    Figure("diabetes", "M", 20, 39, 4.0, "NHSR158", 1.7, 7.9),
    Figure("diabetes", "M", 40, 59, 17.1, "NHSR158", 12.8, 22.1),
    Figure("diabetes", "M", 60, 120, 36.3, "NHSR158", 30.8, 42.1),
    *_bands("asthma", "NHIS2021", {"F": [1.8, 6.2, 8.4, 10.6, 8.7, 10.4, 9.4],
                                   "M": [2.1, 9.1, 9.7, 8.4, 7.0, 6.0, 4.6]}, 0, 5, 15, 20, 25, 35, 65),
    Figure("copd", "both", 18, 24, 0.4, "DB529"),
    Figure("copd", "both", 75, 120, 10.5, "DB529"),
    Figure("copd", "F", 18, 120, 4.1, "DB529", adjusted=True),
    Figure("copd", "M", 18, 120, 3.4, "DB529", adjusted=True),
    *_bands("heart", "HUS", {"both": [1.0, 3.6, 9.0, 14.3, 24.2]}, 18, 45, 55, 65, 75),
    Figure("heart", "F", 18, 120, 4.2, "HUS", adjusted=True),
    Figure("heart", "M", 18, 120, 7.0, "HUS", adjusted=True),
    *_bands("fibrillation", "ATRIA", {"F": [0.1, 0.4, 1.0, 1.7, 3.4, 5.0, 7.2, 9.1],
                                      "M": [0.2, 0.9, 1.7, 3.0, 5.0, 7.3, 10.3, 11.1]}, 20, 55, 60, 65, 70, 75, 80, 85),
    *_bands("depression", "DB303", {"both": [7.7, 8.4, 8.0]}, 20, 40, 60),
    Figure("depression", "F", 20, 120, 10.4, "DB303"),
    Figure("depression", "M", 20, 120, 5.5, "DB303"),
    *_bands("kidney", "QS2020", {"F": [1.3, 3.3, 6.1], "M": [0.9, 2.9, 8.3]}, 18, 45, 65),
    *_bands("arthritis", "QS2019", {"F": [6.6, 29.3, 48.6, 57.8], "M": [5.8, 22.3, 40.1, 44.7]}, 18, 45, 65, 75),
    *_bands("obesity", "DB508", {"both": [35.5, 46.4, 38.9]}, 20, 40, 60),
    Figure("obesity", "F", 20, 120, 41.3, "DB508"),
    Figure("obesity", "M", 20, 120, 39.2, "DB508"),
]  # fmt: skip
STANDARD = {(18, 24): 26_258, (25, 34): 37_233, (35, 44): 44_659, (45, 54): 37_030, (55, 64): 23_961, (65, 74): 18_136,
            (75, 120): 16_574}  # fmt: skip
"""The adults of the standard population of 2000, in thousands (Klein RJ, Schoenborn CA. Age adjustment using the 2000
projected U.S. population. Healthy People Statistical Notes 20, 2001)."""

BILLING = "billing: costs, claims and coverage are another matter"
COVERED: dict[str, dict[str, str] | str] = {
    "patients": {
        "Id": "patient.id", "BIRTHDATE": "patient.birth_date", "DEATHDATE": "patient.died_on", "SSN": "patient.ssn",
        "PREFIX": "patient.prefix", "FIRST": "patient.first_name", "LAST": "patient.last_name",
        "MARITAL": "patient.marital", "RACE": "patient.race", "ETHNICITY": "patient.ethnicity", "GENDER": "patient.sex",
        "ADDRESS": "patient.street", "CITY": "patient.city", "STATE": "patient.state", "ZIP": "patient.zip",
        "LAT": "patient.latitude", "LON": "patient.longitude",
        "DRIVERS": "!a further identity number", "PASSPORT": "!a further identity number",
        "SUFFIX": "!hardly ever there",
        "MAIDEN": "!a former name", "BIRTHPLACE": "!a second address", "COUNTY": "!no list of counties",
        "HEALTHCARE_EXPENSES": "!billing", "HEALTHCARE_COVERAGE": "!billing",
    },
    "organizations": {
        "Id": "organization.id", "NAME": "organization.name", "ADDRESS": "organization.street",
        "CITY": "organization.city", "STATE": "organization.state", "ZIP": "organization.zip",
        "LAT": "organization.latitude", "LON": "organization.longitude", "PHONE": "organization.phone",
        "REVENUE": "!billing", "UTILIZATION": "!a count of encounters",
    },
    "providers": {
        "Id": "provider.id", "ORGANIZATION": "provider.organization", "NAME": "provider.last_name",
        "GENDER": "provider.sex", "SPECIALITY": "provider.specialty", "ADDRESS": "!the organization's",
        "CITY": "!the organization's", "STATE": "!the organization's", "ZIP": "!the organization's",
        "LAT": "!the organization's", "LON": "!the organization's", "UTILIZATION": "!a count of encounters",
    },
    "encounters": {
        "Id": "encounter.id", "START": "encounter.start", "STOP": "encounter.stop", "PATIENT": "encounter.patient",
        "ORGANIZATION": "encounter.organization", "PROVIDER": "encounter.provider", "ENCOUNTERCLASS": "encounter.class",
        "CODE": "encounter.code", "DESCRIPTION": "encounter.description", "REASONCODE": "encounter.reason_code",
        "REASONDESCRIPTION": "encounter.reason", "PAYER": "!billing", "BASE_ENCOUNTER_COST": "!billing",
        "TOTAL_CLAIM_COST": "!billing", "PAYER_COVERAGE": "!billing",
    },
    "conditions": {
        "START": "condition.start", "STOP": "condition.stop", "PATIENT": "condition.patient",
        "ENCOUNTER": "condition.encounter", "CODE": "condition.code", "DESCRIPTION": "condition.description",
    },
    "observations": {
        "DATE": "observation.at", "PATIENT": "observation.patient", "ENCOUNTER": "observation.encounter",
        "CATEGORY": "observation.category", "CODE": "observation.code", "DESCRIPTION": "observation.description",
        "VALUE": "observation.value", "UNITS": "observation.units", "TYPE": "observation.text",
    },
    "medications": {
        "START": "medication.start", "STOP": "medication.stop", "PATIENT": "medication.patient",
        "ENCOUNTER": "medication.encounter", "CODE": "medication.code", "DESCRIPTION": "medication.description",
        "DISPENSES": "medication.dispenses", "REASONCODE": "medication.reason_code",
        "REASONDESCRIPTION": "medication.reason", "PAYER": "!billing", "BASE_COST": "!billing",
        "PAYER_COVERAGE": "!billing", "TOTALCOST": "!billing",
    },
    "procedures": {
        "START": "procedure.start", "STOP": "procedure.stop", "PATIENT": "procedure.patient",
        "ENCOUNTER": "procedure.encounter", "CODE": "procedure.code", "DESCRIPTION": "procedure.description",
        "REASONCODE": "procedure.reason_code", "REASONDESCRIPTION": "procedure.reason", "BASE_COST": "!billing",
    },
    "immunizations": {
        "DATE": "immunization.at", "PATIENT": "immunization.patient", "ENCOUNTER": "immunization.encounter",
        "CODE": "immunization.code", "DESCRIPTION": "immunization.description", "BASE_COST": "!billing",
    },
    "allergies": {
        "START": "allergy.start", "PATIENT": "allergy.patient", "CODE": "allergy.code",
        "DESCRIPTION": "allergy.description", "CATEGORY": "allergy.category", "SEVERITY1": "allergy.severity",
        "STOP": "!none of them ends", "ENCOUNTER": "!not found at a visit", "SYSTEM": "!always SNOMED CT",
        "TYPE": "!always an allergy", "REACTION1": "!reactions", "DESCRIPTION1": "!reactions",
        "REACTION2": "!reactions", "DESCRIPTION2": "!reactions", "SEVERITY2": "!reactions",
    },
    "payers": BILLING,
    "payer_transitions": BILLING,
    "careplans": "no module goes by a plan; procedures and follow-ups stand for it",
    "imaging_studies": "DICOM series: needs images to point to",
    "devices": "no module implants or hands out a device",
    "supplies": "no module uses up supplies",
}  # fmt: skip
"""Each table of the sample: why it is left out, or its columns, and which of ours holds each; `!` and why none does."""
