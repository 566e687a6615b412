"""Who carries a shipment and what waits: rules judged, couriers weighed, room counted."""
