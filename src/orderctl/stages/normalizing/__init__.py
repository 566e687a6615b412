"""The steps of `normalize`: SKUs, recipients, audit."""
