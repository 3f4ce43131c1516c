"""Curators, one file each: names to places, loaded late."""

REGISTERED: dict[str, str] = {
    "boilerplate": "synthwright.curators.boilerplate:Boilerplate",
    "contamination": "synthwright.curators.contamination:Contamination",
    "copies": "synthwright.curators.copies:Copies",
    "duplicates": "synthwright.curators.duplicates:Duplicates",
    "format": "synthwright.curators.format:Format",
    "grounded": "synthwright.curators.grounded:Grounded",
    "judge": "synthwright.curators.judge:JudgeCurator",
    "language": "synthwright.curators.language:Language",
    "length": "synthwright.curators.length:Length",
    "links": "synthwright.curators.links:Links",
    "near-duplicates": "synthwright.curators.near_duplicates:NearDuplicates",
    "off-label": "synthwright.curators.off_label:OffLabel",
    "off-label-real": "synthwright.curators.off_label:OffLabelReal",
    "overlap": "synthwright.curators.overlap:Overlap",
    "personal-data": "synthwright.curators.personal_data:PersonalData",
    "program-tests": "synthwright.curators.program_tests:ProgramTests",
    "rules": "synthwright.curators.rules:Rules",
    "same-meaning": "synthwright.curators.same_meaning:SameMeaning",
    "wording": "synthwright.curators.wording:Wording",
}
