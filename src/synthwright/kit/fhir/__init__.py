"""Rows as FHIR resources."""
