"""The stand-in of Shopify's GraphQL Admin API."""

from orderctl.sandbox.shopify.standin import Shopify

__all__ = ["Shopify"]
