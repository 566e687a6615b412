"""What a parcel costs by a tariff, in exact decimals, as columns."""
