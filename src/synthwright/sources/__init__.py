"""Sources, one file each: names to places, loaded late."""

REGISTERED: dict[str, str] = {
    "csv": "synthwright.sources.csv:Csv",
    "parquet": "synthwright.sources.parquet:Parquet",
    "jsonl": "synthwright.sources.jsonl:Jsonl",
    "arrow": "synthwright.sources.arrow:Arrow",
    "documents": "synthwright.sources.documents:Documents",
    "excel": "synthwright.sources.excel:Excel",
    "sqlite": "synthwright.sources.sqlite:Sqlite",
}
