"""Sinks, one file each: names to places, loaded late."""

REGISTERED: dict[str, str] = {
    "parquet": "synthwright.sinks.parquet:Parquet",
    "csv": "synthwright.sinks.csv:Csv",
    "jsonl": "synthwright.sinks.jsonl:Jsonl",
    "arrow": "synthwright.sinks.arrow:Arrow",
    "excel": "synthwright.sinks.excel:Excel",
    "sqlite": "synthwright.sinks.sqlite:Sqlite",
    "fhir": "synthwright.sinks.fhir:Fhir",
    "conll": "synthwright.sinks.conll:Conll",
    "spacy": "synthwright.sinks.spacy:Spacy",
    "openai-messages": "synthwright.sinks.openai_messages:OpenaiMessages",
    "sharegpt": "synthwright.sinks.sharegpt:Sharegpt",
    "alpaca": "synthwright.sinks.alpaca:Alpaca",
    "dpo": "synthwright.sinks.dpo:Dpo",
    "ragas": "synthwright.sinks.ragas:Ragas",
    "huggingface": "synthwright.sinks.huggingface:Huggingface",
}
