"""The GraphQL texts we send, valid against API versions 2025-10 to 2026-10.

One query reads all an order holds; a page's size is a variable, because the platform prices queries by what they
could return and refuses dear ones.
"""

from __future__ import annotations

_LINE = """
fragment Bag on MoneyBag { shopMoney { amount currencyCode } presentmentMoney { amount currencyCode } }
fragment Line on LineItem {
  id sku title variantTitle quantity currentQuantity unfulfilledQuantity requiresShipping isGiftCard
  originalUnitPriceSet { ...Bag } discountedTotalSet { ...Bag } discountAllocations { allocatedAmountSet { ...Bag } }
  customAttributes { key value } variant { id barcode } product { id }
}
"""

_FIELDS = (
    _LINE
    + """
fragment All on Order {
  id legacyResourceId name test createdAt processedAt updatedAt closed closedAt cancelledAt cancelReason
  displayFinancialStatus displayFulfillmentStatus returnStatus requiresShipping taxesIncluded
  currencyCode presentmentCurrencyCode email phone note tags poNumber sourceName customerLocale discountCodes
  customAttributes { key value }
  risk { recommendation }
  totalPriceSet { ...Bag } currentTotalPriceSet { ...Bag } totalReceivedSet { ...Bag } totalRefundedSet { ...Bag }
  totalShippingPriceSet { ...Bag } totalDiscountsSet { ...Bag } totalTaxSet { ...Bag } totalTipReceivedSet { ...Bag }
  originalTotalDutiesSet { ...Bag } paymentGatewayNames
  shippingAddress {
    firstName lastName name company address1 address2 city province provinceCode zip country countryCodeV2 phone
  }
  shippingLine { title code carrierIdentifier }
  transactions(first: 10) { kind status processedAt amountSet { ...Bag } }
  lineItems(first: $lines) { pageInfo { hasNextPage endCursor } nodes { ...Line } }
  fulfillments(first: 10) { id status createdAt trackingInfo { company number url } }
  fulfillmentOrders(first: 5) {
    nodes {
      id status requestStatus fulfillAt fulfillBy
      assignedLocation { name location { id name } }
      deliveryMethod { methodType }
      fulfillmentHolds { reason }
    }
  }
}
"""
)

ORDER_PAGE = (
    """
query OrderPage($first: Int!, $after: String, $filter: String, $lines: Int!) {
  orders(first: $first, after: $after, query: $filter, sortKey: UPDATED_AT) {
    pageInfo { hasNextPage endCursor }
    nodes { ...All }
  }
}
"""
    + _FIELDS
)

ORDERS_BY_ID = (
    """
query OrdersById($ids: [ID!]!, $lines: Int!) {
  nodes(ids: $ids) { ... on Order { ...All } }
}
"""
    + _FIELDS
)

ORDER_LINES = (
    """
query OrderLines($id: ID!, $after: String, $lines: Int!) {
  order(id: $id) { lineItems(first: $lines, after: $after) { pageInfo { hasNextPage endCursor } nodes { ...Line } } }
}
"""
    + _LINE
)

ORDER_COUNT = """
query OrderCount($filter: String) { ordersCount(query: $filter, limit: null) { count precision } }
"""

SHOP = "query Shop { shop { id name myshopifyDomain } }"

SHIPPED = """
query Shipped($id: ID!) {
  order(id: $id) {
    id cancelledAt
    fulfillments(first: 100) { id status trackingInfo { number } }
  }
}
"""

SHIPPED_LINES = """
query ShippedLines($id: ID!, $after: String) {
  fulfillment(id: $id) {
    fulfillmentLineItems(first: 100, after: $after) {
      pageInfo { hasNextPage endCursor }
      nodes { quantity lineItem { id } }
    }
  }
}
"""

TO_SHIP = """
query ToShip($id: ID!, $after: String) {
  order(id: $id) {
    fulfillmentOrders(first: 5, after: $after) {
      pageInfo { hasNextPage endCursor }
      nodes {
        id status requestStatus
        assignedLocation { name location { id } }
        deliveryMethod { methodType }
        supportedActions { action }
        lineItems(first: 40) {
          pageInfo { hasNextPage endCursor }
          nodes { id remainingQuantity lineItem { id } }
        }
      }
    }
  }
}
"""

TO_SHIP_LINES = """
query ToShipLines($id: ID!, $after: String) {
  fulfillmentOrder(id: $id) {
    lineItems(first: 100, after: $after) {
      pageInfo { hasNextPage endCursor }
      nodes { id remainingQuantity lineItem { id } }
    }
  }
}
"""

SHIP = """
mutation Ship($fulfillment: FulfillmentInput!) {
  fulfillmentCreate(fulfillment: $fulfillment) {
    fulfillment { id status }
    userErrors { field message }
  }
}
"""

AMEND = """
mutation Amend($fulfillment: ID!, $tracking: FulfillmentTrackingInput!, $notify: Boolean) {
  fulfillmentTrackingInfoUpdate(fulfillmentId: $fulfillment, trackingInfoInput: $tracking, notifyCustomer: $notify) {
    fulfillment { id }
    userErrors { field message }
  }
}
"""

RIGHTS = "query Rights { currentAppInstallation { accessScopes { handle } } }"
