"""The words everybody speaks: schema, dataset, contracts, specification; nothing heavy is imported here."""
